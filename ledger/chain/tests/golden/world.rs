//! One validator without peers, whose keys, times and nonces are all fixed: at every making its folder holds the same rows.

use std::{fs, path::Path, sync::Arc};

use async_trait::async_trait;
use base_gm::{sm2::SecretKey, sm3::sm3};
use base_rt::ManualClock;
use base_types::{Digest, Height, OrgId, PersonId, TimeMs};
use base_wire::Encode;
use ledger_chain::{Chain, ChainFault, Options, Parts, PeerError, PeerNet};
use ledger_light::{BFT, Epoch, Genesis, Member, Organisation, Role, Transaction, Validator};
use ledger_store::Store;
use ledger_vm::notary::{Entry, EntryKind};

/// The validator's node, the developer who deploys and calls, and the analyst who holds tokens.
pub const NODE: &str = "audit/node";
pub const DEVELOPER: &str = "audit/dev";
pub const ANALYST: &str = "audit/ann";
/// Gas of every call.
pub const GAS: u64 = 16_000_000;
/// The clock stands still so long after the genesis, in milliseconds.
const LATER_MS: TimeMs = 60_000;
/// Heights that a transaction lives.
const LIFE: Height = 100;
/// Nothing happens of itself before the test is over.
const NEVER_MS: u64 = 3_600_000;

pub fn org(name: &str) -> OrgId {
    OrgId::new(name).expect("a name")
}

/// A member's key. The folders of all versions have these, so the seeds stay as they are.
pub fn key(who: &str) -> SecretKey {
    SecretKey::from_seed(format!("golden/{who}").as_bytes())
}

pub fn member(who: &str, role: Role) -> Member {
    Member { id: PersonId::new(who).expect("a name"), key: key(who).public(), roles: vec![role] }
}

/// Two organisations, one of which validates.
pub fn genesis() -> Genesis {
    let organisation =
        |name| Organisation { id: org(name), name_zh: "部门".into(), name_en: "department".into(), ca: Vec::new() };
    let members = vec![
        member("audit/admin", Role::Administrator),
        member(ANALYST, Role::Analyst),
        member(DEVELOPER, Role::Developer),
        member(NODE, Role::Node),
        member("civil/admin", Role::Administrator),
        member("civil/node", Role::Node),
        member("civil/owner", Role::Owner),
    ];
    let validators = vec![Validator { org: org("audit"), key: key(NODE).public() }];
    Genesis {
        name: "golden".into(),
        time: 1_700_000_000_000,
        organisations: ["audit", "civil"].map(organisation).to_vec(),
        members,
        epoch: Epoch { number: 0, engine: BFT, first_height: 1, validators, interval_ms: 20 },
    }
}

struct NoPeers;

#[async_trait]
impl PeerNet for NoPeers {
    async fn broadcast(&self, _bytes: Vec<u8>) {}
    async fn send(&self, _to: &OrgId, _bytes: Vec<u8>) {}
    async fn request(&self, _to: &OrgId, _bytes: Vec<u8>) -> Result<Vec<u8>, PeerError> {
        Err(PeerError("there is no peer".into()))
    }
}

/// Starts the validator. Its task wakes for transactions and for the blocks that follow from them, and for nothing else.
pub fn start(store: Store, genesis: Genesis) -> Result<Chain, ChainFault> {
    let mut options =
        Options { heartbeat_ms: NEVER_MS, status_ms: NEVER_MS, resend_ms: NEVER_MS, ..Options::default() };
    options.consensus.rebroadcast_ms = NEVER_MS;
    options.consensus.max_wait_ms = NEVER_MS;
    let clock = Arc::new(ManualClock::new(genesis.time + LATER_MS));
    let (me, key, net) = (org("audit"), Arc::new(key(NODE)), Arc::new(NoPeers));
    Chain::start(Parts { store, genesis, me, key, net, clock, options })
}

/// A member's transaction; `number` tells equal ones apart.
pub fn sign(chain: &Chain, who: &str, number: u64, payload: Vec<u8>) -> Transaction {
    let nonce = sm3(&number.to_be_bytes()).0[..16].try_into().expect("16 bytes");
    Transaction::sign(chain.genesis().digest(), &key(who), nonce, chain.height() + LIFE, payload)
}

pub fn entry(kind: EntryKind, subject: Digest) -> Entry {
    let proposed = kind == EntryKind::Proposed;
    let parties = if proposed { vec![org("audit"), org("civil")] } else { vec![] };
    let expires = if proposed { TimeMs::MAX } else { 0 };
    let attempt = u32::from(matches!(kind, EntryKind::Started | EntryKind::Receipt));
    Entry { subject, kind, attempt, parties, expires, body: b"salted".to_vec() }
}

/// An entry that any member may make.
pub fn note(about: &str) -> Vec<u8> {
    entry(EntryKind::Refused, sm3(about.as_bytes())).to_wire()
}

/// Copies a store's files, without its lock and without its journal and options, which nobody reads back and which tell
/// of the machine.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for file in fs::read_dir(from).expect("a folder") {
        let file = file.expect("a file");
        let name = file.file_name().to_string_lossy().into_owned();
        if name != "LOCK" && !name.starts_with("LOG") && !name.starts_with("OPTIONS-") {
            fs::copy(file.path(), to.join(name)).expect("copied");
        }
    }
}
