//! AES-128 encryption with its key schedule (FIPS 197): 200 S-boxes.

use crate::circuit::{Bit, Builder};

/// Bits of a block and of a key.
const BITS: usize = 128;
const ROUNDS: usize = 10;

type Byte = Vec<Bit>;

impl Builder {
    /// A block encrypted under a key, all of 16 bytes; 6,400 AND gates, 1,280 of them the key schedule's.
    pub fn aes128(&mut self, key: &[Bit], block: &[Bit]) -> Vec<Bit> {
        if !self.has(key, BITS) || !self.has(block, BITS) {
            return vec![Bit::ZERO; BITS];
        }
        let mut round_key: Vec<Byte> = key.chunks(8).map(<[Bit]>::to_vec).collect();
        let mut state: Vec<Byte> = block.chunks(8).map(<[Bit]>::to_vec).collect();
        state = added(self, &state, &round_key);
        let mut constant = 1;
        for round in 1..=ROUNDS {
            round_key = next_key(self, &round_key, constant);
            constant = constant << 1 ^ if constant >> 7 == 1 { 0x1b } else { 0 };
            state = state.iter().map(|byte| self.aes_box(byte).to_vec()).collect();
            // ShiftRows: row r of a column comes from r columns further on.
            state = (0..16).map(|at| state[(at + 4 * (at % 4)) % 16].clone()).collect();
            if round < ROUNDS {
                state = state.chunks(4).flat_map(|column| mixed(self, column)).collect();
            }
            state = added(self, &state, &round_key);
        }
        state.concat()
    }
}

fn added(b: &mut Builder, state: &[Byte], key: &[Byte]) -> Vec<Byte> {
    state.iter().zip(key).map(|(state, key)| b.xor_words(state, key)).collect()
}

/// The next round key (section 5.2).
fn next_key(b: &mut Builder, key: &[Byte], constant: u8) -> Vec<Byte> {
    let mut out: Vec<Byte> = Vec::with_capacity(16);
    for at in 0..16 {
        let change = if at < 4 { b.aes_box(&key[12 + (at + 1) % 4]).to_vec() } else { out[at - 4].clone() };
        let mut byte = b.xor_words(&key[at], &change);
        if at == 0 {
            byte = b.xor_words(&byte, &super::constant(constant.into(), 8));
        }
        out.push(byte);
    }
    out
}

/// MixColumns (section 5.1.3): `s'_i = s_i + t + 2·(s_i + s_{i+1})`, `t` being the sum of the column.
fn mixed(b: &mut Builder, column: &[Byte]) -> Vec<Byte> {
    let all: Vec<&[Bit]> = column.iter().map(Vec::as_slice).collect();
    let total = b.xor_all(&all);
    let next = column.iter().cycle().skip(1);
    let byte = |(own, next): (&Byte, &Byte)| {
        let pair = b.xor_words(own, next);
        let doubled = doubled(b, &pair);
        b.xor_all(&[own, &total, &doubled])
    };
    column.iter().zip(next).map(byte).collect()
}

/// Twice the byte in GF(2^8).
fn doubled(b: &mut Builder, byte: &[Bit]) -> Byte {
    let mut out = super::layout::left(byte, 1);
    if let [carry, one, _, three, four, ..] = &mut out[..] {
        for bit in [one, three, four] {
            *bit = b.xor(*bit, *carry);
        }
    }
    out
}
