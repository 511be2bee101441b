//! The doors: clients' submissions and peers' bytes.

use std::sync::{Arc, PoisonError};

use base_types::{Digest, OrgId};
use base_wire::{Decode, Encode};
use ledger_light::{Transaction, TransactionFault};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};
use tracing::Instrument;

use crate::{
    Chain, ChainFault, Executed,
    gossip::PART,
    net::Gossip,
    node::{Command, ms},
    pool::{Moment, NotAdded},
    spans,
};

/// KiB of one organisation's messages that wait at most; a flood beyond is dropped, and harms nobody else.
const INBOX_KIB: u32 = 32 << 10;

impl Chain {
    /// Sends a transaction and waits until its block is executed and stored here, and [`Chain::height`] has come to it. Sending
    /// it again is harmless. While the pool is full the caller waits.
    ///
    /// # Errors
    /// [`ChainFault::NoQuorum`] when that takes too long, [`ChainFault::Busy`] when there was no room all the time, others
    /// when it can never be.
    pub async fn submit(&self, transaction: Transaction) -> Result<Executed, ChainFault> {
        self.alive()?;
        let digest = transaction.digest();
        let span = spans::submit(&digest);
        let outcome = self.executed(transaction, digest).instrument(span.clone()).await;
        if let Ok(executed) = &outcome {
            spans::executed(&span, executed.height);
            // It may have been found on the disk a moment before its height is told.
            if self.height() < executed.height {
                let _ = self.reached(executed.height).await;
            }
        }
        outcome
    }

    /// What becomes of a transaction.
    async fn executed(&self, transaction: Transaction, digest: Digest) -> Result<Executed, ChainFault> {
        // The height is looked at within: one of before belongs to another state than one that was taken over.
        let admitted = self.stored(|ledger| Ok(ledger.admit(self.height(), &transaction, &digest)))?;
        let org = match admitted {
            Ok(org) => org,
            Err(why) => {
                self.shared.counters.inadmissible.add(1);
                // What was executed is told also when it could not be executed now.
                let placed = self.transaction(&digest)?;
                return placed.map(|placed| placed.executed).ok_or(why);
            }
        };
        let looked = self.shared.pool().now();
        if let Some(placed) = self.transaction(&digest)? {
            return Ok(placed.executed);
        }
        self.shared.counters.submitted.add(1);
        let until = Instant::now() + ms(self.options.submit_timeout_ms);
        let outcome = self.shared.wait_for(digest);
        if let Some(executed) = self.enter(transaction, digest, org, looked, until).await? {
            return Ok(executed);
        }
        match timeout_at(until, outcome).await {
            Ok(outcome) => outcome.map_err(|_| self.stopped())?,
            Err(_) => Err(ChainFault::NoQuorum(self.options.submit_timeout_ms)),
        }
    }

    /// Puts a verified transaction of an organisation's sender, looked for at a moment, into the pool, once there is room.
    /// Answers with what became of it when it was executed before that.
    async fn enter(
        &self,
        transaction: Transaction,
        digest: Digest,
        org: OrgId,
        mut looked: Moment,
        until: Instant,
    ) -> Result<Option<Executed>, ChainFault> {
        let mut held_back = false;
        loop {
            let room = self.shared.room.notified();
            // Who stops the chain says so first, and then wakes all that wait for room.
            self.alive()?;
            match self.shared.accept(transaction.clone(), digest, org.clone(), looked) {
                Ok(()) => return Ok(None),
                Err(NotAdded::Full) => {}
                Err(NotAdded::Late) => {
                    looked = self.shared.pool().now();
                    match self.transaction(&digest)? {
                        Some(placed) => return Ok(Some(placed.executed)),
                        None => continue,
                    }
                }
            }
            if !held_back {
                held_back = true;
                self.shared.counters.held_back.add(1);
            }
            timeout_at(until, room).await.map_err(|_| ChainFault::Busy)?;
        }
    }

    fn room(&self, from: &OrgId) -> Arc<Semaphore> {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        let room = rooms.entry(from.clone()).or_insert_with(|| Arc::new(Semaphore::new(INBOX_KIB as usize)));
        Arc::clone(room)
    }

    /// Takes in what a peer sent; anything at all.
    pub async fn deliver(&self, from: OrgId, bytes: Vec<u8>) {
        self.shared.hearing.heard(&from);
        // A message is worth 32 KiB at least: it also takes a place among the commands.
        let size = u32::try_from(bytes.len() / 1024 + 32).unwrap_or(u32::MAX);
        let Ok(room) = self.room(&from).try_acquire_many_owned(size) else {
            return tracing::warn!(%from, size, "a peer sends more than is read, a message is dropped");
        };
        match Gossip::from_wire(&bytes) {
            Ok(Gossip::Transactions(transactions)) if transactions.len() > PART => {
                tracing::warn!(%from, "a peer sends more transactions at once than any node does");
            }
            Ok(Gossip::Transactions(transactions)) => self.heard(&from, transactions),
            Ok(gossip) => {
                let _ = self.commands.send(Command::Gossip(from, gossip, room)).await;
            }
            Err(error) => tracing::warn!(%from, %error, "a peer's message is malformed"),
        }
    }

    /// Verifies a peer's transactions and puts them into the pool.
    fn heard(&self, from: &OrgId, transactions: Vec<Transaction>) {
        let counters = &self.shared.counters;
        counters.received.add(transactions.len() as u64);
        if self.shared.unready().is_some() {
            return;
        }
        let height = self.height();
        for transaction in transactions {
            let digest = transaction.digest();
            let Some(looked) = self.look(&digest, &transaction) else {
                counters.redundant.add(1);
                continue;
            };
            match self.ledger.admit(height, &transaction, &digest) {
                Ok(org) => self.take_in(from, transaction, digest, org, looked),
                Err(why) => {
                    counters.inadmissible.add(1);
                    tracing::debug!(%from, %why, "a peer's transaction is not admitted");
                    // No honest node passes on what it has not verified: the rest is not looked at.
                    if why == ChainFault::Inadmissible(TransactionFault::BadSignature.to_string()) {
                        return;
                    }
                }
            }
        }
        self.shared.work.notify_one();
    }

    /// The moment at which a transaction neither waits nor was executed, as far as can be read.
    fn look(&self, digest: &Digest, transaction: &Transaction) -> Option<Moment> {
        let looked = {
            let pool = self.shared.pool();
            if pool.has(digest, transaction) {
                return None;
            }
            pool.now()
        };
        (!self.ledger.is_placed(digest).unwrap_or(true)).then_some(looked)
    }

    /// Puts a peer's transaction, looked for at a moment, into the pool.
    fn take_in(&self, from: &OrgId, transaction: Transaction, digest: Digest, org: OrgId, mut looked: Moment) {
        loop {
            // The pool is let go of before the next look.
            let added = self.shared.pool().add(transaction.clone(), digest, org.clone(), looked, false);
            match added {
                Ok(_) => return,
                Err(NotAdded::Full) => {
                    return tracing::debug!(%from, "the pool is full, a peer's transaction is dropped");
                }
                Err(NotAdded::Late) => match self.look(&digest, &transaction) {
                    Some(again) => looked = again,
                    None => return,
                },
            }
        }
    }

    /// Answers what a peer asked; anything at all.
    pub fn answer(&self, from: &OrgId, bytes: &[u8]) -> Vec<u8> {
        self.shared.hearing.heard(from);
        self.ledger.answer(&self.shared, bytes).to_wire()
    }
}
