//! Further disks for a chain's store, added while the chain serves.

use std::path::Path;

use crate::{Chain, ChainFault};

impl Chain {
    /// Adds an empty folder on a further disk, made if it is missing, where each column of the store should put up to
    /// `bytes`; the last disk takes what is left over. The chain goes on, but for the moment in which the store is opened
    /// with it, and so does one that takes a state over. Blocks the calling thread. A known folder changes nothing.
    ///
    /// # Errors
    /// [`ChainFault::Storage`] for a folder that is not empty, lies in one of the store's or is one too many (three are the
    /// most), and while a backup is made; others when the disk fails.
    pub fn add_disk(&self, folder: &Path, bytes: u64) -> Result<(), ChainFault> {
        Ok(self.ledger.store.add_path(folder, bytes)?)
    }

    /// The folders on further disks, each with the bytes that a column should put there, in the order of their adding.
    pub fn disks(&self) -> Vec<(String, u64)> {
        let named = |(path, bytes): (std::path::PathBuf, u64)| (path.display().to_string(), bytes);
        self.ledger.store.further().into_iter().map(named).collect()
    }
}
