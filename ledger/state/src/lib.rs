//! The versioned Merkle state over SM3: one version a block, any height readable with proofs, roots indexed by height.
//!
//! Shape, hashing and so roots are those of the `jmt` crate (a test compares); the update is our own, because it takes
//! all of a block's keys at once, hashes every shared upper node once and the nodes of a level side by side. Newest values
//! lie flat, so that a read is one point read; overwritten ones and nodes that newer versions replaced stay as history until
//! they are pruned; nodes then go by generations, and what of an old one is still needed is carried over. A node that has no
//! state yet takes one over in parts that it checks against a certified root.

mod apply;
mod cache;
mod carry;
mod fault;
mod hashing;
mod node;
mod path;
mod prune;
mod restore;
mod rows;
mod serve;
mod snapshot;
mod state;
mod tree;
mod values;

pub use fault::StateError;
pub use restore::Restore;
pub use snapshot::{Leaf, Part, SnapshotFault, Spine, SpineEntry, verify_part};
pub use state::{Change, HEIGHT_KEY, Keep, State, StateOptions};
