//! A validator that leads a Raft group to commit blocks with a wrong root: the chain may halt, but nobody certifies one.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::pending,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use base_rt::{
    SystemClock,
    tls::{Protocol, server_config},
};
use base_types::{Digest, Height, OrgId};
use base_wire::{Decode, Encode};
use ledger_light::{Block, RAFT};
use ledger_rpc::{PeerHandler, PeerServer};
use tokio::{
    net::TcpListener,
    sync::mpsc,
    time::{Instant, timeout_at},
};

use crate::{
    byzantine::{HONEST, LIAR, Liar, some_digest},
    load::Load,
    world::{PATIENCE, World, ms, org},
};

/// Kinds of the group's messages.
const APPEND: u8 = 18;
const APPENDED: u8 = 19;
const BEAT: u8 = 20;
const HEARD: u8 = 21;
const SEAL: u8 = 23;
/// An index that no log has: who is asked to append there tells where its own ends.
const FAR: u64 = 1 << 20;
/// So long the liar leads in one term. The others stand for election after twelve tenths of it.
const REIGN: Duration = Duration::from_millis(250);

/// Hears what the engines of the others say.
struct Ear(mpsc::UnboundedSender<(OrgId, Vec<u8>)>);

#[async_trait]
impl PeerHandler for Ear {
    async fn deliver(&self, from: &OrgId, _channel: &str, body: Vec<u8>) {
        // Of a consensus message without a block; anything else is of no use to a liar.
        if let Some((1, rest)) = body.split_first()
            && let Ok(message) = Vec::<u8>::from_wire(rest)
        {
            let _ = self.0.send((from.clone(), message));
        }
    }
    async fn ask(&self, _from: &OrgId, _channel: &str, _body: Vec<u8>) -> Result<Vec<u8>, String> {
        Err("a liar gives nothing away".into())
    }
}

/// The number that stands at a place of a message.
fn number(message: &[u8], at: usize) -> Option<u64> {
    let bytes = message.get(at..at.checked_add(8)?)?;
    Some(u64::from_be_bytes(bytes.try_into().ok()?))
}

/// A message with these numbers after its kind.
fn message(kind: u8, numbers: &[u64]) -> Vec<u8> {
    let mut out = vec![kind];
    numbers.iter().for_each(|number| number.encode(&mut out));
    out
}

/// Leads without having been elected: a higher term is all that it takes.
struct Usurper {
    liar: Liar,
    ear: mpsc::UnboundedReceiver<(OrgId, Vec<u8>)>,
    term: u64,
    /// The block with a wrong root that is proposed at a height.
    lies: BTreeMap<Height, Block>,
    /// Where each member was given one in this term.
    given: BTreeMap<usize, u64>,
    /// Members whose log has committed one.
    committed: BTreeSet<usize>,
    /// All that the others have sealed.
    sealed: BTreeSet<Digest>,
}

impl Usurper {
    async fn enter(world: &mut World) -> Self {
        let liar = Liar::enter(world).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        world.listens(LIAR, listener.local_addr().expect("an address").to_string());
        let (roots, clock) = (world.roots(), Arc::new(SystemClock));
        let identity = &world.seats[LIAR].identity;
        let tls = server_config(identity, roots.clone(), clock, Protocol::Control).expect("an identity");
        let (heard, ear) = mpsc::unbounded_channel();
        tokio::spawn(PeerServer::serve(listener, tls, roots, Arc::new(Ear(heard)), None, pending()));
        let (lies, given) = (BTreeMap::new(), BTreeMap::new());
        Self { liar, ear, term: 1000, lies, given, committed: BTreeSet::new(), sealed: BTreeSet::new() }
    }

    /// Takes over the leadership and asks every member where its log ends.
    fn claim(&mut self, world: &World) {
        self.term += 2;
        self.given.clear();
        for at in HONEST {
            let height = world.chain(at).height() + 1;
            let mut ask = message(APPEND, &[height, self.term, FAR, self.term, 0]);
            ask.push(0);
            self.liar.tell(at, ask);
        }
    }

    /// Hears the others for a while, and leads them on.
    async fn listen(&mut self, world: &World, time: Duration) {
        let end = Instant::now() + time;
        while let Ok(Some((from, message))) = timeout_at(end, self.ear.recv()).await {
            let Some(at) = HONEST.into_iter().find(|at| org(*at) == from) else { continue };
            assert!(self.answer(world, at, &message).is_some(), "{from} sends a message that ends early: {message:?}");
        }
    }

    fn answer(&mut self, world: &World, from: usize, said: &[u8]) -> Option<()> {
        let (kind, height) = (*said.first()?, number(said, 1)?);
        if kind == SEAL {
            self.sealed.insert(Digest(said.get(9..41)?.try_into().ok()?));
            return Some(());
        }
        let given = self.given.get(&from).copied();
        match kind {
            APPENDED | HEARD if number(said, 9)? != self.term => {}
            APPENDED if *said.get(33)? == 1 => self.lie(world, from, height, (number(said, 34)?, number(said, 42)?)),
            APPENDED if given == number(said, 17) => {
                self.liar.tell(from, message(BEAT, &[height, self.term, number(said, 17)?]));
            }
            HEARD if given.is_some_and(|index| number(said, 17) >= Some(index)) => {
                self.committed.insert(from);
            }
            _ => {}
        }
        Some(())
    }

    /// Gives a member the lie of its height, behind the last entry of its log.
    fn lie(&mut self, world: &World, to: usize, height: Height, (index, log_term): (u64, u64)) {
        let newest = world.chain(to).status().expect("a status");
        if newest.height + 1 != height {
            return;
        }
        let block = match self.lies.get(&height) {
            Some(block) => block.clone(),
            None => self.liar.block(&newest, 0, some_digest()),
        };
        let mut append = message(APPEND, &[height, self.term, index, log_term, 0]);
        append.push(1);
        self.term.encode(&mut append);
        block.to_wire().encode(&mut append);
        self.liar.tell(to, append);
        self.lies.insert(height, block);
        self.given.insert(to, index + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_raft_a_wrong_root_that_every_log_commits_is_certified_by_nobody() {
    let mut world = World::begin(RAFT, &HONEST).await;
    let mut usurper = Usurper::enter(&mut world).await;
    let load = Load::start(&world, 6);
    world.grown(2).await;
    let end = Instant::now() + PATIENCE;
    while usurper.sealed.is_empty() {
        assert!(Instant::now() < end, "the liar hears nothing");
        usurper.listen(&world, ms(50)).await;
    }
    while usurper.committed.len() < HONEST.len() {
        assert!(Instant::now() < end, "only {:?} commit what the liar gives them", usurper.committed);
        usurper.claim(&world);
        usurper.listen(&world, REIGN).await;
    }
    // Whoever takes a lie for the block of the height would seal it by now, and the chain go on.
    usurper.listen(&world, ms(600)).await;
    let lies: BTreeSet<Digest> = usurper.lies.values().map(|block| block.header.digest()).collect();
    assert!(usurper.sealed.is_disjoint(&lies), "nobody seals a wrong root");
    let told = load.stop().await;
    // It may have halted for good, which is all that a liar can do to it: what was told stands, on every node.
    world.settle(&told).await;
    for (at, chain) in world.running() {
        for height in 1..=chain.height() {
            let header = chain.header(height).expect("read").expect("a header").header;
            assert!(!lies.contains(&header.digest()), "node {at} has a certified lie at {height}");
        }
    }
}
