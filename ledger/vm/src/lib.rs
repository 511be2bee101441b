//! Native contracts: what a transaction may change, decided from the state and the block alone, the same on every node.

mod keys;
mod native;
pub mod notary;

pub use keys::{executed_key, genesis_changes, member_key, organisation_key};
pub use native::{Change, Env, Native, Refusal, StateView, Stop, Unavailable};
