//! A validator's machine: an engine that may die, and a disk that does not.

use std::{collections::BTreeMap, sync::Arc};

use base_gm::sm2::SecretKey;
use base_types::{Digest, OrgId};
use ledger_consensus::{Bft, Engine, Options, Raft, TimerId, WalRecord};
use ledger_light::{Block, Certificate, Epoch, Header, RAFT, merkle_root};

pub struct Node {
    pub org: OrgId,
    pub key: Arc<SecretKey>,
    pub engine: Option<Box<dyn Engine>>,
    /// The epoch for which the engine was made.
    pub epoch: u64,
    /// Counts restarts: answers and timers of an earlier life are lost.
    pub life: u32,
    /// The next start of each running timer is told from the last by its number.
    pub timers: BTreeMap<TimerId, u64>,
    /// The disk: records of the height, and those of no height.
    pub log: Vec<WalRecord>,
    pub kept: Vec<WalRecord>,
    pub blocks: Vec<(Block, Certificate)>,
    /// Messages of heights that have not started here.
    pub early: Vec<(OrgId, Vec<u8>)>,
    /// Dies when so many outputs have been carried out.
    pub dies_in: Option<u64>,
}

pub fn org(i: usize) -> OrgId {
    OrgId::new(format!("org-{i}")).expect("a name")
}

pub fn key(i: usize) -> Arc<SecretKey> {
    Arc::new(SecretKey::from_seed(format!("validator {i}").as_bytes()))
}

/// A new engine of a kind.
pub fn engine(kind: u8, chain: Digest, org: &OrgId, key: &Arc<SecretKey>) -> Box<dyn Engine> {
    let (org, key) = (org.clone(), Arc::clone(key));
    match kind {
        RAFT => Box::new(Raft::new(chain, org, key, Options::default())),
        _ => Box::new(Bft::new(chain, org, key, Options::default())),
    }
}

impl Node {
    pub fn new(i: usize) -> Self {
        Self {
            org: org(i),
            key: key(i),
            engine: None,
            epoch: 0,
            life: 0,
            timers: BTreeMap::new(),
            log: Vec::new(),
            kept: Vec::new(),
            blocks: Vec::new(),
            early: Vec::new(),
            dies_in: None,
        }
    }

    pub fn next_height(&self) -> u64 {
        self.blocks.len() as u64 + 1
    }

    pub fn parent(&self, chain: Digest) -> (Digest, u64) {
        self.blocks.last().map_or((chain, 0), |(block, _)| (block.header.digest(), block.header.time))
    }

    /// A block on top of the last one; `salt` makes it different from others.
    pub fn build(&self, chain: Digest, epoch: &Epoch, next: &Epoch, salt: u64) -> Block {
        let (parent, time) = self.parent(chain);
        let header = Header {
            version: 1,
            chain,
            height: self.next_height(),
            parent,
            time: time + 1 + salt,
            proposer: self.org.clone(),
            transactions_root: merkle_root(&[]),
            state_root: parent,
            epoch: epoch.digest(),
            next_epoch: next.digest(),
        };
        Block { header, transactions: Vec::new() }
    }
}
