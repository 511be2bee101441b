//! Applying a block's changes in the block's own batch, over branches that are held in memory.

use std::{collections::BTreeMap, sync::PoisonError};

use base_gm::sm3::Many;
use base_types::{Digest, Height};
use base_wire::Encode;
use ledger_store::Batch;

use crate::{
    Change, HEIGHT_KEY, State, StateError,
    cache::Tree,
    path::Path,
    rows::{
        HEIGHTS, HISTORY, LATEST, LAYOUT, LAYOUT_NOW, META, ROOTS, Stale, StaleLists, history_key, history_value,
        latest_value, read_latest, value_of_latest,
    },
    tree::{Branches, Item, Update},
};

/// A key whose value a block changes.
struct Changed {
    key: Digest,
    /// Height at which the value before was written, and the value.
    old: Option<(Height, Vec<u8>)>,
    /// The new value's row.
    new: Option<Vec<u8>>,
}

impl Changed {
    /// The new value itself.
    fn value(&self) -> Option<&[u8]> {
        self.new.as_deref().map(value_of_latest)
    }
}

impl State {
    /// Puts the version `height` into `batch` and returns its root; nothing is visible until the batch is written.
    /// Of several changes to one key the last one holds. A batch that is not written may be followed by another for the
    /// same height, for which the tree is read from storage again. On an error the batch must not be written.
    ///
    /// # Errors
    /// [`StateError::Order`] unless `height` follows the newest version (0 when there is none).
    pub fn apply(&self, height: Height, changes: Vec<Change>, batch: &mut Batch) -> Result<Digest, StateError> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let latest = self.latest()?;
        if latest.map_or(0, |(latest, _)| latest.saturating_add(1)) != height {
            return Err(StateError::Order { given: height });
        }
        // Changed in place: after an error nothing is held.
        let Tree { root: branch, bytes } = match (held.take(latest), latest) {
            (Some(tree), _) => tree,
            (None, Some((latest, _))) => Tree { root: Box::new(self.store.branch(&Path::root(), latest)?), bytes: 0 },
            (None, None) => Tree::default(),
        };
        let changed = self.changed(latest, height, changes)?;
        let mut update = Update::new(&self.store, height, batch, Some(bytes));
        let mut branch = update.change(branch, Path::root(), &items(&changed))?;
        let root = update.finish(&Path::root(), &mut branch);
        let (mut replaced, bytes) = (update.replaced, update.held.unwrap_or_default());
        held.keep(height, root, Tree { root: branch, bytes }, self.options.cache_bytes);
        // In the order of the tree, and the root's last.
        replaced.sort();
        replaced.extend(latest.map(|(latest, _)| (Path::root(), latest)));
        let mut stale = StaleLists::new(height);
        for (path, version) in replaced {
            stale.add(Stale::Node(path.row(version).as_bytes()), batch);
        }
        let rows = changed.iter().map(|one| (one.key, one.new.as_deref()));
        self.values().follow(latest, (height, root), rows);
        put_values(height, changed, &mut stale, batch);
        stale.end(batch);
        batch.put(ROOTS, height.to_be_bytes(), root.to_wire());
        batch.put(HEIGHTS, root.0, height.to_wire());
        if latest.is_none() {
            batch.put(META, LAYOUT, LAYOUT_NOW);
        }
        Ok(root)
    }

    /// The keys whose values really change, by hash, each once.
    fn changed(
        &self,
        latest: Option<(Height, Digest)>,
        height: Height,
        mut changes: Vec<Change>,
    ) -> Result<Vec<Changed>, StateError> {
        changes.push((HEIGHT_KEY.to_vec(), Some(height.to_wire())));
        let mut many = Many::new();
        changes.iter().for_each(|(key, _)| many.plain(&[key]));
        let news: BTreeMap<Digest, Option<Vec<u8>>> =
            many.digests().into_iter().zip(changes).map(|(key, (_, value))| (key, value)).collect();
        let keys: Vec<Digest> = news.keys().copied().collect();
        let olds = self.rows_before(latest, &keys)?;
        let mut changed = Vec::with_capacity(news.len());
        for ((key, new), old) in news.into_iter().zip(olds) {
            let old = old.map(read_latest).transpose()?;
            if old.as_ref().map(|(_, value)| value) != new.as_ref() {
                changed.push(Changed { key, old, new: new.map(|value| latest_value(height, &value)) });
            }
        }
        Ok(changed)
    }

    /// The rows of newest values before a block changes them: most were read while it was executed.
    fn rows_before(
        &self,
        latest: Option<(Height, Digest)>,
        keys: &[Digest],
    ) -> Result<Vec<Option<Vec<u8>>>, StateError> {
        let mut values = self.values();
        let mut rows: Vec<_> = keys.iter().map(|key| latest.and_then(|latest| values.get(latest, key))).collect();
        drop(values);
        let missing: Vec<(&Digest, &mut Option<Vec<u8>>)> =
            keys.iter().zip(&mut rows).filter(|(_, row)| row.is_none()).collect();
        let asked: Vec<&[u8]> = missing.iter().map(|(key, _)| &key.0[..]).collect();
        let stored = self.store.get_many(LATEST, &asked)?;
        for ((_, row), stored) in missing.into_iter().zip(stored) {
            *row = stored;
        }
        Ok(rows)
    }
}

/// The hashes of the keys and of their new values.
fn items(changed: &[Changed]) -> Vec<Item> {
    let mut many = Many::new();
    changed.iter().filter_map(Changed::value).for_each(|value| many.plain(&[value]));
    let mut values = many.digests().into_iter();
    changed.iter().map(|one| (one.key, one.new.as_ref().and_then(|_| values.next()))).collect()
}

/// Puts new values in the place of old ones, and old ones into the history.
///
/// All that this version makes superfluous for itself and its successors goes to `stale`, the rows that say 'removed'
/// last: while an older value is still there, they keep it from being taken for the key's value after the removal.
fn put_values(height: Height, changed: Vec<Changed>, stale: &mut StaleLists, batch: &mut Batch) {
    let mut removals = Vec::new();
    for Changed { key, old, new } in changed {
        if let Some((written, value)) = old {
            let row = history_key(&key, written);
            batch.put(HISTORY, row, history_value(Some(&value)));
            stale.add(Stale::Value(&row), batch);
        }
        match new {
            Some(row) => batch.put(LATEST, key.0, row),
            None => {
                batch.delete(LATEST, key.0);
                let row = history_key(&key, height);
                batch.put(HISTORY, row, history_value(None));
                removals.push(row);
            }
        }
    }
    for row in &removals {
        stale.add(Stale::Value(row), batch);
    }
}
