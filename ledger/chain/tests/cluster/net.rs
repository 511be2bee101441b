//! Four nodes in one process: links in memory, folders on disk, nodes that can be killed and started again.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use base_gm::{sm2::SecretKey, sm3::sm3};
use base_rt::SystemClock;
use base_types::{Digest, OrgId, PersonId};
use base_wire::Encode;
use ledger_chain::{COLUMNS, Chain, ChainFault, Options, Parts, PeerError, PeerNet};
use ledger_light::{Epoch, Genesis, Member, Organisation, Role, Transaction, Validator};
use ledger_store::{Store, StoreError};
use ledger_vm::notary::{Entry, EntryKind};

pub const ORGS: [&str; 4] = ["audit", "civil", "health", "statistics"];
/// Long enough for a slow machine, in milliseconds; nothing waits so long where all is well.
pub const PATIENCE_MS: u64 = 30_000;
/// Between two looks at what is waited for, in milliseconds.
const LOOK_MS: u64 = 10;

pub fn org(at: usize) -> OrgId {
    OrgId::new(ORGS[at]).expect("name")
}

/// The key of an organisation's member; its node's votes are signed with `node`'s.
pub fn key(at: usize, who: &str) -> SecretKey {
    SecretKey::from_seed(format!("{}/{who}", ORGS[at]).as_bytes())
}

pub fn genesis() -> Genesis {
    let member = |at: usize, who: &str, role| {
        let id = PersonId::new(format!("{}/{who}", ORGS[at])).expect("name");
        Member { id, key: key(at, who).public(), roles: vec![role] }
    };
    let of = |at| [member(at, "analyst", Role::Analyst), member(at, "node", Role::Node)];
    let organisation = |at| Organisation { id: org(at), name_zh: "部门".into(), name_en: "dept".into(), ca: vec![] };
    let validators = (0..4).map(|at| Validator { org: org(at), key: key(at, "node").public() }).collect();
    Genesis {
        name: "test".into(),
        time: 1_700_000_000_000,
        organisations: (0..4).map(organisation).collect(),
        members: (0..4).flat_map(of).collect(),
        // Shorter than a vote could set: tests wait for many blocks.
        epoch: Epoch { number: 0, engine: 1, first_height: 1, validators, interval_ms: 30 },
    }
}

/// Looks again and again, as long as the patience lasts, until there is something.
pub async fn found<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..PATIENCE_MS / LOOK_MS {
        if let Some(found) = look() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
    }
    panic!("in vain: {what}");
}

/// Waits until something holds.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    found(what, || holds().then_some(())).await;
}

/// A node's folder, opened once nobody holds it.
async fn opened(folder: PathBuf) -> Store {
    let open = || match Store::open(&folder, &COLUMNS) {
        Err(StoreError::InUse) => None,
        other => Some(other.expect("store")),
    };
    found(&format!("{} is in use", folder.display()), open).await
}

/// A transaction of an organisation's member; `nonce` tells equal ones apart.
pub fn transaction(at: usize, who: &str, nonce: u64, entry: &Entry) -> Transaction {
    let nonce = sm3(&nonce.to_be_bytes()).0[..16].try_into().expect("16 bytes");
    Transaction::sign(genesis().digest(), &key(at, who), nonce, 1000, entry.to_wire())
}

pub fn entry(kind: EntryKind, subject: u8) -> Entry {
    let proposed = kind == EntryKind::Proposed;
    let parties = if proposed { vec![org(1), org(2)] } else { vec![] };
    let expires = if proposed { u64::MAX } else { 0 };
    let attempt = u32::from(matches!(kind, EntryKind::Started | EntryKind::Receipt));
    Entry { subject: Digest([subject; 32]), kind, attempt, parties, expires, body: b"salted".to_vec() }
}

/// A note that any member may make.
pub fn note(at: usize, nonce: u64) -> Transaction {
    transaction(at, "node", nonce, &entry(EntryKind::Refused, at as u8))
}

/// What a node that lies makes of its answers to peers' questions.
pub type Lie = Arc<dyn Fn(Vec<u8>) -> Vec<u8> + Send + Sync>;

/// The first byte of a message that tells a height.
const STATUS: u8 = 2;

/// The chains that run, the lies that some of them tell, those that all others know to be gone, and how often each told its
/// height.
#[derive(Default)]
struct Hub(
    Mutex<BTreeMap<OrgId, Chain>>,
    Mutex<BTreeMap<OrgId, Lie>>,
    Mutex<BTreeSet<OrgId>>,
    Mutex<BTreeMap<OrgId, usize>>,
);

impl Hub {
    fn of(&self, org: &OrgId) -> Option<Chain> {
        self.0.lock().expect("lock").get(org).cloned()
    }
}

struct Link {
    hub: Arc<Hub>,
    me: OrgId,
}

