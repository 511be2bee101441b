//! Raft as the second engine: a Raft group orders blocks, and each validator seals what the group has committed.
//!
//! One group an epoch; a validator's name in it is its place in the epoch, counted from 1. The group's log holds blocks
//! and nothing else, one height after another: an entry counts only when its block has the form of the height after the
//! one accepted last (`form`), which every log decides alike, so there is one block a height. A validator seals it
//! (signs its precommit of round 0) after the group has committed it and the chain has found it valid, once a height
//! and never a second one; more than two thirds of the seals are the certificate. So whoever lies to the group may halt
//! the chain for good, as an unsealable block does, but two certificates at a height would need a third of the
//! validators to seal twice. The chain gives no member a block whose time is far ahead of the member's clock, and
//! for a while nothing else that its sender says as a leader: one with a wrong clock commits nothing and is replaced.
//!
//! Nothing runs between heights: without a timer the group neither elects nor beats, and a leader that died meanwhile
//! is missed when the next height runs. Messages count only at the height that they name; a validator that is behind
//! gets the blocks from the chain, and the log, or a snapshot of where it begins, from the leader once it has caught
//! up. So does one that lost its log within an epoch: it learns first how far the terms have got (`terms`), and the
//! leader takes back that it had acknowledged anything (`guard`).

mod engine;
mod form;
mod group;
mod guard;
mod log;
mod record;
mod seal;
mod terms;
mod wire;

pub use engine::Raft;
pub(crate) use record::Kept;
pub(crate) use wire::block_of;
pub use wire::is_of_leader;
