//! Three-party replicated secret sharing on Z_2^64 and on 64-bit words of bits: arithmetic, shuffles, sorts, division.
//!
//! Tier B: semi-honest, three parties, one of them corrupt; any two together see every input. A secret `x` is the sum
//! (for [`Words`]: the exclusive or) of three components, `x = x0 + x1 + x2`; party `i` holds `x_i` and `x_{i+1}`. What
//! a single party sees is uniformly random, whatever the inputs are. [`Rep3`] holds a party's state; [`Shared`] is a
//! vector of secrets, so that a step of many rows is one message. [`Bits`] are single secret bits, packed; [`Wide`] are integers
//! modulo 2^128; [`fixed`] has fixed-point numbers and their functions, [`interval`] what may be planned with them. What an engine
//! of another tier computes in the same way is written once, against [`Replicated`].

mod bits;
mod boolean;
mod carry;
mod cross;
mod divide;
pub mod fixed;
pub mod fold;
mod input;
pub mod interval;
mod matrix;
mod moves;
mod order;
mod pairs;
mod parts;
mod prefix;
mod quick;
mod radix;
mod ranking;
mod rep3;
mod replicated;
mod reveal;
mod ring;
mod scan;
mod seeds;
mod shared;
mod shuffle;
mod sort;
mod stream;
mod table;
mod truncate;
mod wide;

pub use bits::Bits;
pub use fixed::Fixed;
pub use moves::permutation;
pub use parts::neighbour_seeds;
pub use ranking::Ranking;
pub use rep3::Rep3;
pub use replicated::{Integers, Masks, Replicated};
pub use ring::{Bits64, Ring, Z64};
pub use scan::Carried;
pub use shared::{Arith, Shared, View, Words};
pub use truncate::MOST_PLACES;
pub use wide::{MOST_WIDE_PLACES, Wide};
