//! What is sent by any node that takes it: one transaction, or the notes of clients that go on whatever happens.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use base_gm::sm2::SecretKey;
use base_types::{Digest, Height};
use base_wire::Encode;
use ledger_chain::{Chain, Executed};
use ledger_light::Transaction;
use ledger_rpc::{LedgerClient, Submitted};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep},
};

use crate::{
    check::Told,
    links::Target,
    world::{CLIENTS, FOUNDERS, GUEST, PATIENCE, World, key, ms, note, sign, until},
};

impl World {
    /// Sends a transaction by one node after the other until one has executed it.
    pub async fn submit(&self, transaction: &Transaction) -> Executed {
        let (end, mut turn) = (Instant::now() + PATIENCE, 0);
        loop {
            let chains: Vec<&Chain> = self.running().map(|(_, chain)| chain).collect();
            match chains[turn % chains.len()].submit(transaction.clone()).await {
                Ok(executed) => return executed,
                Err(fault) => assert!(Instant::now() < end, "not executed: {fault}"),
            }
            turn += 1;
            sleep(ms(30)).await;
        }
    }

    pub fn sign(&self, key: &SecretKey, payload: Vec<u8>) -> Transaction {
        sign(self.genesis.digest(), key, payload)
    }

    /// Writes a note, so that there is a block.
    pub async fn write(&self) -> (Digest, Height) {
        let transaction = self.sign(&key(GUEST, "c15"), note());
        let executed = self.submit(&transaction).await;
        assert_eq!(executed.refusal, None);
        (transaction.digest(), executed.height)
    }
}

/// Clients at work.
pub struct Load {
    stop: watch::Sender<bool>,
    clients: Vec<JoinHandle<Vec<Told>>>,
    /// How many transactions they were told of so far.
    told: Arc<AtomicUsize>,
}

impl Load {
    pub fn start(world: &World, clients: usize) -> Self {
        assert!(clients < CLIENTS, "the last key is the test's own");
        let (stop, stopped) = watch::channel(false);
        let chain = world.genesis.digest();
        let doors: Vec<Target> = FOUNDERS.iter().map(|at| world.door(*at)).collect();
        let told = Arc::<AtomicUsize>::default();
        let client = |number| tokio::spawn(client(number, chain, doors.clone(), stopped.clone(), told.clone()));
        Self { clients: (0..clients).map(client).collect(), stop, told }
    }

    /// Waits until the clients were told of so many transactions.
    pub async fn told(&self, least: usize) {
        until("clients are told", || self.told.load(Ordering::Relaxed) >= least).await;
    }

    /// Ends the clients. What they were told was executed.
    pub async fn stop(self) -> Vec<Told> {
        self.stop.send_replace(true);
        let mut told = Vec::new();
        for client in self.clients {
            told.extend(client.await.expect("a client"));
        }
        told
    }
}

async fn client(
    number: usize,
    chain: Digest,
    doors: Vec<Target>,
    stopped: watch::Receiver<bool>,
    all: Arc<AtomicUsize>,
) -> Vec<Told> {
    let (key, mut told, mut turn) = (key(GUEST, &format!("c{number}")), Vec::new(), number);
    let mut known = Known::new();
    loop {
        let transaction = sign(chain, &key, note());
        tokio::select! {
            height = deliver(&transaction, &doors, turn, &mut known) => {
                told.push((transaction.digest(), height));
                all.fetch_add(1, Ordering::Relaxed);
            }
            () = ended(stopped.clone()) => return told,
        }
        turn += 1;
    }
}

async fn ended(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// Connections that stay open, by address: a node that was started again has another.
type Known = BTreeMap<String, LedgerClient>;

/// Sends a transaction until some node says that it was executed.
async fn deliver(transaction: &Transaction, doors: &[Target], first: usize, known: &mut Known) -> Height {
    let mut turn = first;
    loop {
        let door = doors[turn % doors.len()].borrow().clone();
        turn += 1;
        if let Some(address) = door {
            let made = || LedgerClient::plain(&address).expect("an address");
            let client = known.entry(address.clone()).or_insert_with(made);
            match client.submit(transaction.to_wire()).await {
                Ok(Submitted { height, refusal: None, .. }) => return height,
                Ok(refused) => panic!("a note is refused: {refused:?}"),
                Err(_) => {}
            }
        }
        sleep(ms(20)).await;
    }
}
