//! Which values a fixed-point number may have, and which ones the results of operations may have: pure, for planning.
//!
//! A [`Range`] bounds the integer that represents a number, value times 2^frac. Every operation either bounds its result or
//! refuses with [`Overflow`], from public ranges alone, so a plan is refused before anything is shared; at run time owners are
//! held to the ranges of their inputs, and [`crate::fixed`] carries ranges along by these same functions.

use std::fmt;

use crate::fixed::{INNER, LN_2, LOG2_E};

/// Every number and every product before its places are cut off stays below this in magnitude: two of them differ by less
/// than 2^63, and truncation is exact about its top.
pub const LIMIT: i64 = 1 << 62;

/// An operation whose result may not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overflow {
    /// The operation.
    pub operation: &'static str,
    /// Why it is refused.
    pub why: &'static str,
}

impl fmt::Display for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.why)
    }
}

impl std::error::Error for Overflow {}

/// Most doublings between the smallest and the largest divisor, and between the smallest and the largest power.
const MOST_SPAN: u32 = 31;
const MOST_POWERS: i64 = 30;

/// The smallest and the largest integer that a number may be represented by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    lo: i64,
    hi: i64,
}

pub(crate) const TOO_LARGE: &str = "the result may not fit its word";
const NOT_POSITIVE: &str = "the number may be 0 or negative";

fn fitting(operation: &'static str, lo: i128, hi: i128) -> Result<Range, Overflow> {
    let (limit, refused) = (i128::from(LIMIT), Overflow { operation, why: TOO_LARGE });
    if lo > hi || lo <= -limit || hi >= limit {
        return Err(refused);
    }
    Ok(Range { lo: i64::try_from(lo).map_err(|_| refused)?, hi: i64::try_from(hi).map_err(|_| refused)? })
}

impl Range {
    /// From `lo` to `hi`, both included.
    ///
    /// # Errors
    /// [`Overflow`] when there is nothing between them, or either has a magnitude of 2^62 or more.
    pub fn new(lo: i64, hi: i64) -> Result<Self, Overflow> {
        fitting("range", lo.into(), hi.into())
    }

    /// The smallest value.
    pub fn lo(self) -> i64 {
        self.lo
    }

    /// The largest value.
    pub fn hi(self) -> i64 {
        self.hi
    }

    /// Whether a value is one of the range.
    pub fn contains(self, value: i64) -> bool {
        (self.lo..=self.hi).contains(&value)
    }

    /// The largest magnitude.
    pub fn magnitude(self) -> u64 {
        self.lo.unsigned_abs().max(self.hi.unsigned_abs())
    }

    /// How many bits the largest magnitude takes.
    pub fn bits(self) -> u32 {
        u64::BITS - self.magnitude().leading_zeros()
    }

