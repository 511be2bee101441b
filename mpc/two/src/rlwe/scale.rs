//! Between words modulo 2^64 and coefficients modulo `q`: multiplied by `q/2^64` and rounded, and back.
//!
//! A message `m` is encrypted as `⌊q·m/2^64⌉`, not as a multiple of a rounded-down `⌊q/2^64⌋`: then a product that
//! wraps around 2^64 wraps around `q` exactly, and the noise stays small (Kim, Polyakov and Zucca, "Revisiting
//! Homomorphic Encryption Schemes for Finite Fields", Asiacrypt 2021). Both directions are computed from
//! the residues, in constant time.

use super::LIMBS;
use super::modulus::{Modulus, Shoup, high};
use super::ntt::{PRIMES, Table, tables};

/// Noise under which a result leaves is below two to this, on both sides of 0.
const FLOOD_BITS: u32 = 120;
/// `q` modulo 2^64.
const LOW: u64 = PRIMES[0].0.wrapping_mul(PRIMES[1].0).wrapping_mul(PRIMES[2].0);

/// What is computed once for a prime `p`.
pub(super) struct Scale {
    /// `2^-64`.
    shift: Shoup,
    /// The inverse of `q/p`.
    cofactor: Shoup,
    /// `⌊2^192/p⌋`, the lowest word first.
    reciprocal: [u64; 3],
    /// The lower end of the noise's range.
    offset: u64,
}

impl Scale {
    pub(super) fn new(modulus: &Modulus, limb: usize) -> Self {
        let p = u128::from(modulus.p());
        let others = PRIMES.iter().enumerate().filter(|(at, _)| *at != limb);
        let product = others.fold(1, |product, (_, (other, _))| modulus.mul(product, modulus.reduce(*other)));
        // 2^128 is no multiple of `p`, so it has the quotient of 2^128 − 1.
        let (upper, rest) = (u128::MAX / p, u128::MAX % p + 1);
        let reciprocal = [((rest << 64) / p) as u64, upper as u64, (upper >> 64) as u64];
        Self {
            shift: modulus.shoup(modulus.inverse(modulus.reduce_wide(1 << 64))),
            cofactor: modulus.shoup(modulus.inverse(product)),
            reciprocal,
            offset: modulus.reduce_wide(1 << FLOOD_BITS),
        }
    }

    /// `2^64·(2^64·x/p)` modulo 2^128, at most two units too small.
    fn fraction(&self, x: u64) -> u128 {
        let [low, middle, upper] = self.reciprocal;
        let whole = u128::from(x.wrapping_mul(upper)) << 64;
        whole.wrapping_add(u128::from(x) * u128::from(middle)).wrapping_add(u128::from(high(x, low)))
    }
}

/// `⌊q·message/2^64⌉` modulo the table's prime. With `n ≡ −q·message` modulo 2^64 between −2^63 and 2^63 it is
/// `(q·message + n)/2^64`, and `q` is 0 modulo the prime.
pub(super) fn raised(table: &Table, message: u64) -> u64 {
    let n = LOW.wrapping_mul(message).wrapping_neg();
    // A negative `n` is the word less 2^64.
    table.modulus.sub(table.modulus.mul_by(n, table.scale.shift), n >> 63)
}

/// The message nearest to `2^64·c/q` for the coefficient `c` with these residues, modulo 2^64.
pub(super) fn lowered(residues: [u64; LIMBS]) -> u64 {
    let parts = residues.iter().zip(tables()).map(|(residue, table)| {
        let x = table.modulus.mul_by(*residue, table.scale.cofactor);
        table.scale.fraction(x)
    });
    (parts.fold(1_u128 << 63, u128::wrapping_add) >> 64) as u64
}

/// Uniform noise between `−2^120` and `2^120`, modulo the table's prime, from two random words that are the same for
/// all primes.
pub(super) fn flood(table: &Table, words: [u64; 2]) -> u64 {
    let kept = words[1] >> (2 * u64::BITS - FLOOD_BITS - 1);
    let sum = table.modulus.reduce_wide(u128::from(kept) << 64 | u128::from(words[0]));
    table.modulus.sub(sum, table.scale.offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coefficient(message: u64, noise: [u64; 2]) -> [u64; LIMBS] {
        std::array::from_fn(|limb| {
            let table = &tables()[limb];
            table.modulus.add(raised(table, message), flood(table, noise))
        })
    }

    #[test]
    fn a_message_comes_back_under_the_largest_noise() {
        let messages = [0, 1, 2, u64::MAX, 1 << 63, (1 << 63) - 1, 0x0123_4567_89ab_cdef];
        for message in messages {
            for noise in [[0, 0], [u64::MAX, u64::MAX], [0, 1 << 63], [5, 77]] {
                assert_eq!(lowered(coefficient(message, noise)), message, "{message} {noise:?}");
            }
        }
    }

    #[test]
    fn a_product_that_wraps_has_no_more_noise_than_its_factor() {
        for (message, factor) in [(u64::MAX, u64::MAX), (1 << 63, 3), (0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210)] {
            let product = std::array::from_fn(|limb| {
                let table = &tables()[limb];
                table.modulus.mul(raised(table, message), table.modulus.signed(factor))
            });
            assert_eq!(lowered(product), message.wrapping_mul(factor), "{message} {factor}");
        }
    }
}
