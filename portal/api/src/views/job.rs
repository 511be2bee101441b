//! Jobs, their approvals, progress and answers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A job in a list; what the ledger shows to everybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobSummary {
    /// Its identifier, the plan's digest.
    pub id: String,
    /// Who asked.
    pub analyst: String,
    /// Who receives the answer.
    pub receiver: String,
    /// What for.
    pub purpose: String,
    /// Data sets used.
    pub datasets: Vec<String>,
    /// `waiting`, `running`, `done`, `aborted`, `rejected`, `cancelled` or `expired`.
    pub status: String,
    /// When it was proposed.
    pub proposed: u64,
    /// Last moment for approvals and start.
    pub expires: u64,
    /// True when a person of this organisation is asked to decide.
    pub waits_for_me: bool,
    /// True when this organisation takes part and can read the plan.
    pub party: bool,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobView {
    /// What the list shows of it.
    #[serde(flatten)]
    pub summary: JobSummary,
    /// The query, where this organisation is a party.
    pub sql: Option<String>,
    /// The plan in plain words, where this organisation is a party.
    #[schema(value_type = Object)]
    pub explanation: Option<serde_json::Value>,
    /// The nodes that compute.
    pub nodes: Vec<String>,
    /// The threat tier, such as `B`.
    pub tier: String,
    /// Every owner's word.
    pub approvals: Vec<ApprovalView>,
    /// Number of the newest attempt, 0 before the first.
    pub attempt: u32,
    /// Why it was broken off or rejected, in Chinese.
    pub reason_zh: Option<String>,
    /// Why it was broken off or rejected, in English.
    pub reason_en: Option<String>,
    /// Its ledger records, in order.
    pub timeline: Vec<TimelineView>,
    /// True when this node holds the answer.
    pub has_result: bool,
}

/// An owner's word on a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApprovalView {
    /// The owner.
    pub org: String,
    /// `waiting`, `approved` or `rejected`.
    pub state: String,
    /// True when the owner's node decided by rule.
    pub by_rule: bool,
    /// Who sent it.
    pub sender: Option<String>,
    /// When.
    pub time: Option<u64>,
    /// Why it was rejected.
    pub reason: Option<String>,
}

/// One ledger record of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TimelineView {
    /// Its kind, such as `approved`.
    pub kind: String,
    /// Who sent it.
    pub sender: String,
    /// The block's height.
    pub height: u64,
    /// The block's time.
    pub time: u64,
    /// The transaction.
    pub transaction: String,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ResultView {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
}

/// One cell of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Cell {
    /// The value as text; none is NULL, or suppressed.
    pub value: Option<String>,
    /// True when too few people stand behind it to show it.
    pub suppressed: bool,
}

/// A sign of progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// The job's status.
    pub status: String,
    /// The step under way, such as `join`.
    pub step: String,
    /// Steps behind, in hundredths of all.
    pub percent: u8,
    /// The step in Chinese.
    pub text_zh: String,
    /// The step in English.
    pub text_en: String,
}
