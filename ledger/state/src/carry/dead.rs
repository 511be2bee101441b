//! The rows of a stretch that no kept version needs: gathered in any order, asked for in the order of their keys.

use std::collections::BTreeMap;

use base_types::Height;

/// Rows of one version: what follows the version in their keys, one behind the other, so that a row takes a dozen bytes.
#[derive(Default)]
pub(super) struct Rows {
    bytes: Vec<u8>,
    /// Where among the bytes each row lies: from where, and its length.
    places: Vec<(u32, u8)>,
    sorted: bool,
}

fn tail(bytes: &[u8], (start, len): (u32, u8)) -> &[u8] {
    let start = start as usize;
    bytes.get(start..start.saturating_add(usize::from(len))).unwrap_or_default()
}

impl Rows {
    fn push(&mut self, tail: &[u8]) {
        // Lists name rows of a few bytes, and no more are held than memory may take.
        let (Ok(start), Ok(len)) = (u32::try_from(self.bytes.len()), u8::try_from(tail.len())) else { return };
        self.bytes.extend_from_slice(tail);
        self.places.push((start, len));
        self.sorted = false;
    }

    fn sort(&mut self) {
        if !self.sorted {
            let bytes = self.bytes.as_slice();
            self.places.sort_unstable_by(|a, b| tail(bytes, *a).cmp(tail(bytes, *b)));
            self.sorted = true;
        }
    }

    fn holds(&mut self, row: &[u8]) -> bool {
        self.sort();
        self.places.binary_search_by(|place| tail(&self.bytes, *place).cmp(row)).is_ok()
    }

    /// Gives up all but the first so many and answers with the first of the others.
    fn cut(&mut self, count: usize) -> Vec<u8> {
        self.sort();
        let first = self.places.get(count).map_or_else(Vec::new, |place| tail(&self.bytes, *place).to_vec());
        let mut kept = Self::default();
        for place in self.places.iter().take(count) {
            kept.push(tail(&self.bytes, *place));
        }
        *self = kept;
        first
    }
}

/// The rows by version. Those of a version are put in order when the first of them is asked for: no block sorts all.
#[derive(Default)]
pub(super) struct Dead {
    pub(super) versions: BTreeMap<Height, Rows>,
    /// How many rows there are.
    pub(super) len: usize,
}

/// A row's version and what follows it.
fn split(row: &[u8]) -> Option<(Height, &[u8])> {
    let (version, tail) = row.split_first_chunk::<8>()?;
    Some((Height::from_be_bytes(*version), tail))
}

impl Dead {
    /// Adds a row that was not added yet: a node is replaced once.
    pub(super) fn insert(&mut self, row: &[u8]) {
        let Some((version, tail)) = split(row) else { return };
        self.versions.entry(version).or_default().push(tail);
        self.len = self.len.saturating_add(1);
    }

    /// Whether a row was added, and not given up.
    pub(super) fn holds(&mut self, row: &[u8]) -> bool {
        let Some((version, tail)) = split(row) else { return false };
        self.versions.get_mut(&version).is_some_and(|rows| rows.holds(tail))
    }

    /// Gives up the last rows while there are more than `most`, whole versions where there are several, and answers with a
    /// key: all rows before it are still there, and none other.
    pub(super) fn shorten(&mut self, most: usize) -> Option<Vec<u8>> {
        let mut end = None;
        while self.len > most {
            let (version, mut rows) = self.versions.pop_last()?;
            self.len = self.len.saturating_sub(rows.places.len());
            let mut key = version.to_be_bytes().to_vec();
            if self.versions.is_empty() {
                // No more than half, or each list to come would have them sorted again.
                key.extend(rows.cut(most / 2));
                self.len = rows.places.len();
                self.versions.insert(version, rows);
            }
            end = Some(key);
        }
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys of three versions, of several lengths and in no order.
    fn keys() -> Vec<Vec<u8>> {
        let key = |at: u64| {
            let number = (at * 7919 % 600).to_be_bytes();
            [&(at % 3 + 5).to_be_bytes()[..], &[(at % 4) as u8], &number[5 - (at % 4) as usize..]].concat()
        };
        (0..600).map(key).collect()
    }

    fn filled(keys: &[Vec<u8>]) -> Dead {
        let mut dead = Dead::default();
        keys.iter().for_each(|key| dead.insert(key));
        dead
    }

    #[test]
    fn what_was_added_is_held_and_nothing_else_also_when_more_is_added_after_a_look() {
        let keys = keys();
        let (first, second) = keys.split_at(350);
        let mut dead = filled(first);
        assert!(first.iter().all(|key| dead.holds(key)));
        assert!(!second.iter().any(|key| dead.holds(key)));
        second.iter().for_each(|key| dead.insert(key));
        assert!(keys.iter().all(|key| dead.holds(key)));
        assert_eq!(dead.len, 600);
        assert!(!dead.holds(&keys[0][..keys[0].len() - 1]) && !dead.holds(&[&keys[0][..], &[0]].concat()));
        assert!(!dead.holds(&9u64.to_be_bytes()) && !dead.holds(&[]));
    }

    #[test]
    fn too_many_rows_are_cut_at_a_key_before_which_all_are_held() {
        let keys = keys();
        for most in [1, 2, 50, 199, 200, 399, 400, 599] {
            let mut dead = filled(&keys);
            let end = dead.shorten(most).expect("some were given up");
            assert!(dead.len <= most, "{most}");
            assert!(keys.iter().all(|key| dead.holds(key) == (*key < end)), "{most}");
            assert_eq!(keys.iter().filter(|key| **key < end).count(), dead.len);
            assert_eq!(dead.shorten(most), None);
        }
        assert_eq!(filled(&keys).shorten(600), None);
    }
}
