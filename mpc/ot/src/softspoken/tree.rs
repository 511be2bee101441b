//! GGM trees, and all of their leaves but one by base transfers: the all-but-one transfer of SoftSpokenOT, Fig. 13.
//!
//! Tree `i` has `2^k` leaves, numbered by their path, the bit of the first level being the highest. Bit `b` of the sender's
//! element `Δ_i` is bit `i·k + b` of `Δ`, and base transfer `i·k + b` belongs to the level that decides this bit: its two
//! keys encrypt the sums of all left and of all right children there. The sender's choice is the complement of its bit, so
//! it learns the sum over the side that it does not walk to, and from it the sibling of its path.
//!
//! The sender stores leaf `x` at place `x ⊕ Δ_i`, so place 0 is the one it lacks and no access depends on `Δ`.

use mpc_block::{Block, bytes_of, expand_level};
use zeroize::Zeroizing;

use super::{COLUMNS, Parameters};

/// Length of the receiver's message: an encrypted pair of sums a base transfer.
pub(super) const SUMS_BYTES: usize = COLUMNS * 2 * 16;

/// Leaves, tree by tree.
pub(super) type Leaves = Zeroizing<Vec<Block>>;

/// The number of the base transfer that belongs to `level` (0 is the first below the root) of `tree`.
fn transfer(parameters: &Parameters, tree: usize, level: usize) -> usize {
    tree * parameters.field_bits() + (parameters.field_bits() - 1 - level)
}

/// Grows the receiver's trees from their roots. Returns all leaves, and the encrypted sums for the sender.
pub(super) fn grow(parameters: &Parameters, roots: &[Block], keys: &[[Block; 2]]) -> (Leaves, Vec<u8>) {
    let mut leaves = Zeroizing::new(Vec::<Block>::with_capacity(parameters.trees() * parameters.leaves()));
    let mut sums = vec![[Block::ZERO; 2]; COLUMNS];
    for (tree, root) in roots.iter().enumerate() {
        let mut nodes = Zeroizing::new(vec![*root]);
        for level in 0..parameters.field_bits() {
            let mut children = Zeroizing::new(vec![Block::ZERO; 2 * nodes.len()]);
            expand_level(&nodes, &mut children);
            let place = transfer(parameters, tree, level);
            let mut sum = keys[place];
            for [left, right] in children.as_chunks::<2>().0 {
                sum[0] ^= *left;
                sum[1] ^= *right;
            }
            sums[place] = sum;
            nodes = children;
        }
        leaves.extend_from_slice(&nodes);
    }
    (leaves, bytes_of(sums.as_flattened()).to_vec())
}

/// Rebuilds the trees at the sender, whose base keys were chosen by the complement of `delta`. `sums` is the receiver's
/// message of [`SUMS_BYTES`] bytes. Place 0 of every tree is zero.
pub(super) fn rebuild(parameters: &Parameters, delta: Block, keys: &[Block], sums: &[u8]) -> Leaves {
    let (sums, _) = sums.as_chunks::<16>();
    let (sums, _) = sums.as_chunks::<2>();
    let mut leaves = Zeroizing::new(Vec::<Block>::with_capacity(parameters.trees() * parameters.leaves()));
    for tree in 0..parameters.trees() {
        let mut nodes = Zeroizing::new(vec![Block::ZERO]);
        for level in 0..parameters.field_bits() {
            let place = transfer(parameters, tree, level);
            let bit = delta.bit(place as u32);
            let [left, right] = sums[place].map(Block::from_bytes);
            let sum = keys[place] ^ Block::select(bit, right, left);
            nodes = descend(&nodes, bit, sum);
        }
        leaves.extend_from_slice(&nodes);
    }
    leaves
}

/// One level down: the children by their places, the sibling of the path from the sum of its side.
fn descend(nodes: &[Block], bit: bool, mut sum: Block) -> Leaves {
    let mut children = Zeroizing::new(vec![Block::ZERO; 2 * nodes.len()]);
    expand_level(nodes, &mut children);
    let (pairs, _) = children.as_chunks_mut::<2>();
    for pair in pairs.iter_mut().skip(1) {
        let [left, right] = *pair;
        *pair = [Block::select(bit, left, right), Block::select(bit, right, left)];
        sum ^= pair[1];
    }
    if let Some(first) = pairs.first_mut() {
        *first = [Block::ZERO, sum];
    }
    children
}

/// Moves what stands at place `y` to place `y ⊕ Δ_i`, for every tree, without an access that depends on `delta`.
pub(super) fn shift<T: Copy>(parameters: &Parameters, delta: Block, items: &mut [T], select: impl Fn(bool, T, T) -> T) {
    let bits = parameters.field_bits();
    for (tree, items) in items.chunks_exact_mut(parameters.leaves()).enumerate() {
        for bit in 0..bits {
            let swap = delta.bit((tree * bits + bit) as u32);
            for low in (0..items.len()).filter(|at| (at >> bit) & 1 == 0) {
                let high = low | 1 << bit;
                let (a, b) = (items[low], items[high]);
                items[low] = select(swap, a, b);
                items[high] = select(swap, b, a);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sender_rebuilds_every_leaf_but_the_one_at_its_element() {
        let delta = Block::from_u128(0x8000_0000_0000_0001_fedc_ba98_7654_3210);
        for field_bits in [1, 2, 4, 8] {
            let parameters = Parameters::new(field_bits, 128, 1).unwrap();
            let roots: Vec<Block> = (0..parameters.trees()).map(|at| Block::from_u128(at as u128 + 5)).collect();
            let keys: Vec<[Block; 2]> = (0..128).map(|at| [1000, 2000].map(|x| Block::from_u128(x + at))).collect();
            let (leaves, sums) = grow(&parameters, &roots, &keys);
            assert_eq!((leaves.len(), sums.len()), (parameters.trees() << field_bits, SUMS_BYTES));
            let own: Vec<Block> =
                keys.iter().enumerate().map(|(at, pair)| pair[usize::from(!delta.bit(at as u32))]).collect();
            let mut rebuilt = rebuild(&parameters, delta, &own, &sums);
            shift(&parameters, delta, &mut rebuilt, Block::select);
            for (at, (leaf, got)) in leaves.iter().zip(rebuilt.iter()).enumerate() {
                let (tree, x) = (at >> field_bits, at & ((1 << field_bits) - 1));
                let element = (delta.to_u128() >> (tree * field_bits)) as usize & ((1 << field_bits) - 1);
                let due = if x == element { Block::ZERO } else { *leaf };
                assert!(*got == due, "k {field_bits}, tree {tree}, leaf {x}");
            }
        }
    }
}
