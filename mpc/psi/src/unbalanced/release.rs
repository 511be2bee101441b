//! What an owner publishes about a set: key, epoch, and the digest of every table. Its own digest is what a plan pins.

use base_gm::sm3::tagged;
use base_wire::{Decode as _, Encode as _, wire_struct};
use thiserror::Error;

use super::fuse::{ATTEMPTS, Geometry, MAX_KEYS};
use super::voprf::PublicKey;

/// Releases of one epoch, at most: the first and its additions.
pub const MAX_RELEASES: u32 = 16;
/// Most tables of a release: a set of 10^9.
const MAX_TABLES: usize = 1 << 10;
/// Longest encoding of a release.
pub(super) const MAX_RELEASE_BYTES: usize = 128 + 40 * MAX_TABLES;
/// Most bytes of a label.
pub const MAX_LABEL_BYTES: usize = 4096;

/// One table of a release.
pub(super) struct Table {
    pub(super) entries: u32,
    pub(super) attempt: u32,
    pub(super) digest: [u8; 32],
}
wire_struct!(Table { entries, attempt, digest });

/// A set, or an addition to one, as its owner publishes it.
pub struct Release {
    pub(super) epoch: u64,
    pub(super) serial: u32,
    pub(super) public: [u8; 32],
    pub(super) previous: [u8; 32],
    pub(super) mark_bytes: u8,
    pub(super) label_bytes: u32,
    pub(super) tables: Vec<Table>,
}
wire_struct!(Release { epoch, serial, public, previous, mark_bytes, label_bytes, tables });

/// Why a release or its tables are not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadRelease {
    /// Bytes that are no release, or a release out of bounds.
    #[error("bytes that are no release of a set")]
    Form,
    /// Another digest than the pinned one.
    #[error("a release or table of another digest than the pinned one")]
    Digest,
    /// A release that does not follow the one before: another key, epoch, form or predecessor.
    #[error("a release that does not follow the one before")]
    Order,
    /// Tables that are missing or too many.
    #[error("a release with another number of tables than it states")]
    Tables,
}

impl Release {
    /// Reads a release.
    ///
    /// # Errors
    /// [`BadRelease::Form`] unless it is one encoding of a release within bounds, with a key that is a point.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadRelease> {
        let release = Self::from_wire(bytes).map_err(|_| BadRelease::Form)?;
        let tables = (1..=MAX_TABLES).contains(&release.tables.len())
            && release.tables.iter().all(|table| table.entries <= MAX_KEYS && table.attempt < ATTEMPTS);
        let form = (5..=8).contains(&release.mark_bytes) && release.label_bytes() <= MAX_LABEL_BYTES;
        let first = (release.serial == 0) == (release.previous == [0; 32]);
        let key = PublicKey::parse(&release.public).is_ok();
        if tables && form && first && key && release.serial < MAX_RELEASES {
            Ok(release)
        } else {
            Err(BadRelease::Form)
        }
    }

    /// The canonical encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_wire()
    }

    /// What a plan pins: it covers the key, the epoch, every table and the release before.
    pub fn digest(&self) -> [u8; 32] {
        tagged("heqi/mpc/psi/unbalanced/release/1", &[&self.to_wire()]).0
    }

    /// The key's period. A removal, a change of label or too many additions begin another one, with another key.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// 0 for the first release of an epoch; an addition counts on.
    pub fn serial(&self) -> u32 {
        self.serial
    }

    /// Bytes of all tables together.
    pub fn bytes(&self) -> usize {
        (0..self.tables.len()).map(|number| self.table_bytes(number)).sum()
    }

    /// Bytes of a label; 0 where the set has none.
    pub fn label_bytes(&self) -> usize {
        self.label_bytes as usize
    }

    pub(super) fn mark_bytes(&self) -> usize {
        usize::from(self.mark_bytes)
    }

    pub(super) fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// Length of a table; 0 behind the last.
    pub(super) fn table_bytes(&self, number: usize) -> usize {
        let slots = self.tables.get(number).map_or(0, |table| Geometry::of(table.entries).slots());
        slots * (self.mark_bytes() + self.label_bytes())
    }

    /// Whether this release adds to `before`.
    pub(super) fn follows(&self, before: &Self) -> bool {
        let Self { epoch, serial, public, previous, mark_bytes, label_bytes, tables: _ } = self;
        let form = (*mark_bytes, *label_bytes) == (before.mark_bytes, before.label_bytes);
        let place = *epoch == before.epoch && before.serial.checked_add(1) == Some(*serial);
        form && place && *public == before.public && *previous == before.digest()
    }
}

/// The digest of table `number`.
pub(super) fn digest(number: usize, slots: &[u8]) -> [u8; 32] {
    tagged("heqi/mpc/psi/unbalanced/table/1", &[&(number as u64).to_be_bytes(), slots]).0
}

/// The identifier that elements are hashed under in an epoch: rows become the same elements at owner and client.
pub(super) fn element_id(public: &[u8; 32], epoch: u64) -> [u8; 32] {
    tagged("heqi/mpc/psi/unbalanced/element/1", &[public, &epoch.to_be_bytes()]).0
}
