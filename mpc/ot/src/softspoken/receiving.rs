//! The receiver's steps, without I/O: corrections of a chunk, the answer to its challenge, its transfers.

use mpc_block::{Block, bytes_of, xor_into};
use zeroize::Zeroizing;

use super::check::{self, ColumnHash};
use super::chunk::{Chunk, Pool, column_blocks, correction_bytes};
use super::tree::Leaves;
use super::vole::Streams;
use super::{COLUMNS, Parameters};
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

/// Transfers of a chunk as the receiver has them.
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

    /// Draws the columns of the next chunk and appends its corrections to `message`.
    pub(super) fn correct(&mut self, count: usize, message: &mut Vec<u8>) -> Chunk {
        let mut chunk = self.pool.next(count, column_blocks(count));
        let begin = message.len();
        message.resize(begin + correction_bytes(&self.parameters, count), 0);
        let (blocks, bits, width) = (chunk.blocks, self.parameters.field_bits(), self.streams.width());
        for tree in 0..self.parameters.trees() {
            for from in (0..blocks).step_by(width) {
                let len = width.min(blocks - from);
                let mut outputs = self.streams.next(tree, len);
                for bit in 0..bits {
                    chunk.column(tree * bits + bit, from, len).copy_from_slice(outputs.bit(bit));
                }
                let choices = &mut chunk.beside[from..][..len];
                if tree == 0 {
                    choices.copy_from_slice(outputs.sum());
                } else {
                    let at = begin + ((tree - 1) * blocks + from) * 16;
                    xor_into(outputs.sum(), choices);
                    message[at..][..16 * len].copy_from_slice(bytes_of(outputs.sum()));
                }
            }
        }
        chunk
    }

    /// The answer to the sender's challenge.
    pub(super) fn answer(&self, chunk: &Chunk, challenge: Block) -> [u8; check::ANSWER_BYTES] {
        let hash = ColumnHash::new(challenge, chunk.blocks);
        let columns: [Block; COLUMNS] = hash.hash_all(&chunk.columns, chunk.blocks);
        check::answer(&self.place, chunk.number, challenge, hash.hash(&chunk.beside), &columns)
    }

    /// Hands the chunk's transfers to `deliver`.
    pub(super) fn finish(&mut self, mut chunk: Chunk, deliver: &mut impl FnMut(Received<'_>)) {
        let used = bits::blocks(chunk.count);
        bits::clear_from(&mut chunk.beside, chunk.count);
        let keys = chunk.rows(&mut self.rows);
        deliver(Received { first: self.next, choices: &chunk.beside[..used], keys });
        self.next += chunk.count as u64;
        self.pool.put(chunk);
    }
}
