//! Transactions that a person signs: prepared by the node, decoded, shown and signed by the person's own program.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Everything of a transaction but its signature, with words for the person who is to sign it. The words are a help
/// only: a careful client decodes the payload itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Prepared {
    /// The chain's genesis digest.
    pub chain: String,
    /// 16 random bytes.
    pub nonce: String,
    /// Last height at which it may be executed.
    pub valid_until: u64,
    /// The encoded entry.
    pub payload: String,
    /// What it does, in Chinese.
    pub summary_zh: String,
    /// What it does, in English.
    pub summary_en: String,
    /// The entry's subject.
    pub subject: String,
    /// The entry's kind, such as `proposed`.
    pub kind: String,
    /// The job it belongs to, where it belongs to one.
    pub job: Option<String>,
}

/// A signed transaction for the node's chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedTransaction {
    /// The signer's SM2 key, x‖y.
    pub sender: String,
    /// As prepared.
    pub nonce: String,
    /// As prepared.
    pub valid_until: u64,
    /// As prepared.
    pub payload: String,
    /// SM2 with SM3 over the transaction's digest, r‖s.
    pub signature: String,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Submitted {
    /// The transaction's digest.
    pub digest: String,
    /// The block that executed it.
    pub height: u64,
    /// Why the contract refused it, if it did.
    pub refusal: Option<String>,
    /// The job it belongs to, where it belongs to one.
    pub job: Option<String>,
}

/// A job to be called off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelDraft {
    /// The job.
    pub job: String,
    /// Why, for everybody.
    pub reason: String,
}

/// A decision on a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalDraft {
    /// The job.
    pub job: String,
    /// True to approve, false to reject.
    pub approve: bool,
    /// Why, for the analyst; needed to reject.
    #[serde(default)]
    pub reason: String,
}
