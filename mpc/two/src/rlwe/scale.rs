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
/// Bits of the three uniform numbers that the noise is the sum of: together below two to `FLOOD_BITS + 1`.
const FLOOD_PARTS: [u32; 3] = [FLOOD_BITS, FLOOD_BITS - 1, FLOOD_BITS - 1];
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

/// Noise between `0` and `2^121` from three uniform numbers. A density without edges: what a shift by `v` changes then
/// grows with the square root of how many coefficients are shifted, and not with their number.
pub(super) fn noise(uniform: [u128; 3]) -> u128 {
    uniform.iter().zip(FLOOD_PARTS).map(|(number, bits)| number >> (u128::BITS - bits)).sum()
}

/// [`noise`] moved down to lie between `−2^120` and `2^120`, modulo the table's prime.
pub(super) fn flood(table: &Table, noise: u128) -> u64 {
    table.modulus.sub(table.modulus.reduce_wide(noise), table.scale.offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coefficient(message: u64, noise: u128) -> [u64; LIMBS] {
        std::array::from_fn(|limb| {
            let table = &tables()[limb];
            table.modulus.add(raised(table, message), flood(table, noise))
        })
    }

    #[test]
    fn a_message_comes_back_under_the_largest_noise() {
        let messages = [0, 1, 2, u64::MAX, 1 << 63, (1 << 63) - 1, 0x0123_4567_89ab_cdef];
        for message in messages {
            for uniform in [[0; 3], [u128::MAX; 3], [1 << 127; 3], [5, 77 << 100, 1 << 126]] {
                let noise = noise(uniform);
                assert!(noise >> (FLOOD_BITS + 1) == 0);
                assert_eq!(lowered(coefficient(message, noise)), message, "{message} {noise}");
            }
        }
    }

    #[test]
    fn noise_is_centred_and_rare_at_its_edges() {
        let mut prg = mpc_block::BlockPrg::new(mpc_block::Block::from_u128(7));
        let mut eighths = [0; 8];
        for _ in 0..8000 {
            let noise = noise([(); 3].map(|()| prg.next().to_u128()));
            eighths[(noise >> (FLOOD_BITS - 2)) as usize] += 1;
        }
        // The outer eighths have 1/96 each, the next 7/96, then 17/96 and 23/96; uniform noise would have 1/8 everywhere.
        let due = [1, 7, 17, 23, 23, 17, 7, 1].map(|share| share * 8000 / 96);
        assert!(eighths.iter().zip(due).all(|(got, due)| (due - 160..due + 160).contains(got)), "{eighths:?}");
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
