//! The published form of a set: tables of at most about 2^20 entries each, chosen by an element's place.

use super::fuse::{self, Geometry, NoTable};
use super::release::{Release, Table, digest};
use super::value::Entry;

/// Entries of a table on average, at most: its working memory stays small, and tables can be sent one after the other.
const TABLE_ENTRIES: usize = 1 << 20;

/// Tables for `entries` entries.
pub(super) fn tables(entries: usize) -> usize {
    entries.div_ceil(TABLE_ENTRIES).max(1)
}

/// The table of an entry among `tables`.
pub(super) fn table_of(entry: Entry, tables: usize) -> usize {
    ((u128::from(entry.place) * tables as u128) >> 64) as usize
}

/// Most slots of all tables of `entries` entries. Of several tables each has its share of the entries, which follows from uniform
/// values: one with a 64th more than 2^20 lies 16 standard deviations away.
pub(super) fn most_slots(entries: usize) -> usize {
    let tables = tables(entries);
    let most = if tables == 1 { entries } else { TABLE_ENTRIES + TABLE_ENTRIES / 64 };
    tables.saturating_mul(Geometry::of(most as u32).slots())
}

/// Makes all tables; `sealed` holds `label_bytes` bytes an entry. Returns what a release says of each, and its slots. How
/// many entries a table has follows from uniform values, so it tells nothing about the elements.
pub(super) fn build(
    entries: &[Entry],
    sealed: &[u8],
    mark_bytes: usize,
    label_bytes: usize,
) -> Result<(Vec<Table>, Vec<Vec<u8>>), NoTable> {
    let tables = tables(entries.len());
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); tables];
    for (entry, at) in entries.iter().zip(0..) {
        members[table_of(*entry, tables)].push(at);
    }
    let (mut heads, mut all) = (Vec::with_capacity(tables), Vec::with_capacity(tables));
    for (number, members) in members.iter().enumerate() {
        let own: Vec<Entry> = members.iter().map(|at| entries[*at as usize]).collect();
        let value = |at: usize, out: &mut [u8]| {
            let (mark, label) = out.split_at_mut(mark_bytes);
            mark.copy_from_slice(&own[at].mark.to_le_bytes()[..mark_bytes]);
            label.copy_from_slice(&sealed[members[at] as usize * label_bytes..][..label_bytes]);
        };
        let (attempt, slots) = fuse::build(&own, mark_bytes + label_bytes, value)?;
        heads.push(Table { entries: own.len() as u32, attempt, digest: digest(number, &slots) });
        all.push(slots);
    }
    Ok((heads, all))
}

/// Looks an entry up in the tables of a release: the sealed label where the entry is in the set. Something else is taken
/// for a member with probability 2^-(8·mark bytes).
pub(super) fn find(release: &Release, tables: &[Vec<u8>], entry: Entry) -> Option<Vec<u8>> {
    let number = table_of(entry, tables.len());
    let (head, slots) = (release.tables().get(number)?, tables.get(number)?);
    let mark_bytes = release.mark_bytes();
    let mut sum = vec![0_u8; mark_bytes + release.label_bytes()];
    fuse::add_slots(Geometry::of(head.entries), head.attempt, entry, slots, &mut sum);
    let label = sum.split_off(mark_bytes);
    (sum == entry.mark.to_le_bytes()[..mark_bytes]).then_some(label)
}
