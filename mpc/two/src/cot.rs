//! Products of a bit of one party and a word of the other, from one transfer each and one message in each direction.
//!
//! The sender has the word `a` and keys `k_0, k_1`, the receiver the bit `b`, a random choice `u` and `k_u`. The sender
//! sends `c = k_0 − k_1 + a`, the receiver `f = b ⊕ u`. Then `k_u + u·c = k_0 + u·a`, and since `b·a = (1 − 2f)·u·a +
//! f·a`, the shares are `f·a − (1 − 2f)·k_0` and `(1 − 2f)·(k_u + u·c)`. Neither message waits for the other
//! (correlated transfers as in Asharov et al., CCS 2013, with the choice corrected afterwards as in Beaver, CRYPTO
//! 1995).

use crate::shares::WORD;
use crate::transfers::Pair;

/// All ones where the lowest bit of `bit` is set, else zero.
#[inline]
pub(crate) const fn mask(bit: u64) -> u64 {
    (bit & 1).wrapping_neg()
}

/// `(1 − 2f)·x`, where `mask` is that of `f`.
#[inline]
pub(crate) const fn signed(x: u64, mask: u64) -> u64 {
    (x ^ mask).wrapping_sub(mask)
}

/// Bit `at` of bits 64 a word, as a mask.
#[inline]
fn mask_at(bits: &[u64], at: usize) -> u64 {
    mask(bits[at / WORD] >> (at % WORD))
}

/// The sender's message: a word a transfer.
pub(crate) fn corrections(keys: &[Pair], values: &[u64]) -> Vec<u64> {
    let correction = |([zero, one], value): (&Pair, &u64)| zero.wrapping_sub(*one).wrapping_add(*value);
    keys.iter().zip(values).map(correction).collect()
}

/// The receiver's message: a bit a transfer. There is a word of `choices` for every word of `bits`.
pub(crate) fn flips(choices: &[u64], bits: &[u64]) -> Vec<u64> {
    choices.iter().zip(bits).map(|(choice, bit)| choice ^ bit).collect()
}

/// Adds the sender's shares of the products to `out`.
pub(crate) fn add_sent(keys: &[Pair], values: &[u64], flips: &[u64], out: &mut [u64]) {
    for (at, ((out, value), [zero, _])) in out.iter_mut().zip(values).zip(keys).enumerate() {
        let flip = mask_at(flips, at);
        *out = out.wrapping_add(value & flip).wrapping_sub(signed(*zero, flip));
    }
}

/// Adds the receiver's shares of the products to `out`.
pub(crate) fn add_received(keys: &[u64], choices: &[u64], flips: &[u64], corrections: &[u64], out: &mut [u64]) {
    for (at, ((out, correction), key)) in out.iter_mut().zip(corrections).zip(keys).enumerate() {
        let chosen = key.wrapping_add(correction & mask_at(choices, at));
        *out = out.wrapping_add(signed(chosen, mask_at(flips, at)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_the_product_for_all_bits() {
        let value = 0x9e37_79b9_7f4a_7c15;
        let keys: [Pair; 1] = [[3, u64::MAX - 5]];
        for (bit, choice) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let flips = flips(&[choice], &[bit]);
            let corrections = corrections(&keys, &[value]);
            let (mut sent, mut received) = ([7], [0]);
            add_sent(&keys, &[value], &flips, &mut sent);
            add_received(&[keys[0][choice as usize]], &[choice], &flips, &corrections, &mut received);
            assert_eq!(sent[0].wrapping_add(received[0]).wrapping_sub(7), bit * value, "{bit} {choice}");
        }
    }
}
