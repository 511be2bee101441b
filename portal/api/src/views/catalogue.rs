//! Sources, their columns and rules, and what an owner sends to register or rule them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::OrgView;

/// All sources of the consortium.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CatalogueView {
    /// Height it was read at.
    pub height: u64,
    /// The sources, by data set.
    pub sources: Vec<SourceView>,
    /// The consortium's organisations.
    pub organisations: Vec<OrgView>,
    /// Purposes that a query or a rule may name.
    pub purposes: Vec<String>,
}

/// A registered source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceView {
    /// Its identifier, such as `health/visits`; the part after the slash is the table's name in queries.
    pub dataset: String,
    /// Its owner.
    pub owner: String,
    /// A title for people.
    pub title: String,
    /// `csv`, `parquet`, `sqlite` or `postgres`.
    pub kind: String,
    /// Most rows a run reads.
    pub rows_bound: u32,
    /// Its columns.
    pub columns: Vec<ColumnView>,
    /// Its rules, once set.
    pub rules: Option<RuleSetView>,
    /// True when this node's organisation owns it.
    pub own: bool,
}

/// A column as everybody sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ColumnView {
    /// Name in the source.
    pub name: String,
    /// `int`, `decimal(2)`, `text`, `bool` or `date`.
    #[serde(rename = "type")]
    pub ty: String,
    /// True when there are NULLs.
    pub nullable: bool,
    /// True when no value but NULL occurs twice.
    pub unique: bool,
    /// Lowest value allowed in a run, as text.
    pub min: String,
    /// Highest value allowed in a run, as text; for texts, the most bytes.
    pub max: String,
    /// Class the owner gave, such as `identity` or `health`.
    pub class: Option<String>,
    /// Grade the owner gave, 1 (public) to 4 (most sensitive).
    pub grade: Option<u8>,
}

/// A data set's rules; a newer set replaces the older whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSetView {
    /// The data set.
    pub dataset: String,
    /// `auto` or `person`: who approves what the rules allow.
    pub approval: String,
    /// Fewest people behind a shown aggregate.
    pub min_group: u32,
    /// Organisations whose nodes may hold shares of this data set.
    pub holders: Vec<String>,
    /// The grants.
    pub rules: Vec<RuleView>,
}

/// One grant: a party may learn a column in these ways, for this purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleView {
    /// The column, or `*`.
    pub column: String,
    /// The party.
    pub party: String,
    /// The purpose, or `*`.
    pub purpose: String,
    /// `plaintext`, `after_join`, `join_payload`, `after_group_by`, `after_aggregate`, `after_compare`,
    /// `encrypted_only`, `program`.
    pub uses: Vec<String>,
    /// Last moment, in milliseconds since 1970.
    pub expires: u64,
    /// How many runs may use it; 0 means any number.
    pub runs: u32,
}

/// What the platform found in a source; no values of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceTest {
    /// Rows now; shown to the owner only.
    pub rows: u64,
    /// Bound that the catalogue would show.
    pub rows_bound: u32,
    /// The columns.
    pub columns: Vec<FoundColumn>,
    /// What the owner should look at, in plain words.
    pub notes: Vec<String>,
}

/// What the platform found out about a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FoundColumn {
    /// Name in the source.
    pub name: String,
    /// `int`, `decimal(2)`, `text`, `bool` or `date`.
    #[serde(rename = "type")]
    pub ty: String,
    /// Rows with NULL.
    pub nulls: u64,
    /// True when no value but NULL occurs twice.
    pub unique: bool,
    /// Lowest value the catalogue would show, as text.
    pub min: String,
    /// Highest value the catalogue would show, as text.
    pub max: String,
}

/// A source to be registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceDraft {
    /// How this node opens it; stays at this node.
    #[schema(value_type = Object)]
    pub config: serde_json::Value,
    /// Classes and grades of its columns.
    pub classes: Vec<ClassDraft>,
}

/// Class and grade of a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassDraft {
    /// The column.
    pub column: String,
    /// Its class.
    pub class: String,
    /// 1 (public) to 4 (most sensitive).
    pub grade: u8,
}
