//! Authenticated garbling: circuits among 2 to 8 parties, all but one of which may be malicious, over correlated transfers.
//!
//! Tiers C and D: malicious with abort, constant rounds (but for the chunks of large circuits). [`Session::setup`] makes the
//! transfers of every pair once ([`mpc_ot::softspoken`], malicious); [`Session::run`] evaluates one circuit, any number of times.
//! A [`Shape`] says whose the inputs are and who receives which output, and what that costs.
//!
//! The protocol is that of Wang, Ranellucci and Katz ("Global-Scale Secure Multiparty Computation", CCS 2017) with the half gates and
//! the cheaper triples of Katz, Ranellucci, Rosulek and Wang ("Optimizing Authenticated Garbling for Faster Secure Two-Party
//! Computation", CRYPTO 2018), for more than two parties as in Yang, Wang and Zhang ("More Efficient MPC from Improved Triple
//! Generation and Authenticated Garbling", CCS 2020):
//!
//! 1. Authenticated bits from correlated transfers (`shares`), leaky products of them (`leaky`), checked (`triples`), and
//!    combined in buckets to AND triples (`bucket`) with an error of 2^-40 (`parameters`).
//! 2. Random masks for all wires and shares of their products (`prepare`).
//! 3. Masked inputs, tables from every garbler (`garbler`) to the evaluator (`evaluator`), and outputs (`online`).
//! 4. Before any output is unmasked, a check of every AND gate at every party (`verify`): garblers by the labels that the evaluator
//!    holds, the evaluator by the shares of what has to be zero.
//!
//! *What is guaranteed*: an honest party ends with the right outputs or with an abort, whatever the others do, and nobody learns more
//! than its outputs. Not that everybody gets them: who cheats may keep them from the others. *Blame*: between two parties an
//! abort names the other; among more, the checks cover what all of them sent together, and the abort says that it cannot tell.
//!
//! *Leakage of `Δ`*: a corrupt party may guess bits of another's `Δ` in the set-up ([`mpc_ot::softspoken`]); a guess of `c` bits
//! passes with probability `2^-c`, and 128 − c bits stay unknown, so nothing that is shown here becomes likelier than 2^-127.
//!
//! *Known mistakes that are avoided*: no hash is used without session, owner and index as its tweak; what a check compares is fixed
//! before its challenge is drawn; the opened bits of buckets are authenticated and checked; values that are broadcast among more than
//! two parties are compared; transfers come from SoftSpokenOT, not from the check of Keller, Orsini and Scholl.

mod bits;
mod bucket;
mod combination;
mod correlation;
mod estimate;
mod evaluator;
mod garbler;
mod leaky;
mod net;
mod online;
mod opening;
mod parameters;
mod plan;
mod prepare;
mod session;
mod shape;
mod shares;
mod triples;
mod tweak;
mod verify;

pub use correlation::Correlation;
pub use estimate::{Estimate, limits};
pub use session::{Ready, Session};
pub use shape::{MOST_PARTIES, Outputs, Shape, ShapeError};
