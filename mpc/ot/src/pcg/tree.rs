//! Large GGM trees, and all of their leaves but one by random transfers, with the noise at the missing place.
//!
//! As in Ferret (Yang et al., CCS 2020), Fig. 5, without its hash for choices: a random transfer's key encrypts, level by level, the
//! sum of all left and of all right children; the receiver's path goes to the side that it did not choose. Last comes the sum of
//! all leaves plus `β·Δ` (or, for noise of the large field, plus the sender's share of it).
//!
//! The node on the receiver's path is kept as zero, so that its children are public constants and sums need no secret index;
//! what belongs on the path is put in by mask, in a pass over the level. No access depends on the path.

use mpc_block::{Block, expand_level, sum_pairs, xor_pair};
use zeroize::Zeroizing;

use super::Field;

/// Length of a tree's message.
pub(super) const fn message_bytes(depth: usize) -> usize {
    (2 * depth + 1) * 16
}

/// Memory for the inner levels, used again for every tree.
pub(super) struct Levels {
    nodes: Zeroizing<Vec<Block>>,
    children: Zeroizing<Vec<Block>>,
    /// The two children of zero.
    of_zero: [Block; 2],
}

impl Levels {
    /// For trees of `depth` levels.
    pub(super) fn new(depth: usize) -> Self {
        let memory = || Zeroizing::new(vec![Block::ZERO; 1 << (depth - 1)]);
        let mut of_zero = [Block::ZERO; 2];
        expand_level(&[Block::ZERO], &mut of_zero);
        Self { nodes: memory(), children: memory(), of_zero }
    }
}

/// A leaf as it counts: over GF(2) the lowest bit is the choice's, and zero at the sender.
fn leaf(block: Block, field: Field) -> Block {
    match field {
        Field::Bits => block.with_lsb(false),
        Field::Blocks => block,
    }
}

/// Grows the sender's tree from `root` into `leaves`. `keys` are the transfers' keys, one pair a level; `share` is `Δ`, or the
/// sender's share of `β·Δ`. Appends the tree's message.
pub(super) fn grow(
    field: Field,
    root: Block,
    keys: (&[Block], &[Block]),
    share: Block,
    levels: &mut Levels,
    leaves: &mut [Block],
    message: &mut Vec<u8>,
) {
    let Levels { nodes, children, .. } = levels;
    let depth = keys.0.len();
    nodes[0] = root;
    let mut total = Block::ZERO;
    for (level, (zero, one)) in keys.0.iter().zip(keys.1).enumerate() {
        let width = 1 << level;
        let next = if level + 1 == depth { &mut *leaves } else { &mut children[..2 * width] };
        expand_level(&nodes[..width], next);
        let [left, right] = sum_pairs(next);
        message.extend_from_slice(&(left ^ *zero).to_bytes());
        message.extend_from_slice(&(right ^ *one).to_bytes());
        total = left ^ right;
        std::mem::swap(nodes, children);
    }
    leaves.iter_mut().for_each(|block| *block = leaf(*block, field));
    message.extend_from_slice(&(leaf(total, field) ^ share).to_bytes());
}

/// What a receiver knows of one tree beforehand.
pub(super) struct Puncture<'a> {
    /// The choices of the level's random transfers, the first below the root first.
    pub(super) choices: &'a [bool],
    /// The chosen keys.
    pub(super) keys: &'a [Block],
    /// The receiver's share of `β·Δ`: zero over GF(2).
    pub(super) share: Block,
}

/// Rebuilds a tree at the receiver into `leaves`, from the tree's message of [`message_bytes`] bytes; the missing leaf becomes the
/// sender's plus `β·Δ`. Returns its place.
pub(super) fn rebuild(
    field: Field,
    puncture: &Puncture<'_>,
    message: &[u8],
    levels: &mut Levels,
    leaves: &mut [Block],
) -> usize {
    let Levels { nodes, children, of_zero } = levels;
    let (blocks, _) = message.as_chunks::<16>();
    let (pairs, rest) = blocks.as_chunks::<2>();
    let total = rest.first().map_or(Block::ZERO, |last| Block::from_bytes(*last));
    let depth = puncture.keys.len();
    nodes[0] = Block::ZERO;
    let mut path = 0;
    for (level, ((pair, key), choice)) in pairs.iter().zip(puncture.keys).zip(puncture.choices).enumerate() {
        let (width, last) = (1 << level, level + 1 == depth);
        let next = if last { &mut *leaves } else { &mut children[..2 * width] };
        expand_level(&nodes[..width], next);
        let [left, right] = sum_pairs(next);
        let known = [left ^ of_zero[0], right ^ of_zero[1]];
        let [zero, one] = pair.map(Block::from_bytes);
        let sibling = *key ^ Block::select(*choice, zero ^ known[0], one ^ known[1]);
        let missing =
            if last { total ^ leaf(known[0] ^ known[1] ^ sibling, field) ^ puncture.share } else { Block::ZERO };
        let kind = if last { field } else { Field::Blocks };
        let new = [leaf(sibling, kind), missing];
        place(next, kind, path, *choice, new, *of_zero);
        path = 2 * path + usize::from(!*choice);
        std::mem::swap(nodes, children);
    }
    path
}

/// Puts the two children of node `path` in their places by mask: the first of `new` at the chosen side, the second at the other.
/// The children of zero, `of_zero`, stand there.
fn place(
    children: &mut [Block],
    field: Field,
    path: usize,
    choice: bool,
    [sibling, missing]: [Block; 2],
    of_zero: [Block; 2],
) {
    let new = [Block::select(choice, sibling, missing), Block::select(choice, missing, sibling)];
    let clear = match field {
        Field::Bits => Block::ONE,
        Field::Blocks => Block::ZERO,
    };
    let [left, right] = of_zero.map(|child| leaf(child, field));
    xor_pair(children, clear, path, [new[0] ^ left, new[1] ^ right]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_receiver_has_every_leaf_and_the_noise_at_the_one_its_choices_decide() {
        let depth = 6;
        let share = Block::from_u128(0xffff_0000_1234_5679);
        for (field, path) in [Field::Bits, Field::Blocks].into_iter().flat_map(|f| [0, 1, 42, 63].map(|p| (f, p))) {
            let zeros: Vec<Block> = (0..depth).map(|at| Block::from_u128(100 + at as u128)).collect();
            let ones: Vec<Block> = (0..depth).map(|at| Block::from_u128(200 + at as u128)).collect();
            let choices: Vec<bool> = (0..depth).map(|at| (path >> (depth - 1 - at)) & 1 == 0).collect();
            let chosen = choices.iter().enumerate().map(|(at, one)| if *one { ones[at] } else { zeros[at] });
            let keys: Vec<Block> = chosen.collect();
            let (mut full, mut punctured) = (vec![Block::ZERO; 1 << depth], vec![Block::ZERO; 1 << depth]);
            let (mut levels, mut message) = (Levels::new(depth), Vec::new());
            let root = Block::from_u128(77);
            grow(field, root, (&zeros, &ones), share, &mut levels, &mut full, &mut message);
            assert_eq!(message.len(), message_bytes(depth));
            let puncture = Puncture { choices: &choices, keys: &keys, share: Block::ZERO };
            assert_eq!(rebuild(field, &puncture, &message, &mut levels, &mut punctured), path);
            for (at, (full, got)) in full.iter().zip(&punctured).enumerate() {
                let noise = if at == path { share } else { Block::ZERO };
                assert!(*full ^ *got == noise, "path {path}, leaf {at}");
                assert!(field == Field::Blocks || (!full.lsb() && got.lsb() == (at == path)));
            }
        }
    }
}
