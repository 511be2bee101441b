//! Flipped bytes, torn logs and lost writes of one node's disk: told, never served, and made good from the peers.

use std::{
    fs,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use base_rt::tls::NODE_NAME;
use base_types::{Height, fault::Code};
use base_wire::{Decode, Encode};
use ledger_chain::{Certified, ChainFault, keep_silent};
use ledger_light::{BFT, Member, RAFT, Role};
use ledger_rpc::StateAt;
use ledger_store::{Store, StoreError};
use ledger_vm::{
    member_key,
    notary::{Entry, EntryKind},
};

use crate::{
    check::Told,
    count,
    load::Load,
    world::{FOUNDERS, GUEST, World, key, member, nonce, until},
};

/// The node whose disk is bad.
const BAD: usize = 3;
/// Bytes of a block of RocksDB's log, and of the header before each record in it: checksum, length, kind.
const LOG_BLOCK: usize = 32 << 10;
const LOG_HEADER: usize = 7;

fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let all = fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
    let mut found: Vec<_> = all.filter(|path| path.extension().is_some_and(|e| e == end)).collect();
    found.sort();
    found
}

/// A file with one byte flipped.
fn flip(path: &Path, whole: &[u8], at: usize) {
    let mut bytes = whole.to_vec();
    bytes[at] ^= 0x10;
    fs::write(path, bytes).expect("damaged");
}

/// The whole of what the node has is one of the others', or a fault.
async fn serves_nothing_false(world: &World, told: &[Told]) {
    let (bad, good) = (world.client(BAD), world.client(0));
    let damaged = |fault: base_types::fault::Fault| assert_eq!(fault.code, Code::StorageDamaged, "{fault}");
    for (digest, height) in told {
        match bad.transaction(digest).await {
            Ok(found) => assert_eq!(found, good.transaction(digest).await.expect("a node")),
            Err(fault) => damaged(fault),
        }
        let header = |bytes: Option<Vec<u8>>| bytes.map(|bytes| Certified::from_wire(&bytes).expect("a header").header);
        match bad.header(*height).await {
            Ok(found) => assert_eq!(header(found), header(good.header(*height).await.expect("a node"))),
            Err(fault) => damaged(fault),
        }
        let (at, row) = (StateAt::Height(*height), member_key(&key(GUEST, "c15").public()));
        match bad.value(at, row.clone(), false).await {
            Ok(found) => assert_eq!(found, good.value(at, row, false).await.expect("a node")),
            Err(fault) => damaged(fault),
        }
    }
}

/// Four nodes with some blocks, the bad one of which has stopped.
async fn stopped(engine: u8) -> (World, Vec<Told>) {
    let mut world = World::quiet(engine, &FOUNDERS).await;
    let mut told = Vec::new();
    for _ in 0..count(8, 12) {
        told.push(world.write().await);
    }
    world.settle(&told).await;
    world.kill(BAD).await;
    world.released(BAD).await;
    (world, told)
}

/// The folder goes, and the peers give everything back; the node votes again once it cannot have voted there before, under
/// Raft with the log that the leader gives it in the same term. Then its vote is needed.
async fn made_good(mut world: World, told: &[Told]) {
    fs::remove_dir_all(world.folder(BAD)).expect("removed");
    let store = world.store(BAD).await;
    keep_silent(&store).expect("written");
    world.start_on(BAD, store).await.expect("started");
    world.settle(told).await;
    world.signs(BAD).await;
    world.kill(0).await;
    world.advance(2).await;
    world.no_fork();
}

