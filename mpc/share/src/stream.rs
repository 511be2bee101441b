//! The pseudorandom streams that neighbours have in common: words, and permutations for shuffles.

use bytemuck::must_cast_slice_mut;
use mpc_block::{Block, BlockPrg};
use zeroize::Zeroizing;

/// Words drawn at once where they are used up on the way; even, since a block has two words.
const SCRATCH: usize = 512;

/// A stream of words: AES-128 in counter mode under a seed that two parties have. Every draw begins with a new block, so both
/// make the same draws.
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

    /// Gives `op` each word of `out` with the next word of the stream: what [`Stream::fill`] would draw.
    pub(crate) fn each(&mut self, out: &mut [u64], op: impl Fn(&mut u64, u64)) {
        let mut scratch = Zeroizing::new([0; SCRATCH]);
        for piece in out.chunks_mut(SCRATCH) {
            let drawn = &mut scratch[..piece.len()];
            self.fill(drawn);
            piece.iter_mut().zip(drawn.iter()).for_each(|(word, drawn)| op(word, *drawn));
        }
    }

    /// A uniform permutation of `0..count` (Fisher–Yates).
    pub(crate) fn permutation(&mut self, count: u32) -> Zeroizing<Vec<u32>> {
        let mut out = Zeroizing::new((0..count).collect::<Vec<u32>>());
        let draws = Zeroizing::new(self.words(out.len()));
        for (last, draw) in (1..out.len()).rev().zip(draws.iter()) {
            let chosen = self.below(*draw, last as u64 + 1) as usize;
            out.swap(last, chosen);
        }
        out
    }

    /// A uniform number below `bound`, from a word and, rarely, further ones (Lemire 2019, "Fast random integer generation in
    /// an interval").
    fn below(&mut self, mut draw: u64, bound: u64) -> u64 {
        loop {
            let product = u128::from(draw) * u128::from(bound);
            let low = product as u64;
            if low >= bound || low >= bound.wrapping_neg() % bound {
                return (product >> 64) as u64;
            }
            draw = self.words(1)[0];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_and_used_up_are_the_same_words() {
        let (mut x, mut y) = (Stream::new(&[7; 32]), Stream::new(&[7; 32]));
        for len in [1, 2, SCRATCH - 1, SCRATCH, 3 * SCRATCH + 5] {
            let mut used = vec![0; len];
            y.each(&mut used, |word, drawn| *word = drawn);
            assert_eq!(x.words(len), used);
        }
    }

    #[test]
    fn permutations_are_permutations_and_differ() {
        let mut stream = Stream::new(&[1; 32]);
        let first = stream.permutation(500);
        let mut sorted = first.clone();
        sorted.sort_unstable();
        assert_eq!(*sorted, (0..500).collect::<Vec<_>>());
        assert!(first != stream.permutation(500));
        assert!(stream.permutation(0).is_empty());
        let mut seen = [0; 3];
        for _ in 0..3000 {
            seen[stream.permutation(3)[0] as usize] += 1;
        }
        assert!(seen.iter().all(|count| (850..1150).contains(count)), "{seen:?}");
    }
}
