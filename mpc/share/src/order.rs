//! What follows from comparisons of integers: the smaller and the larger, magnitudes, the largest of many and its place.
//!
//! Integers are read as signed ones; wherever two are compared, their difference must be one of 64 bits too (see
//! [`Rep3::less_than`]). Fixed-point numbers of one scale are compared as the integers that represent them.

use mpc_core::Abort;

use crate::{Arith, Rep3, Replicated};

impl Rep3 {
    /// `x` where it is positive, else 0. Ten rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn relu(&mut self, x: &Arith) -> Result<Arith, Abort> {
        let negative = self.negative(x.view()).await?;
        let keep = self.to_integers(&self.not_bits(&negative)).await?;
        self.mul(&keep, x).await
    }

    /// The magnitude; that of -2^63 is itself. Ten rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn abs(&mut self, x: &Arith) -> Result<Arith, Abort> {
        Ok(self.abs_and_sign(x).await?.0)
    }

    /// The magnitude, and whether the integer is negative as an integer 0 or 1. Ten rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn abs_and_sign(&mut self, x: &Arith) -> Result<(Arith, Arith), Abort> {
        let negative = self.negative(x.view()).await?;
        let sign = self.to_integers(&negative).await?;
        let below = self.mul(&sign, x).await?;
        Ok((x.sub(&below.scale(2)), sign))
    }

    /// Element by element: the smaller of two. Ten rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn min(&mut self, x: &Arith, y: &Arith) -> Result<Arith, Abort> {
        let less = self.less_than(x, y).await?;
        self.choose(&less, x, y).await
    }

    /// Element by element: the larger of two. Ten rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn max(&mut self, x: &Arith, y: &Arith) -> Result<Arith, Abort> {
        let less = self.less_than(x, y).await?;
        self.choose(&less, y, x).await
    }
}

/// [`Replicated::argmax`].
pub(crate) async fn argmax<P: Replicated>(party: &mut P, columns: &[&Arith]) -> Result<(Arith, Arith), Abort> {
    let Some(first) = columns.first() else {
        return Err(Abort::local("the largest of no columns"));
    };
    let (rows, mut width) = (first.len(), columns.len());
    let numbers: Vec<Arith> = (0..width as u64).map(|number| party.integers(number, rows)).collect();
    let mut values = Arith::concat(columns.iter().map(|column| column.view()));
    let mut places = Arith::concat(numbers.iter().map(Arith::view));
    while width > 1 {
        // Neighbours meet, so that the column that came first stays on the left.
        let pairs = width / 2;
        let (left, right, rest) = (even(&values, rows, pairs, 0), even(&values, rows, pairs, 1), width % 2);
        let (left_at, right_at) = (even(&places, rows, pairs, 0), even(&places, rows, pairs, 1));
        let larger = party.less_integers(&left, &right).await?;
        let [value, place] = choose_both(party, &larger, [&right, &right_at], [&left, &left_at]).await?;
        let last = (width - rest) * rows..width * rows;
        values = Arith::concat([value.view(), values.range(last.clone())]);
        places = Arith::concat([place.view(), places.range(last)]);
        width = pairs + rest;
    }
    Ok((values, places))
}

/// Two choices by the same integers 0 and 1. One round.
async fn choose_both<P: Replicated>(
    party: &mut P,
    choice: &Arith,
    x: [&Arith; 2],
    y: [&Arith; 2],
) -> Result<[Arith; 2], Abort> {
    let differences = [x[0].sub(y[0]), x[1].sub(y[1])];
    let pairs: Vec<_> = differences.iter().map(|difference| (choice.view(), difference.view())).collect();
    let mut out = party.mul_many(&pairs).await?.into_iter().zip(y).map(|(chosen, y)| chosen.add(y));
    let mut next = || out.next().unwrap_or_else(|| Arith::zeros(0));
    Ok([next(), next()])
}

/// Of columns of `rows` one after the other: the left (`side` 0) or right (1) of each of the first `pairs` pairs.
fn even(columns: &Arith, rows: usize, pairs: usize, side: usize) -> Arith {
    Arith::concat((0..pairs).map(|pair| {
        let start = (2 * pair + side) * rows;
        columns.range(start..start + rows)
    }))
}
