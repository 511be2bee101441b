//! Expand-convolute code: the public linear map that compresses a batch (Raghuraman, Rindal and Tanguy, CRYPTO 2023).
//!
//! Of `2n` blocks the second half is convolved: every block, as it has become, is added to a random subset of the 24 blocks behind it
//! and to the one 25 behind it; what would lie behind the last wraps round to the first. This is done twice, so that a difference
//! near the end spreads too. Then block `i` of the first half (the code is systematic) takes in `w` blocks of the second: half of
//! them anywhere, the others one in each of as many equal regions. All randomness of the map is public and the session's.

use mpc_block::{self as block, Block, BlockPrg, OVERHANG, REACH, bytes_of, xor_into};
use zeroize::Zeroizing;

use super::Expander;

/// Blocks that are convolved between two draws of taps.
const TILE: usize = 1024;
/// Rows of the expander between two draws.
const ROWS: usize = 64;

/// The map of one session.
pub(super) struct Code {
    seeds: [Block; 3],
    expander: Expander,
}

impl Code {
    /// The map that three seeds decide.
    pub(super) fn new(seeds: [Block; 3], expander: Expander) -> Self {
        Self { seeds, expander }
    }

    /// Compresses in place; the first half is the result. The length is a power of two of at least 2048.
    pub(super) fn encode(&self, blocks: &mut [Block]) {
        let (systematic, parity) = blocks.split_at_mut(blocks.len() / 2);
        let [first, second, rows] = self.seeds;
        convolve(parity, first);
        convolve(parity, second);
        match self.expander {
            Expander::Seven => expand::<7>(systematic, parity, rows),
            Expander::TwentyOne => expand::<21>(systematic, parity, rows),
        }
    }
}

/// Convolves, and adds to the first blocks what the last ones mean for them.
fn convolve(blocks: &mut [Block], seed: Block) {
    let mut prg = BlockPrg::new(seed);
    let mut drawn = vec![Block::ZERO; TILE / 4];
    let mut taps = || -> [u32; TILE] {
        prg.fill(&mut drawn);
        let (words, _) = bytes_of(&drawn).as_chunks::<4>();
        std::array::from_fn(|at| u32::from_le_bytes(words[at]))
    };
    let last = blocks.len() - TILE;
    for from in (0..last).step_by(TILE) {
        block::convolve(&mut blocks[from..from + TILE + OVERHANG], &taps());
    }
    let mut end = Zeroizing::new([Block::ZERO; TILE + OVERHANG]);
    end[..TILE].copy_from_slice(&blocks[last..]);
    block::convolve(&mut *end, &taps());
    blocks[last..].copy_from_slice(&end[..TILE]);
    xor_into(&mut blocks[..REACH], &end[TILE..TILE + REACH]);
}

/// A number below `bound` from a uniform word.
fn scale(word: [u8; 4], bound: usize) -> usize {
    ((u64::from(u32::from_le_bytes(word)) * bound as u64) >> 32) as usize
}

fn expand<const WEIGHT: usize>(systematic: &mut [Block], parity: &[Block], seed: Block) {
    let regular = WEIGHT - WEIGHT / 2;
    let step = parity.len() / regular;
    let mut prg = BlockPrg::new(seed);
    let mut drawn = vec![Block::ZERO; WEIGHT * ROWS / 4];
    for tile in systematic.chunks_mut(ROWS) {
        prg.fill(&mut drawn);
        let (words, _) = bytes_of(&drawn).as_chunks::<4>();
        let (rows, _) = words.as_chunks::<WEIGHT>();
        for (out, row) in tile.iter_mut().zip(rows) {
            let mut sum = out.to_u128();
            let (regions, anywhere) = row.split_at(regular);
            for (region, word) in regions.iter().enumerate() {
                sum ^= parity[region * step + scale(*word, step)].to_u128();
            }
            for word in anywhere {
                sum ^= parity[scale(*word, parity.len())].to_u128();
            }
            *out = Block::from_u128(sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEDS: [Block; 3] = [Block::from_u128(1), Block::from_u128(2), Block::from_u128(3)];

    fn random(seed: u128, len: usize) -> Vec<Block> {
        let mut out = vec![Block::ZERO; len];
        BlockPrg::new(Block::from_u128(seed)).fill(&mut out);
        out
    }

    #[test]
    fn convolution_is_that_of_the_definition() {
        let len = 2 * TILE;
        let mut blocks = random(9, len);
        let taps: Vec<u32> =
            bytes_of(&random(5, len / 4)).as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect();
        // Round the end too, but what comes there goes no further.
        let mut due = blocks.clone();
        for from in 0..len {
            for distance in (1..=REACH).filter(|at| *at == REACH || taps[from] >> (at - 1) & 1 == 1) {
                if from + distance < len {
                    due[from + distance] = due[from + distance] ^ due[from];
                }
            }
        }
        let grown = due.clone();
        for from in len - REACH..len {
            for distance in (1..=REACH).filter(|at| *at == REACH || taps[from] >> (at - 1) & 1 == 1) {
                if from + distance >= len {
                    due[from + distance - len] = due[from + distance - len] ^ grown[from];
                }
            }
        }
        convolve(&mut blocks, Block::from_u128(5));
        assert!(blocks == due);
    }

    #[test]
    fn the_map_is_linear_and_depends_on_every_block_and_every_seed() {
        for expander in [Expander::Seven, Expander::TwentyOne] {
            let code = Code::new(SEEDS, expander);
            let (x, y) = (random(7, 4096), random(8, 4096));
            let mut sum: Vec<Block> = x.iter().zip(&y).map(|(x, y)| *x ^ *y).collect();
            let (mut a, mut b) = (x.clone(), y.clone());
            [&mut a, &mut b, &mut sum].into_iter().for_each(|blocks| code.encode(blocks));
            assert!((0..2048).all(|at| a[at] ^ b[at] == sum[at]));
            for at in [0, 1, 2047, 2048, 3000, 4095] {
                let mut other = x.clone();
                other[at] ^= Block::ONE;
                code.encode(&mut other);
                let moved = (0..2048).filter(|at| other[*at] != a[*at]).count();
                assert!(if at < 2048 { moved == 1 } else { moved > 500 }, "block {at}: {moved}");
            }
            for at in 0..3 {
                let mut seeds = SEEDS;
                seeds[at] ^= Block::ONES;
                let mut other = x.clone();
                Code::new(seeds, expander).encode(&mut other);
                assert!(other[..2048] != a[..2048], "seed {at}");
            }
        }
    }

    #[test]
    fn an_expander_of_constant_parity_adds_its_weight() {
        for (weight, expander) in [(7, Expander::Seven), (21, Expander::TwentyOne)] {
            let mut systematic = vec![Block::ZERO; 256];
            let parity = vec![Block::ONE; 256];
            match expander {
                Expander::Seven => expand::<7>(&mut systematic, &parity, SEEDS[0]),
                Expander::TwentyOne => expand::<21>(&mut systematic, &parity, SEEDS[0]),
            }
            assert!(systematic.iter().all(|sum| *sum == Block::from_u128(weight % 2)));
        }
    }
}
