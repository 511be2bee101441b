//! Circuits against plain code, garbling against evaluation in the clear, and what must end without a result.

mod bristol;
mod builder;
mod cheats;
mod ciphers;
mod common;
mod half_gates;
mod mutations;
mod program;
mod tables;
mod two_party;
mod words;
