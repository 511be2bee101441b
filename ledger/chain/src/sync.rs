//! Catch-up: a node that hears of later heights asks a peer for the blocks, and trusts only their certificates.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use base_types::{Digest, Height, OrgId, TimeMs};
use base_wire::{Decode, Encode};
use ledger_light::{Block, Certificate};
use tokio::time::{Instant, timeout};

use crate::{
    ChainFault, PeerNet,
    compact::MAX_ASKED,
    ledger::Ledger,
    net::{Answer, Ask},
    node::{Command, Node, ms},
    view::Shared,
};

/// Most blocks that are asked for at once.
const MAX_BLOCKS: u32 = 128;
/// Bytes after which an answer gets no further block.
const MAX_ANSWER: usize = 8 << 20;
/// After a failed request the next one waits so long, in milliseconds.
const PAUSE_MS: u64 = 200;

/// What is known of the peers.
#[derive(Default)]
pub(crate) struct Peers {
    /// Their heights and when they told.
    heights: BTreeMap<OrgId, (Height, TimeMs)>,
    told: BTreeMap<OrgId, Instant>,
    /// Since when a peer is known to be ahead.
    behind: Option<Instant>,
    /// A request is under way.
    asking: bool,
    /// Not before this.
    pause: Option<Instant>,
    /// The last peer asked.
    last: Option<OrgId>,
}

impl Peers {
    pub(crate) fn may_tell(&mut self, peer: &OrgId, now: Instant, every: Duration) -> bool {
        let may = self.told.get(peer).is_none_or(|at| now >= *at + every);
        if may {
            self.told.insert(peer.clone(), now);
        }
        may
    }

    /// This node has reached a height.
    pub(crate) fn reached(&mut self, height: Height) {
        if self.above(height).is_none() {
            self.behind = None;
        }
    }

    /// The peers above a height; the one asked last comes last, so that a peer that does not help is left.
    fn above(&self, height: Height) -> Option<(&OrgId, Height)> {
        let ahead = self.heights.iter().filter(|(_, (theirs, _))| *theirs > height);
        ahead
            .map(|(peer, (theirs, _))| (peer, *theirs))
            .max_by_key(|(peer, theirs)| (Some(*peer) != self.last.as_ref(), *theirs))
    }
}

impl Node {
    /// A peer says that it has stored a height.
    pub(crate) fn note_peer(&mut self, peer: &OrgId, height: Height) {
        if *peer == self.me {
            return;
        }
        let now = self.clock.now_ms();
        let known = self.peers.heights.entry(peer.clone()).or_insert((height, now));
        *known = (known.0.max(height), now);
        if height > self.tip.height && self.peers.behind.is_none() {
            self.peers.behind = Some(Instant::now());
        }
        self.shared.set_peers(&self.peers.heights);
    }

    /// When blocks are asked for: at once when several are missing, after a grace when consensus may yet bring the one.
    pub(crate) fn fetch_at(&self) -> Option<Instant> {
        if self.peers.asking {
            return None;
        }
        let (_, height) = self.peers.above(self.tip.height)?;
        let several = height > self.next();
        let since = self.peers.behind?.max(self.tip_at);
        let at = if several { since } else { since + ms(self.options.grace_ms) };
        Some(self.peers.pause.map_or(at, |pause| at.max(pause)))
    }

    pub(crate) fn fetch(&mut self) {
        let Some(peer) = self.peers.above(self.tip.height).map(|(peer, _)| peer.clone()) else { return };
        let commands = self.own.clone();
        self.peers.asking = true;
        self.peers.last = Some(peer.clone());
        let (net, from, limit) = (Arc::clone(&self.net), self.next(), ms(self.options.request_ms));
        tokio::spawn(async move {
            let result = request(net.as_ref(), &peer, from, limit).await;
            if let Some(commands) = commands.upgrade() {
                let _ = commands.send(Command::Fetched(peer, result)).await;
            }
        });
    }

