//! Use, in numbers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The consortium in numbers, as its ledger tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StatsView {
    /// Registered data sets by owner.
    pub datasets: Vec<OrgCount>,
    /// Jobs by status.
    pub jobs: Vec<StatusCount>,
    /// Who used what for which purpose, how often.
    pub uses: Vec<UseView>,
    /// Attempts refused before they became proposals, by the fault's number.
    pub refused: Vec<RefusedCount>,
    /// Columns by class and grade.
    pub columns: Vec<ClassCount>,
    /// The consortium's nodes as this node sees them.
    pub nodes: Vec<NodeView>,
}

/// A number for an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrgCount {
    /// The organisation.
    pub org: String,
    /// The number.
    pub count: u64,
}

/// A number for a job's status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StatusCount {
    /// The status.
    pub status: String,
    /// The number.
    pub count: u64,
}

/// One line of use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UseView {
    /// Who received answers.
    pub receiver: String,
    /// From which data set.
    pub dataset: String,
    /// What for.
    pub purpose: String,
    /// Runs started.
    pub runs: u64,
}

/// Refused attempts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefusedCount {
    /// The fault's number, such as `HQ-3001`.
    pub code: String,
    /// What it means, in Chinese.
    pub title_zh: String,
    /// What it means, in English.
    pub title_en: String,
    /// How often.
    pub count: u64,
}

/// Columns of one class and grade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClassCount {
    /// The class, or `unclassified`.
    pub class: String,
    /// The grade, 0 when there is none.
    pub grade: u8,
    /// The number.
    pub count: u64,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodeView {
    /// Its organisation.
    pub org: String,
    /// Whether this node reaches it.
    pub reachable: bool,
    /// Height of its ledger when it was last heard of.
    pub height: Option<u64>,
}
