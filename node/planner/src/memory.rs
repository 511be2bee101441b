//! About how much memory one node takes for a run: it lies outside the plan's digest, and each node judges by it for itself.
//!
//! What engines take a key, a cell or a gate is written down beside them; a table is counted as its owner's connector holds it.

use base_types::{OrgId, column::ColumnType};
use notary_terms::{Intersect, Overlap, Plan, Program, Published, Read};

use crate::{hints::bytes_a_key, published::table_bytes, star_tier};

/// Bytes of a session: windows of its links, and what an engine begins with.
const SESSION: u64 = 16 << 20;
/// Bytes of a cell that is read: a word and its validity while the column grows; a text that is no other row's as well.
const CELL: u64 = 16;
const TEXT: u64 = 64;
/// Bytes for a key of rows that several have in common: its element and share, and two senders' tables at the receiver.
const COMMON_KEY: u64 = 350;
/// Bytes for a key of an overlap's receiver, and for each aggregate of it; for a key of the other owner's table.
const OWN_KEY: u64 = 400;
const OWN_SUM: u64 = 64;
const TARGET: u64 = 64;
/// Bytes for a key of the other owner, which lies in three bins; for each aggregate of it, and for a bin's words.
const OTHER_KEY: u64 = 700;
const OTHER_SUM: u64 = 16;
const BIN: u64 = 32;
/// Bytes for a key that is asked against a published table, and for a key that is put into one; and how often the table itself lies there
/// while it is made, sent or taken apart.
const ASKED_KEY: u64 = 350;
const PUBLISHED_KEY: u64 = 120;
const TABLES: u64 = 2;

/// About how many bytes of memory `node` takes for a run of the plan, with what it reads.
pub fn memory(plan: &Plan, node: &OrgId) -> u64 {
    let mine = || plan.reads.iter().filter(move |read| read.owner == *node);
    let receives = plan.reads.first().is_some_and(|read| read.owner == *node);
    let joint = match &plan.program {
        Program::Star(star) => star_tier::memory(plan, star),
        Program::Circuit(circuit) => circuit.size.memory,
        Program::Vectors(vectors) => vectors.size.memory,
        Program::Intersect(intersect) => matched(plan, intersect),
        Program::Common(_) => mine().map(|read| u64::from(read.rows_bound) * COMMON_KEY).fold(0, u64::saturating_add),
        Program::Overlap(overlap) => summed(plan, overlap, receives),
        Program::Published(published) => asked(plan, published, receives),
    };
    mine().map(table).fold(SESSION.saturating_add(joint), u64::saturating_add)
}

/// What a node holds of a table that it reads.
fn table(read: &Read) -> u64 {
    let cell = |ty: &ColumnType| if *ty == ColumnType::Text { TEXT } else { CELL };
    u64::from(read.rows_bound).saturating_mul(read.types.iter().map(cell).sum())
}

/// The receiver's read and the other owner's.
fn bounds(plan: &Plan) -> (u64, u64) {
    let bound = |place: usize| plan.reads.get(place).map_or(0, |read| u64::from(read.rows_bound));
    (bound(0), bound(1))
}

/// Keys that are compared at once, with what they bring.
fn matched(plan: &Plan, intersect: &Intersect) -> u64 {
    let (own, other) = bounds(plan);
    intersect.bucket_keys.map_or(own.max(other), u64::from).saturating_mul(bytes_a_key(&intersect.label))
}

/// Keys in bins, and a word a bin for each number that is added up.
fn summed(plan: &Plan, overlap: &Overlap, receives: bool) -> u64 {
    let ((own, other), sums) = (bounds(plan), overlap.aggregates.len() as u64);
    if receives {
        return own.saturating_mul(OWN_KEY + OWN_SUM * sums).saturating_add(other.saturating_mul(TARGET));
    }
    other.saturating_mul(OTHER_KEY + OTHER_SUM * sums).saturating_add(own.saturating_mul(BIN * (1 + sums)))
}

/// The table, and the keys on either side of it.
fn asked(plan: &Plan, published: &Published, receives: bool) -> u64 {
    let (own, other) = bounds(plan);
    let keys = if receives { own.saturating_mul(ASKED_KEY) } else { other.saturating_mul(PUBLISHED_KEY) };
    let table = plan.reads.get(1).map_or(0, |read| table_bytes(read, &published.label));
    keys.saturating_add(table.saturating_mul(TABLES))
}