    /// All values of either range.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { lo: self.lo.min(other.lo), hi: self.hi.max(other.hi) }
    }

    /// Results that may be off by a share of 2^-24 and by two units.
    fn widened(self, operation: &'static str) -> Result<Self, Overflow> {
        let by = i128::from(self.magnitude() >> 24) + 2;
        fitting(operation, i128::from(self.lo) - by, i128::from(self.hi) + by)
    }

    /// Sums.
    ///
    /// # Errors
    /// [`Overflow`] when one may reach 2^62.
    pub fn plus(self, other: Self) -> Result<Self, Overflow> {
        let sum = |x: i64, y: i64| i128::from(x) + i128::from(y);
        fitting("sum", sum(self.lo, other.lo), sum(self.hi, other.hi))
    }

    /// Differences.
    ///
    /// # Errors
    /// [`Overflow`] when one may reach 2^62.
    pub fn minus(self, other: Self) -> Result<Self, Overflow> {
        self.plus(Self { lo: -other.hi, hi: -other.lo })
    }

    /// Products with a public integer.
    ///
    /// # Errors
    /// [`Overflow`] when one may reach 2^62.
    pub fn scaled(self, by: i64) -> Result<Self, Overflow> {
        let (x, y) = (i128::from(self.lo) * i128::from(by), i128::from(self.hi) * i128::from(by));
        fitting("product with a public number", x.min(y), x.max(y))
    }

    /// Sums of products of numbers with `frac` fractional bits, cut to as many.
    ///
    /// # Errors
    /// [`Overflow`] when a sum may reach 2^62 before it is cut.
    pub fn products(pairs: &[(Self, Self)], frac: u32) -> Result<Self, Overflow> {
        let (mut lo, mut hi) = (0i128, 0i128);
        for (x, y) in pairs {
            let corners = [(x.lo, y.lo), (x.lo, y.hi), (x.hi, y.lo), (x.hi, y.hi)];
            let corners = corners.map(|(x, y)| i128::from(x) * i128::from(y));
            lo = lo.saturating_add(corners.into_iter().fold(i128::MAX, i128::min));
            hi = hi.saturating_add(corners.into_iter().fold(i128::MIN, i128::max));
        }
        let whole = fitting("product", lo, hi)?;
        fitting("product", i128::from(whole.lo >> frac) - 1, i128::from(whole.hi >> frac) + 2)
    }

    /// Whether all values are positive.
    pub(crate) fn positive(self, operation: &'static str) -> Result<Self, Overflow> {
        if self.lo > 0 { Ok(self) } else { Err(Overflow { operation, why: NOT_POSITIVE }) }
    }

    /// How many doublings lie between the first bits of the smallest and of the largest of positive numbers.
    fn span(self) -> u32 {
        self.hi.max(1).ilog2() - self.lo.max(1).ilog2()
    }

    /// The range of a divisor, if it is positive and narrow enough.
    fn divisor(self, operation: &'static str) -> Result<Self, Overflow> {
        let why = "the divisor's range spans more than 31 doublings";
        if self.positive(operation)?.span() <= MOST_SPAN { Ok(self) } else { Err(Overflow { operation, why }) }
    }

    /// The range of a number that a root is drawn of, if its first bit can be brought to an even place.
    fn radicand(self, operation: &'static str, frac: u32) -> Result<Self, Overflow> {
        let top = self.hi.max(1).ilog2();
        if top + (top + frac) % 2 > 61 { Err(Overflow { operation, why: TOO_LARGE }) } else { Ok(self) }
    }

    /// Quotients by numbers that are all positive, for `frac` fractional bits.
    ///
    /// # Errors
    /// [`Overflow`] when the divisor may be 0 or negative or its range is too wide, or a quotient may reach 2^62.
    pub fn quotients(self, divisor: Self, frac: u32) -> Result<Self, Overflow> {
        let by = i128::from(divisor.divisor("division")?.lo);
        if self.bits() + divisor.span() > 60 {
            return Err(Overflow { operation: "division", why: TOO_LARGE });
        }
        let quotient = |x: i64| (i128::from(x) << frac) / by;
        let (lo, hi) = (quotient(self.lo.min(0)) - 1, quotient(self.hi.max(0)) + 1);
        // An error of one unit before the division by a small number grows as the number does, and long numerators leave
        // fewer places for the inverse.
        let unit = 2 * ((1i128 << frac) / by + 1);
        let share = lo.abs().max(hi) >> 28u32.saturating_sub(self.bits().saturating_sub(31));
        fitting("division", lo - unit - share, hi + unit + share)?.widened("division")
    }

    /// Reciprocals of positive numbers.
    ///
    /// # Errors
    /// As [`Range::quotients`].
    pub fn reciprocals(self, frac: u32) -> Result<Self, Overflow> {
        let of = |x: i64| (1i128 << (2 * frac)) / i128::from(x);
        let x = self.divisor("reciprocal")?;
        fitting("reciprocal", of(x.hi), of(x.lo))?.widened("reciprocal")
    }

    /// Square roots.
    ///
    /// # Errors
    /// [`Overflow`] when a number may be negative.
    pub fn roots(self, frac: u32) -> Result<Self, Overflow> {
        if self.lo < 0 {
            return Err(Overflow { operation: "square root", why: "the number may be negative" });
        }
        self.radicand("square root", frac)?;
        let root = |x: i64| (u128::from(x.unsigned_abs()) << frac).isqrt() as i128;
        fitting("square root", root(self.lo), root(self.hi))?.widened("square root")
    }

    /// Reciprocals of square roots of positive numbers.
    ///
    /// # Errors
    /// [`Overflow`] when a number may be 0 or negative, or a result may reach 2^62.
    pub fn inverse_roots(self, frac: u32) -> Result<Self, Overflow> {
        let x = self.positive("inverse square root")?.radicand("inverse square root", frac)?;
        let of = |x: i64| ((1u128 << (3 * frac)) / u128::from(x.unsigned_abs())).isqrt() as i128;
        fitting("inverse square root", of(x.hi), of(x.lo))?.widened("inverse square root")
    }

    /// Powers of e.
    ///
    /// # Errors
    /// [`Overflow`] when a result may reach 2^62, or the powers span more than 30 doublings.
    pub fn exponentials(self, frac: u32) -> Result<Self, Overflow> {
        // e^x is at most 2^ceil(x log2 e).
        let doublings = |x: i64| (i128::from(x) * i128::from(LOG2_E)) >> (frac + INNER);
        let (low, power) = (doublings(self.lo), doublings(self.hi) + 1);
        let top = (power + i128::from(frac)).clamp(0, 99) as u32;
        if top > 61 || power - low > i128::from(MOST_POWERS) || self.bits() > 31 {
            return Err(Overflow { operation: "exponential", why: TOO_LARGE });
        }
        Range { lo: 0, hi: 1 << top }.widened("exponential")
    }

    /// Natural logarithms of positive numbers.
    ///
    /// # Errors
    /// [`Overflow`] when a number may be 0 or negative.
    pub fn logarithms(self, frac: u32) -> Result<Self, Overflow> {
        let x = self.positive("logarithm")?;
        let times_ln2 = |power: i64| (i128::from(power) * i128::from(LN_2)) >> (INNER - frac);
        let (lo, hi) = (i64::from(x.lo.ilog2()), i64::from(x.hi.ilog2()) + 1);
        let frac = i64::from(frac);
        fitting("logarithm", times_ln2(lo - frac), times_ln2(hi - frac) + 1)?.widened("logarithm")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_overflow_is_refused_and_what_fits_is_bounded() {
        let range = |lo, hi| Range::new(lo, hi).unwrap();
        assert!(Range::new(1, 0).is_err() && Range::new(0, LIMIT).is_err() && Range::new(-LIMIT, 0).is_err());
        let wide = range(-(1 << 61), 1 << 61);
        assert!(wide.plus(wide).is_err() && wide.minus(wide).is_err() && wide.scaled(2).is_err());
        assert_eq!(range(-3, 5).minus(range(1, 2)), Ok(range(-5, 4)));
        assert_eq!(range(-3, 5).scaled(-2), Ok(range(-10, 6)));
        assert_eq!(Range::products(&[(range(-8, 4), range(-2, 16))], 2), Ok(range(-33, 18)));
        let half = range(-(1 << 31), 1 << 31);
        assert!(Range::products(&[(half, half)], 20).is_err());
        assert!(Range::products(&[(range(0, 1 << 30), range(0, 1 << 31)); 2], 20).is_err());
        assert!(range(0, 5).reciprocals(20).is_err() && range(5, 9).quotients(range(-1, 1), 20).is_err());
        assert!(
            range(1, 1 << 33).reciprocals(20).is_err() && range(0, 1 << 40).quotients(range(1, 1 << 30), 20).is_err()
        );
        assert!(
            range(-(30 << 20), 1 << 20).exponentials(20).is_err() && range(-(1 << 32), 0).exponentials(20).is_err()
        );
        assert!(range(-1, 5).roots(20).is_err() && range(0, 5).logarithms(20).is_err());
        assert!(range(1, 1 << 30).reciprocals(30).is_ok() && range(1, 2).quotients(range(1, 1), 30).is_ok());
    }
}
