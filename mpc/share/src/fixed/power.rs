//! Reciprocal, division, square root and its reciprocal: normalise, approximate by a cubic, two steps of Newton, scale back.
//!
//! On `w` in `[1, 2]` the cubics in `2w - 3` (near-minimax, by projection on Chebyshev polynomials) are off by 2^-8.9 of `1/w` and
//! 2^-11 of `1/√w`; a step of Newton squares that (times 1, and 3/2), so two leave 2^-35 and 2^-41, below the rounding of 2^-30.

use mpc_core::Abort;

use super::normal::{Normal, bits_for, inner_mul, normalise, polynomial, power_of_two, shift_down};
use super::{Column, Engine, Fixed, INNER, ONE};
use crate::interval::{Overflow, Range, TOO_LARGE};

/// `1/w` for `w` in `[1, 2]`, in powers of `2w - 3`, with [`INNER`] fractional bits.
const INVERSE: [i64; 4] = [714_549_651, -237_525_288, 89_400_948, -30_677_555];
/// `1/√w` likewise.
const INVERSE_ROOT: [i64; 4] = [876_289_411, -145_799_013, 39_768_672, -11_379_149];
/// `√2 - 1`.
const ROOT_GAIN: i64 = 444_758_426;
/// `1/√2 - 1`.
const INVERSE_ROOT_GAIN: i64 = -314_491_699;
/// Most doublings between the smallest and the largest divisor.
const MOST_DOUBLINGS: u32 = 31;

/// A number of an engine.
type Number<E> = Fixed<<E as Engine>::Integers>;

/// The first bit of the largest number, and how many places lower that of the smallest may be.
fn places(range: Range) -> (u32, u32) {
    let place = |number: i64| number.max(1).ilog2();
    (place(range.hi()), place(range.hi()) - place(range.lo()))
}

/// As [`places`] for a divisor.
fn divisor_places(operation: &'static str, range: Range) -> Result<(u32, u32), Overflow> {
    let (top, span) = places(range);
    let why = "the divisor's range spans more than 31 doublings";
    if span <= MOST_DOUBLINGS { Ok((top, span)) } else { Err(Overflow { operation, why }) }
}

/// As [`places`], with a first bit that makes a whole exponent of the root.
fn root_places(operation: &'static str, range: Range, frac: u32) -> Result<(u32, u32), Overflow> {
    let (top, span) = places(range);
    let odd = (top + frac) % 2;
    if top + odd > 61 { Err(Overflow { operation, why: TOO_LARGE }) } else { Ok((top + odd, span + odd)) }
}

/// `1/w` for `w` in `[1, 2]`, both with [`INNER`] fractional bits.
pub(super) async fn inverse<E: Engine>(engine: &mut E, w: &E::Integers) -> Result<E::Integers, Abort> {
    let middle = centred(engine, w);
    let mut y = polynomial(engine, &middle, &INVERSE).await?;
    for _ in 0..2 {
        let product = inner_mul(engine, w, &y).await?;
        let rest = engine.plus_public(product.scale(u64::MAX), 2 * ONE);
        y = inner_mul(engine, &y, &rest).await?;
    }
    Ok(y)
}

/// `1/√w` likewise.
async fn inverse_root<E: Engine>(engine: &mut E, w: &E::Integers) -> Result<E::Integers, Abort> {
    let middle = centred(engine, w);
    let mut y = polynomial(engine, &middle, &INVERSE_ROOT).await?;
    for _ in 0..2 {
        let square = inner_mul(engine, &y, &y).await?;
        let product = inner_mul(engine, w, &square).await?;
        let rest = engine.plus_public(product.scale(u64::MAX), 3 * ONE);
        let twice = engine.product(&y, &rest).await?;
        y = engine.truncate(&twice, INNER + 1).await?;
    }
    Ok(y)
}

/// `2w - 3`.
pub(super) fn centred<E: Engine>(engine: &E, w: &E::Integers) -> E::Integers {
    engine.plus_public(w.scale(2), (3 * ONE).wrapping_neg())
}

/// [`super::Functions::fixed_reciprocal`].
pub(super) async fn reciprocal<E: Engine>(engine: &mut E, x: &Number<E>) -> Result<Number<E>, Abort> {
    let range = x.range.reciprocals(x.frac).map_err(|overflow| engine.refuse(overflow))?;
    let (top, span) = divisor_places("reciprocal", x.range).map_err(|overflow| engine.refuse(overflow))?;
    let Normal { number, power, .. } = normalise(engine, &x.raw, top, span).await?;
    let inverse = inverse(engine, &number).await?;
    // 2^(2 frac) / x = (1/w) 2^(2 frac - top) 2^d.
    let raised = engine.product(&inverse, &power).await?;
    Ok(x.with(shift_down(engine, raised, (INNER + top) as i32 - 2 * x.frac as i32).await?, range))
}

