//! Owners' rows become shared columns: padded with dummies to the shape's bounds, one below the other.
//!
//! A dummy has no key and zeros in every column, so it takes part in every step and counts in none.

use mpc_core::Abort;
use mpc_share::{Arith, View, Z64};
use zeroize::Zeroizing;

use crate::layout::Layout;
use crate::{CarrierRow, OwnerRows, Placement, Scheme, SideRow, StarShape, rules};

/// An owner's words, wiped when dropped.
type Clear = Zeroizing<Vec<u64>>;

/// A table of an owner in the clear: columns of the layout that it fills, each padded.
struct Columns {
    words: Clear,
    rows: usize,
}

impl Columns {
    fn new(width: usize, rows: usize) -> Self {
        Self { words: Zeroizing::new(vec![0; width * rows]), rows }
    }

    fn set(&mut self, column: usize, row: usize, word: u64) {
        self.words[column * self.rows + row] = word;
    }

    /// Sets bits from the most significant one.
    fn set_bits(&mut self, columns: std::ops::Range<usize>, row: usize, word: u64) {
        for (column, bit) in columns.rev().zip(0..) {
            self.set(column, row, word >> bit & 1);
        }
    }

    /// Sets no_key and the key's bits, which stand after the first `at` columns.
    fn set_key(&mut self, at: usize, row: usize, key: Option<u64>, layout: &Layout) {
        if !layout.order.is_empty() {
            self.set(at, row, u64::from(key.is_none()));
            self.set_bits(at + 1..at + layout.order.len(), row, key.unwrap_or(0));
        }
    }
}

/// The carrier's columns. Where they are checked and there are keys, rows go by key and group, those without key last, and a
/// value's lead column says whether a row of the run up to this one has the value: see [`crate::leads`].
fn carrier_columns(shape: &StarShape, layout: &Layout, rows: &[CarrierRow], checked: bool) -> Clear {
    let (own, bound) = (layout.carrier.len(), shape.carrier_rows as usize);
    let mut out = Columns::new(own + layout.order.len(), bound);
    let mut rows: Vec<&CarrierRow> = rows.iter().collect();
    let runs = checked && !layout.order.is_empty();
    if runs {
        rows.sort_by_key(|row| (row.key.is_none(), row.key, row.group));
    }
    let mut so_far = vec![false; layout.values.len()];
    let mut before = None;
    for (at, row) in rows.iter().enumerate() {
        out.set(layout.valid, at, 1);
        out.set(layout.lead, at, u64::from(row.lead));
        out.set_bits(layout.group.clone(), at, u64::from(row.group));
        for (column, word) in layout.words.clone().zip(&row.group_words) {
            out.set(column, at, *word);
        }
        let run = row.key.map(|key| (key, row.group));
        if run.is_none() || run != before {
            so_far.fill(false);
        }
        before = run;
        let values = row.values.iter().zip(&row.value_leads).zip(&mut so_far);
        for (place, ((value, lead), so_far)) in layout.values.iter().zip(values) {
            *so_far |= value.is_some();
            out.set(place.value, at, value.unwrap_or(0) as u64);
            out.set(place.nonnull, at, u64::from(value.is_some()));
            out.set(place.lead, at, u64::from(if runs { *so_far } else { *lead }));
        }
        out.set_key(own, at, row.key, layout);
    }
    (rows.len()..bound).for_each(|at| out.set_key(own, at, None, layout));
    out.words
}

fn side_columns(shape: &StarShape, layout: &Layout, side: usize, rows: &[SideRow]) -> Clear {
    let (place, bound) = (&layout.sides[side], shape.sides[side].rows as usize);
    let (own, first) = (place.all.len(), place.all.start);
    let mut out = Columns::new(own + layout.order.len(), bound);
    // By rising keys: what no two rows have in common is then seen from neighbours.
    let mut rows: Vec<&SideRow> = rows.iter().collect();
    rows.sort_by_key(|row| row.key);
    for (at, row) in rows.iter().enumerate() {
        out.set(place.present - first, at, 1);
        out.set(place.rows - first, at, row.rows);
        for (place, (sum, count)) in place.values.iter().zip(row.sums.iter().zip(&row.counts)) {
            out.set(place.sum - first, at, *sum as u64);
            out.set(place.count - first, at, *count);
            out.set(place.has - first, at, u64::from(*count > 0));
        }
        out.set_key(own, at, Some(row.key), layout);
    }
    (rows.len()..bound).for_each(|at| out.set_key(own, at, None, layout));
    out.words
}

