//! The chain: blocks and transactions.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The chain's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChainView {
    /// Its name.
    pub name: String,
    /// The genesis digest.
    pub genesis: String,
    /// Newest height.
    pub height: u64,
    /// Time of the newest block.
    pub time: u64,
    /// Transactions executed so far.
    pub transactions: u64,
    /// Number of the epoch in force.
    pub epoch: u64,
    /// Its consensus engine, such as `bft`.
    pub engine: String,
    /// Organisations that validate.
    pub validators: Vec<String>,
    /// Fewest signatures that make a block final.
    pub quorum: u32,
}

/// A new height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tip {
    /// The height.
    pub height: u64,
}

/// Some blocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockList {
    /// Newest height of the chain.
    pub height: u64,
    /// The blocks, the newest first.
    pub blocks: Vec<BlockSummary>,
}

/// A block in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockSummary {
    /// Its height.
    pub height: u64,
    /// Digest of its header.
    pub digest: String,
    /// Its time.
    pub time: u64,
    /// Who proposed it.
    pub proposer: String,
    /// How many transactions it holds.
    pub transactions: u32,
}

/// A block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockView {
    /// What the list shows of it.
    #[serde(flatten)]
    pub summary: BlockSummary,
    /// Digest of the parent's header.
    pub parent: String,
    /// Root of the state after the parent.
    pub state_root: String,
    /// Merkle root of the transactions.
    pub transactions_root: String,
    /// Round in which it was decided.
    pub round: u32,
    /// Organisations whose validators signed it.
    pub signers: Vec<String>,
    /// Its transactions, in order.
    pub entries: Vec<TransactionSummary>,
}

/// A transaction in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransactionSummary {
    /// Its digest.
    pub digest: String,
    /// Who sent it.
    pub sender: String,
    /// Kind of its entry.
    pub kind: String,
    /// Subject of its entry.
    pub subject: String,
    /// Why the contract refused it, if it did.
    pub refusal: Option<String>,
}

/// A transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransactionView {
    /// What the list shows of it.
    #[serde(flatten)]
    pub summary: TransactionSummary,
    /// Its block.
    pub height: u64,
    /// Its place in the block.
    pub index: u32,
    /// The block's time.
    pub time: u64,
    /// The sender's SM2 key.
    pub sender_key: String,
    /// Last height at which it could be executed.
    pub valid_until: u64,
    /// Bytes of its payload.
    pub payload_bytes: u64,
    /// The signature.
    pub signature: String,
}
