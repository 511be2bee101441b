//! Products of secret words, one round: 64 transfers a cross term.
//!
//! Gilboa, "Two Party RSA Key Generation" (CRYPTO 1999), in the ring: `x_0·y_1 = Σ 2^i·x_0[i]·y_1` with a product of a
//! bit and a word (`cot`) for each `i`, of which only the low `64 − i` bits matter. The corrections of bits `i` and `64
//! − i` fill one word, so a cross term moves 32 words and a half from the sender and one word from the receiver.
//!
//! The 64 terms of a sum are computed bit beside bit, in loops that compilers make vectors of.

use base_vector::wide::wide;
use mpc_core::Abort;
use zeroize::Zeroizing;

use crate::cot::{flips, mask, signed};
use crate::line::Line;
use crate::party::Party;
use crate::shares::WORD;
use crate::transfers::{Pair, padded};

/// Words a factor's corrections take, but for the half word of bit 32.
const PACKED: usize = 32;
const HALF: usize = 32;

/// Words of one party's corrections for `count` products.
const fn correction_words(count: usize) -> usize {
    PACKED * count + count.div_ceil(2)
}

/// This party's shares of the products of two vectors of one length.
pub(crate) async fn multiply(party: &mut Party, x: &[u64], y: &[u64]) -> Result<Zeroizing<Vec<u64>>, Abort> {
    let mut line = party.line("multiply", &[x.len()]);
    let mut out = Zeroizing::new(Vec::<u64>::with_capacity(x.len()));
    let slice = party.parameters.products();
    for (x, y) in x.chunks(slice).zip(y.chunks(slice)) {
        part(party, &mut line, x, y, &mut out).await?;
    }
    Ok(out)
}

/// This party's shares of a product of matrices, `shape` as of [`crate::Two::matmul`], from products of words.
pub(crate) async fn by_transfers(
    party: &mut Party,
    x: &[u64],
    y: &[u64],
    [n, m, k]: [usize; 3],
) -> Result<Zeroizing<Vec<u64>>, Abort> {
    let places = || (0..n * k).flat_map(move |out| (0..m).map(move |at| (out, at)));
    let left: Zeroizing<Vec<u64>> = Zeroizing::new(places().map(|(out, at)| x[out / k * m + at]).collect());
    let right: Zeroizing<Vec<u64>> = Zeroizing::new(places().map(|(out, at)| y[at * k + out % k]).collect());
    let products = multiply(party, &left, &right).await?;
    let mut out = Zeroizing::new(vec![0_u64; n * k]);
    for ((place, _), product) in places().zip(products.iter()) {
        out[place] = out[place].wrapping_add(*product);
    }
    Ok(out)
}

async fn part(party: &mut Party, line: &mut Line, x: &[u64], y: &[u64], out: &mut Vec<u64>) -> Result<(), Abort> {
    let (count, transfers) = (x.len(), padded(WORD * x.len()));
    party.reserve(transfers, transfers).await?;
    let Party { sender, receiver, .. } = party;
    let sent = sender.take(transfers);
    let (keys, choices) = receiver.take(transfers);
    let mine = flips(choices, x);
    let mut message = mine.clone();
    append_corrections(sent, y, &mut message);
    let got = line.words(&message, count + correction_words(count)).await?;
    let (theirs, corrections) = got.split_at(count);
    let (packed, halves) = corrections.split_at(PACKED * count);
    let sent = sent.as_chunks::<WORD>().0.iter();
    let received = keys.as_chunks::<WORD>().0.iter().zip(packed.as_chunks::<PACKED>().0);
    wide(
        #[inline(always)]
        || {
            for (at, ((x, y), (sent, (keys, words)))) in x.iter().zip(y).zip(sent.zip(received)).enumerate() {
                let sent = sent_share(sent, *y, theirs[at]);
                let half = halves[at / 2] >> (HALF * (at % 2));
                let received = received_share(keys, choices[at], mine[at], words, half);
                out.push(x.wrapping_mul(*y).wrapping_add(sent).wrapping_add(received));
            }
        },
    );
    Ok(())
}

