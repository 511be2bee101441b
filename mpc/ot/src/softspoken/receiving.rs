//! The receiver's steps, without I/O: corrections of a chunk, the answer to its challenge, its transfers.

use mpc_block::{Block, bytes_of, transpose, xor_into};
use mpc_core::Frame;
use zeroize::Zeroizing;

use super::Parameters;
use super::check::{self, ColumnHash};
use super::chunk::{Chunk, Pool, column_blocks, room, tiles};
use super::tree::Leaves;
use super::vole::Streams;
use crate::bits;
use crate::place::Place;

/// The receiver's state after the set-up.
pub(super) struct Receiving {
    pub(super) parameters: Parameters,
    place: Place,
    streams: Streams,
    pool: Pool,
    rows: Zeroizing<Vec<Block>>,
    /// The index of the next transfer in the session.
    next: u64,
}

/// Transfers of a tile as the receiver has them.
pub(super) struct Received<'a> {
    /// The index of the first of them in the session.
    pub(super) first: u64,
    /// Their choices, packed; bits behind the last are zero.
    pub(super) choices: &'a [Block],
    /// `t` of each.
    pub(super) keys: &'a mut [Block],
}

impl Receiving {
    pub(super) fn new(parameters: Parameters, place: Place, seeds: &Leaves) -> Self {
        let streams = Streams::new(&parameters, seeds, false);
        let rows = Zeroizing::new(Vec::new());
        Self { parameters, place, streams, pool: Pool::default(), rows, next: 0 }
    }

    /// Draws the columns of the next chunk and appends its corrections to `message`, tile by tile and in each tree by tree.
    pub(super) fn correct(&mut self, count: usize, message: &mut Frame) -> Chunk {
        let mut chunk = self.pool.next(count, column_blocks(count));
        let (bits, width) = (self.parameters.field_bits(), self.streams.width());
        for tile in tiles(chunk.blocks) {
            let columns = &mut chunk.data[tile.range()];
            let choices = &mut chunk.beside[tile.from..][..tile.len];
            for tree in 0..self.parameters.trees() {
                let of_tree = &mut columns[tree * bits * tile.len..][..bits * tile.len];
                for from in (0..tile.len).step_by(width) {
                    let len = width.min(tile.len - from);
                    let mut outputs = self.streams.next(tree, len);
                    for (bit, column) in of_tree.chunks_exact_mut(tile.len).enumerate() {
                        column[from..][..len].copy_from_slice(outputs.bit(bit));
                    }
                    let choices = &mut choices[from..][..len];
                    if tree == 0 {
                        choices.copy_from_slice(outputs.sum());
                    } else {
                        xor_into(outputs.sum(), choices);
                        message.extend_from_slice(bytes_of(outputs.sum()));
                    }
                }
            }
        }
        chunk
    }

    /// The answer to the sender's challenge.
    pub(super) fn answer(&self, chunk: &Chunk, challenge: Block) -> [u8; check::ANSWER_BYTES] {
        let mut hash = ColumnHash::new(challenge, chunk.blocks);
        for tile in tiles(chunk.blocks) {
            hash.add(tile, &chunk.data[tile.range()]);
        }
        let choices = hash.of(&chunk.beside);
        check::answer(&self.place, chunk.number, challenge, choices, &hash.finish())
    }

    /// Hands the chunk's transfers to `deliver`, tile by tile.
    pub(super) fn finish(&mut self, mut chunk: Chunk, deliver: &mut impl FnMut(Received<'_>)) {
        bits::clear_from(&mut chunk.beside, chunk.count);
        for tile in tiles(chunk.blocks) {
            let count = tile.count(chunk.count);
            if count > 0 {
                let columns = &chunk.data[tile.range()];
                let rows = room(&mut self.rows, columns.len());
                transpose(columns, rows);
                let choices = &chunk.beside[tile.from..][..bits::blocks(count)];
                deliver(Received { first: self.next, choices, keys: &mut rows[..count] });
                self.next += count as u64;
            }
        }
        self.pool.put(chunk);
    }
}
