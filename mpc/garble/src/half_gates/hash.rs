//! The hash of many labels at once, with the tweaks of half gates and of decoding.

use mpc_block::{Block, Tmmo};
use zeroize::Zeroizing;

use crate::program::BATCH;

/// The marks of the tweaks, above the 64 bits of a number: the garbler half hashes the left input, the evaluator half
/// the right one.
const LEFT: u128 = 0;
const RIGHT: u128 = 1 << 64;
const OUTPUT: u128 = 2 << 64;

/// Below so many gates one call for all four groups is quicker than a call a group.
const WIDE: usize = 8;

/// The tweak of an output bit; the next bit has the next tweak.
pub(super) fn output_tweak(bit: usize) -> u128 {
    OUTPUT | bit as u128
}

/// Labels that are hashed in place, in memory that is kept between batches: `GROUPS` groups one after the other, the
/// first half of them left inputs, the others right ones.
pub(super) struct Scratch<const GROUPS: usize> {
    labels: Zeroizing<Vec<Block>>,
    tweaks: Vec<u128>,
}

impl<const GROUPS: usize> Scratch<GROUPS> {
    pub(super) fn new() -> Self {
        let labels = Zeroizing::new(vec![Block::ZERO; GROUPS * BATCH]);
        Self { labels, tweaks: vec![0; GROUPS * WIDE] }
    }

    /// The groups of `count` gates, [`BATCH`] at most, to be filled.
    pub(super) fn groups(&mut self, count: usize) -> [&mut [Block]; GROUPS] {
        let mut rest = &mut self.labels[..];
        std::array::from_fn(|_| {
            let (group, behind) = std::mem::take(&mut rest).split_at_mut(count);
            rest = behind;
            group
        })
    }

    /// Hashes the groups of `count` gates, `first` being the number of the first, and lends them out.
    pub(super) fn hash(&mut self, hash: &Tmmo, count: usize, first: u64) -> [&[Block]; GROUPS] {
        let labels = &mut self.labels[..GROUPS * count];
        let marks: [u128; GROUPS] =
            std::array::from_fn(|group| u128::from(first) | if group < GROUPS / 2 { LEFT } else { RIGHT });
        if count < WIDE {
            for (group, mark) in marks.into_iter().enumerate() {
                let tweaks = &mut self.tweaks[group * count..][..count];
                (mark..).zip(tweaks).for_each(|(tweak, place)| *place = tweak);
            }
            hash.hash_tweaked(labels, &self.tweaks[..GROUPS * count]);
        } else {
            for (group, mark) in marks.into_iter().enumerate() {
                hash.hash_all(&mut labels[group * count..][..count], mark);
            }
        }
        let mut rest = &labels[..];
        std::array::from_fn(|_| {
            let (group, behind) = rest.split_at(count);
            rest = behind;
            group
        })
    }
}
