//! Functions by series, roots and quotients in integers: a reference that shares no tables with the engine, and no floating point.
//!
//! Arguments have [`super::FRAC`] fractional bits, results [`PLACES`] and are off by less than two units of the last of these.

use super::FRAC;

/// Fractional bits of results.
pub const PLACES: u32 = 40;
/// Fractional bits inside.
const INNER: u32 = 60;
const ONE: i128 = 1 << INNER;

/// The product, which is not negative.
fn times(x: i128, y: i128) -> i128 {
    (x * y) >> INNER
}

/// `z + z³/3 + z⁵/5 + …`, the inverse hyperbolic tangent, for `z` from 0 to 1/3.
fn atanh(z: i128) -> i128 {
    let (square, mut power, mut sum) = (times(z, z), z, 0);
    for odd in (1..).step_by(2) {
        if power == 0 {
            break;
        }
        sum += power / odd;
        power = times(power, square);
    }
    sum
}

/// `ln 2 = 2 atanh (1/3)`.
fn ln_2() -> i128 {
    2 * atanh(ONE / 3)
}

/// `e^x` as a number from 1 to 2 and a power of two, by `1 + r + r²/2! + …` at what is left of `x` after multiples of `ln 2`.
fn power(x: i64) -> (i128, i64) {
    let (x, ln_2) = (i128::from(x) << (INNER - FRAC), ln_2());
    let (doublings, rest) = (x.div_euclid(ln_2), x.rem_euclid(ln_2));
    let (mut term, mut sum) = (ONE, 0);
    for number in 1.. {
        if term == 0 {
            break;
        }
        sum += term;
        term = times(term, rest) / number;
    }
    (sum, doublings as i64)
}

/// `e^x`, for `x` up to 14.
pub fn exp(x: i64) -> i128 {
    let (number, doublings) = power(x);
    number >> (i64::from(INNER - PLACES) - doublings)
}

/// `ln x`, for a positive `x`: `ln w = 2 atanh ((w - 1)/(w + 1))` with `w` from 1 to 2, and its power of two.
pub fn ln(x: i64) -> i128 {
    let place = x.ilog2();
    let w = i128::from(x) << (INNER - place);
    let ratio = ((w - ONE) << INNER) / (w + ONE);
    let doublings = i128::from(place) - i128::from(FRAC);
    (2 * atanh(ratio) + doublings * ln_2()) >> (INNER - PLACES)
}

/// `1 / (1 + e^-x)`.
pub fn sigmoid(x: i64) -> i128 {
    // Beyond 40 the power is less than a unit.
    let magnitude = x.unsigned_abs().min(40 << FRAC) as i64;
    let (number, doublings) = power(-magnitude);
    let upper = (ONE << INNER) / (ONE + (number >> -doublings));
    (if x < 0 { ONE - upper } else { upper }) >> (INNER - PLACES)
}

/// `1 / x`, for a positive `x`.
pub fn reciprocal(x: i64) -> i128 {
    (1_i128 << (FRAC + PLACES)) / i128::from(x)
}

/// The square root of an `x` that is not negative.
pub fn sqrt(x: i64) -> i128 {
    (u128::from(x.unsigned_abs()) << (2 * PLACES - FRAC)).isqrt() as i128
}

/// `1 / √x`, for a positive `x`.
pub fn inverse_sqrt(x: i64) -> i128 {
    ((1_u128 << (2 * PLACES + FRAC)) / u128::from(x.unsigned_abs())).isqrt() as i128
}
