//! A query on its way: what is asked, and what Check says of it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::fault::FaultView;

/// A query, its purpose, and where and how it is computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryDraft {
    /// The query: a SELECT, or COMPUTE with a program in Garble, or COMPUTE VECTORS with one over vectors, and a SELECT for each of its
    /// arguments.
    pub sql: String,
    /// What it is for, one word of the consortium's list.
    pub purpose: String,
    /// The organisations whose nodes compute aggregates or a program over vectors: three, or the two owners; the node's own three where
    /// absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<String>,
    /// The tier that is asked for; the query's own where absent. Aggregates and programs over vectors among three nodes run in tier `b` or, to
    /// withstand a node that cheats, in `b+`; a program of two parties in `c` or, where both are trusted to follow the protocol, in `a`, which
    /// is faster; one over vectors between two nodes in `a` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
}

/// What Check says; nothing has been sent to anybody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CheckView {
    /// True when it can be proposed and the rules allow it.
    pub allowed: bool,
    /// The plan in plain words, as the planner gives it: who reads what, protocol and tier, who learns what, estimates.
    #[schema(value_type = Object)]
    pub explanation: serde_json::Value,
    /// Grants that are missing.
    pub missing: Vec<MissingGrant>,
    /// Why there is no plan, or which rule forbids it.
    pub fault: Option<FaultView>,
}

/// A grant to ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MissingGrant {
    /// The data set.
    pub dataset: String,
    /// The column.
    pub column: String,
    /// The use that is needed, in the rules' words.
    pub need: String,
    /// The party that needs it.
    pub party: String,
    /// For which purpose.
    pub purpose: String,
    /// Whom to ask.
    pub owner: String,
    /// The sentence in Chinese.
    pub text_zh: String,
    /// The sentence in English.
    pub text_en: String,
}
