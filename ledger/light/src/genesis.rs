//! Genesis and epochs: who validates from which height, and who may write at all.

use base_gm::{sm2::PublicKey, sm3};
use base_types::{Digest, Height, OrgId, PersonId, TimeMs};
use base_wire::{Encode, wire_enum, wire_struct};

/// A validator of an epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validator {
    /// Its organisation.
    pub org: OrgId,
    /// The key its votes are signed with.
    pub key: PublicKey,
}
wire_struct!(Validator { org, key });

/// Byzantine agreement, on Malachite's core.
pub const BFT: u8 = 1;
/// Raft, whose decisions the validators certify: a lying validator may halt the chain, never fork it.
pub const RAFT: u8 = 2;

/// The rules that hold from a height on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epoch {
    /// 0 at genesis, then one more at every change.
    pub number: u64,
    /// Consensus engine: [`BFT`] or [`RAFT`].
    pub engine: u8,
    /// First height under these rules.
    pub first_height: Height,
    /// Validators, sorted by organisation; each has one vote.
    pub validators: Vec<Validator>,
    /// Time between blocks while there is work, in milliseconds.
    pub interval_ms: u32,
}
wire_struct!(Epoch { number, engine, first_height, validators, interval_ms });

impl Epoch {
    /// The digest that headers carry.
    pub fn digest(&self) -> Digest {
        sm3::tagged("heqi/epoch/1", &[&self.to_wire()])
    }
    /// Fewest votes that are more than two thirds.
    pub fn quorum(&self) -> usize {
        self.validators.len() * 2 / 3 + 1
    }
    /// The place of an organisation among the validators.
    pub fn index_of(&self, org: &OrgId) -> Option<usize> {
        self.validators.iter().position(|v| &v.org == org)
    }
}

/// An organisation of the consortium.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// Its identifier.
    pub id: OrgId,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
    /// Its certificate authority's certificate (GM X.509, DER).
    pub ca: Vec<u8>,
}
wire_struct!(Organisation { id, name_zh, name_en, ca });

/// What a member may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The organisation's node: reads, transfers, receipts.
    Node,
    /// Registers sources, sets rules, approves.
    Owner,
    /// Submits queries.
    Analyst,
    /// Reads and exports evidence.
    Auditor,
    /// Vouches for the organisation's members, and votes for it on the chain's rules.
    Administrator,
    /// Deploys contracts.
    Developer,
}
wire_enum!(Role { 0 => Node, 1 => Owner, 2 => Analyst, 3 => Auditor, 4 => Administrator, 5 => Developer });

/// A key that may send transactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The person or service; a node is `org/node`.
    pub id: PersonId,
    /// Its key.
    pub key: PublicKey,
    /// What it may write.
    pub roles: Vec<Role>,
}
wire_struct!(Member { id, key, roles });

/// The first state of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genesis {
    /// A name for people.
    pub name: String,
    /// The chain's first moment.
    pub time: TimeMs,
    /// The consortium, sorted by identifier.
    pub organisations: Vec<Organisation>,
    /// Its first members, sorted by identifier.
    pub members: Vec<Member>,
    /// The first epoch; its first height is 1.
    pub epoch: Epoch,
}
wire_struct!(Genesis { name, time, organisations, members, epoch });

impl Genesis {
    /// The chain's identity: what a verifier pins.
    pub fn digest(&self) -> Digest {
        sm3::tagged("heqi/genesis/1", &[&self.to_wire()])
    }
}
