//! Bringing positive numbers to `[1, 2)` by their first bit, and the powers of two that undo it.
//!
//! The place of the first bit is read off the word that has a 1 there alone: each bit of the place's number is the parity of
//! some places of that word, which costs nothing. Only these few bits become integers (compare the normalisation of Catrina
//! and Saxena, FC 2010, protocol Norm, which converts the whole word).

use mpc_core::Abort;

use super::{Column, Engine, INNER, Planes};
use crate::MOST_PLACES;
use crate::prefix::{each, ones_from_first};

/// A number `x = w 2^m`, `m = top - d`, where `d` has as many bits as `index`.
pub(super) struct Normal<I> {
    /// `w`, in `[1, 2)`, with [`INNER`] fractional bits.
    pub(super) number: I,
    /// The bits of `d`'s complement, lowest first, as integers 0 and 1.
    pub(super) index: Vec<I>,
    /// `2^d`.
    pub(super) power: I,
}

/// Bits that numbers up to `most` take.
pub(super) fn bits_for(most: u32) -> u32 {
    u32::BITS - most.leading_zeros()
}

/// The factor `2^(2^place)` where the bit is 1 (with `turned`: 0), else 1.
fn factor<E: Engine>(engine: &E, bit: &E::Integers, place: usize, turned: bool) -> E::Integers {
    let gain = (1u64 << (1u32 << place)).wrapping_sub(1);
    if turned {
        engine.plus_public(bit.scale(gain.wrapping_neg()), gain.wrapping_add(1))
    } else {
        engine.plus_public(bit.scale(gain), 1)
    }
}

/// Normalises integers from 2^(top-span) to 2^(top+1) - 1, `top` at most 61; 0 stays 0. About twenty rounds.
pub(super) async fn normalise<E: Engine>(
    engine: &mut E,
    x: &E::Integers,
    top: u32,
    span: u32,
) -> Result<Normal<E::Integers>, Abort> {
    let places = bits_for(span);
    let most = (1u64 << places) - 1;
    let bits = engine.to_bits(x).await?;
    let from_first = ones_from_first(engine, &bits).await?;
    // The first bit alone, moved so that the highest place has the number with all bits set.
    let first = from_first.xor(&each(&from_first, |word| word >> 1));
    let by = i64::from(top) - most as i64;
    let first = each(&first, |word| if by < 0 { word << by.unsigned_abs() } else { word >> by });
    let index: Vec<E::Bits> = (0..places).map(|place| E::parities(&first, with_bit(place))).collect();
    let index = engine.integers_of(&index.iter().collect::<Vec<_>>()).await?;
    let power = power_of_two(engine, &index, true, x.len()).await?;
    let raised = engine.product(x, &power).await?;
    let number = shift_down(engine, raised, top as i32 - INNER as i32).await?;
    Ok(Normal { number, index, power })
}

/// `2^b` for the number `b` with these bits, lowest first (with `turned`: with their complements), at most six. A round
/// for every doubling of their number.
pub(super) async fn power_of_two<E: Engine>(
    engine: &mut E,
    bits: &[E::Integers],
    turned: bool,
    len: usize,
) -> Result<E::Integers, Abort> {
    let mut factors: Vec<E::Integers> =
        bits.iter().enumerate().map(|(place, bit)| factor(engine, bit, place, turned)).collect();
    while factors.len() > 1 {
        let rest = if factors.len() % 2 == 1 { factors.pop() } else { None };
        let pairs: Vec<_> = factors.as_chunks::<2>().0.iter().map(|[x, y]| (x, y)).collect();
        let mut products = engine.mul_many(&pairs).await?;
        drop(pairs);
        products.extend(rest);
        factors = products;
    }
    Ok(factors.pop().unwrap_or_else(|| engine.constant(1, len)))
}

/// Most places that are cut off: of numbers below 2^62 in magnitude less than a quarter is left beyond them, which is rounded.
const ALL_PLACES: u32 = 2 * MOST_PLACES;

/// `x / 2^by` for any `by`, negative ones multiplying: as [`Engine::truncate`], in one step or two; the error is below one unit
/// and 2^-32, beyond [`ALL_PLACES`] below one unit and a quarter. A power of a number far below 0 asks for a thousand million places.
pub(super) async fn shift_down<E: Engine>(engine: &mut E, x: E::Integers, by: i32) -> Result<E::Integers, Abort> {
    if by <= 0 {
        return Ok(x.scale(1u64.checked_shl(by.unsigned_abs()).unwrap_or(0)));
    }
    let by = by.unsigned_abs().min(ALL_PLACES);
    // The few places first, so that their rounding is cut off too.
    let few = by % MOST_PLACES;
    let mut x = if few > 0 { engine.truncate(&x, few).await? } else { x };
    for _ in 0..by / MOST_PLACES {
        x = engine.truncate(&x, MOST_PLACES).await?;
    }
    Ok(x)
}

/// A product of numbers with [`INNER`] fractional bits, below 4 in magnitude.
pub(super) async fn inner_mul<E: Engine>(
    engine: &mut E,
    x: &E::Integers,
    y: &E::Integers,
) -> Result<E::Integers, Abort> {
    let product = engine.product(x, y).await?;
    engine.truncate(&product, INNER).await
}

/// A polynomial of a number in `[-1, 1]` with [`INNER`] fractional bits, lowest coefficient first, by Horner's rule.
pub(super) async fn polynomial<E: Engine>(
    engine: &mut E,
    x: &E::Integers,
    coefficients: &[i64],
) -> Result<E::Integers, Abort> {
    let Some((highest, rest)) = coefficients.split_last() else {
        return Ok(E::Integers::zeros(x.len()));
    };
    let mut product = x.scale(*highest as u64);
    for (place, coefficient) in rest.iter().enumerate().rev() {
        let cut = engine.truncate(&product, INNER).await?;
        let sum = engine.plus_public(cut, *coefficient as u64);
        if place == 0 {
            return Ok(sum);
        }
        product = engine.product(&sum, x).await?;
    }
    Ok(engine.constant(*highest as u64, x.len()))
}

/// The places whose number has bit `place`.
fn with_bit(place: u32) -> u64 {
    (0..u64::BITS).filter(|at| at >> place & 1 == 1).fold(0, |mask, at| mask | 1 << at)
}
