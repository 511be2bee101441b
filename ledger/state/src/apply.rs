//! Applying a block's changes in the block's own batch, over branches that are held in memory.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError},
};

use base_gm::sm3::sm3;
use base_types::{Digest, Height};
use base_wire::Encode;
use ledger_store::Batch;

use crate::{
    Change, HEIGHT_KEY, State, StateError,
    node::Branch,
    path::Path,
    rows::{
        HEIGHTS, HISTORY, LATEST, LAYOUT, LAYOUT_NOW, META, NODES, ROOTS, STALE, Stale, history_key, history_value,
        latest_value, read_latest, stale_rows,
    },
    tree::{Branches, Item, Update},
};

/// A version's tree as far as it is held in memory.
struct Version {
    height: Height,
    root: Digest,
    branch: Arc<Branch>,
}

/// What is held in memory between two blocks.
///
/// A batch that was filled may never be written, so its version stays apart until the next call finds it in storage. The
/// two share all branches that did not change, and neither is ever changed in place.
#[derive(Default)]
pub(crate) struct Held {
    /// The newest version that is known to be in storage.
    written: Option<Version>,
    /// The version of the last batch.
    pending: Option<Version>,
}

impl Held {
    /// Forgets every version but the newest of the storage.
    fn settle(&mut self, latest: Option<(Height, Digest)>) {
        let is_latest = |version: &Version| Some((version.height, version.root)) == latest;
        let (written, pending) = (self.written.take(), self.pending.take());
        self.written = pending.filter(is_latest).or(written.filter(is_latest));
    }
}

/// Levels of the tree, from the root, that hold no more than so many branches.
fn levels(branches: usize) -> u8 {
    let (mut levels, mut width, mut left) = (0u8, 1usize, branches);
    while let Some(rest) = left.checked_sub(width) {
        (levels, left) = (levels.saturating_add(1), rest);
        width = width.saturating_mul(16);
    }
    levels
}

/// A key whose value a block changes.
struct Changed {
    key: Digest,
    /// Height at which the value before was written, and the value.
    old: Option<(Height, Vec<u8>)>,
    new: Option<Vec<u8>>,
}

impl State {
    /// Puts the version `height` into `batch` and returns its root; nothing is visible until the batch is written.
    /// Of several changes to one key the last one holds. A batch that is not written may be followed by another for the
    /// same height.
    ///
    /// # Errors
    /// [`StateError::Order`] unless `height` follows the newest version (0 when there is none).
    pub fn apply(&self, height: Height, changes: Vec<Change>, batch: &mut Batch) -> Result<Digest, StateError> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let latest = self.latest()?;
        if latest.map_or(0, |(latest, _)| latest.saturating_add(1)) != height {
            return Err(StateError::Order { given: height });
        }
        held.settle(latest);
        let mut branch = match (&held.written, latest) {
            (Some(version), _) => Branch::clone(&version.branch),
            (None, Some((latest, _))) => self.store.branch(&Path::root(), latest)?,
            (None, None) => Branch::default(),
        };
        let changed = self.changed(height, changes)?;
        let items: Vec<Item> = changed.iter().map(|one| (one.key, one.new.as_deref().map(sm3))).collect();
        let mut update = Update::new(&self.store, height, levels(self.options.cache_branches));
        update.change(&mut branch, &Path::root(), &items)?;
        let root = update.write(&Path::root(), &mut branch);
        let (written, mut replaced) = (update.written, update.replaced);
        replaced.extend(latest.map(|(latest, _)| Path::root().row(latest)));
        for (row, node) in written {
            batch.put(NODES, row, node);
        }
        let mut stale: Vec<Stale> = replaced.into_iter().map(Stale::Node).collect();
        put_values(height, changed, &mut stale, batch);
        for (key, list) in stale_rows(height, &stale) {
            batch.put(STALE, key, list);
        }
        batch.put(ROOTS, height.to_be_bytes(), root.to_wire());
        batch.put(HEIGHTS, root.0, height.to_wire());
        if latest.is_none() {
            batch.put(META, LAYOUT, LAYOUT_NOW);
        }
        held.pending = Some(Version { height, root, branch: Arc::new(branch) });
        Ok(root)
    }

    /// The keys whose values really change, by hash, each once.
    fn changed(&self, height: Height, changes: Vec<Change>) -> Result<Vec<Changed>, StateError> {
        let own = (HEIGHT_KEY.to_vec(), Some(height.to_wire()));
        let news: BTreeMap<Digest, Option<Vec<u8>>> =
            changes.into_iter().chain([own]).map(|(key, value)| (sm3(&key), value)).collect();
        let keys: Vec<&[u8]> = news.keys().map(|key| &key.0[..]).collect();
        let olds = self.store.get_many(LATEST, &keys)?;
        let mut changed = Vec::with_capacity(news.len());
        for ((key, new), old) in news.into_iter().zip(olds) {
            let old = old.map(read_latest).transpose()?;
            if old.as_ref().map(|(_, value)| value) != new.as_ref() {
                changed.push(Changed { key, old, new });
            }
        }
        Ok(changed)
    }
}

/// Puts new values in the place of old ones, and old ones into the history.
///
/// All that this version makes superfluous for itself and its successors goes to `stale`, the rows that say 'removed'
/// last: while an older value is still there, they keep it from being taken for the key's value after the removal.
fn put_values(height: Height, changed: Vec<Changed>, stale: &mut Vec<Stale>, batch: &mut Batch) {
    let mut removals = Vec::new();
    for Changed { key, old, new } in changed {
        if let Some((written, value)) = old {
            let row = history_key(&key, written);
            batch.put(HISTORY, row.clone(), history_value(Some(&value)));
            stale.push(Stale::Value(row));
        }
        match new {
            Some(value) => batch.put(LATEST, key.0, latest_value(height, &value)),
            None => {
                batch.delete(LATEST, key.0);
                let row = history_key(&key, height);
                batch.put(HISTORY, row.clone(), history_value(None));
                removals.push(Stale::Value(row));
            }
        }
    }
    stale.append(&mut removals);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_levels_are_held_and_no_more_branches_than_allowed() {
        let held: Vec<u8> = [0, 1, 16, 17, 272, 273, 69_904, 69_905, 70_000].map(levels).to_vec();
        assert_eq!(held, [0, 1, 1, 2, 2, 3, 4, 5, 5]);
        assert!(levels(usize::MAX) > 14);
    }
}
