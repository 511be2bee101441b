//! A node that prunes: what it still reads, what it says it has no more, and that others follow it all the same.

use base_wire::Encode;
use ledger_chain::{At, Chain, ChainFault, History};

use crate::{
    count,
    net::{Cluster, note, org},
};

const KEY: &[u8] = b"height";

async fn pruned(height: u64) -> Cluster {
    let mut cluster = Cluster::start(&[]).await;
    cluster.options.history = History::Pruned { keep: 1 };
    cluster.options.snapshot_every = 2;
    // What is read one after the other is to be of one height: a chain that rests makes no block of itself.
    cluster.options.heartbeat_ms = 3_600_000;
    // Nobody takes a state over here: blocks are all there.
    cluster.options.snapshot_gap = 1_000_000;
    cluster.revive_all(&[0, 1, 2]).await;
    let mut nonce = 0;
    while cluster.chain(0).height() < height {
        cluster.chain(0).submit(note(0, nonce)).await.expect("executed");
        nonce += 1;
    }
    // The last transaction's block is followed by one more; then the chain rests.
    while !rests(cluster.chain(0)) {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    cluster
}

fn rests(chain: &Chain) -> bool {
    let newest = chain.block(chain.height()).expect("read");
    newest.is_some_and(|(block, _)| block.transactions.is_empty())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn old_states_go_and_headers_blocks_and_recent_states_stay() {
    let mut cluster = pruned(count(16, 24)).await;
    let chain = cluster.chain(0);
    let (height, first) = (chain.height(), chain.first_state().expect("read"));
    assert!(first + 12 >= height, "{first} of {height}: about eight are kept");
    assert!(first + 8 <= height + 1, "{first} of {height}: not fewer than eight are kept");
    for kept in first..=height {
        assert_eq!(chain.value(At::Height(kept), KEY), Ok(Some(kept.to_wire())));
    }
    for gone in 1..first {
        let gone = chain.value(At::Height(gone), KEY);
        assert!(matches!(gone, Err(ChainFault::NotFound(_))), "{gone:?}");
    }
    assert!(matches!(chain.proven(At::Height(1), KEY), Err(ChainFault::NotFound(_))));
    // The root that a header names can still be compared.
    let second = chain.header(2).expect("read").expect("stored").header;
    assert_eq!(chain.state_root(1), Ok(second.state_root));
    assert!(chain.block(1).expect("read").is_some(), "blocks stay while their transactions could come again");
    // A peer that asks for an old part is told so.
    let part = |height: u64| [vec![3], height.to_wire(), vec![0, 0]].concat();
    assert_eq!(chain.answer(&org(1), &part(1)), [1]);
    assert_eq!(chain.answer(&org(1), &part(height))[0], 4);

    cluster.revive(3).await;
    let executed = cluster.chain(3).submit(note(3, 1)).await.expect("executed");
    cluster.agree(executed.height).await;
    assert_eq!(cluster.chain(3).first_block(), Ok(1), "it has replayed every block");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_archive_begins_to_prune_when_it_is_told_to() {
    let mut cluster = pruned(4).await;
    cluster.options.history = History::All;
    cluster.revive(3).await;
    let height = count(14, 20);
    while cluster.chain(0).height() < height {
        let nonce = cluster.chain(0).height() + 100;
        cluster.chain(0).submit(note(0, nonce)).await.expect("executed");
    }
    cluster.chain(3).reached(height).await.expect("reached");
    assert_eq!(cluster.chain(3).first_state(), Ok(0), "an archive keeps all");
    cluster.kill(3).await;
    cluster.options.history = History::Pruned { keep: 1 };
    cluster.revive(3).await;
    let executed = cluster.chain(3).submit(note(3, 1)).await.expect("executed");
    assert!(cluster.chain(3).first_state().expect("read") > 0);
    cluster.agree(executed.height).await;
}
