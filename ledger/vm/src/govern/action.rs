//! What may be asked of the government.

use base_gm::sm2::PublicKey;
use base_types::{Digest, Height, OrgId};
use base_wire::{wire_enum, wire_struct};
use ledger_light::{Member, Organisation, Validator};

/// A change of the chain's rules, to hold as a new epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochChange {
    /// The consensus engine from then on.
    pub engine: u8,
    /// Time between blocks while there is work, in milliseconds: 50 to 60,000.
    pub interval_ms: u32,
    /// All validators from then on, sorted by organisation.
    pub validators: Vec<Validator>,
    /// Organisations that join, sorted; they belong to the chain once the vote has passed, so that they can follow it.
    pub organisations: Vec<Organisation>,
    /// Their first members.
    pub members: Vec<Member>,
    /// Last height at which a vote or a validator's being ready counts.
    pub deadline: Height,
}
wire_struct!(EpochChange { engine, interval_ms, validators, organisations, members, deadline });

/// The end of a certificate and of the key in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// Whose certificate.
    pub org: OrgId,
    /// Its serial number.
    pub serial: [u8; 16],
    /// The key in it, where it is a member's: it sends nothing from then on.
    pub key: Option<PublicKey>,
    /// First height at which it no longer holds: the next or the one after.
    pub from: Height,
}
wire_struct!(Revocation { org, serial, key, from });

/// Where an organisation's node listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// Control plane, `host:port`.
    pub control: String,
    /// Data links, `host:port`.
    pub data: String,
}
wire_struct!(Addresses { control, data });

/// A request to the government; the sender's roles and organisation say whether it may make it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// An administrator proposes a change; it is named by the digest of this transaction.
    Propose(EpochChange),
    /// The administrator of a validator's organisation votes.
    Vote {
        /// The change.
        change: Digest,
        /// For or against.
        approve: bool,
    },
    /// A node of the change's validators has all blocks and can run its engine.
    Ready {
        /// The change.
        change: Digest,
    },
    /// An administrator ends a certificate of the own organisation.
    Revoke(Revocation),
    /// A node tells where it listens.
    Announce(Addresses),
}
wire_enum!(Action {
    1 => Propose(change), 2 => Vote { change, approve }, 3 => Ready { change }, 4 => Revoke(revocation),
    5 => Announce(addresses)
});
