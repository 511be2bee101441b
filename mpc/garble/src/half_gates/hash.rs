//! The tweaks of decoding, and the memory in which the labels of a batch of gates lie beside each other.

use mpc_block::Block;
use zeroize::Zeroizing;

use crate::program::BATCH;

/// The mark of decoding's tweaks, above the 64 bits of a number; the halves of a gate have marks 0 and 1.
const OUTPUT: u128 = 2 << 64;

/// The tweak of an output bit; the next bit has the next tweak.
pub(super) fn output_tweak(bit: usize) -> u128 {
    OUTPUT | bit as u128
}

/// The labels of a batch's left inputs, right inputs and outputs, in memory that is kept between batches.
pub(super) struct Room(Zeroizing<Vec<Block>>);

/// Left inputs, right inputs, outputs.
const GROUPS: usize = 3;

impl Room {
    pub(super) fn new() -> Self {
        Self(Zeroizing::new(vec![Block::ZERO; GROUPS * BATCH]))
    }

    /// Room for `count` gates, [`BATCH`] at most.
    pub(super) fn groups(&mut self, count: usize) -> [&mut [Block]; GROUPS] {
        let mut rest = &mut self.0[..];
        std::array::from_fn(|_| {
            let (group, behind) = std::mem::take(&mut rest).split_at_mut(count);
            rest = behind;
            group
        })
    }
}
