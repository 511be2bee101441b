//! Makes a data folder: entries, contracts of both machines, members, a revocation and changes of the engine, in tables and log.

use std::{fs, path::Path, time::Duration};

use base_gm::sm3::sm3;
use base_types::{Digest, Height};
use base_wire::Encode;
use ledger_chain::{At, COLUMNS, Chain, ChainFault, Executed, audit};
use ledger_light::{BFT, RAFT, Role, Transaction};
use ledger_store::Store;
use ledger_vm::{
    Address, Command, Machine, contract_key,
    govern::{Action, EpochChange, Revocation, revoked_key},
    notary::{Entry, EntryKind as K, count_key},
    wasm::slot_key,
};
use tempfile::TempDir;
use tokio::time::sleep;

use crate::{
    DATA, EXPECTED, GENESIS,
    contracts::{self, balance_of, call, constructor, govern, transfer, word},
    expected::{Expected, NONE, hex, proven, rows, told},
    world::{self, ANALYST, DEVELOPER, GAS, NODE, entry, key, member, org},
};

/// Most bytes of a folder: it stays in the tree for ever.
const MAX_BYTES: u64 = 400 << 10;
/// Between two looks at what is waited for, and how often it is looked at.
const MOMENT: Duration = Duration::from_millis(10);
const TRIES: usize = 2000;

/// A folder that was made.
pub struct Made {
    data: TempDir,
    pub expected: Expected,
}

impl Made {
    /// Writes it to its place, instead of what lies there.
    pub fn write(&self, place: &Path) {
        if place.exists() {
            fs::remove_dir_all(place).expect("removed");
        }
        let data = place.join(DATA);
        world::copy(self.data.path(), &data);
        fs::write(place.join(GENESIS), world::genesis().to_wire()).expect("written");
        fs::write(place.join(EXPECTED), self.expected.text()).expect("written");
        let files = fs::read_dir(&data).expect("a folder").map(|file| file.expect("a file"));
        let bytes: u64 = files.map(|file| file.metadata().expect("a size").len()).sum();
        assert!(bytes <= MAX_BYTES, "the folder has {bytes} bytes");
    }
}

pub async fn make() -> Made {
    let data = tempfile::tempdir().expect("a folder");
    let store = Store::open(data.path(), &COLUMNS).expect("a store");
    let chain = world::start(store.clone(), world::genesis()).expect("started");
    let mut script = Script { chain, store, sent: 0, expected: Expected::default() };
    script.job().await;
    script.flush();
    let token = script.deploy(Machine::Evm, contracts::token(), constructor()).await;
    let counter = script.deploy(Machine::Wasm, contracts::counter(), Vec::new()).await;
    script.transfer(token, 250, 250).await;
    script.count(counter, 1).await;
    script.flush();
    script.change(RAFT).await;
    script.members().await;
    script.count(counter, 2).await;
    script.flush();
    script.change(BFT).await;
    script.overdraw(token).await;
    script.merge(data.path()).await;
    script.transfer(token, 100, 350).await;
    script.change(RAFT).await;
    script.count(counter, 3).await;
    script.further(counter, &[], &4u64.to_le_bytes());
    script.further(token, &transfer(1), &word(1));
    script.further(token, &balance_of(), &word(351));

    let Script { chain, store, mut expected, .. } = script;
    expected.add(told(&chain));
    chain.stop().await;
    drop(chain);
    expected.add(proven(&audit(&store, &world::genesis()).expect("proven")));
    expected.add(COLUMNS.map(|column| rows(&store, column)));
    drop(store);
    released(data.path()).await;
    Made { data, expected }
}

/// What happens, one step after the other. Each waits until the chain rests, so that every block is the same again.
struct Script {
    chain: Chain,
    store: Store,
    /// Transactions so far.
    sent: u64,
    expected: Expected,
}

impl Script {
    fn sign(&mut self, who: &str, payload: Vec<u8>) -> Transaction {
        self.sent += 1;
        world::sign(&self.chain, who, self.sent, payload)
    }

    /// A block with transactions is followed by one more; then the chain rests.
    async fn rests(&self, height: Height) {
        self.chain.reached(height).await.expect("reached");
    }

    async fn send(&mut self, who: &str, payload: Vec<u8>) -> (Digest, Executed) {
        let transaction = self.sign(who, payload);
        let digest = transaction.digest();
        let executed = self.chain.submit(transaction).await.expect("executed");
        self.rests(executed.height + 1).await;
        (digest, executed)
    }

    async fn accepted(&mut self, who: &str, payload: Vec<u8>) -> (Digest, Executed) {
        let (digest, executed) = self.send(who, payload).await;
        assert_eq!(executed.refusal, None, "{who}");
        (digest, executed)
    }

    /// Notes that the state of a height holds this.
    fn value(&mut self, key: &[u8], at: Height, value: Option<Vec<u8>>) {
        assert_eq!(self.chain.value(At::Height(at), key).as_ref(), Ok(&value), "{} at {at}", hex(key));
        let value = value.map_or_else(|| NONE.to_owned(), |value| hex(&value));
        self.expected.add([(format!("value {} at {at}", hex(key)), value)]);
    }

    /// Notes what a contract answers to the next transaction.
    fn further(&mut self, to: Address, input: &[u8], output: &[u8]) {
        self.expected.add([(format!("further {to} {}", hex(input)), hex(output))]);
    }

    fn flush(&self) {
        self.store.flush().expect("flushed");
    }

    /// Puts all into tables for the fourth time: then RocksDB merges them into its last level, whose tables are compressed.
    async fn merge(&self, folder: &Path) {
        let tables = || {
            let files = fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
            files.filter(|path| path.extension().is_some_and(|end| end == "sst")).collect::<Vec<_>>()
        };
        let before = tables();
        self.flush();
        // Those of a column that is written in order are moved as they are; others are merged, and the old ones go.
        until("tables are merged", || before.iter().any(|table| !table.exists())).await;
    }

