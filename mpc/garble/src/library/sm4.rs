//! SM4 encryption with its key schedule (GB/T 32907-2016): 256 S-boxes of 32 AND gates.
//!
//! Both S-boxes, SM4's and AES's, are an inversion in a field of 256 elements between affine maps, so one is the other
//! between affine maps, and needs no more AND gates. SM4's is `A·I(A·x + c) + c` with the circulant `A` of first row
//! `a7`, `c = d3` and the inversion `I` modulo `x^8 + x^7 + x^6 + x^5 + x^4 + x^2 + 1`. Of the eight isomorphisms to
//! the field of AES the one taken here sends `x` to `69`, which gives the sparsest maps. The test derives the S-box
//! from that definition.

use super::layout::{Word, bytes, left, words};
use crate::circuit::{Bit, Builder};

/// Bits of a block and of a key.
const BITS: usize = 128;

/// An affine map of bytes: bit `i` of the image is the parity of the byte under the mask `rows[i]`, plus bit `i` of
/// `plus`.
struct Affine {
    rows: [u8; 8],
    plus: u8,
}

/// Before the S-box of AES.
const INTO: Affine = Affine { rows: [0x06, 0x17, 0x0a, 0x35, 0x3a, 0x72, 0x9b, 0x0d], plus: 0x23 };
/// After it.
const OUT: Affine = Affine { rows: [0x9c, 0x3a, 0x8c, 0xc4, 0x74, 0xc3, 0x61, 0xa8], plus: 0x3b };

/// Clause 7.3: the system parameter `FK`.
const FAMILY: [u32; 4] = [0xa3b1_bac6, 0x56aa_3350, 0x677d_9197, 0xb270_22dc];

impl Affine {
    fn of(&self, b: &mut Builder, byte: &[Bit]) -> Vec<Bit> {
        let image = |(at, row): (usize, &u8)| {
            let plus = Bit::constant(self.plus >> at & 1 == 1);
            let taken = byte.iter().enumerate().filter(|(place, _)| row >> place & 1 == 1);
            taken.fold(plus, |sum, (_, bit)| b.xor(sum, *bit))
        };
        self.rows.iter().enumerate().map(image).collect()
    }
}

impl Builder {
    /// A block encrypted under a key, all of 16 bytes; 8,192 AND gates, half of them the key schedule's.
    pub fn sm4(&mut self, key: &[Bit], block: &[Bit]) -> Vec<Bit> {
        if !self.has(key, BITS) || !self.has(block, BITS) {
            return vec![Bit::ZERO; BITS];
        }
        let (key, mut state) = (words(key), words(block));
        let family = FAMILY.iter().map(|word| super::constant((*word).into(), 32));
        let mut keys: Vec<Word> = key.iter().zip(family).map(|(key, family)| self.xor_words(key, &family)).collect();
        for round in 0..32 {
            let constant = super::constant(round_constant(round).into(), 32);
            let key = substituted(self, &keys, &constant);
            let key = self.xor_all(&[&keys[0], &key, &left(&key, 13), &left(&key, 23)]);
            keys.rotate_left(1);
            keys[3] = key;
            let mixed = substituted(self, &state, &keys[3]);
            let linear = [2, 10, 18, 24].map(|by| left(&mixed, by));
            let [two, ten, eighteen, last] = &linear;
            let next = self.xor_all(&[&state[0], &mixed, two, ten, eighteen, last]);
            state.rotate_left(1);
            state[3] = next;
        }
        state.reverse();
        bytes(&state)
    }

    /// The S-box (clause 6.2) of a byte.
    fn sm4_box(&mut self, byte: &[Bit]) -> Vec<Bit> {
        let into = INTO.of(self, byte);
        let substituted = self.aes_box(&into);
        OUT.of(self, &substituted)
    }
}

/// The S-boxes on the last three words of a state plus a round key: `τ(x_1 + x_2 + x_3 + k)`.
fn substituted(b: &mut Builder, state: &[Word], key: &[Bit]) -> Word {
    let sum = b.xor_all(&[&state[1], &state[2], &state[3], key]);
    sum.chunks(8).flat_map(|byte| b.sm4_box(byte)).collect()
}

/// Clause 7.3: byte `j` of the constant `CK_i` is `7·(4i + j)` modulo 256.
fn round_constant(round: u32) -> u32 {
    let byte = |at: u32| (7 * (4 * round + at)) as u8;
    u32::from_be_bytes([byte(0), byte(1), byte(2), byte(3)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circuit::Limits;

    /// The product modulo the polynomial of SM4.
    fn product(x: u8, y: u8) -> u8 {
        (0..8).rev().fold(0, |sum: u8, at| {
            let doubled = sum << 1 ^ if sum >> 7 == 1 { 0xf5 } else { 0 };
            doubled ^ if y >> at & 1 == 1 { x } else { 0 }
        })
    }

    /// `A·x + c`: row `i` of the circulant is `a7` rotated by `i`.
    fn affine(x: u8) -> u8 {
        (0..8).fold(0xd3, |sum, at| sum ^ ((0xa7_u8.rotate_left(at) & x).count_ones() as u8 & 1) << at)
    }

    #[test]
    fn the_box_is_the_standards_at_every_byte() {
        let mut b = Builder::new(&[8], Limits::default()).unwrap();
        let byte = b.input(0);
        let out = b.sm4_box(&byte);
        b.output(&out);
        let circuit = b.finish().unwrap();
        assert_eq!(circuit.ands(), 32);
        for x in 0..=255_u8 {
            let inner = affine(x);
            let inverse = (0..=255).find(|y| product(inner, *y) == 1).unwrap_or(0);
            let bits: Vec<bool> = (0..8).map(|at| x >> at & 1 == 1).collect();
            let got = circuit.evaluate(&bits).unwrap();
            let got = got.iter().rev().fold(0, |byte: u8, bit| byte << 1 | u8::from(*bit));
            assert_eq!(got, affine(inverse), "{x:02x}");
        }
        assert_eq!(affine((0..=255).find(|y| product(affine(0), *y) == 1).unwrap()), 0xd6);
    }
}
