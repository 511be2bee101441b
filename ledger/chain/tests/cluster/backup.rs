//! Backups under load, their proof and return, and a node that begins anew after a loss.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use base_wire::Encode;
use ledger_chain::{Backup, COLUMNS, Chain, ChainFault, audit, keep_silent};
use ledger_store::{Batch, Durability, Store};

use crate::{
    count,
    net::{Cluster, Lie, PATIENCE_MS, genesis, note, org, until},
};

/// Where rows of these kinds lie.
const LATEST: &str = COLUMNS[1];
const HEADERS: &str = COLUMNS[8];
const TRANSACTIONS: &str = COLUMNS[10];

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("folder");
    for file in fs::read_dir(from).expect("folder") {
        let file = file.expect("file");
        fs::copy(file.path(), to.join(file.file_name())).expect("copied");
    }
}

/// A backup made while clients go on submitting.
async fn made(cluster: &Cluster, folder: &Path) -> Backup {
    let chain = cluster.chain(0).clone();
    let loaded = chain.clone();
    let load = tokio::spawn(async move {
        for nonce in 0..count(12, 20) {
            loaded.submit(note(0, nonce)).await.expect("executed");
        }
    });
    chain.reached(6).await.expect("reached");
    let folder = folder.to_owned();
    let backup = tokio::task::spawn_blocking(move || chain.backup(&folder)).await.expect("task").expect("made");
    load.await.expect("task");
    backup
}

/// The fault of a changed copy of a backup.
fn refused(backup: &Path, change: impl FnOnce(&Store)) -> ChainFault {
    let folder = tempfile::tempdir().expect("folder");
    copy(backup, folder.path());
    let store = Store::open(folder.path(), &COLUMNS).expect("opened");
    change(&store);
    audit(&store, &genesis()).expect_err("refused")
}

