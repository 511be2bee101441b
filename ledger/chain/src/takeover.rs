//! Takes a state over from peers: an offer, its parts and digests, each checked before it is stored; who lies is left.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use base_types::{Digest, Height, OrgId};
use base_wire::{Decode, Encode};
use ledger_state::{Leaf, Part, Restore, StateError};
use ledger_store::{Batch, Durability};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    Certified, ChainFault, PeerNet,
    history::{BEGAN, FIRST, PARTIAL, clear_all, first_needed},
    ledger::{BLOCKS, HANDOVERS, HEADERS, Ledger, META, PLACES},
    net::{Answer, Ask, Contents, Offer},
    node::{blocking, ms},
    offer::MAX_CONTENTS,
    view::Shared,
};

/// Most answers and bytes of one part: a peer that gives ever more is left.
const MAX_PAGES: usize = 256;
const MAX_BYTES: usize = 512 << 20;
/// Fewest bytes of an answer behind which there is more of the part: an honest one is full but for a value that found no room.
const LEAST_PAGE: usize = 1 << 20;
/// An answer that takes less than this part of what it may take is a quick one.
const QUICK: u32 = 10;
/// When nobody helps, all are asked again after so long, in milliseconds.
const PAUSE_MS: u64 = 1000;
/// Parts of a state, which make this share of the work, in per cent.
const PARTS: usize = 256;
const PARTS_SHARE: usize = 90;

/// Why a peer did not help.
enum Refused {
    /// It cannot, or not now.
    Unable(String),
    /// What it gave is not what was asked for: nothing more of it is wanted.
    Lied(String),
}

fn other() -> Refused {
    Refused::Lied("it answers another question".into())
}

/// The taking over of a state, as far as it has come.
pub(crate) struct TakeOver {
    ledger: Ledger,
    net: Arc<dyn PeerNet>,
    shared: Arc<Shared>,
    /// How long a peer may take for an answer.
    limit: Duration,
    /// The lowest height whose state is worth it.
    least: Height,
    all: Vec<OrgId>,
    /// Those that have not lied; the first is asked.
    peers: VecDeque<OrgId>,
}

impl TakeOver {
    pub(crate) fn new(
        ledger: Ledger,
        net: Arc<dyn PeerNet>,
        shared: Arc<Shared>,
        limit: Duration,
        least: Height,
        all: Vec<OrgId>,
    ) -> Self {
        let peers = all.iter().cloned().collect();
        Self { ledger, net, shared, limit, least, all, peers }
    }

    async fn ask(&self, peer: &OrgId, ask: Ask) -> Result<Answer, Refused> {
        let answer = timeout(self.limit, self.net.request(peer, ask.to_wire())).await;
        let answer = answer.map_err(|_| Refused::Unable("no answer in time".into()))?;
        let answer = answer.map_err(|why| Refused::Unable(why.to_string()))?;
        match Answer::from_wire(&answer) {
            Ok(Answer::Unable) => Err(Refused::Unable("the peer does not have it".into())),
            Ok(answer) => Ok(answer),
            Err(why) => Err(Refused::Lied(format!("malformed: {why}"))),
        }
    }

    /// The next peer's turn; one that lied gets no other.
    fn leave(&mut self, peer: &OrgId, refused: Refused) {
        self.peers.retain(|other| other != peer);
        match refused {
            Refused::Unable(why) => {
                tracing::info!(%peer, why, "a peer does not help with a state");
                self.peers.push_back(peer.clone());
            }
            Refused::Lied(why) => tracing::warn!(%peer, why, "a peer gives a wrong state and is asked no more"),
        }
    }

    /// Who took long for an answer that began at a moment lets the others have their turns first, so that one that is slow on
    /// purpose does not make the whole state wait.
    fn give_way(&mut self, begun: Instant) {
        if begun.elapsed() > self.limit / QUICK
            && let Some(slow) = self.peers.pop_front()
        {
            self.peers.push_back(slow);
        }
    }

