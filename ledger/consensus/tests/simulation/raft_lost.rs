//! A member of a Raft group that lost its log within an epoch: it comes back without an election, and contradicts nothing
//! that it has forgotten.

use base_types::Digest;
use base_wire::Encode;
use ledger_consensus::{Engine, Input, Options, Output, Raft, TimerId, TimerKind, WalRecord};
use ledger_light::RAFT;

use crate::{
    cluster::Cluster,
    node::{key, org},
    plan::{Plan, epoch},
    seeds,
};

const CHAIN: Digest = Digest([7; 32]);
/// Of all messages here, and of a group that began at height 1.
const HEIGHT: u64 = 9;
/// The member that has lost its log.
const LOST: usize = 6;
/// Tags.
const ASK: u8 = 16;
const ANSWER: u8 = 17;
const BEAT: u8 = 20;
const HEARD: u8 = 21;

/// Runs a plan to its end under Raft.
fn run(plan: Plan) -> Cluster {
    let seed = plan.seed;
    let mut cluster = Cluster::new(plan.raft());
    cluster.run();
    assert!(cluster.blamed.is_empty(), "seed {seed}: {:?}", cluster.blamed);
    cluster
}

#[test]
fn a_member_that_lost_its_log_is_brought_up_to_date_and_needed_without_an_election() {
    for seed in seeds(1900, 20, 100) {
        let cluster = run(Plan { forgets: Some(1500), well_at: 3500, ..Plan::calm(seed) });
        assert_eq!(cluster.plan.silent.len(), 1, "seed {seed}: three of four are left, all of which are needed");
        assert_eq!(cluster.oracle.terms.len(), 1, "seed {seed}: terms since it takes part again");
    }
}

#[test]
fn a_member_that_lost_its_log_never_votes_or_seals_otherwise_and_halts_no_group() {
    for seed in seeds(2000, 24, 200) {
        let validators = [4, 5, 7][seed as usize % 3];
        let forgets = Some(600 + seed * 97 % 3000);
        run(Plan { validators, machines: validators, forgets, crashes: 4, ..Plan::rough(seed) });
    }
}

fn message(tag: u8, pre: Option<bool>, numbers: &[u64]) -> Vec<u8> {
    let mut out = vec![tag];
    HEIGHT.encode(&mut out);
    out.extend(pre.map(u8::from));
    numbers.iter().for_each(|number| number.encode(&mut out));
    out
}

/// A request for a vote in a term by somebody with nine entries.
fn ask(pre: bool, term: u64) -> Vec<u8> {
    message(ASK, Some(pre), &[term, 9, 3])
}

fn beat(term: u64, commit: u64) -> Vec<u8> {
    message(BEAT, None, &[term, commit])
}

/// The last of seven, after these records.
fn started(records: &[WalRecord]) -> (Raft, Vec<Output>) {
    let mut engine = Raft::new(CHAIN, org(LOST), key(LOST), Options::default());
    engine.handle(Input::StartHeight { height: HEIGHT, epoch: epoch(0, RAFT, 1, 0..7) });
    for record in records {
        engine.handle(Input::Replay(record.clone()));
    }
    let outputs = engine.handle(Input::Timer(TimerId { height: HEIGHT, round: 0, kind: TimerKind::Start }));
    (engine, outputs)
}

fn give(engine: &mut Raft, from: usize, bytes: Vec<u8>) -> Vec<Output> {
    engine.handle(Input::Message { from: org(from), bytes })
}

/// Whether the answer to a request for a vote is among these, and gives it.
fn votes(outputs: &[Output]) -> Option<bool> {
    outputs.iter().find_map(|output| match output {
        Output::Send { bytes, .. } if bytes[0] == ANSWER && bytes[9] == 0 => bytes.last().map(|reject| *reject == 0),
        _ => None,
    })
}

fn records(outputs: Vec<Output>) -> Vec<WalRecord> {
    let kept = outputs.into_iter().filter_map(|output| match output {
        Output::Persist(record) => Some(record),
        _ => None,
    });
    kept.collect()
}

#[test]
fn a_member_without_memory_votes_in_no_term_that_four_of_seven_can_have_reached_before() {
    let (mut engine, outputs) = started(&[]);
    let question = message(ASK, Some(true), &[1, 0, 0]);
    assert!(outputs.iter().any(|output| matches!(output, Output::Broadcast(bytes) if *bytes == question)));
    // Three others are too few, however often they speak.
    for (from, bytes) in [(0, ask(false, 5)), (1, beat(3, 2)), (0, ask(false, 9)), (2, beat(4, 0)), (1, beat(4, 2))] {
        assert!(give(&mut engine, from, bytes).is_empty(), "it takes no part");
    }
    let mut kept = records(give(&mut engine, 3, ask(true, 4)));
    assert!(!kept.is_empty(), "the term is remembered before anything is said in it");
    assert_eq!(votes(&give(&mut engine, 0, ask(false, 9))), Some(false), "it may have voted in that term");
    assert!(records(give(&mut engine, 1, beat(8, 0))).is_empty(), "nobody leads it any more");
    let outputs = give(&mut engine, 0, ask(false, 10));
    assert_eq!(votes(&outputs), Some(true));
    kept.extend(records(outputs));

    let (mut engine, outputs) = started(&kept);
    assert!(!outputs.iter().any(|output| matches!(output, Output::Broadcast(bytes) if *bytes == question)));
    assert_eq!(votes(&give(&mut engine, 1, ask(false, 10))), Some(false), "another has its vote");
    assert_eq!(votes(&give(&mut engine, 0, ask(false, 10))), Some(true));
}

#[test]
fn a_beat_that_counts_on_more_than_the_log_holds_is_answered_and_commits_nothing() {
    let (mut engine, _) = started(&[]);
    for from in 0..4 {
        give(&mut engine, from, beat(3, 7));
    }
    let outputs = give(&mut engine, 0, beat(3, 7));
    let heard = message(HEARD, None, &[3, 0]);
    let answers = |output: &Output| matches!(output, Output::Send { to, bytes } if *to == org(0) && *bytes == heard);
    assert!(outputs.iter().any(answers));
}
