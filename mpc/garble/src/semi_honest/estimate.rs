//! What a run takes with its oblivious transfers, told before it.

use super::{FRAME_TABLES, PART, Role, Shape};
use crate::half_gates::TABLE_BYTES;

/// Bytes of a pair's transfer with the default parameters of [`mpc_ot::softspoken`]: the random transfer, both sealed labels, and
/// the bit that corrects the choice.
const TRANSFER_BYTES: u64 = 37;
/// Messages that wait for each other in a call of transfers: columns, challenge, answer, corrections and sealed labels.
const TRANSFER_ROUNDS: u64 = 5;
/// Bytes of memory that a transfer under way takes: three chunks of columns, keys and sealed labels.
const TRANSFER_MEMORY: u64 = 48 + 64 + 64;
/// Bytes of memory that a gate takes: as an operation, and while the circuit is compiled.
const GATE_MEMORY: u64 = 12 + 16;

/// The cost of one run, without the set-up of the transfers. All numbers but that of the gates are estimates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Estimate {
    /// AND gates; XOR gates and inversions cost memory alone.
    pub and_gates: u64,
    /// Bytes of all messages of both parties.
    pub bytes: u64,
    /// Times that a party waits for a message of the other.
    pub rounds: u64,
    /// Bytes of memory that each party takes at most.
    pub memory: u64,
}

impl Shape {
    /// What a run takes over the transfers that [`super::run`] sets up.
    pub fn estimate(&self) -> Estimate {
        let cost = self.cost();
        let calls: usize = self.owned(Role::Evaluator).iter().map(|range| range.len().div_ceil(PART)).sum();
        let largest = self.owned(Role::Evaluator).iter().map(|range| range.len().min(PART)).max();
        let frames = 2 * (FRAME_TABLES * TABLE_BYTES) as u64;
        let labels = (self.program().label_bytes() + 16 * self.program().input_bits()) as u64;
        Estimate {
            and_gates: cost.and,
            bytes: cost.bytes + TRANSFER_BYTES * cost.transfers,
            rounds: cost.rounds + TRANSFER_ROUNDS * calls as u64,
            memory: labels
                + GATE_MEMORY * (cost.and + cost.xor)
                + TRANSFER_MEMORY * largest.unwrap_or_default() as u64
                + frames,
        }
    }
}
