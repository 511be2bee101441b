//! VOLE elements over GF(2^128) from 128 correlated transfers each.
//!
//! With `q_i = t_i + u_i·Δ` and the basis `X^i`, `Σ q_i·X^i = Σ t_i·X^i + (Σ u_i·X^i)·Δ`: the packed choices of 128 transfers are the
//! receiver's element (Ferret and Wolverine make theirs alike).

use mpc_block::{Block, gf_dot};

/// Transfers that one element takes.
pub(super) const TRANSFERS: usize = 128;

/// One share an element: `Σ x_i·X^i` over each group of 128 blocks.
pub(super) fn gather(blocks: &[Block]) -> Vec<Block> {
    let basis: [Block; TRANSFERS] = std::array::from_fn(|at| Block::from_u128(1 << at));
    blocks.chunks_exact(TRANSFERS).map(|group| gf_dot(group, &basis)).collect()
}
