//! Vector instructions behind safe functions: what is computed many times over at once, lanes side by side.
//!
//! Every function gives what its plain counterpart gives, on any processor; only the time differs.

pub mod sm3;
pub mod wide;
pub mod words;
