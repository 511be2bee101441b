//! The notary's service: follows the ledger, decides on proposals by rule, starts what is approved, keeps the book.

mod act;
mod book;
mod desk;
mod follow;
mod job;
mod sound;
mod stats;

pub use book::Book;
pub use desk::{Deriver, Desk, Journal, Order, Written, proposal_entry};
pub use job::{Cancelled, Ended, Job, JobStatus, Mark, Vote};
pub use sound::LONGEST_LIFE_MS;
pub use stats::{Stats, UseCount};
