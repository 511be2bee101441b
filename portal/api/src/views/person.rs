//! Who is signed in, and where.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An organisation by identifier and names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrgView {
    /// Its identifier, such as `health`.
    pub id: String,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
}

/// That the node works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `ok`.
    pub status: String,
    /// The node's organisation.
    pub org: String,
    /// Height of its ledger.
    pub height: u64,
    /// Version of the program.
    pub version: String,
}

/// The person, the organisation and the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Me {
    /// The person, such as `statistics/analyst`.
    pub person: String,
    /// The organisation whose node this is.
    pub org: OrgView,
    /// What the person may write: `owner`, `analyst`, `auditor`, `administrator`, `developer`.
    pub roles: Vec<String>,
    /// The chain's genesis digest, to be pinned.
    pub chain: String,
    /// Height of the ledger.
    pub height: u64,
    /// `zh` or `en`: what the pages start in.
    pub language: String,
}
