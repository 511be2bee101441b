//! Pruning: a bounded piece of it with each block, in the block's own batch, so that it can stop and go on anywhere.

use base_types::Height;
use base_wire::Encode;
use ledger_store::Batch;

use crate::{
    Keep, State, StateError,
    rows::{HISTORY, META, NODES, OLDEST, STALE, Stale, read_stale, stale_height},
};

/// Lists of old rows that are read at once.
const PAGE: usize = 8;

impl State {
    /// Puts into `batch` the removal of what only versions before the kept ones need, some `upto_work` rows (a list of 256
    /// is not cut), and returns the oldest height that can be read once the batch is written. The newest version counts
    /// as it is in storage, so in one batch with [`State::apply`] one version more is kept.
    ///
    /// What a version replaced is needed by older versions only. Lists of it are worked off in the order of heights, and
    /// the first removal for a height ends the readability of all before it.
    ///
    /// # Errors
    /// [`StateError`] when storage fails or a list cannot be read.
    pub fn prune(&self, upto_work: usize, batch: &mut Batch) -> Result<Height, StateError> {
        let oldest = self.oldest()?;
        let (Keep::Last(heights), Some((latest, _))) = (self.options.history, self.latest()?) else {
            return Ok(oldest);
        };
        let first_kept = latest.saturating_add(1).saturating_sub(heights.max(1)).max(oldest);
        let reached = self.work_off(oldest, first_kept, upto_work, batch)?;
        if reached > oldest {
            batch.put(META, OLDEST, reached.to_wire());
        }
        Ok(reached)
    }

    /// Works off lists of heights up to `last`; returns the height that was reached, `last` when none is left.
    fn work_off(
        &self,
        oldest: Height,
        last: Height,
        upto_work: usize,
        batch: &mut Batch,
    ) -> Result<Height, StateError> {
        let (mut reached, mut done) = (oldest, 0usize);
        // Lists of heights before the oldest are gone; to look from there spares the scan over their removals.
        let mut from = oldest.to_be_bytes().to_vec();
        loop {
            let page = self.store.rows(STALE, &[], &from, PAGE)?;
            if page.is_empty() {
                return Ok(last);
            }
            for (key, list) in page {
                let height = stale_height(&key)?;
                if height > last {
                    return Ok(last);
                }
                if done >= upto_work {
                    return Ok(reached);
                }
                let stale = read_stale(&list)?;
                done = done.saturating_add(stale.len());
                for row in stale {
                    match row {
                        Stale::Node(row) => batch.delete(NODES, row),
                        Stale::Value(row) => batch.delete(HISTORY, row),
                    }
                }
                reached = reached.max(height);
                from.clone_from(&key);
                from.push(0);
                batch.delete(STALE, key);
            }
        }
    }
}
