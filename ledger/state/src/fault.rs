//! What can be wrong with the state, or with what it is asked.

use base_types::Height;
use ledger_store::StoreError;
use thiserror::Error;

use crate::SnapshotFault;

/// Why the state did not answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StateError {
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A row is missing or cannot be read.
    #[error("the state is damaged: {0}")]
    Damaged(&'static str),
    /// A version was applied out of order.
    #[error("height {given} cannot follow the state's height")]
    Order {
        /// The height given.
        given: Height,
    },
    /// There is no such version.
    #[error("the state has no height {0}")]
    NoHeight(Height),
    /// There was such a version; it is kept no longer, or this node began with a later one.
    #[error("the state of height {0} is no longer kept here")]
    Pruned(Height),
    /// A state was being taken over when the program ended; the taking over has to begin again.
    #[error("the state was taken over in part only")]
    Unfinished,
    /// A state can be taken over only where there is none.
    #[error("there is a state already")]
    NotEmpty,
    /// Another release wrote the state in rows that this one does not know.
    #[error("the state was written in another layout")]
    Layout,
    /// What another node gave does not belong to the state that was asked for.
    #[error(transparent)]
    Snapshot(#[from] SnapshotFault),
}
