//! The one task that owns the engine and everything that changes: inputs in, one after another, until it stops.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use base_gm::sm2::SecretKey;
use base_rt::Clock;
use base_types::{Digest, Height, OrgId};
use ledger_consensus::{Bft, Engine, Input, Raft, TimerId, WalRecord};
use ledger_light::{Block, Certificate, Epoch, RAFT, Transaction};
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::{OwnedSemaphorePermit, mpsc},
    task::JoinSet,
    time::{Instant, sleep_until},
};

use crate::{
    ChainFault, Options, PeerNet,
    compact::Open,
    gossip::Early,
    ledger::{Ledger, Tip},
    net::{Gossip, Offer, Outgoing},
    silence::Silence,
    spans::Spans,
    sync::{NoBlocks, Peers},
    takeover::TakeOver,
    view::Shared,
};

/// What the task is told.
pub(crate) enum Command {
    /// A peer's message. Its room is given back once it is dealt with.
    Gossip(OrgId, Gossip, OwnedSemaphorePermit),
    /// A peer's answer to a request for blocks.
    Fetched(OrgId, Result<Vec<(Block, Certificate)>, NoBlocks>),
    /// A state that can be taken over, if any peer offers one, and who takes it.
    Offered(Box<TakeOver>, Option<Box<Offer>>),
    /// A state was taken over.
    TakenOver(Result<(), ChainFault>),
    /// A peer's answer to a request for a block's transactions.
    Completed(u64, Vec<Transaction>),
}

/// The task's state.
pub(crate) struct Node {
    pub(crate) ledger: Ledger,
    pub(crate) engine: Box<dyn Engine>,
    /// The epoch for which the engine was made.
    pub(crate) epoch: u64,
    /// The engine has not been given what the log keeps beyond a height.
    pub(crate) fresh: bool,
    pub(crate) me: OrgId,
    pub(crate) key: Arc<SecretKey>,
    pub(crate) net: Arc<dyn PeerNet>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) options: Options,
    pub(crate) shared: Arc<Shared>,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) own: mpsc::WeakSender<Command>,
    pub(crate) outbox: mpsc::Sender<Outgoing>,
    pub(crate) tip: Tip,
    /// When the tip was stored, or when the task began.
    pub(crate) tip_at: Instant,
    /// When the last height was started, or when the task began.
    pub(crate) started_at: Instant,
    /// Whether the engine works on the height after the tip.
    pub(crate) running: bool,
    /// Records in the consensus log of the height being decided.
    pub(crate) logged: u32,
    /// Records in the consensus log that belong to no height.
    pub(crate) kept: u32,
    pub(crate) timers: BTreeMap<TimerId, Instant>,
    /// Blocks of the height being decided that were checked and found valid, and their transactions' digests.
    pub(crate) valid: BTreeMap<Digest, Vec<Digest>>,
    /// Blocks of that height whose time is ahead of the clock; their checks are still to be answered.
    pub(crate) ahead: Vec<(Height, u32, Block)>,
    pub(crate) early: Early,
    pub(crate) open: Open,
    /// The Raft leader that is not heard, and until when: its clock is wrong.
    pub(crate) shunned: Option<(OrgId, Instant)>,
    pub(crate) peers: Peers,
    pub(crate) status_at: Instant,
    pub(crate) resend_at: Instant,
    /// How often what waits was sent again: whose turn it is next.
    pub(crate) resent: usize,
    pub(crate) spans: Spans,
    /// Peers whose misbehaviour was told in this height; once is enough.
    pub(crate) blamed: BTreeSet<OrgId>,
    /// Up to where this validator is silent.
    pub(crate) silence: Silence,
    /// A state is being taken over: what is stored is nobody's.
    pub(crate) away: bool,
    /// Nobody offered a state, so the next blocks are asked for.
    pub(crate) replay: bool,
    /// The taking over; ends with this.
    pub(crate) taking: JoinSet<()>,
    /// The search for damage in what is stored; ends with this, and with the fault that it finds.
    pub(crate) scrubbing: JoinSet<ChainFault>,
}

/// Runs what may wait for the disk without holding up the runtime's other tasks.
pub(crate) fn blocking<T>(work: impl FnOnce() -> T) -> T {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::MultiThread => tokio::task::block_in_place(work),
        _ => work(),
    }
}

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// The engine of an epoch. A validator's engine lives as long as its epoch.
pub(crate) fn engine(
    epoch: &Epoch,
    chain: Digest,
    me: &OrgId,
    key: &Arc<SecretKey>,
    options: &Options,
) -> Box<dyn Engine> {
    if epoch.engine == RAFT {
        Box::new(Raft::new(chain, me.clone(), Arc::clone(key), options.consensus))
    } else {
        Box::new(Bft::new(chain, me.clone(), Arc::clone(key), options.consensus))
    }
}

