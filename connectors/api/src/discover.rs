//! Discovery: what the catalogue tells about a table, widened so that it tells little.

use base_types::{
    column::{Column, ColumnMeta, ColumnType, Table},
    fault::{Code, Fault},
};
use notary_terms::Source;

use crate::SourceConfig;

/// What was found out about a source; no value of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovery {
    /// Number of rows.
    pub rows: u64,
    /// The columns.
    pub columns: Vec<ColumnMeta>,
    /// Number of NULLs of each column, for the owner's eyes.
    pub nulls: Vec<u64>,
}

impl Discovery {
    /// Sums a table up.
    pub fn of(table: &Table) -> Self {
        Self {
            rows: table.rows as u64,
            columns: table.columns.iter().map(column_meta).collect(),
            nulls: table.columns.iter().map(|c| c.valid.iter().filter(|valid| !**valid).count() as u64).collect(),
        }
    }

    /// The catalogue's entry, without classes, which the owner adds.
    ///
    /// # Errors
    /// A fault when there are more rows than a run can take.
    pub fn source(&self, config: &SourceConfig) -> Result<Source, Fault> {
        let rows_bound = rows_bound(self.rows).ok_or_else(|| {
            let step = format!("register {}", config.dataset);
            Fault::new(Code::RangeOverflow, step, "too many rows").at(&config.dataset.owner())
        })?;
        Ok(Source {
            dataset: config.dataset.clone(),
            title: config.title.clone(),
            kind: config.location.kind().to_owned(),
            rows_bound,
            columns: self.columns.clone(),
            classes: Vec::new(),
        })
    }
}

/// The rows rounded up to a multiple of 64, at least 64; `None` when that does not fit.
pub fn rows_bound(rows: u64) -> Option<u32> {
    rows.max(1).checked_next_multiple_of(64).and_then(|bound| u32::try_from(bound).ok())
}

/// What the catalogue tells about a column.
pub fn column_meta(column: &Column) -> ColumnMeta {
    let words = || (0..column.len()).filter_map(|row| column.get(row));
    let (min, max) = match column.ty {
        ColumnType::Text => {
            let longest = column.dictionary.iter().map(String::len).max().unwrap_or(0).max(1);
            let widened = longest.checked_next_multiple_of(8).and_then(|bytes| i64::try_from(bytes).ok());
            (0, widened.unwrap_or(i64::MAX))
        }
        ColumnType::Bool => (0, 1),
        _ => widened(words().min().unwrap_or(0), words().max().unwrap_or(0)),
    };
    ColumnMeta {
        name: column.name.clone(),
        ty: column.ty,
        nullable: column.valid.iter().any(|valid| !valid),
        unique: is_unique(column),
        min,
        max,
    }
}

/// The range widened downwards to 0 or a negated power of two, upwards to a power of two less one.
pub fn widened(min: i64, max: i64) -> (i64, i64) {
    let low = match min {
        0.. => 0,
        // Magnitudes are unsigned because that of i64::MIN, 2^63, has no signed partner.
        _ => 0i64.checked_sub_unsigned(min.unsigned_abs().next_power_of_two()).unwrap_or(i64::MIN),
    };
    let high = match max {
        ..=0 => 0,
        _ => i64::MAX >> max.leading_zeros().saturating_sub(1),
    };
    (low, high)
}

/// True when no value but NULL occurs twice.
pub(crate) fn is_unique(column: &Column) -> bool {
    let mut words: Vec<i64> = (0..column.len()).filter_map(|row| column.get(row)).collect();
    words.sort_unstable();
    words.windows(2).all(|pair| pair.first() != pair.last())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{text_column, word_column};

    #[test]
    fn ranges_widen_to_powers_of_two() {
        for ((min, max), expected) in [
            ((0, 0), (0, 0)),
            ((5, 9), (0, 15)),
            ((1, 16), (0, 31)),
            ((-1, -1), (-1, 0)),
            ((-3, 7), (-4, 7)),
            ((-5, 8), (-8, 15)),
            ((233, 25061), (0, 32767)),
            ((i64::MIN, i64::MAX), (i64::MIN, i64::MAX)),
            ((i64::MIN + 1, 1 << 62), (i64::MIN, i64::MAX)),
            ((-(1 << 62), (1 << 62) - 1), (-(1 << 62), (1 << 62) - 1)),
        ] {
            assert_eq!(widened(min, max), expected, "{min}..{max}");
        }
    }

    #[test]
    fn rows_are_rounded_up_and_bounded() {
        assert_eq!([0, 1, 64, 65, 1629].map(rows_bound), [64, 64, 64, 128, 1664].map(Some));
        assert_eq!([u64::from(u32::MAX), u64::MAX].map(rows_bound), [None, None]);
    }

    #[test]
    fn nulls_do_not_make_a_column_less_of_a_key() {
        let key = column_meta(&word_column("k", ColumnType::Int, vec![Some(1), None, Some(2), None]));
        assert!(key.unique && key.nullable);
        let zeros = column_meta(&word_column("k", ColumnType::Int, vec![Some(0), None]));
        assert!(zeros.unique, "the word under a NULL does not count");
        let twice = column_meta(&text_column("t", ["a", "b", "a"].map(|t| Some(t.to_owned())).to_vec()));
        assert!(!twice.unique && !twice.nullable);
        assert_eq!((twice.min, twice.max), (0, 8));
        let long = column_meta(&text_column("t", vec![Some("123456789".to_owned())]));
        assert_eq!(long.max, 16);
    }
}