/// The sender's corrections for its factors `y`: word `0` that of bit 0, word `i` the `64 − i` bits of bit `i` above
/// the `i` bits of bit `64 − i`; then the 32 bits of bit 32, two factors a word.
fn append_corrections(keys: &[Pair], y: &[u64], message: &mut Vec<u64>) {
    message.reserve(correction_words(y.len()));
    let mut halves = vec![0; y.len().div_ceil(2)];
    wide(
        #[inline(always)]
        || {
            for (at, (keys, y)) in keys.as_chunks::<WORD>().0.iter().zip(y).enumerate() {
                let (packed, half) = corrections(keys, *y);
                message.extend_from_slice(&packed);
                halves[at / 2] |= half << (HALF * (at % 2));
            }
        },
    );
    message.extend_from_slice(&halves);
}

/// The corrections of one factor: the words, and the 32 bits of bit 32.
#[inline(always)]
fn corrections(keys: &[Pair; WORD], y: u64) -> ([u64; PACKED], u64) {
    let mut all = [0_u64; WORD];
    for (correction, [zero, one]) in all.iter_mut().zip(keys) {
        *correction = zero.wrapping_sub(*one).wrapping_add(y);
    }
    // That of bit 64 − i at place i; there is none at place 0.
    let mut below = [0_u64; PACKED];
    below[1..].iter_mut().zip(all[HALF + 1..].iter().rev()).for_each(|(to, from)| *to = *from);
    let mut packed = [0_u64; PACKED];
    for (bit, (word, (above, below))) in packed.iter_mut().zip(all.iter().zip(&below)).enumerate() {
        *word = (above << bit) | (below & ((1 << bit) - 1));
    }
    (packed, all[HALF] & u64::from(u32::MAX))
}

/// `Σ 2^i·(f_i·y − (1 − 2f_i)·k_i)`.
#[inline(always)]
fn sent_share(keys: &[Pair; WORD], y: u64, flips: u64) -> u64 {
    let mut sum = 0_u64;
    for (bit, [zero, _]) in keys.iter().enumerate() {
        sum = sum.wrapping_add(signed(*zero, mask(flips >> bit)) << bit);
    }
    flips.wrapping_mul(y).wrapping_sub(sum)
}

/// `Σ 2^i·(1 − 2f_i)·(k_i + u_i·c_i)`. What lies above the low `64 − i` bits of `c_i` is shifted out.
#[inline(always)]
fn received_share(keys: &[u64; WORD], choices: u64, flips: u64, words: &[u64; PACKED], half: u64) -> u64 {
    let term = |bit: usize, key: u64, correction: u64| {
        let chosen = key.wrapping_add(correction & mask(choices >> bit));
        signed(chosen, mask(flips >> bit)) << bit
    };
    // The corrections of bits 32 to 63.
    let mut high = [half; HALF];
    high[1..].iter_mut().zip(words[1..].iter().rev()).for_each(|(to, from)| *to = *from);
    let mut sum = 0_u64;
    for (bit, (key, word)) in keys[..HALF].iter().zip(words).enumerate() {
        sum = sum.wrapping_add(term(bit, *key, word >> bit));
    }
    for (at, (key, word)) in keys[HALF..].iter().zip(&high).enumerate() {
        sum = sum.wrapping_add(term(HALF + at, *key, *word));
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cross_term_adds_up_whatever_the_choices() {
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state ^ state >> 29
        };
        for (x, y) in [(0, 7), (u64::MAX, u64::MAX), (1 << 63, 3), (1 << 32, 1 << 31), (next(), next())] {
            let pairs: Vec<Pair> = (0..2 * WORD).map(|_| [next(), next()]).collect();
            let choices = next();
            let keys: Vec<u64> = (0..WORD).map(|bit| pairs[bit][(choices >> bit & 1) as usize]).collect();
            let mut message = Vec::new();
            append_corrections(&pairs, &[y, 9], &mut message);
            assert_eq!(message.len(), correction_words(2));
            let sent = sent_share(&pairs.as_chunks::<WORD>().0[0], y, choices ^ x);
            let (keys, words) = (&keys.as_chunks::<WORD>().0[0], &message.as_chunks::<PACKED>().0[0]);
            let received = received_share(keys, choices, choices ^ x, words, message[2 * PACKED]);
            assert_eq!(sent.wrapping_add(received), x.wrapping_mul(y), "{x} {y}");
        }
    }
}
