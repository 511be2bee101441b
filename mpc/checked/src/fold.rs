//! Trees over the places of words: two words become one and one, of lower and of upper places, until a bit is left of each.
//!
//! The layout of `mpc-share`'s carries: no bit is moved alone. Where neighbouring places are to meet first, the places are put in
//! bit-reversed order once, after which neighbours lie in the two halves of a word. A level puts the low halves of two words into
//! one, and their high halves into another, so a level's data are half of those before, in full words.

use base_vector::wide::wide;
use mpc_share::{Shared, Words};

/// Words that end in one.
const BITS: usize = 64;

/// The low `width` of every `2·width` places.
const fn low_fields(width: u32) -> u64 {
    u64::MAX / ((1 << width) + 1)
}

/// Puts place `i` where the six bits of `i` in reversed order say: three exchanges of two bits of the index.
#[inline(always)]
pub(crate) fn reversed(x: u64) -> u64 {
    let exchange = |x: u64, places: u64, by: u32| {
        let moved = ((x >> by) ^ x) & places;
        x ^ moved ^ (moved << by)
    };
    let x = exchange(x, 0x0000_0000_aaaa_aaaa, 31);
    let x = exchange(x, 0x0000_cccc_0000_cccc, 14);
    exchange(x, 0x00f0_00f0_00f0_00f0, 4)
}

/// What a linear operation on bits makes of words, with zeros behind them up to a multiple of 64.
pub(crate) fn begun(x: &Words, op: impl Fn(u64) -> u64) -> Words {
    let half = |words: &[u64]| {
        let mut out = vec![0; words.len().next_multiple_of(BITS)];
        wide(|| out.iter_mut().zip(words).for_each(|(out, x)| *out = op(*x)));
        out
    };
    let (own, next) = x.parts();
    Shared::from_parts(half(own), half(next))
}

/// The low and the high halves of all fields of `2·width` places: of the first and the second half of the words side by side.
pub(crate) fn halves(x: &Words, width: u32) -> [Words; 2] {
    let (own, next) = x.parts();
    let ([low, high], [low_next, high_next]) = (folded(own, width), folded(next, width));
    [Shared::from_parts(low, low_next), Shared::from_parts(high, high_next)]
}

fn folded(words: &[u64], width: u32) -> [Vec<u64>; 2] {
    let (first, second) = words.split_at(words.len() / 2);
    let (mut lower, mut upper, low) = (vec![0; first.len()], vec![0; first.len()], low_fields(width));
    let pairs = || first.iter().zip(second);
    wide(|| lower.iter_mut().zip(pairs()).for_each(|(out, (x, y))| *out = (x & low) | ((y & low) << width)));
    wide(|| upper.iter_mut().zip(pairs()).for_each(|(out, (x, y))| *out = ((x >> width) & low) | (y & !low)));
    [lower, upper]
}

/// What is left of each of `len` words, in place 0 of a word of its own: of `q` words, bit `p` of word `w` is that of element
/// `p·q + w`.
pub(crate) fn ended(x: &Words, len: usize) -> Words {
    let half = |words: &[u64]| {
        let mut out = vec![0; len];
        for (place, run) in out.chunks_mut(words.len().max(1)).enumerate() {
            wide(|| run.iter_mut().zip(words).for_each(|(out, word)| *out = word >> place & 1));
        }
        out
    };
    let (own, next) = x.parts();
    Shared::from_parts(half(own), half(next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_reversed_and_every_word_ends_in_its_own_bit() {
        for place in 0..64_u32 {
            assert_eq!(reversed(1 << place), 1 << (place.reverse_bits() >> 26));
        }
        for len in [0, 1, 2, 63, 64, 65, 300] {
            let words: Vec<u64> = (1..=len as u64).map(|x| x.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
            let x = Words::from_parts(words.clone(), words.iter().map(|x| !x).collect());
            // The sum of all places, so that each has to be where it belongs.
            let parities = [32, 16, 8, 4, 2, 1].iter().fold(begun(&x, reversed), |all, width| {
                let [low, high] = halves(&all, *width);
                low.add(&high)
            });
            let out = ended(&parities, len);
            let parity = |x: &u64| u64::from(x.count_ones() & 1);
            assert!(out.parts().0.iter().eq(&words.iter().map(parity).collect::<Vec<_>>()), "{len}");
            assert_eq!((out.parts().0, out.len()), (out.parts().1, len));
        }
        let x = Words::from_parts(vec![0x1111_2222_3333_4444, 0x5555_6666_7777_8888], vec![0; 2]);
        let [low, high] = halves(&x, 16);
        assert_eq!((low.parts().0, high.parts().0), (&[0x6666_2222_8888_4444][..], &[0x5555_1111_7777_3333][..]));
    }
}
