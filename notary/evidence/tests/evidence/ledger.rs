//! A chain of four validators in one hand: the real contract on the real state, certified by the validators' keys.

use std::collections::BTreeMap;

use base_gm::{sm2::SecretKey, sm3::sm3};
use base_types::{Digest, Height, OrgId, PersonId, TimeMs};
use base_wire::{Decode, Encode};
use ledger_light::{
    Certificate, Epoch, Genesis, Header, Member, Organisation, Role, Transaction, Validator, VoteKind, merkle_root,
    vote_bytes,
};
use ledger_state::State;
use ledger_store::{Batch, Durability, Store};
use ledger_vm::{
    Env, Native, StateView, Stop, Unavailable, genesis_changes, member_key,
    notary::{Entry, Notary, Record, count_key, record_key},
};
use notary_evidence::{Bundle, EvidenceEntry};

pub const ORGS: [&str; 4] = ["audit", "civil", "health", "statistics"];

pub fn org(name: &str) -> OrgId {
    OrgId::new(name).expect("name")
}

pub fn key(who: &str) -> SecretKey {
    SecretKey::from_seed(who.as_bytes())
}

pub fn genesis() -> Genesis {
    let member = |name: String, role| Member {
        key: key(&name).public(),
        id: PersonId::new(name).expect("name"),
        roles: vec![role],
    };
    let roles = [("analyst", Role::Analyst), ("node", Role::Node), ("owner", Role::Owner)];
    let of = |org: &'static str| roles.map(|(who, role)| member(format!("{org}/{who}"), role));
    let organisation =
        |name| Organisation { id: org(name), name_zh: "部门".into(), name_en: "dept".into(), ca: vec![] };
    let validator = |name: &str| Validator { org: org(name), key: key(&format!("{name}/node")).public() };
    Genesis {
        name: "test".into(),
        time: 1_700_000_000_000,
        organisations: ORGS.map(organisation).to_vec(),
        members: ORGS.into_iter().flat_map(of).collect(),
        epoch: Epoch {
            number: 0,
            engine: 1,
            first_height: 1,
            validators: ORGS.map(validator).to_vec(),
            interval_ms: 50,
        },
    }
}

/// The chain: one block an entry.
pub struct Ledger {
    _folder: tempfile::TempDir,
    store: Store,
    state: State,
    transactions: BTreeMap<Digest, Transaction>,
    height: Height,
    pub time: TimeMs,
}

struct View<'a>(&'a State);

impl StateView for View<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Unavailable> {
        self.0.get(key).map_err(|e| Unavailable(e.to_string()))
    }
}

impl Ledger {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let store = Store::open(folder.path(), &State::COLUMNS).expect("store");
        let state = State::open(store.clone()).expect("state");
        let time = genesis().time;
        let mut ledger = Self { _folder: folder, store, state, transactions: BTreeMap::new(), height: 0, time };
        ledger.apply(genesis_changes(&genesis()));
        ledger
    }

    fn apply(&mut self, changes: Vec<ledger_vm::Change>) {
        let mut batch = Batch::new();
        self.state.apply(self.height, changes, &mut batch).expect("applied");
        self.store.write(batch, Durability::Buffered).expect("written");
        self.height += 1;
    }

    fn sign(&mut self, who: &str, entry: &Entry) -> (Env, Vec<u8>) {
        let nonce = sm3(&self.height.to_be_bytes()).0[..16].try_into().expect("16 bytes");
        let transaction = Transaction::sign(genesis().digest(), &key(who), nonce, 10_000, entry.to_wire());
        let member = self.state.get(&member_key(&transaction.sender)).expect("read").expect("a member");
        self.time += 100;
        let (height, time, tx) = (self.height, self.time, transaction.digest());
        let sender = Member::from_wire(&member).expect("member");
        let payload = transaction.payload.clone();
        self.transactions.insert(tx, transaction);
        (Env { chain: genesis().digest(), height, time, tx, sender }, payload)
    }

    /// Writes an entry as the contract allows it; returns the transaction.
    pub fn write(&mut self, who: &str, entry: &Entry) -> Result<Digest, String> {
        let (env, payload) = self.sign(who, entry);
        match Notary.execute(&View(&self.state), &env, &payload) {
            Ok(changes) => {
                self.apply(changes);
                Ok(env.tx)
            }
            Err(Stop::Refused(why)) => Err(why.to_string()),
            Err(Stop::Unavailable(why)) => panic!("{why}"),
        }
    }

    /// Records an entry without asking the contract, as validators could that conspire: all proofs hold.
    pub fn force(&mut self, who: &str, entry: &Entry) -> Digest {
        let (env, _) = self.sign(who, entry);
        let Entry { subject, kind, attempt, parties, expires, body } = entry.clone();
        let seq = self.count(&subject);
        let Env { chain: _, height, time, tx, sender } = env;
        let body = sm3(&body);
        let record =
            Record { subject, seq, kind, attempt, sender: sender.id, tx, height, time, expires, parties, body };
        let count = (count_key(&subject), Some((seq + 1).to_wire()));
        self.apply(vec![(record_key(&subject, seq), Some(record.to_wire())), count]);
        tx
    }

    fn count(&self, subject: &Digest) -> u32 {
        let count = self.state.get(&count_key(subject)).expect("read");
        count.map_or(0, |count| u32::from_wire(&count).expect("count"))
    }

    /// The header after the newest block, not certified yet.
    pub fn header(&self) -> Header {
        Header {
            version: 1,
            chain: genesis().digest(),
            height: self.height,
            parent: Digest([7; 32]),
            time: self.time + 100,
            proposer: org("civil"),
            transactions_root: merkle_root(&[]),
            state_root: self.state.root_at(self.height - 1).expect("root"),
            epoch: genesis().epoch.digest(),
            next_epoch: genesis().epoch.digest(),
        }
    }

    /// Everything about a job, under a header that three of the four validators signed.
    pub fn bundle(&self, job: &Digest) -> Bundle {
        let header = self.header();
        let covered = self.height - 1;
        let entry = |seq| {
            let key = record_key(job, seq);
            let record = Record::from_wire(&self.state.get(&key).expect("read").expect("there")).expect("record");
            let proof = self.state.proof_at(covered, &key).expect("proof");
            EvidenceEntry { transaction: self.transactions[&record.tx].clone(), record, proof }
        };
        Bundle {
            genesis: genesis(),
            handovers: vec![],
            certificate: certificate(&header, &[(0, "audit/node"), (1, "civil/node"), (3, "statistics/node")]),
            header,
            subject: *job,
            entries: (0..self.count(job)).map(entry).collect(),
            count_proof: self.state.proof_at(covered, &count_key(job)).expect("proof"),
        }
    }
}

/// A certificate with signatures under the given places, each made with the named key.
pub fn certificate(header: &Header, signers: &[(u16, &str)]) -> Certificate {
    let block = header.digest();
    let message = vote_bytes(&header.chain, VoteKind::Precommit, header.height, 0, Some(&block));
    let signatures = signers.iter().map(|(place, who)| (*place, key(who).sign(&message.0))).collect();
    Certificate { height: header.height, round: 0, block, signatures }
}
