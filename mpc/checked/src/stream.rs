//! Pseudorandom streams: those that neighbours have in common, and those that follow from a coin of all parties.

use bytemuck::must_cast_slice_mut;
use mpc_block::{Block, BlockPrg};
use zeroize::Zeroizing;

/// A stream: AES-128 in counter mode. Every draw begins with a new block, so equal draws in equal order give equal words.
pub(crate) struct Stream {
    prg: BlockPrg,
}

impl Stream {
    /// Starts the stream of a seed, whose first half is the key.
    pub(crate) fn new(seed: &[u8; 32]) -> Self {
        let mut key = Zeroizing::new([0; 16]);
        key.copy_from_slice(&seed[..16]);
        Self { prg: BlockPrg::new(Block::from_bytes(*key)) }
    }

    /// Goes back to the stream's beginning.
    pub(crate) fn rewind(&mut self) {
        self.prg.seek(0);
    }

    /// Fills `out` with the next words.
    pub(crate) fn fill(&mut self, out: &mut [u64]) {
        self.prg.fill_bytes(must_cast_slice_mut(out));
    }

    /// The next `count` words.
    pub(crate) fn words(&mut self, count: usize) -> Vec<u64> {
        let mut out = vec![0; count];
        self.fill(&mut out);
        out
    }

    /// The next word.
    pub(crate) fn word(&mut self) -> u64 {
        let mut out = [0];
        self.fill(&mut out);
        out[0]
    }

    /// The next `count` blocks.
    pub(crate) fn blocks(&mut self, count: usize) -> Vec<Block> {
        let mut out = vec![Block::ZERO; count];
        self.prg.fill(&mut out);
        out
    }

    /// The next block.
    pub(crate) fn block(&mut self) -> Block {
        self.prg.next()
    }

    /// The next `count` bytes.
    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut out = vec![0; count];
        self.prg.fill_bytes(&mut out);
        out
    }

    /// A uniform permutation of `0..count` (Fisher–Yates).
    pub(crate) fn permutation(&mut self, count: u32) -> Vec<u32> {
        let mut out: Vec<u32> = (0..count).collect();
        let draws = Zeroizing::new(self.words(out.len()));
        for (last, draw) in (1..out.len()).rev().zip(draws.iter()) {
            let chosen = self.below(*draw, last as u64 + 1);
            out.swap(last, chosen as usize);
        }
        out
    }

    /// A uniform number below `bound`, from a word and, rarely, further ones (Lemire 2019, "Fast random integer generation
    /// in an interval").
    fn below(&mut self, mut draw: u64, bound: u64) -> u64 {
        loop {
            let product = u128::from(draw) * u128::from(bound);
            let low = product as u64;
            if low >= bound || low >= bound.wrapping_neg() % bound {
                return (product >> 64) as u64;
            }
            draw = self.word();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_draws_are_equal_and_permutations_are_permutations() {
        let (mut x, mut y) = (Stream::new(&[7; 32]), Stream::new(&[7; 32]));
        assert_eq!(x.words(5), y.words(5));
        for stream in [&mut x, &mut y] {
            stream.rewind();
            assert_eq!(stream.words(5), Stream::new(&[7; 32]).words(5));
        }
        assert_eq!(x.permutation(500), y.permutation(500));
        assert!(x.blocks(3) == y.blocks(3) && x.block() == y.block());
        assert_eq!(x.bytes(17), y.bytes(17));
        let first = x.permutation(500);
        assert_ne!(first, x.permutation(500));
        let mut sorted = first;
        sorted.sort_unstable();
        assert_eq!(sorted, (0..500).collect::<Vec<_>>());
        assert!(x.permutation(0).is_empty());
    }
}
