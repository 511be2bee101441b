//! A job's chain of evidence and verdicts on it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A job's records and whether they hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EvidenceView {
    /// The job.
    pub job: String,
    /// Its records, in order.
    pub records: Vec<RecordView>,
    /// The verdict of the offline verifier over this node's bundle.
    pub verdict: Verdict,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordView {
    /// Its place among the job's records, from 0.
    pub seq: u32,
    /// Its kind, such as `transferred`.
    pub kind: String,
    /// Who sent it.
    pub sender: String,
    /// The run it belongs to, 0 where it belongs to none.
    pub attempt: u32,
    /// The block's height.
    pub height: u64,
    /// The block's time.
    pub time: u64,
    /// The transaction.
    pub transaction: String,
    /// Digest of what it carries.
    pub body: String,
    /// What it says, in Chinese.
    pub text_zh: String,
    /// What it says, in English.
    pub text_en: String,
}

/// A verdict on a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Verdict {
    /// True when every link holds.
    pub valid: bool,
    /// True when it was checked against a pinned genesis digest.
    pub anchored: bool,
    /// The chain's genesis digest, as the bundle states it.
    pub genesis: String,
    /// The links in the order of checking.
    pub steps: Vec<VerifyStep>,
    /// The first link that does not hold.
    pub first_broken: Option<String>,
}

/// One link of the chain of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VerifyStep {
    /// What is checked, in English.
    pub name: String,
    /// What is checked, in Chinese.
    pub name_zh: String,
    /// Whether it holds.
    pub ok: bool,
    /// What was found.
    pub detail: String,
}
