//! The plan: everything that will happen, in one value whose digest is what people approve.

use base_gm::sm3;
use base_types::{DatasetId, Digest, Height, JobId, OrgId, PersonId, TimeMs, column::ColumnType};
use base_wire::{Encode, wire_enum, wire_struct};
use serde::{Deserialize, Serialize};

use crate::formula::Formula;

/// What an analyst asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The query.
    pub sql: String,
    /// The purpose, one word of the consortium's list, such as `health-statistics`.
    pub purpose: String,
    /// Who asks.
    pub analyst: PersonId,
    /// The organisation that receives the answer.
    pub receiver: OrgId,
    /// Last moment for approvals and start.
    pub expires: TimeMs,
    /// Secret, random: hides the plan behind its digest.
    pub salt: [u8; 32],
}
wire_struct!(Request { sql, purpose, analyst, receiver, expires, salt });

/// The adversary a job withstands; see the table of tiers in the README.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tier {
    /// Semi-honest, three named nodes, one corrupt.
    B,
}
wire_enum!(Tier { 0 => B });

/// How a side table meets the carrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Join {
    /// Rows without a partner vanish.
    Inner,
    /// Carrier rows without a partner stay, with NULLs.
    Left,
}
wire_enum!(Join { 0 => Inner, 1 => Left });

/// A column whose values name the groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupColumn {
    /// Name in the source.
    pub column: String,
    /// Type.
    pub ty: ColumnType,
    /// Words it takes in a group's name: validity, then 1 for numbers, or length and 8-byte pieces for text.
    pub words: u8,
}
wire_struct!(GroupColumn { column, ty, words });

/// What a read is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadRole {
    /// Its rows carry the groups.
    Carrier {
        /// GROUP BY columns, in order; none means one group over all.
        groups: Vec<GroupColumn>,
    },
    /// Its rows are summed for each key by their owner, before sharing.
    Side {
        /// How it joins.
        join: Join,
    },
}
wire_enum!(ReadRole { 0 => Carrier { groups }, 1 => Side { join } });

/// What one owner reads and shares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// The owner, whose node reads.
    pub owner: OrgId,
    /// The data set.
    pub dataset: DatasetId,
    /// Name in the query.
    pub alias: String,
    /// Columns read; formulas name them by place.
    pub columns: Vec<String>,
    /// Their types.
    pub types: Vec<ColumnType>,
    /// Place of the join key among `columns`; `None` when nothing is joined.
    pub key: Option<u8>,
    /// Rows that count; `None` means all.
    pub filter: Option<Formula>,
    /// Number-valued formulas that aggregates use, by place.
    pub values: Vec<Formula>,
    /// Most rows shared; smaller inputs are padded to it.
    pub rows_bound: u32,
    /// Carrier or side.
    pub role: ReadRole,
}
wire_struct!(Read { owner, dataset, alias, columns, types, key, filter, values, rows_bound, role });

/// What an aggregate runs over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Argument {
    /// Joined rows: COUNT(*).
    Rows,
    /// `values[value]` of `reads[read]`.
    Value {
        /// Place among the reads.
        read: u8,
        /// Place among that read's values.
        value: u8,
        /// What the formula gives on a LEFT JOIN row without partner; `None` is NULL. Only for sides.
        absent: Option<i64>,
    },
}
wire_enum!(Argument { 0 => Rows, 1 => Value { read, value, absent } });

/// An aggregate function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// Number of non-NULL arguments.
    Count,
    /// Their sum.
    Sum,
    /// Their mean, with this many digits more than the argument has.
    Avg {
        /// Digits added.
        extra_digits: u8,
    },
}
wire_enum!(Function { 0 => Count, 1 => Sum, 2 => Avg { extra_digits } });

/// One aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aggregate {
    /// The function.
    pub function: Function,
    /// What it runs over.
    pub argument: Argument,
}
wire_struct!(Aggregate { function, argument });

/// Where an output column comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueOf {
    /// The carrier's GROUP BY column of this place.
    Group {
        /// Place.
        group: u8,
    },
    /// The aggregate of this place.
    Aggregate {
        /// Place.
        aggregate: u8,
    },
}
wire_enum!(ValueOf { 0 => Group { group }, 1 => Aggregate { aggregate } });

/// One column of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: ColumnType,
    /// Where it comes from.
    pub value: ValueOf,
}
wire_struct!(Output { name, ty, value });

/// ORDER BY one output column; the receiver sorts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Place among the outputs.
    pub output: u8,
    /// Highest first.
    pub descending: bool,
    /// NULLs first; by default they come last when rising, first when falling.
    pub nulls_first: bool,
}
wire_struct!(Order { output, descending, nulls_first });

/// The whole story of a job, fixed before anybody approves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Version of the planner that derived it.
    pub planner: u16,
    /// Height of the catalogue it was derived from.
    pub catalogue_height: Height,
    /// What was asked.
    pub request: Request,
    /// The adversary it withstands.
    pub tier: Tier,
    /// The three nodes that hold shares; each pair of them together could see all inputs.
    pub nodes: Vec<OrgId>,
    /// Fewest people behind a shown aggregate.
    pub min_group: u32,
    /// What each owner reads; exactly one carrier, at place 0.
    pub reads: Vec<Read>,
    /// Bits of the join key.
    pub key_bits: u8,
    /// Lowest join key; shared keys are relative to it.
    pub key_base: i64,
    /// Most groups.
    pub max_groups: u32,
    /// Aggregates, computed jointly.
    pub aggregates: Vec<Aggregate>,
    /// The answer's columns.
    pub outputs: Vec<Output>,
    /// The answer's order.
    pub order: Vec<Order>,
    /// Most rows of the answer the receiver keeps.
    pub limit: Option<u32>,
}
wire_struct!(Plan {
    planner,
    catalogue_height,
    request,
    tier,
    nodes,
    min_group,
    reads,
    key_bits,
    key_base,
    max_groups,
    aggregates,
    outputs,
    order,
    limit
});

impl Plan {
    /// What approvals sign, and the job's name.
    pub fn digest(&self) -> JobId {
        sm3::tagged("heqi/plan/1", &[&self.to_wire()])
    }

    /// Everybody who must approve: the owners of what is read, each once, sorted.
    pub fn approvers(&self) -> Vec<OrgId> {
        let mut owners: Vec<_> = self.reads.iter().map(|r| r.owner.clone()).collect();
        owners.sort();
        owners.dedup();
        owners
    }

    /// Everybody who takes part: owners, share holders and receiver, each once, sorted.
    pub fn parties(&self) -> Vec<OrgId> {
        let mut all = self.approvers();
        all.extend(self.nodes.iter().cloned());
        all.push(self.request.receiver.clone());
        all.sort();
        all.dedup();
        all
    }

    /// A digest of one value of this job under a secret salt.
    pub fn salted(salt: &[u8; 32], what: &str, bytes: &[u8]) -> Digest {
        sm3::tagged("heqi/salted/1", &[salt, what.as_bytes(), bytes])
    }
}
