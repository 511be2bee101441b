//! What an owner's rows must keep to, checked on the shares where an owner may deviate: before anything depends on it.
//!
//! A sort opens destinations that are a permutation only where its key holds bits, and a threshold counts people only where
//! each counts once. So every column of bits holds bits; a side's keys rise, so that none occurs twice; its dummies come last
//! and count nowhere; its keys stand for no more rows than there are, and have values only where they stand for any; every value
//! lies in its range ([`crate::ranges`]); and of a carrier's rows of one key and group one leads ([`crate::leads`]). Whether the rows
//! are true nobody can see.

use std::ops::Range;

use mpc_core::Abort;
use mpc_share::{Arith, View, Z64};

use crate::Scheme;
use crate::audit::{Audit, PIECE, total};
use crate::input::Table;
use crate::layout::{Layout, SideAt};
use crate::leads;
use crate::ranges;

/// A table's part of the columns of the stacked table.
pub(crate) struct Part<'a> {
    /// The table.
    pub table: &'a Table,
    from: usize,
    columns: &'a [Arith],
}

impl<'a> Part<'a> {
    /// The table's part of a column.
    pub fn of(&self, column: usize) -> View<'a, Z64> {
        self.columns[column].range(self.from..self.from + self.table.rows)
    }

    /// The number that columns of bits stand for, the most significant one first; fewer than 64.
    pub fn number(&self, bits: Range<usize>) -> Arith {
        let zeros = Arith::zeros(self.table.rows);
        bits.rev().zip(0..).fold(zeros, |sum, (column, place)| sum.add(&self.of(column).to_shared().scale(1 << place)))
    }

    /// Columns of which the words make a piece.
    fn at_once(&self) -> usize {
        (PIECE / self.table.rows.max(1)).max(1)
    }
}

fn parts<'a>(tables: &'a [Table], columns: &'a [Arith]) -> Vec<Part<'a>> {
    let mut from = 0;
    let part = |table: &'a Table| {
        from += table.rows;
        Part { table, from: from - table.rows, columns }
    };
    tables.iter().map(part).collect()
}

/// Checks every owner's rows, and makes the columns of the carrier's values that say which rows lead.
///
/// # Errors
/// [`Abort`] that blames the owner of rows that break a rule, else when a peer is gone or misbehaves.
pub(crate) async fn check<S: Scheme>(
    party: &mut S,
    layout: &Layout,
    tables: &[Table],
    columns: &mut [Arith],
) -> Result<(), Abort> {
    let mut audit = Audit::new(party);
    let leads = judge(&mut audit, layout, &parts(tables, columns)).await?;
    audit.finish().await?;
    for (at, lead) in layout.values.iter().zip(&leads) {
        let sides = Arith::zeros(columns[at.lead].len() - lead.len());
        columns[at.lead] = Arith::concat([sides.view(), lead.view()]);
    }
    Ok(())
}

/// Adds the rules of all tables, the carrier's last; the answer is the leads of the carrier's values, none without a side.
async fn judge<S: Scheme>(audit: &mut Audit<'_, S>, layout: &Layout, parts: &[Part<'_>]) -> Result<Vec<Arith>, Abort> {
    for part in parts {
        bits(audit, layout, part).await?;
        ranges::check(audit, layout, part).await?;
    }
    let Some((carrier, sides)) = parts.split_last().filter(|_| !layout.order.is_empty()) else {
        return Ok(Vec::new());
    };
    for (part, side) in sides.iter().zip(&layout.sides) {
        dummies(audit, layout, part, side).await?;
        weights(audit, part, side).await?;
        rising(audit, layout, part).await?;
    }
    leads::check(audit, layout, carrier).await
}

/// The columns of a table that hold bits, but for those of the leads where these are bits because they are right.
fn columns_of_bits(layout: &Layout, table: &Table) -> Vec<usize> {
    let mut all: Vec<usize> = layout.order.clone().collect();
    if table.own == layout.carrier {
        all.push(layout.valid);
        all.extend(layout.group.clone());
        all.extend(layout.values.iter().map(|value| value.nonnull));
        if layout.order.is_empty() {
            all.push(layout.lead);
            all.extend(layout.values.iter().map(|value| value.lead));
        }
    } else if let Some(side) = layout.sides.iter().find(|side| side.all == table.own) {
        all.push(side.present);
        all.extend(side.values.iter().map(|value| value.has));
    }
    all
}

