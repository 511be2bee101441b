//! Clients that go on sending whatever happens: each sends one note after the other, by any node that takes it.

use base_types::{Digest, Height};
use base_wire::Encode;
use ledger_light::Transaction;
use ledger_rpc::{LedgerClient, Submitted};
use tokio::{sync::watch, task::JoinHandle, time::sleep};

use crate::{
    check::Told,
    links::Target,
    world::{CLIENTS, FOUNDERS, GUEST, World, key, ms, note, sign},
};

/// Clients at work.
pub struct Load {
    stop: watch::Sender<bool>,
    clients: Vec<JoinHandle<Vec<Told>>>,
}

impl Load {
    pub fn start(world: &World, clients: usize) -> Self {
        assert!(clients < CLIENTS, "the last key is the test's own");
        let (stop, stopped) = watch::channel(false);
        let chain = world.genesis.digest();
        let doors: Vec<Target> = FOUNDERS.iter().map(|at| world.door(*at)).collect();
        let client = |number| tokio::spawn(client(number, chain, doors.clone(), stopped.clone()));
        Self { clients: (0..clients).map(client).collect(), stop }
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

async fn client(number: usize, chain: Digest, doors: Vec<Target>, stopped: watch::Receiver<bool>) -> Vec<Told> {
    let (key, mut told, mut turn) = (key(GUEST, &format!("c{number}")), Vec::new(), number);
    loop {
        let transaction = sign(chain, &key, note());
        tokio::select! {
            height = deliver(&transaction, &doors, turn) => told.push((transaction.digest(), height)),
            () = ended(stopped.clone()) => return told,
        }
        turn += 1;
    }
}

async fn ended(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// Sends a transaction until some node says that it was executed.
async fn deliver(transaction: &Transaction, doors: &[Target], first: usize) -> Height {
    let mut turn = first;
    loop {
        let door = doors[turn % doors.len()].borrow().clone();
        turn += 1;
        if let Some(address) = door {
            let client = LedgerClient::plain(&address).expect("an address");
            match client.submit(transaction.to_wire()).await {
                Ok(Submitted { height, refusal: None, .. }) => return height,
                Ok(refused) => panic!("a note is refused: {refused:?}"),
                Err(_) => {}
            }
        }
        sleep(ms(20)).await;
    }
}
