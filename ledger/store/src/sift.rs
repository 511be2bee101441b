//! Columns that are written in the order of their keys: their rows are sifted in that order, and go by whole tables.

use std::sync::TryLockError;

use crate::{Row, Store, StoreError, scrub::checked, store::column};

/// What [`Store::sift`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sifted {
    /// The rows that were wanted, in order.
    pub rows: Vec<Row>,
    /// Rows that were looked at.
    pub looked_at: usize,
    /// The least key of the range that was not looked at, `None` when there is none.
    pub next: Option<Vec<u8>>,
}

impl Store {
    /// Looks at the rows whose keys are at least `from` and less than `to`, in order, at most `limit` of them, and gives
    /// those whose keys are `wanted`, as of one moment. Leaves the cache to those who serve. `wanted` must not use the store.
    ///
    /// # Errors
    /// [`StoreError`] when the disk fails or a checksum does not hold.
    pub fn sift(
        &self,
        name: &'static str,
        from: &[u8],
        to: &[u8],
        limit: usize,
        mut wanted: impl FnMut(&[u8]) -> bool,
    ) -> Result<Sifted, StoreError> {
        let mut sifted = Sifted::default();
        if from >= to {
            return Ok(sifted);
        }
        let disk = self.disk();
        let db = disk.db()?;
        let mut how = checked();
        how.set_iterate_upper_bound(to);
        let mut rows = db.raw_iterator_cf_opt(column(db, name)?, how);
        rows.seek(from);
        while sifted.looked_at < limit
            && let Some((key, value)) = rows.item()
        {
            if wanted(key) {
                sifted.rows.push((key.to_vec(), value.to_vec()));
            }
            sifted.looked_at = sifted.looked_at.saturating_add(1);
            rows.next();
        }
        rows.status()?;
        sifted.next = rows.key().map(<[u8]>::to_vec);
        Ok(sifted)
    }

    /// Drops the tables of a column that hold no key above `last`, without reading or merging one; answers whether it did.
    /// Not while a checkpoint or a check reads the store for long: then the next call does.
    ///
    /// What lies in the log or in tables of the youngest level stays, and so does a table that reaches beyond `last` or is
    /// being merged: rows up to `last` may still be found, also such as were removed or replaced. So this is for columns of
    /// which nobody asks for a row up to `last` any more, and which says so somewhere else; that is made durable first.
    ///
    /// # Errors
    /// [`StoreError`] when the disk fails.
    pub fn drop_tables(&self, name: &'static str, last: &[u8]) -> Result<bool, StoreError> {
        // A long reader opens the columns one after the other, and the tables of each when it comes to it.
        let _alone = match self.shared.care.try_write() {
            Ok(alone) => alone,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(false),
        };
        let disk = self.disk();
        let db = disk.db()?;
        // Dropped tables do not come back after a loss of power: nor may what said that they are not needed be lost then.
        db.flush_wal(true)?;
        db.delete_file_in_range_cf(column(db, name)?, &b""[..], last)?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Batch, Durability, tests::fill};

    fn key(number: u32) -> Vec<u8> {
        number.to_be_bytes().to_vec()
    }

    /// Writes the rows of a range into a table of the last level.
    fn table(store: &Store, numbers: std::ops::Range<u32>) {
        let mut batch = Batch::new();
        numbers.clone().for_each(|number| batch.put("a", key(number), [7u8; 20]));
        store.write(batch, Durability::Buffered).expect("written");
        store.flush().expect("flushed");
        let disk = store.disk();
        let db = disk.db().expect("open");
        db.compact_range_cf(column(db, "a").expect("a column"), Some(key(numbers.start)), Some(key(numbers.end)));
    }

    fn count(store: &Store) -> usize {
        store.disk().db().expect("open").live_files().expect("listed").len()
    }

    #[test]
    fn tables_of_columns_that_are_written_in_order_are_moved_and_not_written_again() {
        let folder = tempfile::tempdir().expect("folder");
        let columns = ["state-nodes", "chain-transactions"];
        let store = Store::open(folder.path(), &columns).expect("opened");
        for round in 0..8u32 {
            let mut batch = Batch::new();
            for (name, number) in columns.into_iter().flat_map(|name| (0..50u32).map(move |number| (name, number))) {
                batch.put(name, key(100 * round + number), [7u8; 20]);
            }
            store.write(batch, Durability::Buffered).expect("written");
            store.flush().expect("flushed");
        }
        // Four young tables are what RocksDB takes to the next level of itself.
        let young = |name: &str| {
            let tables = store.disk().db().expect("open").live_files().expect("listed");
            tables.iter().filter(|table| table.level == 0 && table.column_family_name == name).count()
        };
        let settled = || columns.into_iter().all(|name| young(name) < 4);
        let pause = || std::thread::sleep(std::time::Duration::from_millis(50));
        assert!((0..200).any(|_| settled() || {
            pause();
            false
        }));
        assert_eq!(count(&store), 2 * 8, "none was merged with another, nor packed again");
    }

    #[test]
    fn rows_of_a_range_are_sifted_piece_by_piece() {
        let folder = tempfile::tempdir().expect("folder");
        let store = Store::open(folder.path(), &["a"]).expect("opened");
        fill(&store, 100);
        let even = |key: &[u8]| key[3] % 2 == 0;
        let (mut from, mut found, mut looked_at) = (key(10), Vec::new(), 0);
        loop {
            let sifted = store.sift("a", &from, &key(50), 7, even).expect("read");
            assert!(sifted.looked_at <= 7);
            looked_at += sifted.looked_at;
            found.extend(sifted.rows.into_iter().map(|(key, _)| key));
            let Some(next) = sifted.next else { break };
            from = next;
        }
        assert_eq!(looked_at, 40);
        assert_eq!(found, (10..50).step_by(2).map(key).collect::<Vec<_>>());
        assert_eq!(store.sift("a", &key(5), &key(5), 7, even), Ok(Sifted::default()));
        assert_eq!(store.sift("missing", &key(5), &key(6), 7, even), Err(StoreError::NoColumn("missing")));
    }

    #[test]
    fn tables_without_a_later_row_go_at_once_and_all_others_stay_also_after_reopening() {
        let folder = tempfile::tempdir().expect("folder");
        let store = Store::open(folder.path(), &["a"]).expect("opened");
        for start in [0, 100, 200] {
            table(&store, start..start + 100);
        }
        assert_eq!(count(&store), 3);
        let found = |store: &Store, number| store.get("a", &key(number)).expect("read").is_some();
        // The second table reaches beyond the key.
        assert_eq!(store.drop_tables("a", &key(150)), Ok(true));
        assert_eq!(count(&store), 2);
        assert!(!found(&store, 99) && found(&store, 100) && found(&store, 299));
        {
            let _long = store.shared.care.read().expect("free");
            assert_eq!(store.drop_tables("a", &key(299)), Ok(false), "a backup is under way");
        }
        assert_eq!(store.drop_tables("a", &key(199)), Ok(true));
        assert_eq!(store.drop_tables("a", &key(199)), Ok(true), "a second time changes nothing");
        drop(store);
        let store = Store::open(folder.path(), &["a"]).expect("opened again");
        assert_eq!(count(&store), 1);
        assert!(!found(&store, 199) && found(&store, 200));
        assert_eq!(store.verify(), Ok(()));
    }
}
