//! Blocks travel as names of transactions that the peers have already; what one lacks it asks the sender for.

use std::{collections::BTreeMap, sync::Arc};

use base_gm::sm3::Many;
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

/// What tells transactions of one name apart: eight bytes of each signature's digest.
fn seals<'a>(transactions: impl Iterator<Item = &'a Transaction>) -> Vec<[u8; 8]> {
    let mut many = Many::new();
    transactions.for_each(|transaction| many.plain(&[&transaction.signature.to_bytes()]));
    many.digests().iter().map(|digest| digest.0.first_chunk().copied().unwrap_or_default()).collect()
}

/// An engine's message as it is sent: with names in place of transactions where it carries a block.
pub(crate) fn pack(bytes: Vec<u8>) -> Gossip {
    match split_block(&bytes) {
        None => Gossip::Consensus(bytes),
        Some((head, block)) => {
            let digests = Transaction::digests(&block.transactions).into_iter();
            let names = digests.zip(seals(block.transactions.iter())).map(|(digest, seal)| Named { digest, seal });
            let transactions = names.collect();
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

/// What `find` finds by the names' digests, as far as it has the signatures that the names say.
fn fitting(names: &[Named], find: impl Fn(&Digest) -> Option<Transaction>) -> Vec<Option<Transaction>> {
    let mut found: Vec<Option<Transaction>> = names.iter().map(|named| find(&named.digest)).collect();
    let mut seals = seals(found.iter().flatten()).into_iter();
    for (named, place) in names.iter().zip(&mut found) {
        if place.is_some() && seals.next() != Some(named.seal) {
            *place = None;
        }
    }
    found
}

/// Looks elsewhere for those that are still missing.
fn fill(known: &mut [Option<Transaction>], names: &[Named], find: impl Fn(&Digest) -> Option<Transaction>) {
    for (place, named) in known.iter_mut().zip(names).filter(|(place, _)| place.is_none()) {
        *place = fitting(std::slice::from_ref(named), &find).pop().flatten();
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
        let mut known = {
            let pool = shared.pool();
            fitting(&self.transactions, |digest| pool.get(digest).cloned())
        };
        fill(&mut known, &self.transactions, |digest| given.get(digest).cloned());
        // Those of a block that came another way are stored already.
        let stored = |digest: &Digest| ledger.placed(digest).ok().flatten().map(|placed| placed.transaction);
        fill(&mut known, &self.transactions, stored);
        let (mut found, mut missing) = (Vec::with_capacity(known.len()), Vec::new());
        for (named, known) in self.transactions.iter().zip(known) {
            match known {
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
            self.shun(from);
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
