//! The sender's steps, without I/O: columns from corrections, the verdict on the receiver's answer, its transfers.

use mpc_block::{Block, bytes_of_mut};
use zeroize::Zeroizing;

use super::check::{self, ColumnHash};
use super::chunk::{Chunk, Pool};
use super::tree::Leaves;
use super::vole::{Streams, corrected};
use super::{COLUMNS, Parameters};
use crate::place::Place;

/// The sender's state after the set-up.
pub(super) struct Sending {
    pub(super) parameters: Parameters,
    place: Place,
    delta: Zeroizing<Block>,
    streams: Streams,
    pool: Pool,
    correction: Vec<Block>,
    rows: Zeroizing<Vec<Block>>,
    /// The index of the next transfer in the session.
    next: u64,
}

/// Transfers of a chunk as the sender has them.
pub(super) struct Sent<'a> {
    /// The index of the first of them in the session.
    pub(super) first: u64,
    /// `q` of each.
    pub(super) keys: &'a mut [Block],
}

impl Sending {
    /// `seeds` are those of the leaves at their places, place 0 of every tree without meaning.
    pub(super) fn new(parameters: Parameters, place: Place, delta: Block, seeds: &Leaves) -> Self {
        let streams = Streams::new(&parameters, seeds, true);
        let correction = vec![Block::ZERO; streams.width()];
        let (pool, delta, rows) = (Pool::default(), Zeroizing::new(delta), Zeroizing::new(Vec::new()));
        Self { parameters, place, delta, streams, pool, correction, rows, next: 0 }
    }

    /// Draws the columns of the next chunk, which holds `count` transfers, and hashes them under `challenge`, which was
    /// drawn after the corrections had come. `corrections` has the exact length for `count`.
    pub(super) fn columns(&mut self, count: usize, corrections: &[u8], challenge: Block) -> Chunk {
        let mut chunk = self.pool.next(count, 1 + COLUMNS);
        let (blocks, bits, width) = (chunk.blocks, self.parameters.field_bits(), self.streams.width());
        for tree in 0..self.parameters.trees() {
            for from in (0..blocks).step_by(width) {
                let len = width.min(blocks - from);
                let outputs = self.streams.next(tree, len);
                let correction = &mut self.correction[..len];
                match tree.checked_sub(1) {
                    None => correction.fill(Block::ZERO),
                    Some(row) => {
                        let bytes = &corrections[(row * blocks + from) * 16..][..16 * len];
                        bytes_of_mut(correction).copy_from_slice(bytes);
                    }
                }
                for bit in 0..bits {
                    let column = tree * bits + bit;
                    let selected = self.delta.bit(column as u32);
                    corrected(chunk.column(column, from, len), outputs.bit(bit), correction, selected);
                }
            }
        }
        let hashes = ColumnHash::new(challenge, blocks).hash_all(&chunk.columns, blocks);
        chunk.beside[0] = challenge;
        chunk.beside[1..].copy_from_slice(&hashes);
        chunk
    }

    /// True when the receiver's answer belongs to the chunk.
    pub(super) fn passes(&self, chunk: &Chunk, answer: &[u8]) -> bool {
        let Some((challenge, columns)) = chunk.beside.split_first() else { return false };
        let Some(columns) = columns.first_chunk::<COLUMNS>() else { return false };
        check::passes(&self.place, chunk.number, *challenge, *self.delta, columns, answer)
    }

    /// Hands the chunk's transfers to `deliver`. Only after [`Self::passes`].
    pub(super) fn finish(&mut self, chunk: Chunk, deliver: &mut impl FnMut(Sent<'_>)) {
        let keys = chunk.rows(&mut self.rows);
        deliver(Sent { first: self.next, keys });
        self.next += chunk.count as u64;
        self.pool.put(chunk);
    }
}
