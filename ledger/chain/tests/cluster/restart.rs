//! Nodes that stop and come back, and chains that cannot go on.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use base_types::Digest;
use base_wire::Encode;
use ledger_chain::ChainFault;
use ledger_light::{Block, Certificate, Header, VoteKind, merkle_root, vote_bytes};
use ledger_store::{Batch, Durability, Store};
use tokio::sync::mpsc;

use crate::{
    count,
    net::{Cluster, Lie, PATIENCE_MS, genesis, key, note, org},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_killed_node_catches_up_and_nothing_acknowledged_is_lost() {
    let mut cluster = Cluster::start(&[0, 1, 2, 3]).await;
    let mut acknowledged = Vec::new();
    for round in 0..count(2, 3) {
        let pending: Vec<_> = (0..6)
            .map(|i| {
                let (chain, tx) = (cluster.chain(0).clone(), note(0, round * 100 + i));
                tokio::spawn(async move { chain.submit(tx.clone()).await.map(|_| tx.digest()) })
            })
            .collect();
        // In the midst of their blocks.
        cluster.kill(3).await;
        for outcome in pending {
            acknowledged.push(outcome.await.expect("task").expect("executed"));
        }
        cluster.revive(3).await;
        let outcome = cluster.chain(3).submit(note(3, round)).await.expect("executed");
        acknowledged.push(note(3, round).digest());
        cluster.agree(outcome.height).await;
    }
    for at in 0..4 {
        for digest in &acknowledged {
            assert!(cluster.chain(at).transaction(digest).expect("read").is_some(), "lost at {at}");
        }
    }
}

/// Block 1 of a chain that the same validators, with the same keys, began another time.
fn foreign() -> (Block, Certificate) {
    let (chain, epoch) = (Digest([9; 32]), genesis().epoch.digest());
    let header = Header {
        version: 1,
        chain,
        height: 1,
        parent: chain,
        time: genesis().time + 1,
        proposer: org(1),
        transactions_root: merkle_root(&[]),
        state_root: Digest([8; 32]),
        epoch,
        next_epoch: epoch,
    };
    let block = header.digest();
    let signed = vote_bytes(&chain, VoteKind::Precommit, 1, 0, Some(&block));
    let signatures = (0..3u16).map(|at| (at, key(usize::from(at), "node").sign(&signed.0))).collect();
    (Block { header, transactions: vec![] }, Certificate { height: 1, round: 0, block, signatures })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_certified_block_of_another_chain_stops_nobody() {
    let (block, certificate) = foreign();
    assert_eq!(certificate.verify(&block.header, &genesis().epoch), Ok(()), "its certificate is as good as any");
    let mut cluster = Cluster::start(&[0, 1, 2]).await;
    let executed = cluster.chain(0).submit(note(0, 1)).await.expect("executed");
    // Nobody is still at this height, so that the newcomer has to ask for it.
    cluster.agree(executed.height).await;
    // Whoever is asked first gives it, once.
    let (told, answer) = (Arc::new(AtomicUsize::new(0)), [vec![0], vec![(block, certificate)].to_wire()].concat());
    let counted = Arc::clone(&told);
    let lie: Lie = Arc::new(move |honest: Vec<u8>| match honest.first() {
        Some(0) if counted.fetch_add(1, Ordering::Relaxed) == 0 => answer.clone(),
        _ => honest,
    });
    for at in 0..3 {
        cluster.lie(at, Some(Arc::clone(&lie)));
    }
    cluster.revive(3).await;
    cluster.agree(executed.height).await;
    assert!(told.load(Ordering::Relaxed) > 0, "the lie was told");
    assert_eq!(cluster.chain(3).status().expect("read").fault, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_nodes_killed_in_midst_of_work_go_on_where_they_were() {
    let mut cluster = Cluster::start(&[0, 1, 2, 3]).await;
    let (mut acknowledged, rounds) = (Vec::new(), count(2, 3));
    for round in 0..rounds {
        let chain = cluster.chain(round as usize).clone();
        let (told, mut heard) = mpsc::unbounded_channel();
        let submitter = tokio::spawn(async move {
            for i in 0.. {
                let tx = note(round as usize, round * 1000 + i);
                match chain.submit(tx.clone()).await {
                    Ok(_) => told.send(tx.digest()).expect("heard"),
                    Err(_) => return,
                }
            }
        });
        cluster.chain(3).reached(cluster.chain(3).height() + 3).await.expect("reached");
        acknowledged.push(heard.recv().await.expect("one is executed"));
        for at in 0..4 {
            cluster.kill(at).await;
        }
        submitter.await.expect("task");
        while let Some(digest) = heard.recv().await {
            acknowledged.push(digest);
        }
        cluster.revive_all(&[0, 1, 2, 3]).await;
    }
    let last = cluster.chain(1).submit(note(1, 77_777)).await.expect("executed");
    cluster.agree(last.height).await;
    for at in 0..4 {
        for digest in &acknowledged {
            assert!(cluster.chain(at).transaction(digest).expect("read").is_some(), "lost at {at}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_a_quorum_submission_says_so_and_succeeds_later() {
    let mut cluster = Cluster::start(&[]).await;
    cluster.options.submit_timeout_ms = 400;
    cluster.revive(0).await;
    cluster.revive(1).await;
    let tx = note(0, 1);
    assert_eq!(cluster.chain(0).submit(tx.clone()).await, Err(ChainFault::NoQuorum(400)));
    cluster.options.submit_timeout_ms = PATIENCE_MS;
    cluster.revive(2).await;
    cluster.chain(2).reached(1).await.expect("reached");
    let executed = cluster.chain(2).submit(tx).await.expect("executed");
    assert_eq!((executed.refusal, executed.seq), (None, Some(0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stopped_chain_and_another_chains_folder_say_so() {
    let mut cluster = Cluster::start(&[0]).await;
    let chain = cluster.chain(0).clone();
    chain.stop().await;
    assert_eq!(chain.submit(note(0, 1)).await, Err(ChainFault::Stopped));
    assert_eq!(chain.reached(1).await, Err(ChainFault::Stopped));
    drop(chain);
    cluster.kill(0).await;
    let mut other = genesis();
    other.name = "other".into();
    let store = cluster.store(0).await;
    assert_eq!(cluster.open(0, store, other).err(), Some(ChainFault::OtherGenesis));
}

/// Every file that the store begins from now on lies on a device that is always full.
fn fill_disk(folder: &Path) -> Vec<PathBuf> {
    let number = |name: std::ffi::OsString| name.to_str()?.split('.').next()?.parse::<u64>().ok();
    let files = std::fs::read_dir(folder).expect("folder").filter_map(|file| number(file.ok()?.file_name()));
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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_full_disk_stops_one_node_with_a_clear_fault_and_it_comes_back() {
    let mut cluster = Cluster::start(&[1, 2, 3]).await;
    let store = cluster.store(0).await;
    cluster.revive_on(0, store.clone());
    let kept = cluster.chain(0).submit(note(0, 1)).await.expect("executed");
    let links = fill_disk(cluster.folder(0));
    write_until_full(&store);
    assert_eq!(cluster.chain(0).submit(note(0, 2)).await, Err(ChainFault::DiskFull));
    assert_eq!(cluster.chain(0).status().expect("read").fault, Some(ChainFault::DiskFull));
    assert_eq!(cluster.chain(0).submit(note(0, 3)).await, Err(ChainFault::DiskFull), "it no longer serves");
    cluster.chain(1).submit(note(1, 4)).await.expect("the others go on");

    cluster.kill(0).await;
    drop(store);
    for link in links.iter().filter(|link| link.is_symlink()) {
        std::fs::remove_file(link).expect("freed");
    }
    cluster.revive(0).await;
    let placed = cluster.chain(0).transaction(&note(0, 1).digest()).expect("read").expect("kept");
    assert_eq!(placed.executed, kept);
    let executed = cluster.chain(0).submit(note(0, 5)).await.expect("executed");
    cluster.agree(executed.height).await;
}
