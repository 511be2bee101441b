//! SHA-256 (FIPS 180-4, section 6.2).

use super::hash;
use super::layout::{Word, left};
use super::words::constant;
use crate::circuit::{Bit, Builder};

/// Section 5.3.3.
const START: [u32; 8] =
    [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

/// Section 4.2.2.
const ROUNDS: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
    0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
    0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
    0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2,
];

impl Builder {
    /// The SHA-256 digest of a message of whole bytes.
    pub fn sha256(&mut self, message: &[Bit]) -> Vec<Bit> {
        hash::digest(self, compress, &START, message)
    }

    /// The state of SHA-256 after a block: 32 bytes of state and 64 bytes of block to 32 bytes, in the order of the
    /// digest's.
    pub fn sha256_compress(&mut self, state: &[Bit], block: &[Bit]) -> Vec<Bit> {
        hash::compress(self, compress, state, block)
    }
}

fn right(word: &[Bit], by: usize) -> Word {
    left(word, 32 - by)
}

fn shifted(word: &[Bit], by: usize) -> Word {
    let mut out = word[by..].to_vec();
    out.resize(word.len(), Bit::ZERO);
    out
}

/// The 64 words of a block's schedule.
fn schedule(b: &mut Builder, block: &[Word]) -> Vec<Word> {
    let mut all = block.to_vec();
    for at in 16..64 {
        let (near, far) = (&all[at - 2], &all[at - 15]);
        let near = b.xor_all(&[&right(near, 17), &right(near, 19), &shifted(near, 10)]);
        let far = b.xor_all(&[&right(far, 7), &right(far, 18), &shifted(far, 3)]);
        let (first, second) = (b.add(&all[at - 16], &far), b.add(&all[at - 7], &near));
        all.push(b.add(&first, &second));
    }
    all
}

fn compress(b: &mut Builder, state: &[Word], block: &[Word]) -> Vec<Word> {
    let mut v = state.to_vec();
    for (word, round) in schedule(b, block).iter().zip(ROUNDS) {
        let (low, high) = (&v[0], &v[4]);
        let high_sum = b.xor_all(&[&right(high, 6), &right(high, 11), &right(high, 25)]);
        let low_sum = b.xor_all(&[&right(low, 2), &right(low, 13), &right(low, 22)]);
        let chosen = b.choose(high, &v[5], &v[6]);
        let majority = b.majority(low, &v[1], &v[2]);
        let keyed = b.add(word, &constant(round.into(), 32));
        let first = b.add_all(&[&v[7], &high_sum, &chosen, &keyed]);
        let second = b.add(&low_sum, &majority);
        v.rotate_right(1);
        v[4] = b.add(&v[4], &first);
        v[0] = b.add(&first, &second);
    }
    state.iter().zip(&v).map(|(old, new)| b.add(old, new)).collect()
}
