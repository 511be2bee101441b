//! A state in parts that can be checked: the hashes of 256 subtrees, and the leaves below each of them.
//!
//! Nothing here reads storage. Who takes over a state has the root from a certified header, checks the spine against the
//! root, and every part against the spine.

use base_gm::sm3::sm3;
use base_types::Digest;
use base_wire::{Decode, Encode, Reader, WireError, wire_enum, wire_struct};
use ledger_light::state::{EMPTY, inner_hash, leaf_hash};
use thiserror::Error;

/// Parts of a state: one for each first byte of the hash of a key.
const PARTS: usize = 256;

/// Bits of a key's hash that name its part.
const PART_BITS: usize = 8;

/// The hash of a key, and its value.
pub type Leaf = (Digest, Vec<u8>);

/// What stands where a part begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpineEntry {
    /// No key.
    Empty,
    /// One key.
    Leaf {
        /// Hash of the key.
        key: Digest,
        /// Hash of its value.
        value: Digest,
    },
    /// The hash of several keys' subtree.
    Inner(Digest),
}
wire_enum!(SpineEntry { 0 => Empty, 1 => Leaf { key, value }, 2 => Inner(hash) });

/// The upper eight levels of a state's tree; always 256 entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spine {
    entries: Vec<SpineEntry>,
}

impl Encode for Spine {
    fn encode(&self, out: &mut Vec<u8>) {
        let Self { entries } = self;
        entries.iter().for_each(|entry| entry.encode(out));
    }
}

impl Decode for Spine {
    const MIN_BYTES: usize = PARTS;
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        let entries = (0..PARTS).map(|_| SpineEntry::decode(input)).collect::<Result<_, _>>()?;
        Ok(Self { entries })
    }
}

/// Leaves of one part, in the order of their keys' hashes; with `more`, further ones follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The leaves.
    pub leaves: Vec<Leaf>,
    /// True unless the last of them is the part's last.
    pub more: bool,
}
wire_struct!(Part { leaves, more });

/// Why a spine or a part is not what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SnapshotFault {
    /// The spine leads to another root, or holds a key where that key cannot be.
    #[error("the snapshot belongs to another state")]
    OtherRoot,
    /// The part's leaves are not in order, or are another part's.
    #[error("part {0} of the snapshot is out of order")]
    Order(u8),
    /// The part's leaves are not those that the spine promises.
    #[error("part {0} of the snapshot is not what its state holds")]
    OtherPart(u8),
    /// Not every part has come.
    #[error("part {0} of the snapshot is missing")]
    Missing(u8),
}

impl Spine {
    /// A spine of 256 entries; what is missing counts as empty, and what is beyond them is left out.
    pub(crate) fn new(mut entries: Vec<SpineEntry>) -> Self {
        entries.resize(PARTS, SpineEntry::Empty);
        Self { entries }
    }

    /// Where part `index` begins.
    pub fn entry(&self, index: u8) -> &SpineEntry {
        const NOTHING: &SpineEntry = &SpineEntry::Empty;
        self.entries.get(usize::from(index)).unwrap_or(NOTHING)
    }

    /// Parts that hold a key.
    pub fn parts(&self) -> Vec<u8> {
        (0..=u8::MAX).filter(|index| *self.entry(*index) != SpineEntry::Empty).collect()
    }

    /// The root of the state that this is the spine of, by the tree's rules.
    pub fn root(&self) -> Digest {
        fold(&self.entries)
    }

    /// Checks that this is the spine of the state of `root`.
    ///
    /// # Errors
    /// [`SnapshotFault::OtherRoot`].
    pub fn verify(&self, root: &Digest) -> Result<(), SnapshotFault> {
        // A key that is alone in a subtree has the same hash wherever in it it stands.
        let placed = (0..=u8::MAX).all(|index| match self.entry(index) {
            SpineEntry::Leaf { key, .. } => key.0.first() == Some(&index),
            SpineEntry::Empty | SpineEntry::Inner(_) => true,
        });
        if placed && self.root() == *root { Ok(()) } else { Err(SnapshotFault::OtherRoot) }
    }
}

/// The hash of a range of entries, whose length is a power of two.
fn fold(entries: &[SpineEntry]) -> Digest {
    let mut used = entries.iter().filter(|entry| **entry != SpineEntry::Empty);
    match (used.next(), used.next()) {
        (None, _) => EMPTY,
        (Some(SpineEntry::Leaf { key, value }), None) => leaf_hash(key, value),
        (Some(SpineEntry::Inner(hash)), None) if entries.len() == 1 => *hash,
        _ => {
            let (left, right) = entries.split_at(entries.len() / 2);
            inner_hash(&fold(left), &fold(right))
        }
    }
}

/// Checks that `leaves` are all that the state of a spine holds in part `index`.
///
/// # Errors
/// [`SnapshotFault::Order`], [`SnapshotFault::OtherPart`].
pub fn verify_part(spine: &Spine, index: u8, leaves: &[Leaf]) -> Result<(), SnapshotFault> {
    hashed_part(spine, index, leaves).map(|_| ())
}

/// As [`verify_part`]; returns the hashes of keys and values.
pub(crate) fn hashed_part(spine: &Spine, index: u8, leaves: &[Leaf]) -> Result<Vec<(Digest, Digest)>, SnapshotFault> {
    let own = leaves.iter().all(|(key, _)| key.0.first() == Some(&index));
    if !own || !leaves.is_sorted_by(|a, b| a.0 < b.0) {
        return Err(SnapshotFault::Order(index));
    }
    let hashed: Vec<(Digest, Digest)> = leaves.iter().map(|(key, value)| (*key, sm3(value))).collect();
    let found = match hashed.as_slice() {
        [] => SpineEntry::Empty,
        [(key, value)] => SpineEntry::Leaf { key: *key, value: *value },
        several => SpineEntry::Inner(subtree(several, PART_BITS)),
    };
    if found == *spine.entry(index) { Ok(hashed) } else { Err(SnapshotFault::OtherPart(index)) }
}

