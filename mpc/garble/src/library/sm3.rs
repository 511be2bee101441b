//! SM3 (GB/T 32905-2016).

use super::hash;
use super::layout::{Word, left};
use super::words::constant;
use crate::circuit::{Bit, Builder};

/// Clause 4.1.
const START: [u32; 8] =
    [0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e];

impl Builder {
    /// The SM3 digest of a message of whole bytes.
    pub fn sm3(&mut self, message: &[Bit]) -> Vec<Bit> {
        hash::digest(self, compress, &START, message)
    }

    /// The state of SM3 after a block: 32 bytes of state and 64 bytes of block to 32 bytes, in the order of the
    /// digest's.
    pub fn sm3_compress(&mut self, state: &[Bit], block: &[Bit]) -> Vec<Bit> {
        hash::compress(self, compress, state, block)
    }
}

/// Clause 4.2: the constant of a round, rotated as the round needs it.
fn constant_of(round: usize) -> Word {
    let constant_word: u32 = if round < 16 { 0x79cc_4519 } else { 0x7a87_9d8a };
    constant(constant_word.rotate_left(round as u32 % 32).into(), 32)
}

/// Clause 4.4: `P0` with 9 and 17, `P1` with 15 and 23.
fn permuted(b: &mut Builder, word: &[Bit], by: [usize; 2]) -> Word {
    b.xor_all(&[word, &left(word, by[0]), &left(word, by[1])])
}

/// Clause 5.3.2: the first 68 words; all of it is free.
fn schedule(b: &mut Builder, block: &[Word]) -> Vec<Word> {
    let mut all = block.to_vec();
    for at in 16..68 {
        let inner = b.xor_all(&[&all[at - 16], &all[at - 9], &left(&all[at - 3], 15)]);
        let outer = permuted(b, &inner, [15, 23]);
        all.push(b.xor_all(&[&outer, &left(&all[at - 13], 7), &all[at - 6]]));
    }
    all
}

/// Clause 5.3.3.
fn compress(b: &mut Builder, state: &[Word], block: &[Word]) -> Vec<Word> {
    let words = schedule(b, block);
    let mut v = state.to_vec();
    for round in 0..64 {
        let (low, high) = (&v[0], &v[4]);
        let turned = left(low, 12);
        let first = left(&b.add_all(&[&turned, high, &constant_of(round)]), 7);
        let second = b.xor_words(&first, &turned);
        let expanded = b.xor_words(&words[round], &words[round + 4]);
        // Clause 4.3.
        let (low_mixed, high_mixed) = if round < 16 {
            (b.xor_all(&[low, &v[1], &v[2]]), b.xor_all(&[high, &v[5], &v[6]]))
        } else {
            (b.majority(low, &v[1], &v[2]), b.choose(high, &v[5], &v[6]))
        };
        let (old, keyed) = (b.add(&low_mixed, &v[3]), b.add(&second, &expanded));
        let new_low = b.add(&old, &keyed);
        let (old, keyed) = (b.add(&high_mixed, &v[7]), b.add(&first, &words[round]));
        let new_high = b.add(&old, &keyed);
        v.rotate_right(1);
        v[0] = new_low;
        v[2] = left(&v[2], 9);
        v[4] = permuted(b, &new_high, [9, 17]);
        v[6] = left(&v[6], 19);
    }
    state.iter().zip(&v).map(|(old, new)| b.xor_words(old, new)).collect()
}
