//! The state on storage: open, roots, and reads of any height with their proofs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base_gm::sm3::sm3;
use base_types::{Digest, Height};
use ledger_light::state::StateProof;
use ledger_store::Store;

use crate::{
    StateError,
    cache::Held,
    carry::Carrying,
    node::Branch,
    path::{Path, Row},
    rows::{
        CARRIED, HEIGHTS, HISTORY, LATEST, LAYOUT, LAYOUT_BEFORE, LAYOUT_NOW, META, NODES, OLD, OLDEST, ROOTS, STALE,
        UNFINISHED, history_key, read_digest, read_height, read_history, read_latest,
    },
    tree::{Branches, prove},
    values::Values,
};

/// The key that every version sets to its height, so that no two versions have one root.
pub const HEIGHT_KEY: &[u8] = b"height";

/// A key and its new value, `None` to remove it.
pub type Change = (Vec<u8>, Option<Vec<u8>>);

/// How many versions stay readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// All of them, from the first that this node has: an archive.
    All,
    /// The newest so many; at least one.
    Last(u64),
}

/// What an operator may choose; it can be another at every opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateOptions {
    /// How many versions [`State::prune`] leaves. A version that was pruned does not come back.
    pub history: Keep,
    /// Most bytes of memory that branches of the newest version's tree take between two blocks, the root's branch apart. A
    /// tree of a million keys is held as a whole in 140 MiB; of a larger one, what was changed last and its upper levels.
    /// Newest values take up to three quarters as much beside it, those that were read or written last: of a million small
    /// ones all.
    pub cache_bytes: usize,
}

impl Default for StateOptions {
    fn default() -> Self {
        Self { history: Keep::All, cache_bytes: 192 << 20 }
    }
}

/// The state; clones share its store and what it holds in memory.
#[derive(Clone)]
pub struct State {
    pub(crate) store: Store,
    pub(crate) options: StateOptions,
    pub(crate) held: Arc<Mutex<Held>>,
    pub(crate) carrying: Arc<Mutex<Carrying>>,
    values: Arc<Mutex<Values>>,
}

impl Branches for Store {
    /// A row never changes, is in `OLD` before it can go from `NODES`, and goes from `OLD` when no kept version needs it. So
    /// whoever looks first in the one and then in the other misses none, whatever is pruned between the two looks. Nobody
    /// asks `NODES` for a row before the mark: a table that was dropped may have held the newer of two rows of one key, of
    /// which the older belongs to a state that lay there before this one was taken over.
    fn nodes(&self, keys: &[Row]) -> Result<Vec<Option<Vec<u8>>>, StateError> {
        let carried = self.get(META, CARRIED)?.unwrap_or_default();
        let mut found: Vec<(&[u8], Option<Vec<u8>>)> = keys.iter().map(|key| (key.as_bytes(), None)).collect();
        look(self, NODES, &mut found, |key| key >= carried.as_slice())?;
        look(self, OLD, &mut found, |_| true)?;
        Ok(found.into_iter().map(|(_, row)| row).collect())
    }
}

