//! The tree's two operations, free of storage's details: apply a block's changes, and walk to a key.

use std::ops::Range;

use base_types::{Digest, Height};
use base_wire::{Decode, Encode};
use ledger_light::state::{EMPTY, ProofEnd, StateProof};
use ledger_store::Batch;

use crate::{
    StateError,
    hashing::{Hasher, descend},
    node::{Branch, Slot},
    path::{DEEPEST, Path, Row},
    rows::NODES,
};

/// A tree that goes deeper than keys are long is none.
const TOO_DEEP: StateError = StateError::Damaged("a node lies too deep");

/// Reads branches that earlier versions wrote.
pub(crate) trait Branches {
    /// The rows of these keys, in their order.
    fn nodes(&self, keys: &[Row]) -> Result<Vec<Option<Vec<u8>>>, StateError>;

    /// The branches at these paths, written at these versions.
    fn branches(&self, places: &[(Path, Height)]) -> Result<Vec<Branch>, StateError> {
        if places.iter().any(|(path, _)| path.depth() > DEEPEST) {
            return Err(TOO_DEEP);
        }
        let keys: Vec<Row> = places.iter().map(|(path, version)| path.row(*version)).collect();
        let read = |row: Option<Vec<u8>>| {
            let row = row.ok_or(StateError::Damaged("a node is missing"))?;
            Branch::from_wire(&row).map_err(|_| StateError::Damaged("a node cannot be read"))
        };
        self.nodes(&keys)?.into_iter().map(read).collect()
    }

    /// The branch at a path, written at a version.
    fn branch(&self, path: &Path, version: Height) -> Result<Branch, StateError> {
        self.branches(&[(*path, version)])?.pop().ok_or(StateError::Damaged("a node is missing"))
    }
}

/// A key's hash and its new value's hash, `None` to remove it.
pub(crate) type Item = (Digest, Option<Digest>);

/// A branch that is being changed.
struct Open {
    branch: Box<Branch>,
    path: Path,
    /// Which of the level above it belongs to, and the slot there.
    above: usize,
    slot: usize,
    /// Which of the items lie below it.
    items: Range<usize>,
}

/// One version's update.
///
/// It goes down level by level and up again, so that what a level needs from `source` is read together and all of its
/// branches are hashed together.
pub(crate) struct Update<'a> {
    source: &'a dyn Branches,
    version: Height,
    /// Takes the rows of new branches.
    batch: &'a mut Batch,
    /// Bytes of the branches that stay in memory below their parents; `None` when none do.
    pub(crate) held: Option<usize>,
    /// Branches that this version replaces, and the versions that wrote them.
    pub(crate) replaced: Vec<(Path, Height)>,
    hasher: Hasher,
    row: Vec<u8>,
}

impl<'a> Update<'a> {
    pub(crate) fn new(source: &'a dyn Branches, version: Height, batch: &'a mut Batch, held: Option<usize>) -> Self {
        Self { source, version, batch, held, replaced: Vec::new(), hasher: Hasher::default(), row: Vec::new() }
    }

    /// Applies `items`, sorted by key without doubles, to the branch at `path` and puts the rows of all branches below it
    /// that are new into the batch; on an error none. The branch itself is not hashed and written yet.
    pub(crate) fn change(
        &mut self,
        branch: Box<Branch>,
        path: Path,
        items: &[Item],
    ) -> Result<Box<Branch>, StateError> {
        let mut level = vec![Open { branch, path, above: 0, slot: 0, items: 0..items.len() }];
        let mut above = Vec::new();
        loop {
            let below = self.open(&mut level, items)?;
            if below.is_empty() {
                break;
            }
            above.push(std::mem::replace(&mut level, below));
        }
        while let Some(mut higher) = above.pop() {
            self.close(level, &mut higher);
            level = higher;
        }
        Ok(level.pop().map_or_else(Box::default, |top| top.branch))
    }

