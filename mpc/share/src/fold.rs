//! Trees over the places of words: two words become one and one, of lower and of upper places, until a bit is left of each.
//!
//! No bit is moved alone. Where neighbouring places are to meet first, the places are put in bit-reversed order once, after which
//! neighbours lie in the two halves of a word. A level puts the low halves of two words into one, and their high halves into
//! another, so a level's data are half of those before, in full words. The trees are those of any engine ([`Replicated`]).

use base_vector::wide::wide;
use mpc_core::Abort;
use zeroize::Zeroizing;

use crate::bits::unpack;
use crate::{Bits64, Replicated, View, Words};

/// Words that end in one.
const BITS: usize = 64;
/// Words that are made at a time, in the first-level cache; a multiple of [`BITS`].
const STRIP: usize = 2048;
/// The same of two vectors that are made side by side.
const PAIR: usize = STRIP / 2;

/// The low `width` of every `2·width` places.
const fn low_fields(width: u32) -> u64 {
    u64::MAX / ((1 << width) + 1)
}

/// Exchanges each of `places` with the place `by` above it.
#[inline(always)]
const fn exchanged(x: u64, places: u64, by: u32) -> u64 {
    let moved = ((x >> by) ^ x) & places;
    x ^ moved ^ (moved << by)
}

/// Puts place `i` where the six bits of `i` in reversed order say: three exchanges of two bits of the index.
#[inline(always)]
pub fn reversed(x: u64) -> u64 {
    let x = exchanged(x, 0x0000_0000_aaaa_aaaa, 31);
    let x = exchanged(x, 0x0000_cccc_0000_cccc, 14);
    exchanged(x, 0x00f0_00f0_00f0_00f0, 4)
}

/// The same for words of 32 places, and five bits.
pub(crate) fn reversed_half(x: u64) -> u64 {
    exchanged(exchanged(x, 0x0000_aaaa, 15), 0x00cc_00cc, 6)
}

/// A vector of `len` words, strip by strip: `make` is given a strip's first place and the strip, zeros yet. New memory is written
/// once.
fn made(len: usize, make: impl Fn(usize, &mut [u64])) -> Vec<u64> {
    let mut out = Vec::with_capacity(len);
    while out.len() < len {
        let at = out.len();
        out.resize(len.min(at + STRIP), 0);
        make(at, &mut out[at..]);
    }
    out
}

/// What a linear operation on bits makes of words, with zeros behind them up to a multiple of 64.
pub fn begun(x: &Words, op: impl Fn(u64) -> u64) -> Words {
    let half = |words: &[u64]| {
        made(words.len().next_multiple_of(BITS), |at, out| {
            let words = words.get(at..).unwrap_or_default();
            wide(|| out.iter_mut().zip(words).for_each(|(out, x)| *out = op(*x)));
        })
    };
    Words::new(half(&x.own), half(&x.next))
}

/// Two vectors of `len` words, as [`made`]: `make` is given a strip's first place and the strip of each.
fn made_both(len: usize, mut make: impl FnMut(usize, [&mut [u64]; 2])) -> [Vec<u64>; 2] {
    let [mut one, mut other] = [(); 2].map(|()| Vec::with_capacity(len));
    while one.len() < len {
        let (at, end) = (one.len(), len.min(one.len() + PAIR));
        one.resize(end, 0);
        other.resize(end, 0);
        make(at, [&mut one[at..], &mut other[at..]]);
    }
    [one, other]
}

/// The low and the high halves of all fields of `2·width` places: of the first and the second half of the words side by side.
pub(crate) fn halves(x: View<'_, Bits64>, width: u32) -> [Words; 2] {
    let ([low, high], [low_next, high_next]) = (folded(x.own, width), folded(x.next, width));
    [Words::new(low, low_next), Words::new(high, high_next)]
}

/// As [`halves`], for one party's words.
pub(crate) fn folded(words: &[u64], width: u32) -> [Vec<u64>; 2] {
    let (first, second) = words.split_at(words.len() / 2);
    made_both(first.len(), |at, out| fold(&first[at..], &second[at..], width, out))
}

/// The low and the high halves of a strip, of which `first` and `second` have at least as many words.
fn fold(first: &[u64], second: &[u64], width: u32, [lower, upper]: [&mut [u64]; 2]) {
    let low = low_fields(width);
    let pairs = first.iter().zip(second);
    wide(|| lower.iter_mut().zip(pairs.clone()).for_each(|(out, (x, y))| *out = (x & low) | ((y & low) << width)));
    wide(|| upper.iter_mut().zip(pairs).for_each(|(out, (x, y))| *out = ((x >> width) & low) | (y & !low)));
}