/// Every bit is its own square.
async fn bits<S: Scheme>(audit: &mut Audit<'_, S>, layout: &Layout, part: &Part<'_>) -> Result<(), Abort> {
    for some in columns_of_bits(layout, part.table).chunks(part.at_once()) {
        let pairs: Vec<_> = some.iter().map(|column| (part.of(*column), part.of(*column))).collect();
        let squares = audit.party.mul_many(&pairs).await?;
        for (column, square) in some.iter().zip(&squares) {
            audit.zero(part.table.owner, square.view().minus(part.of(*column))).await?;
        }
    }
    Ok(())
}

/// A side's row is present and has a key, or is a dummy: without key, and zeros.
async fn dummies<S: Scheme>(
    audit: &mut Audit<'_, S>,
    layout: &Layout,
    part: &Part<'_>,
    side: &SideAt,
) -> Result<(), Abort> {
    let (owner, no_key) = (part.table.owner, part.of(layout.order.start));
    let columns: Vec<usize> = side.all.clone().collect();
    for some in columns.chunks(part.at_once()) {
        let pairs: Vec<_> = some.iter().map(|column| (part.of(*column), no_key)).collect();
        let products = audit.party.mul_many(&pairs).await?;
        for (column, product) in some.iter().zip(products) {
            // All but sums are bits, or numbers from 0 to the bound: see `weights`.
            if side.values.iter().any(|value| value.sum == *column) {
                audit.zero(owner, product).await?;
            } else {
                audit.none(owner, product.view()).await?;
            }
        }
    }
    // Since no row is present without a key, this is 0 or 1.
    let absent = audit.party.not(&no_key.to_shared()).view().minus(part.of(side.present));
    audit.none(owner, absent.view()).await
}

/// What a key of a side stands for are rows of its source, at least one where it is present and no more than the bound in all: so no
/// owner can give a partner's row the weight of millions. Of these rows no more have a value than there are, and one has where
/// the key is said to bring a value.
async fn weights<S: Scheme>(audit: &mut Audit<'_, S>, part: &Part<'_>, side: &SideAt) -> Result<(), Abort> {
    let (owner, len, rows) = (part.table.owner, part.table.rows, part.of(side.rows));
    // From these two follows 0 ≤ rows ≤ bound, whatever the words are, as `present` is a bit; likewise of a count below.
    let bound = audit.party.integers(len as u64, len);
    audit.not_negative(owner, bound.view().minus(rows)).await?;
    audit.not_negative(owner, rows.minus(part.of(side.present))).await?;
    let left = audit.party.integers(len as u64, 1).sub(&total(rows));
    audit.not_negative(owner, left).await?;
    for value in &side.values {
        let count = part.of(value.count);
        audit.not_negative(owner, rows.minus(count)).await?;
        audit.not_negative(owner, count.minus(part.of(value.has))).await?;
    }
    Ok(())
}

/// A row of a side that has a key follows one that has a smaller one.
async fn rising<S: Scheme>(audit: &mut Audit<'_, S>, layout: &Layout, part: &Part<'_>) -> Result<(), Abort> {
    let key = part.number(layout.order.start + 1..layout.order.end);
    let by_one = audit.party.integers(1, part.table.rows - 1);
    in_order(audit, layout, part, &steps(&key).sub(&by_one)).await
}

/// By how much each word but the first exceeds the one before.
pub(crate) fn steps(numbers: &Arith) -> Arith {
    let rows = numbers.len();
    numbers.range(1..rows).minus(numbers.range(0..rows - 1))
}

/// Rows with a key come first, and none of them has a negative step to it.
pub(crate) async fn in_order<S: Scheme>(
    audit: &mut Audit<'_, S>,
    layout: &Layout,
    part: &Part<'_>,
    steps: &Arith,
) -> Result<(), Abort> {
    let (owner, rows, no_key) = (part.table.owner, part.table.rows, part.of(layout.order.start));
    let keyed = audit.party.not(&no_key.range(1..rows).to_shared());
    let gaps = audit.party.mul(&no_key.range(0..rows - 1).to_shared(), &keyed).await?;
    audit.none(owner, gaps.view()).await?;
    let steps = audit.party.mul(steps, &keyed).await?;
    audit.not_negative(owner, steps).await
}

#[cfg(test)]
pub(crate) mod tests {
    use mpc_core::{Blame, memory};

    use super::*;
    use crate::{CarrierRow, Checked, Join, OwnerRows, Placement, SideRow, SideShape, Span, StarShape, input};

    /// Rows of the side's table, whose words stand column by column: present, rows, sum, count, has, no_key, three key bits.
    pub(crate) const ROWS: usize = 3;
    /// Rows of the carrier's table.
    pub(crate) const CARRIER: usize = 4;

    /// The ranges of the carrier's value and the side's.
    const SPANS: [Span; 2] = [Span { low: 3, high: 7 }, Span { low: -4, high: 9 }];

