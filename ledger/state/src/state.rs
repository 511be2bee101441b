//! The state on storage: apply a block's changes in the block's own batch, read any height, prove.

use std::collections::BTreeMap;

use base_gm::sm3::sm3;
use base_types::{Digest, Height};
use base_wire::{Decode, Encode};
use ledger_light::state::StateProof;
use ledger_store::{Batch, Store, StoreError};
use thiserror::Error;

use crate::{
    node::{Branch, Path, fold},
    tree::{Branches, Item, Update, prove},
};

const NODES: &str = "state-nodes";
const VALUES: &str = "state-values";
const ROOTS: &str = "state-roots";
const HEIGHTS: &str = "state-heights";

/// The key that every version sets to its height, so that no two versions have one root.
pub const HEIGHT_KEY: &[u8] = b"height";

/// A key and its new value, `None` to remove it.
pub type Change = (Vec<u8>, Option<Vec<u8>>);

/// Why the state did not answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StateError {
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A row is missing or cannot be read.
    #[error("the state is damaged: {0}")]
    Damaged(&'static str),
    /// A version was applied out of order.
    #[error("height {given} cannot follow the state's height")]
    Order {
        /// The height given.
        given: Height,
    },
    /// There is no such version.
    #[error("the state has no height {0}")]
    NoHeight(Height),
}

/// The state; clones share its store.
#[derive(Clone)]
pub struct State {
    store: Store,
}

impl Branches for Store {
    fn branch(&self, path: &Path, version: Height) -> Result<Branch, StateError> {
        let row = self.get(NODES, &path.row(version))?.ok_or(StateError::Damaged("a node is missing"))?;
        Branch::from_wire(&row).map_err(|_| StateError::Damaged("a node cannot be read"))
    }
}

/// Values lie newest first under their key's hash.
fn value_row(key: &Digest, height: Height) -> Vec<u8> {
    [&key.0[..], &(!height).to_be_bytes()].concat()
}

impl State {
    /// The columns that its store must have.
    pub const COLUMNS: [&str; 4] = [NODES, VALUES, ROOTS, HEIGHTS];

    /// The state in a store that was opened with [`State::COLUMNS`].
    ///
    /// # Errors
    /// [`StateError`] when the newest version cannot be read.
    pub fn open(store: Store) -> Result<Self, StateError> {
        let state = Self { store };
        if let Some((height, _)) = state.latest()? {
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
        let damaged = |_| StateError::Damaged("a root cannot be read");
        Ok(Some((Height::from_wire(&height).map_err(damaged)?, Digest::from_wire(&root).map_err(damaged)?)))
    }

    /// The root of a version.
    ///
    /// # Errors
    /// [`StateError::NoHeight`] without such a version.
    pub fn root_at(&self, height: Height) -> Result<Digest, StateError> {
        let root = self.store.get(ROOTS, &height.to_be_bytes())?.ok_or(StateError::NoHeight(height))?;
        Digest::from_wire(&root).map_err(|_| StateError::Damaged("a root cannot be read"))
    }

    /// The version of a root.
    ///
    /// # Errors
    /// [`StateError`] when storage fails.
    pub fn root_height(&self, root: &Digest) -> Result<Option<Height>, StateError> {
        let Some(height) = self.store.get(HEIGHTS, &root.0)? else { return Ok(None) };
        Height::from_wire(&height).map(Some).map_err(|_| StateError::Damaged("a height cannot be read"))
    }

    fn root_branch(&self, height: Height) -> Result<Branch, StateError> {
        self.root_at(height)?;
        self.store.branch(&Path::root(), height)
    }

    /// Puts the version `height` into `batch` and returns its root; nothing is visible until the batch is written.
    /// Of several changes to one key the last one holds.
    ///
    /// # Errors
    /// [`StateError::Order`] unless `height` follows the newest version (0 when there is none).
    pub fn apply(&self, height: Height, changes: Vec<Change>, batch: &mut Batch) -> Result<Digest, StateError> {
        let latest = self.latest()?.map(|(height, _)| height);
        if latest.map_or(0, |latest| latest.saturating_add(1)) != height {
            return Err(StateError::Order { given: height });
        }
        let old = latest.map(|latest| self.root_branch(latest)).transpose()?.unwrap_or_default();
        let own = (HEIGHT_KEY.to_vec(), Some(height.to_wire()));
        let changes: BTreeMap<Digest, Option<Vec<u8>>> =
            changes.into_iter().chain([own]).map(|(key, value)| (sm3(&key), value)).collect();
        let items: Vec<Item> = changes.iter().map(|(key, value)| (*key, value.as_deref().map(sm3))).collect();
        let mut update = Update { source: &self.store, version: height, written: Vec::new() };
        let root = fold(&update.apply(old, &items)?.0);
        for (path, branch) in update.written {
            batch.put(NODES, path.row(height), branch.to_wire());
        }
        for (key, value) in changes {
            batch.put(VALUES, value_row(&key, height), value.to_wire());
        }
        batch.put(ROOTS, height.to_be_bytes(), root.to_wire());
        batch.put(HEIGHTS, root.0, height.to_wire());
        Ok(root)
    }

    /// The newest value of a key.
    ///
    /// # Errors
    /// [`StateError`] when storage fails.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        self.get_at(Height::MAX, key)
    }

    /// The value that a key had after the block of a height.
    ///
    /// # Errors
    /// [`StateError`] when storage fails.
    pub fn get_at(&self, height: Height, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        let key = sm3(key);
        let rows = self.store.rows(VALUES, &key.0, &value_row(&key, height), 1)?;
        let Some((_, row)) = rows.into_iter().next() else { return Ok(None) };
        Option::<Vec<u8>>::from_wire(&row).map_err(|_| StateError::Damaged("a value cannot be read"))
    }

    /// The proof of what a key held, or that it held nothing, after the block of a height.
    ///
    /// # Errors
    /// [`StateError::NoHeight`] without such a version.
    pub fn proof_at(&self, height: Height, key: &[u8]) -> Result<StateProof, StateError> {
        prove(&self.store, self.root_branch(height)?, &sm3(key))
    }
}
