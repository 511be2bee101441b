//! Small-field VOLE from the leaves' streams: SoftSpokenOT, Fig. 7.
//!
//! `u = Σ r_x` and, for every bit `b`, `v_b = Σ r_x` over the leaves whose number has bit `b`. Both come from one pass of
//! halving: a node of the tree holds the sum over its leaves and the sums by bit below it, and joining two nodes at depth `d`
//! costs `d` additions, so a tree costs fewer than `2^(k+1)` and not `k·2^(k−1) + 2^k`.

use mpc_block::{Block, BlockPrg, xor_into};
use zeroize::Zeroizing;

use super::Parameters;

/// Blocks of one pass over the leaves of a tree; one pass stays in the first-level cache.
const TILE_BLOCKS: usize = 1024;

/// The streams of all leaves of all trees at one party. Blocks of a stream are drawn once, in order.
pub(super) struct Streams {
    streams: Vec<BlockPrg>,
    tile: Zeroizing<Vec<Block>>,
    bits: usize,
    width: usize,
    first: usize,
}

impl Streams {
    /// Streams from the leaves' seeds. `punctured` leaves out place 0 of every tree, whose seed the sender lacks.
    pub(super) fn new(parameters: &Parameters, seeds: &[Block], punctured: bool) -> Self {
        let bits = parameters.field_bits();
        let width = (TILE_BLOCKS >> bits).clamp(8, 128);
        Self {
            streams: seeds.iter().map(|seed| BlockPrg::new(*seed)).collect(),
            tile: Zeroizing::new(vec![Block::ZERO; width << bits]),
            bits,
            width,
            first: usize::from(punctured),
        }
    }

    /// Most blocks that one call of [`Self::next`] gives.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The next `len` blocks of every output of `tree`. Without place 0 the sum `u` means nothing; the other outputs do
    /// not contain that place.
    pub(super) fn next(&mut self, tree: usize, len: usize) -> Outputs<'_> {
        let streams = &mut self.streams[tree << self.bits..(tree + 1) << self.bits];
        for (stream, row) in streams.iter_mut().zip(self.tile.chunks_exact_mut(self.width)).skip(self.first) {
            stream.fill(&mut row[..len]);
        }
        halve(&mut self.tile, self.bits, self.width, len);
        Outputs { tile: &mut self.tile, width: self.width, len }
    }
}

/// What one pass gives: `u`, and `v` (at the sender `w`) bit by bit.
pub(super) struct Outputs<'a> {
    tile: &'a mut [Block],
    width: usize,
    len: usize,
}

impl Outputs<'_> {
    /// The sum of all streams.
    pub(super) fn sum(&mut self) -> &mut [Block] {
        &mut self.tile[..self.len]
    }

    /// The sum of the streams whose place has bit `bit`.
    pub(super) fn bit(&self, bit: usize) -> &[Block] {
        &self.tile[(bit + 1) * self.width..][..self.len]
    }
}

/// In place: row 0 becomes the sum of the `2^bits` rows, row `b + 1` the sum of those whose number has bit `b`.
fn halve(rows: &mut [Block], bits: usize, width: usize, len: usize) {
    for depth in 1..=bits {
        let stride = 1 << (depth - 1);
        for node in rows.chunks_exact_mut(2 * stride * width) {
            let (left, right) = node.split_at_mut(stride * width);
            for (to, from) in left.chunks_exact_mut(width).zip(right.chunks_exact(width)).take(depth) {
                xor_into(&mut to[..len], &from[..len]);
            }
            // Where the right half begins, the sum by the new bit already stands at its place.
            if depth < stride {
                left[depth * width..][..len].copy_from_slice(&right[..len]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use mpc_block::xor_where;

    use super::*;

    #[test]
    fn halving_gives_the_sums_of_the_definition() {
        for bits in [1, 2, 4, 8] {
            let (width, len) = (5, 3);
            let mut prg = BlockPrg::new(Block::from_u128(bits as u128));
            let mut rows = vec![Block::ZERO; width << bits];
            prg.fill(&mut rows);
            let given = rows.clone();
            halve(&mut rows, bits, width, len);
            for at in 0..len {
                let sum = |over: &dyn Fn(usize) -> bool| {
                    (0..1 << bits).filter(|x| over(*x)).fold(Block::ZERO, |sum, x| sum ^ given[x * width + at])
                };
                assert!(rows[at] == sum(&|_| true));
                for bit in 0..bits {
                    assert!(rows[(bit + 1) * width + at] == sum(&|x| (x >> bit) & 1 == 1), "k {bits}, bit {bit}");
                }
            }
        }
    }

    #[test]
    fn two_parties_hold_a_vole_at_their_element_however_the_streams_are_cut() {
        for bits in [1, 2, 4, 8] {
            let parameters = Parameters::new(bits, 128, 1).unwrap();
            let seeds: Vec<Block> =
                (0..parameters.trees() << bits).map(|at| Block::from_u128(at as u128 * 3)).collect();
            let element = 0x5a & (parameters.leaves() - 1);
            let mut moved = seeds.clone();
            for tree in moved.chunks_exact_mut(parameters.leaves()) {
                let given = tree.to_vec();
                (0..tree.len()).for_each(|place| tree[place] = given[place ^ element]);
            }
            let mut receiver = Streams::new(&parameters, &seeds, false);
            let mut sender = Streams::new(&parameters, &moved, true);
            for len in [1, 7, 8] {
                let mut v = receiver.next(1, len);
                let u = v.sum().to_vec();
                let w = sender.next(1, len);
                for bit in 0..bits {
                    let mut due = v.bit(bit).to_vec();
                    xor_where((element >> bit) & 1 == 1, &mut due, v.bit(bit), &u);
                    assert!(due == w.bit(bit), "k {bits}, bit {bit}");
                }
            }
        }
    }
}
