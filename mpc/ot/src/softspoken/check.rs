//! The consistency check of the subspace VOLE: SoftSpokenOT, section 4.
//!
//! A column is a vector of `b` blocks, the last of which is the mask: 128 transfers that are given up. Its hash under the
//! challenge `a` is `mask + Σ a^(p+1)·block_p` in GF(2^128), a linear map `F_2^(128·b) → F_2^128`. It is `ε`-universal with
//! `ε < b·2^-128` (polynomial hashing; a difference in the mask alone never collides), and what it tells about the choices is
//! hidden perfectly, because the mask of the choices is uniform and used once. The challenge comes after the corrections.
//!
//! The receiver answers with the hash of its choices and a digest of its 128 hashed columns. The sender hashes its own columns
//! `w = v + Δ_i·u` and, since the hash is linear, knows what the receiver's have to be. Comparing digests instead of columns saves
//! 2 KiB a chunk; a collision apart the outcome is the same.

use base_secret::equal;
use mpc_block::{Block, Unreduced, bytes_of, gf_dot};

use super::COLUMNS;
use super::chunk::Tile;
use crate::place::Place;

/// Length of the sender's challenge.
pub(super) const CHALLENGE_BYTES: usize = 16;
/// Length of the receiver's answer: the hashed choices and the digest of the hashed columns.
pub(super) const ANSWER_BYTES: usize = 16 + 32;

/// Powers that are computed beside each other, for each needs the one before.
const CHAINS: usize = 8;

/// The universal hash of one chunk, tile by tile.
pub(super) struct ColumnHash {
    /// `a^(p+1)` for block `p` of a column, and 1 for the mask.
    coefficients: Vec<Block>,
    columns: Vec<Unreduced>,
}

/// `base^1`, `base^2` and so on.
fn powers(base: Block, count: usize) -> Vec<Block> {
    let mut powers = Vec::with_capacity(count + 1);
    powers.extend(std::iter::successors(Some(base), |power| Some(power.gf_mul(base))).take(count.min(CHAINS)));
    if let Some(stride) = powers.get(CHAINS - 1).copied() {
        for at in CHAINS..count {
            let power: Block = powers[at - CHAINS];
            powers.push(power.gf_mul(stride));
        }
    }
    powers
}

impl ColumnHash {
    /// The hash that `challenge` names, for columns of `blocks` blocks.
    pub(super) fn new(challenge: Block, blocks: usize) -> Self {
        let mut coefficients = powers(challenge, blocks.saturating_sub(1));
        coefficients.push(Block::ONE);
        Self { coefficients, columns: (0..COLUMNS).map(|_| Unreduced::new()).collect() }
    }

    /// Takes in a tile: the same part of every column, one after the other.
    pub(super) fn add(&mut self, tile: Tile, columns: &[Block]) {
        let coefficients = &self.coefficients[tile.from..][..tile.len];
        for (sum, column) in self.columns.iter_mut().zip(columns.chunks_exact(tile.len)) {
            sum.add_dot(column, coefficients);
        }
    }

    /// The hash of a vector that stands beside the columns.
    pub(super) fn of(&self, vector: &[Block]) -> Block {
        gf_dot(vector, &self.coefficients)
    }

    /// The hashes of all columns, once all tiles were added.
    pub(super) fn finish(self) -> [Block; COLUMNS] {
        let mut hashes = [Block::ZERO; COLUMNS];
        hashes.iter_mut().zip(self.columns).for_each(|(hash, sum)| *hash = sum.reduce());
        hashes
    }
}

fn digest(place: &Place, chunk: u64, challenge: Block, choices: Block, columns: &[Block; COLUMNS]) -> [u8; 32] {
    let parts: [&[u8]; 4] = [&chunk.to_be_bytes(), &challenge.to_bytes(), &choices.to_bytes(), bytes_of(columns)];
    place.digest("heqi/mpc/ot/softspoken/columns/1", &parts)
}

/// The receiver's answer for chunk number `chunk`: `choices` and `columns` are hashes.
pub(super) fn answer(
    place: &Place,
    chunk: u64,
    challenge: Block,
    choices: Block,
    columns: &[Block; COLUMNS],
) -> [u8; ANSWER_BYTES] {
    let mut out = [0; ANSWER_BYTES];
    out[..16].copy_from_slice(&choices.to_bytes());
    out[16..].copy_from_slice(&digest(place, chunk, challenge, choices, columns));
    out
}

/// The sender's verdict on an answer for chunk number `chunk`: `columns` are the hashes of its own columns.
pub(super) fn passes(
    place: &Place,
    chunk: u64,
    challenge: Block,
    delta: Block,
    columns: &[Block; COLUMNS],
    answer: &[u8],
) -> bool {
    let Some((choices, claimed)) = answer.split_first_chunk::<16>() else { return false };
    let choices = Block::from_bytes(*choices);
    let due: [Block; COLUMNS] = std::array::from_fn(|at| columns[at] ^ choices.masked(delta.bit(at as u32)));
    equal(&digest(place, chunk, challenge, choices, &due), claimed)
}

