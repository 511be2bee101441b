//! Nodes of the tree: sixteen slots a branch, leaves held inside their branch, the halves' hashes kept beside them.

use std::sync::Arc;

use base_types::{Digest, Height};
use base_wire::{Decode, Encode, Reader, WireError};
use ledger_light::state::{EMPTY, inner_hash, leaf_hash};

/// Slots of a branch: one for each value of four bits of the key's hash.
pub(crate) const WIDTH: usize = 16;

/// Every slot.
const ALL: u16 = u16::MAX;

/// What stands in one slot.
#[derive(Debug, Clone, Default)]
pub(crate) enum Slot {
    /// No key.
    #[default]
    Empty,
    /// One key: its hash and its value's hash.
    Leaf { key: Digest, value: Digest },
    /// Several keys: the branch below, written at `version`; `below` is that branch where it is held in memory.
    Inner { hash: Digest, version: Height, below: Option<Arc<Branch>> },
}

impl Slot {
    /// The hash of the slot's subtree.
    pub(crate) fn hash(&self) -> Digest {
        match self {
            Self::Empty => EMPTY,
            Self::Leaf { key, value } => leaf_hash(key, value),
            Self::Inner { hash, .. } => *hash,
        }
    }
}

/// Four levels of the binary tree.
///
/// The inner nodes of these levels are numbered as in a heap: 1 is the branch's own root, the halves of `at` are `2 * at`
/// and `2 * at + 1`, and numbers from 16 on are the slots. A changed slot costs the four hashes above it, not fifteen.
#[derive(Debug, Clone)]
pub(crate) struct Branch {
    slots: [Slot; WIDTH],
    /// Hashes of the inner nodes 1 to 15; number 0 is not used.
    halves: [Digest; WIDTH],
    /// Slots, one a bit, above which `halves` is not up to date.
    changed: u16,
}

impl Default for Branch {
    fn default() -> Self {
        Self { slots: Default::default(), halves: [EMPTY; WIDTH], changed: 0 }
    }
}

/// The slots below an inner node, one a bit.
fn slots_below(at: usize) -> u16 {
    let level = at.max(1).ilog2();
    let (first, width) = (1usize << level, WIDTH >> level);
    let mask = ((1u32 << width) - 1) << ((at - first) * width);
    (mask & u32::from(ALL)) as u16
}

impl Branch {
    pub(crate) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Puts a slot and returns what stood there.
    pub(crate) fn replace(&mut self, at: usize, slot: Slot) -> Slot {
        let Some(place) = self.slots.get_mut(at) else { return Slot::Empty };
        self.changed |= 1u16 << at;
        std::mem::replace(place, slot)
    }

    /// Slots in use, one a bit.
    fn used(&self) -> u16 {
        let used = (0u32..).zip(&self.slots).filter(|(_, slot)| !matches!(slot, Slot::Empty));
        used.fold(0u16, |bits, (at, _)| bits | 1u16 << at)
    }

    /// True without any key.
    pub(crate) fn is_empty(&self) -> bool {
        self.used() == 0
    }

    /// The leaf among some slots, if it is all that stands there.
    fn only_leaf_of(&self, slots: u16) -> Option<&Slot> {
        if slots.count_ones() != 1 {
            return None;
        }
        self.slots.get(slots.trailing_zeros() as usize).filter(|slot| matches!(slot, Slot::Leaf { .. }))
    }

    /// The branch's only leaf, if nothing else stands in it.
    pub(crate) fn only_leaf(&self) -> Option<&Slot> {
        self.only_leaf_of(self.used())
    }

    /// The hash of an inner node or a slot; those of changed slots' nodes must have been hashed before.
    fn hash_at(&self, at: usize) -> Digest {
        match at.checked_sub(WIDTH) {
            Some(slot) => self.slots.get(slot).map_or(EMPTY, Slot::hash),
            None => self.halves.get(at).copied().unwrap_or(EMPTY),
        }
    }

    /// Hashes the inner nodes above changed slots, lowest first.
    pub(crate) fn refresh(&mut self) {
        if self.changed == 0 {
            return;
        }
        let used = self.used();
        for at in (1..WIDTH).rev() {
            let below = slots_below(at);
            if self.changed & below == 0 {
                continue;
            }
            let hash = match used & below {
                0 => EMPTY,
                inside => {
                    let (left, right) = (self.hash_at(2 * at), self.hash_at(2 * at + 1));
                    match self.only_leaf_of(inside) {
                        Some(_) if left == EMPTY => right,
                        Some(_) => left,
                        None => inner_hash(&left, &right),
                    }
                }
            };
            if let Some(place) = self.halves.get_mut(at) {
                *place = hash;
            }
        }
        self.changed = 0;
    }

    /// The hash of the whole.
    pub(crate) fn hash(&mut self) -> Digest {
        self.refresh();
        self.hash_at(1)
    }

