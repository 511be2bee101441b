//! Seeded cases of any shape, and the three parties that run them in memory.

#![allow(dead_code)]

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use mpc_core::{Abort, Prg, Transport, memory};
use mpc_relational::{
    Aggregate, CarrierRow, Function, GroupResult, Input, Join, OwnerRows, Placement, Rep3, Scheme, SideRow, SideShape,
    Span, StarShape, run,
};

/// A shape, its placement and rows that fit.
#[derive(Clone)]
pub struct Case {
    pub shape: StarShape,
    pub place: Placement,
    pub carrier: Vec<CarrierRow>,
    pub sides: Vec<Vec<SideRow>>,
}

/// Every function over every input that the shape has.
fn aggregates(carrier_values: u8, sides: &[SideShape]) -> Vec<Aggregate> {
    let mut inputs: Vec<Input> = (0..carrier_values).map(Input::Carrier).collect();
    for (side, shape) in sides.iter().enumerate() {
        let value = |value, absent| Input::Side { side: side as u8, value, absent };
        inputs.extend((0..shape.values.len() as u8).flat_map(|at| [value(at, None), value(at, Some(-7))]));
    }
    let functions = [Function::Count, Function::Sum, Function::Avg { extra_digits: 3 }];
    let over = |input: &Input| functions.map(|function| Aggregate { input: *input, function });
    let rows = Aggregate { input: Input::Rows, function: Function::Count };
    std::iter::once(rows).chain(inputs.iter().flat_map(over)).collect()
}

fn signed(prg: &mut Prg, bound: u64) -> i64 {
    prg.below(2 * bound + 1) as i64 - bound as i64
}

/// A row of a side that stands for up to three rows; `more` are those that the bound still allows beyond one a key.
fn side_row(prg: &mut Prg, key: u64, values: u8, more: &mut u64) -> SideRow {
    let rows = 1 + prg.below(3).min(*more);
    *more -= rows - 1;
    let counts: Vec<u64> = (0..values).map(|_| prg.below(rows + 1)).collect();
    let sums = counts.iter().map(|count| if *count == 0 { 0 } else { signed(prg, 90_000) }).collect();
    SideRow { key, rows, sums, counts }
}

/// Marks the first row of every (key, group), and the first one with each value.
fn mark_leads(rows: &mut [CarrierRow]) {
    let (mut seen, mut seen_values) = (HashSet::new(), HashSet::new());
    for row in rows {
        row.lead = row.key.is_none_or(|key| seen.insert((key, row.group)));
        for (at, value) in row.values.iter().enumerate() {
            row.value_leads[at] = value.is_some() && row.key.is_none_or(|key| seen_values.insert((key, row.group, at)));
        }
    }
}

/// How many real rows and keys a case has, against its bounds.
pub struct Fill {
    pub carrier: u32,
    pub keys: u64,
    pub groups: u32,
    pub threshold: u32,
}

/// A case with duplicates, NULL keys and values, absent partners and dummies, all drawn from the seed.
pub fn case(seed: u8, sides: &[(Join, u32, u32, u8)], bound: u32, fill: &Fill) -> Case {
    let mut prg = Prg::new(&[seed; 32]);
    let spans = |values: &u8| vec![Span { low: -90_000, high: 90_000 }; usize::from(*values)];
    let shape =
        |(join, rows, _, values): &(Join, u32, u32, u8)| SideShape { rows: *rows, join: *join, values: spans(values) };
    let shapes: Vec<SideShape> = sides.iter().map(shape).collect();
    let shape = StarShape {
        carrier_rows: bound,
        key_bits: 16,
        group_bits: 5,
        max_groups: 20,
        key_words: 2,
        carrier_values: vec![Span { low: -5000, high: 5000 }],
        aggregates: aggregates(1, &shapes),
        sides: shapes,
        threshold: fill.threshold,
    };
    let spread = 65_535 / fill.keys;
    let row = |prg: &mut Prg| {
        let group = prg.below(fill.groups.into()) as u32;
        CarrierRow {
            key: (prg.below(8) > 0).then(|| prg.below(fill.keys) * spread),
            group,
            group_words: vec![u64::from(group) + 1000, u64::MAX - u64::from(group)],
            lead: false,
            values: vec![(prg.below(4) > 0).then(|| signed(prg, 5000))],
            value_leads: vec![false],
        }
    };
    let mut carrier: Vec<CarrierRow> = (0..fill.carrier).map(|_| row(&mut prg)).collect();
    mark_leads(&mut carrier);
    let side = |(_, bound, rows, values): &(Join, u32, u32, u8)| {
        let keys: BTreeSet<u64> = (0..*rows).map(|_| prg.below(fill.keys) * spread).collect();
        let mut more = u64::from(*bound) - keys.len() as u64;
        let mut rows: Vec<SideRow> = keys.into_iter().map(|key| side_row(&mut prg, key, *values, &mut more)).collect();
        rows.reverse();
        rows
    };
    let sides: Vec<Vec<SideRow>> = sides.iter().map(side).collect();
    let owners = (0..sides.len()).map(|side| (side + usize::from(seed)) % 3).collect();
    let place = Placement { carrier: (seed / 3) as usize % 3, sides: owners, receiver: (seed / 2) as usize % 3 };
    Case { shape, place, carrier, sides }
}

impl Case {
    /// What a party puts in.
    pub fn rows_of(&self, me: usize) -> Vec<OwnerRows> {
        let sides = self.sides.iter().enumerate().filter(|(side, _)| self.place.sides[*side] == me);
        let mut out: Vec<OwnerRows> = sides.map(|(side, rows)| OwnerRows::Side(side, rows.clone())).collect();
        if self.place.carrier == me {
            out.push(OwnerRows::Carrier(self.carrier.clone()));
        }
        out
    }

    /// Runs the three parties of tier B over the given transports; the answers are in the order of the parties.
    pub async fn run(&self, transports: Vec<Arc<dyn Transport>>) -> Vec<Result<Option<Vec<GroupResult>>, Abort>> {
        self.run_on::<Rep3>(transports).await
    }

    /// As [`Case::run`], on any scheme.
    pub async fn run_on<S: Scheme>(
        &self,
        transports: Vec<Arc<dyn Transport>>,
    ) -> Vec<Result<Option<Vec<GroupResult>>, Abort>> {
        let party = |mut ctx: mpc_core::Context| {
            let case = self.clone();
            tokio::spawn(async move {
                let mine = case.rows_of(ctx.me());
                let mut steps = 0;
                let out = run::<S>(&mut ctx, &case.shape, &case.place, mine, &mut |_| steps += 1).await;
                assert!(out.is_err() || steps >= 5);
                if out.is_ok() {
                    eprintln!("party {}: {} rounds, {} bytes sent", ctx.me(), ctx.rounds(), ctx.bytes_sent());
                }
                out
            })
        };
        let tasks: Vec<_> = memory::contexts(transports, [77; 32]).into_iter().map(party).collect();
        let mut out = Vec::new();
        for task in tasks {
            out.push(task.await.expect("a party does not panic"));
        }
        out
    }
}
