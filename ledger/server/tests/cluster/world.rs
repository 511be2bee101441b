//! A world of nodes in one process: real TLS on loopback, folders on disk, nodes that are killed and come back.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use base_gm::{
    cert::{Certificate, Subject, issue, self_signed_ca},
    sm2::SecretKey,
    sm3::sm3,
};
use base_rt::{
    Clock, OsEntropy, SystemClock,
    tls::{NODE_NAME, NodeIdentity, TrustRoots},
};
use base_types::{Digest, Height, OrgId, PersonId, TimeMs, fault::Fault};
use base_wire::Encode;
use ledger_chain::{COLUMNS, Chain, Options};
use ledger_light::{Epoch, Genesis, Member, Organisation, Role, Transaction, Validator};
use ledger_rpc::LedgerClient;
use ledger_server::{Parts, Server};
use ledger_store::{Store, StoreError};
use ledger_vm::{
    govern::Addresses,
    notary::{Entry, EntryKind},
};
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, SemaphorePermit, watch},
    time::{Instant, sleep},
};

use crate::links::{Link, Target};

/// The validators of the genesis.
pub const FOUNDERS: [usize; 4] = [0, 1, 2, 3];
/// An organisation of the genesis without a validator: its members send what the tests send.
pub const GUEST: usize = 4;
/// Organisations that the genesis does not know.
pub const JOINER: usize = 5;
pub const LATER: usize = 6;
const SEATS: usize = 7;
/// The near end of a link that everybody uses.
const ANYBODY: usize = SEATS;
/// Keys of the guest's members that send notes.
pub const CLIENTS: usize = 16;
/// Last height of everything that is sent.
const UNTIL: Height = 1900;
/// Time between blocks.
pub const INTERVAL_MS: u32 = 60;
/// Nothing may take longer, on a slow machine either.
pub const PATIENCE: Duration = Duration::from_secs(120);
const DAY_MS: TimeMs = 86_400_000;

/// Worlds run at a time as far as their turns suffice: waiting times mean little on a machine that has no time for them.
static TURNS: Semaphore = Semaphore::const_new(6);
/// Turns of a world with clients at work, and of one in which the test alone sends something now and then.
const BUSY: u32 = 2;
const QUIET: u32 = 1;

/// The machine's clock, moved by as much as a test says.
#[derive(Default)]
pub struct Skewed(AtomicI64);

impl Skewed {
    pub fn set(&self, by_ms: i64) {
        self.0.store(by_ms, Ordering::SeqCst);
    }
}

impl Clock for Skewed {
    fn now_ms(&self) -> TimeMs {
        SystemClock.now_ms().saturating_add_signed(self.0.load(Ordering::SeqCst))
    }
}

pub fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub fn org(at: usize) -> OrgId {
    OrgId::new(format!("a{at}")).expect("a name")
}

pub fn key(at: usize, who: &str) -> SecretKey {
    SecretKey::from_seed(format!("cluster/a{at}/{who}").as_bytes())
}

pub fn member(at: usize, who: &str, role: Role) -> Member {
    let id = PersonId::new(format!("a{at}/{who}")).expect("a name");
    Member { id, key: key(at, who).public(), roles: vec![role] }
}

/// Whom every organisation has.
pub fn staff(at: usize) -> Vec<Member> {
    vec![member(at, "admin", Role::Administrator), member(at, NODE_NAME, Role::Node)]
}

/// Sixteen bytes that nothing else in this process got.
pub fn nonce() -> [u8; 16] {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let digest = sm3(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    digest.0[..16].try_into().expect("16 bytes")
}

pub fn sign(chain: Digest, key: &SecretKey, payload: Vec<u8>) -> Transaction {
    Transaction::sign(chain, key, nonce(), UNTIL, payload)
}

/// An entry that any member may make, about a subject of its own.
pub fn note() -> Vec<u8> {
    let (subject, body) = (sm3(&nonce()), b"a note".to_vec());
    Entry { subject, kind: EntryKind::Refused, attempt: 0, parties: vec![], expires: 0, body }.to_wire()
}

/// Waits until something holds.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "in vain: {what}");
        sleep(ms(10)).await;
    }
}

fn identity(at: usize, ca: &Certificate, key: SecretKey) -> NodeIdentity {
    let (now, subject) = (SystemClock.now_ms(), Subject { org: org(at), name: NODE_NAME.into() });
    let (from, to) = (now - DAY_MS, now + 30 * DAY_MS);
    let certificate = issue(ca, &self::key(at, "ca"), &subject, &key.public(), from, to).expect("a certificate");
    NodeIdentity { org: org(at), certificate, key: Arc::new(key) }
}

