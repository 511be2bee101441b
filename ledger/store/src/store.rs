//! The store: point reads, ordered reads, and batches that are written whole or not at all.

use std::{path::Path, sync::Arc};

use rocksdb::{
    ColumnFamily, ColumnFamilyDescriptor, DB, DBCompressionType, DBRecoveryMode, Direction, IteratorMode, Options,
    ReadOptions, WriteBatch, WriteOptions,
};

use crate::StoreError;

/// A key and its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// Whether a batch must be on the disk before the write returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Survives the loss of power.
    Synced,
    /// Survives the end of the process; a later synced batch makes it durable too.
    Buffered,
}

/// Changes that are written together, in the order given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    changes: Vec<(&'static str, Vec<u8>, Option<Vec<u8>>)>,
}

impl Batch {
    /// A batch without changes.
    pub fn new() -> Self {
        Self::default()
    }
    /// Sets a key.
    pub fn put(&mut self, column: &'static str, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.changes.push((column, key.into(), Some(value.into())));
    }
    /// Removes a key, present or not.
    pub fn delete(&mut self, column: &'static str, key: impl Into<Vec<u8>>) {
        self.changes.push((column, key.into(), None));
    }
    /// How many changes there are.
    pub fn len(&self) -> usize {
        self.changes.len()
    }
    /// True without changes.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// A folder opened for this process alone; clones share it, the last one dropped closes it.
#[derive(Clone)]
pub struct Store {
    db: Arc<DB>,
}

fn options() -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_paranoid_checks(true);
    // A torn last record was never acknowledged; damage anywhere before it is reported, not skipped.
    options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_keep_log_file_num(4);
    options
}