/// [`super::Functions::fixed_divide`].
pub(super) async fn divide<E: Engine>(engine: &mut E, x: &Number<E>, y: &Number<E>) -> Result<Number<E>, Abort> {
    x.same_scale(y);
    let range = x.range.quotients(y.range, x.frac).map_err(|overflow| engine.refuse(overflow))?;
    let (top, span) = divisor_places("division", y.range).map_err(|overflow| engine.refuse(overflow))?;
    if x.range.bits() + span > 60 {
        return Err(engine.refuse(Overflow { operation: "division", why: TOO_LARGE }));
    }
    let Normal { number, power, .. } = normalise(engine, &y.raw, top, span).await?;
    let inverse = inverse(engine, &number).await?;
    // A long numerator leaves fewer places for the inverse.
    let less = x.range.bits().saturating_sub(31).min(INNER);
    let inverse = shift_down(engine, inverse, less as i32).await?;
    let product = engine.product(&x.raw, &inverse).await?;
    let scaled = shift_down(engine, product, (INNER - less) as i32).await?;
    // x 2^frac / y = x (1/w) 2^(frac - top) 2^d.
    let raised = engine.product(&scaled, &power).await?;
    Ok(x.with(shift_down(engine, raised, top as i32 - x.frac as i32).await?, range))
}

/// [`super::Functions::fixed_sqrt`].
pub(super) async fn sqrt<E: Engine>(engine: &mut E, x: &Number<E>) -> Result<Number<E>, Abort> {
    let range = x.range.roots(x.frac).map_err(|overflow| engine.refuse(overflow))?;
    let (top, span) = root_places("square root", x.range, x.frac).map_err(|overflow| engine.refuse(overflow))?;
    let Normal { number, index, .. } = normalise(engine, &x.raw, top, span).await?;
    let inverse = inverse_root(engine, &number).await?;
    let root = inner_mul(engine, &number, &inverse).await?;
    // √(x 2^frac) = √w 2^((top + frac)/2) 2^(-d/2), and -d/2 is the index's half less its largest value.
    let root = with_odd_place(engine, root, &index, INVERSE_ROOT_GAIN).await?;
    let power = power_of_two(engine, index.get(1..).unwrap_or(&[]), false, x.len()).await?;
    let raised = engine.product(&root, &power).await?;
    let most = (1i32 << bits_for(span).saturating_sub(1)) - 1;
    let by = INNER as i32 + most - (top + x.frac) as i32 / 2;
    Ok(x.with(shift_down(engine, raised, by).await?, range))
}

/// [`super::Functions::fixed_inverse_sqrt`].
pub(super) async fn inverse_sqrt<E: Engine>(engine: &mut E, x: &Number<E>) -> Result<Number<E>, Abort> {
    let (operation, frac) = ("inverse square root", x.frac);
    let range = x.range.inverse_roots(frac).map_err(|overflow| engine.refuse(overflow))?;
    let (top, span) = root_places(operation, x.range, frac).map_err(|overflow| engine.refuse(overflow))?;
    let Normal { number, index, .. } = normalise(engine, &x.raw, top, span).await?;
    let inverse = inverse_root(engine, &number).await?;
    // 2^(3 frac/2) / √x = (1/√w) 2^((3 frac - top)/2) 2^(d/2).
    let inverse = with_odd_place(engine, inverse, &index, ROOT_GAIN).await?;
    let power = power_of_two(engine, index.get(1..).unwrap_or(&[]), true, x.len()).await?;
    let raised = engine.product(&inverse, &power).await?;
    let by = INNER as i32 - (3 * frac as i32 - top as i32) / 2;
    Ok(x.with(shift_down(engine, raised, by).await?, range))
}

/// Times `1 + gain` where `d` is odd: where the index, its complement, is even.
async fn with_odd_place<E: Engine>(
    engine: &mut E,
    x: E::Integers,
    index: &[E::Integers],
    gain: i64,
) -> Result<E::Integers, Abort> {
    let Some(even) = index.first() else {
        return Ok(x);
    };
    let factor = engine.plus_public(even.scale(gain.wrapping_neg() as u64), ONE.wrapping_add(gain as u64));
    inner_mul(engine, &x, &factor).await
}
