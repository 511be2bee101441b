//! A validator's machine: an engine that may die, and a disk that does not.

use std::{collections::BTreeMap, sync::Arc};

use base_gm::sm2::SecretKey;
use base_types::{Digest, OrgId};
use ledger_consensus::{Bft, TimerId, WalRecord};
use ledger_light::{Block, Certificate, Epoch, Header, merkle_root};

pub struct Node {
    pub org: OrgId,
    pub key: Arc<SecretKey>,
    pub engine: Option<Bft>,
    /// Counts restarts: answers and timers of an earlier life are lost.
    pub life: u32,
    /// The next start of each running timer is told from the last by its number.
    pub timers: BTreeMap<TimerId, u64>,
    /// The disk.
    pub log: Vec<WalRecord>,
    pub blocks: Vec<(Block, Certificate)>,
    /// Dies when so many outputs have been carried out.
    pub dies_in: Option<u64>,
}

pub fn org(i: usize) -> OrgId {
    OrgId::new(format!("org-{i}")).expect("a name")
}

pub fn key(i: usize) -> Arc<SecretKey> {
    Arc::new(SecretKey::from_seed(format!("validator {i}").as_bytes()))
}

impl Node {
    pub fn new(i: usize) -> Self {
        Self {
            org: org(i),
            key: key(i),
            engine: None,
            life: 0,
            timers: BTreeMap::new(),
            log: Vec::new(),
            blocks: Vec::new(),
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