impl Store {
    /// Opens a folder, made if it is missing, with these columns and any others it already has.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while another store holds it, [`StoreError::Damaged`] when it cannot be read back.
    pub fn open(folder: &Path, columns: &[&str]) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder).map_err(|e| StoreError::Other(e.to_string()))?;
        let mut names: Vec<String> = columns.iter().map(|&c| c.to_owned()).collect();
        if folder.join("CURRENT").exists() {
            names.extend(DB::list_cf(&options(), folder)?);
        }
        names.push("default".to_owned());
        names.sort();
        names.dedup();
        let columns = names.into_iter().map(|name| ColumnFamilyDescriptor::new(name, options()));
        Ok(Self { db: Arc::new(DB::open_cf_descriptors(&options(), folder, columns)?) })
    }

    /// Reads a folder's files back as opening it would, and changes nothing; for a folder that nobody holds.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it cannot be read back.
    pub fn examine(folder: &Path) -> Result<(), StoreError> {
        let mut options = options();
        options.create_if_missing(false);
        let names = DB::list_cf(&options, folder)?;
        DB::open_cf_for_read_only(&options, folder, names, false)?;
        Ok(())
    }

    fn column(&self, name: &'static str) -> Result<&ColumnFamily, StoreError> {
        self.db.cf_handle(name).ok_or(StoreError::NoColumn(name))
    }

    /// The value of a key.
    ///
    /// # Errors
    /// [`StoreError`] when the disk fails.
    pub fn get(&self, column: &'static str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.db.get_cf(self.column(column)?, key)?)
    }

    /// Up to `limit` rows whose keys are at least `start` and begin with `prefix`, in order, as of one moment.
    ///
    /// # Errors
    /// [`StoreError`] when the disk fails.
    pub fn rows(
        &self,
        column: &'static str,
        prefix: &[u8],
        start: &[u8],
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let start = start.max(prefix);
        let mode = IteratorMode::From(start, Direction::Forward);
        let mut rows = Vec::new();
        for row in self.db.iterator_cf_opt(self.column(column)?, ReadOptions::default(), mode).take(limit) {
            let (key, value) = row?;
            if !key.starts_with(prefix) {
                break;
            }
            rows.push((key.into_vec(), value.into_vec()));
        }
        Ok(rows)
    }

    /// The row with the highest key.
    ///
    /// # Errors
    /// [`StoreError`] when the disk fails.
    pub fn last(&self, column: &'static str) -> Result<Option<Row>, StoreError> {
        let mut rows = self.db.iterator_cf_opt(self.column(column)?, ReadOptions::default(), IteratorMode::End);
        let row = rows.next().transpose()?;
        Ok(row.map(|(key, value)| (key.into_vec(), value.into_vec())))
    }

    /// Writes a batch whole or not at all.
    ///
    /// # Errors
    /// [`StoreError`]; nothing of the batch is visible then.
    pub fn write(&self, batch: Batch, durability: Durability) -> Result<(), StoreError> {
        let mut writes = WriteBatch::default();
        for (column, key, value) in &batch.changes {
            match value {
                Some(value) => writes.put_cf(self.column(column)?, key, value),
                None => writes.delete_cf(self.column(column)?, key),
            }
        }
        let mut options = WriteOptions::default();
        options.set_sync(durability == Durability::Synced);
        Ok(self.db.write_opt(writes, &options)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(store: &Store, key: &[u8], value: &[u8]) {
        let mut batch = Batch::new();
        batch.put("a", key, value);
        store.write(batch, Durability::Synced).expect("written");
    }

    #[test]
    fn rows_come_back_in_order_after_reopening_and_a_second_opener_is_told() {
        let folder = tempfile::tempdir().expect("folder");
        let store = Store::open(folder.path(), &["a", "b"]).expect("opened");
        for key in [&b"k2"[..], b"k1", b"l", b"k3"] {
            put(&store, key, key);
        }
        assert_eq!(Store::open(folder.path(), &["a"]).err(), Some(StoreError::InUse));
        drop(store);
        let store = Store::open(folder.path(), &["a"]).expect("opened again");
        let keys: Vec<_> = store.rows("a", b"k", b"k2", 9).expect("read").into_iter().map(|r| r.0).collect();
        assert_eq!(keys, [b"k2".to_vec(), b"k3".to_vec()]);
        assert_eq!(store.last("a"), Ok(Some((b"l".to_vec(), b"l".to_vec()))));
        assert_eq!(store.get("b", b"k1"), Ok(None));
    }

    #[test]
    fn a_batch_is_whole_or_nothing() {
        let folder = tempfile::tempdir().expect("folder");
        let store = Store::open(folder.path(), &["a"]).expect("opened");
        let mut batch = Batch::new();
        batch.put("a", *b"x", *b"1");
        batch.put("missing", *b"y", *b"2");
        assert_eq!(store.write(batch, Durability::Synced), Err(StoreError::NoColumn("missing")));
        assert_eq!(store.get("a", b"x"), Ok(None));
    }

    /// Every file that RocksDB begins from now on lies on a device that is always full.
    fn fill_disk(folder: &Path) -> Vec<std::path::PathBuf> {
        let number = |name: std::ffi::OsString| name.to_str()?.split('.').next()?.parse::<u64>().ok();
        let files = std::fs::read_dir(folder).expect("folder").filter_map(|file| number(file.ok()?.file_name()));
        let next = files.max().expect("files") + 1;
        let names = (next..next + 32).flat_map(|n| [format!("{n:06}.log"), format!("{n:06}.sst")]);
        let links: Vec<_> = names.map(|name| folder.join(name)).collect();
        links.iter().for_each(|link| std::os::unix::fs::symlink("/dev/full", link).expect("linked"));
        links
    }

    #[test]
    fn a_full_disk_is_told_and_what_was_written_before_is_kept() {
        let folder = tempfile::tempdir().expect("folder");
        let store = Store::open(folder.path(), &["a"]).expect("opened");
        put(&store, b"kept", b"1");
        let links = fill_disk(folder.path());
        let megabyte = |i: u32| {
            let mut batch = Batch::new();
            batch.put("a", i.to_be_bytes(), vec![i as u8; 1 << 20]);
            store.write(batch, Durability::Buffered)
        };
        let first = (0..300).find_map(|i| megabyte(i).err().map(|fault| (i, fault)));
        let (reached, fault) = first.expect("the log is begun anew at last");
        assert_eq!(fault, StoreError::DiskFull);
        assert_eq!(megabyte(reached), Err(StoreError::DiskFull), "and stays told");
        drop(store);
        for link in links.iter().filter(|link| link.is_symlink()) {
            std::fs::remove_file(link).expect("freed");
        }
        let store = Store::open(folder.path(), &["a"]).expect("opened again");
        assert_eq!(store.get("a", b"kept"), Ok(Some(b"1".to_vec())));
        assert_eq!(store.get("a", &(reached - 1).to_be_bytes()).expect("read").map(|v| v.len()), Some(1 << 20));
        assert_eq!(store.get("a", &reached.to_be_bytes()), Ok(None));
    }

    #[test]
    fn damaged_files_are_refused_not_skipped() {
        let folder = tempfile::tempdir().expect("folder");
        let store = Store::open(folder.path(), &["a"]).expect("opened");
        put(&store, b"x", &[7; 4096]);
        drop(store);
        assert_eq!(Store::examine(folder.path()), Ok(()));
        std::fs::write(folder.path().join("CURRENT"), b"MANIFEST-999999\n").expect("damaged");
        assert!(Store::examine(folder.path()).is_err());
        assert!(Store::open(folder.path(), &["a"]).is_err());
    }
}
