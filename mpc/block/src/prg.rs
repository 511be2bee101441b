//! A pseudorandom generator of blocks: AES-128 in counter mode under the seed.

use zeroize::Zeroizing;

use crate::cast::{Bytes, raw_mut};
use crate::cipher::Mode;
use crate::{Aes, Block};

/// A stream of pseudorandom blocks that a secret seed determines: block `i` is AES-128 under the seed of the integer `i`
/// (NIST SP 800-38A, counter mode, the counter little-endian from 0). However it is drawn, the stream is one.
///
/// All blocks of a stream differ, so `n` blocks are told from random ones with probability about `n²/2^129`.
pub struct BlockPrg {
    aes: Aes,
    position: u64,
}

impl BlockPrg {
    /// Starts the stream of a seed. One seed has one purpose.
    pub fn new(seed: Block) -> Self {
        Self { aes: Aes::new(seed), position: 0 }
    }

    /// The next block.
    #[allow(clippy::should_implement_trait, reason = "the stream does not end, so it is no iterator with options")]
    pub fn next(&mut self) -> Block {
        let mut out = [Block::ZERO];
        self.fill(&mut out);
        out[0]
    }

    /// Fills `out` with the next blocks.
    pub fn fill(&mut self, out: &mut [Block]) {
        self.draw(Mode::Replace, raw_mut(out));
    }

    /// Adds the next blocks to `out` (exclusive or).
    pub fn xor_fill(&mut self, out: &mut [Block]) {
        self.draw(Mode::Add, raw_mut(out));
    }

    /// Fills `out` with the bytes of the next blocks; what is left of the last block is not used.
    pub fn fill_bytes(&mut self, out: &mut [u8]) {
        let (whole, rest) = out.as_chunks_mut::<16>();
        self.draw(Mode::Replace, whole);
        if !rest.is_empty() {
            let last = Zeroizing::new(self.next().to_bytes());
            rest.copy_from_slice(&last[..rest.len()]);
        }
    }

    /// Goes to block `block` of the stream, counted from 0.
    pub fn seek(&mut self, block: u64) {
        self.position = block;
    }

    fn draw(&mut self, mode: Mode, out: &mut [Bytes]) {
        self.aes.stream(u128::from(self.position), mode, out);
        self.position = self.position.wrapping_add(out.len() as u64);
    }
}
