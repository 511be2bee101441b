//! Two parties evaluate a circuit by half gates: one garbles, the other evaluates. Tier A.
//!
//! Yao's protocol as Lindell and Pinkas describe it (Journal of Cryptology 22(2), 2009), with half gates. Messages:
//!
//! 1. The evaluator's labels, by oblivious transfer ([`crate::transfer`]).
//! 2. Garbler to evaluator: the labels of the garbler's inputs, the tables in frames of [`FRAME_TABLES`], and for
//!    outputs that the evaluator receives the hashes of both labels. A frame is sent as soon as it is garbled, so the
//!    evaluator works meanwhile and neither side holds more than one.
//! 3. Evaluator to garbler, where it receives outputs: their labels.
//!
//! Semi-honest: a garbler that garbles another circuit than agreed is not noticed, which is why plans name the tier.
//! What *is* noticed: a frame of another session, shape, number or length, a table, label or hash that was changed and
//! matters, and labels that stand for neither value. Such a run ends in an [`Abort`](mpc_core::Abort) that blames the
//! peer, and gives no result. An evaluator that lies about the garbler's outputs is caught but for a guess of 128 bits.

mod estimate;
mod evaluate;
mod garble;
mod run;
mod shape;

pub use estimate::Estimate;
pub use evaluate::evaluate;
pub use garble::garble;
pub use run::run;
pub use shape::{Cost, Outputs, Receivers, Role, Shape};

/// Tables in one frame (256 KiB): large enough for the network, small enough for the second-level cache.
pub const FRAME_TABLES: usize = 1 << 13;
/// Labels or hashes in one message, and pairs in one call of oblivious transfer.
const PART: usize = 1 << 16;

/// The pieces of `count` things, `size` at most each: first and number.
fn parts(count: usize, size: usize) -> impl Iterator<Item = (usize, usize)> + Send {
    (0..count).step_by(size).map(move |first| (first, size.min(count - first)))
}
