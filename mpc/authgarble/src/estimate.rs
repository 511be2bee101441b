//! What a run costs, told before it.

use mpc_garble::circuit::Circuit;

use crate::parameters::{Chunk, chunks};
use crate::plan::Plan;
use crate::shape::MOST_PARTIES;
use crate::triples::drawn;

/// Transfers in a chunk of the extension, which takes a round.
const CHUNK: u64 = 1 << 16;

/// The cost of one run, without the set-up of the session. All numbers but that of the gates are estimates, within a few per
/// cent for circuits of more than some thousand AND gates; they hold for the default parameters of the transfers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Estimate {
    /// AND gates of the circuit; XOR gates and inversions cost memory alone.
    pub and_gates: u64,
    /// Leaky triples that the AND gates take.
    pub leaky_triples: u64,
    /// Bytes of all messages of all parties, if everybody receives every output.
    pub bytes: u64,
    /// Times that a party waits for a message of another.
    pub rounds: u64,
    /// Bytes of memory that each party takes at most.
    pub memory: u64,
}

/// What a run of `circuit` by `parties` parties costs. Compiles the circuit, so it takes time and memory in proportion to its gates,
/// but no message.
pub fn limits(circuit: &Circuit, parties: usize) -> Estimate {
    estimate(&Plan::new(circuit), parties)
}

pub(crate) fn estimate(plan: &Plan, parties: usize) -> Estimate {
    let n = parties.clamp(2, MOST_PARTIES) as u64;
    let pairs = n * (n - 1);
    let (ands, inputs, outputs) = (plan.ands as u64, plan.inputs as u64, plan.results.len() as u64);
    let mut sum = Estimate { and_gates: ands, leaky_triples: 0, bytes: 0, rounds: 0, memory: 0 };
    for (number, chunk) in chunks(plan.ands).enumerate() {
        let extra = chunk.ands + if number == 0 { plan.inputs } else { 0 };
        let bits = drawn(chunk, extra, parties) as u64;
        sum.leaky_triples += chunk.leaky() as u64;
        sum.bytes += pairs * chunk_bytes(chunk, bits);
        sum.rounds += 16 + 2 * (bits / CHUNK + 5) + if n > 2 { 2 } else { 0 };
        sum.memory = sum.memory.max(16 * (bits * (2 * n - 1) + 3 * chunk.leaky() as u64 * (n - 1)));
    }
    let garblers = n - 1;
    let table = 32 + 48 * (n - 2);
    sum.bytes += garblers * (ands * table + 32 * inputs) + (n * ands + inputs).div_ceil(8) * garblers;
    sum.bytes += pairs * (16 * outputs + if n > 2 { 96 } else { 32 });
    sum.rounds += plan.frames().len() as u64 + 6 + if n > 2 { 2 } else { 0 };
    sum.memory +=
        (32 * n + 16) * ands + 16 * n * inputs + (17 * n + 17) * plan.slots as u64 + 12 * plan.ops.len() as u64;
    sum
}

/// What one party sends one peer for a chunk.
fn chunk_bytes(chunk: Chunk, bits: u64) -> u64 {
    let (leaky, triples, ands) = (chunk.leaky() as u64, chunk.triples as u64, chunk.ands as u64);
    // Transfers take 31 bits and one of choice each; every chunk of them has a check.
    let transfers = 4 * bits + 600 * (bits / CHUNK + 2);
    let opened = (leaky + (leaky - triples) + 2 * ands).div_ceil(8);
    // The coins, the commitments and the checks.
    transfers + 16 * leaky + opened + 400
}
