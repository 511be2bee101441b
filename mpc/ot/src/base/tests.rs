//! The base transfers: what each side learns, and what a peer may not send.

use curve25519_dalek::ristretto::CompressedRistretto;
use mpc_block::Block;
use mpc_core::Prg;

use super::{ANSWER_BYTES, BadMessage, COUNT, REQUEST_BYTES, Receiver, answer};
use crate::place::Place;

const PLACE: Place = Place { id: [7; 32], sender: 1, receiver: 0 };

fn random(seed: u8) -> impl FnMut(&mut [u8]) {
    let mut prg = Prg::new(&[seed; 32]);
    move |out| prg.fill(out)
}

fn choices() -> Block {
    Block::from_u128(0x0123_4567_89ab_cdef_f0e1_d2c3_b4a5_9687)
}

#[test]
fn the_receiver_learns_the_chosen_key_of_every_pair_and_not_the_other() {
    for choices in [choices(), Block::ZERO, Block::ONES] {
        let (receiver, request) = Receiver::start(PLACE, choices, &mut random(1));
        let (pairs, reply) = answer(&PLACE, &request, &mut random(2)).unwrap();
        let keys = receiver.finish(&reply).unwrap();
        assert_eq!((request.len(), reply.len()), (REQUEST_BYTES, ANSWER_BYTES));
        assert_eq!((pairs.len(), keys.len()), (COUNT, COUNT));
        for (at, (pair, key)) in pairs.iter().zip(keys.iter()).enumerate() {
            let bit = choices.bit(at as u32);
            assert!(pair[usize::from(bit)] == *key && pair[usize::from(!bit)] != *key, "transfer {at}");
        }
        let mut all: Vec<u128> = pairs.iter().flatten().map(|key| key.to_u128()).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 2 * COUNT);
    }
}

#[test]
fn a_request_repeated_in_another_place_of_the_batch_gives_other_keys() {
    let (_, mut request) = Receiver::start(PLACE, choices(), &mut random(1));
    let (first, rest) = request.split_at_mut(64);
    rest[..64].copy_from_slice(first);
    let (pairs, _) = answer(&PLACE, &request, &mut |out: &mut [u8]| out.fill(9)).unwrap();
    assert!(pairs[0][0] != pairs[1][0] && pairs[0][1] != pairs[1][1]);
}

#[test]
fn another_session_and_exchanged_roles_give_keys_that_do_not_match() {
    let others = [Place { id: [8; 32], ..PLACE }, PLACE.reversed(), Place { sender: 2, ..PLACE }];
    for other in others {
        let (receiver, request) = Receiver::start(PLACE, choices(), &mut random(1));
        let (pairs, reply) = answer(&other, &request, &mut random(2)).unwrap();
        let keys = receiver.finish(&reply).unwrap();
        assert!(pairs.iter().zip(keys.iter()).all(|(pair, key)| !pair.contains(key)));
    }
}

#[test]
fn another_length_is_refused() {
    let (_, request) = Receiver::start(PLACE, choices(), &mut random(1));
    for len in [0, 1, REQUEST_BYTES - 32, REQUEST_BYTES - 1] {
        let got = answer(&PLACE, &request[..len], &mut random(2));
        assert!(matches!(got, Err(BadMessage::Length)), "{len}");
    }
    let longer = [&request[..], &[0]].concat();
    assert!(matches!(answer(&PLACE, &longer, &mut random(2)), Err(BadMessage::Length)));
    for len in [0, ANSWER_BYTES - 1, ANSWER_BYTES + 32] {
        let (receiver, _) = Receiver::start(PLACE, choices(), &mut random(1));
        assert!(matches!(receiver.finish(&vec![0; len]), Err(BadMessage::Length)), "{len}");
    }
}

#[test]
fn what_is_no_point_is_refused_wherever_it_stands() {
    // The identity, a negative field element, a value above the field's order, a non-square.
    let mut above = [0xff; 32];
    above[31] = 0x7f;
    let mut odd = [0; 32];
    odd[0] = 1;
    let bad = (2..=u8::MAX).step_by(2).map(|low| {
        let mut bytes = [0; 32];
        bytes[0] = low;
        bytes
    });
    let bad = bad.filter(|bytes| CompressedRistretto(*bytes).decompress().is_none()).take(3);
    let refused: Vec<[u8; 32]> = [[0; 32], above, odd].into_iter().chain(bad).collect();
    assert_eq!(refused.len(), 6);
    for bytes in refused {
        for at in [0, 1, 100, 255] {
            let (receiver, mut request) = Receiver::start(PLACE, choices(), &mut random(1));
            let (_, mut reply) = answer(&PLACE, &request, &mut random(2)).unwrap();
            request[at * 32..][..32].copy_from_slice(&bytes);
            assert!(matches!(answer(&PLACE, &request, &mut random(2)), Err(BadMessage::Point)), "point {at}");
            reply[at / 2 * 32..][..32].copy_from_slice(&bytes);
            assert!(matches!(receiver.finish(&reply), Err(BadMessage::Point)), "point {at}");
        }
    }
}

#[test]
fn both_points_of_a_request_look_alike_whatever_is_chosen() {
    // A distinguisher that a receiver with swapped encodings would fail: neither place holds the point with the known
    // logarithm more often, since only the sum of a point and its oracle has one.
    let (_, zeros) = Receiver::start(PLACE, Block::ZERO, &mut random(3));
    let (_, ones) = Receiver::start(PLACE, Block::ONES, &mut random(3));
    let (zeros, ones) = (zeros.as_chunks::<32>().0, ones.as_chunks::<32>().0);
    for at in 0..COUNT {
        // The blind point is the same draw in both runs: it stands at the place that is not chosen.
        assert_eq!(zeros[2 * at + 1], ones[2 * at], "transfer {at}");
        assert_ne!(zeros[2 * at], ones[2 * at + 1], "the oracle knows the branch");
    }
}