#[async_trait]
impl PeerNet for Link {
    async fn broadcast(&self, bytes: Vec<u8>) {
        if bytes.first() == Some(&STATUS) {
            *self.hub.3.lock().expect("lock").entry(self.me.clone()).or_default() += 1;
        }
        let peers: Vec<OrgId> = self.hub.0.lock().expect("lock").keys().filter(|o| **o != self.me).cloned().collect();
        for peer in peers {
            self.send(&peer, bytes.clone()).await;
        }
    }
    async fn send(&self, to: &OrgId, bytes: Vec<u8>) {
        if let Some(peer) = self.hub.of(to) {
            peer.deliver(self.me.clone(), bytes).await;
        }
    }
    async fn request(&self, to: &OrgId, bytes: Vec<u8>) -> Result<Vec<u8>, PeerError> {
        let peer = self.hub.of(to).ok_or_else(|| PeerError("gone".into()))?;
        let answer = peer.answer(&self.me, &bytes);
        let lie = self.hub.1.lock().expect("lock").get(to).cloned();
        Ok(lie.map_or_else(|| answer.clone(), |lie| lie(answer.clone())))
    }
    fn is_away(&self, peer: &OrgId) -> bool {
        self.hub.2.lock().expect("lock").contains(peer)
    }
}

pub struct Cluster {
    hub: Arc<Hub>,
    folders: Vec<tempfile::TempDir>,
    pub chains: Vec<Option<Chain>>,
    pub options: Options,
}

impl Cluster {
    /// Starts the named nodes.
    pub async fn start(nodes: &[usize]) -> Self {
        let mut options =
            Options { submit_timeout_ms: PATIENCE_MS, status_ms: 100, resend_ms: 300, ..Options::default() };
        options.grace_ms = 100;
        options.consensus.propose_ms = 250;
        options.consensus.prevote_ms = 100;
        options.consensus.precommit_ms = 100;
        options.consensus.rebroadcast_ms = 250;
        let folders = (0..4).map(|_| tempfile::tempdir().expect("folder")).collect();
        let mut cluster = Self { hub: Arc::default(), folders, chains: vec![None, None, None, None], options };
        cluster.revive_all(nodes).await;
        cluster
    }

    pub fn chain(&self, at: usize) -> &Chain {
        self.chains[at].as_ref().expect("running")
    }

    /// The node's folder, opened once nobody holds it.
    pub async fn store(&self, at: usize) -> Store {
        opened(self.folder(at).to_owned()).await
    }

    pub fn folder(&self, at: usize) -> &Path {
        self.folders[at].path()
    }

    /// Lets a node lie to its peers' questions, or be honest again.
    pub fn lie(&self, at: usize, lie: Option<Lie>) {
        let mut lies = self.hub.1.lock().expect("lock");
        match lie {
            Some(lie) => lies.insert(org(at), lie),
            None => lies.remove(&org(at)),
        };
    }

    /// Lets all others know that a node is gone.
    pub fn gone(&self, at: usize) {
        self.hub.2.lock().expect("lock").insert(org(at));
    }

    /// How often a node has told its height.
    pub fn told(&self, at: usize) -> usize {
        self.hub.3.lock().expect("lock").get(&org(at)).copied().unwrap_or_default()
    }

    /// Gives a node that does not run a new, empty folder.
    pub fn renew(&mut self, at: usize) {
        self.folders[at] = tempfile::tempdir().expect("folder");
    }

    pub async fn revive(&mut self, at: usize) {
        let store = self.store(at).await;
        self.revive_on(at, store);
    }

    /// Starts nodes; their folders are opened side by side.
    pub async fn revive_all(&mut self, nodes: &[usize]) {
        let stores: Vec<_> = nodes.iter().map(|at| tokio::spawn(opened(self.folder(*at).to_owned()))).collect();
        for (at, store) in nodes.iter().zip(stores) {
            self.revive_on(*at, store.await.expect("task"));
        }
    }

    pub fn revive_on(&mut self, at: usize, store: Store) {
        let chain = self.open(at, store, genesis()).expect("started");
        self.hub.0.lock().expect("lock").insert(org(at), chain.clone());
        self.chains[at] = Some(chain);
    }

    pub fn open(&self, at: usize, store: Store, genesis: Genesis) -> Result<Chain, ChainFault> {
        let net = Arc::new(Link { hub: Arc::clone(&self.hub), me: org(at) });
        let (key, clock, options) = (Arc::new(key(at, "node")), Arc::new(SystemClock), self.options.clone());
        Chain::start(Parts { store, genesis, me: org(at), key, net, clock, options })
    }

    /// Ends a node's task where it stands; its links are gone from one moment to the next.
    pub async fn kill(&mut self, at: usize) {
        self.hub.0.lock().expect("lock").remove(&org(at));
        if let Some(chain) = self.chains[at].take() {
            chain.stop().await;
        }
    }

    /// Waits until the running nodes have a height in common that is at least `height`, and compares all blocks.
    pub async fn agree(&self, height: u64) {
        let running: Vec<_> = self.chains.iter().flatten().collect();
        for chain in &running {
            chain.reached(height).await.expect("reached");
        }
        for height in 1..=height {
            let headers: Vec<_> =
                running.iter().map(|c| c.block(height).expect("read").expect("stored").0.header).collect();
            assert!(headers.iter().all(|header| *header == headers[0]), "blocks differ at {height}");
        }
    }
}
