//! The number itself: its integers, its scale and its range; how numbers come into the three-party engine and out of it.

use mpc_core::Abort;

use super::Column;
use crate::interval::{Overflow, Range};
use crate::{Arith, Bits, Rep3, Replicated, Z64};

/// Most fractional bits of a number.
pub const MAX_FRAC: u32 = 20;

/// A vector of secret fixed-point numbers of one scale and one range, whose integers are those of an engine.
#[derive(Clone)]
pub struct Fixed<I = Arith> {
    pub(crate) raw: I,
    pub(crate) frac: u32,
    pub(crate) range: Range,
}

impl<I: Column> Fixed<I> {
    /// Takes integers as numbers with `frac` fractional bits (1 to [`MAX_FRAC`]) that are all in `range`.
    ///
    /// # Panics
    /// With another number of fractional bits; so do operations of two vectors of different scales.
    pub fn new(raw: I, frac: u32, range: Range) -> Self {
        assert!((1..=MAX_FRAC).contains(&frac), "from 1 to {MAX_FRAC} fractional bits");
        Self { raw, frac, range }
    }

    /// The integers.
    pub fn raw(&self) -> &I {
        &self.raw
    }

    /// How many fractional bits.
    pub fn frac(&self) -> u32 {
        self.frac
    }

    /// Which integers the numbers may be.
    pub fn range(&self) -> Range {
        self.range
    }

    /// How many numbers.
    pub fn len(&self) -> usize {
        self.raw.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    pub(crate) fn with(&self, raw: I, range: Range) -> Self {
        Self { raw, frac: self.frac, range }
    }

    pub(crate) fn same_scale(&self, other: &Self) {
        assert!(self.frac == other.frac, "numbers of one scale");
    }

    /// Element by element: the sum, exact.
    ///
    /// # Errors
    /// [`Overflow`] when one might not fit.
    pub fn add(&self, other: &Self) -> Result<Self, Overflow> {
        self.same_scale(other);
        Ok(self.with(self.raw.add(&other.raw), self.range.plus(other.range)?))
    }

    /// Element by element: the difference, exact.
    ///
    /// # Errors
    /// [`Overflow`] when one might not fit.
    pub fn sub(&self, other: &Self) -> Result<Self, Overflow> {
        self.same_scale(other);
        Ok(self.with(self.raw.sub(&other.raw), self.range.minus(other.range)?))
    }

    /// The product with a public integer, exact.
    ///
    /// # Errors
    /// [`Overflow`] when one might not fit.
    pub fn scale(&self, by: i64) -> Result<Self, Overflow> {
        Ok(self.with(self.raw.scale(by as u64), self.range.scaled(by)?))
    }
}

impl Rep3 {
    /// A refused operation as an abort of this party.
    pub(crate) fn refuse(&self, overflow: Overflow) -> Abort {
        self.ctx.name(Abort::local(overflow.to_string()))
    }

    /// Shares every party's numbers in one round: as [`Rep3::input`], with every party's range, which its own numbers must
    /// be in.
    ///
    /// # Errors
    /// [`Abort`] with blame on this party when one of its numbers is outside the declared range, else as [`Rep3::input`].
    pub async fn input_fixed(
        &mut self,
        counts: [usize; 3],
        mine: &[i64],
        frac: u32,
        ranges: [Range; 3],
    ) -> Result<[Fixed; 3], Abort> {
        if !mine.iter().all(|number| ranges[self.me()].contains(*number)) {
            return Err(self.ctx.name(Abort::local("a number is outside its declared range")));
        }
        let words: Vec<u64> = mine.iter().map(|number| *number as u64).collect();
        let [zero, one, two] = self.input::<Z64>(counts, &words).await?;
        Ok([Fixed::new(zero, frac, ranges[0]), Fixed::new(one, frac, ranges[1]), Fixed::new(two, frac, ranges[2])])
    }

    /// Public numbers, given as their integers.
    ///
    /// # Errors
    /// [`Abort`] with blame on this party when one does not fit.
    pub fn public_fixed(&self, numbers: &[i64], frac: u32) -> Result<Fixed, Abort> {
        let (lo, hi) = (numbers.iter().min().copied().unwrap_or(0), numbers.iter().max().copied().unwrap_or(0));
        let range = Range::new(lo, hi).map_err(|overflow| self.refuse(overflow))?;
        let words: Vec<u64> = numbers.iter().map(|number| *number as u64).collect();
        Ok(Fixed::new(self.public(&words), frac, range))
    }

    /// Whether `x = y`. Seven rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn fixed_equal(&mut self, x: &Fixed, y: &Fixed) -> Result<Bits, Abort> {
        x.same_scale(y);
        self.equal(&x.raw, &y.raw).await
    }

    /// Of equally long columns, row by row: the largest number, and the number of the first column that has it. As
    /// [`Replicated::argmax`].
    ///
    /// # Errors
    /// As [`Replicated::argmax`].
    pub async fn fixed_argmax(&mut self, columns: &[&Fixed]) -> Result<(Fixed, Arith), Abort> {
        let raw: Vec<&Arith> = columns.iter().map(|column| &column.raw).collect();
        let (largest, place) = self.argmax(&raw).await?;
        let Some(first) = columns.first() else {
            return Err(self.ctx.name(Abort::local("the largest of no columns")));
        };
        columns.iter().for_each(|column| column.same_scale(first));
        let range = columns.iter().fold(first.range, |range, column| range.or(column.range));
        Ok((first.with(largest, range), place))
    }

    /// Reveals numbers, as their integers, to one party: as [`Rep3::reveal`].
    ///
    /// # Errors
    /// As [`Rep3::reveal`].
    pub async fn reveal_fixed(&mut self, x: &Fixed, to: usize) -> Result<Option<Vec<i64>>, Abort> {
        let words = self.reveal::<Z64>(&x.raw, to).await?;
        Ok(words.map(|words| words.into_iter().map(|word| word as i64).collect()))
    }
}
