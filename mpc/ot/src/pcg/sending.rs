//! The sender's steps of a batch, without I/O: trees, the answer to the check, compression.

use mpc_block::{Block, BlockPrg};
use zeroize::Zeroizing;

use super::check::{self, Combination};
use super::code::Code;
use super::tree::{Levels, grow, message_bytes};
use super::{Field, NOISE, Parameters};
use crate::place::Place;

/// Base correlations of one batch at the sender.
pub(super) struct Base<'a> {
    /// Keys of the random transfers, for choice 0 and 1: `depth` a tree.
    pub(super) random: (&'a [Block], &'a [Block]),
    /// Shares of VOLE elements: that of the check, then one a tree over GF(2^128).
    pub(super) elements: &'a [Block],
}

/// A batch under way at the sender.
pub(super) struct Batch {
    number: u64,
    leaves: Zeroizing<Vec<Block>>,
    mask: Zeroizing<Block>,
}

/// The sender's state.
pub(super) struct Sending {
    field: Field,
    parameters: Parameters,
    place: Place,
    delta: Zeroizing<Block>,
    roots: BlockPrg,
    levels: Levels,
    code: Code,
    free: Vec<Zeroizing<Vec<Block>>>,
    made: u64,
}

impl Sending {
    /// `seed` is fresh and the sender's own: it decides the roots of all trees.
    pub(super) fn new(
        field: Field,
        parameters: Parameters,
        place: Place,
        delta: Block,
        seed: Block,
        code: Code,
    ) -> Self {
        let (delta, roots, levels) = (Zeroizing::new(delta), BlockPrg::new(seed), Levels::new(parameters.depth()));
        Self { field, parameters, place, delta, roots, levels, code, free: Vec::new(), made: 0 }
    }

    /// Grows the next batch's trees; returns their message.
    pub(super) fn grow(&mut self, base: &Base<'_>) -> (Batch, Vec<u8>) {
        let Self { field, parameters, delta, roots, levels, .. } = self;
        let (depth, mask) = (parameters.depth(), base.elements.first().copied().unwrap_or_default());
        let memory = || Zeroizing::new(vec![Block::ZERO; parameters.leaves()]);
        let mut leaves = self.free.pop().unwrap_or_else(memory);
        let mut message = Vec::with_capacity(NOISE * message_bytes(depth));
        let keys = base.random.0.chunks_exact(depth).zip(base.random.1.chunks_exact(depth));
        for (tree, (leaves, keys)) in leaves.chunks_exact_mut(1 << depth).zip(keys).enumerate() {
            let share = match field {
                Field::Bits => **delta,
                Field::Blocks => base.elements.get(tree + 1).copied().unwrap_or_default(),
            };
            grow(*field, roots.next(), keys, share, levels, leaves, &mut message);
        }
        let number = self.made;
        self.made += 1;
        (Batch { number, leaves, mask: Zeroizing::new(mask) }, message)
    }

    /// The answer to the receiver's challenge; `None` when it has another length than due.
    pub(super) fn answer(&self, batch: &Batch, challenge: &[u8]) -> Option<[u8; check::ANSWER_BYTES]> {
        let [a, b, masked] = check::parse(challenge)?;
        let combination = Combination::new(a, b, self.parameters.depth());
        let known = combination.of_leaves(&batch.leaves) ^ *batch.mask ^ masked.gf_mul(*self.delta);
        Some(check::digest(&self.place, batch.number, challenge, known))
    }

    /// Compresses the batch and hands at most `most` of its `C` to `deliver`.
    pub(super) fn finish(&mut self, batch: Batch, most: usize, deliver: &mut impl FnMut(&[Block])) {
        let mut leaves = batch.leaves;
        self.code.encode(&mut leaves);
        deliver(&leaves[..most.min(self.parameters.batch())]);
        self.free.push(leaves);
    }
}
