//! The store: point reads, ordered reads, and batches that are written whole or not at all.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use rocksdb::{Cache, ColumnFamily, DB, Direction, IteratorMode, Options, ReadOptions, WriteBatch, WriteOptions};

use crate::{
    Batch, Durability, StoreError, StoreOptions,
    options::{self, Tuning},
    paths::{self, Further},
};

/// A key and its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// The open folder; `db` is `None` only when it could not be opened again, and stays so.
pub(crate) struct Disk {
    pub(crate) db: Option<DB>,
    pub(crate) further: Vec<Further>,
}

impl Disk {
    pub(crate) fn db(&self) -> Result<&DB, StoreError> {
        self.db.as_ref().ok_or_else(|| StoreError::Other("the folder could not be opened again".into()))
    }
}

/// What the clones of a store share.
pub(crate) struct Shared {
    pub(crate) folder: PathBuf,
    pub(crate) names: Vec<String>,
    pub(crate) tuning: Tuning,
    /// Whoever uses the folder holds this for reading, and holds it once: a second time would wait for one who adds a path.
    pub(crate) disk: RwLock<Disk>,
    /// Whoever uses the folder for long holds this for reading before that: a path is not added meanwhile, since all who
    /// come after it would wait as long.
    pub(crate) care: RwLock<()>,
}

/// A folder opened for this process alone; clones share it, the last one dropped closes it.
#[derive(Clone)]
pub struct Store {
    pub(crate) shared: Arc<Shared>,
}

/// The columns asked for and those that the folder has.
fn names(folder: &Path, columns: &[&str]) -> Result<Vec<String>, StoreError> {
    let mut names: Vec<String> = columns.iter().map(|&c| c.to_owned()).collect();
    if folder.join("CURRENT").exists() {
        names.extend(DB::list_cf(&Options::default(), folder)?);
    }
    names.push("default".to_owned());
    names.sort();
    names.dedup();
    Ok(names)
}

pub(crate) fn column<'a>(db: &'a DB, name: &'static str) -> Result<&'a ColumnFamily, StoreError> {
    db.cf_handle(name).ok_or(StoreError::NoColumn(name))
}

impl Store {
    /// Opens a folder, made if it is missing, with these columns and any others it already has.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while another store holds it, [`StoreError::Damaged`] when it cannot be read back.
    pub fn open(folder: &Path, columns: &[&str]) -> Result<Self, StoreError> {
        Self::open_with(folder, columns, StoreOptions::default())
    }

    /// As [`Store::open`], with options.
    ///
    /// # Errors
    /// As [`Store::open`]; [`StoreError::Other`] for a new path that is not empty or one too many, and when a further disk
    /// is not there.
    pub fn open_with(folder: &Path, columns: &[&str], chosen: StoreOptions) -> Result<Self, StoreError> {
        let StoreOptions { cache_bytes, folder_bytes, paths } = chosen;
        std::fs::create_dir_all(folder).map_err(paths::told)?;
        let names = names(folder, columns)?;
        let known = paths::read(folder)?;
        // RocksDB's own choice by now: a look writes to no list. 0 leaves it to find out how long what it holds is.
        let tuning = Tuning { cache: Some(Cache::new_hyper_clock_cache(cache_bytes, 0)), folder_bytes };
        if let Err(missing) = paths::present(&known) {
            // Whether another holds the folder comes first; without further paths the try puts nothing in their places.
            return match options::open(folder, &names, &tuning, &[]) {
                Err(StoreError::InUse) => Err(StoreError::InUse),
                _ => Err(missing),
            };
        }
        let mut further = known.clone();
        for (path, bytes) in &paths {
            further = match paths::add(folder, &further, path, *bytes) {
                Ok(longer) => longer,
                Err(fault) => {
                    paths::release(&known, &further);
                    return Err(fault);
                }
            };
        }
        // Before the first table lies there: a table that is not found again is a lost one.
        if further != known {
            paths::lengthen(folder, &known, &further)?;
        }
        let db = options::open(folder, &names, &tuning, &further)?;
        let disk = RwLock::new(Disk { db: Some(db), further });
        let care = RwLock::new(());
        Ok(Self { shared: Arc::new(Shared { folder: folder.to_owned(), names, tuning, disk, care }) })
    }

    /// Reads a folder's files back as opening it would, and changes nothing; for a folder that nobody holds.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it cannot be read back, [`StoreError::Other`] when a further disk is not there.
    pub fn examine(folder: &Path) -> Result<(), StoreError> {
        let mut plain = Options::default();
        plain.create_if_missing(false);
        let names = DB::list_cf(&plain, folder)?;
        let tuning = Tuning { cache: None, folder_bytes: StoreOptions::default().folder_bytes };
        let further = paths::read(folder)?;
        paths::present(&further)?;
        options::open_to_read(folder, &names, &tuning, &further)?;
        Ok(())
    }

    pub(crate) fn disk(&self) -> RwLockReadGuard<'_, Disk> {
        self.shared.disk.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value of a key.
    ///
    /// # Errors
    /// [`StoreError`] when the disk fails.
    pub fn get(&self, column: &'static str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let disk = self.disk();
        let db = disk.db()?;
        Ok(db.get_cf(self::column(db, column)?, key)?)
    }

    /// The values of several keys of one column, in the order of the keys.
    ///
    /// # Errors
    /// [`StoreError`] when the disk fails.
    pub fn get_many(&self, column: &'static str, keys: &[&[u8]]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let disk = self.disk();
        let db = disk.db()?;
        let found = db.batched_multi_get_cf(self::column(db, column)?, keys.iter().copied(), false);
        let mut values = Vec::with_capacity(keys.len());
        for value in found {
            values.push(value?.map(|value| value.to_vec()));
        }
        Ok(values)
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
        let disk = self.disk();
        let db = disk.db()?;
        let mode = IteratorMode::From(start.max(prefix), Direction::Forward);
        let mut rows = Vec::new();
        for row in db.iterator_cf_opt(self::column(db, column)?, ReadOptions::default(), mode).take(limit) {
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
        let disk = self.disk();
        let db = disk.db()?;
        let mut rows = db.iterator_cf_opt(self::column(db, column)?, ReadOptions::default(), IteratorMode::End);
        let row = rows.next().transpose()?;
        Ok(row.map(|(key, value)| (key.into_vec(), value.into_vec())))
    }

    /// Writes a batch whole or not at all.
    ///
    /// # Errors
    /// [`StoreError`]; nothing of the batch is visible then.
    pub fn write(&self, batch: Batch, durability: Durability) -> Result<(), StoreError> {
        let disk = self.disk();
        let db = disk.db()?;
        // What RocksDB puts around a change fits beside its bytes.
        let mut writes = WriteBatch::with_capacity_bytes(batch.bytes().saturating_add(batch.len().saturating_mul(16)));
        let mut at: Option<(&'static str, &ColumnFamily)> = None;
        for (name, key, value) in batch.changes() {
            let handle = match at {
                Some((known, handle)) if known == name => handle,
                _ => column(db, name)?,
            };
            at = Some((name, handle));
            match value {
                Some(value) => writes.put_cf(handle, key, value),
                None => writes.delete_cf(handle, key),
            }
        }
        let mut options = WriteOptions::default();
        options.set_sync(durability == Durability::Synced);
        Ok(db.write_opt(writes, &options)?)
    }
}
