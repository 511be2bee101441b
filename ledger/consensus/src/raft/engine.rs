//! [`Raft`]: heights started, blocks proposed, checked, sealed and decided.

use std::sync::Arc;

use base_gm::sm2::{SecretKey, Signature};
use base_types::{Digest, Height, OrgId};
use base_wire::Encode;
use ledger_light::{Block, Epoch};

use super::{
    group::Group,
    record::Kept,
    seal::{Seals, Taken, seal_digest},
    wire::Message,
};
use crate::{Engine, Input, Options, Output, TimerId, TimerKind, WalRecord, context::ValidatorSet};

/// A height that has been asked for and begins once the log has been given.
struct Opening {
    height: Height,
    epoch: Epoch,
    records: Vec<WalRecord>,
}

/// The block that the group has committed at the height.
struct Chosen {
    block: Block,
    digest: Digest,
}

/// What is known of the height being decided.
#[derive(Default)]
struct Work {
    done: bool,
    chosen: Option<Chosen>,
    /// The block proposed here, and the term of that.
    mine: Option<(u64, Digest)>,
    /// The term in which a block was last asked for.
    asked: Option<u64>,
    /// The one block that this validator seals at the height, and its seal.
    sealed: Option<Digest>,
    signature: Option<Signature>,
    seals: Seals,
    /// Milliseconds since the own seal was sent.
    quiet_ms: u64,
}

/// Agreement among the validators of an epoch, fewer than a third of whom may be down. One that lies may halt the chain,
/// but not fork it while fewer than a third do: a block is final only with the seals of more than two thirds, and each
/// validator seals one block a height.
pub struct Raft {
    chain: Digest,
    me: OrgId,
    key: Arc<SecretKey>,
    options: Options,
    height: Height,
    epoch: Option<Epoch>,
    /// `None` in an epoch in which this organisation is no validator, or validates with another key.
    group: Option<Group>,
    opening: Option<Opening>,
    work: Work,
    timer: Option<TimerId>,
    outputs: Vec<Output>,
}

/// A term as the round of what is asked for in it.
fn round_of(term: u64) -> u32 {
    (term & u64::from(u32::MAX)) as u32
}

impl Raft {
    /// An engine for the chain with this genesis digest, which seals as `me` with `key` wherever the epoch says so.
    /// Before anything else it must be given a `StartHeight` and then every record that its log holds: those of that
    /// height, and those of [`WalRecord::KEPT`].
    pub fn new(chain: Digest, me: OrgId, key: Arc<SecretKey>, options: Options) -> Self {
        let (opening, work, outputs) = (None, Work::default(), Vec::new());
        Self { chain, me, key, options, height: 0, epoch: None, group: None, opening, work, timer: None, outputs }
    }

    fn start(&mut self, height: Height, epoch: Epoch) {
        if height <= self.height() || ValidatorSet::new(&epoch).is_none() {
            tracing::error!(height, at = self.height(), "a height is started again or has no proper validators");
            return;
        }
        // A height may be overtaken before it has begun, but what its log holds must not be forgotten.
        if let Some(opening) = self.opening.take() {
            self.begin(opening);
        }
        let opening = Opening { height, epoch, records: Vec::new() };
        if self.epoch.is_some() {
            self.begin(opening);
        } else {
            self.opening = Some(opening);
            let id = TimerId { height, round: 0, kind: TimerKind::Start };
            self.outputs.push(Output::SetTimer { id, after_ms: self.options.wait_ms(id.kind, 0) });
        }
    }

    fn recall(&mut self, record: WalRecord) {
        match &mut self.opening {
            Some(opening) if [opening.height, WalRecord::KEPT].contains(&record.height()) => {
                opening.records.push(record);
            }
            _ => tracing::warn!(height = record.height(), "a record of the log comes too late or is of another height"),
        }
    }

    fn begin(&mut self, opening: Opening) {
        let Opening { height, epoch, records } = opening;
        self.stop_timer();
        self.height = height;
        self.work = Work::default();
        if self.epoch.as_ref().is_none_or(|old| old.number != epoch.number) {
            self.form_group(epoch, &records);
        } else if let Some(group) = &mut self.group
            && group.cut(height)
        {
            self.outputs.push(Output::Keep(group.records()));
        }
        let sealed = records.iter().filter(|record| record.height() == height).find_map(WalRecord::as_seal);
        if let Some(block) = sealed {
            self.work.sealed = Some(block);
            self.seal(block);
        }
        if let Some(block) = self.group.as_ref().and_then(|group| group.block(height)) {
            self.choose(block);
        }
        self.set_timer();
        // Heights that end sooner than the timer would leave a leader without a beat for ever, and a member that came back
        // without the log that only a beat's answer makes the leader send again.
        // One that has to learn how far the others are asks at once.
        self.group.iter_mut().filter(|group| group.leads() || group.learns()).for_each(Group::tick);
        self.pump();
    }

