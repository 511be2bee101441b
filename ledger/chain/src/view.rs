//! What the chain's task shares with its handles: the pool, those who wait, how it is doing, heights as they come.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use base_types::{Digest, Height, OrgId, TimeMs};
use ledger_light::{Epoch, Transaction};
use tokio::{
    sync::{Notify, broadcast, oneshot, watch},
    time::Instant,
};

use crate::{
    ChainFault, Counters, Executed,
    hearing::Hearing,
    ledger::Tip,
    pool::{Moment, NotAdded, Pool},
};

/// How a submission ends.
pub(crate) type Reply = oneshot::Sender<Result<Executed, ChainFault>>;

/// How the chain is doing.
#[derive(Debug, Clone)]
pub struct Status {
    /// The genesis digest.
    pub chain: Digest,
    /// The newest height.
    pub height: Height,
    /// Its block's digest; the genesis digest at height 0.
    pub block: Digest,
    /// Its block's time.
    pub time: TimeMs,
    /// The state root after it.
    pub state_root: Digest,
    /// The epoch in force at the height that follows.
    pub epoch: Epoch,
    /// Transactions that wait here.
    pub waiting: usize,
    /// Peers, the height each told, and when.
    pub peers: Vec<(OrgId, Height, TimeMs)>,
    /// Why the node no longer serves.
    pub fault: Option<ChainFault>,
    /// Per cent of a state that is being taken over from peers; all else is as it was before that began.
    pub syncing: Option<u8>,
    /// When everything stored was last found whole, since the start.
    pub scrubbed: Option<TimeMs>,
}

/// What the task and its handles share.
pub(crate) struct Shared {
    view: Mutex<View>,
    pool: Mutex<Pool>,
    waiters: Mutex<BTreeMap<Digest, Vec<Reply>>>,
    /// Transactions submitted here that the peers have not been sent yet.
    fresh: Mutex<Vec<Transaction>>,
    /// There are fresh ones.
    pub(crate) sending: Notify,
    /// There is work.
    pub(crate) work: Notify,
    /// There may be room in the pool again.
    pub(crate) room: Notify,
    pub(crate) height: watch::Sender<Height>,
    pub(crate) blocks: broadcast::Sender<Height>,
    pub(crate) counters: Counters,
    /// Whom this node has not heard for long.
    pub(crate) hearing: Hearing,
}

