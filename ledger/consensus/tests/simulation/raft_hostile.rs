//! Bytes of every kind from a member of a Raft group, and blocks that nobody should seal.

use std::collections::VecDeque;

use base_types::Digest;
use base_wire::Encode;
use ledger_consensus::{Engine, Input, Options, Output, Raft, TimerId, TimerKind, WalRecord};
use ledger_light::{Block, Epoch, RAFT, Validator, VoteKind, vote_bytes};

use crate::{
    node::{Node, key, org},
    rng::Rng,
};

const CHAIN: Digest = Digest([7; 32]);
const SEAL: u8 = 23;

fn epoch() -> Epoch {
    let validators = (0..4).map(|i| Validator { org: org(i), key: key(i).public() }).collect();
    Epoch { number: 0, engine: RAFT, first_height: 1, validators, interval_ms: 100 }
}

/// A member at height 1, after these records; what it says first is lost.
fn started(me: usize, records: &[WalRecord]) -> (Raft, Vec<Output>) {
    let mut engine = Raft::new(CHAIN, org(me), key(me), Options::default());
    engine.handle(Input::StartHeight { height: 1, epoch: epoch() });
    for record in records {
        assert!(engine.handle(Input::Replay(record.clone())).is_empty());
    }
    let outputs = engine.handle(Input::Timer(TimerId { height: 1, round: 0, kind: TimerKind::Start }));
    (engine, outputs)
}

/// Four members and a network without delay, on which no time passes.
struct Lockstep {
    engines: Vec<Raft>,
    /// Blocks are valid.
    valid: bool,
    /// Made into the proposed block's time, so that runs differ.
    salt: u64,
    /// What was sent to each, by whom.
    heard: Vec<Vec<(usize, Vec<u8>)>>,
    records: Vec<Vec<WalRecord>>,
    decided: Vec<(usize, Block)>,
}

impl Lockstep {
    /// Runs height 1 as far as it goes.
    fn run(valid: bool, salt: u64) -> Self {
        let mut run = Self {
            engines: Vec::new(),
            valid,
            salt,
            heard: vec![Vec::new(); 4],
            records: vec![Vec::new(); 4],
            decided: Vec::new(),
        };
        let mut queue = VecDeque::new();
        for me in 0..4 {
            let (engine, outputs) = started(me, &[]);
            run.engines.push(engine);
            queue.extend(outputs.into_iter().map(|output| (me, output)));
        }
        while let Some((me, output)) = queue.pop_front() {
            for (to, input) in run.inputs(me, output) {
                queue.extend(run.engines[to].handle(input).into_iter().map(|output| (to, output)));
            }
        }
        run
    }

    fn inputs(&mut self, me: usize, output: Output) -> Vec<(usize, Input)> {
        match output {
            Output::Broadcast(bytes) => (0..4).filter(|to| *to != me).map(|to| self.carry(me, to, &bytes)).collect(),
            Output::Send { to, bytes } => {
                let to = (0..4).find(|i| org(*i) == to).expect("a member");
                vec![self.carry(me, to, &bytes)]
            }
            Output::Build { height, round, .. } => {
                let block = Node::new(me).build(CHAIN, &epoch(), &epoch(), self.salt);
                vec![(me, Input::Built { height, round, block })]
            }
            Output::Check { height, round, block } => {
                let block = block.header.digest();
                vec![(me, Input::Checked { height, round, block, valid: self.valid })]
            }
            Output::Persist(record) => {
                self.records[me].push(record);
                Vec::new()
            }
            Output::Decided { block, certificate } => {
                assert_eq!(certificate.verify(&block.header, &epoch()), Ok(()));
                self.decided.push((me, block));
                Vec::new()
            }
            Output::Misbehaved { by, what } => panic!("{by} {what}"),
            Output::Keep(_) | Output::SetTimer { .. } | Output::CancelTimer(_) => Vec::new(),
        }
    }

    fn carry(&mut self, from: usize, to: usize, bytes: &[u8]) -> (usize, Input) {
        self.heard[to].push((from, bytes.to_vec()));
        (to, Input::Message { from: org(from), bytes: bytes.to_vec() })
    }
}

fn give(engine: &mut Raft, from: usize, bytes: Vec<u8>) -> Vec<Output> {
    engine.handle(Input::Message { from: org(from), bytes })
}

fn blamed(outputs: &[Output], member: usize) -> bool {
    outputs.iter().any(|o| matches!(o, Output::Misbehaved { by, .. } if *by == org(member)))
}

