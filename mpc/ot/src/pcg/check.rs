//! The consistency check of a batch: one random linear combination of all leaves.
//!
//! The coefficient of leaf `j` of tree `i` is `b^(i+1)·a^(j+1)` for uniform `a`, `b` that the receiver draws when it has the trees. A
//! vector of errors is missed with probability at most `(2^d + 128)·2^-128` (Schwartz–Zippel). With `x` the combination of the
//! noise, honest parties have `V = W + x·Δ`. One more VOLE element `k = m + y·Δ` hides `x`: the receiver says `x + y`, and
//! `V + k + (x + y)·Δ = W + m` is known to both (Ferret, CCS 2020, Fig. 7). The sender sends its digest, the receiver compares.

use mpc_block::{Block, gf_dot};

use super::NOISE;
use crate::place::Place;

/// Length of the receiver's challenge: `a`, `b`, and `x + y`.
pub(super) const CHALLENGE_BYTES: usize = 48;
/// Length of the sender's answer.
pub(super) const ANSWER_BYTES: usize = 32;

/// The coefficients of one batch.
pub(super) struct Combination {
    /// `a^(j+1)` for every leaf of a tree.
    leaves: Vec<Block>,
    /// `b^(i+1)` for every tree.
    trees: Vec<Block>,
    /// `a^(2^l)` for every level.
    squares: Vec<Block>,
}

fn powers(base: Block, count: usize) -> Vec<Block> {
    std::iter::successors(Some(base), |power| Some(power.gf_mul(base))).take(count).collect()
}

impl Combination {
    /// For trees of `depth` levels.
    pub(super) fn new(a: Block, b: Block, depth: usize) -> Self {
        let squares = std::iter::successors(Some(a), |square| Some(square.gf_square())).take(depth).collect();
        Self { leaves: powers(a, 1 << depth), trees: powers(b, NOISE), squares }
    }

    /// The combination of all leaves.
    pub(super) fn of_leaves(&self, leaves: &[Block]) -> Block {
        let sums: Vec<Block> = leaves.chunks_exact(self.leaves.len()).map(|tree| gf_dot(tree, &self.leaves)).collect();
        gf_dot(&sums, &self.trees)
    }

    /// The combination of noise that is `values[i]` at place `places[i]` of tree `i`; no access depends on the places.
    pub(super) fn of_noise(&self, places: &[usize], values: &[Block]) -> Block {
        let term = |(place, value): (&usize, &Block)| {
            let power = |power: Block, (level, square): (usize, &Block)| {
                power.gf_mul(Block::select((place >> level) & 1 == 1, Block::ONE, *square))
            };
            self.squares.iter().enumerate().fold(self.leaves[0], power).gf_mul(*value)
        };
        let terms: Vec<Block> = places.iter().zip(values).map(term).collect();
        gf_dot(&terms, &self.trees)
    }
}

/// The receiver's message.
pub(super) fn challenge(a: Block, b: Block, masked: Block) -> Vec<u8> {
    [a, b, masked].iter().flat_map(|block| block.to_bytes()).collect()
}

/// `a`, `b`, and `x + y`, from the receiver's message of [`CHALLENGE_BYTES`] bytes.
pub(super) fn parse(challenge: &[u8]) -> Option<[Block; 3]> {
    let blocks: &[[u8; 16]; 3] = challenge.as_chunks::<16>().0.first_chunk()?;
    Some(blocks.map(Block::from_bytes))
}

/// The digest of what both parties know, for batch number `batch`.
pub(super) fn digest(place: &Place, batch: u64, challenge: &[u8], known: Block) -> [u8; ANSWER_BYTES] {
    let parts: [&[u8]; 3] = [&batch.to_be_bytes(), challenge, &known.to_bytes()];
    place.digest("heqi/mpc/ot/pcg/check/1", &parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_combination_of_noise_is_that_of_the_vector_it_stands_for() {
        let depth = 3;
        let combination = Combination::new(Block::from_u128(0x1357 << 90), Block::from_u128(0x2468 << 70), depth);
        let places: Vec<usize> = (0..NOISE).map(|tree| tree * 5 % 8).collect();
        let values: Vec<Block> = (0..NOISE).map(|tree| Block::from_u128(tree as u128 * 31 + 1)).collect();
        let mut vector = vec![Block::ZERO; NOISE << depth];
        for (tree, (place, value)) in places.iter().zip(&values).enumerate() {
            vector[(tree << depth) + place] = *value;
        }
        assert!(combination.of_leaves(&vector) == combination.of_noise(&places, &values));
        vector[77] ^= Block::ONE;
        assert!(combination.of_leaves(&vector) != combination.of_noise(&places, &values));
    }
}
