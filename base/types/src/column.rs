//! The one encoding of a column: scaled integers, validity bits and dictionaries, never a float.
//!
//! What a commitment covers, what an engine shares and what a proof opens are exactly these words.

use base_wire::{Encode, wire_enum, wire_struct};
use serde::{Deserialize, Serialize};

/// A column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// 64-bit integer.
    Int,
    /// Decimal: the word is the value times 10^scale; scale is 0 to 9.
    Decimal {
        /// Digits after the point.
        scale: u8,
    },
    /// Text: the word is an index into the column's sorted dictionary.
    Text,
    /// 0 or 1.
    Bool,
    /// Days since 1970-01-01.
    Date,
}
wire_enum!(ColumnType { 0 => Int, 1 => Decimal { scale }, 2 => Text, 3 => Bool, 4 => Date });

impl ColumnType {
    /// Digits after the point of this type's words.
    pub fn scale(self) -> u8 {
        match self {
            Self::Decimal { scale } => scale,
            _ => 0,
        }
    }
    /// Whether words of this type can be added.
    pub fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Decimal { .. } | Self::Bool)
    }
}

/// One column of words; `values[i]` is 0 wherever `valid[i]` is false.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Name in the source.
    pub name: String,
    /// Type of the words.
    pub ty: ColumnType,
    /// One word a row.
    pub values: Vec<i64>,
    /// False where the source has NULL.
    pub valid: Vec<bool>,
    /// For `Text`: the distinct values, sorted by their bytes; empty otherwise.
    pub dictionary: Vec<String>,
}
wire_struct!(Column { name, ty, values, valid, dictionary });

impl Column {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.values.len()
    }
    /// True when there is no row.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
    /// The word of a row, `None` for NULL.
    pub fn get(&self, row: usize) -> Option<i64> {
        if *self.valid.get(row)? { self.values.get(row).copied() } else { None }
    }
    /// The text of a row of a `Text` column.
    pub fn text(&self, row: usize) -> Option<&str> {
        self.dictionary.get(usize::try_from(self.get(row)?).ok()?).map(String::as_str)
    }
}

/// Columns of equal length.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// The columns, in the order asked for.
    pub columns: Vec<Column>,
    /// Number of rows of every column.
    pub rows: usize,
}

impl Table {
    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }
    /// The bytes a commitment covers: row count, then every column.
    pub fn commitment_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        (self.rows as u64).encode(&mut out);
        self.columns.encode(&mut out);
        out
    }
}

/// What the platform found out about a column; published in the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnMeta {
    /// Name in the source.
    pub name: String,
    /// Type.
    pub ty: ColumnType,
    /// True when there are NULLs.
    pub nullable: bool,
    /// True when no value but NULL occurs twice: a key.
    pub unique: bool,
    /// Lowest value allowed in a run (a word), widened to a power of two so that it tells little; 0 for text.
    pub min: i64,
    /// Highest value allowed in a run (a word), widened likewise; for text, the longest value in bytes, widened.
    pub max: i64,
}
wire_struct!(ColumnMeta { name, ty, nullable, unique, min, max });
