//! The programs that a plan can carry: a star join with its aggregates, an intersection, sums over one, or a user's own.

use std::ops::RangeInclusive;

use base_types::column::ColumnType;
use base_wire::{wire_enum, wire_struct};
use serde::{Deserialize, Serialize};

use crate::{Circuit, Read, Vectors};

/// Keys that a bucket of an intersection may have: fewer spare no memory worth the bytes that each bucket costs, more do
/// not fit into the memory of most machines.
pub const BUCKET_KEYS: RangeInclusive<u32> = 1 << 10..=1 << 20;
/// Most rows of the other owner that one match of an intersection brings.
pub const MAX_KEY_ROWS: u8 = 16;
/// Most buckets of an intersection.
pub const MAX_BUCKETS: u32 = 4096;

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

/// The numbers that a value of a read can be: public, and kept to by its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The lowest.
    pub low: i64,
    /// The highest, not below the lowest.
    pub high: i64,
}
wire_struct!(Span { low, high });

impl Span {
    /// Whether it is one of them.
    pub fn holds(self, number: i64) -> bool {
        (self.low..=self.high).contains(&number)
    }

    /// The largest absolute value.
    pub fn magnitude(self) -> u64 {
        self.low.unsigned_abs().max(self.high.unsigned_abs())
    }
}

/// A star join and its groups, on shares among three nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Star {
    /// Fewest people behind a shown aggregate.
    pub min_group: u32,
    /// Bits of the join key.
    pub key_bits: u8,
    /// Lowest join key; shared keys are relative to it.
    pub key_base: i64,
    /// Most groups.
    pub max_groups: u32,
    /// Aggregates, computed jointly.
    pub aggregates: Vec<Aggregate>,
    /// For each read the ranges of its values, by place; so narrow that no sum overflows.
    pub ranges: Vec<Vec<Span>>,
}
wire_struct!(Star { min_group, key_bits, key_base, max_groups, aggregates, ranges });

/// The form in which a cell crosses to the receiver; every row's is equally long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellForm {
    /// Its type.
    pub ty: ColumnType,
    /// Most bytes of a text; 8 for all other types.
    pub bytes: u16,
}
wire_struct!(CellForm { ty, bytes });

/// What a matching key brings of the other owner's rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// Nothing: each of its keys occurs once by its registration, and the run ends with a fault where one does not.
    Nothing,
    /// How many of its rows have the key.
    Count,
    /// The values of the rows that have the key; the run ends with a fault where more have it than a match may bring.
    Row {
        /// Forms of the read's values, by place.
        cells: Vec<CellForm>,
        /// Most rows of one key, 1 to [`MAX_KEY_ROWS`]; every match takes room for so many.
        rows: u8,
    },
}
wire_enum!(Label { 0 => Nothing, 1 => Count, 2 => Row { cells, rows } });

/// What a run between owners spares, at some cost of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spares {
    /// Time at the nodes.
    Time,
    /// Bytes between them.
    Bytes,
}
wire_enum!(Spares { 0 => Time, 1 => Bytes });

/// An intersection of two owners' keys, told to one of them: the receiver, which owns `reads[0]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intersect {
    /// What a match brings of `reads[1]`.
    pub label: Label,
    /// What the protocol spares.
    pub spares: Spares,
    /// Keys of the larger bound that come into one bucket, within [`BUCKET_KEYS`]; buckets lie in the nodes' storage and are
    /// compared one after the other. `None` where all keys are held and compared at once.
    pub bucket_keys: Option<u32>,
}
wire_struct!(Intersect { label, spares, bucket_keys });

impl Intersect {
    /// How many buckets these reads are dealt out to; 1 where all keys are compared at once.
    pub fn buckets(&self, reads: &[Read]) -> u32 {
        let larger = reads.iter().map(|read| read.rows_bound).max().unwrap_or(0);
        self.bucket_keys.map_or(1, |keys| larger.div_ceil(keys.max(1)).max(1))
    }
}

/// As an [`Intersect`], of few keys with many: the other owner evaluates a secret function at all its keys once, and the receiver
/// keeps the table of the values, under which cells are sealed, and has the function evaluated blindly at its own keys in every
/// job. It asks for exactly `reads[0].rows_bound` keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// What a match brings of `reads[1]`.
    pub label: Label,
}
wire_struct!(Published { label });

/// How large a read's numbers are: public, kept to by its owner, and so narrow that no sum overflows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ranges {
    /// Most rows of one key: 1 where its registration says that a column of the key occurs once.
    pub rows: u32,
    /// Largest absolute value of each of the read's values, by place.
    pub values: Vec<u64>,
}
wire_struct!(Ranges { rows, values });

/// Aggregates over the pairs of two owners' rows that have one key, on shares between their two nodes: neither learns which
/// keys match. `reads[0]` is the receiver's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlap {
    /// Fewest keys behind a shown aggregate.
    pub min_group: u32,
    /// One a read, in their order.
    pub ranges: Vec<Ranges>,
    /// Aggregates; the receiver divides the sums of means.
    pub aggregates: Vec<Aggregate>,
    /// What the protocol spares.
    pub spares: Spares,
}
wire_struct!(Overlap { min_group, ranges, aggregates, spares });

/// Rows of one owner whose keys all others have, three to eight owners together. Each key of the others occurs once; the run
/// ends with a fault where one does not. `reads[0]` is the receiver's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Common {
    /// What the protocol spares.
    pub spares: Spares,
}
wire_struct!(Common { spares });

/// How the nodes come to the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Program {
    /// Aggregates over a star join; exactly one carrier, at place 0 of the reads.
    Star(Star),
    /// Rows of one owner that another owner's rows match.
    Intersect(Intersect),
    /// Aggregates over two owners' matching rows, told to one of them.
    Overlap(Overlap),
    /// Rows of one owner whose keys all others have.
    Common(Common),
    /// A user's own program.
    Circuit(Circuit),
    /// Rows of one owner that another owner's match, whose keys lie in a table at the first.
    Published(Published),
    /// A user's own program over vectors.
    Vectors(Vectors),
}
wire_enum!(Program {
    0 => Star(star), 1 => Intersect(intersect), 2 => Overlap(overlap), 3 => Common(common), 4 => Circuit(circuit),
    5 => Published(published), 6 => Vectors(vectors)
});
