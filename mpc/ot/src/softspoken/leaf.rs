//! The proof that all leaves were sent as one tree, whatever the sender's element is: SoftSpokenOT, Fig. 14.
//!
//! From every leaf both sides derive a check value `t_x` of 256 bits and the seed of its stream. The receiver sends the sum
//! of each tree's check values and one digest of them all. The sender completes its missing value by the sum and compares
//! digests: what passes is bound to one vector of leaves, but for guesses of `Δ_i` that fail when wrong.

use base_secret::equal;
use mpc_block::{Block, bytes_of};
use zeroize::Zeroizing;

use super::tree::{Leaves, shift};
use super::{COLUMNS, Parameters};
use crate::place::{Place, first_half};

/// A check value.
type Check = [Block; 2];

/// Length of the receiver's message.
pub(super) const fn proof_bytes(parameters: &Parameters) -> usize {
    COLUMNS / parameters.field_bits() * 32 + 32
}

/// The check values and the streams' seeds of all leaves.
fn derive(parameters: &Parameters, place: &Place, leaves: &[Block]) -> (Zeroizing<Vec<Check>>, Leaves) {
    let mut checks = Zeroizing::new(Vec::<Check>::with_capacity(leaves.len()));
    let mut seeds = Zeroizing::new(Vec::<Block>::with_capacity(leaves.len()));
    for (at, leaf) in leaves.iter().enumerate() {
        let tree = ((at / parameters.leaves()) as u64).to_be_bytes();
        let bytes = Zeroizing::new(leaf.to_bytes());
        let parts: [&[u8]; 2] = [&tree, bytes.as_slice()];
        let check = Zeroizing::new(place.digest("heqi/mpc/ot/softspoken/leaf-check/1", &parts));
        let seed = Zeroizing::new(place.digest("heqi/mpc/ot/softspoken/leaf-seed/1", &parts));
        checks.push(halves(&check));
        seeds.push(first_half(&seed));
    }
    (checks, seeds)
}

fn halves(bytes: &[u8; 32]) -> Check {
    let (halves, _) = bytes.as_chunks::<16>();
    [Block::from_bytes(halves[0]), Block::from_bytes(halves[1])]
}

fn sum(checks: &[Check]) -> Check {
    checks.iter().fold([Block::ZERO; 2], |sum, check| [sum[0] ^ check[0], sum[1] ^ check[1]])
}

fn digest(place: &Place, checks: &[Check]) -> [u8; 32] {
    place.digest("heqi/mpc/ot/softspoken/leaves/1", &[bytes_of(checks.as_flattened())])
}

/// The receiver's seeds, and its proof for the sender: a sum a tree, then the digest.
pub(super) fn prove(parameters: &Parameters, place: &Place, leaves: &[Block]) -> (Leaves, Vec<u8>) {
    let (checks, seeds) = derive(parameters, place, leaves);
    let mut proof = Vec::with_capacity(proof_bytes(parameters));
    for tree in checks.chunks_exact(parameters.leaves()) {
        proof.extend_from_slice(bytes_of(&sum(tree)));
    }
    proof.extend_from_slice(&digest(place, &checks));
    (seeds, proof)
}

/// The sender's seeds, each at the place of its leaf, that of place 0 without meaning. `None` when the proof does not
/// belong to the leaves.
pub(super) fn verify(
    parameters: &Parameters,
    place: &Place,
    delta: Block,
    leaves: &[Block],
    proof: &[u8],
) -> Option<Leaves> {
    let (mut checks, seeds) = derive(parameters, place, leaves);
    let (parts, _) = proof.as_chunks::<32>();
    let (claimed, sums) = parts.split_last()?;
    for (tree, total) in checks.chunks_exact_mut(parameters.leaves()).zip(sums) {
        let (missing, known) = tree.split_first_mut()?;
        let (known, total) = (sum(known), halves(total));
        *missing = [known[0] ^ total[0], known[1] ^ total[1]];
    }
    let select = |swap, a: Check, b: Check| [Block::select(swap, a[0], b[0]), Block::select(swap, a[1], b[1])];
    shift(parameters, delta, &mut checks, select);
    equal(&digest(place, &checks), claimed).then_some(seeds)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place { id: [3; 32], sender: 0, receiver: 1 };

    #[test]
    fn one_proof_serves_every_element_and_no_other_leaf_or_proof_passes() {
        let parameters = Parameters::new(4, 128, 1).unwrap();
        let leaves: Vec<Block> = (0..512).map(|at| Block::from_u128(at * 77 + 1)).collect();
        let (seeds, proof) = prove(&parameters, &PLACE, &leaves);
        assert_eq!(proof.len(), proof_bytes(&parameters));
        for delta in [0, u128::MAX, 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef].map(Block::from_u128) {
            let mut own = leaves.clone();
            shift(&parameters, delta, &mut own, Block::select);
            own.iter_mut().step_by(16).for_each(|missing| *missing = Block::ZERO);
            let mut got = verify(&parameters, &PLACE, delta, &own, &proof).expect("an honest proof");
            let missing: Vec<usize> =
                (0..32).map(|tree| tree * 16 + ((delta.to_u128() >> (4 * tree)) & 15) as usize).collect();
            shift(&parameters, delta, &mut got, Block::select);
            let same = |at: &usize| got[*at] == seeds[*at];
            assert!((0..512).all(|at| same(&at) != missing.contains(&at)));
            for at in [1, 15, 17, 511] {
                let mut other = own.clone();
                other[at] ^= Block::ONE;
                assert!(verify(&parameters, &PLACE, delta, &other, &proof).is_none(), "leaf {at}");
            }
            for at in (0..proof.len()).step_by(7).chain([proof.len() - 1]) {
                let mut other = proof.clone();
                other[at] ^= 1 << (at % 8);
                assert!(verify(&parameters, &PLACE, delta, &own, &other).is_none(), "byte {at}");
            }
        }
        let elsewhere = Place { id: [4; 32], ..PLACE };
        assert!(verify(&parameters, &elsewhere, Block::ZERO, &leaves, &proof).is_none());
    }
}
