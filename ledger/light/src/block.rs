//! Headers and blocks.

use base_gm::sm3;
use base_types::{Digest, Height, OrgId, TimeMs};
use base_wire::{Encode, wire_struct};

use crate::{Transaction, merkle_root};

/// What validators certify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Format; 1 now.
    pub version: u16,
    /// The chain's genesis digest.
    pub chain: Digest,
    /// One more than the parent's.
    pub height: Height,
    /// Digest of the parent's header; of the genesis for height 1.
    pub parent: Digest,
    /// Later than the parent's.
    pub time: TimeMs,
    /// Who proposed the block.
    pub proposer: OrgId,
    /// Merkle root of the transactions' digests, in order.
    pub transactions_root: Digest,
    /// State root after the parent was executed.
    pub state_root: Digest,
    /// Digest of the epoch in force at this height.
    pub epoch: Digest,
    /// Digest of the epoch in force at the next height.
    pub next_epoch: Digest,
}
wire_struct!(Header {
    version,
    chain,
    height,
    parent,
    time,
    proposer,
    transactions_root,
    state_root,
    epoch,
    next_epoch
});

impl Header {
    /// What votes and children name.
    pub fn digest(&self) -> Digest {
        sm3::tagged("heqi/header/1", &[&self.to_wire()])
    }
}

/// A header and its transactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What is certified.
    pub header: Header,
    /// In the order of execution.
    pub transactions: Vec<Transaction>,
}
wire_struct!(Block { header, transactions });

impl Block {
    /// The root that the header must carry.
    pub fn transactions_root(&self) -> Digest {
        merkle_root(&Transaction::digests(&self.transactions))
    }

    /// Names a block whose transactions fit its header together with their signatures, which the header does not cover.
    pub fn body(&self) -> Digest {
        let signatures: Vec<u8> = self.transactions.iter().flat_map(|t| t.signature.to_bytes()).collect();
        sm3::tagged("heqi/block/2", &[&self.header.digest().0, &signatures])
    }
}
