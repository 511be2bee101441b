//! What the core must not be given: messages that are well formed but would stop the program or fill its memory.
//!
//! The core trusts its peers and stops the program (`fatal!`, `assert!`) when a message contradicts its log. Most of it
//! is out of reach by form alone (`wire`: terms and indices of 0, gaps between entries, numbers near overflow) or is
//! never read (a vote's commit index, requests for snapshots, forwarded proposals, transfers, reads, changes of
//! membership). What is left depends on the state: `RaftLog::commit_to` beyond the last index, and a member's progress
//! beyond the log. Such a message is dropped and nobody blamed: where one member votes twice, two honest ones may lead
//! one term and send them. Only a leader's beat is heard all the same.
//!
//! The core also trusts that a member has what it acknowledged. One that has lost it says so by refusing, and is
//! believed.

use ::raft::{Raft, StateRole};

use super::{log::Log, wire::Message};

/// Uncommitted entries at most; each lost election may leave one.
const MAX_UNCOMMITTED: u64 = 1024;

/// The message without what the log does not bear out: a beat says how far this member is known to have the log, and
/// that is further than the log goes where it was lost. It is heard as one that commits nothing, and answered: only
/// an answer makes the leader try again.
pub(crate) fn within(core: &Raft<Log>, message: Message) -> Message {
    match message {
        Message::Beat { height, term, commit } if commit > core.raft_log.last_index() => {
            Message::Beat { height, term, commit: 0 }
        }
        other => other,
    }
}

/// Takes back what a member has acknowledged in this leader's term, once it refuses an entry because its log ends
/// before that. The core would go on to count from there, and pass over each answer about what is sent again. That
/// less counts as acknowledged commits nothing that would not have been committed; when an old refusal comes late, the
/// member's next answer sets it right.
pub(crate) fn take_back(core: &mut Raft<Log>, from: u64, message: &Message) {
    let Message::Appended { term, reject: Some(hint), .. } = message else { return };
    if core.state == StateRole::Leader
        && *term == core.term
        && let Some(progress) = core.mut_prs().get_mut(from)
        && hint.index < progress.matched
    {
        progress.matched = 0;
    }
}

/// Whether a message may be given to the core in its present state; the log holds so many uncommitted bytes at most.
pub(crate) fn may_step(core: &Raft<Log>, message: &Message, max_bytes: usize) -> bool {
    let (last, committed) = (core.raft_log.last_index(), core.raft_log.committed);
    match message {
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
