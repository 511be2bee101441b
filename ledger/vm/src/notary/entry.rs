//! What a transaction carries and what the state keeps of it.

use base_types::{Digest, Height, OrgId, PersonId, TimeMs};
use base_wire::{wire_enum, wire_struct};

use crate::keys::joined;

/// Longest body of an entry, in bytes.
pub const MAX_BODY: usize = 1 << 20;

/// Longest body of an entry about a run or a decision, in bytes: a job's evidence holds them all.
pub const MAX_SHORT_BODY: usize = 16 << 10;

/// Most parties that an entry names.
pub const MAX_PARTIES: usize = 64;

/// What an entry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// A data set was registered.
    SourceRegistered = 1,
    /// A rule was set.
    RuleSet = 2,
    /// A job was proposed.
    Proposed = 3,
    /// A party approved a job.
    Approved = 4,
    /// A party rejected a job.
    Rejected = 5,
    /// A run of a job started.
    Started = 6,
    /// A party read its data.
    Read = 7,
    /// A stream between two parties ended.
    Transferred = 8,
    /// A receiver got its result.
    Delivered = 9,
    /// A party's account of a run.
    Receipt = 10,
    /// A use was refused.
    Refused = 11,
    /// A member was added, changed, or (without roles) removed.
    MemberAdded = 12,
    /// A rule was revoked.
    RuleRevoked = 13,
    /// Evidence was exported.
    EvidenceExported = 14,
    /// A job was cancelled.
    Cancelled = 15,
}
wire_enum!(EntryKind {
    1 => SourceRegistered, 2 => RuleSet, 3 => Proposed, 4 => Approved, 5 => Rejected, 6 => Started, 7 => Read,
    8 => Transferred, 9 => Delivered, 10 => Receipt, 11 => Refused, 12 => MemberAdded, 13 => RuleRevoked,
    14 => EvidenceExported, 15 => Cancelled
});

/// The payload of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What the entry is about: a job, a data set, a person.
    pub subject: Digest,
    /// What it says.
    pub kind: EntryKind,
    /// Run of the job, from 1; 0 where no run is meant.
    pub attempt: u32,
    /// The parties it concerns.
    pub parties: Vec<OrgId>,
    /// When a proposal ends; 0 where nothing ends.
    pub expires: TimeMs,
    /// What the parties read; the state keeps its digest.
    pub body: Vec<u8>,
}
wire_struct!(Entry { subject, kind, attempt, parties, expires, body });

/// What the state keeps of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What it is about.
    pub subject: Digest,
    /// Its place among the subject's records, from 0.
    pub seq: u32,
    /// What it says.
    pub kind: EntryKind,
    /// Run of the job.
    pub attempt: u32,
    /// Who sent it.
    pub sender: PersonId,
    /// The transaction that carried it.
    pub tx: Digest,
    /// Height of its block.
    pub height: Height,
    /// Time of its block.
    pub time: TimeMs,
    /// When a proposal ends.
    pub expires: TimeMs,
    /// The parties it concerns.
    pub parties: Vec<OrgId>,
    /// SM3 of the entry's body.
    pub body: Digest,
}
wire_struct!(Record { subject, seq, kind, attempt, sender, tx, height, time, expires, parties, body });

/// Where a record is kept.
pub fn record_key(subject: &Digest, seq: u32) -> Vec<u8> {
    joined(b"record/", &[&subject.0, &seq.to_be_bytes()])
}

/// Where the number of a subject's records is kept, a `u32`.
pub fn count_key(subject: &Digest) -> Vec<u8> {
    joined(b"count/", &[&subject.0])
}