/// The halves, of 32 places, of what [`begun`] makes of the exclusive or of equally long vectors, in one pass. `op` is linear over bits.
pub fn begun_halves<const N: usize>(x: [View<'_, Bits64>; N], op: impl Fn(u64) -> u64) -> [Words; 2] {
    let ([low, high], [low_next, high_next]) =
        (begun_folded(x.map(|x| x.own), &op), begun_folded(x.map(|x| x.next), &op));
    [Words::new(low, low_next), Words::new(high, high_next)]
}

/// As [`begun_halves`], for one party's words.
fn begun_folded<const N: usize>(words: [&[u64]; N], op: impl Fn(u64) -> u64) -> [Vec<u64>; 2] {
    let begin = |at: usize, out: &mut [u64]| {
        out.fill(0);
        for words in words {
            let words = words.get(at..).unwrap_or_default();
            wide(|| out.iter_mut().zip(words).for_each(|(out, x)| *out ^= x));
        }
        wide(|| out.iter_mut().for_each(|x| *x = op(*x)));
    };
    let half = words.first().map_or(0, |words| words.len()).next_multiple_of(BITS) / 2;
    let mut rooms = Zeroizing::new([[0_u64; PAIR]; 2]);
    made_both(half, |at, out| {
        let (len, [first, second]) = (out[0].len(), &mut *rooms);
        let (first, second) = (&mut first[..len], &mut second[..len]);
        begin(at, first);
        begin(half + at, second);
        fold(first, second, 32, out);
    })
}

/// What is left of each of `len` words, in place 0 of a word of its own: of `q` words, bit `p` of word `w` is that of element
/// `p·q + w`.
pub fn ended(x: &Words, len: usize) -> Words {
    Words::new(unpack(&x.own, len), unpack(&x.next, len))
}

/// The carry out of the last block of places, from the halves, of `width` places, of what blocks generate and of what they pass on
/// ([`begun_halves`]), in bit-reversed order. A round a level.
///
/// # Errors
/// [`Abort`] when a peer is gone or misbehaves.
pub async fn carry<P: Replicated>(
    party: &mut P,
    mut generate: [Words; 2],
    mut pass: [Words; 2],
    mut width: u32,
) -> Result<Words, Abort> {
    loop {
        let ([low, high], [pass_low, pass_high]) = (&generate, &pass);
        let pairs = [(pass_high.view(), low.view()), (pass_high.view(), pass_low.view())];
        // The last block need not pass anything on.
        let count = if width > 1 { 2 } else { 1 };
        let mut both = party.and_joined(&pairs[..count]).await?;
        // A block generates and passes on never at once, so exclusive or is or.
        both.add_at(0, high);
        let len = high.len();
        width /= 2;
        if width == 0 {
            return Ok(both);
        }
        (generate, pass) = (halves(both.range(0..len), width), halves(both.range(len..2 * len), width));
    }
}

/// Whether all 64 bits of each word are 1, of words that [`begun`] made. Six rounds.
///
/// # Errors
/// [`Abort`] when a peer is gone or misbehaves.
pub async fn conjunction<P: Replicated>(party: &mut P, mut all: Words) -> Result<Words, Abort> {
    for width in [32, 16, 8, 4, 2, 1] {
        let [low, high] = halves(all.view(), width);
        all = party.and(&low, &high).await?;
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_reversed_and_every_word_ends_in_its_own_bit() {
        for place in 0..64_u32 {
            assert_eq!(reversed(1 << place), 1 << (place.reverse_bits() >> 26));
        }
        for place in 0..32_u32 {
            assert_eq!(reversed_half(1 << place), 1 << (place.reverse_bits() >> 27));
        }
        for len in [0, 1, 2, 63, 64, 65, 300, 2 * STRIP + 70] {
            let words: Vec<u64> = (1..=len as u64).map(|x| x.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
            let x = Words::new(words.clone(), words.iter().map(|x| !x).collect());
            // The sum of all places, so that each has to be where it belongs.
            let parities = [32, 16, 8, 4, 2, 1].iter().fold(begun(&x, reversed), |all, width| {
                let [low, high] = halves(all.view(), *width);
                low.add(&high)
            });
            let out = ended(&parities, len);
            let parity = |x: &u64| u64::from(x.count_ones() & 1);
            assert!(out.own.iter().eq(&words.iter().map(parity).collect::<Vec<_>>()), "{len}");
            assert_eq!((&out.own, out.len()), (&out.next, len));
        }
    }

    #[test]
    fn fields_are_folded() {
        assert_eq!([32, 16, 1].map(low_fields), [0xffff_ffff, 0x0000_ffff_0000_ffff, 0x5555_5555_5555_5555]);
        for len in [0, 1, 40, 64, 100, 4 * PAIR, 4 * PAIR + 3] {
            let words = |seed: u64| (1..=len as u64).map(|x| x.wrapping_mul(seed)).collect::<Vec<u64>>();
            let x = Words::new(words(0x9e37_79b9_7f4a_7c15), words(0xbf58_476d_1ce4_e5b9));
            let y = Words::new(words(0x94d0_49bb_1331_11eb), words(0x2545_f491_4f6c_dd1d));
            let all = begun_halves([x.view(), y.view()], reversed);
            let due = halves(begun(&x.add(&y), reversed).view(), 32);
            assert!(all.iter().zip(&due).all(|(x, y)| x.own == y.own && x.next == y.next), "{len}");
        }
        let [low, high] = folded(&[0x1111_2222_3333_4444, 0x5555_6666_7777_8888], 16);
        assert_eq!((low[0], high[0]), (0x6666_2222_8888_4444, 0x5555_1111_7777_3333));
    }
}
