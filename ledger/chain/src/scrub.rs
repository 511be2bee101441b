//! Scrubs the store while the chain runs: all its tables are read at a gentle pace, so that damage is found where nobody reads.

use std::{future::pending, sync::Arc, time::Duration};

use base_rt::Clock;
use ledger_store::{ScrubCursor, Store};
use tokio::{
    task::{JoinSet, spawn_blocking},
    time::{Instant, sleep_until},
};

use crate::{ChainFault, ledger::Ledger, node::ms, view::Shared};

/// Bytes of rows that are read at once: a moment's work, after which the scrub can end.
const PIECE: u64 = 1 << 20;

/// What scrubs one chain's store.
struct Scrub {
    store: Store,
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
    /// Bytes a second; not 0.
    pace: u64,
    every: Duration,
}

/// Begins to scrub, unless the options say otherwise. The task ends with the first fault, which is the chain's too, and with
/// the set that holds it.
pub(crate) fn begin(ledger: &Ledger, shared: &Arc<Shared>, clock: &Arc<dyn Clock>) -> JoinSet<ChainFault> {
    let mut task = JoinSet::new();
    let pace = ledger.options.scrub_bytes;
    if pace > 0 {
        let (store, every) = (ledger.store.clone(), ms(ledger.options.scrub_every_ms));
        let (shared, clock) = (Arc::clone(shared), Arc::clone(clock));
        task.spawn(Scrub { store, shared, clock, pace, every }.run());
    }
    task
}

impl Scrub {
    async fn run(self) -> ChainFault {
        loop {
            let begun = Instant::now();
            if let Err(fault) = self.pass().await {
                return fault;
            }
            sleep_until(begun + self.every).await;
        }
    }

    /// Reads everything once.
    async fn pass(&self) -> Result<(), ChainFault> {
        let mut cursor = Some(ScrubCursor::default());
        while let Some(from) = cursor {
            let begun = Instant::now();
            let store = self.store.clone();
            let (bytes, next) = match spawn_blocking(move || store.scrub(from, PIECE)).await {
                Ok(read) => read?,
                Err(why) => {
                    // The runtime ends, and this with it.
                    tracing::warn!(%why, "the tables are scrubbed no longer");
                    return pending().await;
                }
            };
            self.shared.counters.scrubbed_bytes.add(bytes);
            sleep_until(begun + pause(bytes, self.pace)).await;
            cursor = next;
        }
        tracing::debug!("all tables were scrubbed and found whole");
        self.shared.scrubbed(self.clock.now_ms());
        Ok(())
    }
}

/// How long so many bytes take at a pace in bytes a second.
fn pause(bytes: u64, pace: u64) -> Duration {
    // An empty store is no reason to look at it without end.
    ms(bytes.saturating_mul(1000).checked_div(pace).unwrap_or_default().max(1))
}

#[cfg(test)]
mod tests {
    use base_rt::SystemClock;
    use ledger_store::{Batch, Durability};

    use super::*;

    #[tokio::test]
    async fn a_pass_takes_as_long_as_its_pace_says_and_is_counted() {
        let folder = tempfile::tempdir().expect("folder");
        let store = Store::open(folder.path(), &["a"]).expect("opened");
        let (rows, value) = (48u32, vec![7u8; 64 << 10]);
        let mut batch = Batch::new();
        for row in 0..rows {
            batch.put("a", row.to_be_bytes(), &value);
        }
        store.write(batch, Durability::Buffered).expect("written");
        let (shared, clock) = (Arc::new(Shared::new(0)), Arc::new(SystemClock));
        let scrub = Scrub { store, shared: Arc::clone(&shared), clock, pace: 16 << 20, every: ms(1) };
        let begun = Instant::now();
        assert_eq!(scrub.pass().await, Ok(()));
        assert!(begun.elapsed() >= ms(180), "three pieces of 62 ms took {:?}", begun.elapsed());
        assert_eq!(shared.counters.scrubs.get(), 1);
        assert_eq!(shared.counters.scrubbed_bytes.get(), u64::from(rows) * (4 + (64 << 10)));
        assert!(shared.with(|view| view.scrubbed).is_some());
    }
}
