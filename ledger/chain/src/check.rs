//! Whether this node would sign a proposed block, or may execute a certified one.

use std::collections::BTreeSet;

use base_types::{Digest, Height, OrgId, TimeMs};
use ledger_light::{Block, Transaction, merkle_root};
use ledger_vm::gas_of;

use crate::{
    ChainFault,
    ledger::{Ledger, Tip},
};

/// Longest transaction, in bytes.
pub const MAX_TRANSACTION_BYTES: usize = ledger_vm::notary::MAX_BODY + (64 << 10);
/// Most bytes of a block's transactions.
pub const MAX_BLOCK_BYTES: usize = 4 << 20;
/// Most transactions of a block.
pub const MAX_BLOCK_TRANSACTIONS: usize = 4000;
/// Most gas that a block's transactions may ask for together: what a core executes in about an interval.
pub const MAX_BLOCK_GAS: u64 = 400_000_000;
/// How many heights ahead a transaction's last one may lie. Nothing can be executed twice as long as the transactions of
/// so many blocks are known, which is all that a pruned or restored node keeps of them.
pub const MAX_LIFE: Height = 2000;
/// How far a block's time may lie ahead of this node's clock, in milliseconds.
pub(crate) const MAX_AHEAD_MS: u64 = 5000;

/// Why a block is not signed.
#[derive(Debug)]
pub(crate) enum Objection {
    /// The block is wrong.
    Invalid(String),
    /// Nothing is wrong, but the block's time lies too far ahead of the clock; from this time on it does not.
    Early(TimeMs),
    /// This node cannot tell.
    Fault(ChainFault),
}

/// From when on a block's time is no longer too far ahead.
pub(crate) fn due_at(block: &Block) -> TimeMs {
    block.header.time.saturating_sub(MAX_AHEAD_MS)
}

fn require(holds: bool, what: &str) -> Result<(), Objection> {
    if holds { Ok(()) } else { Err(Objection::Invalid(what.to_owned())) }
}

impl Ledger {
    /// Checks a block against `tip`. Without `now` the block is certified already, and others judged its time;
    /// `waiting` knows transactions that wait in the pool: their signatures were verified, and they were not executed. The clock is asked last: all else is the same on
    /// every node, so that a block is refused by every honest node or, in time, by none. Answers with the digests of the
    /// block's transactions, in order.
    pub(crate) fn check(
        &self,
        tip: &Tip,
        block: &Block,
        now: Option<TimeMs>,
        waiting: impl Fn(&Digest, &Transaction) -> bool,
    ) -> Result<Vec<Digest>, Objection> {
        let header = &block.header;
        require(header.version == 1 && header.chain == self.chain, "format or chain")?;
        require(header.height == tip.next() && header.parent == tip.digest, "height or parent")?;
        require(header.time > tip.time, "time is not after the parent's")?;
        require(tip.epoch().index_of(&header.proposer).is_some(), "proposer is no validator")?;
        require(header.state_root == tip.root, "state root")?;
        let epochs = (tip.epoch().digest(), tip.epoch_after().digest());
        require((header.epoch, header.next_epoch) == epochs, "epoch")?;
        require(block.transactions.len() <= MAX_BLOCK_TRANSACTIONS, "too many transactions")?;
        let digests = Transaction::digests(&block.transactions);
        require(header.transactions_root == merkle_root(&digests), "transactions root")?;
        let mut seen = BTreeSet::new();
        let (mut bytes, mut gas) = (0usize, 0u64);
        for (digest, transaction) in digests.iter().zip(&block.transactions) {
            let size = transaction.size();
            bytes = bytes.saturating_add(size);
            require(bytes <= MAX_BLOCK_BYTES && size <= MAX_TRANSACTION_BYTES, "too many bytes")?;
            gas = gas.saturating_add(gas_of(&transaction.payload));
            require(gas <= MAX_BLOCK_GAS, "too much gas")?;
            require(seen.insert(digest), "a transaction occurs twice")?;
            require(transaction.valid_until >= header.height, "a transaction has expired")?;
            require(transaction.valid_until <= header.height.saturating_add(MAX_LIFE), "a transaction lives too long")?;
            if waiting(digest, transaction) {
                continue;
            }
            require(!self.is_placed(digest).map_err(Objection::Fault)?, "a transaction was executed before")?;
            let signed = transaction.verify_named(&self.chain, digest).is_ok();
            require(signed, "a transaction's signature or chain")?;
        }
        let due = due_at(block);
        if now.is_some_and(|now| now < due) { Err(Objection::Early(due)) } else { Ok(digests) }
    }

    /// The organisation of its sender, if a transaction, which has this digest, may enter the pool.
    pub(crate) fn admit(
        &self,
        height: Height,
        transaction: &Transaction,
        digest: &Digest,
    ) -> Result<OrgId, ChainFault> {
        let refuse = |why: String| Err(ChainFault::Inadmissible(why));
        if transaction.size() > MAX_TRANSACTION_BYTES {
            return refuse(format!("it is longer than {MAX_TRANSACTION_BYTES} bytes"));
        }
        let until = transaction.valid_until;
        if until <= height {
            return refuse(format!("it was valid until height {until}, the chain is at {height}"));
        }
        if until > height.saturating_add(MAX_LIFE) {
            return refuse(format!(
                "it is valid until height {until}, more than {MAX_LIFE} above the chain's {height}"
            ));
        }
        let sender = self.senders.find(&self.state, &transaction.sender)?;
        let Some(member) = sender.member.filter(|member| !member.roles.is_empty()) else {
            return refuse("its sender is not a member".into());
        };
        if sender.revoked.is_some_and(|from| from <= height) {
            return refuse("its sender's key was revoked".into());
        }
        transaction.verify_named(&self.chain, digest).map_err(|e| ChainFault::Inadmissible(e.to_string()))?;
        Ok(member.id.org())
    }
}
