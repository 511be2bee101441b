//! The handle: submit, read, wait, and the door for peers' bytes.

use std::{collections::BTreeMap, sync::Arc};

use base_gm::sm2::{PublicKey, SecretKey};
use base_rt::Clock;
use base_types::{Digest, Height, OrgId};
use base_wire::{Decode, Encode};
use ledger_consensus::Bft;
use ledger_light::{Block, Certificate, Genesis, Member, Transaction};
use ledger_store::Store;
use ledger_vm::notary::{Entry, Notary, Record};
use tokio::{
    sync::{Semaphore, broadcast, mpsc, oneshot},
    task::AbortHandle,
    time::{Instant, timeout},
};

use crate::{
    ChainFault, Executed, Options, PeerNet, Placed,
    gossip::Early,
    ledger::Ledger,
    net::{Gossip, Outgoing},
    node::{Command, Node, ms},
    pool::Pool,
    sync::Peers,
    view::{Shared, Status},
};

/// Commands that wait before senders are slowed down.
const COMMANDS: usize = 4096;
/// Messages that wait for the links before they are dropped.
const OUTBOX: usize = 8192;

/// KiB of one organisation's messages that wait at most; a flood beyond is dropped, and harms nobody else.
const INBOX_KIB: u32 = 32 << 10;

/// What a chain is started with.
pub struct Parts {
    /// Opened with [`crate::COLUMNS`].
    pub store: Store,
    /// The chain's first state.
    pub genesis: Genesis,
    /// This node's organisation.
    pub me: OrgId,
    /// The key that its votes are signed with.
    pub key: Arc<SecretKey>,
    /// The links to the other validators.
    pub net: Arc<dyn PeerNet>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Waiting times.
    pub options: Options,
}

/// A running chain; clones share it, and it ends when the last one is dropped.
#[derive(Clone)]
pub struct Chain {
    pub(crate) ledger: Ledger,
    pub(crate) options: Options,
    shared: Arc<Shared>,
    commands: mpsc::Sender<Command>,
    /// Room for waiting messages, by organisation.
    rooms: Arc<BTreeMap<OrgId, Arc<Semaphore>>>,
    task: AbortHandle,
}

impl Chain {
    /// Opens the chain and starts its task on the current runtime.
    ///
    /// # Errors
    /// [`ChainFault`] when the store holds another chain or cannot be read.
    pub fn start(parts: Parts) -> Result<Self, ChainFault> {
        let Parts { store, genesis, me, key, net, clock, options } = parts;
        let ledger = Ledger::open(store, genesis)?;
        let tip = ledger.tip()?;
        let shared = Arc::new(Shared::new(tip.height));
        let (commands, inbox) = mpsc::channel(COMMANDS);
        let (outbox, outgoing) = mpsc::channel(OUTBOX);
        tokio::spawn(deliver_all(Arc::clone(&net), outgoing));
        let now = Instant::now();
        let node = Node {
            engine: Box::new(Bft::new(ledger.chain, me.clone(), key, options.consensus)),
            ledger: ledger.clone(),
            native: Notary,
            me,
            net,
            clock,
            options: options.clone(),
            shared: Arc::clone(&shared),
            commands: inbox,
            own: commands.downgrade(),
            outbox,
            pool: Pool::default(),
            waiters: BTreeMap::new(),
            tip,
            tip_at: now,
            running: false,
            logged: 0,
            timers: BTreeMap::new(),
            valid: Default::default(),
            ahead: Vec::new(),
            early: Early::default(),
            peers: Peers::default(),
            status_at: now,
            resend_at: now,
        };
        let task = tokio::spawn(node.run()).abort_handle();
        let room = |org: &ledger_light::Organisation| (org.id.clone(), Arc::new(Semaphore::new(INBOX_KIB as usize)));
        let rooms = Arc::new(ledger.genesis.organisations.iter().map(room).collect());
        Ok(Self { ledger, options, shared, commands, rooms, task })
    }

    /// Ends the task between two inputs. What was acknowledged is on the disk already.
    pub async fn stop(&self) {
        self.shared.stop(ChainFault::Stopped);
        self.task.abort();
        while !self.task.is_finished() {
            tokio::time::sleep(ms(2)).await;
        }
    }

    pub(crate) fn alive(&self) -> Result<(), ChainFault> {
        self.shared.fault().map_or(Ok(()), Err)
    }

    fn stopped(&self) -> ChainFault {
        self.shared.fault().unwrap_or(ChainFault::Stopped)
    }

    /// Sends a transaction and waits until its block is executed and stored here. Sending it again is harmless.
    ///
    /// # Errors
    /// [`ChainFault::NoQuorum`] when that takes too long, others when it can never be.
    pub async fn submit(&self, transaction: Transaction) -> Result<Executed, ChainFault> {
        self.alive()?;
        if let Some(placed) = self.ledger.placed(&transaction.digest())? {
            return Ok(placed.executed);
        }
        self.ledger.admit(&transaction)?;
        let (reply, outcome) = oneshot::channel();
        let limit = self.options.submit_timeout_ms;
        let wait = async {
            self.commands.send(Command::Submit(transaction, reply)).await.map_err(|_| self.stopped())?;
            outcome.await.map_err(|_| self.stopped())?
        };
        timeout(ms(limit), wait).await.unwrap_or(Err(ChainFault::NoQuorum(limit)))
    }

