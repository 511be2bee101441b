//! Bounds over the whole join: what sums and means can grow to, and how many digits a mean can show.

use base_types::{column::ColumnType, fault::Fault};
use notary_terms::GroupColumn;
use sqlparser::tokenizer::Location;

use crate::{
    MAX_ROWS,
    refuse::{overflow, unsupported},
    scope::{Scope, Table},
};

/// Words of the engine stay below this, so that signs and comparisons are safe.
const LIMIT: i128 = 1 << 62;

/// Most groups of an answer.
const MAX_GROUPS: u32 = 4096;

/// Most bytes of a text that names a group.
const MAX_GROUP_TEXT: i64 = 64;

/// Digits after the point that a type can have.
const MAX_SCALE: u8 = 9;

/// How many rows the join can have: every row of one table can meet every row of another.
pub(crate) fn joined_rows(scope: &Scope<'_>) -> Result<i128, Fault> {
    let mut rows: i128 = 1;
    for table in &scope.tables {
        if table.source.rows_bound == 0 || table.source.rows_bound > MAX_ROWS {
            let what = format!("{} with up to {} rows", table.source.dataset, table.source.rows_bound);
            return Err(unsupported(table.at, what, format!("use data sets of 1 to {MAX_ROWS} rows")));
        }
        rows *= i128::from(table.source.rows_bound);
        if rows >= LIMIT {
            return Err(overflow(table.at, "the join could have too many rows; join fewer data sets"));
        }
    }
    Ok(rows)
}

/// Whether a sum over values of that magnitude stays in its bounds.
pub(crate) fn sum_fits(magnitude: i128, rows: i128) -> bool {
    magnitude.checked_mul(rows).is_some_and(|sum| sum < LIMIT)
}

/// Refuses a sum that could leave its bounds.
pub(crate) fn check_sum(magnitude: i128, rows: i128, at: Location) -> Result<(), Fault> {
    if sum_fits(magnitude, rows) {
        return Ok(());
    }
    let what = format!("values up to {magnitude} (as scaled integers) over up to {rows} joined rows could sum to 2^62");
    Err(overflow(at, format!("{what}; use a column with a narrower range, or smaller data sets")))
}

/// Digits that a mean has beyond its argument: the most that the division's words can hold, 2 to 6.
pub(crate) fn extra_digits(magnitude: i128, rows: i128, scale: u8, at: Location) -> Result<u8, Fault> {
    check_sum(magnitude, rows, at)?;
    let fits = |digits: &u8| {
        let words = 2 * magnitude * rows * 10i128.pow(u32::from(*digits)) + rows;
        words < LIMIT && scale + digits <= MAX_SCALE
    };
    (2..=6).rev().find(fits).ok_or_else(|| {
        let what = format!("the mean of values up to {magnitude} (as scaled integers) over up to {rows} joined rows");
        overflow(at, format!("{what} could not be shown with two more digits; ask for SUM and COUNT instead"))
    })
}

/// The type of a number with that many digits after the point.
pub(crate) fn number_type(scale: u8, at: Location) -> Result<ColumnType, Fault> {
    match scale {
        0 => Ok(ColumnType::Int),
        1..=MAX_SCALE => Ok(ColumnType::Decimal { scale }),
        _ => Err(unsupported(at, "more than 9 digits after the point", "multiply fewer decimals")),
    }
}

/// A group column and the words of its values.
pub(crate) fn group_column(table: &Table<'_>, column: usize, at: Location) -> Result<GroupColumn, Fault> {
    let meta = table.meta(column).ok_or_else(|| unsupported(at, "a group column that is gone", "name another"))?;
    let words = match meta.ty {
        ColumnType::Text if meta.max > MAX_GROUP_TEXT => {
            let what = format!("GROUP BY the text {} of up to {} bytes", meta.name, meta.max);
            return Err(unsupported(at, what, format!("group by texts of at most {MAX_GROUP_TEXT} bytes")));
        }
        ColumnType::Text => 2 + u8::try_from(meta.max.max(0)).unwrap_or(0).div_ceil(8),
        _ => 2,
    };
    Ok(GroupColumn { column: meta.name.clone(), ty: meta.ty, words })
}

/// Most groups: as many as the carrier has rows or its group columns have values, NULL among them.
pub(crate) fn max_groups(table: &Table<'_>, columns: &[usize]) -> u32 {
    let mut names: i128 = 1;
    for column in columns {
        let values = match table.meta(*column) {
            Some(meta) if meta.ty == ColumnType::Bool => 3,
            Some(meta) if meta.ty != ColumnType::Text => (i128::from(meta.max) - i128::from(meta.min)).abs() + 2,
            _ => i128::from(MAX_GROUPS),
        };
        names = (names * values).min(i128::from(MAX_GROUPS));
    }
    let names = u32::try_from(names).unwrap_or(MAX_GROUPS);
    table.source.rows_bound.min(names).clamp(1, MAX_GROUPS)
}

/// Lowest key and bits of the join key, relative to it; all keys have one type and a declared range.
pub(crate) fn key_range(scope: &Scope<'_>) -> Result<(i64, u8), Fault> {
    let mut seen: Option<(ColumnType, i64, i64)> = None;
    for table in &scope.tables {
        let Some(meta) = table.key.and_then(|key| table.meta(key)) else { continue };
        let name = format!("{}.{}", table.alias, meta.name);
        if !matches!(meta.ty, ColumnType::Int | ColumnType::Date | ColumnType::Bool) {
            let what = format!("a join on {name}, which is neither integer nor date");
            return Err(unsupported(table.at, what, "join on an integer key"));
        }
        let (low, high) = (meta.min.min(meta.max), meta.max.max(meta.min));
        seen = Some(match seen {
            None => (meta.ty, low, high),
            Some((ty, base, top)) if ty == meta.ty => (ty, base.min(low), top.max(high)),
            Some(_) => {
                let what = format!("a join on {name}, whose type differs from the other keys'");
                return Err(unsupported(table.at, what, "join on keys of one type"));
            }
        });
    }
    let Some((_, base, top)) = seen else { return Ok((0, 1)) };
    let span = i128::from(top) - i128::from(base);
    if span > LIMIT {
        let at = scope.tables.first().map_or(Location { line: 1, column: 1 }, |t| t.at);
        return Err(overflow(at, "the join keys span more than 2^62; register the sources with narrower key ranges"));
    }
    let bits = (i128::BITS - span.leading_zeros()).max(1);
    Ok((base, u8::try_from(bits).unwrap_or(63)))
}
