//! Vector programs on three-party shares: a checked straight-line language of fixed-point matrices, and its run.
//!
//! ```text
//! scale 16;                                  // fractional bits of every number
//! input x[200, 2];                           // 200 rows of two columns
//! input w[2] from -4 to 4;
//! risk = sigmoid(matmul(x, w));
//! return risk;
//! ```
//!
//! [`Source::parse`] takes the text apart, [`Source::check`] follows the range of every value from the inputs' declared
//! ranges, so that nothing can overflow in a run, and tells what a run takes; [`run`] executes it in tier B of `mpc-share`,
//! whose documentation states the precision of every operation. Numbers are integers modulo 2^64 divided by 2^scale;
//! `wide` values are integers modulo 2^128.

mod check;
mod cost;
mod eval;
mod expression;
mod form;
mod function;
mod operate;
mod places;
mod problem;
mod program;
mod rows;
mod run;
mod shown;
mod source;
mod step;
mod token;

pub use cost::Size;
pub use form::{Column, Declared, Form, Kind};
pub use function::FUNCTIONS;
pub use problem::{Place, Problem, Why};
pub use program::{Program, Refused, Returned};
pub use run::{Placement, Told, run};
pub use source::Source;
