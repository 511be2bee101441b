//! Blocks of 128 bits and what protocols do with many of them: AES, correlation-robust hashes, GF(2^128), bit matrices.
//!
//! Every function gives the same on any processor; only the time differs. What the processor can do is found out once, at
//! run time: AVX-512 with VAES, VPCLMULQDQ and GFNI, or AES-NI and PCLMULQDQ, or neither, where the code is constant-time
//! integer arithmetic without tables. Times depend on lengths and places, never on the bits of a block.
//!
//! ```
//! use mpc_block::{Block, BlockPrg, gf_dot, transpose};
//!
//! let mut rows = vec![Block::ZERO; 256];
//! BlockPrg::new(Block::from_u128(7)).fill(&mut rows);
//! let mut columns = vec![Block::ZERO; 256];
//! transpose(&rows, &mut columns);
//! // Row 5 has two blocks; its bit 130 is bit 2 of the second.
//! assert_eq!(columns[130].bit(5), rows[2 * 5 + 1].bit(2));
//! assert!(gf_dot(&rows, &columns) == gf_dot(&columns, &rows));
//! ```

#[cfg(target_endian = "big")]
compile_error!("a block's bytes are those of its integer in little-endian order, without copying");

mod aes;
mod block;
mod cast;
mod cipher;
mod convolve;
mod gf;
mod ggm;
mod half_gates;
mod hash;
mod path;
mod portable;
mod prg;
mod sums;
#[cfg(test)]
mod tests;
mod transpose;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use crate::aes::Aes;
pub use block::Block;
pub use cast::{blocks_of, bytes_of, bytes_of_mut, set_xor, xor_at, xor_each, xor_into, xor_where};
pub use convolve::{OVERHANG, REACH, convolve};
pub use gf::{Unreduced, gf_combine, gf_dot, gf_mul_all};
pub use ggm::{expand_level, sum_pairs, xor_pair};
pub use half_gates::Table;
pub use hash::Tmmo;
pub use prg::BlockPrg;
pub use sums::StreamSums;
pub use transpose::{transpose, transpose_square};
