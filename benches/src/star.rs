//! A small star join on the scheme of either tier, so that one program tells what tier B+ takes beside tier B.
//!
//! Party 0 owns the carrier, party 1 a side, party 2 receives the groups. The clock of a run includes set-up and inputs: they are
//! part of every job, and in tier B+ what owners put in is checked.

use anyhow::ensure;
use mpc_core::{Context, Prg};
use mpc_relational::{
    Aggregate, CarrierRow, Function, GroupResult, Input, Join, OwnerRows, Placement, Scheme, SideRow, SideShape, Span,
    StarShape, plain, run,
};

use crate::wire::{Begun, Work};

/// Bits of a group's rank.
const GROUP_BITS: u8 = 4;
/// One key in so many has no partner.
const ALONE: u32 = 4;
/// Fewest people of a value that is shown.
const THRESHOLD: u32 = 3;

/// A star join and what it gives in the clear.
pub struct Star {
    shape: StarShape,
    place: Placement,
    carrier: Vec<CarrierRow>,
    side: Vec<SideRow>,
    due: Vec<GroupResult>,
}

/// What each value can be.
const SPAN: Span = Span { low: -100_000, high: 100_000 };

fn value(prg: &mut Prg) -> i64 {
    prg.below(SPAN.low.abs_diff(SPAN.high) + 1) as i64 + SPAN.low
}

/// By what describes them: the engine shuffles them.
fn sorted(mut groups: Vec<GroupResult>) -> Vec<GroupResult> {
    groups.sort_by(|one, two| one.group_words.cmp(&two.group_words));
    groups
}

/// Count, sum of the carrier's value and mean of the side's, by group.
fn shape(rows: u32) -> StarShape {
    let over = Input::Side { side: 0, value: 0, absent: None };
    StarShape {
        carrier_rows: rows,
        // Keys are below the number of rows.
        key_bits: (u32::BITS - rows.leading_zeros()).max(1) as u8,
        group_bits: GROUP_BITS,
        max_groups: 1 << GROUP_BITS,
        key_words: 1,
        carrier_values: vec![SPAN],
        sides: vec![SideShape { rows, join: Join::Left, values: vec![SPAN] }],
        aggregates: vec![
            Aggregate { input: Input::Rows, function: Function::Count },
            Aggregate { input: Input::Carrier(0), function: Function::Sum },
            Aggregate { input: over, function: Function::Avg { extra_digits: 2 } },
        ],
        threshold: THRESHOLD,
    }
}

impl Star {
    /// With tables of at most `rows` rows, which are as good as random and the same in every run of the program.
    pub fn new(rows: u32) -> Self {
        let mut prg = Prg::new(&[9; 32]);
        let mut carrier = Vec::with_capacity(rows as usize);
        for key in 0..rows {
            let group = prg.below(1 << GROUP_BITS) as u32;
            carrier.push(CarrierRow {
                key: Some(key.into()),
                group,
                group_words: vec![group.into()],
                lead: true,
                values: vec![Some(value(&mut prg))],
                value_leads: vec![true],
            });
        }
        let partner = |key: u32| SideRow { key: key.into(), rows: 1, sums: vec![value(&mut prg)], counts: vec![1] };
        let side: Vec<SideRow> = (0..rows).filter(|key| key % ALONE > 0).map(partner).collect();
        let shape = shape(rows);
        let due = sorted(plain(&shape, &carrier, std::slice::from_ref(&side)));
        Self { shape, place: Placement { carrier: 0, sides: vec![1], receiver: 2 }, carrier, side, due }
    }

    fn rows_of(&self, party: usize) -> Vec<OwnerRows> {
        match party {
            0 => vec![OwnerRows::Carrier(self.carrier.clone())],
            1 => vec![OwnerRows::Side(0, self.side.clone())],
            _ => Vec::new(),
        }
    }

    fn check(&self, party: usize, groups: Option<Vec<GroupResult>>) -> anyhow::Result<()> {
        ensure!(groups.is_some() == (party == self.place.receiver), "party {party} is told what it must not know");
        ensure!(groups.is_none_or(|groups| sorted(groups) == self.due), "the groups differ from those in the clear");
        Ok(())
    }

    /// One party's runs, one after the other in a session; every result is checked, the first run is not counted.
    ///
    /// # Errors
    /// What the engine fails with, or a wrong result.
    pub async fn party<S: Scheme>(&self, mut ctx: Context, runs: usize) -> anyhow::Result<Vec<Work>> {
        let mut works = Vec::with_capacity(runs);
        for at in 0..=runs {
            let rows = self.rows_of(ctx.me());
            let begun = Begun::together(&mut ctx).await?;
            let groups = run::<S>(&mut ctx, &self.shape, &self.place, rows, &mut |_| ()).await?;
            let work = begun.ended(&ctx);
            self.check(ctx.me(), groups)?;
            if at > 0 {
                works.push(work);
            }
        }
        Ok(works)
    }
}

#[cfg(test)]
mod tests {
    use mpc_relational::{Cell, Checked, Rep3};

    use super::*;
    use crate::wire::{Network, parties};

    #[test]
    fn both_tiers_give_the_groups_that_are_due() {
        let star = Star::new(40);
        // Forty people in sixteen groups: one has three.
        assert!(star.due.iter().flat_map(|group| &group.values).any(|cell| matches!(cell, Cell::Value(_))));
        let semi = parties(3, Network::Plain, |ctx| star.party::<Rep3>(ctx, 1)).expect("three parties");
        let checked = parties(3, Network::Plain, |ctx| star.party::<Checked>(ctx, 1)).expect("three parties");
        assert!(semi.iter().chain(&checked).all(|works| works.len() == 1));
        assert!(semi.iter().zip(&checked).all(|(semi, checked)| checked[0].rounds > semi[0].rounds));
        let mut wrong = star.due.clone();
        assert!(star.check(2, Some(wrong.clone())).is_ok() && star.check(0, Some(wrong.clone())).is_err());
        wrong[0].values[0] = Cell::Null;
        assert!(star.check(2, Some(wrong)).is_err() && star.check(2, None).is_err() && star.check(0, None).is_ok());
    }
}
