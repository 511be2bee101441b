//! Powers of e, natural logarithms and the logistic function.
//!
//! `e^x = 2^i 2^r` with the integer and the fractional part of `x log2 e`: the few bits of `i` give the power of two, a polynomial of
//! degree 6 (near-minimax on `[0, 1]`, off by 2^-28.4) gives `2^r`. `ln x = ln w + m ln 2` with a polynomial of degree 10 on `[1, 2]`,
//! off by 2^-29. The logistic function is `1 / (1 + e^-|x|)`, turned over where `x` is negative.

use mpc_core::Abort;

use super::normal::{Normal, bits_for};
use super::{Fixed, INNER, LN_2, LOG2_E, ONE};
use crate::interval::{Overflow, Range, TOO_LARGE};
use crate::{Arith, Bits, Rep3};

/// `2^r` for `r` in `[0, 1]`, in powers of `2r - 1`, with [`INNER`] fractional bits.
const POWER: [i64; 7] = [1_518_500_250, 526_272_103, 91_196_005, 10_535_217, 912_811, 63_589, 3_670];
/// `ln w` for `w` in `[1, 2]`, in powers of `2w - 3`, likewise.
const LOGARITHM: [i64; 11] =
    [435_364_845, 357_913_949, -59_652_332, 13_255_915, -3_313_925, 884_599, -245_874, 68_224, -19_725, 7_870, -2_430];
/// Most doublings between the smallest and the largest power.
const MOST_DOUBLINGS: i64 = 30;

/// `x log2 e`, rounded down to an integer.
fn doublings(x: i64, frac: u32) -> i64 {
    ((i128::from(x) * i128::from(LOG2_E)) >> (frac + INNER)) as i64
}

impl Rep3 {
    /// `e^x` as a number with [`INNER`] fractional bits times `2^base`, and `base`.
    async fn scaled_power(&mut self, x: &Fixed) -> Result<(Arith, i32), Abort> {
        let base = doublings(x.range.lo(), x.frac);
        let most = doublings(x.range.hi(), x.frac) + 1 - base;
        if most > MOST_DOUBLINGS || x.range.bits() > 31 {
            return Err(self.refuse(Overflow { operation: "exponential", why: TOO_LARGE }));
        }
        let (places, base) = (bits_for(most as u32), base as i32);
        let exponent = self.truncate(&x.raw.scale(LOG2_E as u64), x.frac).await?;
        // One unit more, so that rounding leaves nothing negative.
        let shift = (i64::from(-base) << INNER) + 1;
        let exponent = self.plus_public(exponent, shift as u64);
        let bits = self.to_bits(exponent.view()).await?;
        let whole: Vec<Bits> = (0..places).map(|place| Bits::of_words(&bits, INNER + place)).collect();
        let whole = self.to_integers_many(&whole.iter().collect::<Vec<_>>()).await?;
        let fraction = whole.iter().zip(0..).fold(exponent, |rest, (bit, place)| rest.sub(&bit.scale(ONE << place)));
        let centred = self.plus_public(fraction.scale(2), ONE.wrapping_neg());
        let mantissa = self.polynomial(&centred, &POWER).await?;
        let power = self.power_of_two(&whole, false, x.len()).await?;
        Ok((self.mul(&mantissa, &power).await?, base))
    }

    /// Powers of e. The range's powers span at most 30 doublings. About 40 rounds.
    ///
    /// # Errors
    /// [`Abort`] with blame on this party when one might not fit, else when a peer is gone or misbehaves.
    pub async fn fixed_exp(&mut self, x: &Fixed) -> Result<Fixed, Abort> {
        let range = x.range.exponentials(x.frac).map_err(|overflow| self.refuse(overflow))?;
        let (power, base) = self.scaled_power(x).await?;
        Ok(x.with(self.shift_down(power, (INNER - x.frac) as i32 - base).await?, range))
    }

    /// Natural logarithms of numbers whose range is positive. About 55 rounds.
    ///
    /// # Errors
    /// [`Abort`] with blame on this party when the range might hold 0, else when a peer is gone or misbehaves.
    pub async fn fixed_ln(&mut self, x: &Fixed) -> Result<Fixed, Abort> {
        let range = x.range.logarithms(x.frac).map_err(|overflow| self.refuse(overflow))?;
        let top = x.range.hi().max(1).ilog2();
        let span = top - x.range.lo().max(1).ilog2();
        let Normal { number, index, .. } = self.normalise(&x.raw, top, span).await?;
        let logarithm = self.polynomial(&self.centred(&number), &LOGARITHM).await?;
        // The exponent is the index, less its largest value, above the first bit of the range.
        let lowest = i64::from(top) - ((1i64 << bits_for(span)) - 1) - i64::from(x.frac);
        let whole =
            index.iter().zip(0u32..).fold(logarithm, |sum, (bit, place)| sum.add(&bit.scale((LN_2 as u64) << place)));
        let sum = self.plus_public(whole, lowest.wrapping_mul(LN_2) as u64);
        Ok(x.with(self.truncate(&sum, INNER - x.frac).await?, range))
    }

    /// The logistic function `1 / (1 + e^-x)`, for any range. About 90 rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn fixed_sigmoid(&mut self, x: &Fixed) -> Result<Fixed, Abort> {
        let (mut magnitude, sign) = self.abs_and_sign(&x.raw).await?;
        // Beyond this the result is within a quarter of a unit of 0 or 1.
        let far = ((i64::from(x.frac) + 2) * LN_2) >> (INNER - x.frac);
        if x.range.magnitude() > far as u64 {
            let bound = self.constant(far as u64, x.len());
            magnitude = self.min(&magnitude, &bound).await?;
        }
        let far = Range::new(-far, 0).map_err(|overflow| self.refuse(overflow))?;
        let (power, base) = self.scaled_power(&x.with(magnitude.scale(u64::MAX), far)).await?;
        let power = self.shift_down(power, -base).await?;
        let upper = self.inverse(&self.plus_public(power, ONE)).await?;
        let turn = self.plus_public(upper.scale(2u64.wrapping_neg()), ONE);
        let result = upper.add(&self.mul(&sign, &turn).await?);
        let range = Range::new(-2, (1 << x.frac) + 2).map_err(|overflow| self.refuse(overflow))?;
        Ok(x.with(self.truncate(&result, INNER - x.frac).await?, range))
    }
}