    /// An offer that holds, of a state that is worth it; `None` when no peer has one. An old state is no reason to ask nobody
    /// else.
    pub(crate) async fn offer(&mut self) -> Option<Offer> {
        for _ in 0..self.peers.len() {
            let peer = self.peers.front()?.clone();
            let refused = match self.ask(&peer, Ask::Snapshot).await {
                Ok(Answer::Snapshot(offer)) if offer.at.header.height < self.least => {
                    Refused::Unable(format!("it offers the state of height {}", offer.at.header.height))
                }
                Ok(Answer::Snapshot(offer)) => match blocking(|| offer.verify(&self.ledger.genesis)) {
                    Ok(()) => return Some(offer),
                    Err(why) => Refused::Lied(why),
                },
                Ok(_) => other(),
                Err(refused) => refused,
            };
            self.leave(&peer, refused);
        }
        None
    }

    /// Removes everything but the votes, and takes over the offered state or, when nobody has it any more, a newer one; on
    /// the disk when this returns. What the store held must have been marked as partial.
    ///
    /// # Errors
    /// [`ChainFault`] when the disk fails; peers cannot make this fail.
    pub(crate) async fn run(mut self, first: Offer) -> Result<(), ChainFault> {
        let mut offered = Some(first);
        let mut begun: Option<(Digest, Restore)> = None;
        loop {
            if let Some(offer) = offered {
                let (root, height) = (offer.over.header.state_root, offer.at.header.height);
                let mut restore = match begun.take() {
                    Some((known, restore)) if known == root => restore,
                    _ => {
                        // What is there belongs to another state, and so do the blocks that were known with it.
                        let (store, spine) = (self.ledger.store.clone(), offer.spine.clone());
                        blocking(|| clear_all(&store))?;
                        self.ledger.state.forget();
                        blocking(|| Restore::start(store, height, &root, spine))?
                    }
                };
                if self.parts(&mut restore, height).await? && self.digests(&offer).await? {
                    return blocking(|| self.finish(restore, &offer));
                }
                begun = Some((root, restore));
            }
            sleep(ms(PAUSE_MS)).await;
            if self.peers.is_empty() {
                self.peers = self.all.iter().cloned().collect();
            }
            offered = self.offer().await;
            if offered.is_none() {
                // What was here is gone: where nobody has so new a state any more, an older one leads on too.
                self.least = 0;
            }
        }
    }

    /// Fetches the parts that are missing; false when nobody gives one of them.
    async fn parts(&mut self, restore: &mut Restore, height: Height) -> Result<bool, ChainFault> {
        for index in restore.missing().to_vec() {
            let mut turns = self.peers.len();
            loop {
                let Some(peer) = self.peers.front().cloned().filter(|_| turns > 0) else { return Ok(false) };
                turns = turns.saturating_sub(1);
                let begun = Instant::now();
                let refused = match self.part(&peer, height, index).await {
                    Ok(leaves) => match blocking(|| restore.part(index, &leaves)) {
                        Ok(()) => {
                            self.give_way(begun);
                            break;
                        }
                        Err(StateError::Snapshot(why)) => Refused::Lied(why.to_string()),
                        Err(fault) => return Err(fault.into()),
                    },
                    Err(refused) => refused,
                };
                self.leave(&peer, refused);
            }
            let done = PARTS.saturating_sub(restore.missing().len()).saturating_mul(PARTS_SHARE) / PARTS;
            self.shared.progress(u8::try_from(done).unwrap_or(u8::MAX));
        }
        Ok(true)
    }

