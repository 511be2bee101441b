//! The control plane behind the chain's `PeerNet`, and the chain behind the control plane's handler.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use base_types::OrgId;
use ledger_chain::{Chain, PeerError, PeerNet};
use ledger_rpc::{PeerClient, PeerHandler};

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
}

/// Hands peers' bytes to the chain, once there is one.
#[derive(Default)]
pub(crate) struct Door(pub(crate) OnceLock<Chain>);

#[async_trait]
impl PeerHandler for Door {
    async fn deliver(&self, from: &OrgId, channel: &str, body: Vec<u8>) {
        if let Some(chain) = self.0.get().filter(|_| channel == CHANNEL) {
            chain.deliver(from.clone(), body).await;
        }
    }
    async fn ask(&self, from: &OrgId, channel: &str, body: Vec<u8>) -> Result<Vec<u8>, String> {
        match self.0.get().filter(|_| channel == CHANNEL) {
            Some(chain) => Ok(chain.answer(from, &body)),
            None => Err("not ready".into()),
        }
    }
}