/// Bit `at` of a hash, the highest of the first byte being bit 0.
fn bit(hash: &Digest, at: usize) -> bool {
    hash.0.get(at / 8).is_some_and(|byte| byte >> (7 - at % 8) & 1 == 1)
}

/// The hash of the subtree of sorted leaves without doubles that share their first `depth` bits.
pub(crate) fn subtree(leaves: &[(Digest, Digest)], depth: usize) -> Digest {
    match leaves {
        [] => EMPTY,
        [(key, value)] => leaf_hash(key, value),
        _ => {
            let (left, right) = leaves.split_at(leaves.partition_point(|(key, _)| !bit(key, depth)));
            inner_hash(&subtree(left, depth.saturating_add(1)), &subtree(right, depth.saturating_add(1)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: u32) -> Vec<Leaf> {
        let mut leaves: Vec<Leaf> = (0..count).map(|i| (sm3(&i.to_be_bytes()), i.to_be_bytes().to_vec())).collect();
        leaves.sort();
        leaves
    }

    fn part(leaves: &[Leaf], index: u8) -> Vec<Leaf> {
        leaves.iter().filter(|(key, _)| key.0[0] == index).cloned().collect()
    }

    fn spine(leaves: &[Leaf]) -> Spine {
        let entry = |index| {
            let part: Vec<_> = part(leaves, index).iter().map(|(key, value)| (*key, sm3(value))).collect();
            match part.as_slice() {
                [] => SpineEntry::Empty,
                [(key, value)] => SpineEntry::Leaf { key: *key, value: *value },
                several => SpineEntry::Inner(subtree(several, 8)),
            }
        };
        Spine::new((0..=255).map(entry).collect())
    }

    #[test]
    fn a_spine_leads_to_the_root_of_all_leaves_for_any_number_of_them() {
        for count in [0, 1, 2, 3, 10, 100, 1000] {
            let leaves = leaves(count);
            let spine = spine(&leaves);
            let hashed: Vec<_> = leaves.iter().map(|(key, value)| (*key, sm3(value))).collect();
            assert_eq!(spine.root(), subtree(&hashed, 0), "{count} leaves");
            assert_eq!(spine.verify(&spine.root()), Ok(()));
            assert_eq!(Spine::from_wire(&spine.to_wire()), Ok(spine.clone()));
            for index in 0..=255 {
                assert_eq!(verify_part(&spine, index, &part(&leaves, index)), Ok(()));
            }
        }
    }

    #[test]
    fn every_change_of_a_part_is_refused() {
        let all = leaves(1000);
        let spine = spine(&all);
        let index = spine.parts().into_iter().find(|index| part(&all, *index).len() > 3).expect("some part");
        let good = part(&all, index);
        let refused = |change: &dyn Fn(&mut Vec<Leaf>)| {
            let mut bad = good.clone();
            change(&mut bad);
            verify_part(&spine, index, &bad).expect_err("refused")
        };
        let other = SnapshotFault::OtherPart(index);
        assert_eq!(refused(&|bad| bad[1].1.push(0)), other, "another value");
        assert_eq!(refused(&|bad| drop(bad.remove(2))), other, "one missing");
        assert_eq!(refused(&|bad| bad.clear()), other, "all missing");
        assert_eq!(refused(&|bad| bad.truncate(1)), other, "all but one missing");
        assert_eq!(refused(&|bad| bad[3].0.0[31] ^= 1), other, "another key");
        let more = |bad: &mut Vec<Leaf>| {
            let mut key = bad[3].0;
            key.0[31] ^= 1;
            bad.push((key, vec![1]));
            bad.sort();
        };
        assert_eq!(refused(&more), other, "one too many");
        assert_eq!(refused(&|bad| bad.swap(0, 1)), SnapshotFault::Order(index), "out of order");
        assert_eq!(refused(&|bad| bad.insert(0, bad[0].clone())), SnapshotFault::Order(index), "one twice");
        let next = |bad: &mut Vec<Leaf>| bad.extend(all.iter().find(|(key, _)| key.0[0] != index).cloned());
        assert_eq!(refused(&next), SnapshotFault::Order(index), "another part's");
    }

    #[test]
    fn every_change_of_a_spine_is_refused() {
        let all = leaves(40);
        let good = spine(&all);
        let root = good.root();
        for index in 0..=255u8 {
            for entry in [SpineEntry::Empty, SpineEntry::Inner(EMPTY), SpineEntry::Inner(sm3(b"x"))] {
                let mut bad = good.clone();
                if bad.entries[usize::from(index)] == entry {
                    continue;
                }
                bad.entries[usize::from(index)] = entry;
                let refused = bad.verify(&root).is_err() || verify_part(&bad, index, &part(&all, index)).is_err();
                assert!(refused, "entry {index}");
            }
        }
        let alone = spine(&leaves(1));
        let from = alone.parts()[0];
        let mut moved = alone.clone();
        moved.entries.swap(usize::from(from), usize::from(from ^ 1));
        assert_eq!(moved.root(), alone.root(), "a key alone does not show its place");
        assert_eq!(moved.verify(&alone.root()), Err(SnapshotFault::OtherRoot));
        assert!(Spine::from_wire(&good.to_wire()[..300]).is_err());
    }
}
