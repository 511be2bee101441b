//! Circuits built by code, as methods of [`Builder`]: words, products and quotients, AES-128, SM4, SHA-256 and SM3.
//!
//! A word's bits stand least significant first. Of a byte string, bit `j` of byte `k` stands at place `8k + j`. AND
//! gates that each takes (XOR gates are free), and their depth where it says how large the batches of a layered program
//! are:
//!
//! | Function | AND gates | Depth |
//! |---|---|---|
//! | sum, difference, negation of `n` bits | `n − 1` at most | `n − 1` |
//! | comparison of `n` bits | `n` | `n` |
//! | equality of `n` bits | `n − 1` | `⌈log2 n⌉` |
//! | choice between words of `n` bits | `n` | 1 |
//! | product of 64 bits, low half | 4,033 | 63 |
//! | product of 64 bits, whole | 8,128 | 127 |
//! | quotient and remainder of 64 bits | 4,285 | 2,205 |
//! | AES-128 with its key schedule | 6,400 | 60 |
//! | SM4 with its key schedule | 8,192 | 198 |
//! | SHA-256, one block | 22,573 | 1,607 |
//! | SM3, one block | 18,835 | 3,080 |
//!
//! [`Builder`]: crate::circuit::Builder

mod aes;
mod aes_box;
mod divide;
mod hash;
mod layout;
mod sha256;
mod sm3;
mod sm4;
mod words;

pub use words::constant;
