//! What a node owes its jobs at a moment: a pure function of the book, so that a restart goes on where it stopped.

use base_types::{JobId, OrgId, TimeMs};

use crate::{Book, Job};

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Action {
    /// Derive the plan, compare it, and decide by rule.
    Decide(JobId),
    /// All approved: write the Start entry.
    Start(JobId, u32),
    /// Started: take part.
    Run(JobId, u32),
}

/// What `me` owes at `now`.
pub(crate) fn due(book: &Book, me: &OrgId, now: TimeMs) -> Vec<Action> {
    book.jobs().filter_map(|job| due_of(job, me, now)).collect()
}

fn due_of(job: &Job, me: &OrgId, now: TimeMs) -> Option<Action> {
    if job.cancelled.is_some() || job.votes.iter().any(|v| v.rejected.is_some()) {
        return None;
    }
    let attempt = job.attempt();
    if attempt > 0 {
        let mine = job.proposal.nodes.contains(me) && job.receipt(attempt, me).is_none();
        return mine.then_some(Action::Run(job.id, attempt));
    }
    if now > job.expires {
        return None;
    }
    if job.approvers.contains(me) && job.votes.iter().all(|v| &v.org != me) {
        return Some(Action::Decide(job.id));
    }
    // The receiver wants the answer, so its node starts.
    (job.approved() && &job.proposal.receiver == me).then_some(Action::Start(job.id, 1))
}
