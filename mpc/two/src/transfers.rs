//! Random transfers in one direction, made as they are needed and each handed out once.
//!
//! A transfer gives the sender two keys of 64 bits, and the receiver a random choice and the key that it names: as many
//! bits as any operation here hides under one key. Both ends take the same numbers in the same order, so the stocks
//! stay in step.

mod receiver;
mod sender;

pub(crate) use receiver::Receiver;
pub(crate) use sender::{Pair, Sender};

use mpc_block::Block;

/// Transfers are taken in multiples of this: choices are handed out in whole words, and made in blocks.
const UNIT: usize = 128;
/// Blocks that are hashed at once: they fit a core's first cache.
const PART: usize = 512;

/// `count` transfers, rounded up to what is handed out.
pub(crate) const fn padded(count: usize) -> usize {
    count.next_multiple_of(UNIT)
}

/// The 64 bits of a hash that serve as a key.
#[inline]
fn key(block: Block) -> u64 {
    block.to_u128() as u64
}
