//! Time as an argument: the system's clock and one that a test or a simulation sets.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use base_types::TimeMs;

/// Where a component reads the time of day.
pub trait Clock: Send + Sync {
    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> TimeMs;
}

/// The machine's clock. A clock set before 1970 reads as 0.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> TimeMs {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        TimeMs::try_from(since.as_millis()).unwrap_or(TimeMs::MAX)
    }
}

/// A clock that stands still until it is set.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// Starts at `now`.
    pub fn new(now: TimeMs) -> Self {
        Self(AtomicU64::new(now))
    }

    /// Sets the time; it may go backwards.
    pub fn set(&self, now: TimeMs) {
        self.0.store(now, Ordering::SeqCst);
    }

    /// Moves the time forward and tells the new one.
    pub fn advance(&self, by_ms: u64) -> TimeMs {
        self.0.fetch_add(by_ms, Ordering::SeqCst).wrapping_add(by_ms)
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> TimeMs {
        self.0.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = ManualClock::new(5);
        assert_eq!((clock.now_ms(), clock.now_ms()), (5, 5));
        assert_eq!((clock.advance(10), clock.now_ms()), (15, 15));
        clock.set(3);
        assert_eq!(clock.now_ms(), 3);
    }

    #[test]
    fn the_system_clock_is_past_2025() {
        assert!(SystemClock.now_ms() > 1_735_689_600_000);
    }
}
