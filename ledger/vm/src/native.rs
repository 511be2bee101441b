//! The interface between the chain and a native contract.

use base_types::{Digest, Height, TimeMs};
use base_wire::Decode;
use ledger_light::Member;
use thiserror::Error;

/// A key and its new value, `None` to remove it.
pub type Change = (Vec<u8>, Option<Vec<u8>>);

/// The state could not be read: no verdict on the transaction, the node must stop.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the state cannot be read: {0}")]
pub struct Unavailable(pub String);

/// The state as the transaction finds it.
pub trait StateView {
    /// The value of a key.
    ///
    /// # Errors
    /// [`Unavailable`] when storage fails, which is never the same as an absent key.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Unavailable>;
}

/// Why a contract refuses a transaction; recorded, and equal on every node.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Refusal(pub String);

/// Why a transaction changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Stop {
    /// The rules forbid it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The node cannot tell.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// What surrounds the transaction.
#[derive(Debug, Clone)]
pub struct Env {
    /// The chain's genesis digest.
    pub chain: Digest,
    /// Height of its block.
    pub height: Height,
    /// Time of its block: expiry is judged by it.
    pub time: TimeMs,
    /// Its digest.
    pub tx: Digest,
    /// Who signed it.
    pub sender: Member,
}

/// A contract that is part of the program.
pub trait Native: Send + Sync {
    /// Decides on a payload; the changes are made together or not at all.
    ///
    /// # Errors
    /// [`Stop`].
    fn execute(&self, view: &dyn StateView, env: &Env, payload: &[u8]) -> Result<Vec<Change>, Stop>;
}

/// Reads a value that a native contract wrote.
pub(crate) fn read<T: Decode>(view: &dyn StateView, key: &[u8]) -> Result<Option<T>, Unavailable> {
    let Some(bytes) = view.get(key)? else { return Ok(None) };
    T::from_wire(&bytes).map(Some).map_err(|e| Unavailable(format!("a value in the state is damaged: {e}")))
}
