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

/// Why names are no block here.
#[derive(Debug)]
enum Unresolved {
    /// These transactions are not known.
    Missing(Vec<Digest>),
    /// They are more bytes than a block has: a name is short and may stand for a long transaction, many for the same one.
    TooLong,
}

/// What `find` finds by the names' digests, as far as it has the signatures that the names say. It is asked no more once it
/// has found more than a block.
fn fitting(
    names: &[Named],
    find: impl Fn(&Digest) -> Option<Transaction>,
) -> Result<Vec<Option<Transaction>>, Unresolved> {
    let (mut found, mut room) = (Vec::with_capacity(names.len()), MAX_BLOCK_BYTES);
    for named in names {
        let transaction = find(&named.digest);
        room = room.checked_sub(transaction.as_ref().map_or(0, Transaction::size)).ok_or(Unresolved::TooLong)?;
        found.push(transaction);
    }
    let mut seals = seals(found.iter().flatten()).into_iter();
    for (named, place) in names.iter().zip(&mut found) {
        if place.is_some() && seals.next() != Some(named.seal) {
            *place = None;
        }
    }
    Ok(found)
}

/// Looks elsewhere for those that are still missing.
fn fill(
    known: &mut [Option<Transaction>],
    names: &[Named],
    find: impl Fn(&Digest) -> Option<Transaction>,
) -> Result<(), Unresolved> {
    let held = known.iter().flatten().map(Transaction::size).fold(0, usize::saturating_add);
    let mut room = MAX_BLOCK_BYTES.saturating_sub(held);
    for (place, named) in known.iter_mut().zip(names).filter(|(place, _)| place.is_none()) {
        *place = fitting(std::slice::from_ref(named), &find)?.pop().flatten();
        room = room.checked_sub(place.as_ref().map_or(0, Transaction::size)).ok_or(Unresolved::TooLong)?;
    }
    Ok(())
}

impl Compact {
    /// The transactions by their names: found in the pool or among `given`.
    fn resolve(
        &self,
        shared: &Shared,
        ledger: &Ledger,
        given: &BTreeMap<Digest, Transaction>,
    ) -> Result<Vec<Transaction>, Unresolved> {
        let mut known = {
            let pool = shared.pool();
            fitting(&self.transactions, |digest| pool.get(digest).cloned())?
        };
        fill(&mut known, &self.transactions, |digest| given.get(digest).cloned())?;
        // Those of a block that came another way are stored already.
        let stored = |digest: &Digest| ledger.placed(digest).ok().flatten().map(|placed| placed.transaction);
        fill(&mut known, &self.transactions, stored)?;
        let (mut found, mut missing) = (Vec::with_capacity(known.len()), Vec::new());
        for (named, known) in self.transactions.iter().zip(known) {
            match known {
                Some(transaction) => found.push(transaction),
                None => missing.push(named.digest),
            }
        }
        if missing.is_empty() { Ok(found) } else { Err(Unresolved::Missing(missing)) }
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
            Err(Unresolved::Missing(missing)) => {
                self.fetch_missing(from, compact, missing);
                Ok(())
            }
            Err(Unresolved::TooLong) => {
                tracing::warn!(%from, "a block is named that is longer than any");
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
            Err(Unresolved::Missing(missing)) => {
                tracing::warn!(%from, missing = missing.len(), "a block came whose transactions its sender does not give");
                Ok(())
            }
            Err(Unresolved::TooLong) => {
                tracing::warn!(%from, "a block came that is longer than any");
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use base_gm::sm2::SecretKey;

    use super::*;

    fn named(transaction: &Transaction) -> Named {
        let seal = seals(std::iter::once(transaction)).first().copied().expect("a seal");
        Named { digest: transaction.digest(), seal }
    }

    #[test]
    fn names_that_stand_for_more_than_a_block_are_not_looked_up_to_the_end() {
        let key = SecretKey::from_seed(b"sender");
        let long = Transaction::sign(Digest([1; 32]), &key, [0; 16], 9, vec![0; 1 << 20]);
        let names = vec![named(&long); MAX_BLOCK_TRANSACTIONS];
        let most = MAX_BLOCK_BYTES / long.size();
        let looks = Cell::new(0);
        let find = |_: &Digest| {
            looks.set(looks.get() + 1);
            Some(long.clone())
        };
        assert!(matches!(fitting(&names, find), Err(Unresolved::TooLong)));
        assert_eq!(looks.replace(0), most + 1);
        assert!(matches!(fill(&mut vec![None::<Transaction>; names.len()], &names, find), Err(Unresolved::TooLong)));
        assert_eq!(looks.replace(0), most + 1);

        let mut known = fitting(&names[..most], find).expect("a block has room for these");
        assert!(known.iter().flatten().count() == most && known.len() == most);
        known.push(None);
        let more = fill(&mut known, &names[..=most], find);
        assert!(matches!(more, Err(Unresolved::TooLong)), "what was found before counts too");
    }

    #[test]
    fn a_transaction_with_another_signature_than_named_is_not_taken() {
        let key = SecretKey::from_seed(b"sender");
        let good = Transaction::sign(Digest([1; 32]), &key, [0; 16], 9, vec![1]);
        let other = Transaction { signature: key.sign(b"something else"), ..good.clone() };
        let names = [named(&good), named(&good)];
        let mut known = fitting(&names, |_| Some(other.clone())).expect("short");
        assert!(known.iter().all(Option::is_none));
        fill(&mut known, &names, |_| Some(good.clone())).expect("short");
        assert!(known.iter().all(|found| found.as_ref() == Some(&good)));
    }
}
