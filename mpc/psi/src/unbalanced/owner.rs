//! The owner of the large set: its key of an epoch, and the releases it makes.

use std::mem::take;
use std::thread;

use mpc_block::Block;
use thiserror::Error;
use zeroize::Zeroizing;

use super::cache::packed;
use super::fuse::NoTable;
use super::release::{BadRelease, MAX_LABEL_BYTES, MAX_RELEASES, Release, element_id};
use super::table;
use super::value::{Entry, Value};
use super::voprf::Key;
use super::{MAX_QUERIES, MAX_SET};

/// Elements that a worker evaluates together, which share one inversion.
const BATCH: usize = 256;

/// The owner's state in an epoch. What a restart needs is its seed, the epoch and its releases.
pub struct Owner {
    key: Key,
    epoch: u64,
    queries: usize,
    label_bytes: usize,
    last: Option<Release>,
}

/// A release and its tables, to be sent to clients.
pub struct Published {
    /// The release; a plan pins its digest.
    pub release: Vec<u8>,
    /// The tables, in order.
    pub tables: Vec<Vec<u8>>,
    /// The digest to pin.
    pub digest: [u8; 32],
}

impl Published {
    /// Release and tables as one piece, which [`Level::from_bytes`](super::Level::from_bytes) reads.
    pub fn to_bytes(&self) -> Vec<u8> {
        packed(&self.release, &self.tables)
    }
}

/// Elements to publish.
#[derive(Clone, Copy)]
pub struct Set<'a> {
    /// Distinct elements.
    pub elements: &'a [Block],
    /// Their labels one after the other, each as long as the owner said.
    pub labels: &'a [u8],
    /// What the size is padded to, so that no other size shows.
    pub bound: usize,
}

/// Why a set is not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refused {
    /// Queries, sizes or lengths outside the bounds, or that do not fit each other.
    #[error("sizes of a set that are out of bounds or do not fit each other")]
    Sizes,
    /// An element stands twice.
    #[error("an element stands twice in a set")]
    Doubled,
    /// The epoch has as many releases as it may have.
    #[error("the epoch is full: begin another one")]
    Full,
    /// A release that is not this owner's next one.
    #[error("a release of another key, epoch or place")]
    Order,
    /// No key or no table was found in all attempts: practically impossible.
    #[error("no key or table was found")]
    Unlucky,
}

impl From<NoTable> for Refused {
    fn from(why: NoTable) -> Self {
        match why {
            NoTable::Doubled => Self::Doubled,
            NoTable::Unlucky => Self::Unlucky,
        }
    }
}

impl Owner {
    /// The owner in `epoch` under a secret seed, of which every epoch has its own key. `queries` is the most elements that any
    /// session asks for (up to [`MAX_QUERIES`]); it decides how many bytes mark an element, so that a whole session takes
    /// something for a member that is none with probability at most 2^-40.
    ///
    /// An epoch begins once: who publishes two first sets under one number shows clients of both where they differ. After a
    /// restart [`Self::resume`] goes on instead.
    ///
    /// # Errors
    /// [`Refused::Sizes`] for more queries or longer labels than allowed.
    pub fn new(seed: &[u8; 32], epoch: u64, queries: usize, label_bytes: usize) -> Result<Self, Refused> {
        if queries == 0 || queries > MAX_QUERIES || label_bytes > MAX_LABEL_BYTES {
            return Err(Refused::Sizes);
        }
        let purpose = [b"heqi/mpc/psi/unbalanced/key/1/".as_slice(), &epoch.to_be_bytes()].concat();
        let key = Key::derive(seed, &purpose).ok_or(Refused::Unlucky)?;
        Ok(Self { key, epoch, queries, label_bytes, last: None })
    }

    /// Goes on behind a release that this owner made before.
    ///
    /// # Errors
    /// [`Refused::Order`] when it is not the next one of this key and epoch, or has another form.
    pub fn resume(&mut self, release: &[u8]) -> Result<(), Refused> {
        let release = Release::parse(release).map_err(|_: BadRelease| Refused::Order)?;
        let next = match &self.last {
            Some(last) => release.follows(last),
            None => release.serial == 0,
        };
        let own = release.public == self.key.public().to_bytes() && release.epoch == self.epoch;
        let form = release.mark_bytes == self.mark_bytes() && release.label_bytes() == self.label_bytes;
        if !(next && own && form) {
            return Err(Refused::Order);
        }
        self.last = Some(release);
        Ok(())
    }

    /// The key.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Most elements that a session may ask for.
    pub fn queries(&self) -> usize {
        self.queries
    }

    /// The digest of the newest release; `None` before the first.
    pub fn tip(&self) -> Option<[u8; 32]> {
        self.last.as_ref().map(Release::digest)
    }

