//! The ideal functionality in the clear: what [`crate::run`] must compute, and all that the receiver may learn.
//!
//! Written row by row from the meaning of a join, a group and an aggregate, without the engine's formulas.

use std::collections::BTreeMap;

use crate::{Aggregate, CarrierRow, Cell, Function, GroupResult, Input, Join, SideRow, StarShape};

/// A carrier row with its partner of every side.
struct JoinedRow<'a> {
    carrier: &'a CarrierRow,
    partners: Vec<Option<&'a SideRow>>,
}

/// What an aggregate has seen of a group.
#[derive(Default)]
struct Seen {
    sum: i128,
    count: i128,
    people: u64,
}

impl JoinedRow<'_> {
    /// How many rows the join makes of this one, the given side left out.
    fn times(&self, but: Option<usize>) -> i128 {
        let others = self.partners.iter().enumerate().filter(|(side, _)| Some(*side) != but);
        others.map(|(_, partner)| partner.map_or(1, |partner| i128::from(partner.rows))).product()
    }

    fn add_to(&self, seen: &mut Seen, shape: &StarShape, input: Input) {
        match input {
            Input::Rows => {
                seen.count += self.times(None);
                seen.people += u64::from(self.carrier.lead);
            }
            Input::Carrier(value) => {
                let value = usize::from(value);
                if let Some(word) = self.carrier.values[value] {
                    seen.sum += i128::from(word) * self.times(None);
                    seen.count += self.times(None);
                    seen.people += u64::from(self.carrier.value_leads[value]);
                }
            }
            Input::Side { side, value, absent } => {
                let (side, value) = (usize::from(side), usize::from(value));
                let absent = absent.filter(|_| shape.sides[side].join == Join::Left);
                let (sum, count) = match (self.partners[side], absent) {
                    (Some(partner), _) => (i128::from(partner.sums[value]), i128::from(partner.counts[value])),
                    (None, Some(constant)) => (i128::from(constant), 1),
                    (None, None) => (0, 0),
                };
                seen.sum += sum * self.times(Some(side));
                seen.count += count * self.times(Some(side));
                seen.people += u64::from(self.carrier.lead && count > 0);
            }
        }
    }
}

fn cell(shape: &StarShape, function: Function, seen: &Seen) -> Cell {
    if seen.people < u64::from(shape.threshold) {
        return Cell::Suppressed;
    }
    match function {
        Function::Count => Cell::Value(seen.count as i64),
        Function::Sum | Function::Avg { .. } if seen.count == 0 => Cell::Null,
        Function::Sum => Cell::Value(seen.sum as i64),
        Function::Avg { extra_digits } => {
            let scaled = seen.sum * 10i128.pow(extra_digits.into());
            let magnitude = (2 * scaled.abs() + seen.count) / (2 * seen.count);
            Cell::Value((magnitude * scaled.signum()) as i64)
        }
    }
}

/// Joins, groups and aggregates in the clear; groups by their rank. Overflow is excluded by the caller, as for
/// [`crate::run`].
///
/// # Panics
/// When the rows do not fit the shape: [`crate::run`] refuses such rows.
pub fn plain(shape: &StarShape, carrier: &[CarrierRow], sides: &[Vec<SideRow>]) -> Vec<GroupResult> {
    let mut groups: BTreeMap<u32, Vec<JoinedRow<'_>>> = BTreeMap::new();
    for row in carrier {
        let find = |side: &'_ Vec<SideRow>| side.iter().position(|partner| Some(partner.key) == row.key);
        let partners: Vec<Option<&SideRow>> = sides.iter().map(|side| find(side).map(|at| &side[at])).collect();
        let falls_out =
            partners.iter().zip(&shape.sides).any(|(partner, side)| partner.is_none() && side.join == Join::Inner);
        if !falls_out {
            groups.entry(row.group).or_default().push(JoinedRow { carrier: row, partners });
        }
    }
    let value = |rows: &[JoinedRow<'_>], aggregate: &Aggregate| {
        let mut seen = Seen::default();
        rows.iter().for_each(|row| row.add_to(&mut seen, shape, aggregate.input));
        cell(shape, aggregate.function, &seen)
    };
    let result = |rows: &Vec<JoinedRow<'_>>| GroupResult {
        group_words: rows[0].carrier.group_words.clone(),
        values: shape.aggregates.iter().map(|aggregate| value(rows, aggregate)).collect(),
    };
    groups.values().map(result).collect()
}