/// Whether any of these seals, checks or decides a block.
fn moves(outputs: &[Output]) -> bool {
    outputs.iter().any(|o| match o {
        Output::Broadcast(bytes) => bytes[0] == SEAL,
        Output::Check { .. } | Output::Decided { .. } => true,
        _ => false,
    })
}

fn message(tag: u8, numbers: &[u64]) -> Vec<u8> {
    let mut out = vec![tag];
    1u64.encode(&mut out);
    numbers.iter().for_each(|number| number.encode(&mut out));
    out
}

fn seal(member: usize, block: Digest) -> Vec<u8> {
    let mut out = message(SEAL, &[]);
    block.encode(&mut out);
    key(member).sign(&vote_bytes(&CHAIN, VoteKind::Precommit, 1, 0, Some(&block)).0).encode(&mut out);
    out
}

#[test]
fn four_members_decide_a_height_before_any_time_passes_and_save_what_they_send() {
    let run = Lockstep::run(true, 0);
    assert_eq!(run.decided.len(), 4);
    assert!(run.decided.iter().all(|(_, block)| *block == run.decided[0].1));
    for records in &run.records {
        assert!(records.iter().any(|record| record.height() == 1), "the seal");
        assert!(records.iter().any(|record| record.height() == WalRecord::KEPT), "the log");
    }
}

#[test]
fn a_block_that_nobody_finds_valid_is_never_sealed() {
    let run = Lockstep::run(false, 0);
    // The proposer trusts its own block; one seal of four proves nothing.
    assert!(run.decided.is_empty());
    let sealed = run.records.iter().flatten().filter(|record| record.height() == 1).count();
    assert_eq!(sealed, 1);
}

#[test]
fn a_seal_in_the_log_is_sent_again_and_no_other_block_of_its_height_is_sealed() {
    let (first, second) = (Lockstep::run(true, 1), Lockstep::run(true, 2));
    assert_ne!(first.decided[0].1, second.decided[0].1);
    let sealed: Vec<_> = first.records[3].iter().filter(|record| record.height() == 1).cloned().collect();
    // Only the seal was saved: the group may well commit another block then.
    let (mut engine, outputs) = started(3, &sealed);
    let block = first.decided[0].1.header.digest();
    let says = |outputs: &[Output], bytes: &[u8]| {
        outputs.iter().any(|o| matches!(o, Output::Broadcast(said) if said == bytes))
    };
    assert!(says(&outputs, &seal(3, block)));
    let other = second.decided[0].1.header.digest();
    for (from, bytes) in &second.heard[3] {
        let outputs = give(&mut engine, *from, bytes.clone());
        assert!(!says(&outputs, &seal(3, other)));
    }
    let checked = Input::Checked { height: 1, round: 0, block: other, valid: true };
    assert!(!says(&engine.handle(checked), &seal(3, other)));
}

#[test]
fn a_member_that_replays_its_log_goes_on_as_if_it_had_never_stopped() {
    let run = Lockstep::run(true, 3);
    let (engine, outputs) = started(2, &run.records[2]);
    assert_eq!(engine.height(), 1);
    let block = run.decided[0].1.header.digest();
    assert!(outputs.iter().any(|o| matches!(o, Output::Broadcast(bytes) if *bytes == seal(2, block))));
    assert!(!outputs.iter().any(|o| matches!(o, Output::Persist(_))), "nothing new is to be remembered");
}

#[test]
fn noise_in_the_form_of_a_group_s_messages_changes_no_block() {
    let mut rng = Rng(11);
    let (mut engine, _) = started(1, &[]);
    for i in 0..4000 {
        let len = rng.below(80) as usize;
        let mut bytes: Vec<u8> = (0..len).map(|_| rng.next() as u8).collect();
        if let Some(tag) = bytes.first_mut() {
            *tag = 14 + *tag % 12;
        }
        // Half of them name the height, and small numbers, as real ones do.
        if i % 2 == 0 {
            bytes = message(16 + rng.below(8) as u8, &[]);
            for _ in 0..rng.below(6) {
                rng.below(4).encode(&mut bytes);
            }
            bytes.extend((0..rng.below(3)).map(|_| 0));
        }
        let outputs = give(&mut engine, 2, bytes);
        assert!(!moves(&outputs));
    }
    assert!(blamed(&give(&mut engine, 2, vec![16; 100_000]), 2));
}

