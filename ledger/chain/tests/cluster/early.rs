//! A block whose time is ahead of the clock is kept until its time, not refused for good.

use base_gm::sm3::{sm3, tagged};
use base_rt::{Clock, SystemClock};
use base_wire::Encode;
use ledger_light::{Block, Header, merkle_root};

use crate::net::{Cluster, genesis, key, org};

/// How far ahead of the clock a block is signed at most, and how much further this one is.
const ALLOWED_MS: u64 = 5000;
const TOO_EARLY_MS: u64 = 700;

/// The bytes of the proposal of a block at height 1, round 0, as its proposer sends them.
fn proposal(block: &Block) -> Vec<u8> {
    let (chain, header) = (&block.header.chain, &block.header);
    let body = block.body();
    let (height, round) = (1u64.to_be_bytes(), 0u32.to_be_bytes());
    let signed = tagged("heqi/proposal/1", &[&chain.0, &height, &round, &[], &header.digest().0, &body.0]);
    let mut message = vec![2];
    1u64.encode(&mut message);
    0u32.encode(&mut message);
    None::<u32>.encode(&mut message);
    header.proposer.encode(&mut message);
    key(1, "node").sign(&signed.0).encode(&mut message);
    block.encode(&mut message);
    let mut gossip = vec![1];
    message.encode(&mut gossip);
    gossip
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_block_that_is_early_is_voted_on_when_its_time_has_come() {
    let mut cluster = Cluster::start(&[]).await;
    // Longer than a slow machine takes until the block's time, so that it is decided in its own round.
    cluster.options.consensus.propose_ms = 60_000;
    for at in [0, 2, 3] {
        cluster.revive(at).await;
    }
    let (genesis, state_root) = (genesis(), cluster.chain(0).status().expect("status").state_root);
    let (chain, epoch) = (genesis.digest(), genesis.epoch.digest());
    let header = Header {
        version: 1,
        chain,
        height: 1,
        parent: chain,
        time: SystemClock.now_ms() + ALLOWED_MS + TOO_EARLY_MS,
        proposer: org(1),
        transactions_root: merkle_root(&[]),
        state_root,
        epoch,
        next_epoch: epoch,
    };
    let block = Block { header, transactions: vec![] };
    for at in [0, 2, 3] {
        cluster.chain(at).deliver(org(1), proposal(&block)).await;
    }
    cluster.agree(1).await;
    assert!(SystemClock.now_ms() + ALLOWED_MS >= block.header.time, "nobody signed it before its time");
    let (decided, certificate) = cluster.chain(2).block(1).expect("read").expect("stored");
    assert_eq!((sm3(&decided.to_wire()), certificate.round), (sm3(&block.to_wire()), 0), "it was not refused");
}
