//! The network as the chain sees it, and what nodes say to each other.

use async_trait::async_trait;
use base_types::{Height, OrgId};
use base_wire::wire_enum;
use ledger_light::{Block, Certificate, Transaction};
use thiserror::Error;

/// Why a peer did not answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct PeerError(pub String);

/// Links to the other validators on which each has proved who it is. What is sent arrives in order or not at all, and
/// a peer that is slow or gone must not make the sender wait.
#[async_trait]
pub trait PeerNet: Send + Sync {
    /// Sends to every other validator.
    async fn broadcast(&self, bytes: Vec<u8>);
    /// Sends to one.
    async fn send(&self, to: &OrgId, bytes: Vec<u8>);
    /// Asks one and waits for its answer.
    async fn request(&self, to: &OrgId, bytes: Vec<u8>) -> Result<Vec<u8>, PeerError>;
}

/// What is sent without an answer.
#[derive(Debug, Clone)]
pub(crate) enum Gossip {
    /// A transaction that waits.
    Transaction(Transaction),
    /// The consensus engine's message.
    Consensus(Vec<u8>),
    /// The sender's height.
    Status(Height),
}
wire_enum!(Gossip { 0 => Transaction(transaction), 1 => Consensus(bytes), 2 => Status(height) });

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) enum Ask {
    /// Certified blocks from a height on.
    Blocks { from: Height, limit: u32 },
}
wire_enum!(Ask { 0 => Blocks { from, limit } });

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Blocks in order, as many as fit; empty when the height is not reached.
    Blocks(Vec<(Block, Certificate)>),
    /// The question was not understood, or the node cannot answer.
    Unable,
}
wire_enum!(Answer { 0 => Blocks(blocks), 1 => Unable });

/// What leaves the node, in order.
pub(crate) enum Outgoing {
    /// To all.
    All(Gossip),
    /// To one.
    One(OrgId, Gossip),
}
