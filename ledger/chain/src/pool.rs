//! Transactions that wait for a block: bounded, without doubles, fair between senders.

use std::collections::{BTreeMap, VecDeque};

use base_gm::sm2::PublicKey;
use base_types::{Digest, Height, OrgId};
use ledger_light::Transaction;
use tokio::time::Instant;

/// Most transactions that wait.
const MAX_WAITING: usize = 32_768;
/// Most bytes that wait.
const MAX_BYTES: usize = 128 << 20;
/// Most transactions of one sender that wait.
const MAX_OF_SENDER: usize = 512;
/// Most bytes of one sender that wait.
const MAX_BYTES_OF_SENDER: usize = MAX_BYTES / 8;
/// Most transactions of one organisation's senders that wait: how many keys it has its administrators choose, and the rest is
/// for the others.
const MAX_OF_ORG: usize = MAX_WAITING / 2;
/// Most bytes of one organisation's senders that wait.
const MAX_BYTES_OF_ORG: usize = MAX_BYTES / 2;

struct Waiting {
    transaction: Transaction,
    org: OrgId,
    size: usize,
    local: bool,
    sent_at: Instant,
}

/// Where the node's blocks stood when a transaction was looked for among the executed ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Moment(u64);

/// The pool. What is in it has been verified, and none of it was executed: who adds a transaction has not found it on the
/// disk since the last block was stored, and who stores a block takes its transactions out.
#[derive(Default)]
pub(crate) struct Pool {
    /// Grows with each block that is stored.
    now: Moment,
    waiting: BTreeMap<Digest, Waiting>,
    queues: BTreeMap<PublicKey, VecDeque<Digest>>,
    /// Bytes that wait, by sender.
    sent: BTreeMap<PublicKey, usize>,
    /// Transactions and bytes that wait, by their senders' organisation.
    orgs: BTreeMap<OrgId, (usize, usize)>,
    bytes: usize,
    /// The sender whose transaction was the last of a block.
    last: Option<PublicKey>,
}

/// Why a transaction was not added.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotAdded {
    /// There is no room.
    Full,
    /// A block was stored since the transaction was looked for: it may have been among that one's.
    Late,
}

impl Pool {
    /// Now; to be asked for before a transaction is looked for among the executed ones.
    pub(crate) fn now(&self) -> Moment {
        self.now
    }

    /// Adds a verified transaction of a sender of `org`, which was not among the executed ones when it was looked for at a
    /// moment; `local` ones are sent to the peers again until they are executed. True when new.
    pub(crate) fn add(
        &mut self,
        transaction: Transaction,
        digest: Digest,
        org: OrgId,
        looked: Moment,
        local: bool,
    ) -> Result<bool, NotAdded> {
        if let Some(known) = self.waiting.get_mut(&digest) {
            known.local |= local;
            return Ok(false);
        }
        if looked != self.now {
            return Err(NotAdded::Late);
        }
        let size = transaction.size();
        let sender = &transaction.sender;
        let (count, bytes) = (self.queues.get(sender).map_or(0, VecDeque::len), self.bytes_of(sender));
        let (of_org, bytes_of_org) = self.orgs.get(&org).copied().unwrap_or_default();
        let fits = count < MAX_OF_SENDER && bytes + size <= MAX_BYTES_OF_SENDER;
        let org_fits = of_org < MAX_OF_ORG && bytes_of_org + size <= MAX_BYTES_OF_ORG;
        if !fits || !org_fits || self.waiting.len() >= MAX_WAITING || self.bytes + size > MAX_BYTES {
            return Err(NotAdded::Full);
        }
        self.queues.entry(*sender).or_default().push_back(digest);
        self.sent.insert(*sender, bytes + size);
        self.orgs.insert(org.clone(), (of_org + 1, bytes_of_org + size));
        self.bytes += size;
        self.waiting.insert(digest, Waiting { transaction, org, size, local, sent_at: Instant::now() });
        Ok(true)
    }

    fn bytes_of(&self, sender: &PublicKey) -> usize {
        self.sent.get(sender).copied().unwrap_or_default()
    }

    /// Whether exactly this transaction, signature included, waits: then it has been verified and was not executed.
    pub(crate) fn has(&self, digest: &Digest, transaction: &Transaction) -> bool {
        self.waiting.get(digest).is_some_and(|known| &known.transaction == transaction)
    }

