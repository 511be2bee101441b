//! Pseudorandom correlation generator: long correlations from a short exchange and LPN, against malicious peers.
//!
//! Boyle et al., "Efficient Two-Round OT Extension and Silent Non-Interactive Secure Computation" (CCS 2019), with the
//! expand-convolute codes of Raghuraman, Rindal and Tanguy (CRYPTO 2023). The sender holds `Δ` in GF(2^128); of a batch of `n`
//! it gets `C`, and the receiver `A` and `B` with `C = A·Δ + B`, where `A` is over GF(2) ([`crate::silent`]) or over GF(2^128)
//! ([`crate::vole`]).
//!
//! 1. **Base correlations** from [`crate::softspoken`] under the same `Δ`: random transfers for the trees, correlated ones that
//!    add up to a few VOLE elements (`gather`).
//! 2. **Noise** (`tree`): 128 GGM trees of `2^d` leaves, `2n` in all. The receiver lacks one leaf of each, at a place that the random
//!    choices of the base transfers decide, so no choice is sent; there it gets the sender's leaf plus `β·Δ`. The leaves are then
//!    `C' = e·Δ + B'` for a regular noise vector `e` of weight 128.
//! 3. **Consistency check** (`check`): a random linear combination of all leaves must satisfy the same relation, as in Ferret (Yang et
//!    al., CCS 2020) and Wolverine (Weng et al., S&P 2021). A sender that cheats in a tree has to guess places of the noise, and is
//!    caught when wrong; what a passed guess tells costs the assumption a bit on average.
//! 4. **Compression** (`code`): `C`, `A`, `B` are a public linear map `F^2n → F^n` of `C'`, `e`, `B'`; `A` is pseudorandom by dual
//!    LPN for regular noise and this code.
//!
//! A malicious receiver can do what it can in the base extension: guess bits of `Δ` and be caught when wrong; the check's digest
//! tells it no more than whether one full guess of `Δ` is right.

mod check;
mod code;
mod gather;
mod parameters;
mod receiver;
mod receiving;
mod sender;
mod sending;
#[cfg(test)]
mod tests;
mod tree;

pub use parameters::{Expander, Parameters};
pub(crate) use receiver::Receiver;
pub(crate) use sender::Sender;

/// The field of the receiver's `A`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Field {
    /// GF(2): the noise is 1 where it is not 0, and `A` is the lowest bit of `B`.
    Bits,
    /// GF(2^128): the noise is uniform where it is not 0.
    Blocks,
}

/// Weight of the noise: trees of a batch.
const NOISE: usize = 128;
/// Batches that one call of the base extension supplies.
const GROUP: usize = 32;
