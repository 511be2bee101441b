//! Powers of e, natural logarithms and the logistic function.
//!
//! `e^x = 2^i 2^r` with the integer and the fractional part of `x log2 e`: the few bits of `i` give the power of two, a polynomial of
//! degree 6 (near-minimax on `[0, 1]`, off by 2^-28.4) gives `2^r`. `ln x = ln w + m ln 2` with a polynomial of degree 10 on `[1, 2]`,
//! off by 2^-29. The logistic function is `1 / (1 + e^-|x|)`, turned over where `x` is negative.

use mpc_core::Abort;

use super::normal::{Normal, bits_for, normalise, polynomial, power_of_two, shift_down};
use super::power::{centred, inverse};
use super::{Column, Engine, Fixed, INNER, LN_2, LOG2_E, ONE};
use crate::interval::{Overflow, Range, TOO_LARGE};

/// `2^r` for `r` in `[0, 1]`, in powers of `2r - 1`, with [`INNER`] fractional bits.
const POWER: [i64; 7] = [1_518_500_250, 526_272_103, 91_196_005, 10_535_217, 912_811, 63_589, 3_670];
/// `ln w` for `w` in `[1, 2]`, in powers of `2w - 3`, likewise.
const LOGARITHM: [i64; 11] =
    [435_364_845, 357_913_949, -59_652_332, 13_255_915, -3_313_925, 884_599, -245_874, 68_224, -19_725, 7_870, -2_430];
/// Most doublings between the smallest and the largest power.
const MOST_DOUBLINGS: i64 = 30;

/// A number of an engine.
type Number<E> = Fixed<<E as Engine>::Integers>;

/// `x log2 e`, rounded down to an integer.
fn doublings(x: i64, frac: u32) -> i64 {
    ((i128::from(x) * i128::from(LOG2_E)) >> (frac + INNER)) as i64
}

/// `e^x` as a number with [`INNER`] fractional bits times `2^base`, and `base`.
async fn scaled_power<E: Engine>(engine: &mut E, x: &Number<E>) -> Result<(E::Integers, i32), Abort> {
    let base = doublings(x.range.lo(), x.frac);
    let most = doublings(x.range.hi(), x.frac) + 1 - base;
    if most > MOST_DOUBLINGS || x.range.bits() > 31 {
        return Err(engine.refuse(Overflow { operation: "exponential", why: TOO_LARGE }));
    }
    let (places, base) = (bits_for(most as u32), base as i32);
    let exponent = engine.truncate(&x.raw.scale(LOG2_E as u64), x.frac).await?;
    // One unit more, so that rounding leaves nothing negative.
    let shift = (i64::from(-base) << INNER) + 1;
    let exponent = engine.plus_public(exponent, shift as u64);
    let bits = engine.to_bits(&exponent).await?;
    let whole: Vec<E::Bits> = (0..places).map(|place| E::parities(&bits, 1 << (INNER + place))).collect();
    let whole = engine.integers_of(&whole.iter().collect::<Vec<_>>()).await?;
    let fraction = whole.iter().zip(0..).fold(exponent, |rest, (bit, place)| rest.sub(&bit.scale(ONE << place)));
    let middle = engine.plus_public(fraction.scale(2), ONE.wrapping_neg());
    let mantissa = polynomial(engine, &middle, &POWER).await?;
    let power = power_of_two(engine, &whole, false, x.len()).await?;
    Ok((engine.product(&mantissa, &power).await?, base))
}

/// [`super::Functions::fixed_exp`].
pub(super) async fn exp<E: Engine>(engine: &mut E, x: &Number<E>) -> Result<Number<E>, Abort> {
    let range = x.range.exponentials(x.frac).map_err(|overflow| engine.refuse(overflow))?;
    let (power, base) = scaled_power(engine, x).await?;
    Ok(x.with(shift_down(engine, power, (INNER - x.frac) as i32 - base).await?, range))
}

/// [`super::Functions::fixed_ln`].
pub(super) async fn ln<E: Engine>(engine: &mut E, x: &Number<E>) -> Result<Number<E>, Abort> {
    let range = x.range.logarithms(x.frac).map_err(|overflow| engine.refuse(overflow))?;
    let top = x.range.hi().max(1).ilog2();
    let span = top - x.range.lo().max(1).ilog2();
    let Normal { number, index, .. } = normalise(engine, &x.raw, top, span).await?;
    let middle = centred(engine, &number);
    let logarithm = polynomial(engine, &middle, &LOGARITHM).await?;
    // The exponent is the index, less its largest value, above the first bit of the range.
    let lowest = i64::from(top) - ((1i64 << bits_for(span)) - 1) - i64::from(x.frac);
    let whole =
        index.iter().zip(0u32..).fold(logarithm, |sum, (bit, place)| sum.add(&bit.scale((LN_2 as u64) << place)));
    let sum = engine.plus_public(whole, lowest.wrapping_mul(LN_2) as u64);
    Ok(x.with(engine.truncate(&sum, INNER - x.frac).await?, range))
}

/// [`super::Functions::fixed_sigmoid`].
pub(super) async fn sigmoid<E: Engine>(engine: &mut E, x: &Number<E>) -> Result<Number<E>, Abort> {
    let negative = engine.less(&x.raw, &E::Integers::zeros(x.len())).await?;
    let sign = engine.integers_of(&[&negative]).await?.pop().unwrap_or_else(|| E::Integers::zeros(0));
    let below = engine.product(&sign, &x.raw).await?;
    let mut magnitude = x.raw.sub(&below.scale(2));
    // Beyond this the result is within a quarter of a unit of 0 or 1.
    let far = ((i64::from(x.frac) + 2) * LN_2) >> (INNER - x.frac);
    if x.range.magnitude() > far as u64 {
        let bound = engine.constant(far as u64, x.len());
        let near = engine.less(&magnitude, &bound).await?;
        magnitude = engine.select(&near, &magnitude.sub(&bound)).await?.add(&bound);
    }
    let far = Range::new(-far, 0).map_err(|overflow| engine.refuse(overflow))?;
    let (power, base) = scaled_power(engine, &x.with(magnitude.scale(u64::MAX), far)).await?;
    let power = shift_down(engine, power, -base).await?;
    let denominator = engine.plus_public(power, ONE);
    let upper = inverse(engine, &denominator).await?;
    let turn = engine.plus_public(upper.scale(2u64.wrapping_neg()), ONE);
    let result = upper.add(&engine.product(&sign, &turn).await?);
    let range = Range::new(-2, (1 << x.frac) + 2).map_err(|overflow| engine.refuse(overflow))?;
    Ok(x.with(engine.truncate(&result, INNER - x.frac).await?, range))
}
