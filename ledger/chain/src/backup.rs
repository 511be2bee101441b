//! A backup of a chain while it serves: a store of its own as of one moment, and what that moment was.

use std::path::Path;

use base_types::{Digest, Height, TimeMs};
use base_wire::wire_struct;
use ledger_state::State;
use ledger_store::Store;

use crate::{
    COLUMNS, Certified, Chain, ChainFault,
    history::is_partial,
    ledger::{HEADERS, read},
};

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// The genesis digest.
    pub chain: Digest,
    /// The newest height.
    pub height: Height,
    /// The digest of its block; the genesis digest at height 0.
    pub block: Digest,
    /// Its block's time.
    pub time: TimeMs,
    /// The state root after it.
    pub state_root: Digest,
}
wire_struct!(Backup { chain, height, block, time, state_root });

impl Chain {
    /// Copies the chain as it is now into a new folder; goes on serving meanwhile, and takes a moment or, where the store
    /// has further paths, as long as copying it. Blocks the calling thread. Where the folder lies on the store's own disk,
    /// its tables are links to the store's: copied elsewhere they are a backup of their own.
    ///
    /// # Errors
    /// [`ChainFault::Storage`] when the folder exists, others when the disk fails or this chain may not be read now.
    pub fn backup(&self, folder: &Path) -> Result<Backup, ChainFault> {
        self.ledger()?.store.checkpoint(folder)?;
        // The copy is opened: what it holds is told by itself, and that it opens is known.
        let copy = Store::open(folder, &COLUMNS)?;
        if is_partial(&copy)? {
            // A state was begun to be taken over just before.
            return Err(ChainFault::NotReady(0));
        }
        let missing = || ChainFault::Damaged("the copy is not whole".into());
        let (height, state_root) = State::open(copy.clone())?.latest()?.ok_or_else(missing)?;
        let (mut block, mut time) = (self.ledger.chain, self.ledger.genesis.time);
        if height > 0 {
            let row = copy.get(HEADERS, &height.to_be_bytes())?.ok_or_else(missing)?;
            let Certified { header, .. } = read(&row, "header")?;
            (block, time) = (header.digest(), header.time);
        }
        // Everything that the copy's log holds is put into tables, so that no log has to be read to use it.
        copy.flush()?;
        Ok(Backup { chain: self.ledger.chain, height, block, time, state_root })
    }
}
