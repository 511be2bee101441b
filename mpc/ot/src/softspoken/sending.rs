//! The sender's steps, without I/O: columns from corrections, the verdict on the receiver's answer, its transfers.

use mpc_block::{Block, bytes_of_mut, transpose, xor_where};
use zeroize::Zeroizing;

use super::check::{self, ColumnHash};
use super::chunk::{Chunk, Pool, Tile, room, tiles};
use super::tree::Leaves;
use super::vole::Streams;
use super::{COLUMNS, Parameters};
use crate::place::Place;

/// The sender's state after the set-up.
pub(super) struct Sending {
    pub(super) parameters: Parameters,
    place: Place,
    delta: Zeroizing<Block>,
    streams: Streams,
    pool: Pool,
    columns: Zeroizing<Vec<Block>>,
    correction: Vec<Block>,
    /// The index of the next transfer in the session.
    next: u64,
}

/// Transfers of a tile as the sender has them.
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
        let (pool, delta, columns) = (Pool::default(), Zeroizing::new(delta), Zeroizing::new(Vec::new()));
        Self { parameters, place, delta, streams, pool, columns, correction, next: 0 }
    }

    /// Draws the columns of the next chunk, which holds `count` transfers, tile by tile: hashes them under `challenge`, which was
    /// drawn after the corrections had come, and turns them. `corrections` has the exact length for `count`.
    pub(super) fn columns(&mut self, count: usize, corrections: &[u8], challenge: Block) -> Chunk {
        let mut chunk = self.pool.next(count, 1 + COLUMNS);
        let mut hash = ColumnHash::new(challenge, chunk.blocks);
        let trees = self.parameters.trees();
        for tile in tiles(chunk.blocks) {
            let corrections = &corrections[16 * (trees - 1) * tile.from..][..16 * (trees - 1) * tile.len];
            let columns = self.draw(tile, corrections);
            hash.add(tile, columns);
            transpose(columns, &mut chunk.data[tile.range()]);
        }
        chunk.beside[0] = challenge;
        chunk.beside[1..].copy_from_slice(&hash.finish());
        chunk
    }

    /// The columns of a tile. `corrections` are those of the tile.
    fn draw(&mut self, tile: Tile, corrections: &[u8]) -> &[Block] {
        let Self { parameters, delta, streams, columns, correction, .. } = self;
        let (bits, width) = (parameters.field_bits(), streams.width());
        let columns = room(columns, COLUMNS * tile.len);
        for (tree, of_tree) in columns.chunks_exact_mut(bits * tile.len).enumerate() {
            for from in (0..tile.len).step_by(width) {
                let len = width.min(tile.len - from);
                let outputs = streams.next(tree, len);
                let correction = &mut correction[..len];
                match tree.checked_sub(1) {
                    None => correction.fill(Block::ZERO),
                    Some(row) => {
                        let bytes = &corrections[16 * (row * tile.len + from)..][..16 * len];
                        bytes_of_mut(correction).copy_from_slice(bytes);
                    }
                }
                for (bit, column) in of_tree.chunks_exact_mut(tile.len).enumerate() {
                    let selected = delta.bit((tree * bits + bit) as u32);
                    xor_where(selected, &mut column[from..][..len], outputs.bit(bit), correction);
                }
            }
        }
        columns
    }

    /// True when the receiver's answer belongs to the chunk.
    pub(super) fn passes(&self, chunk: &Chunk, answer: &[u8]) -> bool {
        let Some((challenge, columns)) = chunk.beside.split_first() else { return false };
        let Some(columns) = columns.first_chunk::<COLUMNS>() else { return false };
        check::passes(&self.place, chunk.number, *challenge, *self.delta, columns, answer)
    }

    /// Hands the chunk's transfers to `deliver`, tile by tile. Only after [`Self::passes`].
    pub(super) fn finish(&mut self, mut chunk: Chunk, deliver: &mut impl FnMut(Sent<'_>)) {
        for tile in tiles(chunk.blocks) {
            let count = tile.count(chunk.count);
            if count > 0 {
                deliver(Sent { first: self.next, keys: &mut chunk.data[tile.range()][..count] });
                self.next += count as u64;
            }
        }
        self.pool.put(chunk);
    }
}
