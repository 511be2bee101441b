//! Base oblivious transfers, 128 at once: endemic transfer of Masny and Rindal over ristretto255, against malicious peers.
//!
//! Masny and Rindal, "Endemic Oblivious Transfer" (CCS 2019), the two-message construction from Diffie–Hellman key
//! agreement. For every transfer the receiver with choice `b` draws a point `r_{1-b}` whose logarithm nobody knows, and
//! sends it with `r_b = x·G − H_b(r_{1-b})`. The sender answers with `A = a·G`; its two keys are hashes of
//! `a·(r_j + H_j(r_{1-j}))`, the receiver's key is the hash of `x·A`. Both are leaf steps without I/O.
//!
//! *What is guaranteed*: the receiver knows one key of each pair, the sender does not learn which (the two points are
//! distributed alike). The transfer is endemic: a corrupt party may decide the value of the keys that it knows, so a key
//! is only used as a one-time pad for what its own sender chooses.
//!
//! *Not Chou–Orlandi*: "The Simplest Protocol" has no simulator that extracts the receiver's choices in time, so it is
//! not a building block for extension. *No reuse across transfers*: every transfer has a point `A` of its own, and every hash
//! binds session, parties, roles and index; reusing `A` with hashes that forget the index has broken extensions
//! (McQuoid, Rosulek and Roy, "Batching Base Oblivious Transfers", Asiacrypt 2021).
//!
//! Points are the canonical encodings of ristretto255 (RFC 9496); the identity and everything else that does not decode
//! is refused. The outcome of a failed decoding depends on the peer's bytes alone.

mod group;
mod receiver;
mod sender;
#[cfg(test)]
mod tests;

pub use group::BadMessage;
pub use receiver::Receiver;
pub use sender::{Pairs, answer};

/// Transfers of one run.
pub const COUNT: usize = 128;
/// Length of the receiver's message: two points a transfer.
pub const REQUEST_BYTES: usize = COUNT * 2 * group::POINT_BYTES;
/// Length of the sender's message: one point a transfer.
pub const ANSWER_BYTES: usize = COUNT * group::POINT_BYTES;
