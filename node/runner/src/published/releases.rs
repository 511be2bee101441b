//! Tables between the runs: those that this node made, with their keys in memory, and those that it fetched, on a shelf.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base_gm::sm3;
use base_types::{DatasetId, Digest};
use mpc_psi::unbalanced::{Level, Owner, Published};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Most tables whose keys this node holds, the longest unused gone first.
const MAX_KEPT: usize = 16;
/// Most elements that one key answers: a static Diffie–Hellman oracle costs half as many bits of security as their number has
/// (Brown and Gallant, ePrint 2004/306).
const MAX_ANSWERED: u64 = 1 << 30;

/// Where tables lie. They hold sealed values only, and what is found is checked against its digest, so the place needs no trust.
pub trait Shelf: Send + Sync {
    /// Keeps bytes under a name, and may let others go, or these: they are made or fetched again.
    fn keep(&self, name: &Digest, bytes: &[u8]);
    /// Whether there is something under a name.
    fn holds(&self, name: &Digest) -> bool;
    /// What is under a name.
    fn find(&self, name: &Digest) -> Option<Vec<u8>>;
}

/// A node's tables.
pub struct Releases {
    shelf: Box<dyn Shelf>,
    /// Made here, the longest unused first. Keys end with the process, and tables with them.
    made: Mutex<Vec<Kept>>,
    /// Held while a table is being made: that takes nearly all cores, for up to a quarter of an hour.
    turn: Arc<Semaphore>,
}

struct Kept {
    /// The state of the data set and the plans that it is for.
    of: [u8; 32],
    name: Digest,
    owner: Arc<Owner>,
    /// Elements that the key answered or is about to.
    answered: u64,
}

impl Kept {
    /// Whether it may answer so many elements more; counts them.
    fn takes(&mut self, queries: u64) -> bool {
        let answered = self.answered.saturating_add(queries);
        let fits = answered <= MAX_ANSWERED;
        if fits {
            self.answered = answered;
        }
        fits
    }
}

/// A table's name. It binds the data set: an owner cannot find out which tables of others a receiver has.
fn name(dataset: &DatasetId, digest: &[u8; 32]) -> Digest {
    sm3::tagged("heqi/published/table/1", &[dataset.as_str().as_bytes(), digest])
}

impl Releases {
    /// No tables yet but what lies on the shelf.
    pub fn new(shelf: Box<dyn Shelf>) -> Self {
        Self { shelf, made: Mutex::default(), turn: Arc::new(Semaphore::new(1)) }
    }

    /// Waits for the turn to make a table; there is one, in the order of asking. It is always `Some`, since nobody closes it.
    pub(crate) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        self.turn.clone().acquire_owned().await.ok()
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The owner of a table that was made of this state, if its key may answer so many elements more and the table is there.
    pub(crate) fn made(&self, of: &[u8; 32], queries: usize) -> Option<Arc<Owner>> {
        let mut kept = self.kept();
        let place = kept.iter().position(|kept| kept.of == *of)?;
        let mut found = kept.remove(place);
        if !self.shelf.holds(&found.name) || !found.takes(queries as u64) {
            return None;
        }
        let owner = found.owner.clone();
        kept.push(found);
        Some(owner)
    }

    /// Keeps a table that was made, and counts what it is about to answer.
    pub(crate) fn keep(
        &self,
        (of, dataset): ([u8; 32], &DatasetId),
        (owner, published): (Owner, &Published),
        queries: usize,
    ) -> Arc<Owner> {
        let name = name(dataset, &published.digest);
        self.shelf.keep(&name, &published.to_bytes());
        let owner = Arc::new(owner);
        let mut kept = self.kept();
        kept.retain(|kept| kept.of != of);
        if kept.len() >= MAX_KEPT {
            kept.remove(0);
        }
        kept.push(Kept { of, name, owner: owner.clone(), answered: queries as u64 });
        owner
    }

    /// A table that was made, for a receiver that lacks it. `None` when it is no longer there, or damaged.
    pub(crate) fn published(&self, dataset: &DatasetId, digest: &[u8; 32]) -> Option<Published> {
        self.fetched(dataset, digest).map(Level::into_published)
    }

    /// Forgets a table that was made and is damaged.
    pub(crate) fn forget(&self, dataset: &DatasetId, digest: &[u8; 32]) {
        let name = name(dataset, digest);
        self.kept().retain(|kept| kept.name != name);
    }

    /// A table that was fetched; `None` when it is not there, or damaged.
    pub(crate) fn fetched(&self, dataset: &DatasetId, digest: &[u8; 32]) -> Option<Level> {
        let bytes = self.shelf.find(&name(dataset, digest))?;
        Level::from_bytes(&bytes, digest).ok()
    }

    /// Keeps a table that was fetched.
    pub(crate) fn put(&self, dataset: &DatasetId, digest: &[u8; 32], level: &Level) {
        self.shelf.keep(&name(dataset, digest), &level.to_bytes());
    }
}
