//! What happened on the ledger: executed transactions and what contracts announced in them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An executed transaction; height and index together are the cursor to go on from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HappeningView {
    /// Height of its block.
    pub height: u64,
    /// Its number in the block, from 1.
    pub index: u32,
    /// Its digest.
    pub transaction: String,
    /// Why it changed nothing, if so.
    pub refusal: Option<String>,
    /// Gas that it used.
    pub gas: u64,
    /// What contracts announced in it, in order.
    pub events: Vec<EventView>,
}

/// What a contract announced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventView {
    /// The contract's address, `0x` and 40 hex digits.
    pub contract: String,
    /// What the event can be found by, at most four digests.
    pub topics: Vec<String>,
    /// The rest of it.
    pub data: String,
}

/// Some happenings, and the cursor to ask for more with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HappeningPage {
    /// The happenings, in order.
    pub happenings: Vec<HappeningView>,
    /// Height of the next question's cursor.
    pub height: u64,
    /// Index of the next question's cursor.
    pub index: u32,
}
