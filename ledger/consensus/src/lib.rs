//! Agreement on blocks: pure BFT and Raft engines behind one trait, without sockets, clocks, disk or threads.
//!
//! [`Bft`] and [`Raft`] take one [`Input`] at a time and return what is to be done, in order: the same inputs always
//! give the same outputs, so that a whole cluster runs under one seed (see `tests/simulation`). For BFT, `context`
//! fills in Malachite's types, `effects` turns each of its effects into an [`Output`], `own` keeps it from ever signing
//! twice; the other engine is all in `raft`. `wal` is the log of both.

mod api;
mod blocks;
mod certificate;
mod context;
mod early;
mod effects;
mod engine;
mod options;
mod own;
mod raft;
mod shell;
mod signing;
mod wal;
mod wire;

pub use self::raft::{Raft, is_of_leader};
pub use api::{Engine, Input, Output, TimerId, TimerKind};
pub use context::proposer;
pub use engine::Bft;
pub use options::Options;
pub use wal::WalRecord;
pub use wire::{join_block, message_height, split_block};
