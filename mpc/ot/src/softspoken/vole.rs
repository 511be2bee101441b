//! Small-field VOLE from the leaves' streams: SoftSpokenOT, Fig. 7.
//!
//! `u = Σ r_x` and, for every bit `b`, `v_b = Σ r_x` over the leaves whose number has bit `b`: sums of streams that are added up as they
//! are drawn.

use mpc_block::{Block, StreamSums};
use zeroize::Zeroizing;

use super::Parameters;

/// Blocks of a stream that are drawn at a time: their sums stay in the first-level cache.
const WIDTH: usize = 128;

/// The streams of all leaves of all trees at one party. Blocks of a stream are drawn once, in order.
pub(super) struct Streams {
    trees: Vec<StreamSums>,
    rows: Zeroizing<Vec<Block>>,
    bits: usize,
}

impl Streams {
    /// Streams from the leaves' seeds. `punctured` leaves out place 0 of every tree, whose seed the sender lacks.
    pub(super) fn new(parameters: &Parameters, seeds: &[Block], punctured: bool) -> Self {
        let bits = parameters.field_bits();
        let trees = seeds.chunks_exact(parameters.leaves()).map(|tree| StreamSums::new(tree, punctured)).collect();
        Self { trees, rows: Zeroizing::new(vec![Block::ZERO; (bits + 1) * WIDTH]), bits }
    }

    /// Most blocks that one call of [`Self::next`] gives.
    pub(super) fn width(&self) -> usize {
        WIDTH
    }

    /// The next `len` blocks of every output of `tree`. Without place 0 the sum `u` means nothing; the other outputs do
    /// not contain that place.
    pub(super) fn next(&mut self, tree: usize, len: usize) -> Outputs<'_> {
        let rows = &mut self.rows[..(self.bits + 1) * len];
        self.trees[tree].draw(rows);
        Outputs { rows, len }
    }
}

/// What one pass gives: `u`, and `v` (at the sender `w`) bit by bit.
pub(super) struct Outputs<'a> {
    rows: &'a mut [Block],
    len: usize,
}

impl Outputs<'_> {
    /// The sum of all streams.
    pub(super) fn sum(&mut self) -> &mut [Block] {
        &mut self.rows[..self.len]
    }

    /// The sum of the streams whose place has bit `bit`.
    pub(super) fn bit(&self, bit: usize) -> &[Block] {
        &self.rows[(bit + 1) * self.len..][..self.len]
    }
}

#[cfg(test)]
mod tests {
    use mpc_block::xor_where;

    use super::*;

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
