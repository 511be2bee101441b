//! Rules per column, party and purpose, in the words of column control.

use base_types::{DatasetId, OrgId, TimeMs};
use base_wire::{wire_enum, wire_struct};
use serde::{Deserialize, Serialize};

/// How a column's values may become known to a party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Use {
    /// As they are.
    Plaintext,
    /// As they are, of the rows that matched in a join, and how many did: of a key, the party learns which of its own keys
    /// occur among the owner's and which do not.
    AfterJoin,
    /// Beside a join's matched rows, which are known by another column.
    JoinPayload,
    /// As the values groups are named by.
    AfterGroupBy,
    /// Inside COUNT, SUM or AVG over a group.
    AfterAggregate,
    /// Inside a comparison whose outcome decides what is counted or matched, or is shown itself.
    AfterCompare,
    /// Never, but they may take part encrypted: as a join key, say.
    EncryptedOnly,
    /// Inside a user's program, of which the party learns what it returns. A program may return its very input, so no node
    /// approves one for another party by rule: a person reads it.
    Program,
}
wire_enum!(Use {
    0 => Plaintext, 1 => AfterJoin, 2 => JoinPayload, 3 => AfterGroupBy, 4 => AfterAggregate, 5 => AfterCompare,
    6 => EncryptedOnly, 7 => Program
});

impl Use {
    /// The word used in rules, messages and pages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Plaintext => "plaintext",
            Self::AfterJoin => "after_join",
            Self::JoinPayload => "join_payload",
            Self::AfterGroupBy => "after_group_by",
            Self::AfterAggregate => "after_aggregate",
            Self::AfterCompare => "after_compare",
            Self::EncryptedOnly => "encrypted_only",
            Self::Program => "program",
        }
    }
}

/// One grant: `party` may learn `column` in these ways, for this purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The column, or `*` for every column.
    pub column: String,
    /// The party that may learn it.
    pub party: OrgId,
    /// The purpose, or `*` for every purpose.
    pub purpose: String,
    /// The ways; an empty list grants nothing.
    pub uses: Vec<Use>,
    /// Last moment of the grant.
    pub expires: TimeMs,
    /// How many runs may use it; 0 means any number.
    pub runs: u32,
}
wire_struct!(Rule { column, party, purpose, uses, expires, runs });

/// Who approves a proposal that the rules allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalMode {
    /// The owner's node, by rule.
    Auto,
    /// A person of the owner.
    Person,
}
wire_enum!(ApprovalMode { 0 => Auto, 1 => Person });

/// All rules of a data set; a newer set replaces the older whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSet {
    /// The data set.
    pub dataset: DatasetId,
    /// Who approves.
    pub approval: ApprovalMode,
    /// Fewest people behind a shown aggregate.
    pub min_group: u32,
    /// Nodes that may hold shares of this data set (any two of a job's three together could join them).
    pub holders: Vec<OrgId>,
    /// The grants.
    pub rules: Vec<Rule>,
}
wire_struct!(RuleSet { dataset, approval, min_group, holders, rules });
