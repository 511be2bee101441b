//! A ledger in memory under the real contract, behind a `Journal` for every member: one block an entry.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;
use base_gm::{sm2::SecretKey, sm3::sm3};
use base_rt::clock::{Clock, ManualClock};
use base_types::{
    Digest, Height, OrgId, PersonId, TimeMs,
    fault::{Code, Fault},
};
use base_wire::{Decode, Encode};
use ledger_light::{Epoch, Genesis, Member, Organisation, Role, Transaction};
use ledger_vm::{
    Env, Native, StateView, Unavailable, genesis_changes, member_key,
    notary::{Entry, EntryKind, Notary, Record, count_key, record_key},
};
use notary_desk::{Book, Journal, Written};
use tokio::sync::watch;

pub const ORGS: [&str; 4] = ["audit", "civil", "health", "statistics"];

/// When the tests begin.
pub const START: u64 = 1_700_000_000_000;

pub fn org(name: &str) -> OrgId {
    OrgId::new(name).expect("name")
}

pub fn key(who: &str) -> SecretKey {
    SecretKey::from_seed(who.as_bytes())
}

fn genesis() -> Genesis {
    let member = |name: String, role| Member {
        key: key(&name).public(),
        id: PersonId::new(name).expect("name"),
        roles: vec![role],
    };
    let roles = [("analyst", Role::Analyst), ("node", Role::Node), ("owner", Role::Owner)];
    let of = |org: &'static str| roles.map(|(who, role)| member(format!("{org}/{who}"), role));
    let organisation =
        |name| Organisation { id: org(name), name_zh: "部门".into(), name_en: "dept".into(), ca: vec![] };
    Genesis {
        name: "test".into(),
        time: START,
        organisations: ORGS.map(organisation).to_vec(),
        members: ORGS.into_iter().flat_map(of).collect(),
        epoch: Epoch { number: 0, engine: 1, first_height: 1, validators: vec![], interval_ms: 50 },
    }
}

#[derive(Default)]
struct State(BTreeMap<Vec<u8>, Vec<u8>>);

impl StateView for State {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Unavailable> {
        Ok(self.0.get(key).cloned())
    }
}

impl State {
    fn read<T: Decode>(&self, key: &[u8]) -> T {
        T::from_wire(&self.0[key]).expect("readable")
    }
}

struct Chain {
    state: State,
    log: Vec<(u64, Record, Entry)>,
}

/// The ledger and its time.
pub struct World {
    chain: Mutex<Chain>,
    heights: watch::Sender<Height>,
    pub clock: Arc<ManualClock>,
}

impl World {
    pub fn new() -> Arc<Self> {
        let changes = genesis_changes(&genesis()).into_iter().filter_map(|(key, value)| Some((key, value?)));
        let chain = Mutex::new(Chain { state: State(changes.collect()), log: Vec::new() });
        Arc::new(Self { chain, heights: watch::Sender::new(0), clock: Arc::new(ManualClock::new(START)) })
    }

    fn chain(&self) -> MutexGuard<'_, Chain> {
        self.chain.lock().expect("lock")
    }

    pub fn height(&self) -> Height {
        *self.heights.borrow()
    }

    /// Writes an entry as the contract allows it.
    pub fn write(&self, who: &str, entry: &Entry) -> Result<Written, String> {
        let mut chain = self.chain();
        let height = self.height() + 1;
        let nonce = sm3(&height.to_be_bytes()).0[..16].try_into().expect("16 bytes");
        let signed = Transaction::sign(genesis().digest(), &key(who), nonce, 10_000, entry.to_wire());
        let (tx, sender) = (signed.digest(), chain.state.read::<Member>(&member_key(&signed.sender)));
        let env = Env { chain: signed.chain, height, time: self.clock.now_ms(), tx, sender };
        let changes = Notary.execute(&chain.state, &env, &signed.payload).map_err(|stop| stop.to_string())?;
        for (key, value) in changes {
            chain.state.0.insert(key, value.expect("the notary removes nothing"));
        }
        let count: u32 = chain.state.read(&count_key(&entry.subject));
        let record = chain.state.read(&record_key(&entry.subject, count - 1));
        let place = chain.log.len() as u64 + 1;
        chain.log.push((place, record, entry.clone()));
        drop(chain);
        self.clock.advance(10);
        self.heights.send_replace(height);
        Ok(Written { transaction: tx, height })
    }

    /// An entry that says nothing, so that the height moves.
    pub fn tick(&self) {
        let subject = Digest([0xee; 32]);
        self.write("audit/node", &plain(subject, EntryKind::EvidenceExported, 0, vec![])).expect("written");
    }

    pub fn log(&self) -> Vec<(u64, Record, Entry)> {
        self.chain().log.clone()
    }

    /// All that the ledger says by now.
    pub fn book(&self) -> Book {
        fold(&self.log())
    }

    /// How many entries of a kind a job has.
    pub fn count(&self, job: &Digest, kind: EntryKind) -> usize {
        self.log().iter().filter(|(_, record, _)| record.subject == *job && record.kind == kind).count()
    }
}

pub fn fold(log: &[(u64, Record, Entry)]) -> Book {
    let mut book = Book::default();
    for (place, record, entry) in log {
        book.apply(*place, record, entry);
    }
    book
}

pub fn plain(subject: Digest, kind: EntryKind, attempt: u32, body: Vec<u8>) -> Entry {
    Entry { subject, kind, attempt, parties: vec![], expires: 0, body }
}

/// One node's access to the ledger, with the troubles it may have.
pub struct Pen {
    pub world: Arc<World>,
    pub who: String,
    /// Entries up to this place are there yet.
    pub seen: Mutex<u64>,
    /// Calls that fail before the ledger answers: reads and writes.
    pub failing: Mutex<(u32, u32)>,
    /// Up to where the node may have acted in an earlier life.
    pub forgotten: Mutex<Height>,
}

impl Pen {
    /// From now on entries up to a place are there.
    pub fn sees(&self, place: u64) {
        *self.seen.lock().expect("lock") = place;
    }

    /// Entries that are there.
    fn there(&self) -> impl Iterator<Item = (u64, Record, Entry)> {
        let seen = *self.seen.lock().expect("lock");
        self.world.log().into_iter().filter(move |(place, ..)| *place <= seen)
    }
}

fn fails(left: &mut u32) -> Result<(), Fault> {
    if *left == 0 {
        return Ok(());
    }
    *left -= 1;
    Err(Fault::new(Code::NoQuorum, "test", "the ledger does not answer"))
}

#[async_trait]
impl Journal for Pen {
    async fn append(&self, entry: Entry) -> Result<Written, Fault> {
        fails(&mut self.failing.lock().expect("lock").1)?;
        self.world.write(&self.who, &entry).map_err(|why| Fault::new(Code::TransactionRefused, "append", why))
    }

    fn after(&self, cursor: u64, limit: usize) -> Result<Vec<(u64, Record, Entry)>, Fault> {
        fails(&mut self.failing.lock().expect("lock").0)?;
        Ok(self.there().filter(|(place, ..)| *place > cursor).take(limit).collect())
    }

    fn heights(&self) -> watch::Receiver<Height> {
        self.world.heights.subscribe()
    }

    fn time(&self) -> Result<TimeMs, Fault> {
        Ok(self.there().last().map_or(START, |(_, record, _)| record.time))
    }

    fn forgotten(&self) -> Result<Height, Fault> {
        Ok(*self.forgotten.lock().expect("lock"))
    }

    fn chain(&self) -> Digest {
        genesis().digest()
    }
}