    /// A whole part from one peer: a part is checked as a whole, and then it must be clear whose it was.
    async fn part(&self, peer: &OrgId, height: Height, index: u8) -> Result<Vec<Leaf>, Refused> {
        let (mut leaves, mut bytes) = (Vec::<Leaf>::new(), 0usize);
        for _ in 0..MAX_PAGES {
            let after = leaves.last().map(|(key, _)| *key);
            let Answer::Part(Part { leaves: page, more }) = self.ask(peer, Ask::Part { height, index, after }).await?
            else {
                return Err(other());
            };
            let behind = page.first().is_none_or(|(key, _)| after.is_none_or(|after| *key > after));
            let size = page.iter().fold(0, |sum: usize, (key, value)| sum.saturating_add(key.0.len() + value.len()));
            bytes = bytes.saturating_add(size);
            if !behind || (more && size < LEAST_PAGE) || bytes > MAX_BYTES {
                break;
            }
            leaves.extend(page);
            if !more {
                return Ok(leaves);
            }
        }
        Err(Refused::Lied(format!("part {index} of the state does not end")))
    }

    /// Fetches the digests of the transactions that may still be within their life; false when nobody gives them.
    async fn digests(&mut self, offer: &Offer) -> Result<bool, ChainFault> {
        let last = offer.at.header.height;
        let first = first_needed(last);
        let (mut next, mut turns) = (first, self.peers.len());
        while next <= last {
            let Some(peer) = self.peers.front().cloned().filter(|_| turns > 0) else { return Ok(false) };
            let begun = Instant::now();
            let refused = match self.ask(&peer, Ask::Digests { from: next, limit: MAX_CONTENTS }).await {
                Ok(Answer::Digests(list)) => {
                    match blocking(|| offer.check_contents(&self.ledger.genesis, next, list)) {
                        Ok(list) if list.is_empty() => Refused::Unable("the peer does not have the digests".into()),
                        Ok(list) => {
                            blocking(|| self.ledger.write_contents(&list))?;
                            next = next.saturating_add(list.len() as u64);
                            turns = self.peers.len();
                            self.digests_shown(first, next, last);
                            self.give_way(begun);
                            continue;
                        }
                        Err(why) => Refused::Lied(why),
                    }
                }
                Ok(_) => other(),
                Err(refused) => refused,
            };
            turns = turns.saturating_sub(1);
            self.leave(&peer, refused);
        }
        Ok(true)
    }

    fn digests_shown(&self, first: Height, next: Height, last: Height) {
        let all = last.saturating_sub(first).saturating_add(1);
        let rest = 99u64.saturating_sub(PARTS_SHARE as u64);
        let done = next.saturating_sub(first).saturating_mul(rest).checked_div(all).unwrap_or(0);
        self.shared.progress(u8::try_from(done.saturating_add(PARTS_SHARE as u64)).unwrap_or(99));
    }

    /// Makes a chain of what was taken over, in one batch.
    fn finish(&self, restore: Restore, offer: &Offer) -> Result<(), ChainFault> {
        let height = offer.at.header.height;
        let mut batch = Batch::new();
        restore.finish(&mut batch)?;
        for handover in &offer.handovers {
            batch.put(HANDOVERS, handover.epoch.number.to_be_bytes(), handover.to_wire());
        }
        batch.put(META, BEGAN, height.to_wire());
        batch.put(META, FIRST, first_needed(height).to_wire());
        batch.delete(META, PARTIAL);
        self.ledger.store.write(batch, Durability::Synced)?;
        self.ledger.senders.forget();
        Ok(())
    }
}

impl Ledger {
    /// Writes which transactions blocks had: enough to know that they were executed, and the headers.
    fn write_contents(&self, list: &[Contents]) -> Result<(), ChainFault> {
        let mut batch = Batch::new();
        for Contents { header, certificate, digests } in list {
            let height = header.height;
            for digest in digests {
                batch.put(PLACES, digest.0, height.to_wire());
            }
            let transactions = u32::try_from(digests.len()).unwrap_or(u32::MAX);
            let (header, certificate) = (header.clone(), certificate.clone());
            batch.put(HEADERS, height.to_be_bytes(), Certified { header, certificate, transactions }.to_wire());
            batch.put(BLOCKS, height.to_be_bytes(), digests.to_wire());
        }
        Ok(self.store.write(batch, Durability::Buffered)?)
    }
}
