//! Newest values in memory: those that blocks read or wrote last, as many as a number of bytes allows.

use std::collections::hash_map::RandomState;

use base_types::{Digest, Height};
use hashlink::LinkedHashMap;

/// What an entry takes beside its row: key and links, its place in the table, and what allocations are rounded up to.
const OVERHEAD: usize = 96;

/// Rows of newest values, as storage has them, of one version: that of the last batch.
///
/// The batch may never be written; then they are not those of the newest version, and nobody is given any.
pub(crate) struct Values {
    version: Option<(Height, Digest)>,
    /// What was used last stands last.
    rows: LinkedHashMap<Digest, Box<[u8]>, RandomState>,
    bytes: usize,
    max_bytes: usize,
    /// How many rows the map has memory for.
    room: usize,
}

fn weight(row: &[u8]) -> usize {
    row.len().saturating_add(OVERHEAD)
}

impl Values {
    /// None yet, and never more than so many bytes of them.
    pub(crate) fn new(max_bytes: usize) -> Self {
        let rows = LinkedHashMap::with_hasher(RandomState::new());
        Self { version: None, rows, bytes: 0, max_bytes, room: 0 }
    }

    /// The row of a key in a version, if it is held.
    pub(crate) fn get(&mut self, version: (Height, Digest), key: &Digest) -> Option<Vec<u8>> {
        if self.version != Some(version) {
            return None;
        }
        self.rows.to_back(key).map(|row| row.to_vec())
    }

    /// Holds a row that was read from storage while this version was the newest there; not if another is held by now.
    pub(crate) fn note(&mut self, version: (Height, Digest), key: Digest, row: &[u8]) {
        if self.version == Some(version) {
            self.put(key, row);
            self.shrink();
        }
    }

    /// Holds nothing any more.
    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.max_bytes);
    }

    /// The version after `before` is in a batch, with these new rows, `None` for keys that it removes. What was held of
    /// another version than `before` is forgotten.
    pub(crate) fn follow<'a>(
        &mut self,
        before: Option<(Height, Digest)>,
        now: (Height, Digest),
        rows: impl Iterator<Item = (Digest, Option<&'a [u8]>)>,
    ) {
        if self.version != before {
            self.clear();
        }
        self.version = Some(now);
        for (key, row) in rows {
            match row {
                Some(row) => self.put(key, row),
                None => self.remove(&key),
            }
        }
        self.shrink();
    }

    fn put(&mut self, key: Digest, row: &[u8]) {
        if weight(row) > self.max_bytes {
            return self.remove(&key);
        }
        self.bytes = self.bytes.saturating_add(weight(row));
        if let Some(old) = self.rows.insert(key, row.into()) {
            self.bytes = self.bytes.saturating_sub(weight(&old));
        }
    }

    fn remove(&mut self, key: &Digest) {
        if let Some(old) = self.rows.remove(key) {
            self.bytes = self.bytes.saturating_sub(weight(&old));
        }
    }

    fn shrink(&mut self) {
        self.room = self.room.max(self.rows.len());
        while self.bytes > self.max_bytes
            && let Some((_, old)) = self.rows.pop_front()
        {
            self.bytes = self.bytes.saturating_sub(weight(&old));
        }
        // The map keeps what it had for rows that are gone: many small ones may have made room for a few large ones.
        if self.rows.len() < self.room / 2 {
            self.rows.shrink_to_fit();
            self.room = self.rows.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use base_gm::sm3::sm3;

    use super::*;

    fn version(height: Height) -> (Height, Digest) {
        (height, sm3(&height.to_be_bytes()))
    }

    fn follow(values: &mut Values, height: Height, rows: &[(u8, Option<&[u8]>)]) {
        let rows = rows.iter().map(|(key, row)| (sm3(&[*key]), *row));
        values.follow(height.checked_sub(1).map(version), version(height), rows);
    }

    fn held(values: &mut Values, height: Height) -> Vec<u8> {
        (0..=255).filter(|key| values.get(version(height), &sm3(&[*key])).is_some()).collect()
    }

    #[test]
    fn what_was_written_or_noted_is_held_until_it_is_changed_or_removed() {
        let mut values = Values::new(1 << 20);
        follow(&mut values, 0, &[(1, Some(b"a")), (2, Some(b"b"))]);
        values.note(version(0), sm3(&[3]), b"c");
        follow(&mut values, 1, &[(1, None), (2, Some(b"d"))]);
        assert_eq!(held(&mut values, 1), [2, 3]);
        let row = |values: &mut Values, key: u8| values.get(version(1), &sm3(&[key]));
        assert_eq!((row(&mut values, 2), row(&mut values, 3)), (Some(b"d".to_vec()), Some(b"c".to_vec())));
    }

    #[test]
    fn nothing_is_given_of_another_version_or_kept_over_a_batch_that_was_not_written() {
        let mut values = Values::new(1 << 20);
        follow(&mut values, 0, &[(1, Some(b"a"))]);
        follow(&mut values, 1, &[(2, Some(b"b"))]);
        // The batch of height 1 is not written: the newest version is still that of height 0, or another's of height 1.
        assert!(held(&mut values, 0).is_empty() && held(&mut values, 2).is_empty());
        assert_eq!(values.get((1, sm3(b"another")), &sm3(&[2])), None);
        values.note(version(0), sm3(&[3]), b"of height 0");
        follow(&mut values, 1, &[(4, Some(b"d"))]);
        assert_eq!(
            held(&mut values, 1),
            [4],
            "the root is the same here, but nobody knows what was written of the first"
        );
    }

    #[test]
    fn no_more_is_held_than_allowed_and_what_was_used_last_stays() {
        let mut values = Values::new(10 * weight(b"row"));
        let rows: Vec<_> = (0..10).map(|key| (key, Some(&b"row"[..]))).collect();
        follow(&mut values, 0, &rows);
        assert_eq!(held(&mut values, 0).len(), 10);
        assert!(values.get(version(0), &sm3(&[0])).is_some());
        values.note(version(0), sm3(&[99]), b"row");
        assert_eq!(held(&mut values, 0), [0, 2, 3, 4, 5, 6, 7, 8, 9, 99]);
        values.note(version(0), sm3(&[2]), &[0; 10_000]);
        assert_eq!(held(&mut values, 0), [0, 3, 4, 5, 6, 7, 8, 9, 99], "one that is too large is not held");
    }

    #[test]
    fn large_rows_in_the_place_of_many_small_ones_give_their_memory_back() {
        let mut values = Values::new(1 << 20);
        let small = (0..5000u32).map(|key| (sm3(&key.to_be_bytes()), Some(&b"row"[..])));
        values.follow(None, version(0), small);
        let room = values.rows.capacity();
        assert!(room >= 5000);
        for key in 0..15 {
            values.note(version(0), sm3(&[key]), &[0; 64 << 10]);
        }
        assert!(values.rows.capacity() < room / 2 && values.bytes <= 1 << 20, "{}", values.rows.capacity());
    }
}
