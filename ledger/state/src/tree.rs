//! The tree's two operations, free of storage's details: apply a block's changes, and walk to a key.

use std::sync::Arc;

use base_types::{Digest, Height};
use base_wire::Encode;
use ledger_light::state::{EMPTY, ProofEnd, StateProof};

use crate::{
    StateError,
    node::{Branch, Slot},
    path::Path,
};

/// Reads branches that earlier versions wrote.
pub(crate) trait Branches {
    /// The branch at a path, written at a version.
    fn branch(&self, path: &Path, version: Height) -> Result<Branch, StateError>;
}

/// A key's hash and its new value's hash, `None` to remove it.
pub(crate) type Item = (Digest, Option<Digest>);

/// One version's update: reads from `source`, gathers what is to be written.
pub(crate) struct Update<'a> {
    source: &'a dyn Branches,
    version: Height,
    /// Branches at less than this depth stay in memory below their parents.
    held: u8,
    /// Rows of new branches.
    pub(crate) written: Vec<(Vec<u8>, Vec<u8>)>,
    /// Rows of branches that this version replaces.
    pub(crate) replaced: Vec<Vec<u8>>,
}

impl<'a> Update<'a> {
    pub(crate) fn new(source: &'a dyn Branches, version: Height, held: u8) -> Self {
        Self { source, version, held, written: Vec::new(), replaced: Vec::new() }
    }

    /// Applies `items`, sorted by key without doubles, to the branch at `path`.
    pub(crate) fn change(&mut self, branch: &mut Branch, path: &Path, items: &[Item]) -> Result<(), StateError> {
        for group in items.chunk_by(|a, b| path.slot_of(&a.0) == path.slot_of(&b.0)) {
            let Some((first, _)) = group.first() else { continue };
            let at = path.slot_of(first);
            let old = branch.replace(at, Slot::Empty);
            let new = self.merge(old, &path.below(first), group)?;
            branch.replace(at, new);
        }
        Ok(())
    }

    /// The slot that comes of a slot and the changes below it; `path` is that of a branch in the slot.
    pub(crate) fn merge(&mut self, slot: Slot, path: &Path, items: &[Item]) -> Result<Slot, StateError> {
        let mut branch = Branch::default();
        match slot {
            Slot::Inner { version, below, .. } => {
                branch = match below {
                    Some(below) => Arc::unwrap_or_clone(below),
                    None => self.source.branch(path, version)?,
                };
                self.replaced.push(path.row(version));
                self.change(&mut branch, path, items)?;
            }
            Slot::Empty | Slot::Leaf { .. } => {
                let left = overlay(&slot, items);
                if let [] | [_] = left.as_slice() {
                    return Ok(left.first().map_or(Slot::Empty, |&(key, value)| Slot::Leaf { key, value }));
                }
                let left: Vec<Item> = left.into_iter().map(|(key, value)| (key, Some(value))).collect();
                self.change(&mut branch, path, &left)?;
            }
        }
        Ok(self.close(path, branch))
    }

    /// A branch that holds one leaf or nothing dissolves into its parent, so that equal contents have equal shapes.
    pub(crate) fn close(&mut self, path: &Path, mut branch: Branch) -> Slot {
        if let Some(leaf) = branch.only_leaf() {
            return leaf.clone();
        }
        if branch.is_empty() {
            return Slot::Empty;
        }
        let hash = self.write(path, &mut branch);
        let below = (path.depth() < self.held).then(|| Arc::new(branch));
        Slot::Inner { hash, version: self.version, below }
    }

    /// Gathers a branch's row and returns its hash.
    pub(crate) fn write(&mut self, path: &Path, branch: &mut Branch) -> Digest {
        let hash = branch.hash();
        self.written.push((path.row(self.version), branch.to_wire()));
        hash
    }
}

/// The keys under an empty slot or a leaf once `items` are applied.
fn overlay(slot: &Slot, items: &[Item]) -> Vec<(Digest, Digest)> {
    let mut left: Vec<_> = items.iter().filter_map(|(key, value)| value.map(|value| (*key, value))).collect();
    if let Slot::Leaf { key, value } = slot
        && !items.iter().any(|(other, _)| other == key)
    {
        let at = left.partition_point(|(other, _)| other < key);
        left.insert(at, (*key, *value));
    }
    left
}

