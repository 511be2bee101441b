//! Own arithmetic of the SM2 curve for what happens often: verification with tables, and signing in constant time.
//!
//! From the ground up: [`limbs`] (256-bit integers), [`field`] and [`scalar`] (modulo p, n), [`point`] (public points),
//! [`comb`] and [`naf`] (public multiples with and without a table), [`constant`] (secret multiples of the generator),
//! [`digest`] (what is signed), [`verify`], [`sign`], and [`tables`] (which keys have a table).

pub(super) mod limbs;
pub(super) mod point;
pub(super) mod scalar;
pub(super) mod sign;
pub(super) mod tables;

mod comb;
mod constant;
mod digest;
mod field;
mod naf;
mod verify;
