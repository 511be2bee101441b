//! A chunk of transfers under way: its columns or rows, tile by tile, and what is kept beside them until its check.

use std::ops::Range;

use mpc_block::Block;
use zeroize::Zeroizing;

use super::{COLUMNS, Parameters};
use crate::bits::{self, BLOCK_BITS};

/// Blocks of a column whose transfers are given up: the mask of the check.
const MASK_BLOCKS: usize = 1;
/// Blocks of a tile's columns: 128 KiB of columns and as much again that is made of them stay in the second-level cache, and a row of
/// 512 bits is a cache line.
pub(super) const TILE_BLOCKS: usize = 64;

/// One chunk at one party.
pub(super) struct Chunk {
    /// The chunk's number in the session.
    pub(super) number: u64,
    /// Transfers that are delivered.
    pub(super) count: usize,
    /// Blocks of a column; the last is the mask.
    pub(super) blocks: usize,
    /// 128 times `blocks` blocks. At the receiver: of every tile the columns of `v`. At the sender: `q` of every transfer.
    pub(super) data: Zeroizing<Vec<Block>>,
    /// At the receiver: the choices, `blocks` blocks. At the sender: the challenge and its 128 hashed columns.
    pub(super) beside: Zeroizing<Vec<Block>>,
}

/// A part of all columns of a chunk, which is computed at a time.
#[derive(Clone, Copy)]
pub(super) struct Tile {
    /// Its first block of every column.
    pub(super) from: usize,
    /// Its blocks of every column.
    pub(super) len: usize,
}

impl Tile {
    /// Where its columns or rows lie in the chunk's.
    pub(super) fn range(self) -> Range<usize> {
        COLUMNS * self.from..COLUMNS * (self.from + self.len)
    }

    /// Transfers of it that are delivered, when `count` of the chunk are.
    pub(super) fn count(self, count: usize) -> usize {
        count.saturating_sub(self.from * BLOCK_BITS).min(self.len * BLOCK_BITS)
    }
}

/// The tiles of columns of `blocks` blocks, in order.
pub(super) fn tiles(blocks: usize) -> impl Iterator<Item = Tile> {
    (0..blocks).step_by(TILE_BLOCKS).map(move |from| Tile { from, len: TILE_BLOCKS.min(blocks - from) })
}

/// The first `len` blocks of memory that is used again; what is too small is given up, so no copy stays behind.
pub(super) fn room(memory: &mut Zeroizing<Vec<Block>>, len: usize) -> &mut [Block] {
    if memory.len() < len {
        *memory = Zeroizing::new(vec![Block::ZERO; len]);
    }
    &mut memory[..len]
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
        let fits = |chunk: &Chunk| chunk.data.capacity() >= COLUMNS * blocks && chunk.beside.capacity() >= beside;
        let mut chunk = match self.free.iter().position(fits) {
            Some(at) => self.free.swap_remove(at),
            None => {
                // What is too small is given up. A vector that never grows leaves no copy behind.
                self.free.clear();
                let with = |len| Zeroizing::new(Vec::with_capacity(len));
                Chunk { number: 0, count: 0, blocks: 0, data: with(COLUMNS * blocks), beside: with(beside) }
            }
        };
        (chunk.number, chunk.count, chunk.blocks) = (self.made, count, blocks);
        chunk.data.resize(COLUMNS * blocks, Block::ZERO);
        chunk.beside.resize(beside, Block::ZERO);
        self.made += 1;
        chunk
    }

    /// Takes a chunk back.
    pub(super) fn put(&mut self, chunk: Chunk) {
        self.free.push(chunk);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_every_column_and_all_transfers_but_those_of_the_mask() {
        for count in [1, 128, 8000, 8192, 8193, 20_000] {
            let blocks = column_blocks(count);
            let (mut from, mut end, mut delivered) = (0, 0, 0);
            for tile in tiles(blocks) {
                assert!(tile.from == from && tile.range().start == end && tile.len <= TILE_BLOCKS);
                // A part that others follow ends with a whole block of choices.
                assert!(tile.count(count).is_multiple_of(BLOCK_BITS) || delivered + tile.count(count) == count);
                (from, end, delivered) = (from + tile.len, tile.range().end, delivered + tile.count(count));
            }
            assert_eq!((from, end, delivered), (blocks, COLUMNS * blocks, count));
        }
    }
}
