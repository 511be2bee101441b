//! The way to a peer: whether what is sent arrives, and when to try again where it does not.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio::{sync::Notify, time::sleep};

/// The pause after the first try in vain, and the shortest between two tries.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// No pause is longer.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// What is known of the way to a peer.
#[derive(Default)]
pub(crate) struct Way {
    away: AtomicBool,
    heard: Notify,
}

impl Way {
    /// Whether the last message did not arrive, and nothing was heard of the peer since.
    pub(crate) fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    /// A message has arrived, or not.
    pub(crate) fn tried(&self, arrived: bool) {
        self.away.store(!arrived, Ordering::Relaxed);
    }

    /// The peer has spoken: a pause that is under way ends.
    pub(crate) fn heard(&self) {
        self.away.store(false, Ordering::Relaxed);
        self.heard.notify_waiters();
    }

    /// Waits for the next try: as long as the pause, or until the peer speaks. Never shorter than the first pause, so that
    /// one who is heard and cannot be reached is not tried without end.
    pub(crate) async fn rest(&self, pause: Duration) {
        // From now on, not from the end of the sleep: whoever speaks meanwhile counts.
        let heard = self.heard.notified();
        sleep(FIRST_PAUSE).await;
        tokio::select! {
            () = heard => {}
            () = sleep(pause.saturating_sub(FIRST_PAUSE)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const LONG: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn a_pause_ends_when_the_peer_speaks_and_what_was_said_before_does_not_end_it() {
        let way = Way::default();
        way.heard();
        assert!(timeout(FIRST_PAUSE * 2, way.rest(HOUR)).await.is_err(), "nobody speaks");
        for after in [Duration::ZERO, FIRST_PAUSE * 2] {
            let speaks = async {
                sleep(after).await;
                way.heard();
            };
            let (rested, ()) = tokio::join!(timeout(LONG, way.rest(HOUR)), speaks);
            assert!(rested.is_ok(), "spoken {after:?} after the pause began");
        }
        assert!(timeout(LONG, way.rest(FIRST_PAUSE)).await.is_ok(), "a pause ends of itself");
    }

    #[test]
    fn who_was_not_reached_is_away_until_it_is_reached_or_heard() {
        let way = Way::default();
        assert!(!way.is_away(), "nothing was tried");
        way.tried(false);
        assert!(way.is_away());
        way.heard();
        assert!(!way.is_away());
        way.tried(false);
        way.tried(true);
        assert!(!way.is_away());
    }
}
