//! A TLS stream that knows the organisation at its other end and remembers a refused certificate.
//!
//! In TLS 1.3 a client learns only after its handshake that its certificate was refused, and HTTP/2 keeps no more than the
//! text of that error; so the reason is noted here, where it passes.

use std::{
    collections::BTreeMap,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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

/// Streams of one organisation that are open at a time: a node needs one, and its people some.
pub(crate) const PLACES: usize = 32;

/// How many streams each organisation has open. Only those that a handshake proved get in, so their number is bounded.
#[derive(Clone, Default)]
pub(crate) struct Places(Arc<Mutex<BTreeMap<OrgId, usize>>>);

impl Places {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<OrgId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place, unless all are taken.
    pub(crate) fn take(&self, org: &OrgId) -> Option<Place> {
        let mut all = self.lock();
        let taken = all.entry(org.clone()).or_default();
        if *taken >= PLACES {
            return None;
        }
        *taken += 1;
        Some(Place { places: self.clone(), org: org.clone() })
    }
}

/// One stream's place; it is free again when this is dropped.
pub(crate) struct Place {
    places: Places,
    org: OrgId,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(taken) = self.places.lock().get_mut(&self.org) {
            *taken = taken.saturating_sub(1);
        }
    }
}

pub(crate) struct NodeStream {
    inner: TlsStream<TcpStream>,
    /// What the peer showed: its organisation and the serial number of its node's certificate.
    peer: (OrgId, [u8; 16]),
    refusal: Refusal,
    /// The peer has said something: it took our certificate.
    accepted: bool,
    /// Whom this node trusts, where that is looked at while the stream is open.
    roots: Option<Arc<TrustRoots>>,
    /// Its place among its organisation's streams, where these are counted.
    _place: Option<Place>,
}

impl NodeStream {
    pub(crate) fn new(
        inner: TlsStream<TcpStream>,
        peer: (OrgId, [u8; 16]),
        refusal: Refusal,
        roots: Option<Arc<TrustRoots>>,
    ) -> Self {
        Self { inner, peer, refusal, accepted: false, roots, _place: None }
    }

    /// A stream that somebody else opened and that has one of its organisation's places.
    ///
    /// # Errors
    /// When the organisation has no place left.
    pub(crate) fn inbound(
        inner: TlsStream<TcpStream>,
        peer: (OrgId, [u8; 16]),
        roots: Arc<TrustRoots>,
        places: &Places,
    ) -> io::Result<Self> {
        let full = || io::Error::other(format!("{} has {PLACES} connections here already", peer.0));
        let place = places.take(&peer.0).ok_or_else(full)?;
        Ok(Self { _place: Some(place), ..Self::new(inner, peer, Refusal::default(), Some(roots)) })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organisation_has_so_many_places_and_gets_back_those_that_are_free() {
        let (places, one, other) = (Places::default(), OrgId::new("a").unwrap(), OrgId::new("b").unwrap());
        let mut taken: Vec<Place> = (0..PLACES).map(|_| places.take(&one).unwrap()).collect();
        assert!(places.take(&one).is_none());
        assert!(places.take(&other).is_some());
        taken.pop();
        let again = places.take(&one);
        assert!(again.is_some() && places.take(&one).is_none());
    }
}