async fn any_table(engine: u8) {
    let (mut world, told) = stopped(engine).await;
    let store = world.store(BAD).await;
    store.flush().expect("flushed");
    assert_eq!(store.verify(), Ok(()));
    drop(store);
    world.released(BAD).await;
    let tables = files(world.folder(BAD), "sst");
    let whole: Vec<Vec<u8>> = tables.iter().map(|table| fs::read(table).expect("read")).collect();
    assert!(tables.len() >= 5, "{tables:?}");
    for (number, (table, bytes)) in tables.iter().zip(&whole).enumerate() {
        flip(table, bytes, 20);
        match world.try_store(BAD).await {
            Err(StoreError::Damaged(_)) => {}
            Err(other) => panic!("{other}"),
            Ok(store) => {
                assert!(matches!(store.verify(), Err(StoreError::Damaged(_))), "{}", table.display());
                // That it is told of is seen of every table; daily, of every third one what a node does that starts.
                if number % count(3, 1) == 0 {
                    match world.start_on(BAD, store).await {
                        Ok(()) => serves_nothing_false(&world, &told).await,
                        Err(fault) => assert_eq!(fault.code, Code::StorageDamaged),
                    }
                }
            }
        }
        world.kill(BAD).await;
        world.released(BAD).await;
        // Opening it may have replaced the table.
        if table.exists() {
            fs::write(table, bytes).expect("mended");
        }
    }
    for (table, bytes) in tables.iter().zip(&whole).filter(|(table, _)| table.exists()) {
        flip(table, bytes, 20);
    }
    let refused = match world.try_store(BAD).await {
        Ok(store) => world.start_on(BAD, store).await,
        Err(fault) => Err(ChainFault::from(fault).fault("open the ledger")),
    };
    assert_eq!(refused.expect_err("it does not start").code, Code::StorageDamaged);
    world.released(BAD).await;
    made_good(world, &told).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_flipped_byte_of_any_table_is_told_never_served_and_made_good_from_the_peers() {
    any_table(BFT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_raft_a_flipped_byte_of_any_table_is_told_and_made_good_too() {
    any_table(RAFT).await;
}

/// Flips a byte in the midst of a row's bytes, in the table of a folder in use that holds it; names the table's file.
fn flip_in_use(folder: &Path, row: &[u8]) -> String {
    let lies = |table: &PathBuf| {
        let bytes = fs::read(table).expect("read");
        bytes.windows(row.len()).position(|part| part == row)
    };
    let found = files(folder, "sst").into_iter().find_map(|table| lies(&table).map(|at| (table, at)));
    let (table, at) = found.expect("a table with the row");
    let (middle, file) = (row.len() / 2, fs::OpenOptions::new().write(true).open(&table).expect("a table"));
    file.write_all_at(&[row[middle] ^ 0x10], (at + middle) as u64).expect("damaged");
    table.file_name().expect("a name").to_str().expect("a name").to_owned()
}

/// A validator does not read the transactions of blocks it has executed: only who looks for damage finds it there.
async fn damage_that_nobody_reads(engine: u8) {
    let (mut world, mut told) = stopped(engine).await;
    let (digest, _) = told[0];
    let placed = world.chain(0).transaction(&digest).expect("read").expect("a transaction");
    // Tables of transactions are packed; a signature repeats nothing, and so it lies there as it is.
    let signature = placed.transaction.signature.to_wire();
    let store = world.store(BAD).await;
    store.flush().expect("flushed");
    world.options.scrub_every_ms = 100;
    world.start_on(BAD, store).await.expect("started");
    until("all is read and found whole", || world.chain(BAD).counters().scrubs.get() > 1).await;
    assert_eq!(world.chain(BAD).fault(), None);
    let name = flip_in_use(world.folder(BAD), &signature);
    until("the damage is found", || world.chain(BAD).fault().is_some()).await;
    let found = world.chain(BAD).fault().expect("a fault").fault("run the ledger");
    assert_eq!(found.code, Code::StorageDamaged, "{found}");
    assert!(found.detail.contains(&name) && found.detail.contains("heqi chain repair"), "{found}");
    let refused = world.client(BAD).transaction(&digest).await.expect_err("nothing more is served");
    assert_eq!(refused.code, Code::StorageDamaged, "{refused}");
    told.push(world.write().await);
    world.kill(BAD).await;
    world.released(BAD).await;
    made_good(world, &told).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_running_node_finds_damage_in_a_table_that_nobody_reads_and_stops() {
    damage_that_nobody_reads(BFT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_raft_a_running_node_finds_damage_that_nobody_reads_too() {
    damage_that_nobody_reads(RAFT).await;
}

/// Where the records of a log begin, behind their headers.
fn records(log: &[u8]) -> Vec<usize> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at + LOG_HEADER <= log.len() {
        let left = LOG_BLOCK - at % LOG_BLOCK;
        if left < LOG_HEADER {
            at += left;
            continue;
        }
        let length = usize::from(u16::from_le_bytes([log[at + 4], log[at + 5]]));
        if length == 0 {
            break;
        }
        found.push(at + LOG_HEADER);
        at += LOG_HEADER + length;
    }
    found
}

async fn spoilt_log(engine: u8) {
    let (mut world, told) = stopped(engine).await;
    let logs = files(world.folder(BAD), "log");
    let log = logs.iter().max_by_key(|log| fs::metadata(log).expect("a file").len()).expect("a log").clone();
    let whole = fs::read(&log).expect("read");
    let records = records(&whole);
    assert!(records.len() > 10, "{}", records.len());
    flip(&log, &whole, records[records.len() / 2]);
    let refused = world.try_store(BAD).await.map(drop).expect_err("it does not start");
    assert!(matches!(refused, StoreError::Damaged(_)), "{refused}");
    assert_eq!(ChainFault::from(refused).fault("open the ledger").code, Code::StorageDamaged);

    world.released(BAD).await;
    let last = *records.last().expect("a record");
    fs::write(&log, &whole[..last + 3]).expect("torn");
    world.revive(BAD).await;
    serves_nothing_behind(&world, &told).await;
    world.settle(&told).await;
    world.kill(BAD).await;
    world.released(BAD).await;
    made_good(world, &told).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_flipped_byte_of_the_log_keeps_a_node_from_starting_and_a_torn_end_does_not() {
    spoilt_log(BFT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_raft_a_flipped_byte_of_the_log_keeps_a_node_from_starting_too() {
    spoilt_log(RAFT).await;
}

/// What a node has that lost its newest writes is what the others have.
async fn serves_nothing_behind(world: &World, told: &[Told]) {
    for (digest, _) in told {
        let theirs = world.chain(BAD).transaction(digest).expect("read");
        assert!(theirs.is_none() || theirs == world.chain(0).transaction(digest).expect("read"));
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for file in fs::read_dir(from).expect("a folder") {
        let file = file.expect("a file");
        fs::copy(file.path(), to.join(file.file_name())).expect("copied");
    }
}

/// The height of the first block that the bad node cannot have signed, since it was down.
async fn lose_writes(world: &mut World, backup: &Path) -> Height {
    let store: Store = world.store(BAD).await;
    world.start_on(BAD, store.clone()).await.expect("started");
    world.signs(BAD).await;
    store.checkpoint(backup).expect("a copy of this moment");
    drop(store);
    world.grown(count(8, 20) as u64).await;
    world.kill(BAD).await;
    world.released(BAD).await;
    fs::remove_dir_all(world.folder(BAD)).expect("removed");
    copy(backup, world.folder(BAD));
    // What it signed before it went may still come into a certificate of the height then under way, or of the next.
    world.top() + 3
}

/// A disk that lost what it had promised to keep makes a validator forget what it signed. Its old key signs nothing
/// more: it follows as a learner, and comes back with a fresh one.
async fn comes_back_with_a_fresh_key(engine: u8) {
    let mut world = World::begin(engine, &[0, 1, 2]).await;
    let load = Load::start(&world, 6);
    let backup = tempfile::tempdir().expect("a folder");
    let silent = lose_writes(&mut world, &backup.path().join("copy")).await;

    let fresh = || key(BAD, "fresh");
    world.reissue(BAD, fresh());
    world.revive(BAD).await;
    world.grown(count(3, 5) as u64).await;
    let again = Member { key: fresh().public(), ..member(BAD, NODE_NAME, Role::Node) };
    let (subject, body) = (base_gm::sm3::sm3(&nonce()), again.to_wire());
    let entry = Entry { subject, kind: EntryKind::MemberAdded, attempt: 0, parties: vec![], expires: 0, body };
    let executed = world.submit(&world.sign(&key(BAD, "admin"), entry.to_wire())).await;
    assert_eq!(executed.refusal, None);
    let change = world.pass(world.change(engine, &FOUNDERS)).await;
    world.begun(1).await;
    let first = world.chain(0).epoch().expect("an epoch").first_height;
    assert!(silent < first, "{silent} to {first}");
    assert!(!world.signed(BAD, silent..=first - 1), "the old key signs nothing more");
    world.signs(BAD).await;
    let record = world.record(&change).expect("a record");
    assert_eq!(record.change.validators[BAD].key, fresh().public());
    let told = load.stop().await;
    world.settle(&told).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_that_lost_its_writes_comes_back_as_a_learner_with_a_fresh_key() {
    comes_back_with_a_fresh_key(BFT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_raft_a_node_that_lost_its_writes_comes_back_as_a_learner_too() {
    comes_back_with_a_fresh_key(RAFT).await;
}
