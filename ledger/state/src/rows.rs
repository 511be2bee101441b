//! The state's rows: columns, keys and encodings, all private to this crate.

use base_types::{Digest, Height};
use base_wire::Decode;
use ledger_store::Batch;

use crate::StateError;

/// Branches of the tree: version, depth, prefix → branch. Written in this order only, and never removed one by one: rows
/// before [`CARRIED`] go by whole tables, some later than others, so that such a row may be there or not.
pub(crate) const NODES: &str = "state-nodes";
/// Those of [`NODES`] before [`CARRIED`] that a kept version still needs, under the same keys.
pub(crate) const OLD: &str = "state-old";
/// Newest values: hash of the key → height written, value.
pub(crate) const LATEST: &str = "state-latest";
/// Older values: hash of the key, inverted height written → value, or that the key was removed then.
pub(crate) const HISTORY: &str = "state-history";
/// What newer versions replaced: height of the replacing version, number → rows of nodes and history. Goes by whole tables,
/// as [`NODES`] does, once no row of a height is needed to tell which nodes are to be carried over.
pub(crate) const STALE: &str = "state-stale";
/// Height → root. Stays when the version is pruned: old headers can still be compared.
pub(crate) const ROOTS: &str = "state-roots";
/// Root → height.
pub(crate) const HEIGHTS: &str = "state-heights";
/// What is said about the whole.
pub(crate) const META: &str = "state-meta";

/// The row of `META` that names the layout of these rows.
pub(crate) const LAYOUT: &[u8] = b"layout";
/// Its value.
pub(crate) const LAYOUT_NOW: &[u8] = &[3];
/// Its value while nothing is in [`OLD`] yet and what was pruned was removed row by row: such a state reads as one of now,
/// and is one once it is pruned.
pub(crate) const LAYOUT_BEFORE: &[u8] = &[2];
/// The row of `META` with the oldest height that is kept, 0 without it.
pub(crate) const OLDEST: &[u8] = b"oldest";
/// The row of `META` with the key of the list of [`STALE`] that was worked off last.
pub(crate) const WORKED: &[u8] = b"worked";
/// The row of `META` with a key of [`NODES`]: what of the rows before it is still needed was carried over.
pub(crate) const CARRIED: &[u8] = b"carried";
/// The row of `META` that stands while a state is being taken over.
pub(crate) const UNFINISHED: &[u8] = b"unfinished";

/// Rows of nodes and history that one row of `STALE` lists at most: what pruning does at once.
const STALE_ROWS: usize = 256;

/// The key of an older value; newer ones stand before.
pub(crate) fn history_key(key: &Digest, written: Height) -> [u8; 40] {
    let mut row = [0; 40];
    row[..32].copy_from_slice(&key.0);
    row[32..].copy_from_slice(&(!written).to_be_bytes());
    row
}

/// An older value as it is stored; `None` says that the key was removed.
pub(crate) fn history_value(value: Option<&[u8]>) -> Vec<u8> {
    let Some(value) = value else { return vec![0] };
    let mut row = Vec::with_capacity(1 + value.len());
    row.push(1);
    row.extend_from_slice(value);
    row
}

pub(crate) fn read_history(row: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
    match row.split_first() {
        Some((0, [])) => Ok(None),
        Some((1, value)) => Ok(Some(value.to_vec())),
        _ => Err(StateError::Damaged("an old value cannot be read")),
    }
}

/// A newest value as it is stored.
pub(crate) fn latest_value(written: Height, value: &[u8]) -> Vec<u8> {
    let mut row = Vec::with_capacity(8 + value.len());
    row.extend_from_slice(&written.to_be_bytes());
    row.extend_from_slice(value);
    row
}

/// The value in a row of [`latest_value`].
pub(crate) fn value_of_latest(row: &[u8]) -> &[u8] {
    row.get(8..).unwrap_or_default()
}

pub(crate) fn read_latest(mut row: Vec<u8>) -> Result<(Height, Vec<u8>), StateError> {
    let Some((written, _)) = row.split_first_chunk::<8>() else {
        return Err(StateError::Damaged("a value cannot be read"));
    };
    let written = Height::from_be_bytes(*written);
    row.drain(..8);
    Ok((written, row))
}

pub(crate) fn read_height(row: &[u8]) -> Result<Height, StateError> {
    Height::from_wire(row).map_err(|_| StateError::Damaged("a height cannot be read"))
}

pub(crate) fn read_digest(row: &[u8]) -> Result<Digest, StateError> {
    Digest::from_wire(row).map_err(|_| StateError::Damaged("a root cannot be read"))
}

