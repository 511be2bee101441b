//! Oblivious transfer and VOLE against malicious peers: base transfers, SoftSpoken extension, silent correlations from LPN.
//!
//! Tier C: malicious, two parties. [`base`] makes 128 transfers from public-key operations, in two messages. [`softspoken`]
//! extends them to any number from AES alone: correlated, random and chosen ones, in chunks of bounded memory. [`silent`]
//! makes correlated transfers, and [`vole`] linear evaluations over GF(2^128), from little communication and LPN ([`pcg`]).
//!
//! Leaf protocols step without I/O; the compositions are `async` over a fork of the session's `Context` that the two ends
//! keep for themselves, so a transfer's index, which tweaks every hash, belongs to one session and never comes twice.
//!
//! An abort is final: the state of the extension is destroyed with it, and every later call says so. The same holds when a
//! call is cancelled half-way.

pub mod base;
pub mod bits;
mod link;
pub mod pcg;
mod place;
pub mod silent;
pub mod softspoken;
pub mod vole;

pub use place::Place;
