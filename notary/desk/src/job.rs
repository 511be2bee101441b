//! What the ledger says of one job.

use base_types::{DatasetId, Digest, Height, JobId, OrgId, PersonId, TimeMs, fault::Code};
use ledger_vm::notary::{EntryKind, Record};
use notary_terms::{ApprovalFact, DeliveredBody, Outcome, ProposalBody, ReadBody, ReceiptBody, Stream};

/// Where and when an entry stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Who sent it.
    pub sender: PersonId,
    /// The transaction.
    pub transaction: Digest,
    /// The block.
    pub height: Height,
    /// The block's time.
    pub time: TimeMs,
}

impl Mark {
    pub(crate) fn of(record: &Record) -> Self {
        Self { sender: record.sender.clone(), transaction: record.tx, height: record.height, time: record.time }
    }
}

/// An owner's word on a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vote {
    /// The owner.
    pub org: OrgId,
    /// Approved, or rejected with a reason.
    pub rejected: Option<String>,
    /// True when the node decided by rule.
    pub by_rule: bool,
    /// Where it stands.
    pub mark: Mark,
}

/// A party's last word on an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The attempt.
    pub attempt: u32,
    /// The party.
    pub org: OrgId,
    /// Its receipt.
    pub receipt: ReceiptBody,
    /// Where it stands.
    pub mark: Mark,
}

/// Why and by whom a job was called off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancelled {
    /// What the party says.
    pub reason: String,
    /// Where it stands.
    pub mark: Mark,
}

/// Where a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum JobStatus {
    /// Approvals are missing.
    Waiting,
    /// Approved or started, not ended.
    Running,
    /// All parties ended it as planned.
    Done,
    /// A party broke it off.
    Aborted,
    /// An owner rejected it.
    Rejected,
    /// Called off.
    Cancelled,
    /// Its last moment passed before it started.
    Expired,
}

impl JobStatus {
    /// The word used in `--json` and pages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Aborted => "aborted",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }
}

/// A job as its entries tell it.
#[derive(Debug, Clone)]
pub struct Job {
    /// The plan's digest.
    pub id: JobId,
    /// The proposal's public part and sealed plan.
    pub proposal: ProposalBody,
    /// Who must approve.
    pub approvers: Vec<OrgId>,
    /// Last moment.
    pub expires: TimeMs,
    /// The proposal's entry.
    pub proposed: Mark,
    /// Approvals and rejections.
    pub votes: Vec<Vote>,
    /// Starts by attempt.
    pub starts: Vec<(u32, Mark)>,
    /// Attempts whose start does not name exactly the approvals; nobody runs them.
    pub unfounded: Vec<u32>,
    /// Reads by attempt.
    pub reads: Vec<(u32, ReadBody, Mark)>,
    /// Streams by attempt and reporting party.
    pub streams: Vec<(u32, OrgId, Vec<Stream>)>,
    /// The answer's delivery.
    pub delivered: Option<(DeliveredBody, Mark)>,
    /// Receipts.
    pub receipts: Vec<Ended>,
    /// Called off.
    pub cancelled: Option<Cancelled>,
    /// Every entry of the job, in order.
    pub entries: Vec<(EntryKind, Mark)>,
}

impl Job {
    /// True when every approver approved and nobody rejected or called it off.
    pub fn approved(&self) -> bool {
        let all = self.approvers.iter().all(|org| self.votes.iter().any(|v| &v.org == org && v.rejected.is_none()));
        all && self.cancelled.is_none() && self.votes.iter().all(|v| v.rejected.is_none())
    }

    /// The approvals as `notary_terms::verify` takes them.
    pub fn approvals(&self) -> Vec<ApprovalFact> {
        let approved = self.votes.iter().filter(|v| v.rejected.is_none());
        approved
            .map(|v| ApprovalFact {
                org: v.org.clone(),
                job: self.id,
                transaction: v.mark.transaction,
                time: v.mark.time,
            })
            .collect()
    }

    /// Number of the newest attempt, 0 before the first.
    pub fn attempt(&self) -> u32 {
        self.starts.last().map_or(0, |(attempt, _)| *attempt)
    }

