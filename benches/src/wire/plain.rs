//! Frames on plain TCP streams: what the loopback itself allows, without TLS.

use std::{
    io::{self, IoSlice},
    net::{Ipv4Addr, TcpListener, TcpStream},
};

use async_trait::async_trait;
use mpc_core::{Abort, Transport};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::tcp::{OwnedReadHalf, OwnedWriteHalf},
    sync::Mutex,
};

/// Bytes of the length before a frame.
const LENGTH: usize = 4;

/// Both ends of a new TCP stream over loopback, blocking, without Nagle's delay.
///
/// # Errors
/// When the system gives no sockets.
pub fn streams() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let one = TcpStream::connect(listener.local_addr()?)?;
    let (two, _) = listener.accept()?;
    one.set_nodelay(true)?;
    two.set_nodelay(true)?;
    Ok((one, two))
}

/// The ends of streams between every two of `parties`; place `j` of entry `i` is party `i`'s end towards party `j`.
///
/// # Errors
/// When the system gives no sockets.
pub fn mesh(parties: usize) -> io::Result<Vec<Vec<Option<TcpStream>>>> {
    let mut ends: Vec<Vec<_>> = (0..parties).map(|_| (0..parties).map(|_| None).collect()).collect();
    for later in 0..parties {
        for earlier in 0..later {
            let (near, far) = streams()?;
            ends[earlier][later] = Some(near);
            ends[later][earlier] = Some(far);
        }
    }
    Ok(ends)
}

struct Wire {
    reading: Mutex<OwnedReadHalf>,
    writing: Mutex<OwnedWriteHalf>,
}

/// A party's ends: frames behind their lengths, four bytes each in big-endian order.
pub struct Plain(Vec<Option<Wire>>);

impl Plain {
    /// Within the runtime that drives them from then on.
    ///
    /// # Errors
    /// When a stream cannot be given to the runtime.
    pub fn new(streams: Vec<Option<TcpStream>>) -> io::Result<Self> {
        let wire = |stream: TcpStream| {
            stream.set_nonblocking(true)?;
            let (reading, writing) = tokio::net::TcpStream::from_std(stream)?.into_split();
            Ok(Wire { reading: Mutex::new(reading), writing: Mutex::new(writing) })
        };
        Ok(Self(streams.into_iter().map(|stream| stream.map(wire).transpose()).collect::<io::Result<_>>()?))
    }

    fn wire(&self, peer: usize) -> Result<&Wire, Abort> {
        let wire = self.0.get(peer).and_then(Option::as_ref);
        wire.ok_or_else(|| Abort::local(format!("there is no link to party {peer}")))
    }
}

/// Length and frame in one call, if the system takes them.
async fn write(link: &mut OwnedWriteHalf, frame: &[u8]) -> io::Result<()> {
    let length = u32::try_from(frame.len()).map_err(io::Error::other)?.to_be_bytes();
    let sent = link.write_vectored(&[IoSlice::new(&length), IoSlice::new(frame)]).await?;
    link.write_all(length.get(sent..).unwrap_or_default()).await?;
    link.write_all(&frame[sent.saturating_sub(LENGTH)..]).await
}

async fn read(link: &mut OwnedReadHalf, len: usize) -> io::Result<Vec<u8>> {
    let mut frame = Vec::with_capacity(len);
    let mut rest = link.take(len as u64);
    while frame.len() < len {
        if rest.read_buf(&mut frame).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(frame)
}

#[async_trait]
impl Transport for Plain {
    async fn send(&self, to: usize, frame: Vec<u8>) -> Result<(), Abort> {
        let mut link = self.wire(to)?.writing.lock().await;
        write(&mut link, &frame).await.map_err(|why| Abort::network(to, why.to_string()))
    }

    async fn recv(&self, from: usize, max_len: usize) -> Result<Vec<u8>, Abort> {
        let mut link = self.wire(from)?.reading.lock().await;
        let len = link.read_u32().await.map_err(|why| Abort::network(from, why.to_string()))? as usize;
        if len > max_len {
            return Err(Abort::peer(from, format!("a frame of {len} bytes where at most {max_len} are due")));
        }
        read(&mut link, len).await.map_err(|why| Abort::network(from, why.to_string()))
    }
}
