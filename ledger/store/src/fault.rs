//! What can go wrong with the disk, told apart by what a person must do about it.

use rocksdb::{Error, ErrorKind};
use thiserror::Error as ThisError;

/// Why storage did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
pub enum StoreError {
    /// Another process, or another store of this process, holds the folder.
    #[error("the folder is in use")]
    InUse,
    /// No space is left.
    #[error("the disk is full")]
    DiskFull,
    /// What is stored is not what was written.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
    /// A column that this store was not opened with: a mistake of the caller.
    #[error("there is no column '{0}'")]
    NoColumn(&'static str),
    /// Anything else the disk says.
    #[error("the disk answers: {0}")]
    Other(String),
}

/// How the system and RocksDB say that there is no more room: device, quota, the process's own limit, RocksDB's.
const FULL: [&str; 4] =
    ["No space left on device", "Disk quota exceeded", "File too large", "Max allowed space was reached"];

/// RocksDB tells only by its text which input or output error it met.
pub(crate) fn told_apart(kind: ErrorKind, text: &str) -> StoreError {
    let has = |part: &str| text.contains(part);
    match kind {
        ErrorKind::Corruption => StoreError::Damaged(text.to_owned()),
        _ if FULL.iter().any(|words| has(words)) => StoreError::DiskFull,
        ErrorKind::IOError if has("lock hold by current process") || has("While lock file") => StoreError::InUse,
        ErrorKind::InvalidArgument if has("does not exist (create_if_missing is false)") => {
            StoreError::Damaged(text.to_owned())
        }
        _ => StoreError::Other(text.to_owned()),
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        told_apart(error.kind(), error.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_a_damaged_one() {
        let full = "IO error: No space left on device: While appending to file: /x/000004.log: No space left on device";
        assert_eq!(told_apart(ErrorKind::IOError, full), StoreError::DiskFull);
        let limited = "IO error: While appending to file: /x/000004.log: File too large";
        assert_eq!(told_apart(ErrorKind::IOError, limited), StoreError::DiskFull);
        let damaged = "Corruption: block checksum mismatch";
        assert!(matches!(told_apart(ErrorKind::Corruption, damaged), StoreError::Damaged(_)));
        assert!(matches!(told_apart(ErrorKind::IOError, "IO error: x"), StoreError::Other(_)));
    }
}