    /// Takes out what was executed. To be called as soon as it is on the disk, before another block is built or checked.
    pub(crate) fn executed<'a>(&mut self, digests: impl IntoIterator<Item = &'a Digest>) {
        self.now = Moment(self.now.0.saturating_add(1));
        digests.into_iter().for_each(|digest| self.remove(digest));
    }

    fn remove(&mut self, digest: &Digest) {
        let Some(gone) = self.waiting.remove(digest) else { return };
        self.bytes = self.bytes.saturating_sub(gone.size);
        if let Some((count, bytes)) = self.orgs.get_mut(&gone.org) {
            (*count, *bytes) = (count.saturating_sub(1), bytes.saturating_sub(gone.size));
            if *count == 0 {
                self.orgs.remove(&gone.org);
            }
        }
        let sender = gone.transaction.sender;
        self.sent.insert(sender, self.bytes_of(&sender).saturating_sub(gone.size));
        if let Some(queue) = self.queues.get_mut(&sender) {
            // A sender's transactions are mostly executed in their order.
            if queue.front() == Some(digest) {
                queue.pop_front();
            } else {
                queue.retain(|other| other != digest);
            }
            if queue.is_empty() {
                self.queues.remove(&sender);
                self.sent.remove(&sender);
            }
        }
    }

    /// Removes what can no longer be executed at `height`, and names it.
    pub(crate) fn remove_expired(&mut self, height: Height) -> Vec<Digest> {
        let expired = self.waiting.iter().filter(|(_, w)| w.transaction.valid_until < height);
        let expired: Vec<_> = expired.map(|(digest, _)| *digest).collect();
        expired.iter().for_each(|digest| self.remove(digest));
        expired
    }

    /// Up to `count` transactions of up to `bytes` together, one a sender in turn, each sender's in order of arrival.
    /// Turns begin behind the sender that [`Pool::served`] named.
    pub(crate) fn choose(&self, count: usize, bytes: usize) -> Vec<(Digest, Transaction)> {
        let after = |last| self.queues.range((std::ops::Bound::Excluded(last), std::ops::Bound::Unbounded));
        let mut turns: VecDeque<(PublicKey, VecDeque<Digest>)> = match self.last {
            Some(last) => after(last).chain(self.queues.range(..=last)).map(|(k, q)| (*k, q.clone())).collect(),
            None => self.queues.iter().map(|(k, q)| (*k, q.clone())).collect(),
        };
        let (mut chosen, mut room) = (Vec::new(), bytes);
        while chosen.len() < count
            && let Some((sender, mut queue)) = turns.pop_front()
        {
            let Some(digest) = queue.pop_front() else { continue };
            let Some(next) = self.waiting.get(&digest) else { continue };
            // A sender whose next transaction does not fit waits for the next block: its order is kept.
            let Some(left) = room.checked_sub(next.size) else { continue };
            room = left;
            chosen.push((digest, next.transaction.clone()));
            turns.push_back((sender, queue));
        }
        chosen
    }

    /// A block ends with a transaction of this sender: whoever comes behind it is first in the next one. What was chosen
    /// and found no room in the block does not count: else several who ask for much gas could keep one out for good.
    pub(crate) fn served(&mut self, sender: PublicKey) {
        self.last = Some(sender);
    }

    /// Transactions that were submitted here, still wait, and were sent to the peers before `before`; they count as
    /// sent `now`.
    pub(crate) fn unheard(&mut self, before: Instant, now: Instant) -> Vec<Transaction> {
        let late = self.waiting.values_mut().filter(|w| w.local && w.sent_at <= before);
        late.map(|w| {
            w.sent_at = now;
            w.transaction.clone()
        })
        .collect()
    }

    /// All that wait.
    pub(crate) fn digests(&self) -> Vec<Digest> {
        self.waiting.keys().copied().collect()
    }

    /// A transaction that waits.
    pub(crate) fn get(&self, digest: &Digest) -> Option<&Transaction> {
        self.waiting.get(digest).map(|w| &w.transaction)
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// True when nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use base_gm::sm2::SecretKey;

    use super::*;

    fn transaction(sender: u8, nonce: u8, valid_until: Height) -> Transaction {
        let key = SecretKey::from_seed(&[sender]);
        Transaction::sign(Digest([1; 32]), &key, [nonce; 16], valid_until, vec![nonce])
    }

    fn add(pool: &mut Pool, transaction: &Transaction) -> Result<bool, NotAdded> {
        add_of(pool, transaction, "health")
    }

    fn add_of(pool: &mut Pool, transaction: &Transaction, org: &str) -> Result<bool, NotAdded> {
        let looked = pool.now();
        pool.add(transaction.clone(), transaction.digest(), OrgId::new(org).expect("a name"), looked, false)
    }

    #[test]
    fn senders_take_turns_and_keep_their_order() {
        let mut pool = Pool::default();
        for nonce in 0..5 {
            assert_eq!(add(&mut pool, &transaction(1, nonce, 9)), Ok(true));
        }
        assert_eq!(add(&mut pool, &transaction(2, 9, 9)), Ok(true));
        assert_eq!(add(&mut pool, &transaction(2, 9, 9)), Ok(false), "a double");
        let chosen = pool.choose(3, usize::MAX);
        let first = SecretKey::from_seed(&[1]).public();
        assert_eq!(chosen.iter().filter(|(_, t)| t.sender != first).count(), 1, "the second sender is served");
        let nonces: Vec<_> = chosen.iter().filter(|(_, t)| t.sender == first).map(|(_, t)| t.nonce[0]).collect();
        assert_eq!(nonces, [0, 1]);
        assert_eq!(pool.choose(9, chosen[0].1.size()).len(), 1, "bytes are bounded");
        chosen.iter().for_each(|(digest, _)| pool.remove(digest));
        assert_eq!(pool.len(), 3);
    }

    #[test]
    fn one_sender_cannot_fill_the_pool_and_the_expired_leave() {
        let mut pool = Pool::default();
        let one = transaction(1, 0, 9);
        for i in 0..MAX_OF_SENDER {
            let other = Transaction { valid_until: 9 + i as u64, ..one.clone() };
            assert_eq!(add(&mut pool, &other), Ok(true));
        }
        assert_eq!(add(&mut pool, &transaction(1, 1, 9)), Err(NotAdded::Full));
        assert_eq!(add(&mut pool, &transaction(2, 1, 9)), Ok(true));
        assert_eq!(pool.remove_expired(10).len(), 2);
        assert_eq!(add(&mut pool, &transaction(1, 1, 10)), Ok(true));
    }

    #[test]
    fn one_sender_cannot_fill_the_pool_with_long_transactions() {
        let mut pool = Pool::default();
        let long =
            |sender: u8, valid_until| Transaction { payload: vec![0; 1 << 20], ..transaction(sender, 0, valid_until) };
        let held = (9u64..).take_while(|until| add(&mut pool, &long(1, *until)) == Ok(true)).count();
        assert_eq!(held, MAX_BYTES_OF_SENDER / long(1, 9).size());
        assert_eq!(add(&mut pool, &long(2, 9)), Ok(true), "others have room");
        pool.remove(&long(1, 9).digest());
        assert_eq!(add(&mut pool, &long(1, 9)), Ok(true), "room is given back");
        assert_eq!(add(&mut pool, &long(1, 1)), Err(NotAdded::Full));
    }

    #[test]
    fn one_organisation_leaves_others_room_however_many_keys_it_has() {
        let mut pool = Pool::default();
        let fill = |pool: &mut Pool, sender: u8| {
            let one = transaction(sender, 0, 9);
            let more = (9..).map(|valid_until| Transaction { valid_until, ..one.clone() });
            more.take_while(|other| add(pool, other) == Ok(true)).count()
        };
        let held: usize = (1..=40).map(|sender| fill(&mut pool, sender)).sum();
        assert_eq!(held, MAX_OF_ORG);
        assert_eq!(add_of(&mut pool, &transaction(41, 0, 9), "audit"), Ok(true));
        pool.remove(&transaction(1, 0, 9).digest());
        assert_eq!(add(&mut pool, &transaction(40, 0, 9)), Ok(true), "room is given back");
        assert_eq!(add(&mut pool, &transaction(40, 1, 9)), Err(NotAdded::Full));
    }

    #[test]
    fn what_was_looked_for_before_a_block_was_stored_is_not_added() {
        let mut pool = Pool::default();
        let (one, other) = (transaction(1, 0, 9), transaction(1, 1, 9));
        let health = || OrgId::new("health").expect("a name");
        let before = pool.now();
        assert_eq!(pool.add(one.clone(), one.digest(), health(), before, false), Ok(true));
        // A block with both, of which the pool knew only one.
        pool.executed(&[one.digest(), other.digest()]);
        assert!(pool.is_empty());
        for executed in [&one, &other] {
            let added = pool.add(executed.clone(), executed.digest(), health(), before, false);
            assert_eq!(added, Err(NotAdded::Late), "it is to be looked for again");
        }
        // Also a block without transactions of the pool makes a look old.
        let third = transaction(1, 2, 9);
        let before = pool.now();
        pool.executed(&[]);
        assert_eq!(pool.add(third.clone(), third.digest(), health(), before, true), Err(NotAdded::Late));
        assert_eq!(pool.add(third.clone(), third.digest(), health(), pool.now(), true), Ok(true));
        assert!(pool.has(&third.digest(), &third));
    }

    #[test]
    fn another_signature_is_not_taken_for_the_verified_one() {
        let mut pool = Pool::default();
        let known = transaction(1, 0, 9);
        add(&mut pool, &known).expect("room");
        let forged = Transaction { signature: transaction(1, 1, 9).signature, ..known.clone() };
        assert_eq!(known.digest(), forged.digest());
        assert!(pool.has(&known.digest(), &known));
        assert!(!pool.has(&known.digest(), &forged));
    }
}
