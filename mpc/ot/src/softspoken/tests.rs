//! The extension's steps without I/O: what both sides hold, and what a cheating receiver can reach.

use mpc_block::{Block, BlockPrg};
use mpc_core::Frame;
use zeroize::Zeroizing;

use super::check::ANSWER_BYTES;
use super::receiving::{Received, Receiving};
use super::sending::{Sending, Sent};
use super::{Parameters, leaf, tree};
use crate::bits;
use crate::place::Place;

const PLACE: Place = Place { id: [5; 32], sender: 0, receiver: 1 };
/// Ones but for the highest byte, so that in every field the last element is zero and most are not.
const DELTA: Block = Block::from_u128(0x00ff_ffff_ffff_ffff_ffff_ffff_ffff_ffff);

/// Both parties after an honest set-up with seeds that a dealer of the test draws.
fn parties(parameters: Parameters, delta: Block) -> (Receiving, Sending) {
    let mut prg = BlockPrg::new(Block::from_u128(17));
    let mut seeds = Zeroizing::new(vec![Block::ZERO; parameters.trees() * parameters.leaves()]);
    prg.fill(&mut seeds);
    let mut own = seeds.clone();
    tree::shift(&parameters, delta, &mut own, Block::select);
    own.iter_mut().step_by(parameters.leaves()).for_each(|missing| *missing = Block::ZERO);
    (Receiving::new(parameters, PLACE, &seeds), Sending::new(parameters, PLACE, delta, &own))
}

/// What a chunk gave: `q`, choices, `t`.
type Transfers = (Vec<Block>, Vec<Block>, Vec<Block>);

/// One chunk whose messages `cheat` may change; `None` when the sender's check fails.
fn chunk(
    (receiving, sending): &mut (Receiving, Sending),
    count: usize,
    cheat: impl FnOnce(&mut [u8], &mut [u8; ANSWER_BYTES]),
) -> Option<Transfers> {
    let challenge = Block::from_u128(0xdead_beef_0123_4567_89ab_cdef_5555_aaaa + count as u128);
    let mut corrections = Frame::with_capacity(0);
    let mine = receiving.correct(count, &mut corrections);
    let mut answer = receiving.answer(&mine, challenge);
    cheat(corrections.payload_mut(), &mut answer);
    let theirs = sending.columns(count, corrections.payload(), challenge);
    if !sending.passes(&theirs, &answer) {
        return None;
    }
    let (mut q, mut choices, mut t) = (Vec::new(), Vec::new(), Vec::new());
    sending.finish(theirs, &mut |sent: Sent<'_>| q.extend_from_slice(sent.keys));
    receiving.finish(mine, &mut |received: Received<'_>| {
        choices.extend_from_slice(received.choices);
        t.extend_from_slice(received.keys);
    });
    Some((q, choices, t))
}

fn correlated((q, choices, t): &Transfers, delta: Block) -> bool {
    let right = |(at, (q, t)): (usize, (&Block, &Block))| *q ^ delta.masked(bits::get(choices, at)) == *t;
    q.len() == t.len() && q.iter().zip(t).enumerate().all(right)
}

#[test]
fn chunk_after_chunk_is_correlated_for_every_field_and_length() {
    for field_bits in [1, 2, 4, 8] {
        let mut both = parties(Parameters::new(field_bits, 1 << 14, 2).unwrap(), DELTA);
        let mut seen = Vec::new();
        for count in [1, 127, 128, 129, 5000, 16, 16_384] {
            let got = chunk(&mut both, count, |_, _| ()).expect("an honest chunk");
            assert_eq!((got.0.len(), got.1.len()), (count, bits::blocks(count)));
            assert!(correlated(&got, DELTA), "k {field_bits}, {count} transfers");
            assert!(!bits::get(&got.1, count), "choices end with the last transfer");
            seen.extend(got.0.iter().map(|q| q.to_u128()));
        }
        let all = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), all, "no transfer comes twice");
    }
}

