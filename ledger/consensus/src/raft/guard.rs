//! What the core must not be given: messages that are well formed but would stop the program or fill its memory.
//!
//! The core trusts its peers and stops the program (`fatal!`, `assert!`) when a message contradicts its log. Most of it
//! is out of reach by form alone (`wire`: terms and indices of 0, gaps between entries, numbers near overflow) or is
//! never read (a vote's commit index, requests for snapshots, forwarded proposals, transfers, reads, changes of
//! membership). What is left depends on the state: `RaftLog::commit_to` beyond the last index, and a member's progress
//! beyond the log. Such a message is dropped and nobody blamed: where one member votes twice, two honest ones may lead
//! one term and send them.

use ::raft::{Raft, StateRole};

use super::{log::Log, wire::Message};

/// Uncommitted entries at most; each lost election may leave one.
const MAX_UNCOMMITTED: u64 = 1024;

/// Whether a message may be given to the core in its present state; the log holds so many uncommitted bytes at most.
pub(crate) fn may_step(core: &Raft<Log>, message: &Message, max_bytes: usize) -> bool {
    let (last, committed) = (core.raft_log.last_index(), core.raft_log.committed);
    match message {
        // Of an older term it is only answered.
        Message::Beat { term, commit, .. } => *term < core.term || *commit <= last,
        // One that replaces what is there makes the log no longer.
        Message::Append { term, index, entry: Some(slot), .. } if *term >= core.term && *index >= last => {
            let bytes = core.store().bytes_after(committed).saturating_add(slot.data.0.len());
            last.saturating_sub(committed) < MAX_UNCOMMITTED && (bytes <= max_bytes || slot.data.0.is_empty())
        }
        Message::Appended { term, index, reject: None, .. } => {
            core.state != StateRole::Leader || *term != core.term || *index <= last
        }
        _ => true,
    }
}