    /// Changes a level's leaves and opens the branches below that change; those that are not held are read.
    fn open(&mut self, level: &mut [Open], items: &[Item]) -> Result<Vec<Open>, StateError> {
        let (mut below, mut away, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for (above, open) in level.iter_mut().enumerate() {
            let (path, mut end) = (open.path, open.items.start);
            let own = items.get(open.items.clone()).unwrap_or_default();
            for group in own.chunk_by(|a, b| path.slot_of(&a.0) == path.slot_of(&b.0)) {
                let Some((first, _)) = group.first() else { continue };
                let (slot, path, start) = (path.slot_of(first), path.below(first), end);
                end = start.saturating_add(group.len());
                if let Some(new) = settled(open.branch.slot(slot), group) {
                    open.branch.set(slot, new);
                    continue;
                }
                if path.depth() > DEEPEST {
                    return Err(TOO_DEEP);
                }
                let (branch, version) = self.begin(&mut open.branch, slot, &path);
                if let Some(version) = version {
                    away.push(below.len());
                    places.push((path, version));
                }
                below.push(Open { branch, path, above, slot, items: start..end });
            }
        }
        if !places.is_empty() {
            for (at, branch) in away.into_iter().zip(self.source.branches(&places)?) {
                if let Some(open) = below.get_mut(at) {
                    *open.branch = branch;
                }
            }
        }
        Ok(below)
    }

    /// The branch below a slot, its path being `path`; or an empty one, and the version at which that in its place must be
    /// read.
    fn begin(&mut self, higher: &mut Branch, slot: usize, path: &Path) -> (Box<Branch>, Option<Height>) {
        match higher.slot(slot) {
            Slot::Empty => (Box::default(), None),
            // The leaf goes down until the keys part.
            leaf @ Slot::Leaf { key, .. } => {
                let mut branch = Box::<Branch>::default();
                branch.set(path.slot_of(&key), leaf);
                (branch, None)
            }
            Slot::Inner { version, .. } => {
                self.replaced.push((*path, version));
                let Some(branch) = higher.take_below(slot) else { return (Box::default(), Some(version)) };
                self.held = self.held.map(|bytes| bytes.saturating_sub(branch.bytes()));
                (branch, None)
            }
        }
    }

    /// Hashes and writes a level's branches and puts them into the level above. One that holds one leaf or nothing dissolves
    /// into its parent, so that equal contents have equal shapes.
    fn close(&mut self, level: Vec<Open>, above: &mut [Open]) {
        let mut whole = Vec::with_capacity(level.len());
        for open in level {
            match open.branch.alone() {
                Some(slot) => {
                    if let Some(higher) = above.get_mut(open.above) {
                        higher.branch.set(open.slot, slot);
                    }
                }
                None => whole.push(open),
            }
        }
        let mut branches: Vec<&mut Branch> = whole.iter_mut().map(|open| &mut *open.branch).collect();
        let hashes = self.hasher.hash(&mut branches);
        for (open, hash) in whole.into_iter().zip(hashes) {
            self.write(&open.path, &open.branch);
            let Some(higher) = above.get_mut(open.above) else { continue };
            higher.branch.set(open.slot, Slot::Inner { hash, version: self.version });
            if let Some(bytes) = &mut self.held {
                *bytes = bytes.saturating_add(open.branch.bytes());
                higher.branch.hold_below(open.slot, open.branch);
            }
        }
    }

    /// The branch at `path` with these in its slots, whose rows are put into the batch. It is not hashed and written itself.
    pub(crate) fn gather(&mut self, path: Path, below: impl Iterator<Item = Branch>) -> Box<Branch> {
        let open =
            |(slot, branch)| Open { branch: Box::new(branch), path: path.child(slot), above: 0, slot, items: 0..0 };
        let level = below.enumerate().map(open).collect();
        let mut top = Open { branch: Box::default(), path, above: 0, slot: 0, items: 0..0 };
        self.close(level, std::slice::from_mut(&mut top));
        top.branch
    }

    /// Hashes the branch at `path`, puts its row into the batch and returns its hash.
    pub(crate) fn finish(&mut self, path: &Path, branch: &mut Branch) -> Digest {
        let hash = self.hasher.hash(&mut [&mut *branch]).pop().unwrap_or(EMPTY);
        self.write(path, branch);
        hash
    }

    fn write(&mut self, path: &Path, branch: &Branch) {
        self.row.clear();
        branch.encode(&mut self.row);
        self.batch.put(NODES, path.row(self.version).as_bytes(), &self.row);
    }
}

/// What comes of a slot without a branch by the items of its keys, unless several keys have to part below it.
fn settled(old: Slot, items: &[Item]) -> Option<Slot> {
    let [(key, new)] = items else { return None };
    match (old, new) {
        (Slot::Inner { .. }, _) => None,
        (Slot::Leaf { key: other, .. }, Some(_)) if other != *key => None,
        (Slot::Leaf { key: other, .. }, None) if other != *key => Some(old),
        (_, Some(value)) => Some(Slot::Leaf { key: *key, value: *value }),
        (_, None) => Some(Slot::Empty),
    }
}

/// Walks from a root to a key's place and gathers the proof.
pub(crate) fn prove(source: &dyn Branches, root: Branch, key: &Digest) -> Result<StateProof, StateError> {
    let (mut path, mut branch, mut hasher) = (Path::root(), root, Hasher::default());
    let mut siblings = Vec::new();
    let end = loop {
        let nodes = hasher.nodes(&branch);
        let version = match descend(&branch, &nodes, path.slot_of(key), &mut siblings) {
            Slot::Empty => break ProofEnd::Empty,
            Slot::Leaf { key: found, .. } if found == *key => break ProofEnd::Found,
            Slot::Leaf { key, value } => break ProofEnd::Other { key, value },
            Slot::Inner { version, .. } => version,
        };
        path = path.below(key);
        branch = source.branch(&path, version)?;
    };
    siblings.reverse();
    let siblings = siblings.into_iter().map(|hash| Some(hash).filter(|hash| *hash != EMPTY)).collect();
    Ok(StateProof { end, siblings })
}

#[cfg(test)]
pub(crate) mod tests;
