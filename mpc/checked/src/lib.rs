//! Three-party replicated secret sharing that stands a malicious party: every product and shuffle is proven before an opening.
//!
//! Tier B+: three parties, one of them corrupt and free in what it sends; the honest ones get the right result or abort. Any
//! two together see every input. The data are those of [`mpc_share`]: a secret is the sum (for words of bits: the exclusive
//! or) of three components, of which party `i` holds `x_i` and `x_{i+1}`. [`Checked`] is a party's state.
//!
//! * A product costs what it costs in the semi-honest engine, 8 bytes a party, and is recorded. Any false share of it is an
//!   additive error that its sender knows.
//! * [`Checked::verify`], by which every opening begins, proves all that is recorded at once, with messages of some tens of
//!   kilobytes whatever their number: proofs on secret-shared data by fully linear PCPs (Boneh et al., CRYPTO 2019; Boyle et
//!   al., CCS 2019), integers by way of a random prime instead of an extension ring, bits 128 to an element of GF(2^128). A
//!   false product or shuffle stays undetected with probability below 2^-46.
//! * The two honest parties always hold one component in common, and what a corrupt one sends reaches only one of them: there
//!   are no inconsistent sharings, so an input needs no check. (What a corrupt party sends *is* its input.)
//! * Fixed-point numbers have the functions of [`mpc_share::fixed`], made of products alone.
//! * An opening compares the missing component with a one-time authentication by its other holder.
//!
//! An abort is final: every later call of the party refuses. Where one of two peers must have lied and nobody can tell which,
//! the abort says so ([`mpc_core::Blame::OneOf`]).

mod bits;
mod compare;
mod expand;
mod field;
mod fixed;
mod gf;
mod input;
mod integers;
mod link;
mod matrix;
mod moves;
mod open;
mod party;
mod planes;
mod prime;
mod product;
mod prove;
mod record;
mod replicated;
mod shuffle;
mod stream;
mod tally;
mod verify;
mod wiped;
mod words;

pub use party::{Checkable, Checked};
