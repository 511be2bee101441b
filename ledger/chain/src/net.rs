//! The network as the chain sees it, and what nodes say to each other.

use async_trait::async_trait;
use base_types::{Digest, Height, OrgId};
use base_wire::{wire_enum, wire_struct};
use ledger_light::{Block, Certificate, Handover, Header, Transaction};
use ledger_state::{Part, Spine};
use thiserror::Error;

use crate::Certified;

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
    /// Whether one is known to be gone: nothing reaches it, and it has not been heard since. Where links do not know, nobody
    /// is.
    fn is_away(&self, _peer: &OrgId) -> bool {
        false
    }
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
    /// A state that can be taken over.
    Snapshot,
    /// Leaves of a part of the state of a height, behind a key.
    Part { height: Height, index: u8, after: Option<Digest> },
    /// The digests of certified blocks' transactions from a height on.
    Digests { from: Height, limit: u32 },
}
wire_enum!(Ask {
    0 => Blocks { from, limit },
    1 => Transactions(digests),
    2 => Snapshot,
    3 => Part { height, index, after },
    4 => Digests { from, limit },
});

/// A state that can be taken over, with all that shows it to be the chain's to one who knows the genesis.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    /// The way from the genesis' validators to those of `over`.
    pub(crate) handovers: Vec<Handover>,
    /// The header of the state's height.
    pub(crate) at: Certified,
    /// The header after it, which carries the state's root.
    pub(crate) over: Certified,
    /// The state's upper levels.
    pub(crate) spine: Spine,
}
wire_struct!(Offer { handovers, at, over, spine });

/// Which transactions a certified block has.
#[derive(Debug, Clone)]
pub(crate) struct Contents {
    pub(crate) header: Header,
    pub(crate) certificate: Certificate,
    pub(crate) digests: Vec<Digest>,
}
wire_struct!(Contents { header, certificate, digests });

/// What is answered.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "it is encoded at once")]
pub(crate) enum Answer {
    /// Blocks in order, as many as fit; empty when the height is not reached.
    Blocks(Vec<(Block, Certificate)>),
    /// The question was not understood, or the node cannot answer.
    Unable,
    /// Those of the transactions asked for that are known.
    Transactions(Vec<Transaction>),
    /// A state that can be taken over.
    Snapshot(Offer),
    /// Leaves of the part asked for.
    Part(Part),
    /// Blocks' digests in order, as many as fit; empty when they are not here.
    Digests(Vec<Contents>),
}
wire_enum!(Answer {
    0 => Blocks(blocks),
    1 => Unable,
    2 => Transactions(transactions),
    3 => Snapshot(offer),
    4 => Part(part),
    5 => Digests(contents),
});

/// What leaves the node, in order.
pub(crate) enum Outgoing {
    /// To all.
    All(Gossip),
    /// To one.
    One(OrgId, Gossip),
}