    fn shape([carrier, side]: [Span; 2]) -> StarShape {
        StarShape {
            carrier_rows: CARRIER as u32,
            key_bits: 3,
            group_bits: 1,
            max_groups: 2,
            key_words: 0,
            carrier_values: vec![carrier],
            sides: vec![SideShape { rows: ROWS as u32, join: Join::Left, values: vec![side] }],
            aggregates: vec![],
            threshold: 1,
        }
    }

    fn rows_of(me: usize) -> Vec<OwnerRows> {
        let side = |key| SideRow { key, rows: 1, sums: vec![7], counts: vec![1] };
        let carrier = |(key, value): (u64, Option<i64>), lead| CarrierRow {
            key: Some(key),
            group: 1,
            group_words: vec![],
            lead,
            values: vec![value],
            value_leads: vec![value.is_some()],
        };
        let visits = vec![carrier((5, None), true), carrier((2, Some(3)), true), carrier((5, Some(7)), false)];
        match me {
            0 => vec![OwnerRows::Carrier(visits)],
            1 => vec![OwnerRows::Side(0, vec![side(5), side(2)])],
            _ => vec![],
        }
    }

    /// How sharing the tables ends where a party, the owner of the carrier (0) or of the side (1), puts in other words.
    pub(crate) async fn outcomes_of(
        spans: [Span; 2],
        liar: usize,
        change: impl Fn(&mut [u64]) + Copy + Send + 'static,
    ) -> Vec<Result<(), Abort>> {
        let party = |mut ctx: mpc_core::Context| {
            tokio::spawn(async move {
                let (shape, place) = (shape(spans), Placement { carrier: 0, sides: vec![1], receiver: 2 });
                let (layout, me) = (Layout::new(&shape), ctx.me());
                shape.check().expect("a shape");
                let words = input::words_of(me, &shape, &place, &layout, &rows_of(me), true);
                let mut words = words.expect("the rows fit");
                if me == liar {
                    change(&mut words);
                }
                let mut party = Checked::setup(&mut ctx).await?;
                input::stacked(&mut party, &shape, &place, &layout, &words).await.map(drop)
            })
        };
        let tasks: Vec<_> = memory::contexts(memory::network(3), [3; 32]).into_iter().map(party).collect();
        let mut out = Vec::new();
        for task in tasks {
            out.push(task.await.expect("a party does not panic"));
        }
        out
    }

    /// Both others blame a party whose words are changed, at the check.
    pub(crate) async fn blamed(liar: usize, change: fn(&mut [u64]), what: &str) {
        blamed_of(SPANS, liar, change, what).await;
    }

    /// The same, where the values have these ranges.
    pub(crate) async fn blamed_of(
        spans: [Span; 2],
        liar: usize,
        change: impl Fn(&mut [u64]) + Copy + Send + 'static,
        what: &str,
    ) {
        let out = outcomes_of(spans, liar, change).await;
        for me in (0..3).filter(|me| *me != liar) {
            let abort = out[me].as_ref().expect_err(what);
            assert!(abort.blame == Blame::Peer(liar) && abort.step.contains("check inputs"), "{what}: {abort}");
        }
    }

    /// Gives a row of the side another key.
    fn key(words: &mut [u64], row: usize, key: u64) {
        for bit in 0..3 {
            words[(6 + bit) * ROWS + row] = key >> (2 - bit) & 1;
        }
    }

    #[tokio::test]
    async fn an_owner_that_breaks_a_rule_is_blamed_by_both_others() {
        assert!(outcomes_of(SPANS, 2, |_| ()).await.iter().all(Result::is_ok));
        let changes: [fn(&mut [u64]); 12] = [
            // Row 0 has the key 2, row 1 the key 5; row 2 is a dummy.
            |words| key(words, 1, 2),
            |words| key(words, 1, 1),
            |words| words[2] = 1,
            |words| words[4 * ROWS + 2] = 1,
            |words| words[4 * ROWS] = 2,
            |words| words[7 * ROWS] = 3,
            |words| words[ROWS] = 4,
            |words| words[ROWS] = 0,
            |words| words[3 * ROWS] = 2,
            // A value that none of the key's rows has; a weight that is negative.
            |words| (words[2 * ROWS], words[3 * ROWS]) = (0, 0),
            |words| words[ROWS] = 1 << 63,
            |words| {
                (words[0], words[4 * ROWS], words[5 * ROWS]) = (0, 0, 1);
                key(words, 0, 0);
            },
        ];
        for (number, change) in changes.into_iter().enumerate() {
            blamed(1, change, &format!("change {number} of the side")).await;
        }
    }
}
