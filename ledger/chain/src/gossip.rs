//! Takes in what peers send: transactions, consensus messages, heights.

use std::sync::Arc;

use base_types::{Height, OrgId};
use ledger_consensus::{Input, is_of_leader, message_height};
use ledger_light::{RAFT, Transaction};
use tokio::{sync::mpsc, time::Instant};

use crate::{
    ChainFault,
    net::{Gossip, Outgoing},
    node::{Node, ms},
    view::Shared,
};

/// How many heights ahead consensus messages are kept.
const HEIGHTS: u64 = 2;
/// Most messages of one peer that are kept.
const MAX_MESSAGES: usize = 256;
/// Most bytes of one peer's messages that are kept.
const MAX_BYTES: usize = 32 << 20;
/// A peer that lags is told this node's height so often, in milliseconds.
const TELL_MS: u64 = 300;
/// A leader with a wrong clock is not heard for so many of the shortest waits for an election: the longest wait is two.
const SHUNNED_ELECTIONS: u64 = 4;
/// Transactions are gathered for so long before they are sent, in milliseconds.
const GATHER_MS: u64 = 10;

/// Consensus messages of heights that this node has not reached.
#[derive(Default)]
pub(crate) struct Early {
    messages: Vec<(Height, OrgId, Vec<u8>)>,
}

impl Early {
    fn keep(&mut self, height: Height, from: OrgId, bytes: Vec<u8>) {
        let of_peer = self.messages.iter().filter(|(_, peer, _)| *peer == from);
        let (count, size) = of_peer.fold((0, bytes.len()), |(n, size), (_, _, b)| (n + 1, size + b.len()));
        if count < MAX_MESSAGES && size <= MAX_BYTES {
            self.messages.push((height, from, bytes));
        }
    }

    /// Whether there is a message of a height.
    pub(crate) fn has(&self, height: Height) -> bool {
        self.messages.iter().any(|(h, _, _)| *h == height)
    }

    /// The messages of a height, in order of arrival.
    pub(crate) fn take(&mut self, height: Height) -> Vec<(OrgId, Vec<u8>)> {
        let taken = self.messages.extract_if(.., |(h, _, _)| *h == height);
        taken.map(|(_, from, bytes)| (from, bytes)).collect()
    }

    /// Drops messages below a height.
    pub(crate) fn forget(&mut self, below: Height) {
        self.messages.retain(|(height, _, _)| *height >= below);
    }
}

/// Transactions and bytes that are sent in one message.
pub(crate) const PART: usize = 256;
const PART_BYTES: usize = 256 << 10;

/// Cuts transactions into messages.
pub(crate) fn parts(transactions: Vec<Transaction>) -> Vec<Vec<Transaction>> {
    let mut parts = Vec::new();
    let (mut part, mut bytes) = (Vec::new(), 0usize);
    for transaction in transactions {
        let size = transaction.size();
        if !part.is_empty() && (part.len() >= PART || bytes + size > PART_BYTES) {
            parts.push(std::mem::take(&mut part));
            bytes = 0;
        }
        bytes += size;
        part.push(transaction);
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

/// Sends the peers what clients submit here, many in one message, and ends with the chain.
pub(crate) async fn spread(shared: Arc<Shared>, outbox: mpsc::Sender<Outgoing>) {
    while !outbox.is_closed() {
        shared.sending.notified().await;
        // What comes in the next moment travels in the same message.
        tokio::time::sleep(ms(GATHER_MS)).await;
        for part in parts(shared.take_fresh()) {
            if outbox.send(Outgoing::All(Gossip::Transactions(part))).await.is_err() {
                return;
            }
        }
    }
}

impl Node {
    pub(crate) fn gossiped(&mut self, from: OrgId, gossip: Gossip) -> Result<(), ChainFault> {
        match gossip {
            // They went into the pool as they came.
            Gossip::Transactions(_) => Ok(()),
            Gossip::Status(height) => {
                self.note_peer(&from, height);
                Ok(())
            }
            Gossip::Consensus(bytes) => self.consensus(from, bytes),
            Gossip::Compact(compact) => self.compacted(from, compact),
        }
    }

    /// Whether a peer takes part in deciding the height after the tip.
    pub(crate) fn may_propose(&self, peer: &OrgId) -> bool {
        self.tip.epoch().index_of(peer).is_some()
    }

    pub(crate) fn consensus(&mut self, from: OrgId, bytes: Vec<u8>) -> Result<(), ChainFault> {
        if self.away {
            return Ok(());
        }
        if !self.may_propose(&from) && self.tip.epoch_after().index_of(&from).is_none() {
            return Ok(());
        }
        if self.shuns(&from, &bytes) {
            return Ok(());
        }
        let (Some(height), next) = (message_height(&bytes), self.next()) else { return Ok(()) };
        if height == next {
            if self.running {
                return self.feed(Input::Message { from, bytes });
            }
            // Somebody has a reason to make a block: that is this node's reason too, once it is time for one; nobody can
            // make the chain run faster than it should.
            if self.is_validator() {
                self.early.keep(height, from, bytes);
            } else {
                self.note_peer(&from, height.saturating_sub(1));
            }
            return Ok(());
        }
        if height < next && !self.running && height == self.engine.height() && self.tip.epoch().engine == RAFT {
            // Between heights a member that is behind catches up in the log.
            return self.feed(Input::Message { from, bytes });
        }
        if height < next {
            self.tell_laggard(from);
        } else {
            self.note_peer(&from, height.saturating_sub(1));
            if height <= next.saturating_add(HEIGHTS) {
                self.early.keep(height, from, bytes);
            }
        }
        Ok(())
    }

    /// A Raft leader whose clock is far ahead commits nothing, but its beats would keep it in office until its block's time
    /// has come, even if its clock is set right before. Nobody here hears it lead for a while, so that another is elected,
    /// who writes over what it had appended.
    pub(crate) fn shun(&mut self, leader: OrgId) {
        let options = &self.options.consensus;
        let ticks = SHUNNED_ELECTIONS.saturating_mul(options.election_ticks.into());
        let end = Instant::now() + ms(options.tick_ms.saturating_mul(ticks));
        tracing::warn!(%leader, "a leader's clock is far ahead, or this node's far behind");
        self.shunned = Some((leader, end));
    }

    /// Whether this is what a leader says who is not heard. What it says as a member counts.
    fn shuns(&self, from: &OrgId, bytes: &[u8]) -> bool {
        let shunned = self.shunned.as_ref().is_some_and(|(leader, end)| leader == from && Instant::now() < *end);
        shunned && self.tip.epoch().engine == RAFT && is_of_leader(bytes)
    }

    /// A peer still votes on a height that is decided: it will ask for the block when it hears of it.
    fn tell_laggard(&mut self, from: OrgId) {
        let now = Instant::now();
        if self.peers.may_tell(&from, now, ms(TELL_MS)) {
            self.send(Outgoing::One(from, Gossip::Status(self.tip.height)));
        }
    }
}
