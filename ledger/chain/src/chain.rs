//! The handle: submit, read, wait, and the door for peers' bytes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use base_gm::sm2::{PublicKey, SecretKey};
use base_rt::Clock;
use base_types::{Digest, Height, OrgId};
use base_wire::{Decode, Encode};
use ledger_light::{Block, Certificate, Epoch, Genesis, Handover, Member};
use ledger_store::Store;
use ledger_vm::notary::{Entry, Record};
use tokio::{
    sync::{Semaphore, broadcast, mpsc},
    task::{AbortHandle, JoinSet},
    time::{Instant, timeout},
};

use crate::{
    ChainFault, Counters, Executed, Options, PeerNet, Placed,
    gossip::{Early, spread},
    ledger::Ledger,
    net::Outgoing,
    node::{Command, Node, engine, ms},
    scrub,
    sync::Peers,
    view::{Shared, Status, View},
};

/// Commands that wait before senders are slowed down.
const COMMANDS: usize = 4096;
/// Messages that wait for the links before they are dropped.
const OUTBOX: usize = 8192;

/// Heights that are looked at for one page of what happened, and bytes after which it ends.
const MAX_SCAN: Height = 1024;
const MAX_PAGE_BYTES: usize = 4 << 20;

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
    pub(crate) shared: Arc<Shared>,
    pub(crate) commands: mpsc::Sender<Command>,
    /// Room for waiting messages, by organisation; the link has proved that it is one of the chain.
    pub(crate) rooms: Arc<Mutex<BTreeMap<OrgId, Arc<Semaphore>>>>,
    tasks: Arc<[AbortHandle; 2]>,
}

impl Chain {
    /// Opens the chain and starts its task on the current runtime.
    ///
    /// # Errors
    /// [`ChainFault`] when the store holds another chain or cannot be read.
    pub fn start(parts: Parts) -> Result<Self, ChainFault> {
        let Parts { store, genesis, me, key, net, clock, options } = parts;
        let ledger = Ledger::open(store, genesis, options.clone())?;
        let (tip, silence) = (ledger.tip()?, ledger.silence()?);
        let shared = Arc::new(Shared::new(tip.height));
        let (commands, inbox) = mpsc::channel(COMMANDS);
        let (outbox, outgoing) = mpsc::channel(OUTBOX);
        tokio::spawn(deliver_all(Arc::clone(&net), outgoing));
        let scrubbing = scrub::begin(&ledger, &shared, &clock);
        let now = Instant::now();
        let node = Node {
            engine: engine(tip.epoch(), ledger.chain, &me, &key, &options),
            epoch: tip.epoch().number,
            fresh: true,
            ledger: ledger.clone(),
            me,
            key,
            net,
            clock,
            options: options.clone(),
            shared: Arc::clone(&shared),
            commands: inbox,
            own: commands.downgrade(),
            outbox: outbox.clone(),
            tip,
            tip_at: now,
            started_at: now,
            running: false,
            logged: 0,
            kept: 0,
            timers: BTreeMap::new(),
            valid: BTreeMap::new(),
            ahead: Vec::new(),
            early: Early::default(),
            open: Default::default(),
            shunned: None,
            peers: Peers::default(),
            status_at: now,
            resend_at: now,
            resent: 0,
            spans: Default::default(),
            blamed: Default::default(),
            silence,
            away: false,
            replay: false,
            taking: JoinSet::new(),
            scrubbing,
        };
        let task = tokio::spawn(node.run()).abort_handle();
        let spreading = tokio::spawn(spread(Arc::clone(&shared), outbox)).abort_handle();
        let rooms = Arc::new(Mutex::default());
        Ok(Self { ledger, options, shared, commands, rooms, tasks: Arc::new([task, spreading]) })
    }

    /// Ends the task between two inputs. What was acknowledged is on the disk already.
    pub async fn stop(&self) {
        self.shared.stop(ChainFault::Stopped);
        self.tasks.iter().for_each(AbortHandle::abort);
        while !self.tasks.iter().all(AbortHandle::is_finished) {
            tokio::time::sleep(ms(2)).await;
        }
    }

    /// Why the chain no longer serves.
    pub fn fault(&self) -> Option<ChainFault> {
        self.shared.fault()
    }

    pub(crate) fn alive(&self) -> Result<(), ChainFault> {
        self.shared.fault().map_or(Ok(()), Err)
    }

    /// What is stored, unless it may not be read now. It may be removed while it is being read, unlike in [`Chain::stored`].
    pub(crate) fn ledger(&self) -> Result<&Ledger, ChainFault> {
        self.shared.unready().map_or(Ok(&self.ledger), Err)
    }

    /// What `read` finds in what is stored, unless it may not be read.
    pub(crate) fn stored<T>(&self, read: impl Fn(&Ledger) -> Result<T, ChainFault>) -> Result<T, ChainFault> {
        self.shared.reading(|| read(&self.ledger))
    }

    pub(crate) fn stopped(&self) -> ChainFault {
        self.shared.fault().unwrap_or(ChainFault::Stopped)
    }

    /// What was counted since the start.
    pub fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    /// The epoch in force at the height that follows.
    ///
    /// # Errors
    /// [`ChainFault`] when storage cannot be read.
    pub fn epoch(&self) -> Result<Epoch, ChainFault> {
        self.stored(|ledger| Ok(ledger.tip()?.epoch().clone()))
    }

    /// The epoch that was in force at a height that is stored.
    ///
    /// # Errors
    /// [`ChainFault`] when storage cannot be read.
    pub fn epoch_of(&self, height: Height) -> Result<Epoch, ChainFault> {
        let handovers = self.handovers()?;
        let last = handovers.into_iter().rev().find(|handover| handover.epoch.first_height <= height);
        Ok(last.map_or_else(|| self.ledger.genesis.epoch.clone(), |handover| handover.epoch))
    }