    /// The one attempt that the approvals are for: the first whose start rests on them. Whoever starts another asks every
    /// owner to read again under an approval that was used.
    pub fn run_attempt(&self) -> Option<u32> {
        self.starts.iter().map(|(attempt, _)| *attempt).find(|attempt| !self.unfounded.contains(attempt))
    }

    /// Whether it is about a data set whose owner approved it: anybody may name any in a proposal, and ask nobody.
    pub fn uses(&self, dataset: &DatasetId) -> bool {
        let owner = dataset.owner();
        self.proposal.datasets.contains(dataset)
            && self.votes.iter().any(|vote| vote.org == owner && vote.rejected.is_none())
    }

    /// This party's receipt of an attempt.
    pub fn receipt(&self, attempt: u32, org: &OrgId) -> Option<&Ended> {
        self.receipts.iter().find(|e| e.attempt == attempt && &e.org == org)
    }

    /// A computing party that says of itself that it had no room for an attempt, or never has any, where its node was given less since
    /// the job was approved: it is not waited for.
    pub fn without_room(&self, attempt: u32) -> Option<&OrgId> {
        let codes = [Code::Busy.number(), Code::RunTooLarge.number()];
        let busy = |ended: &&Ended| match &ended.receipt.outcome {
            Outcome::Aborted { code, blamed, .. } => {
                codes.contains(&code.as_str()) && blamed.as_ref() == Some(&ended.org)
            }
            Outcome::Done => false,
        };
        let computes = |ended: &&Ended| ended.attempt == attempt && self.proposal.nodes.contains(&ended.org);
        self.receipts.iter().filter(computes).find(busy).map(|ended| &ended.org)
    }

    /// True when this party has told of an attempt already: it took part before, perhaps in an earlier life.
    pub fn took_part(&self, attempt: u32, org: &OrgId) -> bool {
        self.reads.iter().any(|(at, read, _)| *at == attempt && &read.dataset.owner() == org)
            || self.streams.iter().any(|(at, by, _)| *at == attempt && by == org)
            || self.receipt(attempt, org).is_some()
    }

    /// True when an attempt was started before a moment, by the time of its block.
    pub fn started_before(&self, attempt: u32, moment: TimeMs) -> bool {
        self.starts.iter().any(|(at, mark)| *at == attempt && mark.time < moment)
    }

    /// True when an attempt was started at a height or below it.
    pub fn started_by(&self, attempt: u32, height: Height) -> bool {
        self.starts.iter().any(|(at, mark)| *at == attempt && mark.height <= height)
    }

    /// Where the job is at a moment.
    pub fn status(&self, now: TimeMs) -> JobStatus {
        // What had ended as planned was not called off any more.
        if self.cancelled.is_some() && !self.done() {
            return JobStatus::Cancelled;
        }
        if self.votes.iter().any(|v| v.rejected.is_some()) {
            return JobStatus::Rejected;
        }
        let attempt = self.attempt();
        if attempt == 0 {
            return match (now > self.expires, self.approved()) {
                (true, _) => JobStatus::Expired,
                (false, true) => JobStatus::Running,
                (false, false) => JobStatus::Waiting,
            };
        }
        if self.ended().any(|e| e.receipt.outcome != Outcome::Done) {
            JobStatus::Aborted
        } else if self.done() {
            JobStatus::Done
        } else {
            JobStatus::Running
        }
    }

    /// Receipts of the newest attempt.
    fn ended(&self) -> impl Iterator<Item = &Ended> {
        let attempt = self.attempt();
        self.receipts.iter().filter(move |e| attempt > 0 && e.attempt == attempt)
    }

    /// Whether every node says that the newest attempt ended as planned.
    fn done(&self) -> bool {
        let planned = |org: &OrgId| self.ended().any(|e| &e.org == org);
        self.attempt() > 0
            && self.ended().all(|e| e.receipt.outcome == Outcome::Done)
            && self.proposal.nodes.iter().all(planned)
    }
}