/// A table in the order in which tables are shared and stacked: the sides, then the carrier, so that a stable sort by
/// key leaves a side's row before the carrier's rows of its key.
pub(crate) struct Table {
    /// The party that puts it in.
    pub owner: usize,
    /// Its rows, dummies included.
    pub rows: usize,
    /// Its columns but the order columns.
    pub own: std::ops::Range<usize>,
}

fn tables(shape: &StarShape, place: &Placement, layout: &Layout) -> Vec<Table> {
    let sides = layout.sides.iter().zip(&shape.sides).zip(&place.sides);
    let side = |((at, shape), owner): ((&crate::layout::SideAt, &crate::SideShape), &usize)| Table {
        owner: *owner,
        rows: shape.rows as usize,
        own: at.all.clone(),
    };
    let carrier = Table { owner: place.carrier, rows: shape.carrier_rows as usize, own: layout.carrier.clone() };
    sides.map(side).chain([carrier]).collect()
}

/// What this party puts in, table by table, `checked` where an owner may deviate; refuses rows that are missing, too many or
/// false, before any message.
pub(crate) fn words_of(
    me: usize,
    shape: &StarShape,
    place: &Placement,
    layout: &Layout,
    rows: &[OwnerRows],
    checked: bool,
) -> Result<Clear, String> {
    let owners: Vec<usize> = place.sides.iter().chain([&place.carrier]).copied().collect();
    let mut tables: Vec<Option<Clear>> = vec![None; owners.len()];
    for rows in rows {
        let (table, columns) = match rows {
            OwnerRows::Carrier(rows) => {
                shape.check_carrier(rows)?;
                (shape.sides.len(), carrier_columns(shape, layout, rows, checked))
            }
            OwnerRows::Side(side, rows) => {
                shape.check_side(*side, rows)?;
                (*side, side_columns(shape, layout, *side, rows))
            }
        };
        if owners[table] != me || tables[table].replace(columns).is_some() {
            return Err(format!("table {table} is put in twice, or not by its owner {}", owners[table]));
        }
    }
    match owners.iter().zip(&tables).position(|(owner, columns)| *owner == me && columns.is_none()) {
        Some(table) => Err(format!("the rows of table {table} are missing")),
        None => Ok(joined(&tables)),
    }
}

/// The tables that there are, one after the other.
fn joined(tables: &[Option<Clear>]) -> Clear {
    let tables = || tables.iter().flatten();
    // A vector that never grows leaves no copy behind.
    let mut all = Zeroizing::new(Vec::<u64>::with_capacity(tables().map(|words| words.len()).sum()));
    tables().for_each(|words| all.extend_from_slice(words));
    all
}

/// Shares all tables in one round and stacks them: the answer has the layout's columns. Where a party may deviate, what each
/// owner must keep to is checked.
pub(crate) async fn stacked<S: Scheme>(
    party: &mut S,
    shape: &StarShape,
    place: &Placement,
    layout: &Layout,
    words: &[u64],
) -> Result<Vec<Arith>, Abort> {
    let tables = tables(shape, place, layout);
    let mut counts = [0; 3];
    for table in &tables {
        counts[table.owner] += table.rows * (table.own.len() + layout.order.len());
    }
    let shared = party.input(counts, words).await?;
    let (mut from, mut parts) = ([0; 3], Vec::new());
    for table in &tables {
        let at = &mut from[table.owner];
        let column = |_| {
            *at += table.rows;
            shared[table.owner].range(*at - table.rows..*at)
        };
        parts.push((0..table.own.len() + layout.order.len()).map(column).collect());
    }
    let mut stacked: Vec<Arith> = (0..layout.width()).map(|column| stack(column, layout, &tables, &parts)).collect();
    if S::DEVIATES {
        party.enter("check inputs");
        rules::check(party, layout, &tables, &mut stacked).await?;
    }
    Ok(stacked)
}

/// One column of the stacked table: a table that has not the column has zeros.
fn stack(column: usize, layout: &Layout, tables: &[Table], parts: &[Vec<View<'_, Z64>>]) -> Arith {
    let mut out = Arith::zeros(0);
    for (table, parts) in tables.iter().zip(parts) {
        let part = if table.own.contains(&column) {
            parts[column - table.own.start].to_shared()
        } else if layout.order.contains(&column) {
            parts[table.own.len() + column - layout.order.start].to_shared()
        } else {
            Arith::zeros(table.rows)
        };
        out = Arith::concat([out.view(), part.view()]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_joined_in_memory_that_does_not_grow() {
        let table = |words: &[u64]| Some(Zeroizing::new(words.to_vec()));
        let all = joined(&[table(&[1, 2, 3]), None, table(&[]), table(&[4; 9])]);
        assert!(all.as_slice() == [1, 2, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4] && all.capacity() == all.len());
        assert!(joined(&[None]).is_empty());
    }
}