#[test]
fn damaged_messages_of_a_real_run_never_stop_a_member_or_give_it_another_block() {
    let mut rng = Rng(12);
    let run = Lockstep::run(true, 4);
    let good = run.decided[0].1.header.digest();
    for case in 0..400 {
        let me = case % 4;
        let (mut engine, _) = started(me, &[]);
        let heard = &run.heard[me];
        let spoilt = rng.below(heard.len() as u64) as usize;
        for (i, (from, bytes)) in heard.iter().enumerate() {
            let mut bytes = bytes.clone();
            if i == spoilt {
                let at = rng.below(bytes.len() as u64) as usize;
                bytes[at] ^= 1 << rng.below(8);
            }
            for output in give(&mut engine, *from, bytes) {
                if let Output::Decided { block, .. } = output {
                    assert_eq!(block.header.digest(), good, "case {case}");
                }
            }
        }
    }
}

/// What no honest member of the group says, as `term`'s leader or follower.
fn contradictions(term: u64) -> Vec<Vec<u8>> {
    let part = |numbers: &[u64]| message(0, numbers)[9..].to_vec();
    let slot = [vec![1], part(&[term]), vec![0; 4]].concat();
    let mut out = Vec::new();
    for index in [9, 1000, 1 << 40] {
        out.push(message(20, &[term, index]));
        out.push(message(21, &[term, index]));
        // Acknowledged, and refused with a hint.
        out.push([message(19, &[term, index, index]), vec![0]].concat());
        out.push([message(19, &[term, index, index]), vec![1], part(&[index, term])].concat());
        // Nothing after an entry that there is not, and one after it.
        out.push([message(18, &[term, index, term, index]), vec![0]].concat());
        out.push([message(18, &[term, index, term, index]), slot.clone()].concat());
    }
    // The log is said to begin later, at another height, and then to go on from the middle.
    out.push(message(22, &[term, 50, term, 99]));
    out.push(message(22, &[term, 50, 1, 3]));
    for index in 0..60 {
        out.push([message(18, &[term, index, index.min(1), 60]), slot.clone()].concat());
    }
    out
}

#[test]
fn messages_that_contradict_the_log_stop_nobody() {
    // Member 0 leads; 1 follows.
    for (me, from) in [(0, 1), (1, 0), (1, 3)] {
        for term in [1, 2, 7] {
            let mut run = Lockstep::run(true, 5);
            let mut again = started(me, &run.records[me]).0;
            for engine in [&mut run.engines[me], &mut again] {
                for bytes in contradictions(term) {
                    assert!(!moves(&give(engine, from, bytes)));
                }
                for _ in 0..50 {
                    engine.handle(Input::Timer(TimerId { height: 1, round: 0, kind: TimerKind::Tick }));
                }
                assert_eq!(engine.height(), 1);
            }
        }
    }
}

#[test]
fn seals_that_are_forged_or_doubled_are_blamed_on_their_sender() {
    let (mut engine, _) = started(0, &[]);
    let [a, b] = [Digest([1; 32]), Digest([2; 32])];
    assert!(blamed(&give(&mut engine, 2, seal(3, a)), 2), "another's seal");
    assert!(!blamed(&give(&mut engine, 2, seal(2, a)), 2));
    assert!(!blamed(&give(&mut engine, 2, seal(2, a)), 2));
    assert!(blamed(&give(&mut engine, 2, seal(2, b)), 2), "a second block");
    let mut far = seal(2, b);
    far[1..9].copy_from_slice(&9u64.to_be_bytes());
    assert!(give(&mut engine, 2, far).is_empty(), "of another height");
    assert!(give(&mut engine, 9, seal(2, b)).is_empty(), "nobody of this epoch");
}

#[test]
fn a_quorum_of_seals_decides_only_a_block_that_is_here() {
    let run = Lockstep::run(true, 6);
    let block = run.decided[0].1.header.digest();
    let (mut engine, _) = started(3, &[]);
    for member in 0..3 {
        assert!(!moves(&give(&mut engine, member, seal(member, block))));
    }
    // The entry alone, before anybody says that it is committed.
    let entry = run.heard[3].iter().filter(|(_, bytes)| bytes[0] == 18);
    let outputs: Vec<_> = entry.flat_map(|(from, bytes)| give(&mut engine, *from, bytes.clone())).collect();
    let decided =
        outputs.iter().filter(|o| matches!(o, Output::Decided { block: b, .. } if b.header.digest() == block));
    assert_eq!(decided.count(), 1);
}
