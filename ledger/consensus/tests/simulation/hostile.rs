//! Bytes of every kind from a peer, straight into one engine.

use base_gm::sm3;
use base_types::Digest;
use base_wire::Encode;
use ledger_consensus::{Bft, Engine, Input, Options, Output, TimerId, TimerKind, message_height};
use ledger_light::{Epoch, Validator, VoteKind, vote_bytes};

use crate::{
    node::{Node, key, org},
    rng::Rng,
};

const CHAIN: Digest = Digest([7; 32]);

fn epoch() -> Epoch {
    let validators = (0..4).map(|i| Validator { org: org(i), key: key(i).public() }).collect();
    Epoch { number: 0, engine: 1, first_height: 1, validators, interval_ms: 100 }
}

fn started(me: usize) -> (Bft, Vec<Output>) {
    let mut engine = Bft::new(CHAIN, org(me), key(me), Options::default());
    engine.handle(Input::StartHeight { height: 1, epoch: epoch() });
    let start = TimerId { height: 1, round: 0, kind: TimerKind::Start };
    let outputs = engine.handle(Input::Timer(start));
    (engine, outputs)
}

/// A vote's bytes, signed by `signer`'s key.
fn vote(voter: usize, signer: usize, kind: VoteKind, round: u32, block: Option<Digest>) -> Vec<u8> {
    let digest = vote_bytes(&CHAIN, kind, 1, round, block.as_ref());
    let mut out = vec![1];
    1u64.encode(&mut out);
    round.encode(&mut out);
    (kind == VoteKind::Precommit).encode(&mut out);
    block.encode(&mut out);
    org(voter).encode(&mut out);
    key(signer).sign(&digest.0).encode(&mut out);
    out
}

fn blamed(outputs: &[Output]) -> bool {
    outputs.iter().any(|o| matches!(o, Output::Misbehaved { by, .. } if *by == org(2)))
}

fn give(engine: &mut Bft, bytes: Vec<u8>) -> Vec<Output> {
    engine.handle(Input::Message { from: org(2), bytes })
}

/// A proposal of the proposer of height 1, round 0.
fn proposal() -> Vec<u8> {
    let (mut engine, outputs) = started(1);
    assert!(outputs.iter().any(|o| matches!(o, Output::Build { height: 1, round: 0, deadline_ms: 1500 })));
    let block = Node::new(1).build(CHAIN, &epoch(), &epoch(), 0);
    let outputs = engine.handle(Input::Built { height: 1, round: 0, block });
    let is_proposal = |o: &Output| matches!(o, Output::Broadcast(bytes) if bytes[0] == 2);
    let at = outputs.iter().position(is_proposal).expect("a proposal");
    assert!(outputs[..at].iter().any(|o| matches!(o, Output::Persist(_))), "saved before it is sent");
    match &outputs[at] {
        Output::Broadcast(bytes) => bytes.clone(),
        _ => unreachable!(),
    }
}

#[test]
fn noise_is_blamed_on_its_sender_and_changes_nothing() {
    let mut rng = Rng(1);
    let (mut engine, _) = started(0);
    for _ in 0..2000 {
        let len = rng.below(200) as usize;
        let mut bytes: Vec<u8> = (0..len).map(|_| rng.next() as u8).collect();
        if let Some(tag) = bytes.first_mut() {
            *tag %= 6;
        }
        let outputs = give(&mut engine, bytes);
        assert!(blamed(&outputs) && outputs.len() == 1);
    }
    assert!(blamed(&give(&mut engine, vec![1; 100_000])));
}

#[test]
fn a_damaged_proposal_is_never_checked() {
    let mut rng = Rng(2);
    let good = proposal();
    assert_eq!(message_height(&good), Some(1));
    for _ in 0..150 {
        let (mut engine, _) = started(0);
        let mut bytes = good.clone();
        let at = rng.below(bytes.len() as u64) as usize;
        bytes[at] ^= 1 << rng.below(8);
        let outputs = give(&mut engine, bytes);
        assert!(!outputs.iter().any(|o| matches!(o, Output::Check { .. } | Output::Broadcast(_))), "byte {at}");
    }
    let (mut engine, _) = started(0);
    let outputs = give(&mut engine, good.clone());
    assert!(outputs.iter().any(|o| matches!(o, Output::Check { height: 1, round: 0, .. })));
    let again = give(&mut engine, good);
    assert!(!again.iter().any(|o| matches!(o, Output::Check { .. })), "checked once");
}

#[test]
fn a_wrong_signature_is_blamed_on_the_peer_that_sent_it() {
    let (mut engine, _) = started(0);
    assert!(blamed(&give(&mut engine, vote(3, 2, VoteKind::Prevote, 0, None))));
    assert!(!blamed(&give(&mut engine, vote(3, 3, VoteKind::Prevote, 0, None))));
    let other = vote_bytes(&sm3::sm3(b"another chain"), VoteKind::Prevote, 1, 0, None);
    let mut bytes = vote(2, 2, VoteKind::Prevote, 0, None);
    let at = bytes.len() - 64;
    bytes.truncate(at);
    key(2).sign(&other.0).encode(&mut bytes);
    assert!(blamed(&give(&mut engine, bytes)), "signed for another chain");
}

#[test]
fn an_invalid_block_gets_a_vote_for_nothing() {
    let (mut engine, _) = started(0);
    let outputs = give(&mut engine, proposal());
    let block = outputs.iter().find_map(|o| match o {
        Output::Check { block, .. } => Some(block.header.digest()),
        _ => None,
    });
    let answer = Input::Checked { height: 1, round: 0, block: block.expect("a check"), valid: false };
    let outputs = engine.handle(answer);
    let nil = vote(0, 0, VoteKind::Prevote, 0, None);
    assert!(outputs.iter().any(|o| matches!(o, Output::Broadcast(bytes) if *bytes == nil)));
    assert!(outputs.iter().any(|o| matches!(o, Output::Misbehaved { by, .. } if *by == org(1))));
}

#[test]
fn votes_of_far_heights_and_floods_of_the_next_one_are_dropped() {
    let (mut engine, _) = started(0);
    for height in [0u64, 2, 3, u64::MAX] {
        for round in 0..200 {
            let mut bytes = vote(2, 2, VoteKind::Prevote, 0, None);
            bytes[1..9].copy_from_slice(&height.to_be_bytes());
            bytes[9..13].copy_from_slice(&u32::to_be_bytes(round));
            assert!(give(&mut engine, bytes).is_empty(), "nothing is verified or stored to disk for them");
        }
    }
    let mut bytes = vote(2, 2, VoteKind::Prevote, 0, None);
    bytes[9..13].copy_from_slice(&u32::MAX.to_be_bytes());
    assert!(blamed(&give(&mut engine, bytes)), "no round is so high");
}
