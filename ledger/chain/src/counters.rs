//! What the chain counts while it runs; read by metrics, alarms and benchmarks.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to it.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }
    /// Its value now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// All counters of a chain since its start.
#[derive(Debug, Default)]
pub struct Counters {
    /// Transactions that clients of this node submitted and that were admitted.
    pub submitted: Counter,
    /// Transactions that peers sent, in gossip or on request.
    pub received: Counter,
    /// Of these, those that were known already.
    pub redundant: Counter,
    /// Transactions that were refused before execution.
    pub inadmissible: Counter,
    /// Submissions that had to wait because the pool was full.
    pub held_back: Counter,
    /// Blocks executed.
    pub blocks: Counter,
    /// Transactions executed.
    pub executed: Counter,
    /// Of these, those that changed nothing.
    pub refused: Counter,
    /// Blocks that peers gave when this node was behind.
    pub synced: Counter,
    /// Blocks that were not decided in their first round.
    pub late_rounds: Counter,
    /// Transactions of proposals that had to be asked for.
    pub fetched: Counter,
    /// Microseconds spent on executing and storing blocks.
    pub execute_us: Counter,
    /// Microseconds spent on checking proposed blocks.
    pub check_us: Counter,
    /// Microseconds spent on building blocks.
    pub build_us: Counter,
    /// Microseconds spent on writing the consensus log.
    pub log_us: Counter,
    /// Epochs begun.
    pub epochs: Counter,
    /// Messages by which a validator showed that it does not keep to the protocol.
    pub misbehaviour: Counter,
    /// Times that everything stored was checked for damage and found whole.
    pub scrubs: Counter,
    /// Bytes of stored rows that were checked for damage.
    pub scrubbed_bytes: Counter,
}
