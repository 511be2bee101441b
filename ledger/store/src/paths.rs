//! The list of further disks, kept in the folder so that every opening knows where the tables lie.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use crate::{StoreError, fault::told_apart};

/// The list's file; RocksDB leaves names that it does not know alone.
const LIST: &str = "paths";

/// Lies on every further disk, so that one that is not mounted is known from an empty one; RocksDB leaves it alone too.
const MARK: &str = "heqi-disk";

/// Most further paths: RocksDB has four with the folder itself.
pub(crate) const MOST: usize = 3;

/// A folder on a further disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Further {
    pub(crate) path: PathBuf,
    /// How much a column should put there.
    pub(crate) bytes: u64,
}

/// What the system says about files, in the store's terms.
pub(crate) fn told(error: std::io::Error) -> StoreError {
    told_apart(rocksdb::ErrorKind::IOError, &error.to_string())
}

/// The list of a folder, empty when there is none.
pub(crate) fn read(folder: &Path) -> Result<Vec<Further>, StoreError> {
    let text = match fs::read_to_string(folder.join(LIST)) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) if error.kind() == ErrorKind::InvalidData => return Err(unreadable()),
        Err(error) => return Err(told(error)),
    };
    let list: Vec<Further> = text.lines().map(parse).collect::<Result<_, _>>()?;
    if list.len() > MOST { Err(unreadable()) } else { Ok(list) }
}

fn unreadable() -> StoreError {
    StoreError::Damaged("the list of paths cannot be read".into())
}

fn parse(line: &str) -> Result<Further, StoreError> {
    let (bytes, path) = line.split_once(' ').ok_or_else(unreadable)?;
    let bytes = bytes.parse::<u64>().map_err(|_| unreadable())?;
    if !fit(path) {
        return Err(unreadable());
    }
    Ok(Further { path: PathBuf::from(path), bytes })
}

/// The list has a path a line, and RocksDB's names end at a zero byte.
fn fit(path: &str) -> bool {
    path.starts_with('/') && !path.contains(['\n', '\r', '\0'])
}

/// Writes the list whole or not at all; it is on the disk when this returns.
pub(crate) fn write(folder: &Path, list: &[Further]) -> Result<(), StoreError> {
    let lines = list.iter().map(|Further { path, bytes }| format!("{bytes} {}\n", path.display()));
    let text: String = lines.collect();
    let fresh = folder.join("paths.new");
    let mut file = File::create(&fresh).map_err(told)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(told)?;
    fs::rename(&fresh, folder.join(LIST)).map_err(told)?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(told)
}

/// Writes a list that goes on where `known` ends. Where that fails, the paths that it would have added are as they were.
pub(crate) fn lengthen(folder: &Path, known: &[Further], longer: &[Further]) -> Result<(), StoreError> {
    let written = write(folder, longer);
    // The longer list may have its name all the same: then the paths are the store's.
    if written.is_err() && read(folder).is_ok_and(|list| list == known) {
        release(known, longer);
    }
    written
}

/// Takes the marks from the paths of a list behind those that are known: they were not added after all.
pub(crate) fn release(known: &[Further], longer: &[Further]) {
    longer.iter().skip(known.len()).for_each(|further| unmark(&further.path));
}

/// Marks a path as the store's in `folder`; the mark is on the disk when this returns.
fn mark(folder: &Path, path: &Path) -> std::io::Result<()> {
    let mut mark = File::create(path.join(MARK))?;
    mark.write_all(format!("{}\n", folder.display()).as_bytes())?;
    mark.sync_all()?;
    File::open(path)?.sync_all()
}

/// Lengthens the list of the store in `folder` by a path, made if it is missing, and marks it.
pub(crate) fn add(folder: &Path, list: &[Further], path: &Path, bytes: u64) -> Result<Vec<Further>, StoreError> {
    fs::create_dir_all(path).map_err(told)?;
    let (folder, path) = (fs::canonicalize(folder).map_err(told)?, fs::canonicalize(path).map_err(told)?);
    let mut longer = list.to_vec();
    if list.iter().any(|known| known.path == path) {
        return Ok(longer);
    }
    // RocksDB takes every table in its folders for its own, and deletes those that it does not know.
    if fs::read_dir(&path).map_err(told)?.next().is_some() {
        return Err(StoreError::Other(format!("the folder {} is not empty", path.display())));
    }
    // The store's folder may be moved, and what lies in it with it, but the list would not know.
    if path.starts_with(&folder) || list.iter().any(|known| path.starts_with(&known.path)) {
        return Err(StoreError::Other(format!("the folder {} lies in one of the store's", path.display())));
    }
    if list.len() >= MOST {
        return Err(StoreError::Other(format!("there are {MOST} further disks already, and no more can be added")));
    }
    if !path.to_str().is_some_and(fit) {
        return Err(StoreError::Other(format!("the folder {} cannot be added", path.display())));
    }
    if let Err(why) = mark(&folder, &path) {
        unmark(&path);
        return Err(told(why));
    }
    longer.push(Further { path, bytes });
    Ok(longer)
}

fn unmark(path: &Path) {
    // A mark that stays only makes the folder one that is not empty.
    let _ = fs::remove_file(path.join(MARK));
}

/// Whether all disks of a list are there: RocksDB would make an empty folder of a missing one, and call the store damaged.
pub(crate) fn present(list: &[Further]) -> Result<(), StoreError> {
    match list.iter().find(|further| !further.path.join(MARK).exists()) {
        Some(Further { path, .. }) => {
            Err(StoreError::Other(format!("the further disk at {} is not there: is it mounted?", path.display())))
        }
        None => Ok(()),
    }
}

/// Bytes of the files in a folder; files that go away meanwhile do not count.
pub(crate) fn bytes_in(folder: &Path) -> Result<u64, StoreError> {
    let files = fs::read_dir(folder).map_err(told)?.filter_map(|file| file.ok()?.metadata().ok());
    Ok(files.filter(fs::Metadata::is_file).map(|file| file.len()).sum())
}
