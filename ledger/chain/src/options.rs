//! How long a node waits for what, and how much of the past it keeps.

use base_types::Height;
use ledger_state::{Keep, StateOptions};

/// Longest message of the engine: a full block, its header and what the proposal says of it.
const MAX_PROPOSAL: usize = crate::MAX_BLOCK_BYTES + (64 << 10);

/// How much of the past a node keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum History {
    /// Every block and every state: an archive. Such a node executes every block itself.
    All,
    /// The newest so many heights; all headers from the first that it has. Such a node takes a state over from others when
    /// it is far behind.
    Pruned {
        /// States and blocks kept, at least four times [`Options::snapshot_every`]; blocks are kept for longer where the
        /// rule against executing one twice needs them.
        keep: u64,
    },
}

/// Waiting times, in milliseconds, what is kept, and memory.
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
    /// How much of the past is kept.
    pub history: History,
    /// A pruned node that is more heights behind than this takes a state over.
    pub snapshot_gap: u64,
    /// The states that others may take over are those of heights divisible by this; at least 1.
    pub snapshot_every: u64,
    /// While the chain runs, so many bytes of stored rows a second are checked for damage; 0 for none.
    pub scrub_bytes: u64,
    /// After everything was checked it is checked again, so long after the check before began or later.
    pub scrub_every_ms: u64,
    /// Most bytes of memory that the state's tree takes between two blocks; newest values take three quarters as much again.
    pub state_cache: usize,
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
            history: History::All,
            snapshot_gap: 2000,
            snapshot_every: 256,
            scrub_bytes: 4 << 20,
            scrub_every_ms: 86_400_000,
            state_cache: StateOptions::default().cache_bytes,
            consensus: ledger_consensus::Options { max_message: MAX_PROPOSAL, ..Default::default() },
        }
    }
}

impl Options {
    /// Heights whose states stay readable. A state that is offered to others stays until they have had time to take it.
    fn kept(&self, keep: u64) -> u64 {
        keep.max(self.snapshot_every.saturating_mul(4)).max(1)
    }

    /// The state's.
    pub(crate) fn state(&self) -> StateOptions {
        let history = match self.history {
            History::All => Keep::All,
            History::Pruned { keep } => Keep::Last(self.kept(keep)),
        };
        StateOptions { history, cache_bytes: self.state_cache }
    }

    /// The first height whose block is kept when `height` is the newest, `None` where all are.
    pub(crate) fn first_block(&self, height: Height) -> Option<Height> {
        match self.history {
            History::All => None,
            History::Pruned { keep } => {
                let kept = self.kept(keep).max(crate::MAX_LIFE.saturating_add(1000));
                Some(height.saturating_add(1).saturating_sub(kept))
            }
        }
    }

    /// The newest height whose state is offered to others, 0 for none. The header after it has been certified for a while.
    pub(crate) fn offered(&self, height: Height) -> Height {
        let newest = height.saturating_sub(2);
        newest.saturating_sub(newest.checked_rem(self.snapshot_every).unwrap_or_default())
    }
}
