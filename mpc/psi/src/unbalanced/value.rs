//! What the function's output of an element is used for: its entry in a table, and the pad of its label.

use mpc_block::{Block, BlockPrg};
use zeroize::Zeroizing;

use super::Output;

/// Which table and slots an element has, and what it is recognised by. Uniform, and unrelated for different elements.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// Chooses the table, and with the mark the slots.
    pub(super) place: u64,
    /// The slots add up to its first bytes.
    pub(super) mark: u64,
}

/// The entry and the pad of one element.
pub(super) struct Value {
    pub(super) entry: Entry,
    pad: Zeroizing<Block>,
}

impl Value {
    /// From the function's output: eight bytes of place, eight of mark, sixteen of pad; the rest is not used.
    pub(super) fn of(output: &Output) -> Self {
        let (words, _) = output.as_chunks::<16>();
        let pair = u128::from_le_bytes(words[0]);
        let entry = Entry { place: pair as u64, mark: (pair >> 64) as u64 };
        Self { entry, pad: Zeroizing::new(Block::from_bytes(words[1])) }
    }

    /// Seals or opens the element's label in release `serial` of the epoch: a pad of its own a release, so that an element
    /// that comes again with another label does not give both away.
    pub(super) fn pad(&self, serial: u32, label: &mut [u8]) {
        if label.is_empty() {
            return;
        }
        let mut stream = Zeroizing::new(vec![0_u8; label.len()]);
        let mut prg = BlockPrg::new(*self.pad);
        prg.seek(u64::from(serial) << 32);
        prg.fill_bytes(&mut stream);
        label.iter_mut().zip(stream.iter()).for_each(|(label, pad)| *label ^= pad);
    }
}
