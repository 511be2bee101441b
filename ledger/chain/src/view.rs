//! What the chain's task shows to its handles: how it is doing, and heights as they come.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use base_types::{Digest, Height, OrgId, TimeMs};
use tokio::sync::{broadcast, watch};

use crate::ChainFault;

/// How the chain is doing.
#[derive(Debug, Clone)]
pub struct Status {
    /// The genesis digest.
    pub chain: Digest,
    /// The newest height.
    pub height: Height,
    /// Its block's digest; the genesis digest at height 0.
    pub block: Digest,
    /// Its block's time.
    pub time: TimeMs,
    /// The state root after it.
    pub state_root: Digest,
    /// Transactions that wait here.
    pub waiting: usize,
    /// Peers, the height each told, and when.
    pub peers: Vec<(OrgId, Height, TimeMs)>,
    /// Why the node no longer serves.
    pub fault: Option<ChainFault>,
}

/// What the task shows to the handles.
pub(crate) struct Shared {
    view: Mutex<View>,
    pub(crate) height: watch::Sender<Height>,
    pub(crate) blocks: broadcast::Sender<Height>,
}

/// What is shown.
#[derive(Default)]
pub(crate) struct View {
    pub(crate) waiting: usize,
    pub(crate) peers: Vec<(OrgId, Height, TimeMs)>,
    pub(crate) fault: Option<ChainFault>,
}

impl Shared {
    pub(crate) fn new(height: Height) -> Self {
        Self { view: Mutex::default(), height: watch::Sender::new(height), blocks: broadcast::Sender::new(256) }
    }
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut View) -> T) -> T {
        act(&mut self.view.lock().unwrap_or_else(PoisonError::into_inner))
    }
    pub(crate) fn set_waiting(&self, waiting: usize) {
        self.with(|view| view.waiting = waiting);
    }
    pub(crate) fn set_peers(&self, peers: &BTreeMap<OrgId, (Height, TimeMs)>) {
        self.with(|view| view.peers = peers.iter().map(|(org, (height, at))| (org.clone(), *height, *at)).collect());
    }
    pub(crate) fn set_height(&self, height: Height) {
        self.height.send_replace(height);
        let _ = self.blocks.send(height);
    }
    pub(crate) fn stop(&self, fault: ChainFault) {
        self.with(|view| view.fault.get_or_insert(fault).clone());
        // Whoever waits for a height looks at the fault instead.
        self.height.send_modify(|_| {});
    }
    pub(crate) fn fault(&self) -> Option<ChainFault> {
        self.with(|view| view.fault.clone())
    }
}
