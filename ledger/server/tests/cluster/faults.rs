//! Nodes that are killed at any moment, networks that part, clocks that jump, a disk that is full.

use std::path::{Path, PathBuf};

use base_rt::{Clock, SystemClock};
use ledger_chain::ChainFault;
use ledger_light::{BFT, RAFT};
use ledger_store::{Batch, Durability, Store};
use tokio::time::sleep;

use crate::{
    count,
    load::Load,
    world::{FOUNDERS, GUEST, World, key, ms, note, org},
};

/// Numbers that follow from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

async fn kills(engine: u8, seed: u64) {
    let mut world = World::begin(engine, &FOUNDERS).await;
    let load = Load::start(&world, 8);
    let mut dice = Dice(seed);
    for _ in 0..count(6, 100) {
        let at = dice.below(4) as usize;
        sleep(ms(dice.below(200))).await;
        world.kill(at).await;
        sleep(ms(dice.below(250))).await;
        world.revive(at).await;
    }
    world.grown(3).await;
    load.told(8).await;
    let told = load.stop().await;
    world.settle(&told).await;
    for at in FOUNDERS {
        world.signs(at).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_killed_at_random_moments_under_bft_lose_and_double_nothing() {
    kills(BFT, 0x5eed_0001).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_killed_at_random_moments_under_raft_lose_and_double_nothing() {
    kills(RAFT, 0x5eed_0002).await;
}

async fn partitions(engine: u8) {
    let world = World::begin(engine, &FOUNDERS).await;
    let (load, some) = (Load::start(&world, 8), count(2, 4) as u64);
    world.grown(some).await;

    world.part(&[0, 1]);
    // What was on its way when the links went may still decide the height that was under way, however late it is read.
    let most = world.top() + 1;
    sleep(ms(count(1000, 1600) as u64)).await;
    assert!(world.top() <= most, "two of four decide nothing");
    world.no_fork();
    world.heal();
    world.grown(some).await;

    world.part(&[3]);
    let most = world.top() + 1;
    world.grown(4).await;
    assert!(world.chain(3).height() <= most, "one alone decides nothing");
    world.no_fork();
    world.heal();
    world.grown(2).await;
    let told = load.stop().await;
    world.settle(&told).await;
    world.signs(3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_parted_network_under_bft_forks_nothing_and_heals() {
    partitions(BFT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_parted_network_under_raft_forks_nothing_and_heals() {
    partitions(RAFT).await;
}

async fn clock_jumps(engine: u8) {
    let world = World::begin(engine, &FOUNDERS).await;
    let load = Load::start(&world, 6);
    world.grown(3).await;
    // Under Raft this one leads: the others have to find another.
    let chain = world.chain(0);
    let proposer = chain.block(chain.height()).expect("read").expect("a block").0.header.proposer;
    let at = FOUNDERS.into_iter().find(|at| org(*at) == proposer).expect("a founder");
    for hour in [3_600_000, -3_600_000, 0] {
        world.seats[at].clock.set(hour);
        // Each of the four proposes once, whatever was under way when the clock jumped.
        world.grown(count(5, 6) as u64).await;
        world.no_fork();
    }
    let told = load.stop().await;
    world.settle(&told).await;
    world.signs(at).await;
    let newest = world.chain(0).status().expect("a status").time;
    assert!(newest <= SystemClock.now_ms() + 6000, "no block is from the hour to come");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_clock_that_jumps_an_hour_harms_nobody_and_comes_back() {
    clock_jumps(BFT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_raft_leader_whose_clock_jumps_an_hour_is_replaced_and_comes_back() {
    clock_jumps(RAFT).await;
}

/// Every file that the store begins from now on lies on a device that is always full.
fn fill_disk(folder: &Path) -> Vec<PathBuf> {
    let number = |name: std::ffi::OsString| name.to_str()?.split('.').next()?.parse::<u64>().ok();
    let files = std::fs::read_dir(folder).expect("a folder").filter_map(|file| number(file.ok()?.file_name()));
    let next = files.max().expect("files") + 1;
    let names = (next..next + 99).flat_map(|n| [format!("{n:06}.log"), format!("{n:06}.sst")]);
    let links: Vec<_> = names.map(|name| folder.join(name)).collect();
    links.iter().for_each(|link| std::os::unix::fs::symlink("/dev/full", link).expect("linked"));
    links
}

/// Writes until the store can take no more.
fn write_until_full(store: &Store) {
    let megabyte = || {
        let mut batch = Batch::new();
        batch.put("default", *b"filler", vec![7; 1 << 20]);
        store.write(batch, Durability::Buffered)
    };
    assert!((0..300).any(|_| megabyte().is_err()), "the disk is never full");
}

async fn full_disk(engine: u8) {
    let mut world = World::begin(engine, &[0, 1, 2]).await;
    let store = world.store(3).await;
    world.start_on(3, store.clone()).await.expect("started");
    let load = Load::start(&world, 4);
    world.signs(3).await;
    let links = fill_disk(world.folder(3));
    write_until_full(&store);
    let sent = world.sign(&key(GUEST, "c14"), note());
    // Its next block, or the vote on it, finds no room.
    assert_eq!(world.chain(3).submit(sent.clone()).await, Err(ChainFault::DiskFull));
    assert_eq!(world.chain(3).status().expect("a status").fault, Some(ChainFault::DiskFull));
    world.grown(4).await;

    world.kill(3).await;
    drop(store);
    for link in links.iter().filter(|link| link.is_symlink()) {
        std::fs::remove_file(link).expect("freed");
    }
    world.revive(3).await;
    let told = load.stop().await;
    world.settle(&told).await;
    world.submit(&sent).await;
    world.signs(3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_full_disk_stops_one_node_and_no_other_and_it_comes_back() {
    full_disk(BFT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_raft_a_full_disk_stops_one_node_and_no_other_too() {
    full_disk(RAFT).await;
}