/// An organisation's place in the world.
pub struct Seat {
    pub ca: Certificate,
    pub identity: NodeIdentity,
    pub clock: Arc<Skewed>,
    folder: TempDir,
    /// Where its node listens for nodes and for clients, while it runs.
    control: watch::Sender<Option<String>>,
    door: watch::Sender<Option<String>>,
}

impl Seat {
    fn new(at: usize) -> Self {
        let now = SystemClock.now_ms();
        let ca = self_signed_ca(&org(at), &key(at, "ca"), now - DAY_MS, now + 30 * DAY_MS).expect("an authority");
        let identity = identity(at, &ca, key(at, NODE_NAME));
        let folder = tempfile::tempdir().expect("a folder");
        let (control, door) = (watch::Sender::new(None), watch::Sender::new(None));
        Self { ca, identity, clock: Arc::default(), folder, control, door }
    }

    pub fn organisation(&self) -> Organisation {
        let (id, ca) = (self.identity.org.clone(), self.ca.der().to_vec());
        Organisation { id, name_zh: "部门".into(), name_en: "department".into(), ca }
    }

    pub fn validator(&self) -> Validator {
        Validator { org: self.identity.org.clone(), key: self.identity.key.public() }
    }
}

fn found(engine: u8, seats: &[Seat]) -> Genesis {
    let mut members: Vec<Member> = (0..=GUEST).flat_map(staff).collect();
    members.push(member(GUEST, "dev", Role::Developer));
    members.extend((0..CLIENTS).map(|n| member(GUEST, &format!("c{n}"), Role::Analyst)));
    members.sort_by(|a, b| a.id.cmp(&b.id));
    let validators = FOUNDERS.map(|at| seats[at].validator()).to_vec();
    Genesis {
        name: "cluster".into(),
        time: SystemClock.now_ms() - DAY_MS,
        organisations: seats[..=GUEST].iter().map(Seat::organisation).collect(),
        members,
        epoch: Epoch { number: 0, engine, first_height: 1, validators, interval_ms: INTERVAL_MS },
    }
}

fn options() -> Options {
    let mut options = Options { submit_timeout_ms: 3000, status_ms: 100, resend_ms: 300, ..Options::default() };
    options.grace_ms = 100;
    options.consensus.propose_ms = 500;
    options.consensus.propose_delta_ms = 250;
    options.consensus.prevote_ms = 200;
    options.consensus.precommit_ms = 200;
    options.consensus.rebroadcast_ms = 300;
    options.consensus.tick_ms = 30;
    options
}

/// A node's folder, opened once nobody holds it.
async fn opened(folder: PathBuf) -> Result<Store, StoreError> {
    let end = Instant::now() + PATIENCE;
    loop {
        match Store::open(&folder, &COLUMNS) {
            Err(StoreError::InUse) => assert!(Instant::now() < end, "{} stays in use", folder.display()),
            other => return other,
        }
        sleep(ms(10)).await;
    }
}

/// A running node.
struct Node {
    server: Server,
    stop: watch::Sender<bool>,
}

pub struct World {
    pub genesis: Genesis,
    pub seats: Vec<Seat>,
    nodes: BTreeMap<usize, Node>,
    /// By near and far end.
    links: BTreeMap<(usize, usize), Link>,
    /// Of the nodes that are started from now on.
    pub options: Options,
    _turn: SemaphorePermit<'static>,
}

impl World {
    /// Founds a chain and starts these nodes.
    pub async fn begin(engine: u8, running: &[usize]) -> Self {
        Self::taking(BUSY, engine, running).await
    }

    /// The same, for a test without clients.
    pub async fn quiet(engine: u8, running: &[usize]) -> Self {
        Self::taking(QUIET, engine, running).await
    }

    async fn taking(turns: u32, engine: u8, running: &[usize]) -> Self {
        let turn = TURNS.acquire_many(turns).await.expect("a turn");
        let seats: Vec<Seat> = (0..SEATS).map(Seat::new).collect();
        let genesis = found(engine, &seats);
        let (nodes, links, options) = (BTreeMap::new(), BTreeMap::new(), options());
        let mut world = Self { genesis, seats, nodes, links, options, _turn: turn };
        // Side by side, so that no node looks in vain for one whose folder is still being opened.
        let stores: Vec<_> = running.iter().map(|at| tokio::spawn(opened(world.folder(*at).to_owned()))).collect();
        for (at, store) in running.iter().zip(stores) {
            let store = store.await.expect("a task").expect("a store");
            world.start_on(*at, store).await.expect("started");
        }
        world
    }

    pub fn chain(&self, at: usize) -> &Chain {
        &self.nodes.get(&at).expect("a running node").server.chain
    }

    pub fn running(&self) -> impl Iterator<Item = (usize, &Chain)> {
        self.nodes.iter().map(|(at, node)| (*at, &node.server.chain))
    }

