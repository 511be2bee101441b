//! The desk on a ledger under the real contract, with the real policy and the real planner.

mod books;
mod life;
mod office;
mod programs;
mod proposals;
mod rows;
mod rules;
mod slow;
mod stats;
mod world;
