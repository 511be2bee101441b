//! Giving a kept version away in parts that can be checked.

use base_types::{Digest, Height};

use crate::{
    Leaf, Part, Spine, SpineEntry, State, StateError,
    node::{Branch, Slot, WIDTH},
    path::Path,
    tree::Branches,
};

/// Gathers leaves behind a key until their bytes are enough.
struct Gather<'a> {
    state: &'a State,
    height: Height,
    after: Option<Digest>,
    /// Bytes that may still come; the first leaf always may.
    left: usize,
    leaves: Vec<Leaf>,
}

fn entry(slot: Slot) -> SpineEntry {
    match slot {
        Slot::Empty => SpineEntry::Empty,
        Slot::Leaf { key, value } => SpineEntry::Leaf { key, value },
        Slot::Inner { hash, .. } => SpineEntry::Inner(hash),
    }
}

impl State {
    /// The upper levels of a version.
    ///
    /// # Errors
    /// [`StateError::NoHeight`] without such a version, [`StateError::Pruned`] when it is no longer kept.
    pub fn spine(&self, height: Height) -> Result<Spine, StateError> {
        self.kept(height, || {
            let root = self.root_branch(height)?;
            let mut entries = Vec::with_capacity(WIDTH * WIDTH);
            for (at, slot) in root.slots().enumerate() {
                let below = self.second(slot, &Path::root().child(at))?;
                entries.extend(below.slots().map(entry));
            }
            Ok(Spine::new(entries))
        })
    }

    /// The branch that stands, or would stand, in a slot of the root.
    fn second(&self, slot: Slot, path: &Path) -> Result<Branch, StateError> {
        let mut branch = Branch::default();
        match slot {
            Slot::Empty => {}
            Slot::Leaf { key, .. } => branch.set(path.slot_of(&key), slot),
            Slot::Inner { version, .. } => branch = self.store.branch(path, version)?,
        }
        Ok(branch)
    }

    /// Leaves of part `index` of a version: those behind the key `after`, or from the first on, at least one if there is
    /// any, and not above `max_bytes` bytes of keys and values otherwise.
    ///
    /// # Errors
    /// [`StateError::NoHeight`] without such a version, [`StateError::Pruned`] when it is no longer kept.
    pub fn part(&self, height: Height, index: u8, after: Option<Digest>, max_bytes: usize) -> Result<Part, StateError> {
        self.kept(height, || {
            let (high, low) = (usize::from(index >> 4), usize::from(index & 0x0f));
            let root = self.root_branch(height)?;
            let path = Path::root().child(high);
            let mut gather = Gather { state: self, height, after, left: max_bytes, leaves: Vec::new() };
            let second = self.second(root.slot(high), &path)?;
            let all = gather.below(second.slot(low), &path.child(low))?;
            Ok(Part { leaves: gather.leaves, more: !all })
        })
    }
}

impl Gather<'_> {
    /// Gathers what stands in a slot, `path` being that of a branch there; false when not all found room.
    fn below(&mut self, slot: Slot, path: &Path) -> Result<bool, StateError> {
        match slot {
            Slot::Empty => Ok(true),
            Slot::Leaf { key, .. } => self.leaf(&key),
            Slot::Inner { .. } if self.after.is_some_and(|after| path.ends_before(&after)) => Ok(true),
            Slot::Inner { version, .. } => {
                let branch = self.state.store.branch(path, version)?;
                for (at, slot) in branch.slots().enumerate() {
                    if !self.below(slot, &path.child(at))? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }

    fn leaf(&mut self, key: &Digest) -> Result<bool, StateError> {
        if self.after.is_some_and(|after| *key <= after) {
            return Ok(true);
        }
        let value = self.state.value_at(self.height, key)?.ok_or(StateError::Damaged("a value is missing"))?;
        let bytes = value.len().saturating_add(key.0.len());
        if !self.leaves.is_empty() && bytes > self.left {
            return Ok(false);
        }
        self.left = self.left.saturating_sub(bytes);
        self.leaves.push((*key, value));
        Ok(true)
    }
}