    pub fn folder(&self, at: usize) -> &Path {
        self.seats[at].folder.path()
    }

    /// A client of a running node.
    pub fn client(&self, at: usize) -> LedgerClient {
        let door = self.seats[at].door.borrow().clone();
        LedgerClient::plain(&door.expect("a running node")).expect("an address")
    }

    /// Where a node's clients find it, now and later.
    pub fn door(&self, at: usize) -> Target {
        self.seats[at].door.subscribe()
    }

    /// Where a running node listens for others.
    pub fn control(&self, at: usize) -> String {
        self.seats[at].control.borrow().clone().expect("a running node")
    }

    /// Something that is no node of this world listens in one's place.
    pub fn listens(&self, at: usize, address: String) {
        self.seats[at].control.send_replace(Some(address));
    }

    /// Whom the genesis trusts.
    pub fn roots(&self) -> Arc<TrustRoots> {
        let trusted = (0..=GUEST).map(|at| (org(at), self.seats[at].ca.clone()));
        Arc::new(TrustRoots::new(trusted.collect()))
    }

    /// The address of a link, made when it is first asked for.
    pub async fn link(&mut self, from: usize, to: usize) -> String {
        if !self.links.contains_key(&(from, to)) {
            let link = Link::new(self.seats[to].control.subscribe()).await;
            self.links.insert((from, to), link);
        }
        self.links[&(from, to)].address()
    }

    /// The node's folder, opened once nobody holds it.
    pub async fn try_store(&self, at: usize) -> Result<Store, StoreError> {
        opened(self.folder(at).to_owned()).await
    }

    pub async fn store(&self, at: usize) -> Store {
        self.try_store(at).await.expect("a store")
    }

    pub async fn revive(&mut self, at: usize) {
        let store = self.store(at).await;
        self.start_on(at, store).await.expect("started");
    }

    pub async fn start_on(&mut self, at: usize, store: Store) -> Result<(), Fault> {
        let mut peers = BTreeMap::new();
        for other in FOUNDERS {
            if other != at {
                peers.insert(org(other), self.link(at, other).await);
            }
        }
        let mut announce = None;
        if !FOUNDERS.contains(&at) {
            let control = self.link(ANYBODY, at).await;
            announce = Some(Addresses { data: control.clone(), control });
        }
        let control = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let clients = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let heard = control.local_addr().expect("an address").to_string();
        let door = clients.local_addr().expect("an address").to_string();
        let (roots, seat) = (self.roots(), &self.seats[at]);
        roots.trust(org(at), seat.ca.clone());
        let (stop, stopped) = watch::channel(false);
        let parts = Parts {
            store,
            genesis: self.genesis.clone(),
            identity: seat.identity.clone(),
            roots,
            clock: seat.clock.clone(),
            entropy: Arc::new(OsEntropy),
            peers,
            announce,
            options: self.options.clone(),
            moved: Arc::new(|_: &OrgId, _: &Addresses| {}),
        };
        let server = ledger_server::start(parts, control, Some(clients), stopped)?;
        seat.control.send_replace(Some(heard));
        seat.door.send_replace(Some(door));
        self.nodes.insert(at, Node { server, stop });
        Ok(())
    }

    /// Ends a node where it stands; its connections are gone from one moment to the next.
    pub async fn kill(&mut self, at: usize) {
        let Some(Node { server, stop }) = self.nodes.remove(&at) else { return };
        self.seats[at].control.send_replace(None);
        self.seats[at].door.send_replace(None);
        self.cut(at);
        server.chain.stop().await;
        stop.send_replace(true);
        drop(server);
        self.cut(at);
    }

    fn cut(&self, at: usize) {
        self.links.iter().filter(|((from, to), _)| *from == at || *to == at).for_each(|(_, link)| link.cut());
    }

    /// Waits until nothing of a killed node has a file of its folder open.
    pub async fn released(&self, at: usize) {
        let folder = self.folder(at).canonicalize().expect("a folder");
        until("the folder is released", || !open_files().iter().any(|path| path.starts_with(&folder))).await;
    }

    /// Nothing passes any more between these nodes and the others.
    pub fn part(&self, group: &[usize]) {
        for ((from, to), link) in &self.links {
            link.hold(group.contains(from) != group.contains(to));
        }
    }

    pub fn heal(&self) {
        self.links.values().for_each(|link| link.hold(false));
    }

    /// Gives a node a new certificate, for this key.
    pub fn reissue(&mut self, at: usize, key: SecretKey) {
        let identity = identity(at, &self.seats[at].ca, key);
        self.seats[at].identity = identity;
    }
}

fn open_files() -> Vec<PathBuf> {
    let all = std::fs::read_dir("/proc/self/fd").expect("open files");
    all.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok()).collect()
}
