//! A program over vectors: its source, what its owners' columns may hold, and what a run of it takes.

use base_types::Digest;
use base_wire::wire_struct;
use serde::{Deserialize, Serialize};

/// What a run on shares takes, by the program and its tier alone; told before anybody approves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VectorSize {
    /// Products of two secret numbers, those inside functions counted.
    pub products: u64,
    /// Bytes of all messages of all parties, about.
    pub bytes: u64,
    /// Messages that wait for each other, about.
    pub rounds: u64,
    /// Bytes of memory that each party takes, about.
    pub memory: u64,
}
wire_struct!(VectorSize { products, bytes, rounds, memory });

/// One column of an input: its owner ends the run where a word leaves the range, so that nothing computed of it can overflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VectorColumn {
    /// Digits behind the point: a word is the value times 10^digits.
    pub digits: u8,
    /// The lowest word.
    pub low: i64,
    /// The highest word.
    pub high: i64,
}
wire_struct!(VectorColumn { digits, low, high });

/// The columns of an input: one for every value of its read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VectorInput {
    /// By place.
    pub columns: Vec<VectorColumn>,
}
wire_struct!(VectorInput { columns });

/// A program over vectors of its owners, on shares among the plan's nodes, told to the receiver alone. Input `i` is what `reads[i]` gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vectors {
    /// The source, which begins with its scale.
    pub source: String,
    /// Digest of the steps that it is checked to: every node checks it by itself, and must come to the same.
    pub digest: Digest,
    /// What the inputs may hold, in the order of the reads.
    pub inputs: Vec<VectorInput>,
    /// What it returns, with kinds and shapes.
    pub result: String,
    /// What a run takes.
    pub size: VectorSize,
}
wire_struct!(Vectors { source, digest, inputs, result, size });
