//! Carrying over: before old rows of the tree go by whole tables, those that a kept version still needs go to a second column.
//!
//! A stretch of rows is settled at once. The lists of old rows say which of them nobody needs; these are gathered first,
//! as many as memory may take, and the stretch ends where they end. Then the stretch is read in the order of its keys, and
//! what is not among them is carried over. Both go on piece by piece with the blocks; after a new start the stretch begins
//! again where its rows begin that were not carried over yet.

mod dead;

use base_types::Height;
use ledger_store::{Batch, Store};

use crate::{
    StateError,
    prune::Progress,
    rows::{NODES, OLD, STALE, Stale, read_stale, stale_height},
};
use dead::Dead;

/// Rows without use that a stretch holds in memory at most: some 20 MiB.
const MOST: usize = if cfg!(test) { 40 } else { 1 << 20 };
/// Lists, and rows of the tree, that are read at once.
const LISTS: usize = 16;
const ROWS: usize = 2048;
/// Versions of the tree that are read at once: before them may lie as many rows' removals, which nobody counts.
const STRIDE: Height = 64;

/// What a row costs that is carried over, a list, and a version, where a row that is looked at costs 1: about 1 µs.
const CARRIED_COST: usize = 3;
const LIST_COST: usize = 8;
/// How many rows without use are gathered for a cost of 1: each is copied and put into its place.
const GATHERED: usize = 4;
const VERSION_COST: usize = 512;

/// A share of the kept versions by which a version is past them before its rows are carried over: most of its rows are
/// replaced by then. At most [`MAX_LAG`] heights, since all of them lie on the disk.
const LAG_SHARE: Height = 4;
const MAX_LAG: Height = 256;
/// Heights by which lists are worked off, at most, before versions that are due are carried over. A stretch reads all lists
/// from its first version on: were they ever more, each stretch would take longer than the one before, and what a node has
/// not pruned for long would never go.
const MAX_AHEAD: Height = 128;
/// A share of the kept versions after which a stretch begins, so that the lists are read few times. At most [`MAX_ERA`].
const ERA_SHARE: Height = 16;
const MAX_ERA: Height = 64;

/// The stretch being settled.
struct Stretch {
    /// The key that ends it.
    end: Vec<u8>,
    /// Its rows that no kept version needs.
    dead: Dead,
    /// The key of the list to go on from.
    from: Vec<u8>,
}

/// What is held in memory between two blocks: the stretch, as of the last batch.
///
/// The batch may never be written; then storage has come less far, and the stretch is begun again.
#[derive(Default)]
pub(crate) struct Carrying {
    said: Option<Progress>,
    stretch: Option<Stretch>,
}

impl Carrying {
    /// Carries a piece over, when so many heights are kept. `was` is what storage says, `now` what the batch will.
    pub(crate) fn go_on(
        &mut self,
        store: &Store,
        was: &Progress,
        now: &mut Progress,
        heights: Height,
        upto_work: usize,
        batch: &mut Batch,
    ) -> Result<(), StateError> {
        let known = self.said.take().is_some_and(|said| said == *was);
        let mut stretch = self.stretch.take().filter(|_| known);
        let era = (heights / ERA_SHARE).clamp(1, MAX_ERA);
        let due = now.oldest.saturating_sub(lag(heights));
        let work = work(due.saturating_sub(now.carried_version()) / era, upto_work);
        let (mut lists, mut rows) = (work, work);
        loop {
            if stretch.is_none() && due.saturating_sub(now.carried_version()) >= era {
                stretch = Some(Stretch::new(now, due));
            }
            let Some(open) = &mut stretch else { break };
            if !open.gather(store, now, &mut lists)? || !open.carry(store, now, &mut rows, batch)? {
                break;
            }
            stretch = None;
        }
        (self.said, self.stretch) = (Some(now.clone()), stretch);
        Ok(())
    }
}

/// By how many heights a version is past the kept ones before its rows are carried over.
fn lag(heights: Height) -> Height {
    (heights / LAG_SHARE).min(MAX_LAG)
}

