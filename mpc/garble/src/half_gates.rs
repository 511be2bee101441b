//! Half gates: garbling with free XOR and two blocks an AND gate, step by step without I/O.
//!
//! Zahur, Rosulek and Evans, "Two Halves Make a Whole" (EUROCRYPT 2015), Fig. 2. A wire's label for 1 is its label for
//! 0 plus the secret `Δ` (free XOR), whose lowest bit is 1, so that a label's lowest bit tells which row applies and
//! nothing else (point and permute). The hash is TMMO under a public key of the session, a tweakable circular
//! correlation robust one in the ideal-permutation model (Guo, Katz, Wang and Yu, S&P 2020, section 7.4), never bare
//! fixed-key MMO. Its tweak is the number of the AND gate in the program, marked with the half; decoding has a mark of
//! its own, so no tweak comes twice under one key and `Δ`.
//!
//! *Costs* of an AND gate: 32 bytes; four hashes (eight AES calls) at the garbler, two (four AES calls) at the
//! evaluator. XOR gates and inversions cost no hash and no byte.
//!
//! The garbler's steps: [`Garbler::start`], labels from [`InputLabels`], [`Garbler::fill`] until every table is
//! written, [`Garbler::finish`]. The evaluator's: [`Evaluator::start`], [`Evaluator::feed`], [`Evaluator::finish`]. How
//! the tables are cut into pieces makes no difference. One garbling serves one evaluation: a second one under the same
//! labels would tell `Δ`.
//!
//! ```
//! use std::sync::Arc;
//!
//! use mpc_block::Block;
//! use mpc_garble::circuit::{Builder, Limits};
//! use mpc_garble::half_gates::{Evaluator, Garbler, TABLE_BYTES};
//! use mpc_garble::program::{Program, Schedule};
//!
//! let mut b = Builder::new(&[1, 1], Limits::default())?;
//! let (x, y) = (b.input(0)[0], b.input(1)[0]);
//! let both = b.and(x, y);
//! b.output(&[both]);
//! let program = Arc::new(Program::new(&b.finish()?, Schedule::Layered));
//!
//! let (key, seed) = (Block::from_u128(1), Block::from_u128(2));
//! let (labels, mut garbler) = Garbler::start(program.clone(), key, seed);
//! let active = labels.active(0, &[true, true]);
//! let mut tables = [0; TABLE_BYTES];
//! assert_eq!(garbler.fill(&mut tables), TABLE_BYTES);
//! let decoding = garbler.finish()?;
//!
//! let mut evaluator = Evaluator::start(program, key, &active)?;
//! evaluator.feed(&tables)?;
//! let outputs = evaluator.finish()?;
//! assert_eq!(*outputs.decode(0, &decoding.hashes(0..1))?, [true]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod decode;
mod evaluator;
mod garbler;
mod hash;

use thiserror::Error;

pub use decode::{Decoding, OutputLabels};
pub use evaluator::Evaluator;
pub use garbler::{Garbler, InputLabels};

/// Bytes of a label.
pub const LABEL_BYTES: usize = 16;
/// Bytes of an AND gate's table: its garbler half, then its evaluator half.
pub const TABLE_BYTES: usize = 32;
/// Bytes that decoding takes for an output bit: the hashes of both labels.
pub const HASHES_BYTES: usize = 32;

/// Why a run of the garbling cannot go on or gives no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum GarbleError {
    /// Labels for another number of input bits than the program has.
    #[error("labels for another number of input bits")]
    Inputs,
    /// Bytes that are no whole number of tables, or more tables than are left.
    #[error("{0} bytes of tables that do not fit")]
    Tables(usize),
    /// The run is not at its end.
    #[error("{0} tables are still to come")]
    Unfinished(usize),
    /// Another number of bytes for the output bits than is due.
    #[error("another number of bytes than the output bits take")]
    Outputs,
    /// A label that stands for neither value: a table, a label or a hash was changed on the way, or never right.
    #[error("the label of output bit {0} stands for neither value")]
    Undecodable(usize),
}
