//! Byte strings as words of 32 bits and back, rotations, and sums of several words.

use crate::circuit::{Bit, Builder, CircuitError};

/// A word of 32 bits, the least significant first.
pub(super) type Word = Vec<Bit>;

/// Bytes as big-endian words, or big-endian words as bytes: the order of the bytes of each word is turned round.
fn turned(bits: &[Bit]) -> Vec<Bit> {
    bits.chunks(32).flat_map(|word| word.chunks(8).rev().flatten().copied()).collect()
}

/// A byte string as big-endian words.
pub(super) fn words(bytes: &[Bit]) -> Vec<Word> {
    turned(bytes).chunks(32).map(<[Bit]>::to_vec).collect()
}

/// Big-endian words as a byte string.
pub(super) fn bytes(words: &[Word]) -> Vec<Bit> {
    turned(&words.concat())
}

/// The word with its bits rotated towards the high end.
pub(super) fn left(word: &[Bit], by: usize) -> Word {
    let mut out = word.to_vec();
    out.rotate_right(by % word.len().max(1));
    out
}

impl Builder {
    /// Bit by bit: the exclusive or of all words.
    pub(super) fn xor_all(&mut self, words: &[&[Bit]]) -> Word {
        let Some((first, rest)) = words.split_first() else { return vec![] };
        rest.iter().fold(first.to_vec(), |sum, word| self.xor_words(&sum, word))
    }

    /// The sum of all words, one after the other.
    pub(super) fn add_all(&mut self, words: &[&[Bit]]) -> Word {
        let Some((first, rest)) = words.split_first() else { return vec![] };
        rest.iter().fold(first.to_vec(), |sum, word| self.add(&sum, word))
    }

    /// Bit by bit: `y` where `x` is 1, else `z`.
    pub(super) fn choose(&mut self, x: &[Bit], y: &[Bit], z: &[Bit]) -> Word {
        let bits = x.iter().zip(y).zip(z);
        bits.map(|((x, y), z)| self.select(*x, &[*y], &[*z])).collect::<Vec<Word>>().concat()
    }

    /// Bit by bit: what at least two of three say.
    pub(super) fn majority(&mut self, x: &[Bit], y: &[Bit], z: &[Bit]) -> Word {
        let (left, right) = (self.xor_words(x, y), self.xor_words(x, z));
        let both: Word = left.iter().zip(&right).map(|(left, right)| self.and(*left, *right)).collect();
        self.xor_words(&both, x)
    }

    /// Tells whether a byte string has `width` bits, and keeps the mistake when it has not.
    pub(super) fn has(&mut self, bits: &[Bit], width: usize) -> bool {
        if bits.len() != width {
            self.fail(CircuitError::Count { what: "bits in a byte string", found: bits.len(), due: width });
        }
        bits.len() == width
    }
}
