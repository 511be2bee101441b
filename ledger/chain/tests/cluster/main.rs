//! Four validators in one process: agreement, a dead node, kills and restarts, doubles, evidence.

mod backup;
mod early;
mod evidence;
mod net;
mod prune;
mod restart;
mod room;
mod snapshot;

use std::time::Duration;

use base_types::Digest;
use ledger_chain::ChainFault;
use ledger_vm::notary::EntryKind as K;
use net::{Cluster, entry, genesis, key, note, transaction, until};

/// How often something is tried: the first number daily, the second in a long run.
fn count(daily: u64, long: u64) -> u64 {
    if std::env::var_os("HEQI_LONG").is_some() { long } else { daily }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn entries_from_every_node_are_certified_and_equal_on_all() {
    let cluster = Cluster::start(&[0, 1, 2, 3]).await;
    let submitted = (0..20).map(|i| {
        let chain = cluster.chain(i % 4).clone();
        tokio::spawn(async move { (chain.submit(note(i % 4, i as u64)).await, chain.height()) })
    });
    let mut last = 0;
    for executed in submitted.collect::<Vec<_>>() {
        let (executed, height) = executed.await.expect("task");
        let executed = executed.expect("executed");
        assert_eq!(executed.refusal, None);
        assert!(height >= executed.height, "who is told of a block finds that the chain has come as far");
        last = last.max(executed.height);
    }
    cluster.agree(last + 1).await;
    let log = cluster.chain(0).records_after(0, 100).expect("log");
    assert_eq!(log.len(), 20);
    assert!(log.iter().map(|(cursor, _)| *cursor).eq(1..=20));
    for at in 0..4 {
        assert_eq!(cluster.chain(at).records_after(0, 100), Ok(log.clone()));
        assert_eq!(cluster.chain(at).records(&Digest([2; 32])).expect("records").len(), 5);
    }
    let (block, certificate) = cluster.chain(3).block(last).expect("read").expect("stored");
    assert_eq!(certificate.verify(&block.header, &genesis().epoch), Ok(()));

    let resting = cluster.chain(1).height();
    tokio::time::sleep(Duration::from_millis(count(300, 600))).await;
    assert!(cluster.chain(1).height() <= resting + 1, "an idle chain rests");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_dead_node_of_four_is_not_noticed() {
    let cluster = Cluster::start(&[0, 1, 3]).await;
    for i in 0..count(5, 8) {
        let executed = cluster.chain(0).submit(note(0, i)).await.expect("executed");
        assert_eq!(executed.seq, Some(i as u32));
    }
    cluster.agree(cluster.chain(0).height()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_waits_for_a_proposer_that_is_known_to_be_gone() {
    let mut cluster = Cluster::start(&[]).await;
    // Either of these waits would be longer than a submission's.
    cluster.options.consensus.propose_ms = 60_000;
    cluster.options.consensus.precommit_ms = 60_000;
    cluster.gone(2);
    cluster.revive_all(&[0, 1, 3]).await;
    for i in 0..5 {
        cluster.chain(0).submit(note(0, i)).await.expect("executed");
    }
    // So each of the four had a turn.
    let height = cluster.chain(0).height();
    assert!(height >= 4, "{height}");
    cluster.agree(height).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_waits_for_a_proposer_that_is_not_heard_although_links_take_what_is_sent() {
    let mut cluster = Cluster::start(&[]).await;
    // This wait would be longer than a submission's.
    cluster.options.consensus.propose_ms = 60_000;
    cluster.options.consensus.max_wait_ms = 60_000;
    let running = [0, 1, 3];
    cluster.revive_all(&running).await;
    // Four times may be missed. Who sends the sixth has found a fifth one missing.
    until("it is found out", || running.iter().all(|at| cluster.told(*at) >= 6)).await;
    for i in 0..5 {
        cluster.chain(0).submit(note(0, i)).await.expect("executed");
    }
    // So each of the four had a turn.
    let height = cluster.chain(0).height();
    assert!(height >= 4, "{height}");
    cluster.agree(height).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn doubles_are_executed_once_and_refusals_are_recorded() {
    let cluster = Cluster::start(&[0, 1, 2, 3]).await;
    let once = note(0, 1);
    let submitted: Vec<_> = (0..8)
        .map(|i| {
            let (chain, once) = (cluster.chain(i % 4).clone(), once.clone());
            tokio::spawn(async move { chain.submit(once).await })
        })
        .collect();
    let mut outcomes = Vec::new();
    for outcome in submitted {
        outcomes.push(outcome.await.expect("task").expect("executed"));
    }
    assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]));
    assert_eq!(cluster.chain(0).submit(once.clone()).await.as_ref(), Ok(&outcomes[0]));
    cluster.agree(outcomes[0].height).await;
    assert_eq!(cluster.chain(2).records(&Digest([0; 32])).expect("records").len(), 1);

    let early = transaction(1, "node", 2, &entry(K::Started, 9));
    let executed = cluster.chain(1).submit(early.clone()).await.expect("executed");
    assert_eq!(executed.refusal.as_deref(), Some("there is no such job"));
    cluster.agree(executed.height).await;
    let placed = cluster.chain(3).transaction(&early.digest()).expect("read").expect("stored");
    assert_eq!(placed.executed, executed);
    assert_eq!(cluster.chain(3).body(&once.digest()), Ok(Some(b"salted".to_vec())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_can_never_be_executed_is_not_admitted() {
    let cluster = Cluster::start(&[0, 1, 2, 3]).await;
    let good = note(0, 1);
    let stranger = base_gm::sm2::SecretKey::from_seed(b"stranger");
    let sign = |key, chain, until| ledger_light::Transaction::sign(chain, key, [0; 16], until, good.payload.clone());
    let chain = genesis().digest();
    let bad = [
        sign(&stranger, chain, 99),
        sign(&key(0, "node"), Digest([7; 32]), 99),
        sign(&key(0, "node"), chain, 0),
        ledger_light::Transaction { payload: b"other".to_vec(), ..good.clone() },
        sign(&key(0, "node"), chain, 99),
    ];
    let [stranger, other_chain, expired, forged, mut long] = bad;
    long.payload = vec![0; 2 << 20];
    for bad in [stranger, other_chain, expired, forged, long] {
        let outcome = cluster.chain(0).submit(bad).await;
        assert!(matches!(outcome, Err(ChainFault::Inadmissible(_))), "{outcome:?}");
    }
    for garbage in [vec![], vec![0; 3], vec![1, 0, 0, 0, 2, 9, 9], vec![0xff; 5000]] {
        cluster.chain(0).deliver(net::org(1), garbage.clone()).await;
        cluster.chain(0).answer(&net::org(1), &garbage);
    }
    assert!(cluster.chain(0).submit(good).await.is_ok(), "garbage harms nobody");
}