    /// Forms the group of an epoch from what is remembered of it; what is remembered of another goes.
    fn form_group(&mut self, epoch: Epoch, records: &[WalRecord]) {
        let (ours, others): (Vec<_>, Vec<_>) =
            records.iter().filter_map(WalRecord::as_kept).partition(|(number, _)| *number == epoch.number);
        let stale = !others.is_empty() || self.epoch.is_some();
        let kept: Vec<Kept> = ours.into_iter().map(|(_, kept)| kept.clone()).collect();
        // With another key this node may have forgotten what it once told the group: it takes no part, and follows.
        let here = epoch.validators.iter().find(|validator| validator.org == self.me);
        let named = here.is_some_and(|validator| validator.key == self.key.public());
        if here.is_some() && !named {
            tracing::error!(height = self.height, "the epoch names another key for this validator: it takes no part");
        }
        let group = named.then(|| Group::new(self.chain, &self.me, (&epoch, self.height), &self.options, kept));
        let mut group = group.flatten();
        if stale {
            self.outputs.push(Output::Keep(group.as_ref().map(Group::records).unwrap_or_default()));
        }
        // Somebody must stand first, and nobody needs to wait for a leader that there cannot be.
        let count = epoch.validators.len();
        let turn = usize::try_from(epoch.number).unwrap_or(0).checked_rem(count);
        if let Some(group) = &mut group
            && (count == 1 || (group.is_new() && turn == epoch.index_of(&self.me)))
        {
            group.campaign();
        }
        self.group = group;
        self.epoch = Some(epoch);
    }

    /// This validator's place in the epoch, if the epoch names the key that this node has.
    fn place(&self) -> Option<u16> {
        let epoch = self.epoch.as_ref()?;
        let place = epoch.index_of(&self.me)?;
        let named = epoch.validators.get(place)?.key == self.key.public();
        u16::try_from(place).ok().filter(|_| named)
    }

    fn set_timer(&mut self) {
        if self.group.is_some() && !self.work.done {
            let id = TimerId { height: self.height, round: 0, kind: TimerKind::Tick };
            self.timer = Some(id);
            self.outputs.push(Output::SetTimer { id, after_ms: self.options.wait_ms(id.kind, 0) });
        }
    }

    fn stop_timer(&mut self) {
        self.outputs.extend(self.timer.take().map(Output::CancelTimer));
    }

    fn blame(&mut self, by: OrgId, what: impl Into<String>) {
        self.outputs.push(Output::Misbehaved { by, what: what.into() });
    }

    /// Carries out what the group wants and goes on from there.
    fn pump(&mut self) {
        let height = self.height;
        let Some(group) = &mut self.group else { return };
        let blocks = group.drain(height, &mut self.outputs);
        if let Some(block) = blocks.into_iter().find(|block| block.header.height == height) {
            self.choose(block);
        }
        self.decide();
        self.lead();
    }

    /// Whether this member leads, and the height is the next that the group has no block for.
    fn may_propose(&self) -> bool {
        let next = |group: &Group| group.leads() && group.top().checked_add(1) == Some(self.height);
        !self.work.done && self.group.as_ref().is_some_and(next)
    }

    /// Asks for a block, once a term.
    fn lead(&mut self) {
        let term = self.group.as_ref().map(Group::term);
        if self.may_propose()
            && self.work.asked != term
            && let Some(term) = term
        {
            self.work.asked = Some(term);
            let (height, round) = (self.height, round_of(term));
            self.outputs.push(Output::Build { height, round, deadline_ms: self.options.propose_ms });
        }
    }

    fn built(&mut self, height: Height, round: u32, block: Block) {
        let may = height == self.height && self.may_propose();
        let Some(group) = self.group.as_mut().filter(|group| may && round_of(group.term()) == round) else { return };
        let term = group.term();
        if self.work.asked != Some(term) || self.work.mine.is_some_and(|(in_term, _)| in_term == term) {
            return;
        }
        let header = &block.header;
        if header.height != height || header.proposer != self.me || !group.fits(&block) {
            tracing::error!(height, round, "the block that was built does not fit its height");
            return;
        }
        let digest = header.digest();
        if group.propose(block) {
            self.work.mine = Some((term, digest));
        }
        self.pump();
    }

    /// The group has committed the block of this height.
    fn choose(&mut self, block: Block) {
        if self.work.done || self.work.chosen.is_some() {
            return;
        }
        let digest = block.header.digest();
        if self.work.sealed.is_some_and(|sealed| sealed != digest) {
            tracing::error!(height = self.height, "the group has committed another block than the one sealed here");
        }
        let valid = self.work.mine.is_some_and(|(_, mine)| mine == digest) || self.work.sealed == Some(digest);
        if !valid {
            self.outputs.push(Output::Check { height: self.height, round: 0, block: block.clone() });
        }
        self.work.chosen = Some(Chosen { block, digest });
        if valid {
            self.seal(digest);
        }
        self.decide();
    }

