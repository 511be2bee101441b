//! The interface between the chain and a virtual machine: one task in, its effects out, metered and without side effects.

use base_types::Digest;
use base_wire::{wire_enum, wire_struct};
use thiserror::Error;

use crate::{Address, Change, Env, StateView, Unavailable};

/// Most gas that one transaction may ask for.
pub const MAX_GAS: u64 = 100_000_000;
/// Longest code that may be deployed, in bytes; the EVM's own limits are lower.
pub const MAX_CODE: usize = 512 << 10;
/// Longest input of a call, in bytes.
pub const MAX_INPUT: usize = 128 << 10;
/// Longest output that is kept, in bytes.
pub const MAX_OUTPUT: usize = 64 << 10;
/// Most events of one transaction.
pub const MAX_EVENTS: usize = 1024;
/// Most bytes of the events of one transaction.
pub const MAX_EVENT_BYTES: usize = 256 << 10;

/// A kind of machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Machine {
    /// Ethereum's machine.
    Evm = 1,
    /// WebAssembly.
    Wasm = 2,
}
wire_enum!(Machine { 1 => Evm, 2 => Wasm });

/// What a contract announces while it runs; kept with the transaction, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The contract.
    pub contract: Address,
    /// What the event can be found by, at most four.
    pub topics: Vec<Digest>,
    /// The rest of it.
    pub data: Vec<u8>,
}
wire_struct!(Event { contract, topics, data });

/// What a machine is asked to do.
#[derive(Debug, Clone, Copy)]
pub enum Task<'a> {
    /// Make a contract.
    Deploy {
        /// Its code, as the compiler gave it.
        code: &'a [u8],
        /// What its constructor is given.
        input: &'a [u8],
    },
    /// Call a contract.
    Call {
        /// Which.
        to: Address,
        /// What it is given.
        input: &'a [u8],
    },
}

/// What a task led to; the chain makes all changes together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effects {
    /// Changes of the state.
    pub changes: Vec<Change>,
    /// Gas that was used, never more than the limit.
    pub gas: u64,
    /// What the contract returned.
    pub output: Vec<u8>,
    /// What it announced.
    pub events: Vec<Event>,
    /// The contract that was made.
    pub contract: Option<Address>,
}

/// Why a task changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Halt {
    /// It ended of itself or at a limit, on every node alike.
    #[error("{why}")]
    Reverted {
        /// What ended it, in words that are equal on every node.
        why: String,
        /// Gas that was used.
        gas: u64,
        /// What the contract returned while reverting.
        output: Vec<u8>,
    },
    /// The node cannot tell: it must stop.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// A virtual machine. The same view, environment, task and limit give the same result on every node and processor.
pub trait Vm: Send + Sync {
    /// Runs a task with at most `gas`; nothing is changed but what the effects say.
    ///
    /// # Errors
    /// [`Halt`].
    fn execute(&self, view: &dyn StateView, env: &Env, task: Task<'_>, gas: u64) -> Result<Effects, Halt>;
}
