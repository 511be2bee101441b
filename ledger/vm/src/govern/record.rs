//! What the state keeps of the government's decisions, and where.

use base_gm::sm2::PublicKey;
use base_types::{Digest, Height, OrgId, PersonId};
use base_wire::{wire_enum, wire_struct};

use super::EpochChange;
use crate::keys::joined;

/// How far a change has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeStatus {
    /// Votes are counted.
    Voting,
    /// Voted for; its validators get ready.
    Passed,
    /// Takes effect at this height.
    Scheduled {
        /// First height under it.
        first_height: Height,
    },
    /// Will not take effect.
    Lapsed {
        /// Why not.
        why: String,
    },
}
wire_enum!(ChangeStatus { 0 => Voting, 1 => Passed, 2 => Scheduled { first_height }, 3 => Lapsed { why } });

/// A change and what was said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRecord {
    /// The change.
    pub change: EpochChange,
    /// Who proposed it.
    pub proposer: PersonId,
    /// In the block of which height.
    pub height: Height,
    /// Organisations that voted for it.
    pub yes: Vec<OrgId>,
    /// Organisations that voted against it.
    pub no: Vec<OrgId>,
    /// Its validators that are ready.
    pub ready: Vec<OrgId>,
    /// How far it has come.
    pub status: ChangeStatus,
}
wire_struct!(ChangeRecord { change, proposer, height, yes, no, ready, status });

/// Where the [`ledger_light::Epoch`] is kept that is in force at the state's height.
pub fn now_epoch_key() -> Vec<u8> {
    b"epoch/now".to_vec()
}

/// Where the [`ledger_light::Epoch`] is kept that was scheduled and has not begun.
pub fn next_epoch_key() -> Vec<u8> {
    b"epoch/next".to_vec()
}

/// Where the digest of the change under way is kept.
pub fn open_key() -> Vec<u8> {
    b"govern/open".to_vec()
}

/// Where the digests of all changes are kept, in order.
pub fn changes_key() -> Vec<u8> {
    b"govern/changes".to_vec()
}

/// Where a [`ChangeRecord`] is kept.
pub fn change_key(change: &Digest) -> Vec<u8> {
    joined(b"govern/change/", &[&change.0])
}

/// Where the organisations are kept that joined after the genesis, in order.
pub fn organisations_key() -> Vec<u8> {
    b"govern/organisations".to_vec()
}

/// Where all [`super::Revocation`]s are kept, in order.
pub fn revocations_key() -> Vec<u8> {
    b"govern/revocations".to_vec()
}

/// Where the height is kept from which a key sends nothing.
pub fn revoked_key(key: &PublicKey) -> Vec<u8> {
    joined(b"revoked/", &[&key.to_bytes()])
}

/// Where the [`super::Addresses`] of an organisation's node are kept.
pub fn addresses_key(org: &OrgId) -> Vec<u8> {
    joined(b"addresses/", &[org.as_str().as_bytes()])
}
