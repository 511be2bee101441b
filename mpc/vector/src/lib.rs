//! Vector programs on shares of three parties or two: a checked straight-line language of fixed-point matrices, and its run.
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
//! ranges, so that nothing can overflow in a run, and tells what a run takes; [`run`] executes it. Numbers are integers modulo 2^64
//! divided by 2^scale; `wide` values are integers modulo 2^128.
//!
//! A program is checked for one [`Scheme`], which is one engine: `mpc-share` among three parties (tier B), `mpc-checked` among three of
//! which one may deviate (tier B+), `mpc-two` between two (tier A). Functions, their precision ([`mpc_share::fixed`]) and the ranges that
//! exclude an overflow are the same with each: all truncate numbers from -2^62 to 2^62 - 1 to the floor, or to one unit more. What differs:
//! in B+ a truncation is the floor itself, so that results are the same at every run (unless rows are shuffled); elsewhere it rounds by
//! coins of the sharing. Wide integers exist in tier B alone, and a program that has some is refused where it is checked for another.

mod check;
mod checked;
mod cost;
mod eval;
mod expression;
mod form;
mod function;
mod operate;
mod party;
mod places;
mod problem;
mod program;
mod ranges;
mod rates;
mod rows;
mod run;
mod scheme;
mod shown;
mod source;
mod step;
mod three;
mod token;
mod two;

pub use cost::Size;
pub use form::{Column, Declared, Form, Kind};
pub use function::FUNCTIONS;
pub use problem::{Place, Problem, Why};
pub use program::{Program, Refused, Returned};
pub use run::{Placement, Told, run};
pub use scheme::Scheme;
pub use source::Source;