#[test]
fn a_wrong_correction_is_caught_where_the_senders_element_is_not_zero_and_harmless_elsewhere() {
    let count = 1000;
    for field_bits in [1, 2, 4, 8] {
        let parameters = Parameters::new(field_bits, 1 << 14, 2).unwrap();
        let (rows, blocks) = (parameters.trees() - 1, bits::blocks(count) + 1);
        // First, middle and last tree; first, middle and last used block, and the mask.
        for row in [0, rows / 2, rows - 1] {
            for block in [0, 3, blocks - 2, blocks - 1] {
                let mut both = parties(parameters, DELTA);
                let at = (row * blocks + block) * 16 + block;
                let got = chunk(&mut both, count, |corrections, _| corrections[at] ^= 1 << block % 8);
                let element = (DELTA.to_u128() >> ((row + 1) * field_bits)) & ((1 << field_bits) - 1);
                assert_eq!(got.is_some(), element == 0, "k {field_bits}, tree {}, block {block}", row + 1);
                assert!(got.is_none_or(|got| correlated(&got, DELTA)));
            }
        }
    }
}

#[test]
fn a_receiver_that_splits_its_choices_over_the_trees_is_caught() {
    // Half of the trees use other choices in every transfer: the attack on extension without a check.
    let parameters = Parameters::new(4, 1 << 14, 2).unwrap();
    let mut both = parties(parameters, Block::ONES);
    let got = chunk(&mut both, 512, |corrections, _| {
        let half = corrections.len() / 2;
        corrections[half..].iter_mut().for_each(|byte| *byte ^= 0xff);
    });
    assert!(got.is_none());
}

#[test]
fn every_bit_of_an_answer_counts_and_an_answer_serves_one_chunk() {
    let parameters = Parameters::new(4, 1 << 14, 2).unwrap();
    for at in 0..ANSWER_BYTES * 8 {
        let mut both = parties(parameters, DELTA);
        assert!(chunk(&mut both, 3, |_, answer| answer[at / 8] ^= 1 << (at % 8)).is_none(), "bit {at}");
    }
    let mut both = parties(parameters, DELTA);
    let mut first = [0; ANSWER_BYTES];
    assert!(chunk(&mut both, 3, |_, answer| first = *answer).is_some());
    assert!(chunk(&mut both, 3, |_, answer| *answer = first).is_none());
}

#[test]
fn wrong_trees_pass_only_when_a_guess_of_the_senders_bit_is_right_and_then_change_nothing() {
    let parameters = Parameters::new(4, 128, 1).unwrap();
    let roots: Vec<Block> = (1..=32).map(Block::from_u128).collect();
    let keys: Vec<[Block; 2]> = (0..128).map(|at| [500, 900].map(|x| Block::from_u128(x + at))).collect();
    let (leaves, sums) = tree::grow(&parameters, &roots, &keys);
    let (seeds, proof) = leaf::prove(&parameters, &PLACE, &leaves);
    for delta in [Block::ZERO, Block::ONES, DELTA] {
        let own: Vec<Block> =
            keys.iter().enumerate().map(|(at, pair)| pair[usize::from(!delta.bit(at as u32))]).collect();
        for (at, side) in (0..128).step_by(5).flat_map(|at| [(at, 0), (at, 1)]) {
            let mut wrong = sums.clone();
            wrong[at * 32 + side * 16] ^= 1;
            let rebuilt = tree::rebuild(&parameters, delta, &own, &wrong);
            let got = leaf::verify(&parameters, &PLACE, delta, &rebuilt, &proof);
            // The sender decrypts the sum over the side that it does not walk to.
            assert_eq!(got.is_some(), usize::from(delta.bit(at as u32)) == side, "transfer {at}, side {side}");
            if let Some(mut got) = got {
                tree::shift(&parameters, delta, &mut got, Block::select);
                let equal = got.iter().zip(seeds.iter()).filter(|(x, y)| x == y).count();
                assert_eq!(equal, 512 - 32, "all seeds but one a tree");
            }
        }
    }
}
