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
use mpc_block::{Block, bytes_of, gf_dot};

use super::COLUMNS;
use crate::place::Place;

/// Length of the sender's challenge.
pub(super) const CHALLENGE_BYTES: usize = 16;
/// Length of the receiver's answer: the hashed choices and the digest of the hashed columns.
pub(super) const ANSWER_BYTES: usize = 16 + 32;

/// The universal hash of one chunk.
pub(super) struct ColumnHash {
    powers: Vec<Block>,
}

impl ColumnHash {
    /// The hash that `challenge` names, for columns of `blocks` blocks.
    pub(super) fn new(challenge: Block, blocks: usize) -> Self {
        let next = |power: &Block| Some(power.gf_mul(challenge));
        let powers = std::iter::successors(Some(challenge), next).take(blocks.saturating_sub(1)).collect();
        Self { powers }
    }

    /// The hash of one column.
    pub(super) fn hash(&self, column: &[Block]) -> Block {
        match column.split_last() {
            Some((mask, used)) => gf_dot(used, &self.powers) ^ *mask,
            None => Block::ZERO,
        }
    }

    /// The hashes of all columns of `blocks` blocks.
    pub(super) fn hash_all(&self, columns: &[Block], blocks: usize) -> [Block; COLUMNS] {
        let mut hashes = [Block::ZERO; COLUMNS];
        for (hash, column) in hashes.iter_mut().zip(columns.chunks_exact(blocks)) {
            *hash = self.hash(column);
        }
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

    fn outcome(delta: Block, u: &[Block], v: &[Block], w: &[Block]) -> bool {
        let challenge = Block::from_u128(0x1234_5678_9abc_def0_0fed_cba9_8765_4321);
        let hash = ColumnHash::new(challenge, u.len());
        let sent = answer(&PLACE, 9, challenge, hash.hash(u), &hash.hash_all(v, u.len()));
        passes(&PLACE, 9, challenge, delta, &hash.hash_all(w, u.len()), &sent)
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
        let (columns, own) = (hash.hash_all(&v, 3), hash.hash_all(&w, 3));
        let sent = answer(&PLACE, 1, challenge, hash.hash(&u), &columns);
        assert!(passes(&PLACE, 1, challenge, delta, &own, &sent));
        assert!(!passes(&PLACE, 2, challenge, delta, &own, &sent));
        assert!(!passes(&PLACE, 1, Block::from_u128(98), delta, &own, &sent));
        assert!(!passes(&Place { id: [4; 32], ..PLACE }, 1, challenge, delta, &own, &sent));
        assert!(!passes(&PLACE, 1, challenge, delta, &own, &sent[..15]));
    }
}
