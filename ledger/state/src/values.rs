//! Newest values in memory: those that blocks read or wrote last, as many as a number of bytes allows.

use std::collections::hash_map::RandomState;

use base_types::{Digest, Height};
use hashlink::LruCache;

/// What an entry takes beside its row: key and links, its place in the table, and what allocations are rounded up to.
const OVERHEAD: usize = 96;

/// Rows of newest values, as storage has them, of one version: that of the last batch.
///
/// The batch may never be written; then they are not those of the newest version, and nobody is given any.
pub(crate) struct Values {
    version: Option<(Height, Digest)>,
    rows: LruCache<Digest, Box<[u8]>, RandomState>,
    bytes: usize,
    max_bytes: usize,
}

fn weight(row: &[u8]) -> usize {
    row.len().saturating_add(OVERHEAD)
}

impl Values {
    /// None yet, and never more than so many bytes of them.
    pub(crate) fn new(max_bytes: usize) -> Self {
        let rows = LruCache::with_hasher(usize::MAX, RandomState::new());
        Self { version: None, rows, bytes: 0, max_bytes }
    }

    /// The row of a key in the version of a height, if it is held.
    pub(crate) fn get(&mut self, height: Height, key: &Digest) -> Option<Vec<u8>> {
        if !self.is_of(height) {
            return None;
        }
        self.rows.get(key).map(|row| row.to_vec())
    }

    /// Holds a row that was read from storage while the version of that height was the newest there; not if another is
    /// held by now.
    pub(crate) fn note(&mut self, height: Height, key: Digest, row: &[u8]) {
        if self.is_of(height) {
            self.put(key, row);
            self.shrink();
        }
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
            self.rows.clear();
            self.bytes = 0;
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

    fn is_of(&self, height: Height) -> bool {
        self.version.is_some_and(|(held, _)| held == height)
    }

    fn put(&mut self, key: Digest, row: &[u8]) {
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
        while self.bytes > self.max_bytes
            && let Some((_, old)) = self.rows.remove_lru()
        {
            self.bytes = self.bytes.saturating_sub(weight(&old));
        }
    }
}

#[cfg(test)]
mod tests {
    use base_gm::sm3::sm3;

    use super::*;

    fn follow(values: &mut Values, height: Height, rows: &[(u8, Option<&[u8]>)]) {
        let version = |height: Height| (height, sm3(&height.to_be_bytes()));
        let rows = rows.iter().map(|(key, row)| (sm3(&[*key]), *row));
        values.follow(height.checked_sub(1).map(version), version(height), rows);
    }

    fn held(values: &mut Values, height: Height) -> Vec<u8> {
        (0..=255).filter(|key| values.get(height, &sm3(&[*key])).is_some()).collect()
    }

    #[test]
    fn what_was_written_or_noted_is_held_until_it_is_changed_or_removed() {
        let mut values = Values::new(1 << 20);
        follow(&mut values, 0, &[(1, Some(b"a")), (2, Some(b"b"))]);
        values.note(0, sm3(&[3]), b"c");
        follow(&mut values, 1, &[(1, None), (2, Some(b"d"))]);
        assert_eq!(held(&mut values, 1), [2, 3]);
        let row = |values: &mut Values, key: u8| values.get(1, &sm3(&[key]));
        assert_eq!((row(&mut values, 2), row(&mut values, 3)), (Some(b"d".to_vec()), Some(b"c".to_vec())));
    }

    #[test]
    fn nothing_is_given_of_another_height_or_kept_over_a_batch_that_was_not_written() {
        let mut values = Values::new(1 << 20);
        follow(&mut values, 0, &[(1, Some(b"a"))]);
        follow(&mut values, 1, &[(2, Some(b"b"))]);
        // The batch of height 1 is not written: the newest version is still that of height 0.
        assert!(held(&mut values, 0).is_empty() && held(&mut values, 2).is_empty());
        values.note(0, sm3(&[3]), b"of height 0");
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
        assert!(values.get(0, &sm3(&[0])).is_some());
        values.note(0, sm3(&[99]), b"row");
        assert_eq!(held(&mut values, 0), [0, 2, 3, 4, 5, 6, 7, 8, 9, 99]);
        values.note(0, sm3(&[100]), &[0; 10_000]);
        assert_eq!((held(&mut values, 0).len(), values.bytes), (0, 0), "one that is too large is not held");
    }
}