/// A row that a newer version replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stale<'a> {
    Node(&'a [u8]),
    Value(&'a [u8]),
}

/// The rows of `STALE` for what one version replaced; they are pruned in the order in which they are added, all nodes first.
pub(crate) struct StaleLists {
    height: Height,
    number: u32,
    /// What the list being filled says, and of how many rows.
    list: Vec<u8>,
    rows: usize,
}

impl StaleLists {
    /// None yet for the version `height`.
    pub(crate) fn new(height: Height) -> Self {
        Self { height, number: 0, list: Vec::new(), rows: 0 }
    }

    /// Adds a row; a list that is full goes into the batch.
    pub(crate) fn add(&mut self, stale: Stale<'_>, batch: &mut Batch) {
        let (kind, row) = match stale {
            Stale::Node(row) => (0, row),
            Stale::Value(row) => (1, row),
        };
        // A node's row has at most 41 bytes, a value's 40.
        self.list.push(kind);
        self.list.push(u8::try_from(row.len()).unwrap_or(u8::MAX));
        self.list.extend_from_slice(row);
        self.rows += 1;
        if self.rows >= STALE_ROWS {
            self.end(batch);
        }
    }

    /// Puts the last list into the batch.
    pub(crate) fn end(&mut self, batch: &mut Batch) {
        if self.rows == 0 {
            return;
        }
        batch.put(STALE, [&self.height.to_be_bytes()[..], &self.number.to_be_bytes()].concat(), &self.list);
        self.number = self.number.saturating_add(1);
        self.rows = 0;
        self.list.clear();
    }
}

/// The height that a row of `STALE` belongs to.
pub(crate) fn stale_height(key: &[u8]) -> Result<Height, StateError> {
    let height = key.first_chunk::<8>().ok_or(StateError::Damaged("a list of old rows cannot be read"))?;
    Ok(Height::from_be_bytes(*height))
}

/// What a row of `STALE` lists.
pub(crate) fn read_stale(mut list: &[u8]) -> Result<Vec<Stale<'_>>, StateError> {
    let damaged = StateError::Damaged("a list of old rows cannot be read");
    let mut stale = Vec::new();
    while let Some((&[kind, len], rest)) = list.split_first_chunk::<2>() {
        let Some((row, rest)) = rest.split_at_checked(usize::from(len)) else { return Err(damaged) };
        stale.push(match kind {
            0 => Stale::Node(row),
            1 => Stale::Value(row),
            _ => return Err(damaged),
        });
        list = rest;
    }
    if list.is_empty() { Ok(stale) } else { Err(damaged) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_old_rows_come_back_in_order_and_cut_ones_are_refused() {
        let rows: Vec<Vec<u8>> = (0..600u32).map(|i| vec![i as u8; if i % 3 == 0 { 40 } else { 9 }]).collect();
        let stale: Vec<Stale<'_>> =
            rows.iter().map(|row| if row.len() == 40 { Stale::Value(row) } else { Stale::Node(row) }).collect();
        let (mut lists, mut batch) = (StaleLists::new(7), Batch::new());
        stale.iter().for_each(|one| lists.add(*one, &mut batch));
        lists.end(&mut batch);
        lists.end(&mut batch);
        let written: Vec<_> = batch.changes().collect();
        let keys: Vec<_> = (0..3u8).map(|number| [0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, number]).collect();
        assert!(written.iter().map(|(column, key, _)| (*column, *key)).eq(keys.iter().map(|key| (STALE, &key[..]))));
        let list = |at: usize| written[at].2.expect("a list");
        let read: Vec<Stale<'_>> = (0..3).flat_map(|at| read_stale(list(at)).expect("read")).collect();
        assert_eq!(read, stale);
        assert!(written.iter().all(|(_, key, _)| stale_height(key) == Ok(7)));
        assert!(read_stale(&list(0)[..list(0).len() - 1]).is_err());
        assert!(read_stale(&[9, 0]).is_err());
    }

    #[test]
    fn values_come_back_and_a_removed_one_is_not_an_empty_one() {
        assert_eq!(read_latest(latest_value(5, b"v")), Ok((5, b"v".to_vec())));
        assert!(read_latest(vec![0; 7]).is_err());
        assert_eq!(read_history(&history_value(Some(b""))), Ok(Some(Vec::new())));
        assert_eq!(read_history(&history_value(None)), Ok(None));
        assert!(read_history(&[0, 1]).is_err() && read_history(&[]).is_err() && read_history(&[2]).is_err());
    }
}
