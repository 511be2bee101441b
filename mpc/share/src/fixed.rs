//! Fixed-point numbers: secret integers with a public scale and a public range that excludes overflow.
//!
//! A number is an integer modulo 2^64 divided by 2^frac. Owners are held to the range they declare; every operation
//! bounds its result by [`crate::interval`] and refuses where it might not fit, so nothing ever wraps silently. [`Functions`] are
//! written once, over the few operations of an [`Engine`]: the three-party engine here, others in crates of their own. They work
//! with 30 fractional bits inside, on a number brought to `[1, 2)` by its first bit, and round by [`Engine::truncate`], so the
//! precision is that of any engine. With a unit (ulp) of 2^-frac, `1 <= frac <= 20`, errors are at most:
//!
//! | Operation | Error | Method |
//! |---|---|---|
//! | +, -, times a public integer, comparison, min, max, abs, relu | 0 | |
//! | product, sum of products, product of matrices | 1 ulp | one truncation |
//! | reciprocal `1/x` | 2 ulp + `2^-26` of the result | cubic, two steps of Newton |
//! | division `x/y` | 2 ulp + `2/y` ulp + `2^-25` of the result | the same; numerators of 34 bits and more lose a bit each |
//! | square root | 2 ulp + `2^-26` of the result | inverse root by a cubic and two steps of Newton, times the number |
//! | inverse square root | 2 ulp + `2^-26` of the result | the same |
//! | exp | 2 ulp + `2^-24` of the result | bits of the integer part, polynomial of degree 6 |
//! | log | 2 ulp | place of the first bit, polynomial of degree 10 |
//! | sigmoid | 2 ulp | exp of the magnitude, reciprocal on `[1, 2]` without normalisation |
//!
//! A square root of 0 is within the same error; a number that is outside its declared range gives a meaningless result, and nothing is learnt.

mod arithmetic;
mod engine;
mod exponential;
mod functions;
mod normal;
mod number;
mod power;

pub use engine::{Column, Engine, Factors, Planes};
pub use functions::Functions;
pub use number::{Fixed, MAX_FRAC};

/// Fractional bits inside functions.
pub(crate) const INNER: u32 = 30;
/// log2 e with [`INNER`] fractional bits.
pub(crate) const LOG2_E: i64 = 1_549_082_005;
/// ln 2 with [`INNER`] fractional bits.
pub(crate) const LN_2: i64 = 744_261_118;
/// 1 with [`INNER`] fractional bits.
pub(crate) const ONE: u64 = 1 << INNER;