    fn checked(&mut self, height: Height, block: Digest, valid: bool) {
        let chosen = self.work.chosen.as_ref().is_some_and(|chosen| chosen.digest == block);
        if height != self.height || self.work.done || !chosen {
            return;
        }
        if valid {
            self.seal(block);
            self.decide();
        } else {
            tracing::error!(height, %block, "the group has committed a block that is not valid here");
        }
    }

    /// Seals the block, unless another one was sealed at this height.
    fn seal(&mut self, block: Digest) {
        if self.work.signature.is_some() || self.work.sealed.is_some_and(|sealed| sealed != block) {
            return;
        }
        let Some(place) = self.place() else { return };
        if self.work.sealed.is_none() {
            self.work.sealed = Some(block);
            self.outputs.push(Output::Persist(WalRecord::seal(self.height, block)));
        }
        let signature = self.key.sign(&seal_digest(&self.chain, self.height, &block).0);
        self.work.signature = Some(signature);
        self.work.seals.own(place, block, signature);
        self.send_seal();
    }

    fn send_seal(&mut self) {
        if let (Some(block), Some(signature)) = (self.work.sealed, self.work.signature) {
            self.work.quiet_ms = 0;
            let seal = Message::Seal { height: self.height, block, signature };
            self.outputs.push(Output::Broadcast(seal.to_wire()));
        }
    }

    /// The height is decided once a block has the seals of more than two thirds. They are proof enough where the
    /// group's commitment has not been heard of, or the own clock is behind.
    fn decide(&mut self) {
        let (Some(epoch), Some(group)) = (&self.epoch, &self.group) else { return };
        let proof = self.work.seals.certificate(self.height, epoch.quorum());
        let Some(certificate) = proof.filter(|_| !self.work.done) else { return };
        let chosen = self.work.chosen.as_ref().filter(|chosen| chosen.digest == certificate.block);
        let block = match chosen {
            Some(chosen) => chosen.block.clone(),
            None => match group.pending(self.height, &certificate.block) {
                Some(block) => block,
                None => return,
            },
        };
        self.work.done = true;
        self.stop_timer();
        self.outputs.push(Output::Decided { block, certificate });
    }

    fn message(&mut self, from: OrgId, bytes: &[u8]) {
        let place = self.epoch.as_ref().and_then(|epoch| epoch.index_of(&from));
        let Some(place) = place.filter(|_| from != self.me && self.group.is_some()) else { return };
        let message = match Message::parse(bytes, self.options.max_message) {
            Ok(message) => message,
            Err(fault) => return self.blame(from, format!("sent {fault}")),
        };
        if message.height() != self.height {
            return;
        }
        if let Message::Seal { height: _, block, signature } = message {
            return self.sealed(from, place, block, signature);
        }
        if let Some(group) = &mut self.group {
            group.step(place, message);
        }
        self.pump();
    }

    /// Another validator's seal.
    fn sealed(&mut self, from: OrgId, place: usize, block: Digest, signature: Signature) {
        let key = self.epoch.as_ref().and_then(|epoch| epoch.validators.get(place)).map(|validator| validator.key);
        let (Some(key), Ok(place)) = (key, u16::try_from(place)) else { return };
        if self.work.done {
            return;
        }
        match self.work.seals.take(place, &key, (&self.chain, self.height), (block, signature)) {
            Taken::New => self.decide(),
            Taken::Known => {}
            Taken::Wrong => self.blame(from, "sent a seal with a wrong signature"),
            Taken::Second => self.blame(from, "sealed two different blocks at one height"),
        }
    }

    fn tick(&mut self, id: TimerId) {
        if self.timer != Some(id) {
            return;
        }
        self.timer = None;
        self.work.quiet_ms = self.work.quiet_ms.saturating_add(self.options.tick_ms);
        if self.work.quiet_ms >= self.options.rebroadcast_ms {
            self.send_seal();
        }
        self.group.iter_mut().for_each(Group::tick);
        self.pump();
        self.set_timer();
    }
}

impl Engine for Raft {
    fn handle(&mut self, input: Input) -> Vec<Output> {
        match input {
            Input::StartHeight { height, epoch } => self.start(height, epoch),
            Input::Replay(record) => self.recall(record),
            other => {
                if let Some(opening) = self.opening.take() {
                    self.begin(opening);
                }
                match other {
                    Input::Message { from, bytes } => self.message(from, &bytes),
                    Input::Timer(id) => self.tick(id),
                    Input::Built { height, round, block } => self.built(height, round, block),
                    Input::Checked { height, round: _, block, valid } => self.checked(height, block, valid),
                    Input::StartHeight { .. } | Input::Replay(_) => {}
                }
            }
        }
        std::mem::take(&mut self.outputs)
    }

    fn height(&self) -> Height {
        self.opening.as_ref().map_or(self.height, |opening| opening.height)
    }
}
