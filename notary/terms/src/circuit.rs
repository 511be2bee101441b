//! A user's own program: its source, the circuit that it compiles to, and what a run of that takes.

use base_types::Digest;
use base_wire::wire_struct;
use serde::{Deserialize, Serialize};

/// What a run of a circuit takes, by the circuit and the number of parties alone; told before anybody approves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CircuitSize {
    /// AND gates.
    pub and_gates: u64,
    /// Bytes of all messages of all parties, about.
    pub bytes: u64,
    /// Messages that wait for each other, about.
    pub rounds: u64,
    /// Bytes of memory that each party takes, about.
    pub memory: u64,
}
wire_struct!(CircuitSize { and_gates, bytes, rounds, memory });

/// A user's program over values of its owners, told to the receiver alone. Argument `i` is what `reads[i]` gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circuit {
    /// The source: in Garble with a function `main`, or a circuit by its name, such as `circuit sm4;`, or as Bristol-fashion text.
    pub source: String,
    /// Digest of the circuit that it compiles to: every node compiles it by itself, and must come to the same.
    pub digest: Digest,
    /// Type of what `main` returns.
    pub result: String,
    /// What a run takes.
    pub size: CircuitSize,
}
wire_struct!(Circuit { source, digest, result, size });
