//! Blocks travel as names of transactions that the peers have already; what one lacks it asks the sender for.

use std::{collections::BTreeMap, sync::Arc};

use base_gm::sm3::sm3;
use base_types::{Digest, Height, OrgId};
use base_wire::{Decode, Encode};
use ledger_consensus::{join_block, message_height, split_block};
use ledger_light::{Block, RAFT, Transaction};
use tokio::time::{Instant, timeout};

use crate::{
    ChainFault,
    check::{MAX_AHEAD_MS, MAX_BLOCK_BYTES, MAX_BLOCK_TRANSACTIONS},
    ledger::Ledger,
    net::{Answer, Ask, Compact, Gossip, Named},
    node::{Command, Node, ms},
    view::Shared,
};

/// Most transactions that are asked for at once.
pub(crate) const MAX_ASKED: usize = 512;
/// Most compact messages of one peer that wait for transactions.
const MAX_OPEN: usize = 4;
/// A peer's messages with blocks are taken in so often on average, in milliseconds, and so many of them at once: looking
/// at one costs far more than sending it.
const EVERY_MS: u64 = 50;
const AT_ONCE: u64 = 32;

fn seal(transaction: &Transaction) -> [u8; 8] {
    let digest = sm3(&transaction.signature.to_bytes());
    let mut seal = [0; 8];
    seal.iter_mut().zip(digest.0).for_each(|(to, from)| *to = from);
    seal
}

/// An engine's message as it is sent: with names in place of transactions where it carries a block.
pub(crate) fn pack(bytes: Vec<u8>) -> Gossip {
    match split_block(&bytes) {
        None => Gossip::Consensus(bytes),
        Some((head, block)) => {
            let name = |t: &Transaction| Named { digest: t.digest(), seal: seal(t) };
            let transactions = block.transactions.iter().map(name).collect();
            Gossip::Compact(Compact { head: head.to_vec(), header: block.header, transactions })
        }
    }
}

/// Compact messages whose transactions are being fetched.
#[derive(Default)]
pub(crate) struct Open {
    next: u64,
    waiting: BTreeMap<u64, (OrgId, Compact)>,
    /// When each peer's allowance is whole again.
    whole_at: BTreeMap<OrgId, Instant>,
}

impl Open {
    fn may_take(&mut self, from: &OrgId, now: Instant) -> bool {
        let whole = self.whole_at.get(from).copied().unwrap_or(now).max(now);
        let may = whole <= now + ms(EVERY_MS * AT_ONCE);
        if may {
            self.whole_at.insert(from.clone(), whole + ms(EVERY_MS));
        }
        may
    }
}

impl Compact {
    /// The transactions by their names: found in the pool or among `given`; else those that are missing.
    fn resolve(
        &self,
        shared: &Shared,
        ledger: &Ledger,
        given: &BTreeMap<Digest, Transaction>,
    ) -> Result<Vec<Transaction>, Vec<Digest>> {
        let known: Vec<Option<Transaction>> = {
            let pool = shared.pool();
            let fitting = |named: &Named| {
                let fits = |t: &&Transaction| seal(t) == named.seal;
                pool.get(&named.digest).filter(fits).or_else(|| given.get(&named.digest).filter(fits)).cloned()
            };
            self.transactions.iter().map(fitting).collect()
        };
        let (mut found, mut missing) = (Vec::with_capacity(known.len()), Vec::new());
        for (named, known) in self.transactions.iter().zip(known) {
            // Those of a block that came another way are stored already.
            let stored = || {
                let placed = ledger.placed(&named.digest).ok().flatten();
                placed.map(|placed| placed.transaction).filter(|t| seal(t) == named.seal)
            };
            match known.or_else(stored) {
                Some(transaction) => found.push(transaction),
                None => missing.push(named.digest),
            }
        }
        if missing.is_empty() { Ok(found) } else { Err(missing) }
    }

    fn unpack(&self, transactions: Vec<Transaction>) -> Vec<u8> {
        join_block(&self.head, &Block { header: self.header.clone(), transactions })
    }
}

impl Node {
    /// A peer's message with a block: given to the engine once its transactions are here.
    pub(crate) fn compacted(&mut self, from: OrgId, compact: Compact) -> Result<(), ChainFault> {
        let next = self.next();
        let wanted = |height: Height| height >= next;
        if compact.transactions.len() > MAX_BLOCK_TRANSACTIONS
            || !message_height(&compact.head).is_some_and(wanted)
            || !self.may_propose(&from)
            || !self.open.may_take(&from, Instant::now())
        {
            return Ok(());
        }
        // Raft cannot take back what a majority has appended: a block of a clock that is far ahead must not be.
        let due = compact.header.time.saturating_sub(MAX_AHEAD_MS);
        if self.tip.epoch().engine == RAFT && self.clock.now_ms() < due {
            return Ok(());
        }
        match compact.resolve(&self.shared, &self.ledger, &BTreeMap::new()) {
            Ok(transactions) => self.consensus(from, compact.unpack(transactions)),
            Err(missing) => {
                self.fetch_missing(from, compact, missing);
                Ok(())
            }
        }
    }

    fn fetch_missing(&mut self, from: OrgId, compact: Compact, missing: Vec<Digest>) {
        let of_peer = self.open.waiting.values().filter(|(peer, _)| *peer == from).count();
        if of_peer >= MAX_OPEN {
            return tracing::warn!(%from, "too many blocks wait for their transactions");
        }
        let number = self.open.next;
        self.open.next = number.wrapping_add(1);
        self.open.waiting.insert(number, (from.clone(), compact));
        self.shared.counters.fetched.add(missing.len() as u64);
        let (net, limit, own) = (Arc::clone(&self.net), ms(self.options.request_ms), self.own.clone());
        tokio::spawn(async move {
            let (mut given, mut room) = (Vec::new(), MAX_BLOCK_BYTES);
            for part in missing.chunks(MAX_ASKED) {
                let ask = Ask::Transactions(part.to_vec()).to_wire();
                match timeout(limit, net.request(&from, ask)).await.map(|a| a.map(|a| Answer::from_wire(&a))) {
                    Ok(Ok(Ok(Answer::Transactions(found)))) if found.len() <= part.len() => {
                        let size = found.iter().map(Transaction::size).sum::<usize>();
                        let Some(left) = room.checked_sub(size) else { break };
                        room = left;
                        given.extend(found);
                    }
                    _ => break,
                }
            }
            if let Some(own) = own.upgrade() {
                let _ = own.send(Command::Completed(number, given)).await;
            }
        });
    }

    /// The sender's answer to what was missing; the block's check verifies what it gave.
    pub(crate) fn completed(&mut self, number: u64, given: Vec<Transaction>) -> Result<(), ChainFault> {
        let Some((from, compact)) = self.open.waiting.remove(&number) else { return Ok(()) };
        self.shared.counters.received.add(given.len() as u64);
        let given = given.into_iter().map(|t| (t.digest(), t)).collect();
        match compact.resolve(&self.shared, &self.ledger, &given) {
            Ok(transactions) => self.consensus(from, compact.unpack(transactions)),
            Err(missing) => {
                tracing::warn!(%from, missing = missing.len(), "a block came whose transactions its sender does not give");
                Ok(())
            }
        }
    }
}
