//! One cheat a file: what a party, a proposal or a file can do wrong, and how every honest party ends.
//!
//! Three nodes run the real runner over links with mutual TLS; one of them is driven by a cheat that follows the protocol
//! until it deviates; of an intersection, overlap or program one of its owners. Honest parties end with a fault that has a code, a party and a step, note a receipt with the blame,
//! keep no answer, and never panic.

mod altered_payload;
mod approvals;
mod called_off;
mod certificate;
mod changed_plan;
mod cheat;
#[path = "../common/mod.rs"]
mod common;
mod extension;
mod false_opening;
mod garbage;
mod leaving;
mod nonces;
mod other_session;
mod own_disk;
mod owners;
mod programs;
mod published;
mod ranges;
mod replay;
mod room;
mod rows;
mod silence;
mod stage;
mod truncation;
mod verdict;
mod zeros;
