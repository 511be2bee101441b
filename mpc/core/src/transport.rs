//! The one thing a protocol asks of a network: whole frames, in order, between this party and each peer.

use async_trait::async_trait;

use crate::Abort;

/// Ordered, authenticated, confidential links from this party to its peers.
///
/// An implementation keeps frames whole and in the order sent, and ends a wait that has lasted too long with
/// [`crate::Blame::Network`]: the protocols above own no clock.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends one frame to a peer; returns when the link has taken it over. What is left of it is dropped as a [`crate::Passing`].
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

    /// Is told that what passes from now on, over all forks of the session, belongs to this phase of the protocol, for one that
    /// counts what passes.
    fn enter(&self, _phase: &'static str) {}
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::memory;

    /// Frames under the phase in which they were sent.
    struct Counting {
        inner: Arc<dyn Transport>,
        phase: Mutex<&'static str>,
        sent: Mutex<Vec<(&'static str, usize)>>,
    }

    #[async_trait]
    impl Transport for Counting {
        async fn send(&self, to: usize, frame: Vec<u8>) -> Result<(), Abort> {
            let phase = *self.phase.lock().unwrap();
            self.sent.lock().unwrap().push((phase, frame.len()));
            self.inner.send(to, frame).await
        }

        async fn recv(&self, from: usize, max_len: usize) -> Result<Vec<u8>, Abort> {
            self.inner.recv(from, max_len).await
        }

        fn enter(&self, phase: &'static str) {
            *self.phase.lock().unwrap() = phase;
        }
    }

    #[tokio::test]
    async fn a_phase_holds_for_all_forks_and_a_step_for_aborts_alone() {
        let mut ends = memory::network(2);
        let (other, inner) = (ends.pop().unwrap(), ends.pop().unwrap());
        let counting = Arc::new(Counting { inner, phase: Mutex::default(), sent: Mutex::default() });
        let counted: Arc<dyn Transport> = counting.clone();
        let mut contexts = memory::contexts(vec![counted, other], [1; 32]);
        let mut zero = contexts.remove(0);
        let mut fork = zero.fork("x");
        fork.phase("first");
        fork.enter("of an abort");
        fork.round(vec![(1, vec![0; 3])], &[]).await.unwrap();
        zero.round(vec![(1, vec![0; 4])], &[]).await.unwrap();
        zero.phase("second");
        fork.round(vec![(1, vec![0; 5])], &[]).await.unwrap();
        let sent = counting.sent.lock().unwrap().clone();
        // Every frame has a header of 8 bytes.
        assert_eq!(sent, [("first", 11), ("first", 12), ("second", 13)]);
        drop(contexts);
    }
}
