//! What an owner's rows must keep to, checked on the shares where an owner may deviate: before anything depends on it.
//!
//! A sort opens destinations that are a permutation only where its key holds bits, and a threshold counts people only where
//! each counts once. So every column of bits holds bits; a side's keys rise, so that none occurs twice; its dummies come last
//! and count nowhere; its keys stand for no more rows than there are. Whether the rows are true nobody can see; nor is it checked that
//! of a carrier's rows of one key and group one leads: an owner that deviates may let one person count for several.
//! Each rule is an integer that is 0 where it is kept, made of one owner's words alone: to open it tells nothing where the owner
//! keeps to it, and nothing of others' rows where not.

use mpc_core::Abort;
use mpc_share::{Arith, View, Z64};

use crate::Scheme;
use crate::input::Table;
use crate::layout::Layout;

/// Integers that are 0 where their owner keeps to the rules.
struct Rule {
    owner: usize,
    zero: Arith,
}

/// A table's part of a column of the stacked table.
struct Part<'a> {
    table: &'a Table,
    from: usize,
    columns: &'a [Arith],
}

impl<'a> Part<'a> {
    fn of(&self, column: usize) -> View<'a, Z64> {
        self.columns[column].range(self.from..self.from + self.table.rows)
    }
}

/// Checks every owner's rows.
///
/// # Errors
/// [`Abort`] that blames the owner of rows that break a rule, else when a peer is gone or misbehaves.
pub(crate) async fn check<S: Scheme>(
    party: &mut S,
    layout: &Layout,
    tables: &[Table],
    columns: &[Arith],
) -> Result<(), Abort> {
    let mut from = 0;
    let mut parts = Vec::with_capacity(tables.len());
    for table in tables {
        parts.push(Part { table, from, columns });
        from += table.rows;
    }
    let mut rules = bits(party, layout, &parts).await?;
    if !layout.order.is_empty() {
        rules.extend(dummies(party, layout, &parts).await?);
        rules.extend(weights(party, layout, &parts).await?);
        rules.extend(rising(party, layout, &parts).await?);
    }
    let opened = party.open(&Arith::concat(rules.iter().map(|rule| rule.zero.view()))).await?;
    let mut at = 0;
    for Rule { owner, zero } in &rules {
        let broken = opened[at..at + zero.len()].iter().any(|word| *word != 0);
        at += zero.len();
        if broken {
            let why = "its rows are none that an owner may put in";
            let abort = if *owner == party.me() { Abort::local(why) } else { Abort::peer(*owner, why) };
            return Err(abort.at("star: check inputs"));
        }
    }
    Ok(())
}

/// The columns of a table that hold bits.
fn columns_of_bits(layout: &Layout, table: &Table) -> Vec<usize> {
    let mut all: Vec<usize> = layout.order.clone().collect();
    if table.own == layout.carrier {
        all.extend([layout.valid, layout.lead]);
        all.extend(layout.group.clone());
        all.extend(layout.values.iter().flat_map(|value| [value.nonnull, value.lead]));
    } else if let Some(side) = layout.sides.iter().find(|side| side.all == table.own) {
        all.push(side.present);
        all.extend(side.values.iter().map(|value| value.has));
    }
    all
}