/// What is shown.
#[derive(Default)]
pub(crate) struct View {
    pub(crate) peers: Vec<(OrgId, Height, TimeMs)>,
    pub(crate) fault: Option<ChainFault>,
    /// While a state is being taken over: per cent of it, and the newest block before.
    pub(crate) syncing: Option<(u8, Tip)>,
    /// How often the taking over of a state was begun.
    pub(crate) replaced: u64,
    /// When everything stored was last found whole.
    pub(crate) scrubbed: Option<TimeMs>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(height: Height) -> Self {
        Self {
            view: Mutex::default(),
            pool: Mutex::default(),
            waiters: Mutex::default(),
            fresh: Mutex::default(),
            sending: Notify::new(),
            work: Notify::new(),
            room: Notify::new(),
            height: watch::Sender::new(height),
            blocks: broadcast::Sender::new(256),
            counters: Counters::default(),
            hearing: Hearing::default(),
        }
    }
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut View) -> T) -> T {
        act(&mut lock(&self.view))
    }
    /// The pool; held for moments only.
    pub(crate) fn pool(&self) -> MutexGuard<'_, Pool> {
        lock(&self.pool)
    }

    /// Puts a verified transaction of a client, looked for at a moment, into the pool and among those that the peers are to be
    /// sent.
    pub(crate) fn accept(
        &self,
        transaction: Transaction,
        digest: Digest,
        org: OrgId,
        looked: Moment,
    ) -> Result<(), NotAdded> {
        if self.pool().add(transaction.clone(), digest, org, looked, true)? {
            lock(&self.fresh).push(transaction);
            self.sending.notify_one();
        }
        self.work.notify_one();
        Ok(())
    }
    /// Takes the fresh transactions.
    pub(crate) fn take_fresh(&self) -> Vec<Transaction> {
        std::mem::take(&mut *lock(&self.fresh))
    }

    /// Somebody waits for a transaction. Where the chain has stopped that is told at once.
    pub(crate) fn wait_for(&self, digest: Digest) -> oneshot::Receiver<Result<Executed, ChainFault>> {
        let (reply, outcome) = oneshot::channel();
        {
            let mut waiters = lock(&self.waiters);
            let waiting = waiters.entry(digest).or_default();
            waiting.retain(|other| !other.is_closed());
            waiting.push(reply);
        }
        // After the entry: who stops the chain says why first, and then tells all that have entered.
        if let Some(fault) = self.fault() {
            self.tell(&digest, &Err(fault));
        }
        outcome
    }
    /// Tells whoever waits for a transaction.
    pub(crate) fn tell(&self, digest: &Digest, outcome: &Result<Executed, ChainFault>) {
        for reply in lock(&self.waiters).remove(digest).into_iter().flatten() {
            let _ = reply.send(outcome.clone());
        }
    }
    /// Nobody who has gone is kept.
    pub(crate) fn forget_gone(&self) {
        lock(&self.waiters).retain(|_, replies| replies.iter().any(|reply| !reply.is_closed()));
    }

    pub(crate) fn set_peers(&self, peers: &BTreeMap<OrgId, (Height, TimeMs)>) {
        self.with(|view| view.peers = peers.iter().map(|(org, (height, at))| (org.clone(), *height, *at)).collect());
    }
    pub(crate) fn set_height(&self, height: Height) {
        self.height.send_replace(height);
        let _ = self.blocks.send(height);
    }
    pub(crate) fn stop(&self, fault: ChainFault) {
        let fault = self.with(|view| view.fault.get_or_insert(fault).clone());
        // Whoever waits for a height looks at the fault instead.
        self.height.send_modify(|_| {});
        for reply in std::mem::take(&mut *lock(&self.waiters)).into_values().flatten() {
            let _ = reply.send(Err(fault.clone()));
        }
        self.room.notify_waiters();
    }
    /// Everything stored was found whole.
    pub(crate) fn scrubbed(&self, at: TimeMs) {
        self.with(|view| view.scrubbed = Some(at));
        self.counters.scrubs.add(1);
    }
    pub(crate) fn fault(&self) -> Option<ChainFault> {
        self.with(|view| view.fault.clone())
    }

    /// How often the taking over of a state was begun, unless nothing may be read now.
    fn readable(&self) -> Result<u64, ChainFault> {
        self.with(|view| match (&view.syncing, &view.fault) {
            (Some((percent, _)), _) => Err(ChainFault::NotReady(*percent)),
            (None, Some(fault @ (ChainFault::Damaged(_) | ChainFault::Diverged { .. }))) => Err(fault.clone()),
            (None, _) => Ok(view.replaced),
        })
    }
    /// Why nothing may be read now.
    pub(crate) fn unready(&self) -> Option<ChainFault> {
        self.readable().err()
    }
    /// What `read` finds in what is stored, unless that may not be read. Whether it may is looked at afterwards as well: what
    /// was stored may be removed while it is being read, and what is missing then would be taken for damage or for nothing.
    pub(crate) fn reading<T>(&self, read: impl Fn() -> Result<T, ChainFault>) -> Result<T, ChainFault> {
        loop {
            let before = self.readable()?;
            let found = read();
            if self.readable()? == before {
                return found;
            }
        }
    }
    /// From now on nobody reads: a state of others takes the place of what is stored, of which `tip` is the newest block.
    pub(crate) fn go_away(&self, tip: Tip) {
        self.with(|view| {
            view.syncing = Some((0, tip));
            view.replaced = view.replaced.saturating_add(1);
        });
    }
    /// The state of a height is stored in place of what was: it may be read.
    pub(crate) fn come_back(&self, height: Height) {
        // Before anybody may read, so that nobody looks for the newest block where the old ones were.
        self.height.send_if_modified(|shown| {
            *shown = height;
            false
        });
        self.with(|view| view.syncing = None);
        self.set_height(height);
    }
    /// So much of a state has been taken over.
    pub(crate) fn progress(&self, percent: u8) {
        let before = self.with(|view| view.syncing.as_mut().map(|(shown, _)| std::mem::replace(shown, percent)));
        if before.is_some_and(|before| before / 10 != percent / 10) {
            tracing::info!(percent, "a state is being taken over");
        }
    }

    /// Transactions that the peers may have missed: submitted here and waiting since before.
    pub(crate) fn unheard(&self, before: Instant, now: Instant) -> Vec<Transaction> {
        self.pool().unheard(before, now)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use ledger_light::BFT;
    use ledger_vm::govern::Epochs;

    use super::*;

    fn tip() -> Tip {
        let now = Epoch { number: 0, engine: BFT, first_height: 1, validators: vec![], interval_ms: 50 };
        let (digest, root) = (Digest::default(), Digest::default());
        Tip { height: 5, digest, time: 1, root, transactions: 0, epochs: Epochs { now, next: None } }
    }

    #[test]
    fn who_waits_for_a_transaction_hears_that_the_chain_stops_or_has_stopped() {
        let (shared, digest) = (Shared::new(0), Digest([7; 32]));
        let mut before = shared.wait_for(digest);
        assert!(before.try_recv().is_err(), "nothing is told yet");
        shared.stop(ChainFault::DiskFull);
        let mut after = shared.wait_for(digest);
        for outcome in [&mut before, &mut after] {
            assert_eq!(outcome.try_recv(), Ok(Err(ChainFault::DiskFull)));
        }
    }

    #[test]
    fn what_is_read_while_a_state_is_taken_over_is_told_to_nobody() {
        let shared = Shared::new(5);
        assert_eq!(shared.reading(|| Ok(1)), Ok(1));
        let half_there = || {
            shared.go_away(tip());
            Ok(None::<u8>)
        };
        assert_eq!(shared.reading(half_there), Err(ChainFault::NotReady(0)));
        assert_eq!(shared.reading(|| Ok(1)), Err(ChainFault::NotReady(0)));
        shared.come_back(9);
        assert_eq!(shared.reading(|| Ok(1)), Ok(1));
    }

    #[test]
    fn what_was_read_across_a_whole_taking_over_is_read_again_with_the_height_that_belongs_to_it() {
        let (shared, turns) = (Shared::new(5), Cell::new(0));
        let read = || {
            let height = *shared.height.borrow();
            if turns.replace(turns.get() + 1) == 0 {
                shared.go_away(tip());
                shared.come_back(9);
                return Err(ChainFault::Damaged("half of it".into()));
            }
            Ok(height)
        };
        assert_eq!((shared.reading(read), turns.get()), (Ok(9), 2));
    }
}
