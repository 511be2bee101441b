//! Bodies of the notary's ledger entries: what each kind of entry says; digests are salted, plans are sealed.

use base_gm::envelope::Sealed;
use base_types::{DatasetId, Digest, OrgId, PersonId, fault::Code};
use base_wire::{wire_enum, wire_struct};

use crate::Tier;

/// A proposal; the entry's subject is the plan's digest, its parties are the approvers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalBody {
    /// The plan, encrypted to the nodes of all parties.
    pub sealed_plan: Sealed,
    /// Who asks.
    pub analyst: PersonId,
    /// Who receives the answer.
    pub receiver: OrgId,
    /// The nodes that compute.
    pub nodes: Vec<OrgId>,
    /// What it is for.
    pub purpose: String,
    /// The data sets used.
    pub datasets: Vec<DatasetId>,
    /// The adversary it withstands.
    pub tier: Tier,
}
wire_struct!(ProposalBody { sealed_plan, analyst, receiver, nodes, purpose, datasets, tier });

/// An approval; the transaction's signature covers the plan's digest, which is the entry's subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalBody {
    /// True when the owner's node approved by rule, false when a person did.
    pub by_rule: bool,
    /// Digest of the rules that allowed it.
    pub rules: Digest,
}
wire_struct!(ApprovalBody { by_rule, rules });

/// A rejection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectBody {
    /// Why, for the analyst.
    pub reason: String,
}
wire_struct!(RejectBody { reason });

/// A start; the entry's attempt numbers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartBody {
    /// Transactions of the approvals it rests on, sorted.
    pub approvals: Vec<Digest>,
}
wire_struct!(StartBody { approvals });

/// One owner read one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadBody {
    /// The data set.
    pub dataset: DatasetId,
    /// Salted digest of the words read.
    pub commitment: Digest,
}
wire_struct!(ReadBody { dataset, commitment });

/// What one end saw of one directed stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Sender.
    pub from: OrgId,
    /// Receiver.
    pub to: OrgId,
    /// Frames.
    pub frames: u64,
    /// Bytes of the frames.
    pub bytes: u64,
    /// Salted digest (`base_gm::sm3::Tree`) of all frames in order, each after its length (64-bit, big-endian); both ends
    /// report the same.
    pub digest: Digest,
}
wire_struct!(Stream { from, to, frames, bytes, digest });

/// All streams of one party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferBody {
    /// Sent and received streams, sorted by sender and receiver.
    pub streams: Vec<Stream>,
}
wire_struct!(TransferBody { streams });

/// The receiver holds the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveredBody {
    /// Who received it.
    pub receiver: OrgId,
    /// Salted digest of the answer.
    pub result: Digest,
    /// Its bytes; 0 where the receiver does not tell, since a length says how many rows match.
    pub bytes: u64,
}
wire_struct!(DeliveredBody { receiver, result, bytes });

/// How a party's run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// As planned.
    Done,
    /// Broken off.
    Aborted {
        /// Number of the fault's code, such as `HQ-4001`.
        code: String,
        /// Who is blamed by the reporting party, if anybody.
        blamed: Option<OrgId>,
        /// The step.
        step: String,
    },
}
wire_enum!(Outcome { 0 => Done, 1 => Aborted { code, blamed, step } });

impl Outcome {
    /// The outcome of a fault.
    pub fn aborted(code: Code, blamed: Option<OrgId>, step: &str) -> Self {
        Self::Aborted { code: code.number().to_owned(), blamed, step: step.chars().take(200).collect() }
    }
}

/// One party's last word on an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptBody {
    /// How it ended.
    pub outcome: Outcome,
    /// Salted digest over this party's whole transcript.
    pub transcript: Digest,
    /// From start to end, in milliseconds of this party's clock.
    pub millis: u64,
}
wire_struct!(ReceiptBody { outcome, transcript, millis });

/// A query that was refused before it became a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedBody {
    /// Who asked.
    pub analyst: PersonId,
    /// What for.
    pub purpose: String,
    /// Number of the fault's code.
    pub code: String,
    /// Data sets the query named.
    pub datasets: Vec<DatasetId>,
}
wire_struct!(RefusedBody { analyst, purpose, code, datasets });

/// A job is called off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelBody {
    /// Why.
    pub reason: String,
}
wire_struct!(CancelBody { reason });

/// A data set's rules end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokeBody {
    /// The data set.
    pub dataset: DatasetId,
}
wire_struct!(RevokeBody { dataset });

/// Somebody took a job's evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportBody {
    /// The job.
    pub job: Digest,
    /// Who took it.
    pub person: PersonId,
}
wire_struct!(ExportBody { job, person });