fn changed(store: &Store, column: &'static str, change: impl FnOnce(&mut Vec<u8>)) {
    let rows = store.rows(column, &[], &[], 3).expect("read");
    let (key, mut value) = rows.last().cloned().expect("a row");
    change(&mut value);
    let mut batch = Batch::new();
    batch.put(column, key, value);
    store.write(batch, Durability::Synced).expect("written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backup_under_load_is_proven_and_brings_a_node_back_with_the_same_roots() {
    let mut cluster = Cluster::start(&[0, 1, 2]).await;
    let folder = tempfile::tempdir().expect("folder");
    let place = folder.path().join("backup");
    let backup = made(&cluster, &place).await;
    let audited = {
        let store = Store::open(&place, &COLUMNS).expect("opened");
        store.verify().expect("whole");
        audit(&store, &genesis()).expect("proven")
    };
    assert_eq!((audited.height, audited.state_root), (backup.height, backup.state_root));
    assert_eq!(audited.certified, Some(backup.height - 1));
    assert_eq!(audited.headers, backup.height);
    assert!(audited.keys > 10 && audited.transactions >= 2, "{audited:?}");
    cluster.chain(1).reached(backup.height).await.expect("reached");
    assert_eq!(cluster.chain(1).state_root(backup.height), Ok(backup.state_root));
    assert!(cluster.chain(0).backup(&place).is_err(), "a backup is never written over");

    copy(&place, cluster.folder(3));
    let store = cluster.store(3).await;
    keep_silent(&store).expect("written");
    cluster.revive_on(3, store);
    let executed = cluster.chain(1).submit(note(1, 1)).await.expect("executed");
    cluster.agree(executed.height).await;
    votes_again(&mut cluster).await;
    let last = cluster.chain(3).silent_until().expect("read");
    assert!(last > backup.height && last < cluster.chain(3).height(), "{last}");
    assert_eq!(cluster.chain(1).silent_until(), Ok(0));
}

/// Makes blocks until node 3 is past its silence and signs one, and then needs its vote.
async fn votes_again(cluster: &mut Cluster) {
    let signed = |chain: &Chain, height: u64| {
        let (_, certificate) = chain.block(height).expect("read").expect("stored");
        certificate.signatures.iter().any(|(signer, _)| *signer == 3)
    };
    let mut nonces = 500..600;
    loop {
        let nonce = nonces.next().expect("it stays silent");
        let executed = cluster.chain(3).submit(note(3, nonce)).await.expect("executed");
        if signed(cluster.chain(3), executed.height) {
            break;
        }
    }
    cluster.kill(0).await;
    let executed = cluster.chain(1).submit(note(1, 600)).await.expect("three of four decide");
    cluster.agree(executed.height).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backup_that_was_changed_is_refused() {
    let cluster = Cluster::start(&[0, 1, 2]).await;
    let folder = tempfile::tempdir().expect("folder");
    let place = folder.path().join("backup");
    made(&cluster, &place).await;
    let faults = [
        refused(&place, |store| changed(store, LATEST, |value| value.push(1))),
        refused(&place, |store| changed(store, HEADERS, |header| header[20] ^= 1)),
        // The height at which it was executed.
        refused(&place, |store| changed(store, TRANSACTIONS, |placed| placed[7] ^= 1)),
        refused(&place, |store| {
            let mut batch = Batch::new();
            batch.delete(HEADERS, 2u64.to_be_bytes());
            store.write(batch, Durability::Synced).expect("written");
        }),
    ];
    assert!(faults.iter().all(|fault| matches!(fault, ChainFault::Damaged(_))), "{faults:?}");
    let store = Store::open(&place, &COLUMNS).expect("opened");
    let mut other = genesis();
    other.name = "other".into();
    assert_eq!(audit(&store, &other), Err(ChainFault::OtherGenesis));
    drop(store);

    // Flipped bytes on the disk, in a copy: the backup's own tables are links to those of the running node.
    let copied = folder.path().join("copied");
    copy(&place, &copied);
    let tables: Vec<PathBuf> = fs::read_dir(&copied)
        .expect("folder")
        .map(|file| file.expect("file").path())
        .filter(|path| path.extension().is_some_and(|end| end == "sst"))
        .collect();
    assert!(!tables.is_empty());
    for table in tables {
        let mut bytes = fs::read(&table).expect("read");
        bytes.iter_mut().step_by(64).for_each(|byte| *byte ^= 0x55);
        fs::write(&table, bytes).expect("written");
    }
    let found = Store::open(&copied, &COLUMNS).and_then(|store| store.verify());
    assert!(matches!(found, Err(ledger_store::StoreError::Damaged(_))), "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_validator_that_lost_its_store_fetches_it_again_and_is_silent_until_it_is_past_what_it_signed() {
    let mut cluster = Cluster::start(&[0, 1, 2, 3]).await;
    for nonce in 0..count(4, 8) {
        cluster.chain(3).submit(note(3, nonce)).await.expect("executed");
    }
    cluster.kill(3).await;
    cluster.renew(3);
    let store = cluster.store(3).await;
    keep_silent(&store).expect("written");
    // Two others are not enough to know how far the chain is: it stays silent, and the three make no block.
    cluster.kill(0).await;
    cluster.options.submit_timeout_ms = 1000;
    cluster.revive_on(3, store);
    let chain: Chain = cluster.chain(3).clone();
    let newest = cluster.chain(1).height();
    until("it has caught up", || chain.height() >= newest).await;
    assert_eq!(chain.submit(note(3, 100)).await, Err(ChainFault::NoQuorum(1000)));
    // Its store is opened again below.
    drop(chain);

    cluster.options.submit_timeout_ms = PATIENCE_MS;
    cluster.revive(0).await;
    let executed = cluster.chain(0).submit(note(0, 100)).await.expect("the three others decide");
    cluster.agree(executed.height).await;
    cluster.kill(3).await;
    cluster.revive(3).await;
    votes_again(&mut cluster).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_validator_that_returns_is_not_kept_silent_by_a_lie_about_the_height() {
    let mut cluster = Cluster::start(&[0, 1, 2]).await;
    for nonce in 0..3 {
        cluster.chain(0).submit(note(0, nonce)).await.expect("executed");
    }
    let store = cluster.store(3).await;
    keep_silent(&store).expect("written");
    // Node 2 says that it has stored ever so many blocks, and gives none of them.
    cluster.lie(2, Some(Arc::new(|answer: Vec<u8>| if answer.first() == Some(&0) { vec![0; 5] } else { answer })));
    cluster.revive_on(3, store);
    let lie = [vec![2], (1u64 << 40).to_wire()].concat();
    let end = Instant::now() + Duration::from_millis(PATIENCE_MS);
    for nonce in 100.. {
        assert!(Instant::now() < end, "it stays silent");
        cluster.chain(3).deliver(org(2), lie.clone()).await;
        let height = cluster.chain(0).submit(note(0, nonce)).await.expect("executed").height;
        cluster.chain(3).reached(height).await.expect("reached");
        let (_, certificate) = cluster.chain(3).block(height).expect("read").expect("stored");
        if certificate.signatures.iter().any(|(signer, _)| *signer == 3) {
            break;
        }
    }
    cluster.kill(2).await;
    let executed = cluster.chain(1).submit(note(1, 1)).await.expect("three of four decide");
    cluster.agree(executed.height).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_validator_that_returns_is_not_kept_silent_by_blocks_that_come_ever_faster_than_it_asks() {
    let mut cluster = Cluster::start(&[0, 1, 2]).await;
    for nonce in 0..3 {
        cluster.chain(0).submit(note(0, nonce)).await.expect("executed");
    }
    let store = cluster.store(3).await;
    keep_silent(&store).expect("written");
    // As if there were one more block whenever it asks: an answer without any never comes.
    let lie: Lie = Arc::new(|answer: Vec<u8>| if answer == [0u8; 5] { Vec::new() } else { answer });
    for at in 0..3 {
        cluster.lie(at, Some(Arc::clone(&lie)));
    }
    cluster.revive_on(3, store);
    votes_again(&mut cluster).await;
}
