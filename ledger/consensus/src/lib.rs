//! Agreement on blocks: a pure BFT engine on Malachite's core, without sockets, clocks, disk or threads.
//!
//! [`Bft`] takes one [`Input`] at a time and returns what is to be done, in order: the same inputs always give the same
//! outputs, so that a whole cluster runs under one seed (see `tests/simulation`). `context` fills in Malachite's types,
//! `effects` turns each of its effects into an [`Output`], `own` keeps it from ever signing twice, `wal` is its log.

mod api;
mod blocks;
mod certificate;
mod context;
mod early;
mod effects;
mod engine;
mod options;
mod own;
mod shell;
mod signing;
mod wal;
mod wire;

pub use api::{Engine, Input, Output, TimerId, TimerKind};
pub use engine::Bft;
pub use options::Options;
pub use wal::WalRecord;
pub use wire::message_height;
