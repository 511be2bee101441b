//! Care of an open store: further disks, backups, and the search for flipped bytes, while it is being used.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{PoisonError, RwLockReadGuard, TryLockError},
};

use rocksdb::{DB, IteratorMode, WriteBatch, checkpoint::Checkpoint};

use crate::{
    Store, StoreError,
    options::{self, Tuning},
    paths::{self, Further},
    scrub,
};

/// Bytes that a copy writes, or a check reads, at once.
const AT_ONCE: usize = 4 << 20;

impl Store {
    fn for_long(&self) -> RwLockReadGuard<'_, ()> {
        self.shared.care.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts everything written so far into tables.
    ///
    /// # Errors
    /// [`StoreError`] when the disk fails.
    pub fn flush(&self) -> Result<(), StoreError> {
        let disk = self.disk();
        let db = disk.db()?;
        for handle in self.shared.names.iter().filter_map(|name| db.cf_handle(name)) {
            db.flush_cf(handle)?;
        }
        Ok(())
    }

    /// Bytes of the files in the folder and on the further paths.
    ///
    /// # Errors
    /// [`StoreError`] when a folder cannot be listed.
    pub fn disk_bytes(&self) -> Result<u64, StoreError> {
        let further = self.disk().further.clone();
        let folders = further.iter().map(|further| further.path.as_path()).chain([self.shared.folder.as_path()]);
        folders.map(paths::bytes_in).sum()
    }

    /// Reads every row from the disk, past the cache, and checks every checksum on the way, the log's included.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when what is stored is not what was written.
    pub fn verify(&self) -> Result<(), StoreError> {
        let _long = self.for_long();
        let disk = self.disk();
        let db = disk.db()?;
        // The reader below knows the tables of this moment; none of them may go until it is done.
        db.disable_file_deletions()?;
        let tuning = Tuning { cache: None, folder_bytes: self.shared.tuning.folder_bytes };
        let read = read_all(&self.shared.folder, &self.shared.names, &tuning, &disk.further);
        db.enable_file_deletions()?;
        read
    }

    /// Makes a store of its own in a new folder that holds what this one holds now: an online backup. Without further
    /// paths its tables are links to this store's where the disk is the same; with them it is a copy.
    ///
    /// # Errors
    /// [`StoreError::Other`] when the folder exists; [`StoreError`] when the disk fails.
    pub fn checkpoint(&self, folder: &Path) -> Result<(), StoreError> {
        if folder.exists() {
            return Err(StoreError::Other(format!("the folder {} exists", folder.display())));
        }
        if let Some(parent) = folder.parent() {
            fs::create_dir_all(parent).map_err(paths::told)?;
        }
        let _long = self.for_long();
        let disk = self.disk();
        let db = disk.db()?;
        if disk.further.is_empty() {
            return Ok(Checkpoint::new(db)?.create_checkpoint(folder)?);
        }
        let mut partial = folder.as_os_str().to_owned();
        partial.push(".partial");
        let partial = Path::new(&partial);
        if partial.exists() {
            fs::remove_dir_all(partial).map_err(paths::told)?;
        }
        let copied = copy(db, &self.shared.names, partial);
        let copied = copied.and_then(|()| fs::rename(partial, folder).map_err(paths::told));
        if copied.is_err() {
            // Half a copy is of no use, least of all on the disk that it has filled.
            let _ = fs::remove_dir_all(partial);
        }
        copied
    }

    /// The folders on further disks, each with the bytes that a column should put there.
    pub fn further(&self) -> Vec<(PathBuf, u64)> {
        pairs(self.disk().further.clone())
    }

    /// As [`Store::further`], for a folder that need not be open, nor whole.
    ///
    /// # Errors
    /// [`StoreError`] when the list cannot be read; a folder without one has no further disks.
    pub fn further_of(folder: &Path) -> Result<Vec<(PathBuf, u64)>, StoreError> {
        Ok(pairs(paths::read(folder)?))
    }

    /// Adds a folder on a further disk, made if it is missing, where each column should put up to `bytes`; remembered in
    /// the store's folder. Calls that run meanwhile wait; nobody has to open anything again. A known folder changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Other`] for a folder that is not empty, lies in one of the store's or is one too many, and while a
    /// checkpoint or a check is under way; the store is as before then.
    pub fn add_path(&self, path: &Path, bytes: u64) -> Result<(), StoreError> {
        let _alone = match self.shared.care.try_write() {
            Ok(alone) => alone,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Other("a backup or a check is under way: add the disk when it is done".into()));
            }
        };
        let mut disk = self.shared.disk.write().unwrap_or_else(PoisonError::into_inner);
        disk.db()?;
        let longer = paths::add(&self.shared.folder, &disk.further, path, bytes)?;
        if longer == disk.further {
            return Ok(());
        }
        let shared = &self.shared;
        paths::lengthen(&shared.folder, &disk.further, &longer)?;
        if let Some(db) = disk.db.take() {
            db.cancel_all_background_work(true);
        }
        match options::open(&shared.folder, &shared.names, &shared.tuning, &longer) {
            Ok(db) => {
                disk.db = Some(db);
                disk.further = longer;
                Ok(())
            }
            Err(fault) => {
                // No table lies there yet, so the shorter list is still true, and the longer one would be too.
                if paths::write(&shared.folder, &disk.further).is_ok() {
                    paths::release(&disk.further, &longer);
                }
                disk.db = Some(options::open(&shared.folder, &shared.names, &shared.tuning, &disk.further)?);
                Err(fault)
            }
        }
    }
}

fn pairs(list: Vec<Further>) -> Vec<(PathBuf, u64)> {
    list.into_iter().map(|Further { path, bytes }| (path, bytes)).collect()
}

fn read_all(folder: &Path, names: &[String], tuning: &Tuning, further: &[Further]) -> Result<(), StoreError> {
    let db = options::open_to_read(folder, names, tuning, further)?;
    for handle in names.iter().filter_map(|name| db.cf_handle(name)) {
        let mut how = scrub::checked();
        how.set_readahead_size(AT_ONCE);
        let mut rows = db.raw_iterator_cf_opt(handle, how);
        rows.seek_to_first();
        while rows.valid() {
            rows.next();
        }
        rows.status()?;
    }
    Ok(())
}

/// RocksDB's own checkpoints want all tables in one folder.
fn copy(from: &DB, names: &[String], folder: &Path) -> Result<(), StoreError> {
    let to = options::open(folder, names, &Tuning { cache: None, folder_bytes: 0 }, &[])?;
    let moment = from.snapshot();
    for name in names {
        let (Some(source), Some(sink)) = (from.cf_handle(name), to.cf_handle(name)) else { continue };
        let mut writes = WriteBatch::default();
        for row in moment.iterator_cf(source, IteratorMode::Start) {
            let (key, value) = row?;
            writes.put_cf(sink, key, value);
            if writes.size_in_bytes() >= AT_ONCE {
                to.write(std::mem::take(&mut writes))?;
            }
        }
        to.write(writes)?;
        to.flush_cf(sink)?;
    }
    Ok(to.flush_wal(true)?)
}