    /// Goes down the four levels towards slot `to`, as far as there are several keys, and gathers the other halves'
    /// hashes. The branch must have been refreshed.
    pub(crate) fn descend(&self, to: usize, siblings: &mut Vec<Digest>) -> &Slot {
        static NOTHING: Slot = Slot::Empty;
        let used = self.used();
        let mut at = 1usize;
        while at < WIDTH {
            let inside = used & slots_below(at);
            if inside == 0 {
                return &NOTHING;
            }
            if let Some(leaf) = self.only_leaf_of(inside) {
                return leaf;
            }
            let towards = to >> (3 - at.ilog2()) & 1;
            siblings.push(self.hash_at(2 * at + (1 - towards)));
            at = 2 * at + towards;
        }
        self.slots.get(at - WIDTH).unwrap_or(&NOTHING)
    }
}

/// Which slots are in use, which of them are branches, then the slots in order.
impl Encode for Branch {
    fn encode(&self, out: &mut Vec<u8>) {
        let inner = (0u32..).zip(&self.slots).filter(|(_, slot)| matches!(slot, Slot::Inner { .. }));
        self.used().encode(out);
        inner.fold(0u16, |bits, (at, _)| bits | 1u16 << at).encode(out);
        for slot in &self.slots {
            match slot {
                Slot::Empty => {}
                Slot::Leaf { key, value } => {
                    key.encode(out);
                    value.encode(out);
                }
                Slot::Inner { hash, version, below: _ } => {
                    hash.encode(out);
                    version.encode(out);
                }
            }
        }
    }
}

impl Decode for Branch {
    const MIN_BYTES: usize = 4;
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        let (used, inner) = (u16::decode(input)?, u16::decode(input)?);
        if inner & !used != 0 {
            return Err(WireError::NotCanonical("branch"));
        }
        let mut branch = Self { changed: ALL, ..Self::default() };
        for (at, slot) in (0u32..).zip(&mut branch.slots) {
            if inner >> at & 1 == 1 {
                *slot = Slot::Inner { hash: Digest::decode(input)?, version: Height::decode(input)?, below: None };
            } else if used >> at & 1 == 1 {
                *slot = Slot::Leaf { key: Digest::decode(input)?, value: Digest::decode(input)? };
            }
        }
        Ok(branch)
    }
}

#[cfg(test)]
mod tests {
    use base_gm::sm3::sm3;

    use super::*;

    /// The hash of a range of slots by the tree's rules, nothing remembered.
    fn fold(slots: &[Slot]) -> Digest {
        let used: Vec<&Slot> = slots.iter().filter(|slot| !matches!(slot, Slot::Empty)).collect();
        match used.as_slice() {
            [] => EMPTY,
            [leaf @ Slot::Leaf { .. }] => leaf.hash(),
            [inner] if slots.len() == 1 => inner.hash(),
            _ => {
                let (left, right) = slots.split_at(slots.len() / 2);
                inner_hash(&fold(left), &fold(right))
            }
        }
    }

    fn slot(draw: &Digest) -> Slot {
        match draw.0[1] % 3 {
            0 => Slot::Empty,
            1 => Slot::Leaf { key: *draw, value: sm3(&draw.0) },
            _ => Slot::Inner { hash: *draw, version: u64::from(draw.0[2]), below: None },
        }
    }

    #[test]
    fn hashing_what_changed_gives_what_hashing_everything_gives() {
        let mut branch = Branch::default();
        for round in 0..300u32 {
            let draw = sm3(&round.to_be_bytes());
            branch.replace(usize::from(draw.0[0] % 16), slot(&draw));
            if round % 3 == 0 {
                assert_eq!(branch.hash(), fold(branch.slots()), "round {round}");
                let mut read = Branch::from_wire(&branch.to_wire()).expect("read");
                assert_eq!(read.hash(), branch.hash());
                assert_eq!(read.to_wire(), branch.to_wire());
            }
        }
    }

    #[test]
    fn every_way_down_folds_back_to_the_branch() {
        for round in 0..60u32 {
            let mut branch = Branch::default();
            for at in 0..=(round as usize % WIDTH) {
                branch.replace(at, slot(&sm3(&[round as u8, at as u8])));
            }
            let hash = branch.hash();
            for to in 0..WIDTH {
                let mut siblings = Vec::new();
                let end = branch.descend(to, &mut siblings).hash();
                let folded = (0..siblings.len()).rev().fold(end, |below, step| match to >> (3 - step) & 1 {
                    0 => inner_hash(&below, &siblings[step]),
                    _ => inner_hash(&siblings[step], &below),
                });
                assert_eq!(folded, hash, "round {round}, slot {to}");
            }
        }
    }

    #[test]
    fn a_branch_with_a_branch_in_an_unused_slot_is_refused() {
        assert!(Branch::from_wire(&[0, 1, 0, 2]).is_err());
        assert!(Branch::from_wire(&Branch::default().to_wire()).is_ok_and(|branch| branch.is_empty()));
    }
}