/// Looks in a column for those rows that were not found yet and whose keys are `asked` for.
fn look(
    store: &Store,
    column: &'static str,
    found: &mut [(&[u8], Option<Vec<u8>>)],
    asked: impl Fn(&[u8]) -> bool,
) -> Result<(), StateError> {
    let missing: Vec<_> = found.iter_mut().filter(|one| one.1.is_none() && asked(one.0)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let keys: Vec<&[u8]> = missing.iter().map(|one| one.0).collect();
    let rows = store.get_many(column, &keys)?;
    for (one, row) in missing.into_iter().zip(rows) {
        one.1 = row;
    }
    Ok(())
}

/// The oldest height that a store keeps.
pub(crate) fn oldest(store: &Store) -> Result<Height, StateError> {
    store.get(META, OLDEST)?.map_or(Ok(0), |row| read_height(&row))
}

impl State {
    /// The columns that its store must have.
    pub const COLUMNS: [&str; 8] = [NODES, LATEST, HISTORY, STALE, ROOTS, HEIGHTS, META, OLD];

    /// The state in a store that was opened with [`State::COLUMNS`], with all its history.
    ///
    /// # Errors
    /// As [`State::open_with`].
    pub fn open(store: Store) -> Result<Self, StateError> {
        Self::open_with(store, StateOptions::default())
    }

    /// The state in a store that was opened with [`State::COLUMNS`].
    ///
    /// # Errors
    /// [`StateError::Unfinished`] when the taking over of a state was cut off, [`StateError::Layout`] when another
    /// release wrote it, other [`StateError`]s when the newest version cannot be read.
    pub fn open_with(store: Store, options: StateOptions) -> Result<Self, StateError> {
        if store.get(META, UNFINISHED)?.is_some() {
            return Err(StateError::Unfinished);
        }
        let values = Arc::new(Mutex::new(Values::new(options.cache_bytes / 4 * 3)));
        let state = Self { store, options, held: Arc::default(), carrying: Arc::default(), values };
        if let Some((height, _)) = state.latest()? {
            let layout = state.store.get(META, LAYOUT)?;
            if !layout.is_some_and(|layout| [LAYOUT_NOW, LAYOUT_BEFORE].contains(&layout.as_slice())) {
                return Err(StateError::Layout);
            }
            state.root_branch(height)?;
        }
        Ok(state)
    }

    /// The newest version and its root, `None` before the genesis state is written.
    ///
    /// # Errors
    /// [`StateError`] when storage fails.
    pub fn latest(&self) -> Result<Option<(Height, Digest)>, StateError> {
        let Some((height, root)) = self.store.last(ROOTS)? else { return Ok(None) };
        Ok(Some((read_height(&height)?, read_digest(&root)?)))
    }

    /// The oldest version that can be read, 0 before there is any.
    ///
    /// # Errors
    /// [`StateError`] when storage fails.
    pub fn oldest(&self) -> Result<Height, StateError> {
        oldest(&self.store)
    }

    /// The root of a version, also of one that was pruned.
    ///
    /// # Errors
    /// [`StateError::NoHeight`] without such a version, [`StateError::Pruned`] for one before this node's first.
    pub fn root_at(&self, height: Height) -> Result<Digest, StateError> {
        match self.store.get(ROOTS, &height.to_be_bytes())? {
            Some(root) => read_digest(&root),
            None if height < self.oldest()? => Err(StateError::Pruned(height)),
            None => Err(StateError::NoHeight(height)),
        }
    }

    /// The version of a root, also of one that was pruned.
    ///
    /// # Errors
    /// [`StateError`] when storage fails.
    pub fn root_height(&self, root: &Digest) -> Result<Option<Height>, StateError> {
        self.store.get(HEIGHTS, &root.0)?.map(|height| read_height(&height)).transpose()
    }

    pub(crate) fn root_branch(&self, height: Height) -> Result<Branch, StateError> {
        self.root_at(height)?;
        self.store.branch(&Path::root(), height)
    }

    /// What `read` finds in a version. Whether the version is kept is looked at afterwards, because it may be pruned
    /// while it is being read, and rows that are gone then would be taken for absent keys.
    pub(crate) fn kept<T>(
        &self,
        height: Height,
        read: impl FnOnce() -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        let found = read();
        if height < self.oldest()? { Err(StateError::Pruned(height)) } else { found }
    }

    /// The newest value of a key.
    ///
    /// # Errors
    /// [`StateError`] when storage fails.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        let row = self.store.get(LATEST, &sm3(key).0)?;
        let found = row.map(read_latest).transpose()?;
        Ok(found.map(|(_, value)| value))
    }

    /// As [`State::get`], for whoever makes the version that follows the newest, which is of this height and root: its values are
    /// partly held in memory.
    ///
    /// # Errors
    /// [`StateError`] when storage fails.
    pub fn get_to_follow(&self, newest: (Height, Digest), key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        let key = sm3(key);
        let held = self.values().get(newest, &key);
        if let Some(row) = held {
            return Ok(Some(read_latest(row)?.1));
        }
        let Some(row) = self.store.get(LATEST, &key.0)? else { return Ok(None) };
        self.values().note(newest, key, &row);
        Ok(Some(read_latest(row)?.1))
    }

    /// Forgets what is held in memory: storage has been cleared, to take another state over.
    pub fn forget(&self) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Held::default();
        *self.carrying.lock().unwrap_or_else(PoisonError::into_inner) = Carrying::default();
        self.values().clear();
    }

    pub(crate) fn values(&self) -> MutexGuard<'_, Values> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value that a key had after the block of a height; for a height to come, the newest.
    ///
    /// # Errors
    /// [`StateError::Pruned`] when the version is no longer kept.
    pub fn get_at(&self, height: Height, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        self.kept(height, || self.value_at(height, &sm3(key)))
    }

    /// As [`State::get_at`], of a key's hash and without looking whether the version is kept.
    ///
    /// A newest value that is old enough is the answer. Otherwise it is the youngest one of the history that is: an
    /// overwritten value lies there under the height at which it was written, and a removal leaves a row that says so.
    pub(crate) fn value_at(&self, height: Height, key: &Digest) -> Result<Option<Vec<u8>>, StateError> {
        if let Some(row) = self.store.get(LATEST, &key.0)? {
            let (written, value) = read_latest(row)?;
            if written <= height {
                return Ok(Some(value));
            }
        }
        let rows = self.store.rows(HISTORY, &key.0, &history_key(key, height), 1)?;
        rows.first().map_or(Ok(None), |(_, row)| read_history(row))
    }

    /// The proof of what a key held, or that it held nothing, after the block of a height.
    ///
    /// # Errors
    /// [`StateError::NoHeight`] without such a version, [`StateError::Pruned`] when it is no longer kept.
    pub fn proof_at(&self, height: Height, key: &[u8]) -> Result<StateProof, StateError> {
        self.kept(height, || prove(&self.store, self.root_branch(height)?, &sm3(key)))
    }
}