/// The last height whose lists may be worked off while this version is being carried over.
pub(crate) fn farthest(carried: Height, heights: Height) -> Height {
    carried.saturating_add(lag(heights)).saturating_add(MAX_AHEAD)
}

/// A block's share of the work: a quarter of what it may do at most, and more when eras wait.
fn work(eras: Height, upto_work: usize) -> usize {
    let share = usize::try_from(eras).unwrap_or(usize::MAX).saturating_add(1);
    (upto_work / 4).saturating_mul(share).clamp(1, upto_work.max(1))
}

impl Stretch {
    /// From where all was carried over to the first row of a version.
    fn new(now: &Progress, due: Height) -> Self {
        // A list of a height names rows of versions before it.
        let from = now.carried_version().saturating_add(1).to_be_bytes().to_vec();
        Self { end: due.to_be_bytes().to_vec(), dead: Dead::default(), from }
    }

    /// Gathers what the lists that were worked off say; true once there is no other. What a list says that was not worked
    /// off is needed by a version that can be read. All that were must have been read: a row that they name was not removed
    /// from [`OLD`] then, since it was not carried over yet, and must not get there now.
    fn gather(&mut self, store: &Store, now: &Progress, left: &mut usize) -> Result<bool, StateError> {
        let to = behind(&now.worked);
        while self.from < to {
            if *left == 0 {
                return Ok(false);
            }
            let lists = store.sift(STALE, &self.from, &to, LISTS.min(*left), |_| true)?;
            for (key, list) in lists.rows {
                *left = left.saturating_sub(LIST_COST);
                if key < self.from {
                    continue;
                }
                let stale = read_stale(&list)?;
                *left = left.saturating_sub(self.add(&stale, &now.carried) / GATHERED);
                if !stale.iter().any(|one| matches!(one, Stale::Node(_))) {
                    // All nodes of a height come before its values.
                    self.from = stale_height(&key)?.saturating_add(1).to_be_bytes().to_vec();
                }
            }
            let next = lists.next.unwrap_or_else(|| to.clone());
            if self.from < next {
                self.from = next;
            }
        }
        Ok(true)
    }

    /// Adds the nodes of a list that lie in the stretch; answers with their number.
    fn add(&mut self, list: &[Stale<'_>], carried: &[u8]) -> usize {
        let mut added = 0usize;
        for stale in list {
            let Stale::Node(row) = stale else { continue };
            if *row >= carried && *row < self.end.as_slice() {
                self.dead.insert(row);
                added = added.saturating_add(1);
            }
        }
        if let Some(end) = self.dead.shorten(MOST) {
            self.end = end;
        }
        added
    }

    /// Carries rows over; true once the end is reached.
    fn carry(
        &mut self,
        store: &Store,
        now: &mut Progress,
        left: &mut usize,
        batch: &mut Batch,
    ) -> Result<bool, StateError> {
        while now.carried < self.end {
            if *left == 0 {
                return Ok(false);
            }
            let version = now.carried_version();
            let stop = version.saturating_add(STRIDE).to_be_bytes().to_vec().min(self.end.clone());
            let found = store.sift(NODES, &now.carried, &stop, ROWS.min(*left), |row| !self.dead.holds(row))?;
            for (row, branch) in &found.rows {
                batch.put(OLD, row, branch);
            }
            now.carried = found.next.unwrap_or(stop);
            let versions = usize::try_from(now.carried_version().saturating_sub(version)).unwrap_or(usize::MAX);
            let rows = found.rows.len().saturating_mul(CARRIED_COST).saturating_add(found.looked_at);
            *left = left.saturating_sub(rows).saturating_sub(versions.saturating_mul(VERSION_COST));
        }
        Ok(true)
    }
}

/// The least key behind one.
pub(crate) fn behind(key: &[u8]) -> Vec<u8> {
    [key, &[0u8]].concat()
}

#[cfg(test)]
mod tests;
