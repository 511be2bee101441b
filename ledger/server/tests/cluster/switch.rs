//! The consensus engine changes while clients go on, or the change lapses and says why.

use base_types::Digest;
use ledger_light::{BFT, RAFT};
use ledger_vm::govern::{Action, ChangeStatus};

use crate::{
    count,
    load::Load,
    world::{FOUNDERS, GUEST, JOINER, LATER, World, org, until},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn engines_change_back_and_forth_under_load_and_nothing_is_lost() {
    let world = World::begin(BFT, &FOUNDERS).await;
    let load = Load::start(&world, 8);
    let engines = [RAFT, BFT, RAFT];
    let engines = &engines[..count(2, 3)];
    for (number, engine) in (1..).zip(engines.iter().copied()) {
        world.pass(world.change(engine, &FOUNDERS)).await;
        world.begun(number).await;
        assert!(world.running().all(|(_, chain)| chain.epoch().expect("an epoch").engine == engine));
        world.grown(4).await;
    }
    load.told(count(30, 50)).await;
    let told = load.stop().await;
    world.settle(&told).await;
    let handovers = world.chain(0).handovers().expect("read");
    assert_eq!(handovers.iter().map(|handover| handover.epoch.engine).collect::<Vec<_>>(), engines);
    world.advance(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn engines_change_with_one_validator_down_which_then_follows() {
    let mut world = World::begin(BFT, &FOUNDERS).await;
    let load = Load::start(&world, 8);
    let some = count(2, 3) as u64;
    world.grown(some).await;
    world.kill(3).await;
    for (number, engine) in (1..).zip([RAFT, BFT]) {
        world.pass(world.change(engine, &FOUNDERS)).await;
        world.begun(number).await;
        world.grown(some).await;
    }
    world.revive(3).await;
    let told = load.stop().await;
    world.settle(&told).await;
    world.begun(2).await;
    // Without this one there is no quorum but with the one that was down.
    world.kill(0).await;
    world.advance(3).await;
    world.settle(&told).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_validator_joins_in_the_very_change_of_the_engine() {
    let mut world = World::begin(BFT, &FOUNDERS).await;
    let load = Load::start(&world, 8);
    world.grown(3).await;
    // Four of five must be ready, so the newcomer is needed.
    world.kill(3).await;
    let change = world.pass(world.change(RAFT, &[0, 1, 2, 3, JOINER])).await;
    world.revive(JOINER).await;
    world.begun(1).await;
    let ready = world.record(&change).expect("a record").ready;
    assert!(ready.contains(&org(JOINER)), "{ready:?}");
    world.grown(4).await;
    world.revive(3).await;
    let told = load.stop().await;
    world.settle(&told).await;
    assert!(world.signed(JOINER, 1..=world.top()));
    world.advance(2).await;
}

/// Waits until a change has lapsed, and tells why.
async fn lapsed(world: &World, change: &Digest) -> String {
    let status = || world.record(change).map(|record| record.status);
    until("the change lapses", || matches!(status(), Some(ChangeStatus::Lapsed { .. }))).await;
    match status() {
        Some(ChangeStatus::Lapsed { why }) => why,
        other => panic!("it has lapsed: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_without_votes_readiness_or_the_right_lapse_or_are_refused() {
    let world = World::begin(BFT, &FOUNDERS).await;
    let load = Load::start(&world, 4);
    let (_, executed) = world.govern(GUEST, "c12", &Action::Propose(world.change(RAFT, &FOUNDERS))).await;
    assert_eq!(executed.refusal.as_deref(), Some("a4/c12 has no role that may do this"));

    let (down, executed) = world.govern(3, "admin", &Action::Propose(world.change(RAFT, &FOUNDERS))).await;
    assert_eq!(executed.refusal, None);
    let (_, executed) = world.govern(GUEST, "admin", &Action::Vote { change: down, approve: true }).await;
    assert_eq!(executed.refusal.as_deref(), Some("a4 is no validator"));
    for at in [1, 2] {
        let (_, executed) = world.govern(at, "admin", &Action::Vote { change: down, approve: false }).await;
        assert_eq!(executed.refusal, None);
    }
    assert_eq!(lapsed(&world, &down).await, "voted down by a1, a2");
    let (_, executed) = world.govern(3, "admin", &Action::Propose(world.change(RAFT, &FOUNDERS))).await;
    assert!(executed.refusal.is_some_and(|why| why.contains("let another one propose first")));

    let mut change = world.change(RAFT, &[0, 1, JOINER, LATER]);
    // Five blocks are what it needs for the votes and for the two that are ready; a slow machine makes more meanwhile.
    change.deadline = world.top() + 60;
    let late = world.pass(change).await;
    let why = lapsed(&world, &late).await;
    assert!(why.contains("only 2 of its 4 validators were ready, not a5, a6"), "{why}");
    world.grown(4).await;
    assert!(world.running().all(|(_, chain)| chain.epoch().expect("an epoch").number == 0), "the old epoch goes on");
    let told = load.stop().await;
    world.settle(&told).await;
}
