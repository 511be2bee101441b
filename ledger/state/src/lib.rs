//! The versioned Merkle state over SM3: one version a block, any height readable with proofs, roots indexed by height.
//!
//! Shape, hashing and so roots are those of the `jmt` crate (a test compares); the update is our own, because it takes
//! all of a block's keys at once and hashes every shared upper node once.

mod node;
mod state;
mod tree;

pub use state::{Change, HEIGHT_KEY, State, StateError};