    /// The handovers from the genesis' epoch to the newest, in order.
    ///
    /// # Errors
    /// [`ChainFault`] when storage cannot be read.
    pub fn handovers(&self) -> Result<Vec<Handover>, ChainFault> {
        self.stored(Ledger::handovers)
    }

    /// How the chain is doing.
    ///
    /// # Errors
    /// [`ChainFault`] when storage cannot be read.
    pub fn status(&self) -> Result<Status, ChainFault> {
        let told = |v: &mut View| ((v.peers.clone(), v.fault.clone(), v.scrubbed), v.syncing.clone(), v.replaced);
        let ((peers, fault, scrubbed), syncing, tip) = loop {
            let (told, before, replaced) = self.shared.with(told);
            if let Some((percent, tip)) = before {
                break (told, Some(percent), tip);
            }
            let tip = self.ledger.tip();
            // Else what was stored was removed while it was being read.
            if self.shared.with(|view| view.replaced) == replaced {
                break (told, None, tip?);
            }
        };
        let waiting = self.shared.pool().len();
        let epoch = tip.epoch().clone();
        let (height, block, time, state_root) = (tip.height, tip.digest, tip.time, tip.root);
        let chain = self.ledger.chain;
        let status = Status { chain, height, block, time, state_root, epoch, waiting, peers, fault, syncing, scrubbed };
        Ok(status)
    }

    /// The chain's first state.
    pub fn genesis(&self) -> &Genesis {
        &self.ledger.genesis
    }

    /// The newest height.
    pub fn height(&self) -> Height {
        *self.shared.height.borrow()
    }

    /// The newest height, to be watched.
    pub fn heights(&self) -> tokio::sync::watch::Receiver<Height> {
        self.shared.height.subscribe()
    }

    /// What became of the transactions after a cursor (height and number in the block, from 1), up to a height and about
    /// `limit` of them, and the cursor after them.
    ///
    /// # Errors
    /// [`ChainFault::NotFound`] when blocks after the cursor are kept no longer, others when storage cannot be read.
    pub fn executed_after(
        &self,
        after: (Height, u32),
        newest: Height,
        limit: usize,
    ) -> Result<(Vec<(Digest, Executed)>, (Height, u32)), ChainFault> {
        let (mut found, mut bytes, (mut height, mut index)) = (Vec::new(), 0usize, after);
        let last = newest.min(height.saturating_add(MAX_SCAN));
        while height <= last && found.len() < limit && bytes < MAX_PAGE_BYTES {
            // Height 0 is the genesis, which has no transactions.
            let contents = if height == 0 { Vec::new() } else { self.stored(|ledger| ledger.contents_so_far(height))? };
            for digest in contents.iter().skip(index as usize).take(limit - found.len()) {
                let executed = self.stored(|ledger| ledger.placed_in(height, digest))?.executed;
                let data: usize = executed.events.iter().map(|event| event.data.len()).sum();
                bytes = bytes.saturating_add(executed.output.len()).saturating_add(data);
                found.push((*digest, executed));
                index = index.saturating_add(1);
                if bytes >= MAX_PAGE_BYTES {
                    break;
                }
            }
            if (index as usize) < contents.len() || height == last {
                break;
            }
            (height, index) = (height.saturating_add(1), 0);
        }
        Ok((found, (height, index)))
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
    /// [`ChainFault::NotFound`] when it is kept no longer, others when storage cannot be read.
    pub fn block(&self, height: Height) -> Result<Option<(Block, Certificate)>, ChainFault> {
        self.stored(|ledger| ledger.block(height))
    }

    /// An executed transaction and what became of it.
    ///
    /// # Errors
    /// [`ChainFault`] when storage cannot be read.
    pub fn transaction(&self, digest: &Digest) -> Result<Option<Placed>, ChainFault> {
        self.stored(|ledger| ledger.placed(digest))
    }

    /// The body of the entry that a transaction carried.
    ///
    /// # Errors
    /// [`ChainFault`] when storage cannot be read.
    pub fn body(&self, digest: &Digest) -> Result<Option<Vec<u8>>, ChainFault> {
        let placed = self.transaction(digest)?;
        Ok(placed.and_then(|placed| Entry::from_wire(&placed.transaction.payload).ok()).map(|entry| entry.body))
    }

    /// A subject's records in order.
    ///
    /// # Errors
    /// [`ChainFault`] when storage cannot be read.
    pub fn records(&self, subject: &Digest) -> Result<Vec<Record>, ChainFault> {
        self.stored(|ledger| ledger.records(subject))
    }

    /// Records of all subjects in the order of execution, after a cursor; 0 is before the first.
    ///
    /// # Errors
    /// [`ChainFault::NotFound`] on a node that took a state over, others when storage cannot be read.
    pub fn records_after(&self, cursor: u64, limit: usize) -> Result<Vec<(u64, Record)>, ChainFault> {
        self.stored(|ledger| ledger.records_after(cursor, limit))
    }

    /// How many entries were accepted so far, since this node's first state; also the cursor of the newest record.
    ///
    /// # Errors
    /// [`ChainFault`] when storage cannot be read.
    pub fn transactions(&self) -> Result<u64, ChainFault> {
        self.stored(Ledger::cursor)
    }

    /// The member of a key.
    ///
    /// # Errors
    /// [`ChainFault`] when storage cannot be read.
    pub fn member(&self, key: &PublicKey) -> Result<Option<Member>, ChainFault> {
        self.stored(|ledger| ledger.member(key))
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
