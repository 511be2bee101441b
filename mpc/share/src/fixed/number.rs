//! The number itself: its integers, its scale and its range, and the operations that are exact or cost one truncation.

use mpc_core::Abort;

use crate::interval::{Overflow, Range};
use crate::{Arith, Bits, Rep3, Z64};

/// Most fractional bits of a number.
pub const MAX_FRAC: u32 = 20;

/// A vector of secret fixed-point numbers of one scale and one range.
#[derive(Clone)]
pub struct Fixed {
    pub(crate) raw: Arith,
    pub(crate) frac: u32,
    pub(crate) range: Range,
}

impl Fixed {
    /// Takes integers as numbers with `frac` fractional bits (1 to [`MAX_FRAC`]) that are all in `range`.
    pub fn new(raw: Arith, frac: u32, range: Range) -> Self {
        assert!((1..=MAX_FRAC).contains(&frac), "from 1 to {MAX_FRAC} fractional bits");
        Self { raw, frac, range }
    }

    /// The integers.
    pub fn raw(&self) -> &Arith {
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

    pub(crate) fn with(&self, raw: Arith, range: Range) -> Self {
        Self { raw, frac: self.frac, range }
    }

    fn same_scale(&self, other: &Self) {
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

    /// Element by element: the product. Three rounds.
    ///
    /// # Errors
    /// [`Abort`] with blame on this party when one might not fit, else when a peer is gone or misbehaves.
    pub async fn fixed_mul(&mut self, x: &Fixed, y: &Fixed) -> Result<Fixed, Abort> {
        self.fixed_dot(&[(x, y)]).await
    }

    /// Element by element: the sum of products of vectors, with one truncation. Three rounds, as much as one product.
    ///
    /// # Errors
    /// As [`Rep3::fixed_mul`]; with blame on this party when there is no product.
    pub async fn fixed_dot(&mut self, pairs: &[(&Fixed, &Fixed)]) -> Result<Fixed, Abort> {
        let Some((first, _)) = pairs.first() else {
            return Err(self.ctx.name(Abort::local("a sum of no products")));
        };
        pairs.iter().for_each(|(x, y)| [x, y].into_iter().for_each(|x| x.same_scale(first)));
        let ranges: Vec<_> = pairs.iter().map(|(x, y)| (x.range, y.range)).collect();
        let range = Range::products(&ranges, first.frac).map_err(|overflow| self.refuse(overflow))?;
        let views: Vec<_> = pairs.iter().map(|(x, y)| (x.raw.view(), y.raw.view())).collect();
        let sums = self.dot_many(&[&views]).await?;
        let sum = sums.into_iter().next().unwrap_or_else(|| Arith::zeros(0));
        Ok(first.with(self.truncate(&sum, first.frac).await?, range))
    }

    /// The product of an `n × m` and an `m × k` matrix, both row by row, for `[n, m, k]`. Three rounds.
    ///
    /// # Errors
    /// As [`Rep3::fixed_mul`].
    pub async fn fixed_matmul(&mut self, x: &Fixed, y: &Fixed, size: [usize; 3]) -> Result<Fixed, Abort> {
        x.same_scale(y);
        let terms = i64::try_from(size[1]).unwrap_or(i64::MAX);
        let range = x.range.scaled(terms.max(1)).and_then(|sums| Range::products(&[(sums, y.range)], x.frac));
        let range = range.map_err(|overflow| self.refuse(overflow))?;
        let product = self.matmul(&x.raw, &y.raw, size).await?;
        Ok(x.with(self.truncate(&product, x.frac).await?, range))
    }

    /// Whether `x < y`. Seven rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn fixed_less(&mut self, x: &Fixed, y: &Fixed) -> Result<Bits, Abort> {
        x.same_scale(y);
        self.less_than(&x.raw, &y.raw).await
    }

    /// Whether `x = y`. Seven rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn fixed_equal(&mut self, x: &Fixed, y: &Fixed) -> Result<Bits, Abort> {
        x.same_scale(y);
        self.equal(&x.raw, &y.raw).await
    }

    /// Element by element: the smaller and the larger of two. Ten rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn fixed_min_max(&mut self, x: &Fixed, y: &Fixed) -> Result<(Fixed, Fixed), Abort> {
        x.same_scale(y);
        let (range, smaller) = (x.range.or(y.range), self.min(&x.raw, &y.raw).await?);
        let larger = x.raw.add(&y.raw).sub(&smaller);
        Ok((x.with(smaller, range), x.with(larger, range)))
    }

    /// Of equally long columns, row by row: the largest number, and the number of the first column that has it. As
    /// [`Rep3::argmax`].
    ///
    /// # Errors
    /// As [`Rep3::argmax`].
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

    /// The magnitude, and the number where it is positive, else 0. Ten rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn fixed_abs_relu(&mut self, x: &Fixed) -> Result<(Fixed, Fixed), Abort> {
        let positive = self.relu(&x.raw).await?;
        let hi = i64::try_from(x.range.magnitude()).unwrap_or(i64::MAX);
        let range = Range::new(0, hi).map_err(|overflow| self.refuse(overflow))?;
        Ok((x.with(positive.scale(2).sub(&x.raw), range), x.with(positive, range)))
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
