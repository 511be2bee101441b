//! The group-by: each carrier row's contributions, summed over its group, one row a group.
//!
//! The sort-and-aggregate of ORQ (SOSP 2025), without a scan: after the sort by group the running sums are local, the last row of a
//! group carries them, one stable bit sort brings these rows to the front, and neighbours' differences are the groups'
//! sums. The running sums of modulo 2^64 may wrap; the differences do not.

use mpc_core::Abort;
use mpc_share::Arith;

use crate::layout::{Layout, SideAt};
use crate::products::{equals_before, products};
use crate::{Function, Input, Join, Scheme, StarShape};

/// What is known of every group, shared, one element a group; elements of groups that do not exist hold anything.
pub(crate) struct Totals {
    /// Joined rows of the group, 0 for a group that does not exist.
    pub rows: Arith,
    /// What describes the group.
    pub words: Vec<Arith>,
    /// One for each aggregate.
    pub measures: Vec<Measure>,
}

/// The sums behind one aggregate.
pub(crate) struct Measure {
    /// The sum of the values, unless they are only counted.
    pub sum: Option<Arith>,
    /// How many values are not NULL; for rows, how many rows.
    pub count: Arith,
    /// Distinct people that contribute.
    pub people: Arith,
}

/// What one joined row contributes to an aggregate: factors of products.
struct Contribution {
    sum: Option<Vec<Arith>>,
    count: Vec<Arith>,
    people: Vec<Arith>,
}

/// The joined table with the formulas of its rows.
struct Joined<'a> {
    shape: &'a StarShape,
    layout: &'a Layout,
    table: &'a [Arith],
}

impl Joined<'_> {
    fn column(&self, at: usize) -> Arith {
        self.table[at].clone()
    }

    fn absent<S: Scheme>(&self, party: &S, side: &SideAt) -> Arith {
        party.not(&self.table[side.present])
    }

    /// How often a side multiplies each row: the partner's rows, or once where a left join has no partner.
    fn factors<S: Scheme>(&self, party: &S, but: Option<usize>) -> Vec<Arith> {
        let sides = self.layout.sides.iter().zip(&self.shape.sides).enumerate();
        let factor = |(_, (at, shape)): (usize, (&SideAt, &crate::SideShape))| match shape.join {
            Join::Inner => self.column(at.rows),
            Join::Left => self.table[at.rows].add(&self.absent(party, at)),
        };
        sides.filter(|(side, _)| Some(*side) != but).map(factor).collect()
    }

    /// Whether the row survives every inner join.
    fn partners(&self) -> Vec<Arith> {
        let sides = self.layout.sides.iter().zip(&self.shape.sides);
        sides.filter(|(_, shape)| shape.join == Join::Inner).map(|(at, _)| self.column(at.present)).collect()
    }

    fn contribution<S: Scheme>(&self, party: &S, input: Input) -> Contribution {
        let with = |first: Vec<Arith>, rest: Vec<Arith>| [first, rest].concat();
        match input {
            Input::Rows => Contribution {
                sum: None,
                count: with(vec![self.column(self.layout.valid)], self.factors(party, None)),
                people: with(vec![self.column(self.layout.lead)], self.partners()),
            },
            Input::Carrier(value) => {
                let at = &self.layout.values[usize::from(value)];
                let times = self.factors(party, None);
                Contribution {
                    sum: Some(with(vec![self.column(at.value)], times.clone())),
                    count: with(vec![self.column(at.nonnull)], times),
                    people: with(vec![self.column(at.lead)], self.partners()),
                }
            }
            Input::Side { side, value, absent } => self.side_contribution(party, side.into(), value.into(), absent),
        }
    }

    fn side_contribution<S: Scheme>(&self, party: &S, side: usize, value: usize, absent: Option<i64>) -> Contribution {
        let (at, times) = (&self.layout.sides[side], self.factors(party, Some(side)));
        let value = &at.values[value];
        let (mut sum, mut count, mut has) = (self.column(value.sum), self.column(value.count), self.column(value.has));
        if let (Some(constant), Join::Left) = (absent, self.shape.sides[side].join) {
            let missing = self.absent(party, at);
            sum = sum.add(&missing.scale(constant as u64));
            count = count.add(&missing);
            has = has.add(&missing);
        }
        let valid = || self.column(self.layout.valid);
        let with = |first: Arith| [vec![valid(), first], times.clone()].concat();
        let people = [vec![self.column(self.layout.lead), has], self.partners()].concat();
        Contribution { sum: Some(with(sum)), count: with(count), people }
    }
}

