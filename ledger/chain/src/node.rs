//! The one task that owns the engine and everything that changes: inputs in, one after another, until it stops.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use base_rt::Clock;
use base_types::{Digest, Height, OrgId};
use ledger_consensus::{Engine, Input, TimerId};
use ledger_light::{Block, Certificate, Transaction};
use ledger_vm::notary::Notary;
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::{OwnedSemaphorePermit, mpsc, oneshot},
    time::{Instant, sleep_until},
};

use crate::{
    ChainFault, Executed, Options, PeerNet,
    gossip::Early,
    ledger::{Ledger, Tip},
    net::{Gossip, Outgoing},
    pool::Pool,
    sync::Peers,
    view::Shared,
};

/// How a submission ends.
pub(crate) type Reply = oneshot::Sender<Result<Executed, ChainFault>>;

/// What the task is told.
pub(crate) enum Command {
    /// A verified transaction of this node's own users.
    Submit(Transaction, Reply),
    /// A peer's message; a transaction in it has been verified. Its room is given back once it is dealt with.
    Gossip(OrgId, Gossip, OwnedSemaphorePermit),
    /// A peer's answer to a request for blocks.
    Fetched(OrgId, Result<Vec<(Block, Certificate)>, String>),
}

/// The task's state.
pub(crate) struct Node {
    pub(crate) ledger: Ledger,
    pub(crate) engine: Box<dyn Engine>,
    pub(crate) native: Notary,
    pub(crate) me: OrgId,
    pub(crate) net: Arc<dyn PeerNet>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) options: Options,
    pub(crate) shared: Arc<Shared>,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) own: mpsc::WeakSender<Command>,
    pub(crate) outbox: mpsc::Sender<Outgoing>,
    pub(crate) pool: Pool,
    pub(crate) waiters: BTreeMap<Digest, Vec<Reply>>,
    pub(crate) tip: Tip,
    /// When the tip was stored, or when the task began.
    pub(crate) tip_at: Instant,
    /// Whether the engine works on the height after the tip.
    pub(crate) running: bool,
    /// Records in the consensus log of the height being decided.
    pub(crate) logged: u32,
    pub(crate) timers: BTreeMap<TimerId, Instant>,
    /// Blocks of the height being decided that were checked and found valid.
    pub(crate) valid: BTreeSet<Digest>,
    /// Blocks of that height whose time is ahead of the clock; their checks are still to be answered.
    pub(crate) ahead: Vec<(Height, u32, Block)>,
    pub(crate) early: Early,
    pub(crate) peers: Peers,
    pub(crate) status_at: Instant,
    pub(crate) resend_at: Instant,
}

/// Runs what may wait for the disk without holding up the runtime's other tasks.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::MultiThread => tokio::task::block_in_place(work),
        _ => work(),
    }
}

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

impl Node {
    /// Runs until the last handle is gone or a fault makes going on unsafe.
    pub(crate) async fn run(mut self) {
        if let Err(fault) = self.serve().await {
            tracing::error!(%fault, height = self.tip.height, "the chain stops");
            self.shared.stop(fault.clone());
            for reply in std::mem::take(&mut self.waiters).into_values().flatten() {
                let _ = reply.send(Err(fault.clone()));
            }
        }
    }

    async fn serve(&mut self) -> Result<(), ChainFault> {
        // What was signed before a crash must be remembered before anything new is signed.
        if !self.ledger.votes::<ledger_consensus::WalRecord>(self.next())?.is_empty() {
            blocking(|| self.start_height())?;
        }
        loop {
            let wake = self.wake();
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(command) => blocking(|| self.command(command))?,
                    None => return Ok(()),
                },
                () = sleep_until(wake) => {}
            }
            blocking(|| self.due())?;
        }
    }

    pub(crate) fn next(&self) -> Height {
        self.tip.height.saturating_add(1)
    }

    /// When the next height starts of itself: soon when there is work, at the heartbeat when there is none.
    fn start_at(&self) -> Option<Instant> {
        if self.running {
            return None;
        }
        // A block with transactions is followed by one more, which certifies the root they led to.
        let work = !self.pool.is_empty() || self.tip.transactions > 0;
        let interval = u64::from(self.ledger.genesis.epoch.interval_ms);
        let wait = if self.early.has(self.next()) {
            interval / 2
        } else if work {
            interval
        } else {
            self.options.heartbeat_ms
        };
        Some(self.tip_at + ms(wait))
    }

    fn wake(&self) -> Instant {
        let timers = self.timers.values().copied();
        let others = [self.start_at(), self.fetch_at(), self.ahead_at(), Some(self.status_at), Some(self.resend_at)];
        timers.chain(others.into_iter().flatten()).min().unwrap_or(self.status_at)
    }

    fn command(&mut self, command: Command) -> Result<(), ChainFault> {
        match command {
            Command::Submit(transaction, reply) => self.submitted(transaction, reply),
            Command::Gossip(from, gossip, _room) => self.gossiped(from, gossip),
            Command::Fetched(from, result) => self.fetched(from, result),
        }
    }

    /// Everything whose time has come.
    fn due(&mut self) -> Result<(), ChainFault> {
        let now = Instant::now();
        let expired: Vec<_> = self.timers.iter().filter(|(_, at)| **at <= now).map(|(id, _)| *id).collect();
        for id in expired {
            // An earlier timer's outcome may have cancelled this one.
            if self.timers.get(&id).is_some_and(|at| *at <= now) {
                self.timers.remove(&id);
                self.feed(Input::Timer(id))?;
            }
        }
        self.check_ahead()?;
        if self.start_at().is_some_and(|at| at <= now) {
            self.start_height()?;
        }
        if self.status_at <= now {
            self.status_at = now + ms(self.options.status_ms);
            self.send_all(Gossip::Status(self.tip.height));
        }
        if self.resend_at <= now {
            self.resend_at = now + ms(self.options.resend_ms);
            let waiting: Vec<_> = self.pool.local().cloned().collect();
            waiting.into_iter().for_each(|transaction| self.send_all(Gossip::Transaction(transaction)));
        }
        if self.fetch_at().is_some_and(|at| at <= now) {
            self.fetch();
        }
        Ok(())
    }

    /// Sends to all, unless the links are far behind already: everything that is sent is sent again when it matters.
    pub(crate) fn send_all(&self, gossip: Gossip) {
        if self.outbox.try_send(Outgoing::All(gossip)).is_err() {
            tracing::warn!("the links are behind, a message is dropped");
        }
    }

    fn submitted(&mut self, transaction: Transaction, reply: Reply) -> Result<(), ChainFault> {
        let digest = transaction.digest();
        if let Some(placed) = self.ledger.placed(&digest)? {
            let _ = reply.send(Ok(placed.executed));
            return Ok(());
        }
        if self.pool.add(transaction.clone(), digest, true).is_err() {
            let _ = reply.send(Err(ChainFault::Busy));
            return Ok(());
        }
        let waiting = self.waiters.entry(digest).or_default();
        waiting.retain(|other| !other.is_closed());
        waiting.push(reply);
        self.shared.set_waiting(self.pool.len());
        self.send_all(Gossip::Transaction(transaction));
        Ok(())
    }
}
