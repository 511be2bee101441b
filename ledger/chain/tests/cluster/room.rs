//! A sender's room in the pool is full: who submits more waits instead of losing it, and nobody else does.

use base_types::Digest;

use crate::net::{Cluster, PATIENCE_MS, note, until};

/// Transactions of one sender that wait at most.
const ROOM: usize = 512;
const MORE: usize = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn submissions_beyond_a_senders_room_wait_and_all_are_executed_once() {
    // Two of four decide nothing, so what is submitted stays in the pool.
    let mut cluster = Cluster::start(&[]).await;
    // They wait while the test waits for all of them to wait.
    cluster.options.submit_timeout_ms = 3 * PATIENCE_MS;
    cluster.revive_all(&[0, 1]).await;
    let chain = cluster.chain(0).clone();
    let waiting = || chain.status().expect("a status").waiting;
    let submit = |at: usize, nonce: usize| {
        let chain = chain.clone();
        tokio::spawn(async move { chain.submit(note(at, nonce as u64)).await })
    };
    let submitted: Vec<_> = (0..ROOM + MORE).map(|nonce| submit(0, nonce)).collect();
    until("all that have no room wait", || chain.counters().held_back.get() == MORE as u64).await;
    assert_eq!(waiting(), ROOM);
    let other = submit(1, 0);
    until("another sender has room", || waiting() == ROOM + 1).await;
    assert_eq!(chain.counters().held_back.get(), MORE as u64);

    cluster.revive(2).await;
    assert_eq!(other.await.expect("task").expect("executed").refusal, None);
    let mut last = 0;
    for executed in submitted {
        let executed = executed.await.expect("task").expect("executed");
        assert_eq!(executed.refusal, None);
        last = last.max(executed.height);
    }
    cluster.agree(last).await;
    for at in 0..3 {
        let records = cluster.chain(at).records(&Digest([0; 32])).expect("records");
        assert_eq!(records.len(), ROOM + MORE, "node {at}");
    }
}
