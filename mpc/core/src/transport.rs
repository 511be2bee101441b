//! The one thing a protocol asks of a network: whole frames, in order, between this party and each peer.

use async_trait::async_trait;

use crate::Abort;

/// Ordered, authenticated, confidential links from this party to its peers.
///
/// An implementation keeps frames whole and in the order sent, and ends a wait that has lasted too long with
/// [`crate::Blame::Network`]: the protocols above own no clock.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends one frame to a peer; returns when the link has taken it over.
    ///
    /// # Errors
    /// [`Abort`] with [`crate::Blame::Network`] when the peer is out of reach.
    async fn send(&self, to: usize, frame: Vec<u8>) -> Result<(), Abort>;

    /// Waits for the next frame of a peer.
    ///
    /// # Errors
    /// [`Abort`] with [`crate::Blame::Peer`] when the frame is longer than `max_len` (which takes no memory), with
    /// [`crate::Blame::Network`] when the peer is gone or silent.
    async fn recv(&self, from: usize, max_len: usize) -> Result<Vec<u8>, Abort>;
}
