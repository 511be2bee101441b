//! What the contract remembers of a job, so that a rule needs one read instead of the job's whole history.

use base_types::{Digest, OrgId, TimeMs};
use base_wire::wire_struct;

use super::EntryKind;
use crate::{Refusal, keys::joined};

/// Most entries of one kind that one party makes for one run.
const MAX_PER_RUN: u32 = 64;
/// Most starts of a job: its approvals are for one run, and every entry is one more that whoever asks for its evidence reads.
const MAX_STARTS: u32 = 16;

/// A proposed job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The proposer's organisation.
    pub proposer: OrgId,
    /// Who must approve.
    pub parties: Vec<OrgId>,
    /// When the proposal ends.
    pub expires: TimeMs,
    /// Who approved.
    pub approved: Vec<OrgId>,
    /// Who rejected.
    pub rejected: Vec<OrgId>,
    /// Whether it was cancelled.
    pub cancelled: bool,
    /// Runs started.
    pub attempts: u32,
}
wire_struct!(Job { proposer, parties, expires, approved, rejected, cancelled, attempts });

/// Where a [`Job`] is kept.
pub fn job_key(subject: &Digest) -> Vec<u8> {
    joined(b"job/", &[&subject.0])
}

/// Where it is kept how many entries of a kind a party made for a run, a `u32`.
pub(super) fn run_key(subject: &Digest, attempt: u32, kind: EntryKind, org: &OrgId) -> Vec<u8> {
    joined(b"run/", &[&subject.0, &attempt.to_be_bytes(), &[kind as u8], org.as_str().as_bytes()])
}

pub(super) fn refuse<T>(why: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal(why.into()))
}

impl Job {
    fn open(&self, now: TimeMs) -> Result<(), Refusal> {
        if now > self.expires {
            return refuse("the proposal has expired");
        }
        if self.cancelled {
            return refuse("the job was cancelled");
        }
        Ok(())
    }

    fn party(&self, org: &OrgId) -> Result<(), Refusal> {
        if self.parties.contains(org) { Ok(()) } else { refuse(format!("{org} is not a party of the job")) }
    }

    /// A party approves or rejects, once.
    pub(super) fn decide(&mut self, org: &OrgId, approve: bool, now: TimeMs) -> Result<(), Refusal> {
        self.party(org)?;
        self.open(now)?;
        if self.approved.contains(org) || self.rejected.contains(org) {
            return refuse(format!("{org} has already decided"));
        }
        if approve { &mut self.approved } else { &mut self.rejected }.push(org.clone());
        Ok(())
    }

    /// A party starts the next run.
    pub(super) fn start(&mut self, org: &OrgId, attempt: u32, now: TimeMs) -> Result<(), Refusal> {
        self.party(org)?;
        self.open(now)?;
        if let Some(org) = self.rejected.first() {
            return refuse(format!("{org} rejected the job"));
        }
        if let Some(org) = self.parties.iter().find(|org| !self.approved.contains(org)) {
            return refuse(format!("{org} has not approved the job"));
        }
        if self.attempts >= MAX_STARTS {
            return refuse(format!("the job was started {MAX_STARTS} times already"));
        }
        let next = self.attempts.saturating_add(1);
        if attempt != next {
            return refuse(format!("attempt {attempt} cannot start, the next is {next}"));
        }
        self.attempts = next;
        Ok(())
    }

    /// A party records something about a run that has started; `before` entries of the kind are there already.
    pub(super) fn account(&self, org: &OrgId, attempt: u32, before: u32) -> Result<(), Refusal> {
        self.party(org)?;
        if attempt == 0 || attempt > self.attempts {
            return refuse(format!("attempt {attempt} was not started"));
        }
        if before >= MAX_PER_RUN {
            return refuse(format!("{org} made {before} entries of this kind for the attempt already"));
        }
        Ok(())
    }

    /// A party or the proposer's organisation cancels.
    pub(super) fn cancel(&mut self, org: &OrgId) -> Result<(), Refusal> {
        if org != &self.proposer {
            self.party(org)?;
        }
        if self.cancelled {
            return refuse("the job was cancelled");
        }
        self.cancelled = true;
        Ok(())
    }
}
