//! What SHA-256 and SM3 share: padding, and the chain of blocks.

use super::layout::{Word, bytes, words};
use super::words::constant;
use crate::circuit::{Bit, Builder};

/// Bits of a block.
const BLOCK: usize = 512;
/// Bits of a state and of a digest.
const STATE: usize = 256;

/// Mixes a block of 16 words into a state of 8.
pub(super) type Compress = fn(&mut Builder, &[Word], &[Word]) -> Vec<Word>;

/// One block, on byte strings.
pub(super) fn compress(b: &mut Builder, with: Compress, state: &[Bit], block: &[Bit]) -> Vec<Bit> {
    if !b.has(state, STATE) || !b.has(block, BLOCK) {
        return vec![Bit::ZERO; STATE];
    }
    bytes(&with(b, &words(state), &words(block)))
}

/// The digest of a message of whole bytes, whose length is known: padding is constant, and folded away where it can be.
pub(super) fn digest(b: &mut Builder, with: Compress, start: &[u32; 8], message: &[Bit]) -> Vec<Bit> {
    if !b.has(message, message.len() / 8 * 8) {
        return vec![Bit::ZERO; STATE];
    }
    let mut padded = message.to_vec();
    padded.extend(constant(0x80, 8));
    let length = 64;
    padded.resize((padded.len() + length).next_multiple_of(BLOCK) - length, Bit::ZERO);
    for byte in (message.len() as u64).to_be_bytes() {
        padded.extend(constant(byte.into(), 8));
    }
    let mut state: Vec<Word> = start.iter().map(|word| constant((*word).into(), 32)).collect();
    for block in padded.chunks(BLOCK) {
        state = with(b, &state, &words(block));
    }
    bytes(&state)
}
