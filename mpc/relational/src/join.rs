//! The join: sort all tables by key, then hand every side's row to the carrier's rows of its key.
//!
//! The sort-merge join of ORQ (SOSP 2025), on the segmented parallel scan of Hillis and Steele (CACM 29(12), 1986): a stable sort
//! by (no_key, key) leaves a side's row before the carrier's rows of its key. A real key occurs at most once in a side,
//! so the running sum over the segment of equal keys is the partner's row, or 0 where there is none. Rows without a
//! key form one segment in which all sides' columns are 0.

use mpc_core::Abort;
use mpc_share::Arith;

use crate::Scheme;
use crate::layout::Layout;
use crate::products::equals_before;

/// Joins the stacked table; the answer has the same columns but the order columns, its rows sorted by key.
pub(crate) async fn join<S: Scheme>(party: &mut S, layout: &Layout, table: Vec<Arith>) -> Result<Vec<Arith>, Abort> {
    if layout.order.is_empty() {
        return Ok(table);
    }
    party.enter("sort by key");
    let key: Vec<usize> = layout.order.clone().collect();
    let mut table = party.sort(table, &key).await?;
    party.enter("join");
    let rows = table.first().map_or(0, Arith::len);
    let bits: Vec<&Arith> = table[layout.order.clone()].iter().collect();
    let same = equals_before(party, &bits, rows, vec![]).await?;
    table.truncate(layout.order.start);
    let sides = table.split_off(layout.carrier.end);
    table.extend(segmented_sums(party, same, sides).await?);
    Ok(table)
}

/// Running sums of every column within segments; `same` says whether a row belongs to the segment of the one before.
async fn segmented_sums<S: Scheme>(party: &mut S, same: Arith, mut columns: Vec<Arith>) -> Result<Vec<Arith>, Abort> {
    let rows = same.len();
    // reach: whether the rows from `step` above to this one are one segment; 0 where there are fewer rows above.
    let (mut reach, mut step) = (same, 1);
    while step < rows {
        let later = reach.range(step..rows);
        let mut pairs: Vec<_> = columns.iter().map(|column| (later, column.range(0..rows - step))).collect();
        pairs.push((later, reach.range(0..rows - step)));
        let mut sums = party.mul_many(&pairs).await?;
        drop(pairs);
        let reached = sums.pop().unwrap_or_else(|| Arith::zeros(0));
        for (column, sum) in columns.iter_mut().zip(&sums) {
            column.add_at(step, sum);
        }
        reach = Arith::concat([Arith::zeros(step).view(), reached.view()]);
        step *= 2;
    }
    Ok(columns)
}