/// Sorts the joined table by group and sums it up.
pub(crate) async fn group<S: Scheme>(
    party: &mut S,
    shape: &StarShape,
    layout: &Layout,
    mut table: Vec<Arith>,
) -> Result<Totals, Abort> {
    party.enter("sort by group");
    let not_carrier = table.len();
    table.push(party.not(&table[layout.valid]));
    let key: Vec<usize> = std::iter::once(not_carrier).chain(layout.group.clone()).collect();
    let table = party.sort(table, &key).await?;
    party.enter("aggregate");
    // All rows of the carrier are now in front: the rest, rows of sides, is cut off.
    let rows = shape.carrier_rows as usize;
    let table: Vec<Arith> = table.iter().map(|column| column.range(0..rows).to_shared()).collect();
    let last = last_rows(party, layout, &table, rows).await?;
    let joined = Joined { shape, layout, table: &table };
    let all = contributions(party, &joined).await?;
    let front = to_front(party, shape, &joined, all, last).await?;
    Ok(unpack(shape, front))
}

/// Whether each row is the last of its group.
async fn last_rows<S: Scheme>(party: &mut S, layout: &Layout, table: &[Arith], rows: usize) -> Result<Arith, Abort> {
    let valid = &table[layout.valid];
    let bits: Vec<&Arith> = table[layout.group.clone()].iter().collect();
    let extra = vec![valid.range(1..rows).to_shared()];
    let same = equals_before(party, &bits, rows, extra).await?;
    // same[t + 1] says that row t + 1 is of the carrier and of row t's group; then row t is of the carrier too.
    let followed = Arith::concat([same.range(1..rows), Arith::zeros(1).view()]);
    Ok(valid.sub(&followed))
}

/// Every row's contributions: the joined rows first, then the columns of each aggregate (sum if any, count, people).
async fn contributions<S: Scheme>(party: &mut S, joined: &Joined<'_>) -> Result<Vec<Arith>, Abort> {
    let mut terms = vec![joined.contribution(party, Input::Rows).count];
    for aggregate in &joined.shape.aggregates {
        let Contribution { sum, count, people } = joined.contribution(party, aggregate.input);
        terms.extend(sum.filter(|_| aggregate.function != Function::Count));
        terms.extend([count, people]);
    }
    products(party, terms).await
}

/// Brings the last row of every group to the front, with the group's sums: the contributions' sums, then its words.
async fn to_front<S: Scheme>(
    party: &mut S,
    shape: &StarShape,
    joined: &Joined<'_>,
    contributions: Vec<Arith>,
    last: Arith,
) -> Result<Vec<Arith>, Abort> {
    let sums = contributions.len();
    let mut table: Vec<Arith> = contributions.iter().map(Arith::prefix_sums).collect();
    table.extend(joined.layout.words.clone().map(|at| joined.column(at)));
    let key = table.len() + 1;
    table.extend([last.clone(), party.not(&last)]);
    let mut table = party.sort(table, &[key]).await?;
    let groups = shape.max_groups.min(shape.carrier_rows) as usize;
    for (at, column) in table.iter_mut().enumerate() {
        let above = Arith::concat([Arith::zeros(1).view(), column.range(0..groups - 1)]);
        let front = column.range(0..groups).to_shared();
        *column = if at < sums { front.sub(&above) } else { front };
    }
    // Behind the groups stand other rows: they get no joined rows, and so do not exist.
    table.truncate(key);
    let last = table.pop().unwrap_or_else(|| Arith::zeros(groups));
    table[0] = party.mul(&table[0], &last).await?;
    party.shuffle(table).await
}

fn unpack(shape: &StarShape, columns: Vec<Arith>) -> Totals {
    let mut columns = columns.into_iter();
    let mut next = || columns.next().unwrap_or_else(|| Arith::zeros(0));
    let rows = next();
    let measure = |aggregate: &crate::Aggregate| Measure {
        sum: (aggregate.function != Function::Count).then(&mut next),
        count: next(),
        people: next(),
    };
    let measures = shape.aggregates.iter().map(measure).collect();
    Totals { rows, measures, words: columns.collect() }
}
