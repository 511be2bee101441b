//! The catalogue: what owners publish about their data sets; metadata only.

use std::collections::BTreeMap;

use base_gm::sm3;
use base_types::{DatasetId, Digest, Height, column::ColumnMeta};
use base_wire::wire_struct;
use serde::{Deserialize, Serialize};

/// Classification and grade of a column (分类分级).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnClass {
    /// The column.
    pub column: String,
    /// Its class, such as `identity`, `health`, `income`, `civil`, `general`.
    pub class: String,
    /// 1 (public) to 4 (most sensitive).
    pub grade: u8,
}
wire_struct!(ColumnClass { column, class, grade });

/// A registered source as everybody sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its identifier; the part after the slash is the table's name in queries.
    pub dataset: DatasetId,
    /// A title for people.
    pub title: String,
    /// Kind of the source: `csv`, `parquet`, `sqlite`, `postgres`.
    pub kind: String,
    /// Most rows a run reads, rounded up to a multiple of 64 so that it tells little.
    pub rows_bound: u32,
    /// The columns.
    pub columns: Vec<ColumnMeta>,
    /// Classes and grades the owner gave.
    pub classes: Vec<ColumnClass>,
}
wire_struct!(Source { dataset, title, kind, rows_bound, columns, classes });

impl Source {
    /// The column of that name, in any letter case.
    pub fn column(&self, name: &str) -> Option<&ColumnMeta> {
        self.columns.iter().find(|c| c.name.eq_ignore_ascii_case(name))
    }
}

/// Under which subject a data set's entries stand on the ledger.
pub fn dataset_subject(dataset: &DatasetId) -> Digest {
    sm3::tagged("heqi/dataset/1", &[dataset.as_str().as_bytes()])
}

/// All sources and rules at a height.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Catalogue {
    /// The height it was read at.
    pub height: Height,
    /// The newest registration of each data set.
    pub sources: BTreeMap<DatasetId, Source>,
    /// The newest rules of each data set.
    pub rules: BTreeMap<DatasetId, crate::RuleSet>,
}
