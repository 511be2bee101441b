//! Blocks travel as names of transactions that the peers have already; what one lacks it asks the sender for.

use std::{collections::BTreeMap, sync::Arc};

use base_gm::sm3::sm3;
use base_types::{Digest, Height, OrgId};
use base_wire::{Decode, Encode};
use ledger_consensus::{join_block, message_height, split_block};
use ledger_light::{Block, Transaction};
use tokio::time::timeout;

use crate::{
    ChainFault,
    check::MAX_BLOCK_TRANSACTIONS,
    net::{Answer, Ask, Compact, Gossip, Named},
    node::{Command, Node, ms},
    view::Shared,
};

/// Most transactions that are asked for at once.
pub(crate) const MAX_ASKED: usize = 512;
/// Most compact messages that wait for transactions.
const MAX_OPEN: usize = 64;

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
}

impl Compact {
    /// The transactions by their names: found in the pool or among `given`; else those that are missing.
    fn resolve(&self, shared: &Shared, given: &BTreeMap<Digest, Transaction>) -> Result<Vec<Transaction>, Vec<Digest>> {
        let pool = shared.pool();
        let (mut found, mut missing) = (Vec::with_capacity(self.transactions.len()), Vec::new());
        for Named { digest, seal: wanted } in &self.transactions {
            let fits = |t: &&Transaction| seal(t) == *wanted;
            match pool.get(digest).filter(fits).or_else(|| given.get(digest).filter(fits)) {
                Some(transaction) => found.push(transaction.clone()),
                None => missing.push(*digest),
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
        let wanted = |height: Height| height >= self.next();
        if compact.transactions.len() > MAX_BLOCK_TRANSACTIONS
            || !message_height(&compact.head).is_some_and(wanted)
            || !self.may_propose(&from)
        {
            return Ok(());
        }
        match compact.resolve(&self.shared, &BTreeMap::new()) {
            Ok(transactions) => self.consensus(from, compact.unpack(transactions)),
            Err(missing) => {
                self.fetch_missing(from, compact, missing);
                Ok(())
            }
        }
    }

    fn fetch_missing(&mut self, from: OrgId, compact: Compact, missing: Vec<Digest>) {
        let of_peer = self.open.waiting.values().filter(|(peer, _)| *peer == from).count();
        if self.open.waiting.len() >= MAX_OPEN || of_peer >= MAX_OPEN / 8 {
            return tracing::warn!(%from, "too many blocks wait for their transactions");
        }
        let number = self.open.next;
        self.open.next = number.wrapping_add(1);
        self.open.waiting.insert(number, (from.clone(), compact));
        self.shared.counters.fetched.add(missing.len() as u64);
        let (net, limit, own) = (Arc::clone(&self.net), ms(self.options.request_ms), self.own.clone());
        tokio::spawn(async move {
            let mut given = Vec::new();
            for part in missing.chunks(MAX_ASKED) {
                let ask = Ask::Transactions(part.to_vec()).to_wire();
                match timeout(limit, net.request(&from, ask)).await.map(|a| a.map(|a| Answer::from_wire(&a))) {
                    Ok(Ok(Ok(Answer::Transactions(part)))) => given.extend(part),
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
        match compact.resolve(&self.shared, &given) {
            Ok(transactions) => self.consensus(from, compact.unpack(transactions)),
            Err(missing) => {
                tracing::warn!(%from, missing = missing.len(), "a block came whose transactions its sender does not give");
                Ok(())
            }
        }
    }
}