    pub(crate) fn fetched(
        &mut self,
        from: OrgId,
        result: Result<Vec<(Block, Certificate)>, String>,
    ) -> Result<(), ChainFault> {
        self.peers.asking = false;
        let before = self.tip.height;
        let outcome = match result {
            Ok(blocks) => self.adopt(&blocks)?,
            Err(why) => Err(why),
        };
        if let Err(why) = outcome {
            tracing::warn!(%from, why, "catching up from a peer failed");
            self.peers.heights.remove(&from);
            self.peers.reached(before);
        }
        if self.tip.height == before {
            self.peers.pause = Some(Instant::now() + ms(PAUSE_MS));
        } else {
            tracing::info!(%from, height = self.tip.height, "caught up");
        }
        Ok(())
    }

    /// Stores the blocks that follow the tip. The inner error is the peer's doing, the outer one this node's.
    fn adopt(&mut self, blocks: &[(Block, Certificate)]) -> Result<Result<(), String>, ChainFault> {
        for (block, certificate) in blocks {
            if block.header.height <= self.tip.height {
                continue;
            }
            if block.header.height != self.next() {
                return Ok(Err(format!("block {} came before those below it", block.header.height)));
            }
            if let Err(why) = certificate.verify(&block.header, self.tip.epoch()) {
                return Ok(Err(why.to_string()));
            }
            let Some(digests) = self.judge_certified(block)? else {
                return Ok(Err(format!("block {} came with a wrong transaction", block.header.height)));
            };
            self.timers.clear();
            self.store(block, &digests, certificate)?;
            self.shared.counters.synced.add(1);
        }
        Ok(Ok(()))
    }
}

async fn request(
    net: &dyn PeerNet,
    peer: &OrgId,
    from: Height,
    limit: Duration,
) -> Result<Vec<(Block, Certificate)>, String> {
    let ask = Ask::Blocks { from, limit: MAX_BLOCKS }.to_wire();
    let answer = timeout(limit, net.request(peer, ask)).await.map_err(|_| "no answer in time".to_owned())?;
    match Answer::from_wire(&answer.map_err(|e| e.to_string())?) {
        Ok(Answer::Blocks(blocks)) => Ok(blocks),
        Ok(_) => Err("the peer cannot answer".into()),
        Err(e) => Err(format!("the peer's answer is malformed: {e}")),
    }
}

impl Ledger {
    /// Answers a peer's question.
    pub(crate) fn answer(&self, shared: &Shared, bytes: &[u8]) -> Answer {
        match Ask::from_wire(bytes) {
            Ok(Ask::Blocks { from, limit }) => self.answer_blocks(from, limit),
            Ok(Ask::Transactions(digests)) => self.answer_transactions(shared, &digests),
            Err(_) => Answer::Unable,
        }
    }

    /// Transactions that wait here or were executed already.
    fn answer_transactions(&self, shared: &Shared, digests: &[Digest]) -> Answer {
        let (mut found, mut size) = (Vec::new(), 0usize);
        for digest in digests.iter().take(MAX_ASKED) {
            let waiting = shared.pool().get(digest).cloned();
            let known = match waiting {
                Some(transaction) => Some(transaction),
                None => self.placed(digest).ok().flatten().map(|placed| placed.transaction),
            };
            let Some(transaction) = known else { continue };
            size = size.saturating_add(transaction.size());
            if size > MAX_ANSWER {
                break;
            }
            found.push(transaction);
        }
        Answer::Transactions(found)
    }

    fn answer_blocks(&self, from: Height, limit: u32) -> Answer {
        let (mut blocks, mut size) = (Vec::new(), 0usize);
        for height in (from..).take(limit.min(MAX_BLOCKS) as usize) {
            match self.block(height) {
                Ok(Some(found)) => {
                    size = size.saturating_add(found.to_wire().len());
                    if !blocks.is_empty() && size > MAX_ANSWER {
                        break;
                    }
                    blocks.push(found);
                }
                Ok(None) => break,
                Err(_) => return Answer::Unable,
            }
        }
        Answer::Blocks(blocks)
    }
}
