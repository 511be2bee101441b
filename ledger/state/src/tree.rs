//! The tree's two operations, free of storage's details: apply a block's changes, and walk to a key.

use base_types::{Digest, Height};
use ledger_light::state::{EMPTY, ProofEnd, StateProof};

use crate::{
    node::{Branch, Path, Slot, fold, only},
    state::StateError,
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
    pub(crate) source: &'a dyn Branches,
    pub(crate) version: Height,
    pub(crate) written: Vec<(Path, Branch)>,
}

impl Update<'_> {
    /// Applies `items`, sorted by key without doubles, to the tree below `root`; returns the new root branch.
    pub(crate) fn apply(&mut self, root: Branch, items: &[Item]) -> Result<Branch, StateError> {
        let path = Path::root();
        let root = self.change(root, &path, items)?;
        self.written.push((path, root.clone()));
        Ok(root)
    }

    fn change(&mut self, mut branch: Branch, path: &Path, items: &[Item]) -> Result<Branch, StateError> {
        for group in items.chunk_by(|a, b| path.slot_of(&a.0) == path.slot_of(&b.0)) {
            let Some((first, _)) = group.first() else { continue };
            if let Some(slot) = branch.0.get_mut(path.slot_of(first)) {
                *slot = self.merge(std::mem::take(slot), &path.below(first), group)?;
            }
        }
        Ok(branch)
    }

    fn merge(&mut self, slot: Slot, path: &Path, items: &[Item]) -> Result<Slot, StateError> {
        let branch = match &slot {
            Slot::Inner { version, .. } => {
                let old = self.source.branch(path, *version)?;
                let new = self.change(old.clone(), path, items)?;
                if old == new {
                    return Ok(slot);
                }
                new
            }
            Slot::Empty | Slot::Leaf { .. } => {
                let left = overlay(&slot, items);
                if let [] | [_] = left.as_slice() {
                    return Ok(left.first().map_or(Slot::Empty, |&(key, value)| Slot::Leaf { key, value }));
                }
                let left: Vec<Item> = left.into_iter().map(|(key, value)| (key, Some(value))).collect();
                self.change(Branch::default(), path, &left)?
            }
        };
        Ok(self.close(path, branch))
    }

    /// A branch that holds one leaf or nothing dissolves into its parent, so that equal contents have equal shapes.
    fn close(&mut self, path: &Path, branch: Branch) -> Slot {
        match only(&branch.0) {
            Some(leaf @ Slot::Leaf { .. }) => leaf.clone(),
            None if fold(&branch.0) == EMPTY => Slot::Empty,
            _ => {
                let hash = fold(&branch.0);
                self.written.push((path.clone(), branch));
                Slot::Inner { hash, version: self.version }
            }
        }
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
        match descend(&branch, path.slot_of(key), &mut siblings) {
            Slot::Empty => break ProofEnd::Empty,
            Slot::Leaf { key: found, .. } if found == key => break ProofEnd::Found,
            Slot::Leaf { key, value } => break ProofEnd::Other { key: *key, value: *value },
            Slot::Inner { version, .. } => {
                let version = *version;
                path = path.below(key);
                branch = source.branch(&path, version)?;
            }
        }
    };
    siblings.reverse();
    let siblings = siblings.into_iter().map(|hash| Some(hash).filter(|hash| *hash != EMPTY)).collect();
    Ok(StateProof { end, siblings })
}

/// Goes down a branch's four levels towards slot `to`, as far as there are several keys.
fn descend<'a>(branch: &'a Branch, to: usize, siblings: &mut Vec<Digest>) -> &'a Slot {
    const NOTHING: &Slot = &Slot::Empty;
    let (mut range, mut at) = (&branch.0[..], to);
    loop {
        match (range, only(range)) {
            ([slot], _) | (_, Some(slot @ Slot::Leaf { .. })) => return slot,
            _ if fold(range) == EMPTY => return NOTHING,
            _ => {}
        }
        let (left, right) = range.split_at(range.len() / 2);
        if at < left.len() {
            siblings.push(fold(right));
            range = left;
        } else {
            siblings.push(fold(left));
            at -= left.len();
            range = right;
        }
    }
}
