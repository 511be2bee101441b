//! The network as the chain sees it, and what nodes say to each other.

use async_trait::async_trait;
use base_types::{Digest, Height, OrgId};
use base_wire::{wire_enum, wire_struct};
use ledger_light::{Block, Certificate, Header, Transaction};
use thiserror::Error;

/// Why a peer did not answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct PeerError(pub String);

/// Links to the other validators on which each has proved who it is. What is sent arrives in order or not at all, and
/// a peer that is slow or gone must not make the sender wait.
#[async_trait]
pub trait PeerNet: Send + Sync {
    /// Sends to every other node.
    async fn broadcast(&self, bytes: Vec<u8>);
    /// Sends to one.
    async fn send(&self, to: &OrgId, bytes: Vec<u8>);
    /// Asks one and waits for its answer.
    async fn request(&self, to: &OrgId, bytes: Vec<u8>) -> Result<Vec<u8>, PeerError>;
}

/// A transaction of a compact block: its digest, and the beginning of its signature's digest, since a transaction's
/// digest does not cover the signature and all nodes store the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) digest: Digest,
    pub(crate) seal: [u8; 8],
}
wire_struct!(Named { digest, seal });

/// An engine's message whose block is given by its transactions' names, which the peers have in their pools.
#[derive(Debug, Clone)]
pub(crate) struct Compact {
    /// The message up to its block.
    pub(crate) head: Vec<u8>,
    /// The block's header.
    pub(crate) header: Header,
    /// Its transactions.
    pub(crate) transactions: Vec<Named>,
}
wire_struct!(Compact { head, header, transactions });

/// What is sent without an answer.
#[derive(Debug, Clone)]
pub(crate) enum Gossip {
    /// Transactions that wait.
    Transactions(Vec<Transaction>),
    /// The consensus engine's message.
    Consensus(Vec<u8>),
    /// The sender's height.
    Status(Height),
    /// The consensus engine's message with a block.
    Compact(Compact),
}
wire_enum!(Gossip {
    0 => Transactions(transactions), 1 => Consensus(bytes), 2 => Status(height), 3 => Compact(compact)
});

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) enum Ask {
    /// Certified blocks from a height on.
    Blocks { from: Height, limit: u32 },
    /// Transactions that wait.
    Transactions(Vec<Digest>),
}
wire_enum!(Ask { 0 => Blocks { from, limit }, 1 => Transactions(digests) });

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Blocks in order, as many as fit; empty when the height is not reached.
    Blocks(Vec<(Block, Certificate)>),
    /// The question was not understood, or the node cannot answer.
    Unable,
    /// Those of the transactions asked for that are known.
    Transactions(Vec<Transaction>),
}
wire_enum!(Answer { 0 => Blocks(blocks), 1 => Unable, 2 => Transactions(transactions) });

/// What leaves the node, in order.
pub(crate) enum Outgoing {
    /// To all.
    All(Gossip),
    /// To one.
    One(OrgId, Gossip),
}