/// Walks from a root to a key's place and gathers the proof.
pub(crate) fn prove(source: &dyn Branches, root: Branch, key: &Digest) -> Result<StateProof, StateError> {
    let (mut path, mut branch) = (Path::root(), root);
    let mut siblings = Vec::new();
    let end = loop {
        branch.refresh();
        let version = match branch.descend(path.slot_of(key), &mut siblings) {
            Slot::Empty => break ProofEnd::Empty,
            Slot::Leaf { key: found, .. } if found == key => break ProofEnd::Found,
            Slot::Leaf { key, value } => break ProofEnd::Other { key: *key, value: *value },
            Slot::Inner { version, .. } => *version,
        };
        path = path.below(key);
        branch = source.branch(&path, version)?;
    };
    siblings.reverse();
    let siblings = siblings.into_iter().map(|hash| Some(hash).filter(|hash| *hash != EMPTY)).collect();
    Ok(StateProof { end, siblings })
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, collections::BTreeMap};

    use base_gm::sm3::sm3;
    use base_wire::Decode;

    use super::*;

    /// Rows in memory, and how many were read.
    #[derive(Default)]
    struct Rows {
        rows: BTreeMap<Vec<u8>, Vec<u8>>,
        reads: RefCell<usize>,
    }

    impl Branches for Rows {
        fn branch(&self, path: &Path, version: Height) -> Result<Branch, StateError> {
            *self.reads.borrow_mut() += 1;
            let row = self.rows.get(&path.row(version)).ok_or(StateError::Damaged("a node is missing"))?;
            Branch::from_wire(row).map_err(|_| StateError::Damaged("a node cannot be read"))
        }
    }

    fn items(version: Height, count: u64) -> Vec<Item> {
        let item = |i: u64| {
            let draw = sm3(&[version.to_be_bytes(), i.to_be_bytes()].concat());
            (sm3(&(u64::from(draw.0[0]) % 200).to_be_bytes()), (draw.0[1] % 3 != 0).then_some(draw))
        };
        (0..count).map(item).collect::<BTreeMap<_, _>>().into_iter().collect()
    }

    #[test]
    fn held_branches_spare_reads_and_change_no_row() {
        let (mut bare, mut warm) = (Rows::default(), Rows::default());
        let (mut cold_root, mut warm_root) = (Branch::default(), Branch::default());
        for version in 0..40 {
            let items = items(version, 30);
            // A cold root is read back, so that it holds nothing below it.
            let mut update = Update::new(&bare, version, 0);
            update.change(&mut cold_root, &Path::root(), &items).expect("applied");
            let cold_hash = update.write(&Path::root(), &mut cold_root);
            let cold = (update.written, update.replaced);
            cold_root = Branch::from_wire(&cold_root.to_wire()).expect("read");
            let mut update = Update::new(&warm, version, 9);
            update.change(&mut warm_root, &Path::root(), &items).expect("applied");
            let warm_hash = update.write(&Path::root(), &mut warm_root);
            let hot = (update.written, update.replaced);
            assert_eq!((cold_hash, &cold), (warm_hash, &hot), "version {version}");
            bare.rows.extend(cold.0);
            warm.rows.extend(hot.0);
        }
        assert_eq!(*warm.reads.borrow(), 0);
        assert!(*bare.reads.borrow() > 100);
    }

    #[test]
    fn what_a_version_replaces_is_no_longer_reached_from_its_root() {
        let mut rows = Rows::default();
        let mut root = Branch::default();
        for version in 0..40 {
            let mut update = Update::new(&rows, version, 0);
            update.change(&mut root, &Path::root(), &items(version, 30)).expect("applied");
            update.write(&Path::root(), &mut root);
            let (written, replaced) = (update.written, update.replaced);
            rows.rows.extend(written);
            for row in replaced {
                assert!(rows.rows.remove(&row).is_some(), "it was there once");
            }
            rows.rows.remove(&Path::root().row(version));
            let keys: Vec<Digest> = (0..200u64).map(|i| sm3(&i.to_be_bytes())).collect();
            assert!(keys.iter().all(|key| prove(&rows, root.clone(), key).is_ok()), "version {version}");
            let mut reached = 0;
            count(&rows, &root, &Path::root(), &mut reached);
            assert_eq!(reached, rows.rows.len(), "nothing else is left");
        }
    }

    fn count(rows: &Rows, branch: &Branch, path: &Path, reached: &mut usize) {
        for (at, slot) in branch.slots().iter().enumerate() {
            if let Slot::Inner { version, .. } = slot {
                *reached += 1;
                let path = path.child(at);
                count(rows, &rows.branch(&path, *version).expect("read"), &path, reached);
            }
        }
    }
}