    /// Takes in what a peer sent; anything at all.
    pub async fn deliver(&self, from: OrgId, bytes: Vec<u8>) {
        let size = u32::try_from(bytes.len() / 1024 + 1).unwrap_or(u32::MAX);
        let room = self.rooms.get(&from).and_then(|rooms| Arc::clone(rooms).try_acquire_many_owned(size).ok());
        let Some(room) = room else {
            return tracing::warn!(%from, size, "a peer sends more than is read, a message is dropped");
        };
        let gossip = match Gossip::from_wire(&bytes) {
            Ok(gossip) => gossip,
            Err(error) => return tracing::warn!(%from, %error, "a peer's message is malformed"),
        };
        if let Gossip::Transaction(transaction) = &gossip
            && let Err(why) = self.ledger.admit(transaction)
        {
            return tracing::debug!(%from, %why, "a peer's transaction is not admitted");
        }
        let _ = self.commands.send(Command::Gossip(from, gossip, room)).await;
    }

    /// Answers what a peer asked; anything at all.
    pub fn answer(&self, _from: &OrgId, bytes: &[u8]) -> Vec<u8> {
        self.ledger.answer(bytes).to_wire()
    }

    /// How the chain is doing.
    ///
    /// # Errors
    /// [`ChainFault`] when storage cannot be read.
    pub fn status(&self) -> Result<Status, ChainFault> {
        let tip = self.ledger.tip()?;
        let (waiting, peers, fault) = self.shared.with(|v| (v.waiting, v.peers.clone(), v.fault.clone()));
        let (height, block, time, state_root) = (tip.height, tip.digest, tip.time, tip.root);
        Ok(Status { chain: self.ledger.chain, height, block, time, state_root, waiting, peers, fault })
    }

    /// The chain's first state.
    pub fn genesis(&self) -> &Genesis {
        &self.ledger.genesis
    }

    /// The newest height.
    pub fn height(&self) -> Height {
        *self.shared.height.borrow()
    }

    /// Heights as they are stored; a receiver that lags misses some and is told so.
    pub fn subscribe(&self) -> broadcast::Receiver<Height> {
        self.shared.blocks.subscribe()
    }

    /// Waits until a height is stored.
    ///
    /// # Errors
    /// [`ChainFault::NoQuorum`] when that takes longer than a submission may.
    pub async fn reached(&self, height: Height) -> Result<(), ChainFault> {
        let limit = self.options.submit_timeout_ms;
        let mut heights = self.shared.height.subscribe();
        let wait = heights.wait_for(|now| *now >= height || self.shared.fault().is_some());
        let reached = *timeout(ms(limit), wait)
            .await
            .map_err(|_| ChainFault::NoQuorum(limit))?
            .map_err(|_| ChainFault::Stopped)?
            >= height;
        if reached { Ok(()) } else { Err(self.stopped()) }
    }

    /// A block and its certificate.
    ///
    /// # Errors
    /// [`ChainFault`] when storage cannot be read.
    pub fn block(&self, height: Height) -> Result<Option<(Block, Certificate)>, ChainFault> {
        self.ledger.block(height)
    }

    /// An executed transaction and what became of it.
    ///
    /// # Errors
    /// [`ChainFault`] when storage cannot be read.
    pub fn transaction(&self, digest: &Digest) -> Result<Option<Placed>, ChainFault> {
        self.ledger.placed(digest)
    }

    /// The body of the entry that a transaction carried.
    ///
    /// # Errors
    /// [`ChainFault`] when storage cannot be read.
    pub fn body(&self, digest: &Digest) -> Result<Option<Vec<u8>>, ChainFault> {
        let placed = self.ledger.placed(digest)?;
        Ok(placed.and_then(|placed| Entry::from_wire(&placed.transaction.payload).ok()).map(|entry| entry.body))
    }

    /// A subject's records in order.
    ///
    /// # Errors
    /// [`ChainFault`] when storage cannot be read.
    pub fn records(&self, subject: &Digest) -> Result<Vec<Record>, ChainFault> {
        self.ledger.records(subject)
    }

    /// Records of all subjects in the order of execution, after a cursor; 0 is before the first.
    ///
    /// # Errors
    /// [`ChainFault`] when storage cannot be read.
    pub fn records_after(&self, cursor: u64, limit: usize) -> Result<Vec<(u64, Record)>, ChainFault> {
        self.ledger.records_after(cursor, limit)
    }

    /// How many transactions were accepted so far; also the cursor of the newest record.
    ///
    /// # Errors
    /// [`ChainFault`] when storage cannot be read.
    pub fn transactions(&self) -> Result<u64, ChainFault> {
        self.ledger.cursor()
    }

    /// The member of a key.
    ///
    /// # Errors
    /// [`ChainFault`] when storage cannot be read.
    pub fn member(&self, key: &PublicKey) -> Result<Option<Member>, ChainFault> {
        self.ledger.member(key)
    }
}

/// Hands messages to the links in order, so that the node itself never waits for them.
async fn deliver_all(net: Arc<dyn PeerNet>, mut outgoing: mpsc::Receiver<Outgoing>) {
    while let Some(message) = outgoing.recv().await {
        match message {
            Outgoing::All(gossip) => net.broadcast(gossip.to_wire()).await,
            Outgoing::One(to, gossip) => net.send(&to, gossip.to_wire()).await,
        }
    }
}
