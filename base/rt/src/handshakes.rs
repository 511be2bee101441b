//! Handshakes under way at a time: as many as there may be, the oldest giving way to a new one.
//!
//! Whoever can open a connection may say nothing on it. If the new one were turned away while so many wait, a few connections
//! every handful of seconds would keep all others out; so the one that has waited longest goes. An honest handshake ends within
//! a few messages, long before as many others have come as there may be.

use std::collections::VecDeque;

use tokio::task::AbortHandle;

/// The tasks of handshakes that have not ended, in the order in which they began.
pub struct Handshakes {
    under_way: VecDeque<AbortHandle>,
    most: usize,
}

impl Handshakes {
    /// None yet, and never more than `most`.
    pub fn new(most: usize) -> Self {
        Self { under_way: VecDeque::new(), most }
    }

    /// Another one has begun. True when the oldest had to give way: its task is aborted.
    pub fn begin(&mut self, task: AbortHandle) -> bool {
        self.under_way.retain(|other| !other.is_finished());
        let oldest = if self.under_way.len() >= self.most { self.under_way.pop_front() } else { None };
        self.under_way.push_back(task);
        oldest.inspect(AbortHandle::abort).is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn the_oldest_that_has_not_ended_gives_way() {
        let mut handshakes = Handshakes::new(2);
        let first = tokio::spawn(pending::<()>());
        assert!(!handshakes.begin(first.abort_handle()));
        let done = tokio::spawn(ready(()));
        assert!(!handshakes.begin(done.abort_handle()));
        done.await.expect("it ends");
        let second = tokio::spawn(pending::<()>());
        assert!(!handshakes.begin(second.abort_handle()), "one has ended");
        let third = tokio::spawn(pending::<()>());
        assert!(handshakes.begin(third.abort_handle()));
        assert!(first.await.is_err_and(|why| why.is_cancelled()));
        assert!(!second.is_finished() && !third.is_finished());
    }
}
