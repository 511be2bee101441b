//! Nodes of the tree: sixteen slots a branch, leaves held inside their branch.

use base_types::{Digest, Height};
use base_wire::{Decode, Encode, Reader, WireError, wire_enum};
use ledger_light::state::{EMPTY, inner_hash, leaf_hash};

/// Slots of a branch: one for each value of four bits of the key's hash.
pub(crate) const WIDTH: usize = 16;

/// What stands in one slot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Slot {
    /// No key.
    #[default]
    Empty,
    /// One key: its hash and its value's hash.
    Leaf { key: Digest, value: Digest },
    /// Several keys: the branch below, written at `version`.
    Inner { hash: Digest, version: Height },
}
wire_enum!(Slot { 0 => Empty, 1 => Leaf { key, value }, 2 => Inner { hash, version } });

/// Four levels of the binary tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Branch(pub(crate) [Slot; WIDTH]);

impl Encode for Branch {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.iter().for_each(|slot| slot.encode(out));
    }
}

impl Decode for Branch {
    const MIN_BYTES: usize = WIDTH;
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        let mut branch = Self::default();
        for slot in &mut branch.0 {
            *slot = Slot::decode(input)?;
        }
        Ok(branch)
    }
}

/// The only slot in use, if exactly one is.
pub(crate) fn only(slots: &[Slot]) -> Option<&Slot> {
    let mut used = slots.iter().filter(|slot| **slot != Slot::Empty);
    used.next().filter(|_| used.next().is_none())
}

/// The hash of a range of a branch's slots, whose length is a power of two.
pub(crate) fn fold(slots: &[Slot]) -> Digest {
    if slots.iter().all(|slot| *slot == Slot::Empty) {
        return EMPTY;
    }
    match only(slots) {
        Some(Slot::Leaf { key, value }) => leaf_hash(key, value),
        Some(Slot::Inner { hash, .. }) if slots.len() == 1 => *hash,
        _ => {
            let (left, right) = slots.split_at(slots.len() / 2);
            inner_hash(&fold(left), &fold(right))
        }
    }
}

/// Where a branch stands: the first `depth` half-bytes of the hashes of the keys below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    prefix: Digest,
    depth: u8,
}

impl Path {
    /// The root's.
    pub(crate) fn root() -> Self {
        Self { prefix: Digest([0; 32]), depth: 0 }
    }

    /// The path of the branch below `self` on the way to `key`.
    pub(crate) fn below(&self, key: &Digest) -> Self {
        let depth = self.depth.saturating_add(1);
        let mut prefix = Digest([0; 32]);
        for (at, (to, from)) in (0u8..).zip(prefix.0.iter_mut().zip(key.0)) {
            *to = match depth.saturating_sub(at * 2) {
                0 => break,
                1 => from & 0xf0,
                _ => from,
            };
        }
        Self { prefix, depth }
    }

    /// Which of the branch's slots leads to `key`.
    pub(crate) fn slot_of(&self, key: &Digest) -> usize {
        let byte = key.0.get(usize::from(self.depth / 2)).copied().unwrap_or_default();
        usize::from(if self.depth % 2 == 0 { byte >> 4 } else { byte & 0x0f })
    }

    /// The branch's key in storage: depth, the bytes of the prefix, version.
    pub(crate) fn row(&self, version: Height) -> Vec<u8> {
        let used = usize::from(self.depth).div_ceil(2);
        let prefix = self.prefix.0.iter().take(used);
        [self.depth].iter().chain(prefix).chain(&version.to_be_bytes()).copied().collect()
    }
}
