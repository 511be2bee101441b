//! Bringing positive numbers to `[1, 2)` by their first bit, and the powers of two that undo it.
//!
//! The place of the first bit is read off the word that has a 1 there alone: each bit of the place's number is the parity of
//! some places of that word, which costs nothing. Only these few bits become integers (compare the normalisation of Catrina
//! and Saxena, FC 2010, protocol Norm, which converts the whole word).

use mpc_core::Abort;

use super::INNER;
use crate::{Arith, Bits, Rep3};

/// A number `x = w 2^m`, `m = top - d`, where `d` has as many bits as `index`.
pub(super) struct Normal {
    /// `w`, in `[1, 2)`, with [`INNER`] fractional bits.
    pub(super) number: Arith,
    /// The bits of `d`'s complement, lowest first, as integers 0 and 1.
    pub(super) index: Vec<Arith>,
    /// `2^d`.
    pub(super) power: Arith,
}

/// Bits that numbers up to `most` take.
pub(super) fn bits_for(most: u32) -> u32 {
    u32::BITS - most.leading_zeros()
}

/// The factor `2^(2^place)` where the bit is 1 (with `turned`: 0), else 1.
fn factor(party: &Rep3, bit: &Arith, place: usize, turned: bool) -> Arith {
    let gain = (1u64 << (1u32 << place)).wrapping_sub(1);
    if turned {
        party.plus_public(bit.scale(gain.wrapping_neg()), gain.wrapping_add(1))
    } else {
        party.plus_public(bit.scale(gain), 1)
    }
}

impl Rep3 {
    /// Normalises integers from 2^(top-span) to 2^(top+1) - 1, `top` at most 61; 0 stays 0. About twenty rounds.
    pub(super) async fn normalise(&mut self, x: &Arith, top: u32, span: u32) -> Result<Normal, Abort> {
        let places = bits_for(span);
        let most = (1u64 << places) - 1;
        let bits = self.to_bits(x.view()).await?;
        let from_first = self.ones_from_first(&bits).await?;
        // The first bit alone, moved so that the highest place has the number with all bits set.
        let first = from_first.add(&from_first.shr(1));
        let by = i64::from(top) - most as i64;
        let first = if by < 0 { first.shl(by.unsigned_abs() as u32) } else { first.shr(by as u32) };
        let index: Vec<Bits> = (0..places).map(|place| Bits::parities(&first, with_bit(place))).collect();
        let index = self.to_integers_many(&index.iter().collect::<Vec<_>>()).await?;
        let power = self.power_of_two(&index, true, x.len()).await?;
        let raised = self.mul(x, &power).await?;
        let number = self.shift_down(raised, top as i32 - INNER as i32).await?;
        Ok(Normal { number, index, power })
    }

    /// `2^b` for the number `b` with these bits, lowest first (with `turned`: with their complements), at most six. A round
    /// for every doubling of their number.
    pub(super) async fn power_of_two(&mut self, bits: &[Arith], turned: bool, len: usize) -> Result<Arith, Abort> {
        let mut factors: Vec<Arith> =
            bits.iter().enumerate().map(|(place, bit)| factor(self, bit, place, turned)).collect();
        while factors.len() > 1 {
            let rest = if factors.len() % 2 == 1 { factors.pop() } else { None };
            let pairs: Vec<_> = factors.as_chunks::<2>().0.iter().map(|[x, y]| (x.view(), y.view())).collect();
            let mut products = self.mul_many(&pairs).await?;
            drop(pairs);
            products.extend(rest);
            factors = products;
        }
        Ok(factors.pop().unwrap_or_else(|| self.constant(1, len)))
    }

    /// A product of numbers with [`INNER`] fractional bits, below 4 in magnitude. Three rounds.
    pub(super) async fn inner_mul(&mut self, x: &Arith, y: &Arith) -> Result<Arith, Abort> {
        let product = self.mul(x, y).await?;
        self.truncate(&product, INNER).await
    }

    /// A polynomial of a number in `[-1, 1]` with [`INNER`] fractional bits, lowest coefficient first, by Horner's rule.
    pub(super) async fn polynomial(&mut self, x: &Arith, coefficients: &[i64]) -> Result<Arith, Abort> {
        let Some((highest, rest)) = coefficients.split_last() else {
            return Ok(Arith::zeros(x.len()));
        };
        let mut product = x.scale(*highest as u64);
        for (place, coefficient) in rest.iter().enumerate().rev() {
            let cut = self.truncate(&product, INNER).await?;
            let sum = self.plus_public(cut, *coefficient as u64);
            if place == 0 {
                return Ok(sum);
            }
            product = self.mul(&sum, x).await?;
        }
        Ok(self.constant(*highest as u64, x.len()))
    }
}

/// The places whose number has bit `place`.
fn with_bit(place: u32) -> u64 {
    (0..u64::BITS).filter(|at| at >> place & 1 == 1).fold(0, |mask, at| mask | 1 << at)
}
