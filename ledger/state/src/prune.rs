//! Pruning: a bounded piece of it with each block, in the block's own batch, so that it can stop and go on anywhere.
//!
//! What a version replaced is needed by older versions only. Lists of it are worked off in the order of heights: values
//! are removed, and nodes that were carried over. All other nodes are left where they are: they go by whole tables, once
//! what of the rows before a key is still needed was carried over. A removal of each would cost as much as its row did, and
//! make tables that no longer follow one another, so that all of them have to be merged.

use std::sync::PoisonError;

use base_types::Height;
use base_wire::Encode;
use ledger_store::{Batch, Store};

use crate::{
    Keep, State, StateError,
    carry::{behind, farthest},
    rows::{
        CARRIED, HISTORY, LAYOUT, LAYOUT_NOW, META, NODES, OLD, OLDEST, STALE, Stale, WORKED, read_height, read_stale,
        stale_height,
    },
};

/// Lists of old rows that are read at once.
const PAGE: usize = 16;
/// Heights after which tables are dropped: a few blocks' rows are no table.
const DROP_EVERY: Height = 64;

/// How far pruning has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The oldest height that can be read.
    pub(crate) oldest: Height,
    /// The key of the list that was worked off last, empty before the first.
    pub(crate) worked: Vec<u8>,
    /// The key of a node: what of the rows before it is still needed was carried over.
    pub(crate) carried: Vec<u8>,
}

impl Progress {
    fn read(store: &Store) -> Result<Self, StateError> {
        let mut rows = store.get_many(META, &[OLDEST, WORKED, CARRIED])?.into_iter().map(Option::unwrap_or_default);
        let mut next = || rows.next().unwrap_or_default();
        let oldest = next();
        let oldest = if oldest.is_empty() { 0 } else { read_height(&oldest)? };
        Ok(Self { oldest, worked: next(), carried: next() })
    }

    /// Puts what has changed into the batch.
    fn write(&self, was: &Self, batch: &mut Batch) {
        if self == was {
            return;
        }
        if was.worked.is_empty() {
            // Until now the state may have been one of the layout before.
            batch.put(META, LAYOUT, LAYOUT_NOW);
        }
        batch.put(META, OLDEST, self.oldest.to_wire());
        batch.put(META, WORKED, &self.worked);
        batch.put(META, CARRIED, &self.carried);
    }

    /// The version that is being carried over; all before it were.
    pub(crate) fn carried_version(&self) -> Height {
        self.carried.first_chunk::<8>().map_or(0, |version| Height::from_be_bytes(*version))
    }

    /// Drops the tables that hold nothing but rows of versions that were carried over, and of lists about them.
    fn drop_tables(&self, store: &Store) -> Result<(), StateError> {
        let Some(last) = self.carried_version().checked_sub(1) else { return Ok(()) };
        // No key of that version is longer.
        let last = [&last.to_be_bytes()[..], &[0xffu8; 34]].concat();
        store.drop_tables(NODES, &last)?;
        store.drop_tables(STALE, &last)?;
        Ok(())
    }
}

impl State {
    /// Puts into `batch` the removal of what only versions before the kept ones need, some `upto_work` rows (a list of 256
    /// is not cut), and returns the oldest height that can be read once the batch is written. The newest version counts
    /// as it is in storage, so in one batch with [`State::apply`] one version more is kept. As many rows again are looked at,
    /// and some carried over, for those that go by whole tables: these go later, some hundred heights at most, and only
    /// once the batches that say so were written. Where very much waits, versions stay readable until these come after.
    ///
    /// The first removal for a height ends the readability of all before it.
    ///
    /// # Errors
    /// [`StateError`] when storage fails or a list cannot be read.
    pub fn prune(&self, upto_work: usize, batch: &mut Batch) -> Result<Height, StateError> {
        let was = Progress::read(&self.store)?;
        let (Keep::Last(heights), Some((latest, _))) = (self.options.history, self.latest()?) else {
            return Ok(was.oldest);
        };
        let first_kept = latest.saturating_add(1).saturating_sub(heights.max(1));
        let last = first_kept.min(farthest(was.carried_version(), heights)).max(was.oldest);
        let mut now = was.clone();
        self.work_off(&mut now, last, upto_work, batch)?;
        let mut carrying = self.carrying.lock().unwrap_or_else(PoisonError::into_inner);
        carrying.go_on(&self.store, &was, &mut now, heights, upto_work, batch)?;
        if was.carried_version() / DROP_EVERY != now.carried_version() / DROP_EVERY {
            // What storage says already: this batch may never be written.
            was.drop_tables(&self.store)?;
        }
        now.write(&was, batch);
        Ok(now.oldest)
    }

    /// Works off lists of heights up to `last`; the oldest height is `last` when none is left.
    fn work_off(
        &self,
        now: &mut Progress,
        last: Height,
        upto_work: usize,
        batch: &mut Batch,
    ) -> Result<(), StateError> {
        let (mut done, end) = (0usize, last.saturating_add(1).to_be_bytes());
        loop {
            // Lists of heights before the oldest were worked off.
            let from = if now.worked.is_empty() { now.oldest.to_be_bytes().to_vec() } else { behind(&now.worked) };
            // Past the cache: nobody else asks for them.
            let page = self.store.sift(STALE, &from, &end, PAGE, |_| true)?.rows;
            if page.is_empty() {
                now.oldest = last;
                return Ok(());
            }
            for (key, list) in page {
                if done >= upto_work {
                    return Ok(());
                }
                let stale = read_stale(&list)?;
                done = done.saturating_add(stale.len());
                for row in stale {
                    match row {
                        Stale::Node(row) if row < now.carried.as_slice() => batch.delete(OLD, row),
                        Stale::Node(_) => {}
                        Stale::Value(row) => batch.delete(HISTORY, row),
                    }
                }
                now.oldest = now.oldest.max(stale_height(&key)?);
                now.worked = key;
            }
        }
    }
}
