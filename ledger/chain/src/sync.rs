//! Catch-up: a node that hears of later heights asks a peer for the blocks, and trusts only their certificates.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use base_types::{Height, OrgId, TimeMs};
use base_wire::{Decode, Encode};
use ledger_light::{Block, Certificate};
use tokio::time::{Instant, timeout};

use crate::{
    ChainFault, History, PeerNet,
    answer::is_to_the_end,
    net::{Answer, Ask},
    node::{Command, Node, ms},
    silence::Silence,
};

/// Most blocks that are asked for at once.
pub(crate) const MAX_BLOCKS: u32 = 128;
/// After a failed request the next one waits so long, in milliseconds.
const PAUSE_MS: u64 = 200;
/// When no peer has the next block any more, in milliseconds.
const GONE_PAUSE_MS: u64 = 5000;

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
    /// Those that have the next block no more.
    gone: BTreeSet<OrgId>,
    /// Those that say to be ahead, and gave nothing that leads further.
    vain: BTreeSet<OrgId>,
    /// Those that gave, when they were asked since the start, all that they had, and it is here by now.
    level: BTreeSet<OrgId>,
    /// The peer that was asked once more at once.
    pressed: Option<OrgId>,
}

/// Why a peer gave no blocks.
pub(crate) enum NoBlocks {
    /// It has them no more.
    Gone,
    /// Anything else, in words.
    Other(String),
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
        self.gone.clear();
        self.vain.clear();
    }

    /// Whether a peer was asked since the start, and had no block then that is not here by now.
    pub(crate) fn is_level(&self, peer: &OrgId) -> bool {
        self.level.contains(peer)
    }

    /// The highest that any peer told.
    pub(crate) fn highest(&self) -> Height {
        self.heights.values().map(|(height, _)| *height).max().unwrap_or(0)
    }

    /// Whether there are peers above a height, and none of them has the block after it.
    pub(crate) fn all_gone(&self, height: Height) -> bool {
        let mut ahead = self.heights.iter().filter(|(_, (theirs, _))| *theirs > height).peekable();
        ahead.peek().is_some() && ahead.all(|(peer, _)| self.gone.contains(peer))
    }

    /// All that told a height.
    pub(crate) fn known(&self) -> BTreeSet<OrgId> {
        self.heights.keys().cloned().collect()
    }

    /// A question is under way, or its answer has come; the next one then comes after a pause.
    pub(crate) fn ask(&mut self, asking: bool, pause: Option<Duration>) {
        self.asking = asking;
        self.pause = pause.map(|pause| Instant::now() + pause);
    }

    /// The peers that say to be above a height.
    fn ahead(&self, height: Height) -> impl Iterator<Item = (&OrgId, Height)> {
        let all = self.heights.iter().filter(move |(_, (theirs, _))| *theirs > height);
        all.map(|(peer, (theirs, _))| (peer, *theirs))
    }

    /// Those of them that may have the block after it: nobody knows that they do not give it.
    fn of_use(&self, height: Height) -> impl Iterator<Item = (&OrgId, Height)> {
        self.ahead(height).filter(|(peer, _)| !self.gone.contains(*peer) && !self.vain.contains(*peer))
    }

    /// Whether there is one.
    fn has_use(&self, height: Height) -> bool {
        self.of_use(height).next().is_some()
    }

    /// The one of some peers whose turn it is after the last that was asked.
    fn in_turn<'a>(&self, some: impl Iterator<Item = (&'a OrgId, Height)>) -> Option<(&'a OrgId, Height)> {
        let some: Vec<_> = some.collect();
        let after = some.iter().find(|(peer, _)| self.last.as_ref().is_none_or(|last| *peer > last));
        after.or(some.first()).copied()
    }

    /// A peer above a height: the next one in turn, whatever heights others claim, so that liars cannot keep the rest away.
    fn above(&self, height: Height) -> Option<(&OrgId, Height)> {
        self.in_turn(self.of_use(height)).or_else(|| self.in_turn(self.ahead(height)))
    }

    /// A peer has answered with blocks, all that it had or not, which led from a height to another.
    fn answered(&mut self, peer: &OrgId, all: bool, (before, now): (Height, Height)) {
        let says_more = self.heights.get(peer).is_some_and(|(theirs, _)| *theirs > now);
        if now == before && says_more {
            self.vain.insert(peer.clone());
        }
        if all {
            self.level.insert(peer.clone());
        }
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
        if self.wants_state() {
            return self.seek_offer();
        }
        if !self.peers.has_use(self.tip.height) && self.ask_around() {
            return;
        }
        if let Some(peer) = self.peers.above(self.tip.height).map(|(peer, _)| peer.clone()) {
            self.ask_blocks(peer);
        }
    }

    /// Nobody tells a node that he does not know how far the chain is: one that does not vote asks the validators in turn. So
    /// it does where those that say to be ahead have given nothing.
    pub(crate) fn look_around(&mut self) {
        if !self.peers.asking && !self.peers.has_use(self.tip.height) {
            self.ask_around();
        }
    }

    /// Asks the next validator in turn; false on one that votes, which is told how far the others are, and without others.
    fn ask_around(&mut self) -> bool {
        if self.is_validator() {
            return false;
        }
        let others = || self.tip.epoch().validators.iter().map(|v| &v.org).filter(|org| **org != self.me);
        let after = self.peers.last.as_ref().and_then(|last| others().find(|org| *org > last));
        let Some(peer) = after.or_else(|| others().next()).cloned() else { return false };
        self.ask_blocks(peer);
        true
    }

    fn ask_blocks(&mut self, peer: OrgId) {
        let commands = self.own.clone();
        self.peers.asking = true;
        self.peers.last = Some(peer.clone());
        let (net, from, limit) = (Arc::clone(&self.net), self.next(), ms(self.options.request_ms));
        self.spans.ask(&peer, from);
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
        result: Result<Vec<(Block, Certificate)>, NoBlocks>,
    ) -> Result<(), ChainFault> {
        self.peers.asking = false;
        self.replay = false;
        if result.is_ok() {
            self.shared.hearing.heard(&from);
        }
        let _span = self.spans.answered(result.as_ref().map_or(0, Vec::len));
        let before = self.tip.height;
        let outcome = match result {
            Ok(blocks) => {
                let adopted = self.adopt(&blocks)?;
                if adopted.is_ok() {
                    let all = self.silence == Silence::Learning && is_to_the_end(&blocks);
                    self.peers.answered(&from, all, (before, self.tip.height));
                }
                adopted
            }
            Err(NoBlocks::Other(why)) => Err(why),
            Err(NoBlocks::Gone) => {
                self.gone(from);
                return Ok(());
            }
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
            self.press(from);
        }
        Ok(())
    }

    /// Who gave as much as an answer holds may have had no more: where this has to be known of every validator, it is asked
    /// once more at once, before there are further ones.
    fn press(&mut self, peer: OrgId) {
        let pressed = self.peers.pressed.take();
        if self.silence == Silence::Learning && pressed.as_ref() != Some(&peer) && !self.peers.is_level(&peer) {
            self.peers.pressed = Some(peer.clone());
            self.ask_blocks(peer);
        }
    }

    /// A peer has the blocks no more; another may, or a state has to be taken over.
    fn gone(&mut self, from: OrgId) {
        // Who has no longer what comes next is further than that, whether it told its height or not.
        let next = self.next();
        self.note_peer(&from, next);
        self.peers.gone.insert(from);
        self.peers.pause = Some(Instant::now() + ms(PAUSE_MS));
        if self.peers.all_gone(self.tip.height) && self.options.history == History::All {
            self.peers.pause = Some(Instant::now() + ms(GONE_PAUSE_MS));
            tracing::error!(
                height = self.next(),
                "no peer has this block any more; a node that keeps all history needs a backup, or history = \"pruned:N\""
            );
        }
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
            // The same validators with the same keys may have certified it for a chain that was founded before, or beside.
            if block.header.chain != self.ledger.chain {
                return Ok(Err(format!("block {} is of another chain", block.header.height)));
            }
            if let Err(why) = certificate.verify(&block.header, self.tip.epoch()) {
                return Ok(Err(why.to_string()));
            }
            self.spans.certified(block.header.height, certificate.round);
            let Some(digests) = self.judge_certified(block, certificate.round)? else {
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
) -> Result<Vec<(Block, Certificate)>, NoBlocks> {
    let ask = Ask::Blocks { from, limit: MAX_BLOCKS }.to_wire();
    let answer = timeout(limit, net.request(peer, ask)).await;
    let answer = answer.map_err(|_| NoBlocks::Other("no answer in time".to_owned()))?;
    match Answer::from_wire(&answer.map_err(|e| NoBlocks::Other(e.to_string()))?) {
        Ok(Answer::Blocks(blocks)) => Ok(blocks),
        Ok(Answer::Unable) => Err(NoBlocks::Gone),
        Ok(_) => Err(NoBlocks::Other("the peer answers another question".into())),
        Err(e) => Err(NoBlocks::Other(format!("the peer's answer is malformed: {e}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn org(name: &str) -> OrgId {
        OrgId::new(name).expect("a name")
    }

    #[test]
    fn who_claims_a_height_and_gives_nothing_keeps_nobody_away() {
        let (mut peers, liar, honest) = (Peers::default(), org("a-liar"), org("honest"));
        peers.heights.insert(liar.clone(), (u64::MAX, 1));
        assert_eq!(peers.above(5).map(|(peer, _)| peer), Some(&liar));
        peers.last = Some(liar.clone());
        peers.answered(&liar, true, (5, 5));
        assert!(!peers.has_use(5), "others are looked for");
        assert!(peers.above(5).is_some(), "it is better than nobody");
        peers.heights.insert(honest.clone(), (9, 1));
        for _ in 0..2 {
            assert_eq!(peers.above(5), Some((&honest, 9)));
            peers.last = Some(honest.clone());
        }
        peers.reached(6);
        assert_eq!(peers.above(6).map(|(peer, _)| peer), Some(&liar), "it may have this one");
        // Old blocks lead no further either.
        peers.answered(&liar, false, (6, 6));
        assert_eq!(peers.above(6), Some((&honest, 9)));
        peers.answered(&honest, false, (6, 9));
        assert!(!peers.is_level(&honest), "it may have more");
        peers.answered(&honest, true, (9, 9));
        assert!(peers.is_level(&honest));
        peers.heights.insert(honest.clone(), (10, 1));
        assert_eq!(peers.above(9), Some((&honest, 10)), "it had said all that it had");
    }
}
