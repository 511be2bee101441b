//! A TLS stream that knows the organisation at its other end and remembers a refused certificate.
//!
//! In TLS 1.3 a client learns only after its handshake that its certificate was refused, and HTTP/2 keeps no more than the
//! text of that error; so the reason is noted here, where it passes.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use base_rt::tls::{TrustRoots, fault_of};
use base_types::{OrgId, fault::Code};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::TlsStream;
use tonic::transport::server::Connected;

/// The last certificate fault seen on the way to a peer, until the peer answers.
#[derive(Clone, Default)]
pub(crate) struct Refusal(Arc<Mutex<Option<(Code, String)>>>);

impl Refusal {
    pub(crate) fn get(&self) -> Option<(Code, String)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(crate) fn note(&self, error: &io::Error) {
        if let Some(fault) = fault_of(error) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
        }
    }
}

/// The organisation that the handshake proved, as a request's extension.
#[derive(Clone)]
pub(crate) struct ProvenPeer(pub(crate) OrgId);

pub(crate) struct NodeStream {
    inner: TlsStream<TcpStream>,
    /// What the peer showed: its organisation and the serial number of its node's certificate.
    peer: (OrgId, [u8; 16]),
    refusal: Refusal,
    /// The peer has said something: it took our certificate.
    accepted: bool,
    /// Whom this node trusts, where that is looked at while the stream is open.
    roots: Option<Arc<TrustRoots>>,
}

impl NodeStream {
    pub(crate) fn new(
        inner: TlsStream<TcpStream>,
        peer: (OrgId, [u8; 16]),
        refusal: Refusal,
        roots: Option<Arc<TrustRoots>>,
    ) -> Self {
        Self { inner, peer, refusal, accepted: false, roots }
    }

    /// Ends the stream once the peer's certificate was revoked. It is asked for by its serial number every time: a peer can
    /// hold up the end of a handshake, so that the revocation comes after its certificate was judged and before the stream.
    fn trusted(&self) -> io::Result<()> {
        match &self.roots {
            Some(roots) if roots.is_revoked(&self.peer) => {
                Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the peer's certificate was revoked"))
            }
            _ => Ok(()),
        }
    }

    fn noted<T>(&self, poll: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(error)) = &poll {
            self.refusal.note(error);
        }
        poll
    }
}

impl Connected for NodeStream {
    type ConnectInfo = ProvenPeer;
    fn connect_info(&self) -> ProvenPeer {
        ProvenPeer(self.peer.0.clone())
    }
}

impl AsyncRead for NodeStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.trusted()?;
        let before = buf.filled().len();
        let poll = Pin::new(&mut self.inner).poll_read(cx, buf);
        if !self.accepted && buf.filled().len() > before {
            self.accepted = true;
            self.refusal.clear();
        }
        self.noted(poll)
    }
}

impl AsyncWrite for NodeStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.trusted()?;
        let poll = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.noted(poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.trusted()?;
        let poll = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.noted(poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.inner).poll_flush(cx);
        self.noted(poll)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.noted(poll)
    }
}
