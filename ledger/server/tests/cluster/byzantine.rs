//! A validator that lies (two votes, two blocks, wrong roots, seized leadership, garbage) forks nothing.

use std::{collections::BTreeMap, sync::Arc};

use base_gm::sm3::tagged;
use base_rt::{
    Clock, SystemClock,
    tls::{NODE_NAME, NodeIdentity},
};
use base_types::{Digest, Height, OrgId};
use base_wire::Encode;
use ledger_chain::Status;
use ledger_light::{BFT, Block, Header, RAFT, VoteKind, merkle_root, vote_bytes};
use ledger_rpc::PeerClient;
use tokio::time::{Instant, sleep};

use crate::{
    count,
    load::Load,
    world::{PATIENCE, World, key, ms, nonce, org},
};

/// The validators that keep to the protocol, and the one that does not.
pub const HONEST: [usize; 3] = [0, 1, 2];
pub const LIAR: usize = 3;

/// A message of an engine, as it travels.
fn gossip(message: Vec<u8>) -> Vec<u8> {
    let mut bytes = vec![1];
    message.encode(&mut bytes);
    bytes
}

pub fn some_digest() -> Digest {
    tagged("a lie", &[&nonce()])
}

/// Speaks with the identity of a validator and says what it likes.
pub struct Liar {
    links: Arc<PeerClient>,
    me: OrgId,
    chain: Digest,
}

impl Liar {
    pub async fn enter(world: &mut World) -> Self {
        let mut peers = BTreeMap::new();
        for at in HONEST {
            peers.insert(org(at), world.link(LIAR, at).await);
        }
        let identity: NodeIdentity = world.seats[LIAR].identity.clone();
        let links = PeerClient::new(identity, world.roots(), Arc::new(SystemClock), peers).expect("an identity");
        Self { links, me: org(LIAR), chain: world.genesis.digest() }
    }

    pub fn tell(&self, to: usize, message: Vec<u8>) {
        self.links.deliver(&org(to), "chain", gossip(message));
    }

    fn vote(&self, precommit: bool, height: Height, round: u32, block: Option<Digest>) -> Vec<u8> {
        let kind = if precommit { VoteKind::Precommit } else { VoteKind::Prevote };
        let signed = vote_bytes(&self.chain, kind, height, round, block.as_ref());
        let mut message = vec![1];
        height.encode(&mut message);
        round.encode(&mut message);
        precommit.encode(&mut message);
        block.encode(&mut message);
        self.me.encode(&mut message);
        key(LIAR, NODE_NAME).sign(&signed.0).encode(&mut message);
        message
    }

    fn proposal(&self, round: u32, block: &Block) -> Vec<u8> {
        let header = &block.header;
        let body = block.body();
        let (height, at) = (header.height.to_be_bytes(), round.to_be_bytes());
        let signed = tagged("heqi/proposal/1", &[&self.chain.0, &height, &at, &[], &header.digest().0, &body.0]);
        let mut message = vec![2];
        header.height.encode(&mut message);
        round.encode(&mut message);
        None::<u32>.encode(&mut message);
        self.me.encode(&mut message);
        key(LIAR, NODE_NAME).sign(&signed.0).encode(&mut message);
        block.encode(&mut message);
        message
    }

    /// An empty block after the newest one; `late` tells equal ones apart.
    pub fn block(&self, newest: &Status, late: u64, state_root: Digest) -> Block {
        let epoch = newest.epoch.digest();
        let header = Header {
            version: 1,
            chain: self.chain,
            height: newest.height + 1,
            parent: newest.block,
            time: SystemClock.now_ms().max(newest.time + 1) + late,
            proposer: self.me.clone(),
            transactions_root: merkle_root(&[]),
            state_root,
            epoch,
            next_epoch: epoch,
        };
        Block { header, transactions: vec![] }
    }

    /// Tells everybody something else in every round of the next height.
    fn lie(&self, newest: &Status) {
        let height = newest.height + 1;
        for round in 0..3 {
            for at in HONEST {
                // Two good blocks for two of them, one with a wrong root for the third.
                let root = if at == 2 { some_digest() } else { newest.state_root };
                let block = self.block(newest, at as u64, root);
                self.tell(at, self.proposal(round, &block));
                for precommit in [false, true] {
                    for named in [Some(block.header.digest()), Some(some_digest()), None] {
                        self.tell(at, self.vote(precommit, height, round, named));
                    }
                }
            }
        }
        self.garbage(height);
    }

    /// Seizes the leadership of a Raft group, asks for votes with a log that it does not have, and seals two blocks.
    fn seize(&self, newest: &Status, term: u64) {
        let height = newest.height + 1;
        for at in HONEST {
            let (mut ask, mut beat) = (vec![16], vec![20]);
            height.encode(&mut ask);
            false.encode(&mut ask);
            [term, 1 << 20, term].iter().for_each(|number| number.encode(&mut ask));
            [height, term + 1, 0].iter().for_each(|number| number.encode(&mut beat));
            self.tell(at, ask);
            self.tell(at, beat);
            for _ in 0..2 {
                let block = some_digest();
                let signed = vote_bytes(&self.chain, VoteKind::Precommit, height, 0, Some(&block));
                let mut seal = vec![23];
                height.encode(&mut seal);
                block.encode(&mut seal);
                key(LIAR, NODE_NAME).sign(&signed.0).encode(&mut seal);
                self.tell(at, seal);
            }
        }
        self.garbage(height);
    }

    /// What is no message at all, but names the height.
    fn garbage(&self, height: Height) {
        for at in HONEST {
            for tag in [1, 2, 3, 4, 16, 18, 22, 99] {
                let mut message = vec![tag];
                height.encode(&mut message);
                message.extend(some_digest().0);
                self.tell(at, message);
            }
            self.links.deliver(&org(at), "chain", some_digest().0.to_vec());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_bft_a_liar_forks_nothing_and_halts_nothing() {
    let mut world = World::begin(BFT, &HONEST).await;
    let load = Load::start(&world, 6);
    let liar = Liar::enter(&mut world).await;
    let end = Instant::now() + ms(count(1000, 30_000) as u64);
    while Instant::now() < end || world.top() < 5 {
        assert!(Instant::now() < end + PATIENCE, "the honest go on: {}", world.top());
        liar.lie(&world.chain(0).status().expect("a status"));
        sleep(ms(25)).await;
    }
    world.no_fork();
    // Silence is the last of its lies; then its place is taken by a node that has forgotten all.
    drop(liar);
    world.grown(4).await;
    world.revive(LIAR).await;
    let told = load.stop().await;
    assert!(!told.is_empty());
    world.settle(&told).await;
    world.signs(LIAR).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_raft_a_liar_may_halt_the_chain_but_forks_nothing() {
    let mut world = World::begin(RAFT, &HONEST).await;
    let load = Load::start(&world, 6);
    world.grown(3).await;
    let liar = Liar::enter(&mut world).await;
    let end = Instant::now() + ms(count(900, 30_000) as u64);
    for term in (1000..).step_by(2) {
        if Instant::now() >= end {
            break;
        }
        liar.seize(&world.chain(0).status().expect("a status"), term);
        sleep(ms(40)).await;
    }
    world.no_fork();
    drop(liar);
    world.grown(4).await;
    world.revive(LIAR).await;
    let told = load.stop().await;
    world.settle(&told).await;
    world.advance(2).await;
}
