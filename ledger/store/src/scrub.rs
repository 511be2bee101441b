//! A scrub: the search for flipped bytes where nobody reads, row by row in pieces, beside everybody who uses the store.

use rocksdb::ReadOptions;

use crate::{Store, StoreError};

/// How far a scrub has come; the default is its beginning. It means something to the store that gave it only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScrubCursor {
    /// Which column, in the order of their names.
    column: usize,
    /// The least key of that column that was not read.
    key: Vec<u8>,
}

/// Reads that check every checksum and leave the cache to those who serve.
pub(crate) fn checked() -> ReadOptions {
    let mut how = ReadOptions::default();
    how.set_verify_checksums(true);
    how.fill_cache(false);
    how
}

impl Store {
    /// Reads rows from a cursor on, at least `most` bytes of keys and values together where so many are left, and checks
    /// the checksums of the blocks that they lie in. Answers with the bytes read and the cursor to go on from, `None` once
    /// all columns were read. Holds nothing between two calls: rows may be written and disks added.
    ///
    /// A block that lies in the cache is served from there and not read from the disk; it is the turn of such a block when
    /// a later scrub finds it no longer in the cache. Filters are not read: a damaged one hides no row.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], naming the file, when what is stored is not what was written; others when the disk fails.
    pub fn scrub(&self, from: ScrubCursor, most: u64) -> Result<(u64, Option<ScrubCursor>), StoreError> {
        let disk = self.disk();
        let db = disk.db()?;
        let (mut read, ScrubCursor { mut column, mut key }) = (0u64, from);
        while let Some(name) = self.shared.names.get(column) {
            if let Some(handle) = db.cf_handle(name) {
                let mut rows = db.raw_iterator_cf_opt(handle, checked());
                rows.seek(&key);
                while read < most
                    && let Some((key, value)) = rows.item()
                {
                    read = read.saturating_add(key.len() as u64).saturating_add(value.len() as u64);
                    rows.next();
                }
                rows.status()?;
                if let Some(next) = rows.key() {
                    return Ok((read, Some(ScrubCursor { column, key: next.to_vec() })));
                }
            }
            column = column.saturating_add(1);
            key.clear();
        }
        Ok((read, None))
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::OpenOptions, os::unix::fs::FileExt, path::Path};

    use super::*;
    use crate::{
        Batch, Durability,
        tests::{fill, tables},
    };

    /// Bytes of a row that [`fill`] writes.
    const ROW: u64 = 204;

    /// Flips a bit of a file that the store has open; a second time, it is as before.
    fn flip(table: &Path, at: u64) {
        let file = OpenOptions::new().read(true).write(true).open(table).expect("a table");
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).expect("read");
        file.write_all_at(&[byte[0] ^ 0x10], at).expect("written");
    }

    /// Searches from a cursor to the end: the rows' bytes, and in how many pieces they were read.
    fn search(store: &Store, from: ScrubCursor, most: u64) -> Result<(u64, usize), StoreError> {
        let (mut bytes, mut pieces, mut cursor) = (0, 0, Some(from));
        while let Some(from) = cursor {
            let (read, next) = store.scrub(from, most)?;
            (bytes, pieces, cursor) = (bytes + read, pieces + 1, next);
        }
        Ok((bytes, pieces))
    }

    #[test]
    fn a_scrub_finds_a_flipped_byte_of_a_table_that_nobody_reads_and_names_the_file() {
        let folder = tempfile::tempdir().expect("folder");
        let store = Store::open(folder.path(), &["a", "b"]).expect("opened");
        fill(&store, 400);
        store.flush().expect("flushed");
        let tables = tables(folder.path());
        let [table] = tables.as_slice() else { panic!("one table: {tables:?}") };
        let name = table.file_name().and_then(|name| name.to_str()).expect("a name");
        let all = || search(&store, ScrubCursor::default(), 50 * ROW);
        assert_eq!(all(), Ok((400 * ROW, 8)));
        // The rows fill all but the end of the table, where filter and index stand.
        for at in [20, 30_000, 60_000] {
            flip(table, at);
            match all() {
                Err(StoreError::Damaged(why)) => assert!(why.contains(name), "byte {at}: {why}"),
                other => panic!("byte {at}: {other:?}"),
            }
            flip(table, at);
            assert_eq!(all(), Ok((400 * ROW, 8)), "mended, and nothing false was kept");
        }
    }

    #[test]
    fn a_scrub_goes_on_from_its_cursor_beside_writes_and_when_a_disk_is_added() {
        let (folder, further) = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("further"));
        let store = Store::open(folder.path(), &["a"]).expect("opened");
        fill(&store, 400);
        store.flush().expect("flushed");
        let (read, next) = store.scrub(ScrubCursor::default(), 50 * ROW).expect("whole");
        assert_eq!(read, 50 * ROW);
        store.add_path(&further.path().join("1"), 1 << 30).expect("added");
        let mut batch = Batch::new();
        // A row that was read already, the one that comes next, and one behind the last.
        batch.put("a", 7u32.to_be_bytes(), [7u8; 200]);
        batch.delete("a", 50u32.to_be_bytes());
        batch.put("a", 400u32.to_be_bytes(), [7u8; 200]);
        store.write(batch, Durability::Buffered).expect("written");
        let (rest, _) = search(&store, next.expect("more"), 50 * ROW).expect("whole");
        assert_eq!(rest, 350 * ROW);
    }
}