impl Node {
    /// Runs until the last handle is gone or a fault makes going on unsafe.
    pub(crate) async fn run(mut self) {
        if let Err(fault) = self.serve().await {
            tracing::error!(%fault, height = self.tip.height, "the chain stops");
            self.shared.stop(fault);
        }
    }

    async fn serve(&mut self) -> Result<(), ChainFault> {
        // What was signed before a crash must be remembered before anything new is signed.
        if self.is_validator() && !self.ledger.votes::<WalRecord>(self.next())?.is_empty() {
            blocking(|| self.start_height())?;
        }
        let shared = Arc::clone(&self.shared);
        loop {
            let wake = self.wake();
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(command) => blocking(|| self.command(command))?,
                    None => return Ok(()),
                },
                () = shared.work.notified(), if !self.running => {}
                Some(Ok(fault)) = self.scrubbing.join_next() => return Err(fault),
                () = sleep_until(wake) => {}
            }
            blocking(|| self.due())?;
        }
    }

    pub(crate) fn next(&self) -> Height {
        self.tip.next()
    }

    /// Whether this node votes on the height after the tip. One that does not follows by asking its peers for blocks.
    pub(crate) fn is_validator(&self) -> bool {
        !self.away && self.silence.allows(self.next()) && self.tip.epoch().index_of(&self.me).is_some()
    }

    /// When the next height starts of itself: soon when there is work, at the heartbeat when there is none. Heights start
    /// an interval apart, however long one takes.
    fn start_at(&self) -> Option<Instant> {
        if self.running || !self.is_validator() {
            return None;
        }
        // A block with transactions is followed by one more, which certifies the root they led to; so is one after which
        // another epoch begins, whose engine has to begin too.
        let change = self.tip.epoch().number != self.tip.epochs.now.number || self.tip.epochs.next.is_some();
        let work = self.tip.transactions > 0 || change || !self.shared.pool().is_empty();
        let interval = u64::from(self.tip.epoch().interval_ms);
        Some(if self.early.has(self.next()) {
            self.started_at + ms(interval / 2)
        } else if work {
            self.started_at + ms(interval)
        } else {
            self.tip_at + ms(self.options.heartbeat_ms)
        })
    }

    fn wake(&self) -> Instant {
        let timers = self.timers.values().copied();
        let others = [self.start_at(), self.fetch_at(), self.ahead_at(), Some(self.status_at), Some(self.resend_at)];
        timers.chain(others.into_iter().flatten()).min().unwrap_or(self.status_at)
    }

    fn command(&mut self, command: Command) -> Result<(), ChainFault> {
        match command {
            Command::Gossip(from, gossip, _room) => self.gossiped(from, gossip),
            Command::Fetched(from, result) => self.fetched(from, result),
            Command::Completed(number, given) => self.completed(number, given),
            Command::Offered(taker, offer) => self.offered(*taker, offer.map(|offer| *offer)),
            Command::TakenOver(outcome) => self.taken_over(outcome),
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
            let validators = self.tip.epoch().validators.iter().map(|validator| &validator.org);
            self.shared.hearing.told(validators.filter(|org| **org != self.me));
            self.look_around();
            self.learn_silence()?;
        }
        if self.resend_at <= now {
            self.resend_at = now + ms(self.options.resend_ms);
            self.resend(now);
        }
        if self.fetch_at().is_some_and(|at| at <= now) {
            self.fetch();
        }
        Ok(())
    }

    /// What has waited for long is sent again, to one validator at a time: all were away when it was sent, or it waits for
    /// room, and one that has it is enough.
    fn resend(&mut self, now: Instant) {
        let Some(before) = now.checked_sub(ms(self.options.resend_ms)) else { return };
        let late = self.shared.unheard(before, now);
        let validators = self.tip.epoch().validators.iter().map(|validator| &validator.org);
        let others: Vec<&OrgId> = validators.filter(|org| **org != self.me).collect();
        let turn = self.resent.checked_rem(others.len()).unwrap_or_default();
        let Some(peer) = others.get(turn).map(|org| OrgId::clone(org)).filter(|_| !late.is_empty()) else { return };
        self.resent = self.resent.wrapping_add(1);
        for part in crate::gossip::parts(late) {
            self.send(Outgoing::One(peer.clone(), Gossip::Transactions(part)));
        }
    }

    /// Sends to all, unless the links are far behind already: everything that is sent is sent again when it matters.
    pub(crate) fn send_all(&self, gossip: Gossip) {
        self.send(Outgoing::All(gossip));
    }

    pub(crate) fn send(&self, outgoing: Outgoing) {
        if self.outbox.try_send(outgoing).is_err() {
            tracing::warn!("the links are behind, a message is dropped");
        }
    }
}
