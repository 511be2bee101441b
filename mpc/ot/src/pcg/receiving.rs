//! The receiver's steps of a batch, without I/O: trees with noise, the challenge, the verdict, compression.

use base_secret::equal;
use mpc_block::Block;
use zeroize::Zeroizing;

use super::check::{self, Combination};
use super::code::Code;
use super::tree::{Levels, Puncture, message_bytes, rebuild};
use super::{Field, NOISE, Parameters};
use crate::bits;
use crate::place::Place;

/// Base correlations of one batch at the receiver.
pub(super) struct Base<'a> {
    /// Packed choices of all random transfers of the supply, and the index of the batch's first.
    pub(super) choices: (&'a [Block], usize),
    /// The chosen keys of the batch's: `depth` a tree.
    pub(super) keys: &'a [Block],
    /// VOLE elements: that of the check, then one a tree over GF(2^128).
    pub(super) elements: &'a [Block],
    /// The receiver's shares of them times `Δ`.
    pub(super) shares: &'a [Block],
}

/// A batch under way at the receiver.
pub(super) struct Batch {
    number: u64,
    leaves: Zeroizing<Vec<Block>>,
    places: Zeroizing<Vec<usize>>,
    values: Zeroizing<Vec<Block>>,
    mask: Zeroizing<[Block; 2]>,
    expected: [u8; check::ANSWER_BYTES],
}

/// The receiver's state.
pub(super) struct Receiving {
    field: Field,
    parameters: Parameters,
    place: Place,
    levels: Levels,
    code: Code,
    free: Vec<Zeroizing<Vec<Block>>>,
    noise: Zeroizing<Vec<Block>>,
    made: u64,
}

impl Receiving {
    pub(super) fn new(field: Field, parameters: Parameters, place: Place, code: Code) -> Self {
        let (levels, noise) = (Levels::new(parameters.depth()), Zeroizing::new(Vec::new()));
        Self { field, parameters, place, levels, code, free: Vec::new(), noise, made: 0 }
    }

    /// Rebuilds the next batch's trees from the sender's message, which has the exact length.
    pub(super) fn rebuild(&mut self, base: &Base<'_>, message: &[u8]) -> Batch {
        let depth = self.parameters.depth();
        let memory = || Zeroizing::new(vec![Block::ZERO; self.parameters.leaves()]);
        let mut leaves = self.free.pop().unwrap_or_else(memory);
        let mut places = Zeroizing::new(Vec::<usize>::with_capacity(NOISE));
        let mut values = Zeroizing::new(Vec::<Block>::with_capacity(NOISE));
        let parts = base.keys.chunks_exact(depth).zip(message.chunks_exact(message_bytes(depth)));
        for (tree, (leaves, (keys, message))) in leaves.chunks_exact_mut(1 << depth).zip(parts).enumerate() {
            let first = base.choices.1 + tree * depth;
            let choices: Vec<bool> = (first..first + depth).map(|at| bits::get(base.choices.0, at)).collect();
            let choices = Zeroizing::new(choices);
            let of = |list: &[Block]| list.get(tree + 1).copied().unwrap_or_default();
            let (value, share) = match self.field {
                Field::Bits => (Block::ONE, Block::ZERO),
                Field::Blocks => (of(base.elements), of(base.shares)),
            };
            let puncture = Puncture { choices: &choices, keys, share };
            places.push(rebuild(self.field, &puncture, message, &mut self.levels, leaves));
            values.push(value);
        }
        let first = |list: &[Block]| list.first().copied().unwrap_or_default();
        let mask = Zeroizing::new([first(base.elements), first(base.shares)]);
        let number = self.made;
        self.made += 1;
        Batch { number, leaves, places, values, mask, expected: [0; check::ANSWER_BYTES] }
    }

    /// The challenge for a batch: `a` and `b` are fresh and uniform, drawn after the trees had come.
    pub(super) fn challenge(&self, batch: &mut Batch, a: Block, b: Block) -> Vec<u8> {
        let combination = Combination::new(a, b, self.parameters.depth());
        let [element, share] = *batch.mask;
        let masked = combination.of_noise(&batch.places, &batch.values) ^ element;
        let challenge = check::challenge(a, b, masked);
        let known = combination.of_leaves(&batch.leaves) ^ share;
        batch.expected = check::digest(&self.place, batch.number, &challenge, known);
        challenge
    }

    /// True when the sender's answer is the one that honest trees give.
    pub(super) fn passes(&self, batch: &Batch, answer: &[u8]) -> bool {
        equal(&batch.expected, answer)
    }

    /// Compresses the batch and hands at most `most` of its `A` (empty over GF(2), where it is the lowest bit of `B`) and `B` to
    /// `deliver`. Only after [`Self::passes`].
    pub(super) fn finish(&mut self, batch: Batch, most: usize, deliver: &mut impl FnMut(&[Block], &[Block])) {
        let most = most.min(self.parameters.batch());
        let Batch { mut leaves, places, values, .. } = batch;
        self.code.encode(&mut leaves);
        match self.field {
            Field::Bits => deliver(&[], &leaves[..most]),
            Field::Blocks => {
                self.scatter(&places, &values);
                self.code.encode(&mut self.noise);
                deliver(&self.noise[..most], &leaves[..most]);
            }
        }
        self.free.push(leaves);
    }

    /// The noise as a vector, written by mask so that no access depends on its places.
    fn scatter(&mut self, places: &[usize], values: &[Block]) {
        let depth = self.parameters.depth();
        self.noise.resize(self.parameters.leaves(), Block::ZERO);
        for (tree, (place, value)) in self.noise.chunks_exact_mut(1 << depth).zip(places.iter().zip(values)) {
            tree.iter_mut().enumerate().for_each(|(at, block)| *block = value.masked(at == *place));
        }
    }
}
