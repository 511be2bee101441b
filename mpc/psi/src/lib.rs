//! Private set intersection: two parties, labelled, on shares, several parties, small against large, in bounded memory.
//!
//! Tier C unless a module says otherwise: malicious, two parties. [`element`] turns rows of keys into blocks of 128
//! bits, [`okvs`] encodes many of them into a table that hides them, [`oprf`] makes from both and a VOLE a pseudorandom
//! function that the receiver evaluates on its blocks only, [`two`] and [`labelled`] intersect with it, and
//! [`partitioned`] does so in bounded memory. [`circuit`] computes on an intersection that nobody learns, [`multi`]
//! intersects the sets of three to eight parties, and [`unbalanced`] a few elements with a large set that is published
//! once.

pub mod circuit;
pub mod element;
pub mod labelled;
mod line;
mod mode;
pub mod multi;
pub mod okvs;
pub mod oprf;
mod order;
pub mod partitioned;
mod records;
pub mod two;
pub mod unbalanced;

pub use mode::Mode;
