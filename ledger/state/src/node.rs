//! Branches of the tree: sixteen slots, leaves held inside their branch, and memory for what is there alone.

use base_types::{Digest, Height};
use base_wire::{Decode, Encode, Reader, WireError};
use ledger_light::state::EMPTY;

use crate::hashing::Nodes;

/// Slots of a branch: one for each value of four bits of the key's hash.
pub(crate) const WIDTH: usize = 16;

/// Every slot, one a bit.
pub(crate) const ALL: u16 = u16::MAX;

/// Slots in use up to which the hashes of a branch's inner nodes are not kept: most branches are such, and without them a
/// change costs one or two hashes more.
const FEW: u32 = 4;

/// What an allocator adds to each piece of memory, in bytes: its own words, and what it rounds up.
const ALLOCATION: usize = 16;

/// What stands in one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Slot {
    /// No key.
    #[default]
    Empty,
    /// One key: its hash and its value's hash.
    Leaf { key: Digest, value: Digest },
    /// Several keys: the hash of the branch below, which was written at `version`.
    Inner { hash: Digest, version: Height },
}

#[derive(Debug)]
struct Leaf {
    key: Digest,
    value: Digest,
}

#[derive(Debug)]
struct Inner {
    hash: Digest,
    version: Height,
    /// The branch itself, where it is held in memory.
    below: Option<Box<Branch>>,
}

/// Hashes of a branch's inner nodes 1 to 15; see [`Nodes`].
type Halves = [Digest; WIDTH - 1];

/// Four levels of the binary tree. A changed slot costs the four hashes above it, not fifteen.
#[derive(Debug, Default)]
pub(crate) struct Branch {
    /// Slots in use, one a bit.
    used: u16,
    /// Those of them that are branches.
    inner: u16,
    /// Those above which `halves` is not up to date.
    changed: u16,
    /// What stands in the slots, in their order.
    leaves: Box<[Leaf]>,
    inners: Box<[Inner]>,
    halves: Option<Box<Halves>>,
}

/// The bit of a slot, 0 for one that there is not.
fn bit(at: usize) -> u16 {
    if at < WIDTH { 1 << at } else { 0 }
}

/// How many of some slots stand before another.
fn rank(slots: u16, bit: u16) -> usize {
    (slots & bit.wrapping_sub(1)).count_ones() as usize
}

/// Puts one more into a list that takes no more memory than it must.
fn insert<T>(list: &mut Box<[T]>, at: usize, one: T) {
    let mut longer = std::mem::take(list).into_vec();
    longer.reserve_exact(1);
    longer.insert(at.min(longer.len()), one);
    *list = longer.into_boxed_slice();
}

fn remove<T>(list: &mut Box<[T]>, at: usize) {
    let mut shorter = std::mem::take(list).into_vec();
    if at < shorter.len() {
        shorter.remove(at);
    }
    *list = shorter.into_boxed_slice();
}

fn bytes_of<T>(list: &[T]) -> usize {
    if list.is_empty() { 0 } else { size_of_val(list) + ALLOCATION }
}

impl Branch {
    /// Slots in use, one a bit.
    pub(crate) fn used(&self) -> u16 {
        self.used
    }

    /// Slots with a leaf, one a bit.
    pub(crate) fn leaves(&self) -> u16 {
        self.used & !self.inner
    }

    /// Slots above which hashes are not known, one a bit.
    pub(crate) fn stale(&self) -> u16 {
        if self.halves.is_some() { self.changed } else { ALL }
    }

    /// What stands in a slot.
    pub(crate) fn slot(&self, at: usize) -> Slot {
        let bit = bit(at);
        if self.inner & bit != 0 {
            let inner = self.inners.get(rank(self.inner, bit));
            inner.map_or(Slot::Empty, |inner| Slot::Inner { hash: inner.hash, version: inner.version })
        } else if self.used & bit != 0 {
            let leaf = self.leaves.get(rank(self.leaves(), bit));
            leaf.map_or(Slot::Empty, |leaf| Slot::Leaf { key: leaf.key, value: leaf.value })
        } else {
            Slot::Empty
        }
    }

    /// What stands in all slots, in their order.
    pub(crate) fn slots(&self) -> impl Iterator<Item = Slot> {
        (0..WIDTH).map(|at| self.slot(at))
    }

    /// Puts something into a slot; a branch below that was held there is given up.
    pub(crate) fn set(&mut self, at: usize, slot: Slot) {
        let bit = bit(at);
        self.changed |= bit;
        match slot {
            _ if bit == 0 => {}
            Slot::Empty => self.clear(bit),
            Slot::Leaf { key, value } => {
                let (leaf, place) = (Leaf { key, value }, rank(self.leaves(), bit));
                match self.leaves.get_mut(place) {
                    Some(old) if self.used & !self.inner & bit != 0 => *old = leaf,
                    _ => {
                        self.clear(bit);
                        insert(&mut self.leaves, place, leaf);
                        self.used |= bit;
                    }
                }
            }
            Slot::Inner { hash, version } => {
                let (inner, place) = (Inner { hash, version, below: None }, rank(self.inner, bit));
                match self.inners.get_mut(place) {
                    Some(old) if self.inner & bit != 0 => *old = inner,
                    _ => {
                        self.clear(bit);
                        insert(&mut self.inners, place, inner);
                        self.used |= bit;
                        self.inner |= bit;
                    }
                }
            }
        }
    }

