//! The state tree alone: filled to a number of leaves, then changed in blocks, each written as a block's batch is.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use base_gm::sm3::sm3;
use base_types::{Digest, Height};
use ledger_state::{Change, State};
use ledger_store::{Batch, Durability, Store};

use crate::sign::mix;

/// Keys a block while the tree is filled.
pub const FILL: u64 = 50_000;

/// A state that grows.
pub struct Tree {
    state: State,
    store: Store,
    next: Height,
}

/// Where the time of a block went.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    /// Computing the new nodes and the root.
    pub apply: Duration,
    /// Writing them.
    pub write: Duration,
}

/// A key as a contract's slot has: a tag, the contract, the slot.
pub fn key(number: u64) -> Vec<u8> {
    [b"evm/slot/", &[7; 20][..], &sm3(&number.to_be_bytes()).0].concat()
}

/// The change of a leaf at a height.
pub fn change(number: u64, height: Height) -> Change {
    let mut value = vec![0; 32];
    value[16..24].copy_from_slice(&height.to_be_bytes());
    value[24..].copy_from_slice(&number.to_be_bytes());
    (key(number), Some(value))
}

/// The leaves that the block of a height changes, drawn from those that there are.
pub fn drawn(height: Height, count: u64, leaves: u64) -> Vec<u64> {
    (0..count).map(|at| mix(mix(height) ^ at) % leaves.max(1)).collect()
}

impl Tree {
    /// An empty one in a new folder.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let store = Store::open(folder, &State::COLUMNS)?;
        Ok(Self { state: State::open(store.clone())?, store, next: 0 })
    }

    /// The height of the next block.
    pub fn next(&self) -> Height {
        self.next
    }

    /// Applies and writes the next block.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn block(&mut self, changes: Vec<Change>, durability: Durability) -> anyhow::Result<(Digest, Took)> {
        let (mut batch, began) = (Batch::new(), Instant::now());
        let root = self.state.apply(self.next, changes, &mut batch)?;
        let apply = began.elapsed();
        self.store.write(batch, durability)?;
        self.next += 1;
        Ok((root, Took { apply, write: began.elapsed().saturating_sub(apply) }))
    }

    /// Adds leaves up to a number.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn fill(&mut self, from: u64, leaves: u64) -> anyhow::Result<()> {
        for start in (from..leaves).step_by(FILL as usize) {
            let changes = (start..leaves.min(start + FILL)).map(|number| change(number, self.next)).collect();
            self.block(changes, Durability::Buffered)?;
        }
        Ok(self.store.flush()?)
    }

    /// Bytes on the disk, once all is in tables.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn disk_bytes(&self) -> anyhow::Result<u64> {
        self.store.flush()?;
        Ok(self.store.disk_bytes()?)
    }
}
