//! Organisations that join, leave, are replaced, and come back.

use ledger_light::{BFT, Organisation};
use ledger_vm::{
    govern::{Addresses, addresses_key},
    organisation_key,
};

use crate::{
    count,
    load::Load,
    world::{FOUNDERS, JOINER, World, org, until},
};

const FIVE: [usize; 5] = [0, 1, 2, 3, JOINER];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_organisation_joins_says_that_it_is_ready_leaves_and_comes_back() {
    let mut world = World::begin(BFT, &FOUNDERS).await;
    let load = Load::start(&world, 6);
    world.grown(count(2, 5) as u64).await;
    world.kill(3).await;
    let change = world.pass(world.change(BFT, &FIVE)).await;
    let known = |chain: &ledger_chain::Chain| {
        let row = chain.read::<Organisation>(&organisation_key(&org(JOINER))).expect("read");
        row.is_some_and(|organisation| organisation == world.seats[JOINER].organisation())
    };
    until("the newcomer belongs to the chain", || world.running().all(|(_, chain)| known(chain))).await;

    world.revive(JOINER).await;
    world.begun(1).await;
    assert!(world.record(&change).expect("a record").ready.contains(&org(JOINER)));
    let told = |chain: &ledger_chain::Chain| chain.read::<Addresses>(&addresses_key(&org(JOINER))).expect("read");
    until("its address is known", || world.running().all(|(_, chain)| told(chain).is_some())).await;
    // Nobody can do without it now.
    world.signs(JOINER).await;
    world.revive(3).await;
    world.signs(3).await;

    world.pass(world.change(BFT, &FOUNDERS)).await;
    world.begun(2).await;
    world.grown(3).await;
    let epoch = world.chain(JOINER).epoch().expect("an epoch");
    assert_eq!(epoch.index_of(&org(JOINER)), None, "it follows and votes no more");

    world.pass(world.change(BFT, &FIVE)).await;
    world.begun(3).await;
    world.signs(JOINER).await;
    let told = load.stop().await;
    world.settle(&told).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_validator_is_replaced_and_one_that_was_long_away_signs_again() {
    let mut world = World::begin(BFT, &FOUNDERS).await;
    let load = Load::start(&world, 6);
    world.grown(3).await;
    let change = world.change(BFT, &[0, 1, 2, JOINER]);
    world.pass(change).await;
    world.revive(JOINER).await;
    world.begun(1).await;
    world.kill(3).await;
    world.signs(JOINER).await;

    world.kill(2).await;
    world.grown(count(16, 200) as u64).await;
    world.revive(2).await;
    world.signs(2).await;
    let told = load.stop().await;
    world.settle(&told).await;
}