    /// The identifier for [`crate::element::Builder`] at both sides.
    pub fn element_id(&self) -> [u8; 32] {
        element_id(&self.key.public().to_bytes(), self.epoch)
    }

    /// Publishes the first set of the epoch, or elements that join it. `workers` threads share the work (about 50 µs an element on
    /// one core); `random` makes what pads the set to its bound. Takes 20 bytes an element and the labels beside the tables.
    ///
    /// # Errors
    /// [`Refused`] when sizes do not fit, an element stands twice in this set, or the epoch is full.
    pub fn publish(
        &mut self,
        set: Set<'_>,
        workers: usize,
        random: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Published, Refused> {
        let Set { elements, labels, bound } = set;
        let fits = elements.len() <= bound && bound <= MAX_SET;
        if !fits || Some(labels.len()) != elements.len().checked_mul(self.label_bytes) {
            return Err(Refused::Sizes);
        }
        let (serial, previous) = match &self.last {
            Some(last) => (last.serial + 1, last.digest()),
            None => (0, [0; 32]),
        };
        if serial >= MAX_RELEASES {
            return Err(Refused::Full);
        }
        let mut entries = vec![Entry::default(); bound];
        let mut sealed = vec![0; bound * self.label_bytes];
        sealed[..labels.len()].copy_from_slice(labels);
        self.evaluate(serial, elements, &mut entries, &mut sealed, workers.max(1));
        pad(&mut entries[elements.len()..], &mut sealed[labels.len()..], random);
        let (tables, slots) = table::build(&entries, &sealed, usize::from(self.mark_bytes()), self.label_bytes)?;
        let release = Release {
            epoch: self.epoch,
            serial,
            public: self.key.public().to_bytes(),
            previous,
            mark_bytes: self.mark_bytes(),
            label_bytes: self.label_bytes as u32,
            tables,
        };
        let published = Published { release: release.to_bytes(), tables: slots, digest: release.digest() };
        self.last = Some(release);
        Ok(published)
    }

    fn mark_bytes(&self) -> u8 {
        mark_bytes(self.queries)
    }

    /// Evaluates the elements' entries and seals their labels, in parts of equal length.
    fn evaluate(&self, serial: u32, elements: &[Block], entries: &mut [Entry], sealed: &mut [u8], workers: usize) {
        let part = elements.len().div_ceil(workers).max(1);
        thread::scope(|scope| {
            let mut rest = (entries, sealed);
            for elements in elements.chunks(part) {
                let (entries, entries_behind) = take(&mut rest.0).split_at_mut(elements.len());
                let (sealed, sealed_behind) = take(&mut rest.1).split_at_mut(elements.len() * self.label_bytes);
                rest = (entries_behind, sealed_behind);
                scope.spawn(move || self.evaluate_part(serial, elements, entries, sealed));
            }
        });
    }

    fn evaluate_part(&self, serial: u32, elements: &[Block], entries: &mut [Entry], sealed: &mut [u8]) {
        for (number, (elements, entries)) in elements.chunks(BATCH).zip(entries.chunks_mut(BATCH)).enumerate() {
            let inputs = Zeroizing::new(elements.iter().map(|element| element.to_bytes()).collect::<Vec<_>>());
            for (at, output) in self.key.outputs(inputs.as_slice()).iter().enumerate() {
                let value = Value::of(output);
                entries[at] = value.entry;
                let label = (number * BATCH + at) * self.label_bytes;
                value.pad(serial, &mut sealed[label..][..self.label_bytes]);
            }
        }
    }
}

/// Bytes of a mark: 40 bits and one more for every doubling of what a session may look up.
fn mark_bytes(queries: usize) -> u8 {
    let looks = queries * MAX_RELEASES as usize;
    (40 + looks.next_power_of_two().ilog2()).div_ceil(8) as u8
}

/// Most bytes of the tables of one release: of a set padded to `bound` (up to [`MAX_SET`]), for sessions of up to `queries` elements
/// (up to [`MAX_QUERIES`]), with labels of `label_bytes`. Who receives a release bounds it by this before it takes memory.
pub fn most_bytes(bound: usize, queries: usize, label_bytes: usize) -> usize {
    let slot = usize::from(mark_bytes(queries.min(MAX_QUERIES))) + label_bytes;
    table::most_slots(bound.min(MAX_SET)).saturating_mul(slot)
}

/// Entries and labels that belong to no element: uniform, as the others look to who does not know the elements.
fn pad(entries: &mut [Entry], sealed: &mut [u8], random: &mut dyn FnMut(&mut [u8])) {
    for entry in entries {
        let mut bytes = [0; 16];
        random(&mut bytes);
        let pair = u128::from_le_bytes(bytes);
        *entry = Entry { place: pair as u64, mark: (pair >> 64) as u64 };
    }
    random(sealed);
}
