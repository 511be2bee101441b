//! The host functions that a contract may import from the module `heqi`, by name and type.
//!
//! Pointers and lengths are `i32` and read as unsigned. A pointer outside the memory ends the contract, as does a length
//! above its bound. A read at a node that cannot read its state ends the node's verdict, never the contract's.

use wasmparser::ValType;

/// The only module that contracts may import from.
pub(super) const MODULE: &str = "heqi";
/// How the names begin that only the instrumentation may export.
pub(super) const RESERVED: &str = "heqi:";
/// Under which name the memory is exported.
pub(super) const MEMORY: &str = "heqi:memory";
/// Under which name the gas that is left is exported; below zero once it ran out.
pub(super) const GAS: &str = "heqi:gas";
/// Under which name the values on the stack are exported.
pub(super) const STACK: &str = "heqi:stack";
/// What runs once, when the contract is made.
pub(super) const DEPLOY: &str = "deploy";
/// What runs when the contract is called.
pub(super) const CALL: &str = "call";

/// Longest key of a contract's storage, in bytes.
pub(super) const MAX_KEY: u32 = 256;
/// Longest value, or data of one event, in bytes.
pub(super) const MAX_VALUE: u32 = 64 << 10;
/// Most topics of an event.
pub(super) const MAX_TOPICS: u32 = 4;
/// Longest reason for reverting that is kept as words, in characters.
pub(super) const MAX_REASON: usize = 256;

const I: ValType = ValType::I32;
const L: ValType = ValType::I64;

/// A host function: name, parameters, results.
pub(super) type Signature = (&'static str, &'static [ValType], &'static [ValType]);

/// Every host function.
pub(super) const FUNCTIONS: [Signature; 15] = [
    // How long the input is; the input, written at a pointer.
    ("input_len", &[], &[I]),
    ("input", &[I], &[]),
    // Sets the output: pointer, length.
    ("output", &[I, I], &[]),
    // The value of a key (pointer, length) written at a pointer, cut to a capacity: its length, or -1 when it is absent.
    ("get", &[I, I, I, I], &[I]),
    // Sets a key (pointer, length) to a value (pointer, length).
    ("set", &[I, I, I, I], &[]),
    ("remove", &[I, I], &[]),
    // Announces topics of 32 bytes (pointer, count) and data (pointer, length).
    ("event", &[I, I, I, I], &[]),
    // The 20 bytes of the address of who signed the transaction, and of the contract, written at a pointer.
    ("caller", &[I], &[]),
    ("address", &[I], &[]),
    // Height and time (milliseconds) of the block.
    ("height", &[], &[L]),
    ("time", &[], &[L]),
    // SM3 of bytes (pointer, length) written at a pointer.
    ("sm3", &[I, I, I], &[]),
    // 1 when an SM2 signature (r‖s) under a key (x‖y) of a message (pointer, length) holds, else 0.
    ("sm2_verify", &[I, I, I, I], &[I]),
    // Ends the contract and undoes it; the bytes (pointer, length) are its output and, as text, the reason.
    ("revert", &[I, I], &[]),
    // Gas that is left.
    ("gas_left", &[], &[L]),
];
