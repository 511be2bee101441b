//! Frames on an open stream: a big-endian `u32` length and that many bytes, bounded by the receiver, flushed by the sender.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufWriter, ReadHalf, WriteHalf},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsStream;

use super::LinkFault;

/// Longest time that the peer may leave a frame unread while the network's buffers are full.
const STALL: Duration = Duration::from_secs(120);
/// Frames up to this length leave in one write together with their length.
const BUFFER_BYTES: usize = 64 << 10;
const LENGTH_BYTES: usize = 4;

pub(super) type Stream = TlsStream<TcpStream>;

/// An open link.
pub struct Link {
    sender: LinkSender,
    receiver: LinkReceiver,
}

impl Link {
    pub(super) fn new(stream: Stream) -> Self {
        let (read, write) = tokio::io::split(stream);
        let write = BufWriter::with_capacity(BUFFER_BYTES, write);
        Self {
            sender: LinkSender { write, broken: None },
            receiver: LinkReceiver { read, header: Vec::with_capacity(LENGTH_BYTES), body: None, broken: None },
        }
    }

    /// Whether the peer has neither closed nor said anything, as it should before its hello is answered.
    pub(super) async fn is_quiet(&mut self) -> bool {
        self.receiver.recv(0, Duration::ZERO).await == Err(LinkFault::Silent)
    }

    /// See [`LinkSender::send`].
    ///
    /// # Errors
    /// [`LinkFault`].
    pub async fn send(&mut self, frame: &[u8]) -> Result<(), LinkFault> {
        self.sender.send(frame).await
    }

    /// See [`LinkReceiver::recv`].
    ///
    /// # Errors
    /// [`LinkFault`].
    pub async fn recv(&mut self, max_len: usize, silence: Duration) -> Result<Vec<u8>, LinkFault> {
        self.receiver.recv(max_len, silence).await
    }

    /// The two directions, for two tasks.
    pub fn split(self) -> (LinkSender, LinkReceiver) {
        (self.sender, self.receiver)
    }
}

/// The sending direction.
pub struct LinkSender {
    write: BufWriter<WriteHalf<Stream>>,
    /// Set while a frame is under way and after a fault: what follows half a frame would be read as its rest.
    broken: Option<LinkFault>,
}

impl LinkSender {
    /// Sends one frame and flushes it. A fault is final, and so is dropping the future before it is done.
    ///
    /// # Errors
    /// [`LinkFault`]; `Silent` when the peer reads nothing for two minutes.
    pub async fn send(&mut self, frame: &[u8]) -> Result<(), LinkFault> {
        if let Some(fault) = &self.broken {
            return Err(fault.clone());
        }
        let too_long = || LinkFault::Other(format!("a frame of {} bytes cannot be sent", frame.len()));
        let len = u32::try_from(frame.len()).map_err(|_| too_long())?;
        self.broken = Some(LinkFault::Other("an earlier send was abandoned".into()));
        let sent = async {
            self.write.write_all(&len.to_be_bytes()).await?;
            self.write.write_all(frame).await?;
            self.write.flush().await
        };
        let outcome = match timeout(STALL, sent).await {
            Ok(outcome) => outcome.map_err(|error| established(&error)),
            Err(_) => Err(LinkFault::Silent),
        };
        self.broken = outcome.clone().err();
        outcome
    }

    /// Ends this direction properly; the peer then reads `Gone` after the last frame.
    pub async fn close(mut self) {
        if self.broken.is_none() {
            let _ = timeout(STALL, self.write.shutdown()).await;
        }
    }
}

/// The receiving direction.
pub struct LinkReceiver {
    read: ReadHalf<Stream>,
    /// The frame being read: kept here, so that a receive that ran out of time loses nothing.
    header: Vec<u8>,
    body: Option<Vec<u8>>,
    broken: Option<LinkFault>,
}

impl LinkReceiver {
    /// The next frame, of at most `max_len` bytes. After `Silent` the link may be asked again; other faults are final.
    ///
    /// # Errors
    /// [`LinkFault`]; `Silent` when the whole frame is not here after `silence`, `Garbage` when it is too long.
    pub async fn recv(&mut self, max_len: usize, silence: Duration) -> Result<Vec<u8>, LinkFault> {
        if let Some(fault) = &self.broken {
            return Err(fault.clone());
        }
        let outcome = timeout(silence, self.read_frame(max_len)).await.unwrap_or(Err(LinkFault::Silent));
        self.broken = outcome.as_ref().err().filter(|fault| **fault != LinkFault::Silent).cloned();
        outcome
    }

    async fn read_frame(&mut self, max_len: usize) -> Result<Vec<u8>, LinkFault> {
        fill(&mut self.read, &mut self.header, LENGTH_BYTES).await?;
        let len = self.header.iter().fold(0usize, |len, byte| len << 8 | usize::from(*byte));
        if len > max_len {
            return Err(LinkFault::Garbage(format!("a frame of {len} bytes where {max_len} are allowed")));
        }
        fill(&mut self.read, self.body.get_or_insert_default(), len).await?;
        self.header.clear();
        Ok(self.body.take().unwrap_or_default())
    }
}

/// Reads until `into` holds `len` bytes. It grows with what has arrived, not with what the peer announced.
async fn fill(read: &mut ReadHalf<Stream>, into: &mut Vec<u8>, len: usize) -> Result<(), LinkFault> {
    while into.len() < len {
        let left = len - into.len();
        into.reserve(left.min(BUFFER_BYTES));
        let taken = (&mut *read).take(left as u64).read_buf(into).await.map_err(|error| established(&error))?;
        if taken == 0 {
            return Err(LinkFault::Gone);
        }
    }
    Ok(())
}

/// On an established stream a broken TLS record is the network's doing until proven otherwise; blame needs a whole frame.
fn established(error: &std::io::Error) -> LinkFault {
    match LinkFault::from(error) {
        LinkFault::Garbage(why) => LinkFault::Other(why),
        fault => fault,
    }
}
