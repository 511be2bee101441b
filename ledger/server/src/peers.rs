//! The control plane behind the chain's `PeerNet`, and the chain behind the control plane's handler.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use base_types::OrgId;
use ledger_chain::{Chain, PeerError, PeerNet};
use ledger_rpc::{PeerClient, PeerHandler};
use tokio::sync::Semaphore;

const CHANNEL: &str = "chain";
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends the chain's bytes to the other nodes, as many as are known.
pub(crate) struct Peers(pub(crate) Arc<PeerClient>);

#[async_trait]
impl PeerNet for Peers {
    async fn broadcast(&self, bytes: Vec<u8>) {
        self.0.broadcast(CHANNEL, &bytes);
    }
    async fn send(&self, to: &OrgId, bytes: Vec<u8>) {
        self.0.deliver(to, CHANNEL, bytes);
    }
    async fn request(&self, to: &OrgId, bytes: Vec<u8>) -> Result<Vec<u8>, PeerError> {
        self.0.ask(to, CHANNEL, bytes, PATIENCE).await.map_err(|e| PeerError(e.to_string()))
    }
    fn is_away(&self, peer: &OrgId) -> bool {
        self.0.is_away(peer)
    }
}

/// Questions of one peer that are answered at once.
const QUESTIONS: usize = 2;

/// Hands peers' bytes to the chain, once there is one; each peer has its own turns, so that none takes all. Who speaks is
/// there, which the way to the peers is told of.
pub(crate) struct Door {
    pub(crate) chain: OnceLock<Chain>,
    peers: Arc<PeerClient>,
    turns: Mutex<BTreeMap<OrgId, Arc<Semaphore>>>,
}

impl Door {
    pub(crate) fn new(peers: Arc<PeerClient>) -> Self {
        Self { chain: OnceLock::new(), peers, turns: Mutex::default() }
    }

    fn turns(&self, peer: &OrgId) -> Arc<Semaphore> {
        let mut all = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(peer.clone()).or_insert_with(|| Arc::new(Semaphore::new(QUESTIONS))))
    }
}

#[async_trait]
impl PeerHandler for Door {
    async fn deliver(&self, from: &OrgId, channel: &str, body: Vec<u8>) {
        self.peers.heard(from);
        if let Some(chain) = self.chain.get().filter(|_| channel == CHANNEL) {
            chain.deliver(from.clone(), body).await;
        }
    }
    async fn ask(&self, from: &OrgId, channel: &str, body: Vec<u8>) -> Result<Vec<u8>, String> {
        self.peers.heard(from);
        let chain = self.chain.get().filter(|_| channel == CHANNEL).cloned().ok_or("not ready")?;
        let turns = self.turns(from);
        let _turn = turns.acquire().await.map_err(|e| e.to_string())?;
        let from = from.clone();
        tokio::task::spawn_blocking(move || chain.answer(&from, &body)).await.map_err(|e| e.to_string())
    }
}