/// Every bit is its own square.
async fn bits<S: Scheme>(party: &mut S, layout: &Layout, parts: &[Part<'_>]) -> Result<Vec<Rule>, Abort> {
    let mut all = Vec::new();
    for part in parts {
        all.extend(columns_of_bits(layout, part.table).into_iter().map(|column| (part.table.owner, part.of(column))));
    }
    let pairs: Vec<_> = all.iter().map(|(_, bit)| (*bit, *bit)).collect();
    let squares = party.mul_many(&pairs).await?;
    let rule = |((owner, bit), square): (&(usize, View<'_, Z64>), &Arith)| Rule {
        owner: *owner,
        zero: square.view().minus(*bit),
    };
    Ok(all.iter().zip(&squares).map(rule).collect())
}

/// A side's row is present and has a key, or is a dummy: without key, and zeros.
async fn dummies<S: Scheme>(party: &mut S, layout: &Layout, parts: &[Part<'_>]) -> Result<Vec<Rule>, Abort> {
    let (mut pairs, mut rules) = (Vec::new(), Vec::new());
    for (part, side) in parts.iter().zip(&layout.sides) {
        let (owner, no_key) = (part.table.owner, part.of(layout.order.start));
        pairs.extend(side.all.clone().map(|column| (owner, (part.of(column), no_key))));
        let keyed = party.not(&no_key.to_shared());
        rules.push(Rule { owner, zero: keyed.view().minus(part.of(side.present)) });
    }
    let factors: Vec<_> = pairs.iter().map(|(_, pair)| *pair).collect();
    let products = party.mul_many(&factors).await?;
    let owners = pairs.iter().map(|(owner, _)| *owner);
    rules.extend(owners.zip(products).map(|(owner, zero)| Rule { owner, zero }));
    Ok(rules)
}

/// What a key of a side stands for are rows of its source, of which there are no more than its bound: so no owner can give a
/// partner's row the weight of millions. Of these rows no more have a value than there are.
async fn weights<S: Scheme>(party: &mut S, layout: &Layout, parts: &[Part<'_>]) -> Result<Vec<Rule>, Abort> {
    let mut least: Vec<(usize, Arith)> = Vec::new();
    for (part, side) in parts.iter().zip(&layout.sides) {
        let (len, rows) = (part.table.rows, part.of(side.rows));
        let bound = party.integers(len as u64, len);
        let sums = bound.sub(&rows.to_shared().prefix_sums());
        let mut all = vec![rows.to_shared(), bound.view().minus(rows), rows.minus(part.of(side.present))];
        all.push(sums.range(len - 1..len).to_shared());
        for value in &side.values {
            let count = part.of(value.count);
            all.extend([count.to_shared(), rows.minus(count)]);
        }
        least.extend(all.into_iter().map(|column| (part.table.owner, column)));
    }
    let all = Arith::concat(least.iter().map(|(_, column)| column.view()));
    let negative = party.less(&all, &Arith::zeros(all.len())).await?;
    let mut at = 0;
    let rule = |(owner, column): &(usize, Arith)| {
        at += column.len();
        Rule { owner: *owner, zero: negative.range(at - column.len()..at).to_shared() }
    };
    Ok(least.iter().map(rule).collect())
}

/// A row of a side that has a key follows one that has a smaller one.
async fn rising<S: Scheme>(party: &mut S, layout: &Layout, parts: &[Part<'_>]) -> Result<Vec<Rule>, Abort> {
    let (mut before, mut after, mut gaps, mut keyed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (part, _) in parts.iter().zip(&layout.sides) {
        let (rows, no_key) = (part.table.rows, part.of(layout.order.start));
        let bits = (layout.order.start + 1..layout.order.end).rev().zip(0..);
        let key = bits
            .fold(Arith::zeros(rows), |sum, (column, place)| sum.add(&part.of(column).to_shared().scale(1 << place)));
        before.push(key.range(0..rows - 1).to_shared());
        after.push(key.range(1..rows).to_shared());
        gaps.push(no_key.range(0..rows - 1).to_shared());
        keyed.push(party.not(&no_key.range(1..rows).to_shared()));
    }
    let all = |columns: &[Arith]| Arith::concat(columns.iter().map(Arith::view));
    let (gaps, keyed) = (all(&gaps), all(&keyed));
    let rises = party.less(&all(&before), &all(&after)).await?;
    let falls = party.not(&rises);
    let broken = party.mul_many(&[(falls.view(), keyed.view()), (gaps.view(), keyed.view())]).await?;
    let mut out = Vec::with_capacity(2 * before.len());
    for column in &broken {
        let mut at = 0;
        for (part, before) in parts.iter().zip(&before) {
            let zero = column.range(at..at + before.len()).to_shared();
            at += before.len();
            out.push(Rule { owner: part.table.owner, zero });
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use mpc_core::{Blame, memory};

    use super::*;
    use crate::{CarrierRow, Checked, Join, OwnerRows, Placement, SideRow, SideShape, StarShape, input};

    /// Rows of the side's table, whose words stand column by column: present, rows, sum, count, has, no_key, three key bits.
    const ROWS: usize = 3;

    fn shape() -> StarShape {
        StarShape {
            carrier_rows: 2,
            key_bits: 3,
            group_bits: 1,
            max_groups: 2,
            key_words: 0,
            carrier_values: 0,
            sides: vec![SideShape { rows: ROWS as u32, join: Join::Left, values: 1 }],
            aggregates: vec![],
            threshold: 1,
        }
    }

    fn rows_of(me: usize) -> Vec<OwnerRows> {
        let row = |key| SideRow { key, rows: 1, sums: vec![7], counts: vec![1] };
        let carrier =
            CarrierRow { key: Some(5), group: 1, group_words: vec![], lead: true, values: vec![], value_leads: vec![] };
        match me {
            0 => vec![OwnerRows::Carrier(vec![carrier])],
            1 => vec![OwnerRows::Side(0, vec![row(5), row(2)])],
            _ => vec![],
        }
    }

    /// How sharing the tables ends where party 1, the side's owner, puts in other words.
    async fn outcomes(change: fn(&mut [u64])) -> Vec<Result<(), Abort>> {
        let party = |mut ctx: mpc_core::Context| {
            tokio::spawn(async move {
                let (shape, place) = (shape(), Placement { carrier: 0, sides: vec![1], receiver: 2 });
                let (layout, me) = (Layout::new(&shape), ctx.me());
                let words = input::words_of(me, &shape, &place, &layout, &rows_of(me));
                let mut words = words.expect("the rows fit");
                if me == 1 {
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

    /// Gives a row of the side another key.
    fn key(words: &mut [u64], row: usize, key: u64) {
        for bit in 0..3 {
            words[(6 + bit) * ROWS + row] = key >> (2 - bit) & 1;
        }
    }

    #[tokio::test]
    async fn an_owner_that_breaks_a_rule_is_blamed_by_both_others() {
        assert!(outcomes(|_| ()).await.iter().all(Result::is_ok));
        let changes: [fn(&mut [u64]); 10] = [
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
            |words| {
                (words[0], words[4 * ROWS], words[5 * ROWS]) = (0, 0, 1);
                key(words, 0, 0);
            },
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let out = outcomes(change).await;
            for me in [0, 2] {
                let abort = out[me].as_ref().expect_err("the rows are false");
                assert_eq!(abort.blame, Blame::Peer(1), "{number}: {abort}");
            }
        }
    }
}