#[cfg(test)]
mod tests {
    use mpc_block::BlockPrg;

    use super::*;

    const PLACE: Place = Place { id: [3; 32], sender: 0, receiver: 1 };

    /// Choices, the receiver's columns, and the sender's, of `blocks` blocks each.
    fn honest(blocks: usize, delta: Block) -> (Vec<Block>, Vec<Block>, Vec<Block>) {
        let mut prg = BlockPrg::new(Block::ONE);
        let (mut u, mut v) = (vec![Block::ZERO; blocks], vec![Block::ZERO; COLUMNS * blocks]);
        prg.fill(&mut u);
        prg.fill(&mut v);
        let w = v.iter().enumerate().map(|(at, v)| *v ^ u[at % blocks].masked(delta.bit((at / blocks) as u32)));
        let w = w.collect();
        (u, v, w)
    }

    /// The hashes of all columns in one tile.
    fn hash_all(challenge: Block, columns: &[Block], blocks: usize) -> [Block; COLUMNS] {
        let mut hash = ColumnHash::new(challenge, blocks);
        hash.add(Tile { from: 0, len: blocks }, columns);
        hash.finish()
    }

    #[test]
    fn the_hash_is_that_of_the_definition_however_the_columns_are_cut() {
        let challenge = Block::from_u128(0xabcd_ef01_2345_6789 << 37 | 5);
        for blocks in [1, 2, 8, 9, 10, 30] {
            let (u, v, _) = honest(blocks, Block::ONES);
            let mut cut = ColumnHash::new(challenge, blocks);
            for from in (0..blocks).step_by(7) {
                let len = 7.min(blocks - from);
                let part: Vec<Block> =
                    v.chunks_exact(blocks).flat_map(|column| &column[from..][..len]).copied().collect();
                cut.add(Tile { from, len }, &part);
            }
            let definition = |column: &[Block]| {
                let used = column[..blocks - 1].iter().rev();
                used.fold(Block::ZERO, |sum, block| (sum ^ *block).gf_mul(challenge)) ^ column[blocks - 1]
            };
            assert!(cut.of(&u) == definition(&u));
            let hashes = cut.finish();
            assert!(hashes == hash_all(challenge, &v, blocks));
            assert!(v.chunks_exact(blocks).zip(&hashes).all(|(column, hash)| definition(column) == *hash), "{blocks}");
        }
    }

    fn outcome(delta: Block, u: &[Block], v: &[Block], w: &[Block]) -> bool {
        let challenge = Block::from_u128(0x1234_5678_9abc_def0_0fed_cba9_8765_4321);
        let hash = ColumnHash::new(challenge, u.len());
        let sent = answer(&PLACE, 9, challenge, hash.of(u), &hash_all(challenge, v, u.len()));
        passes(&PLACE, 9, challenge, delta, &hash_all(challenge, w, u.len()), &sent)
    }

    #[test]
    fn honest_columns_pass_and_one_wrong_bit_in_a_column_that_counts_does_not() {
        let delta = Block::from_u128(0xf0f0_1234_0000_ffff_0000_ffff_8888_0001);
        for blocks in [2, 3, 9] {
            let (u, v, w) = honest(blocks, delta);
            assert!(outcome(delta, &u, &v, &w));
            for column in [0, 1, 63, 127] {
                for block in 0..blocks {
                    let mut wrong = w.clone();
                    wrong[column * blocks + block] ^= Block::from_u128(1 << ((column + block) % 128));
                    assert!(!outcome(delta, &u, &v, &wrong), "column {column}, block {block}");
                }
            }
        }
    }

    #[test]
    fn other_choices_than_those_of_the_columns_do_not_pass() {
        let delta = Block::from_u128(1 << 77);
        let (mut u, v, w) = honest(4, delta);
        u[1] ^= Block::ONE;
        assert!(!outcome(delta, &u, &v, &w));
        // Nobody can tell choices apart where the sender's secret is zero.
        let (mut u, v, w) = honest(4, Block::ZERO);
        u[1] ^= Block::ONE;
        assert!(outcome(Block::ZERO, &u, &v, &w));
    }

    #[test]
    fn an_answer_belongs_to_one_chunk_one_challenge_and_one_session() {
        let delta = Block::ONES;
        let (u, v, w) = honest(3, delta);
        let challenge = Block::from_u128(99);
        let hash = ColumnHash::new(challenge, 3);
        let (columns, own) = (hash_all(challenge, &v, 3), hash_all(challenge, &w, 3));
        let sent = answer(&PLACE, 1, challenge, hash.of(&u), &columns);
        assert!(passes(&PLACE, 1, challenge, delta, &own, &sent));
        assert!(!passes(&PLACE, 2, challenge, delta, &own, &sent));
        assert!(!passes(&PLACE, 1, Block::from_u128(98), delta, &own, &sent));
        assert!(!passes(&Place { id: [4; 32], ..PLACE }, 1, challenge, delta, &own, &sent));
        assert!(!passes(&PLACE, 1, challenge, delta, &own, &sent[..15]));
    }
}
