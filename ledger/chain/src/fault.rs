//! What the chain answers when it cannot do what was asked.

use base_types::{
    Height,
    fault::{Code, Fault},
};
use ledger_state::StateError;
use ledger_store::StoreError;
use thiserror::Error;

/// What to do about damage.
const REMEDY: &str = "with the node stopped, `heqi chain repair` fetches the ledger from the peers again, `heqi chain restore` from a backup";

/// Why the chain did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChainFault {
    /// Too few validators answered in time; the transaction may still be executed, and sending it again is harmless.
    #[error("no quorum of validators within {0} ms")]
    NoQuorum(u64),
    /// The transaction can never be executed.
    #[error("the transaction is not admitted: {0}")]
    Inadmissible(String),
    /// The pool has no room for this sender now.
    #[error("too many transactions are waiting")]
    Busy,
    /// There is no such subject, block or transaction.
    #[error("the ledger has no {0}")]
    NotFound(&'static str),
    /// No space is left; nothing was half-written.
    #[error("the disk is full")]
    DiskFull,
    /// Another process holds the folder.
    #[error("the folder is in use")]
    FolderInUse,
    /// What is stored cannot be read back.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
    /// The disk fails otherwise.
    #[error("storage fails: {0}")]
    Storage(String),
    /// The folder holds another chain.
    #[error("the folder holds another chain")]
    OtherGenesis,
    /// The validators certified what this node's state contradicts.
    #[error("this node's state differs from the certified block {height}: {why}")]
    Diverged {
        /// Height of the block.
        height: Height,
        /// What differs.
        why: String,
    },
    /// The node takes a state over from its peers and serves nobody until it has it; so many per cent are here.
    #[error("this node is taking a state over from its peers ({0} %)")]
    NotReady(u8),
    /// The node was stopped.
    #[error("the chain was stopped")]
    Stopped,
}

impl From<StoreError> for ChainFault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::InUse => Self::FolderInUse,
            StoreError::DiskFull => Self::DiskFull,
            StoreError::Damaged(what) => Self::Damaged(what),
            other => Self::Storage(other.to_string()),
        }
    }
}

impl From<StateError> for ChainFault {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Store(error) => error.into(),
            StateError::Pruned(_) => Self::NotFound("state of that height any more"),
            StateError::NoHeight(_) => Self::NotFound("state of that height"),
            other => Self::Damaged(other.to_string()),
        }
    }
}

impl ChainFault {
    /// The fault as people are told it.
    pub fn fault(&self, step: impl Into<String>) -> Fault {
        let code = match self {
            Self::NoQuorum(_) | Self::NotReady(_) => Code::NoQuorum,
            Self::Inadmissible(_) | Self::Busy => Code::TransactionRefused,
            Self::NotFound(_) => Code::NotFound,
            Self::DiskFull => Code::DiskFull,
            Self::FolderInUse | Self::OtherGenesis => Code::FolderInUse,
            Self::Damaged(_) | Self::Storage(_) | Self::Diverged { .. } => Code::StorageDamaged,
            Self::Stopped => Code::Internal,
        };
        let detail = match self {
            Self::Damaged(what) => format!("{what}; {REMEDY}"),
            Self::Storage(what) => what.clone(),
            other => other.to_string(),
        };
        Fault::new(code, step, detail)
    }
}
