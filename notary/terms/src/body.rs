//! Bodies of the notary's ledger entries: what each kind of entry says; digests are salted, plans are sealed.

use base_gm::envelope::Sealed;
use base_types::{DatasetId, Digest, OrgId, PersonId, fault::Code};
use base_wire::{Decode, Encode, Reader, WireError, wire_enum, wire_struct};

use crate::{MAX_RESUMES, Tier};

/// What stands before how often a run was resumed; a receipt of one that was not begins with its outcome, which has other tags.
const RESUMED: u8 = 2;

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
    /// How often it went on over another connection, at most [`MAX_RESUMES`] times.
    pub resumed: u32,
}

impl Encode for ReceiptBody {
    fn encode(&self, out: &mut Vec<u8>) {
        let Self { outcome, transcript, millis, resumed } = self;
        if *resumed > 0 {
            out.push(RESUMED);
            resumed.encode(out);
        }
        outcome.encode(out);
        transcript.encode(out);
        millis.encode(out);
    }
}

impl Decode for ReceiptBody {
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        let mut resumed = 0_u32;
        if input.is_next(&[RESUMED]) {
            input.take("a mark", 1)?;
            resumed = Decode::decode(input)?;
            if !(1..=MAX_RESUMES).contains(&resumed) {
                return Err(WireError::NotCanonical("how often a run was resumed"));
            }
        }
        let (outcome, transcript) = (Decode::decode(input)?, Decode::decode(input)?);
        Ok(Self { outcome, transcript, millis: Decode::decode(input)?, resumed })
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_says_how_often_its_run_was_resumed_and_has_one_form() {
        let receipt = |resumed| ReceiptBody { outcome: Outcome::Done, transcript: Digest([3; 32]), millis: 9, resumed };
        for resumed in 0..=MAX_RESUMES {
            let bytes = receipt(resumed).to_wire();
            assert_eq!(ReceiptBody::from_wire(&bytes), Ok(receipt(resumed)));
            assert_eq!(bytes.len(), if resumed > 0 { 46 } else { 41 });
        }
        assert!(ReceiptBody::from_wire(&receipt(MAX_RESUMES + 1).to_wire()).is_err());
        let none = [&[RESUMED, 0, 0, 0, 0][..], &receipt(0).to_wire()].concat();
        assert!(ReceiptBody::from_wire(&none).is_err());
    }
}
