//! The plan: everything that will happen, in one value whose digest is what people approve.

use base_gm::sm3;
use base_types::{DatasetId, Digest, Height, JobId, OrgId, PersonId, TimeMs, column::ColumnType};
use base_wire::{Encode, wire_enum, wire_struct};
use serde::{Deserialize, Serialize};

use crate::{Aggregate, Program, Star, formula::Formula};

/// What an analyst asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The query: a SELECT, or COMPUTE (VECTORS) with a program and a SELECT for each of its arguments.
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
    /// The tier that is asked for; `None` for the query's own.
    pub tier: Option<Tier>,
}
wire_struct!(Request { sql, purpose, analyst, receiver, expires, salt, tier });

/// The adversary a job withstands; see the table of tiers in the README.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tier {
    /// Semi-honest, three named nodes, one corrupt.
    B,
    /// Malicious, two parties: one that cheats learns no more than the plan says, or is noticed.
    C,
    /// Malicious, three to eight parties, all but one of which may be corrupt.
    D,
    /// Semi-honest, two parties.
    A,
    /// Malicious with abort, three named nodes, one corrupt: nothing is opened before all that it depends on is verified.
    #[serde(rename = "B+")]
    BPlus,
}
wire_enum!(Tier { 0 => B, 1 => C, 2 => D, 3 => A, 4 => BPlus });

impl Tier {
    /// All tiers that a job can have, and a request ask for.
    pub const ALL: [Self; 5] = [Self::A, Self::B, Self::BPlus, Self::C, Self::D];

    /// The word shown to people.
    pub fn word(self) -> &'static str {
        match self {
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
            Self::A => "A",
            Self::BPlus => "B+",
        }
    }
}

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

/// What is done to a text before it is compared as a key; nothing else is: keys are compared byte by byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fold {
    /// Spaces (U+0020) at both ends go.
    Trim,
    /// Every letter becomes small, by Unicode's table.
    Lower,
    /// Every letter becomes a capital, by Unicode's table.
    Upper,
}
wire_enum!(Fold { 0 => Trim, 1 => Lower, 2 => Upper });

impl Fold {
    /// Its name in SQL.
    pub fn word(self) -> &'static str {
        match self {
            Self::Trim => "TRIM",
            Self::Lower => "LOWER",
            Self::Upper => "UPPER",
        }
    }

    /// The text after it.
    pub fn apply(self, text: &str) -> String {
        match self {
            Self::Trim => text.trim_matches(' ').to_owned(),
            Self::Lower => text.to_lowercase(),
            Self::Upper => text.to_uppercase(),
        }
    }
}

/// One column of a key, and what its texts become before they are compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPart {
    /// Place among the read's columns.
    pub column: u8,
    /// Applied in this order; only for texts.
    pub folds: Vec<Fold>,
}
wire_struct!(KeyPart { column, folds });

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
    /// Its keys are intersected with the other owners'.
    Set {
        /// The key; two rows match when all parts are equal, and never where a part is NULL.
        keys: Vec<KeyPart>,
    },
    /// Its values are an argument of a user's program.
    Input {
        /// The argument's name.
        argument: String,
        /// The argument's type.
        ty: String,
        /// Rows that the argument has; the run ends with a fault where the filter keeps more.
        rows: u32,
        /// What stands for NULL and in rows that are missing; without it the run ends with a fault where one is.
        absent: Option<i64>,
    },
}
wire_enum!(ReadRole {
    0 => Carrier { groups }, 1 => Side { join }, 2 => Set { keys }, 3 => Input { argument, ty, rows, absent }
});

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
    /// Place of a star's join key among `columns`; `None` when nothing is joined, and for a [`ReadRole::Set`].
    pub key: Option<u8>,
    /// Rows that count; `None` means all.
    pub filter: Option<Formula>,
    /// Formulas that aggregates use (number-valued), that cells of the answer show, or that make a row of an argument, by place.
    pub values: Vec<Formula>,
    /// Most rows that take part; smaller inputs are padded to it.
    pub rows_bound: u32,
    /// What it is for.
    pub role: ReadRole,
}
wire_struct!(Read { owner, dataset, alias, columns, types, key, filter, values, rows_bound, role });

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
    /// `values[value]` of the matching row of `reads[read]`.
    Cell {
        /// Place among the reads.
        read: u8,
        /// Place among that read's values.
        value: u8,
    },
    /// What a user's program returned; NULL where it stopped.
    Result {
        /// Place among the fields of a struct, or among all columns that a program over vectors returns; `None` for the whole, or
        /// for the number of the row there.
        field: Option<u8>,
    },
    /// Why and where a user's program stopped; NULL where it did not.
    Stopped,
}
wire_enum!(ValueOf {
    0 => Group { group }, 1 => Aggregate { aggregate }, 2 => Cell { read, value }, 3 => Result { field }, 4 => Stopped
});

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
    /// The nodes that compute: three that hold shares, each pair of which together could see all inputs, the owners of an
    /// intersection, or the owners and the receiver of a user's program.
    pub nodes: Vec<OrgId>,
    /// What each owner reads.
    pub reads: Vec<Read>,
    /// How the nodes come to the answer.
    pub program: Program,
    /// The answer's columns.
    pub outputs: Vec<Output>,
    /// The answer's order.
    pub order: Vec<Order>,
    /// Most rows of the answer the receiver keeps.
    pub limit: Option<u32>,
}
wire_struct!(Plan { planner, catalogue_height, request, tier, nodes, reads, program, outputs, order, limit });

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

    /// The star join, when it is one.
    pub fn star(&self) -> Option<&Star> {
        match &self.program {
            Program::Star(star) => Some(star),
            Program::Intersect(_)
            | Program::Overlap(_)
            | Program::Common(_)
            | Program::Circuit(_)
            | Program::Published(_)
            | Program::Vectors(_) => None,
        }
    }

    /// The aggregates that outputs name by place; none where rows are shown.
    pub fn aggregates(&self) -> &[Aggregate] {
        match &self.program {
            Program::Star(star) => &star.aggregates,
            Program::Overlap(overlap) => &overlap.aggregates,
            Program::Intersect(_)
            | Program::Common(_)
            | Program::Circuit(_)
            | Program::Published(_)
            | Program::Vectors(_) => &[],
        }
    }

    /// Fewest people behind a shown aggregate; none where rows are shown.
    pub fn min_group(&self) -> Option<u32> {
        match &self.program {
            Program::Star(star) => Some(star.min_group),
            Program::Overlap(overlap) => Some(overlap.min_group),
            Program::Intersect(_)
            | Program::Common(_)
            | Program::Circuit(_)
            | Program::Published(_)
            | Program::Vectors(_) => None,
        }
    }

    /// Everybody who takes part: owners, computing nodes and receiver, each once, sorted.
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