    fn clear(&mut self, bit: u16) {
        if self.inner & bit != 0 {
            remove(&mut self.inners, rank(self.inner, bit));
        } else if self.used & bit != 0 {
            let place = rank(self.leaves(), bit);
            remove(&mut self.leaves, place);
        }
        self.used &= !bit;
        self.inner &= !bit;
    }

    /// Takes the branch in a slot out of memory, if it is held.
    pub(crate) fn take_below(&mut self, at: usize) -> Option<Box<Branch>> {
        self.below(at).and_then(|(_, below)| below.take())
    }

    /// Holds the branch in a slot; without one there it is given up.
    pub(crate) fn hold_below(&mut self, at: usize, branch: Box<Branch>) {
        if let Some((_, below)) = self.below(at) {
            *below = Some(branch);
        }
    }

    /// The branch in a slot: the version that wrote it, and itself if it is held.
    pub(crate) fn below(&mut self, at: usize) -> Option<(Height, &mut Option<Box<Branch>>)> {
        let bit = bit(at);
        if self.inner & bit == 0 {
            return None;
        }
        self.inners.get_mut(rank(self.inner, bit)).map(|inner| (inner.version, &mut inner.below))
    }

    /// All branches in slots: the versions that wrote them, and themselves as far as they are held.
    pub(crate) fn all_below(&mut self) -> impl Iterator<Item = (Height, &mut Option<Box<Branch>>)> {
        self.inners.iter_mut().map(|inner| (inner.version, &mut inner.below))
    }

    /// The branches in slots that are held, with the versions that wrote them.
    pub(crate) fn held(&self) -> impl Iterator<Item = (Height, &Branch)> {
        self.inners.iter().filter_map(|inner| inner.below.as_deref().map(|below| (inner.version, below)))
    }

    /// What the branch dissolves into, if it holds one leaf or nothing: equal contents have equal shapes.
    pub(crate) fn alone(&self) -> Option<Slot> {
        match (self.used.count_ones(), &*self.leaves) {
            (0, _) => Some(Slot::Empty),
            (1, [leaf]) => Some(Slot::Leaf { key: leaf.key, value: leaf.value }),
            _ => None,
        }
    }

    /// Hashes of the inner nodes, as far as they are kept.
    pub(crate) fn halves(&self) -> &[Digest] {
        self.halves.as_ref().map_or(&[], |halves| &halves[..])
    }

    /// Takes over what was hashed.
    pub(crate) fn hashed(&mut self, nodes: &Nodes) {
        self.changed = 0;
        if self.used.count_ones() <= FEW {
            self.halves = None;
            return;
        }
        let halves = self.halves.get_or_insert_with(|| Box::new([EMPTY; WIDTH - 1]));
        halves.copy_from_slice(&nodes[1..WIDTH]);
    }

    /// Bytes of memory of the branch, those below it not counted.
    pub(crate) fn bytes(&self) -> usize {
        let halves = if self.halves.is_some() { size_of::<Halves>() + ALLOCATION } else { 0 };
        size_of::<Self>() + ALLOCATION + bytes_of(&self.leaves) + bytes_of(&self.inners) + halves
    }
}

/// Which slots are in use, which of them are branches, then the slots in order.
impl Encode for Branch {
    fn encode(&self, out: &mut Vec<u8>) {
        self.used.encode(out);
        self.inner.encode(out);
        for slot in self.slots() {
            match slot {
                Slot::Empty => {}
                Slot::Leaf { key, value } => {
                    key.encode(out);
                    value.encode(out);
                }
                Slot::Inner { hash, version } => {
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
        let mut leaves = Vec::with_capacity((used & !inner).count_ones() as usize);
        let mut inners = Vec::with_capacity(inner.count_ones() as usize);
        for at in 0..WIDTH {
            if inner & bit(at) != 0 {
                inners.push(Inner { hash: Digest::decode(input)?, version: Height::decode(input)?, below: None });
            } else if used & bit(at) != 0 {
                leaves.push(Leaf { key: Digest::decode(input)?, value: Digest::decode(input)? });
            }
        }
        let (leaves, inners) = (leaves.into_boxed_slice(), inners.into_boxed_slice());
        Ok(Self { used, inner, changed: ALL, leaves, inners, halves: None })
    }
}

#[cfg(test)]
mod tests;
