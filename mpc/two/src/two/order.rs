//! What follows from comparisons: the smaller and the larger, magnitudes, the largest of many and its place, sorted rows.
//!
//! Integers are read as signed ones; but for [`Two::sort`], wherever two are compared their difference must be one of 64 bits too
//! (see [`Two::less`]).

use std::ops::RangeInclusive;

use mpc_core::Abort;

use super::tables::{additive, words};
use super::{Two, same};
use crate::shares::{Additive, BitShares};
use crate::sort;

impl Two {
    /// Element by element: `x` where the bit is set, else `y`. One round.
    ///
    /// # Errors
    /// As all operations.
    pub async fn choose(&mut self, bits: &BitShares, x: &Additive, y: &Additive) -> Result<Additive, Abort> {
        same(x.len(), y.len())?;
        Ok(self.select(bits, &x.sub(y)).await?.add(y))
    }

    /// Element by element: the smaller of two. Seven rounds.
    ///
    /// # Errors
    /// As all operations.
    pub async fn min(&mut self, x: &Additive, y: &Additive) -> Result<Additive, Abort> {
        let less = self.less(x, y).await?;
        self.choose(&less, x, y).await
    }

    /// Element by element: the larger of two. Seven rounds.
    ///
    /// # Errors
    /// As all operations.
    pub async fn max(&mut self, x: &Additive, y: &Additive) -> Result<Additive, Abort> {
        let less = self.less(x, y).await?;
        self.choose(&less, y, x).await
    }

    /// Element by element: `x` where it is positive, else 0. Seven rounds.
    ///
    /// # Errors
    /// As all operations.
    pub async fn relu(&mut self, x: &Additive) -> Result<Additive, Abort> {
        let negative = self.negative(x).await?;
        self.select(&self.not(&negative), x).await
    }

    /// Element by element: the magnitude; that of -2^63 is itself. Seven rounds.
    ///
    /// # Errors
    /// As all operations.
    pub async fn abs(&mut self, x: &Additive) -> Result<Additive, Abort> {
        let negative = self.negative(x).await?;
        let below = self.select(&negative, x).await?;
        Ok(x.sub(&below.scale(2)))
    }

    /// Of equally long columns, row by row: the largest value and the number of the first column that has it, by a
    /// tournament. Eight rounds a level, `log2` of the number of columns levels.
    ///
    /// # Errors
    /// As all operations; also when there is no column.
    pub async fn argmax(&mut self, columns: &[&Additive]) -> Result<(Additive, Additive), Abort> {
        let rows = columns.first().ok_or_else(|| Abort::local("the largest of no columns"))?.len();
        columns.iter().try_for_each(|column| same(column.len(), rows))?;
        let mut values: Vec<Additive> = columns.iter().map(|column| (*column).clone()).collect();
        let number = |number: u64| self.constant(&vec![number; rows]);
        let mut places: Vec<Additive> = (0..columns.len() as u64).map(number).collect();
        while values.len() > 1 {
            // Neighbours meet, so that the column that came first stays on the left.
            let (left, right) = (side(&values, 0), side(&values, 1));
            let (left_at, right_at) = (side(&places, 0), side(&places, 1));
            let larger = self.less(&left, &right).await?;
            let value = self.choose(&larger, &right, &left).await?;
            let place = self.choose(&larger, &right_at, &left_at).await?;
            values = next_level(&value, values, rows);
            places = next_level(&place, places, rows);
        }
        let only = |mut level: Vec<Additive>| level.pop().unwrap_or_else(|| Additive::zeros(0));
        Ok((only(values), only(places)))
    }

    /// Sorts the rows of equally long columns by column number `by`, as signed numbers that are all in `range`; rows with equal keys
    /// keep their order. The narrower the range, the less it costs. At most 2^20 rows.
    ///
    /// Nothing is learnt from it but that the keys were in the range: a caller whose keys may be others sees to it before, since the
    /// comparisons that are opened may then tell something of them.
    ///
    /// About ten rounds for each of `log2` of the number of rows and some more; `16 (log2 n - 1)` bytes a row, column and party for the
    /// shuffle, and less than a kilobyte from a party for each of `log2 n + 4` comparisons of a row.
    ///
    /// # Errors
    /// As all operations; also when there is no such column, or the range is empty.
    pub async fn sort(
        &mut self,
        columns: Vec<Additive>,
        by: usize,
        range: RangeInclusive<i64>,
    ) -> Result<Vec<Additive>, Abort> {
        let mut table = words(&columns)?;
        if by >= table.len() || range.is_empty() {
            return Err(Abort::local(format!("no column {by} of {} with keys in {range:?}", table.len())));
        }
        let mut party = self.open()?;
        sort::sort(&mut party, &mut table, by, (*range.start(), *range.end())).await?;
        self.close(party);
        Ok(additive(table))
    }
}

/// The left (`side` 0) or right (1) ones of all pairs of columns, one after the other.
fn side(columns: &[Additive], side: usize) -> Additive {
    Additive::concat(columns.as_chunks::<2>().0.iter().map(|pair| &pair[side]))
}

/// The winners, column by column, and the column that met none.
fn next_level(winners: &Additive, before: Vec<Additive>, rows: usize) -> Vec<Additive> {
    let pairs = before.len() / 2;
    let winner = |pair: usize| winners.range(pair * rows..(pair + 1) * rows);
    (0..pairs).map(winner).chain(before.into_iter().skip(2 * pairs)).collect()
}