    /// A proposal, its approvals, a run and a receipt.
    async fn job(&mut self) {
        let subject = sm3(b"golden/job");
        let steps = [
            (ANALYST, K::Proposed),
            (NODE, K::Approved),
            ("civil/node", K::Approved),
            (NODE, K::Started),
            ("civil/node", K::Receipt),
        ];
        for (count, (who, kind)) in (1u32..).zip(steps) {
            let (_, executed) = self.accepted(who, entry(kind, subject).to_wire()).await;
            self.value(&count_key(&subject), executed.height, Some(count.to_wire()));
        }
    }

    async fn deploy(&mut self, machine: Machine, code: Vec<u8>, input: Vec<u8>) -> Address {
        let deploy = Command::Deploy { machine, code, input, gas: GAS };
        let (_, executed) = self.accepted(DEVELOPER, deploy.to_payload()).await;
        let contract = executed.contract.expect("a contract");
        let key = contract_key(&contract);
        let row = self.chain.value(At::Height(executed.height), &key).expect("read");
        assert!(row.is_some(), "{contract}");
        self.value(&key, executed.height, row);
        self.value(&key, executed.height - 1, None);
        contract
    }

    /// Moves tokens to the analyst, who then has `balance`.
    async fn transfer(&mut self, token: Address, amount: u64, balance: u64) {
        let (_, executed) = self.accepted(DEVELOPER, call(token, transfer(amount))).await;
        assert_eq!(executed.output, word(1));
        let input = balance_of();
        let at = executed.height;
        let outcome = self.chain.call(At::Height(at), None, token, &input, GAS).expect("called");
        assert_eq!((outcome.refusal, outcome.output), (None, word(balance).to_vec()));
        self.expected.add([(format!("call {token} {} at {at}", hex(&input)), hex(&word(balance)))]);
    }

    /// Moves more than there is.
    async fn overdraw(&mut self, token: Address) {
        let (_, executed) = self.send(DEVELOPER, call(token, transfer(5000))).await;
        assert_eq!(executed.refusal.as_deref(), Some("reverted: insufficient balance"));
    }

    /// Calls the counter, which then says `count`.
    async fn count(&mut self, counter: Address, count: u64) {
        let (_, executed) = self.accepted(DEVELOPER, call(counter, Vec::new())).await;
        assert_eq!(executed.output, count.to_le_bytes());
        let slot = slot_key(&counter, b"n");
        let before = (count > 1).then(|| (count - 1).to_le_bytes().to_vec());
        self.value(&slot, executed.height - 1, before);
        self.value(&slot, executed.height, Some(executed.output));
    }

    /// The only validator votes for another engine and interval, and is ready for them.
    async fn change(&mut self, engine: u8) {
        let change = EpochChange {
            engine,
            interval_ms: 50,
            validators: self.chain.genesis().epoch.validators.clone(),
            organisations: Vec::new(),
            members: Vec::new(),
            deadline: self.chain.height() + 100,
        };
        let (change, _) = self.accepted("audit/admin", govern(&Action::Propose(change))).await;
        let (_, ready) = self.accepted(NODE, govern(&Action::Ready { change })).await;
        // The first height of the new epoch follows without transactions.
        self.rests(ready.height + 2).await;
        assert_eq!(self.chain.epoch().expect("an epoch").engine, engine);
    }

    /// Somebody joins, four entries stand in one block, and a key is revoked.
    async fn members(&mut self) {
        let joins = member("civil/bea", Role::Analyst);
        let vouched = Entry { body: joins.to_wire(), ..entry(K::MemberAdded, sm3(b"golden/bea")) };
        self.accepted("civil/admin", vouched.to_wire()).await;
        self.together(&["civil/bea", ANALYST, ANALYST, "civil/owner"]).await;
        let (gone, from) = (key("civil/node").public(), self.chain.height() + 2);
        let revocation = Revocation { org: org("civil"), serial: [7; 16], key: Some(gone), from };
        let (_, executed) = self.accepted("civil/admin", govern(&Action::Revoke(revocation))).await;
        self.value(&revoked_key(&gone), executed.height, Some(from.to_wire()));
        let late = self.sign("civil/node", world::note("late"));
        let refused = self.chain.submit(late).await;
        assert!(matches!(refused, Err(ChainFault::Inadmissible(_))), "{refused:?}");
    }

    /// Entries of one block.
    async fn together(&mut self, senders: &[&str]) {
        // By now the chain's task sleeps, and it is woken once all of them are in the pool.
        sleep(MOMENT * 10).await;
        let height = self.chain.height() + 1;
        let all: Vec<Transaction> = senders.iter().map(|who| self.sign(who, world::note(who))).collect();
        self.chain.deliver(org("civil"), [vec![0], all.to_wire()].concat()).await;
        self.rests(height + 1).await;
        let (block, _) = self.chain.block(height).expect("read").expect("a block");
        assert_eq!(block.transactions.len(), senders.len());
    }
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..TRIES {
        if holds() {
            return;
        }
        sleep(MOMENT).await;
    }
    panic!("in vain: {what}");
}

/// Waits until nobody has a file of the folder open.
async fn released(folder: &Path) {
    let folder = folder.canonicalize().expect("a folder");
    let open = || {
        let files = fs::read_dir("/proc/self/fd").expect("open files");
        files.filter_map(|file| fs::read_link(file.ok()?.path()).ok()).any(|path| path.starts_with(&folder))
    };
    until("the folder is released", || !open()).await;
}
