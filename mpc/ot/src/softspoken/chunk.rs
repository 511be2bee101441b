//! A chunk of transfers under way: its columns, and what is kept beside them until its check.

use mpc_block::{Block, transpose};
use zeroize::Zeroizing;

use super::{COLUMNS, Parameters};
use crate::bits::{self, BLOCK_BITS};

/// Blocks of a column whose transfers are given up: the mask of the check.
const MASK_BLOCKS: usize = 1;

/// One chunk at one party.
pub(super) struct Chunk {
    /// The chunk's number in the session.
    pub(super) number: u64,
    /// Transfers that are delivered.
    pub(super) count: usize,
    /// Blocks of a column; the last is the mask.
    pub(super) blocks: usize,
    /// 128 columns of `blocks` blocks: `v` at the receiver, `w` at the sender.
    pub(super) columns: Zeroizing<Vec<Block>>,
    /// At the receiver: the choices, `blocks` blocks. At the sender: the challenge and its 128 hashed columns.
    pub(super) beside: Zeroizing<Vec<Block>>,
}

/// Blocks of a column for `count` transfers.
pub(super) const fn column_blocks(count: usize) -> usize {
    bits::blocks(count) + MASK_BLOCKS
}

/// Length of the corrections for `count` transfers.
pub(super) const fn correction_bytes(parameters: &Parameters, count: usize) -> usize {
    (COLUMNS / parameters.field_bits() - 1) * column_blocks(count) * 16
}

/// Gives out chunks, and takes them back so that their memory serves again.
#[derive(Default)]
pub(super) struct Pool {
    free: Vec<Chunk>,
    made: u64,
}

impl Pool {
    /// The session's next chunk, for `count` transfers with `beside` blocks beside the columns.
    pub(super) fn next(&mut self, count: usize, beside: usize) -> Chunk {
        let blocks = column_blocks(count);
        let fits = |chunk: &Chunk| chunk.columns.capacity() >= COLUMNS * blocks && chunk.beside.capacity() >= beside;
        let mut chunk = match self.free.iter().position(fits) {
            Some(at) => self.free.swap_remove(at),
            None => {
                // What is too small is given up. A vector that never grows leaves no copy behind.
                self.free.clear();
                let with = |len| Zeroizing::new(Vec::with_capacity(len));
                Chunk { number: 0, count: 0, blocks: 0, columns: with(COLUMNS * blocks), beside: with(beside) }
            }
        };
        (chunk.number, chunk.count, chunk.blocks) = (self.made, count, blocks);
        chunk.columns.resize(COLUMNS * blocks, Block::ZERO);
        chunk.beside.resize(beside, Block::ZERO);
        self.made += 1;
        chunk
    }

    /// Takes a chunk back.
    pub(super) fn put(&mut self, chunk: Chunk) {
        self.free.push(chunk);
    }
}

impl Chunk {
    /// Part `from..from + len` of column `column`.
    pub(super) fn column(&mut self, column: usize, from: usize, len: usize) -> &mut [Block] {
        &mut self.columns[column * self.blocks + from..][..len]
    }

    /// The rows of the transfers that are delivered; `rows` is overwritten.
    pub(super) fn rows<'a>(&self, rows: &'a mut Zeroizing<Vec<Block>>) -> &'a mut [Block] {
        let all = self.blocks * BLOCK_BITS;
        if rows.capacity() < all {
            *rows = Zeroizing::new(Vec::with_capacity(all));
        }
        rows.resize(all, Block::ZERO);
        transpose(&self.columns, rows);
        &mut rows[..self.count]
    }
}
