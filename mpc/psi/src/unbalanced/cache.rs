//! The client's cache: releases with their tables, checked against the pinned digests.

use super::owner::Published;
use super::release::{BadRelease, Release, digest, element_id};
use super::table;
use super::value::Value;
use super::voprf::PublicKey;

/// Length of the number in front of a release that is kept.
const LENGTH_BYTES: usize = 8;

/// A release whose tables come in one after the other.
pub struct Level {
    release: Release,
    tables: Vec<Vec<u8>>,
}

/// The releases of one epoch, complete and checked.
pub struct Cache {
    public: PublicKey,
    levels: Vec<Level>,
}

impl Level {
    /// Starts with a release that has the pinned digest.
    ///
    /// # Errors
    /// [`BadRelease::Digest`] for any other.
    pub fn new(release: Release, pinned: &[u8; 32]) -> Result<Self, BadRelease> {
        if release.digest() != *pinned {
            return Err(BadRelease::Digest);
        }
        let tables = Vec::with_capacity(release.tables().len());
        Ok(Self { release, tables })
    }

    /// The release.
    pub fn release(&self) -> &Release {
        &self.release
    }

    /// Length in bytes of the table that is due next; `None` when all are there.
    pub fn due(&self) -> Option<usize> {
        (self.tables.len() < self.release.tables().len()).then(|| self.release.table_bytes(self.tables.len()))
    }

    /// Takes the next table.
    ///
    /// # Errors
    /// [`BadRelease`] when none is due or the table is not the one that the release names.
    pub fn add(&mut self, slots: Vec<u8>) -> Result<(), BadRelease> {
        let (number, due) = (self.tables.len(), self.due().ok_or(BadRelease::Tables)?);
        let named = self.release.tables().get(number).map(|table| table.digest);
        if slots.len() != due || named != Some(digest(number, &slots)) {
            return Err(BadRelease::Digest);
        }
        self.tables.push(slots);
        Ok(())
    }

    /// The release and the tables that are there as one piece, to be kept between sessions.
    pub fn to_bytes(&self) -> Vec<u8> {
        packed(&self.release.to_bytes(), &self.tables)
    }

    /// Reads what was kept: the release with the pinned digest and all its tables. Nothing of the place where it lay is trusted.
    ///
    /// # Errors
    /// [`BadRelease`] for anything else.
    pub fn from_bytes(bytes: &[u8], pinned: &[u8; 32]) -> Result<Self, BadRelease> {
        let (length, rest) = bytes.split_first_chunk::<LENGTH_BYTES>().ok_or(BadRelease::Form)?;
        let length = usize::try_from(u64::from_be_bytes(*length)).map_err(|_| BadRelease::Form)?;
        let (release, mut rest) = rest.split_at_checked(length).ok_or(BadRelease::Form)?;
        let mut level = Self::new(Release::parse(release)?, pinned)?;
        while let Some(due) = level.due() {
            let (table, behind) = rest.split_at_checked(due).ok_or(BadRelease::Tables)?;
            level.add(table.to_vec())?;
            rest = behind;
        }
        if rest.is_empty() { Ok(level) } else { Err(BadRelease::Tables) }
    }

    /// The release as its owner sends it.
    pub fn into_published(self) -> Published {
        let Self { release, tables } = self;
        Published { release: release.to_bytes(), digest: release.digest(), tables }
    }
}

/// A release's length, the release, and its tables.
pub(super) fn packed(release: &[u8], tables: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = (release.len() as u64).to_be_bytes().to_vec();
    bytes.extend(release);
    tables.iter().for_each(|table| bytes.extend(table));
    bytes
}

impl Cache {
    /// The cache of an epoch, from its first release.
    ///
    /// # Errors
    /// [`BadRelease`] when tables are missing, or the release is an addition.
    pub fn new(level: Level) -> Result<Self, BadRelease> {
        let public = PublicKey::parse(&level.release.public).map_err(|_| BadRelease::Form)?;
        if level.due().is_some() {
            return Err(BadRelease::Tables);
        }
        if level.release.serial() != 0 {
            return Err(BadRelease::Order);
        }
        Ok(Self { public, levels: vec![level] })
    }

    /// Adds the next release of the epoch.
    ///
    /// # Errors
    /// [`BadRelease`] when tables are missing, or the release does not follow the last one.
    pub fn append(&mut self, level: Level) -> Result<(), BadRelease> {
        if level.due().is_some() {
            return Err(BadRelease::Tables);
        }
        if !self.levels.last().is_some_and(|last| level.release.follows(&last.release)) {
            return Err(BadRelease::Order);
        }
        self.levels.push(level);
        Ok(())
    }

    /// The owner's key.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The digest of the newest release: the state of the set that this cache answers from.
    pub fn tip(&self) -> [u8; 32] {
        self.levels.last().map(|last| last.release.digest()).unwrap_or_default()
    }

    /// The identifier for [`crate::element::Builder`] at both sides.
    pub fn element_id(&self) -> [u8; 32] {
        element_id(&self.public.to_bytes(), self.levels.first().map_or(0, |first| first.release.epoch()))
    }

    /// The label of an element that is in the set; the newest release that holds it decides.
    pub(super) fn find(&self, value: &Value) -> Option<Vec<u8>> {
        self.levels.iter().rev().find_map(|level| {
            let mut label = table::find(&level.release, &level.tables, value.entry)?;
            value.pad(level.release.serial(), &mut label);
            Some(label)
        })
    }
}
