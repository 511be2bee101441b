//! How long a node waits for what.

/// Longest message of the engine: a full block, its header and what the proposal says of it.
const MAX_PROPOSAL: usize = crate::MAX_BLOCK_BYTES + (64 << 10);

/// Waiting times, in milliseconds.
#[derive(Debug, Clone)]
pub struct Options {
    /// After so long `submit` answers that there is no quorum.
    pub submit_timeout_ms: u64,
    /// An idle chain makes an empty block so often.
    pub heartbeat_ms: u64,
    /// Peers are told this node's height so often.
    pub status_ms: u64,
    /// Waiting transactions are sent to the peers again so often.
    pub resend_ms: u64,
    /// A node that is one block behind waits so long for consensus before it asks a peer.
    pub grace_ms: u64,
    /// A peer has so long to answer a request for blocks.
    pub request_ms: u64,
    /// The consensus engine's.
    pub consensus: ledger_consensus::Options,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            submit_timeout_ms: 30_000,
            heartbeat_ms: 10_000,
            status_ms: 1000,
            resend_ms: 2000,
            grace_ms: 300,
            request_ms: 5000,
            consensus: ledger_consensus::Options { max_message: MAX_PROPOSAL, ..Default::default() },
        }
    }
}
