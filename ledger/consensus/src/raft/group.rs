//! One epoch's Raft group: the core, its log, and which of its entries are blocks that count.

use std::collections::BTreeMap;

use ::raft::{Config, INVALID_ID, RawNode, Ready, SnapshotStatus, StateRole, eraftpb};
use base_gm::sm3;
use base_types::{Digest, Height, OrgId};
use base_wire::Encode;
use ledger_light::{Block, Epoch};

use super::{
    form::Form,
    guard,
    log::{self, Log},
    record::{Base, Kept},
    terms::Terms,
    wire::Message,
};
use crate::{Options, Output, WalRecord};

/// The log is cut once so many entries of stored heights are in it: a member that was away for less needs no snapshot.
const CUT_AT: u64 = 32;
/// The log is written anew once so many records were added to it: a peer that raises terms must not fill the disk.
const MAX_WRITTEN: usize = 4096;
/// Applied entries that are held at most, even of heights that are still to come here.
const MAX_HELD: u64 = 64;
/// The log is cut as well once it takes so many times the longest message.
const MAX_WEIGHT: usize = 2;
/// Uncommitted blocks weigh at most so many times the longest message. Honest leaders leave one; a late one, two.
const MAX_UNCOMMITTED_WEIGHT: usize = 4;
/// Messages that a leader sends ahead of a member's answers.
const IN_FLIGHT: usize = 64;

/// The group as this member sees it.
pub(crate) struct Group {
    node: RawNode<Log>,
    /// As long as this member takes no part, because it remembers nothing of an epoch under way.
    terms: Option<Terms>,
    form: Form,
    chain: Digest,
    epoch: u64,
    me: OrgId,
    options: Options,
    /// Heights of the blocks that count, by the index of their entry: those applied and not yet cut off.
    accepted: BTreeMap<u64, Height>,
    /// The height accepted last.
    top: Height,
    /// The block proposed last here, and its bytes: it need not be read again.
    proposed: Option<(Vec<u8>, Block)>,
    /// Records written since the log was written anew.
    written: usize,
}

impl Group {
    /// The group of an epoch at a height, after what is remembered of it. `None` when this organisation is not in it.
    pub fn new(
        chain: Digest,
        me: &OrgId,
        (epoch, height): (&Epoch, Height),
        options: &Options,
        records: Vec<Kept>,
    ) -> Option<Self> {
        let place = u64::try_from(epoch.index_of(me)?).ok()?;
        let base = Base { index: 0, term: 0, height: epoch.first_height.saturating_sub(1) };
        let mut log = Log::new(base, u64::try_from(epoch.validators.len()).ok()?);
        for kept in records {
            if !log.replay(kept) {
                tracing::error!(epoch = epoch.number, "a record of the Raft log leaves a gap before it");
            }
        }
        log.settle();
        let base = log.base();
        let heartbeat_tick = usize::from(options.heartbeat_ticks.max(1));
        let election_tick = usize::from(options.election_ticks).max(heartbeat_tick + 1);
        let config = Config {
            id: place.saturating_add(1),
            heartbeat_tick,
            election_tick,
            min_election_tick: election_tick,
            max_election_tick: election_tick * 2,
            applied: base.index,
            check_quorum: true,
            pre_vote: true,
            // One entry a message.
            max_size_per_msg: 0,
            max_inflight_msgs: IN_FLIGHT,
            ..Config::default()
        };
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let node = RawNode::new(&config, log, &logger)
            .inspect_err(|error| tracing::error!(%error, "the Raft group cannot be formed"))
            .ok()?;
        let members = epoch.validators.len();
        let knows_nothing = node.raft.term == 0 && node.store().last() == 0;
        let terms = (knows_nothing && height > epoch.first_height && members > 1).then(|| Terms::of(members));
        let form = Form::new(chain, epoch);
        let (accepted, top) = (BTreeMap::new(), base.height);
        let (me, options, number) = (me.clone(), *options, epoch.number);
        Some(Self { node, terms, form, chain, epoch: number, me, options, accepted, top, proposed: None, written: 0 })
    }

    /// The height accepted last.
    pub fn top(&self) -> Height {
        self.top
    }

    /// The present term.
    pub fn term(&self) -> u64 {
        self.node.raft.term
    }

    /// Whether this member leads and knows everything that its predecessors committed.
    pub fn leads(&self) -> bool {
        self.node.raft.state == StateRole::Leader && self.node.raft.apply_to_current_term()
    }

    /// Whether nothing has ever happened in this group, as far as this member knows.
    pub fn is_new(&self) -> bool {
        !self.learns() && self.node.raft.term == 0 && self.node.store().last() == 0
    }

    /// Whether this member takes no part yet: it has to hear first how far the terms have got.
    pub fn learns(&self) -> bool {
        self.terms.is_some()
    }

    /// Stands for election at once.
    pub fn campaign(&mut self) {
        if let Err(error) = self.node.campaign() {
            tracing::debug!(%error, "no election");
        }
    }

    /// Time passes. How long a member waits before it stands differs by member and term, and by nothing else: the
    /// core's own choice is random.
    pub fn tick(&mut self) {
        if let Some(terms) = &mut self.terms {
            return terms.tick();
        }
        let digest = sm3::tagged(
            "heqi/raft/timeout/1",
            &[&self.chain.0, self.me.as_str().as_bytes(), &self.node.raft.term.to_be_bytes()],
        );
        let [high, low, ..] = digest.0;
        let least = self.node.raft.election_timeout();
        let more = usize::from(u16::from_be_bytes([high, low])) % least.max(1);
        self.node.raft.set_randomized_election_timeout(least.saturating_add(more));
        self.node.tick();
    }

    /// Whether this member takes part; what another says may be what was missing. A vote in the term that it learns may
    /// be one that it has forgotten: it gives none there.
    fn takes_part(&mut self, place: usize, message: &Message) -> bool {
        let Some(terms) = &mut self.terms else { return true };
        let Some(term) = terms.hear(place, message) else { return false };
        self.terms = None;
        let me = self.node.raft.id;
        self.node.raft.become_follower(term.max(1), INVALID_ID);
        self.node.raft.vote = me;
        tracing::warn!(epoch = self.epoch, term, "this member remembers nothing of the Raft group, and joins it anew");
        true
    }

    /// Takes the message of the member at a place in the epoch, unless it would do harm.
    pub fn step(&mut self, place: usize, message: Message) {
        if !self.takes_part(place, &message) {
            return;
        }
        let max = self.options.max_message.saturating_mul(MAX_UNCOMMITTED_WEIGHT);
        let Some(from) = u64::try_from(place).ok().and_then(|place| place.checked_add(1)) else { return };
        let message = guard::within(&self.node.raft, message);
        if !guard::may_step(&self.node.raft, &message, max) {
            tracing::debug!(from, "a message contradicts the Raft log and is dropped");
            return;
        }
        guard::take_back(&mut self.node.raft, from, &message);
        let to = self.node.raft.id;
        if let Some(core) = message.into_core(from, to, self.node.store().conf())
            && let Err(error) = self.node.step(core)
        {
            tracing::debug!(%error, from, "the Raft core refuses a message");
        }
    }

    /// Proposes a block; false when this member cannot.
    pub fn propose(&mut self, block: Block) -> bool {
        let bytes = block.to_wire();
        let proposed = self.node.propose(Vec::new(), bytes.clone()).is_ok();
        if proposed {
            self.proposed = Some((bytes, block));
        }
        proposed
    }

    /// Whether a block has the form of this epoch's.
    pub fn fits(&self, block: &Block) -> bool {
        self.form.fits(block)
    }

    /// Carries out all that the core wants, and returns the blocks that count from now on.
    pub fn drain(&mut self, height: Height, out: &mut Vec<Output>) -> Vec<Block> {
        let mut blocks = Vec::new();
        let question = self.terms.as_mut().and_then(|terms| terms.question(height));
        out.extend(question.map(|question| Output::Broadcast(question.to_wire())));
        while self.node.has_ready() {
            let mut ready = self.node.ready();
            let mut behind = Vec::new();
            // A leader's, which may go out before it has written itself (Ongaro's thesis, 10.2.1).
            self.send(ready.take_messages(), height, &mut behind, out);
            self.save(&ready, out);
            self.send(ready.take_persisted_messages(), height, &mut behind, out);
            let first = ready.take_committed_entries();
            let mut light = self.node.advance(ready);
            if let Some(commit) = light.commit_index() {
                self.node.mut_store().hard.commit = commit;
            }
            self.send(light.take_messages(), height, &mut behind, out);
            let second = light.take_committed_entries();
            self.node.advance_apply();
            blocks.extend(first.iter().chain(&second).filter_map(|entry| self.apply(entry)));
            // Sent or lost: the member's next answer tells.
            behind.into_iter().for_each(|id| self.node.report_snapshot(id, SnapshotStatus::Finish));
        }
        blocks
    }

    fn send(&self, messages: Vec<eraftpb::Message>, height: Height, behind: &mut Vec<u64>, out: &mut Vec<Output>) {
        for m in messages {
            if m.get_msg_type() == eraftpb::MessageType::MsgSnapshot {
                behind.push(m.to);
            }
            let to = m.to.checked_sub(1).and_then(|place| self.form.members().get(usize::try_from(place).ok()?));
            if let (Some(to), Some(message)) = (to, Message::of(&m, height)) {
                out.push(Output::Send { to: to.clone(), bytes: message.to_wire() });
            }
        }
    }

    /// Writes what the core must not forget. Term and vote come first: a crash in between may cost entries that nobody
    /// was told of, but leaves no log that is ahead of its term.
    fn save(&mut self, ready: &Ready, out: &mut Vec<Output>) {
        let mut records = Vec::new();
        if let Some(hard) = ready.hs() {
            self.node.mut_store().hard = hard.clone();
            // Commitment alone is learned again.
            if ready.must_sync() {
                records.push(Kept::Hard { term: hard.term, vote: hard.vote, commit: hard.commit });
            }
        }
        if !ready.snapshot().is_empty() {
            let (meta, data) = (ready.snapshot().get_metadata(), ready.snapshot().get_data());
            let height = data.try_into().map_or(self.top, Height::from_be_bytes);
            let base = Base { index: meta.index, term: meta.term, height };
            self.node.mut_store().restore(base);
            self.accepted.clear();
            self.top = height;
            records.push(Kept::Base(base));
        }
        for entry in ready.entries() {
            self.node.mut_store().put(entry.clone());
            records.push(log::slot(entry));
        }
        let epoch = self.epoch;
        self.written = self.written.saturating_add(records.len());
        out.extend(records.into_iter().map(|kept| Output::Persist(WalRecord::kept(epoch, kept))));
    }

    /// A committed entry counts when it holds the block of the height after the one accepted last.
    fn apply(&mut self, entry: &eraftpb::Entry) -> Option<Block> {
        let block = self.read(&entry.data)?;
        let next = self.top.checked_add(1)?;
        if block.header.height != next {
            return None;
        }
        self.top = next;
        self.accepted.insert(entry.index, next);
        Some(block)
    }

    fn read(&self, data: &[u8]) -> Option<Block> {
        match &self.proposed {
            _ if data.is_empty() => None,
            Some((bytes, block)) if bytes == data => Some(block.clone()),
            _ => self.form.read(data),
        }
    }

    /// The block that counts at a height, if the log still has it.
    pub fn block(&self, height: Height) -> Option<Block> {
        let (index, _) = self.accepted.iter().find(|(_, accepted)| **accepted == height)?;
        self.read(&self.node.store().get(*index)?.data)
    }

    /// A block of a height that the log has, but not yet as committed.
    pub fn pending(&self, height: Height, digest: &Digest) -> Option<Block> {
        let first = self.node.raft.raft_log.applied.saturating_add(1);
        let mut blocks = (first..=self.node.store().last()).filter_map(|i| self.read(&self.node.store().get(i)?.data));
        blocks.find(|block| block.header.height == height && block.header.digest() == *digest)
    }

    /// Cuts off what heights below this one needed, when that is worth a write; true when it did.
    pub fn cut(&mut self, height: Height) -> bool {
        let applied = self.node.raft.raft_log.applied;
        let base = self.node.store().base();
        let weight = self.node.store().bytes_after(base.index);
        let heavy = weight > self.options.max_message.saturating_mul(MAX_WEIGHT);
        if applied.saturating_sub(base.index) < CUT_AT && !heavy && self.written <= MAX_WRITTEN {
            return false;
        }
        // Blocks of heights that are still to come here are kept, but not any number of them.
        let wanted = self.accepted.iter().find(|(_, accepted)| **accepted >= height);
        let free = wanted.map_or(applied, |(index, _)| index.saturating_sub(1));
        let to = free.max(applied.saturating_sub(MAX_HELD)).min(applied);
        if to <= base.index {
            // Nothing of the log may go, but terms that were written over are forgotten when there are many.
            return std::mem::take(&mut self.written) > MAX_WRITTEN;
        }
        self.written = 0;
        let last = self.accepted.range(..=to).next_back().map_or(base.height, |(_, accepted)| *accepted);
        self.node.mut_store().compact(to, last);
        self.accepted.retain(|index, _| *index > to);
        true
    }

    /// Everything that must be remembered, in place of all that was written before.
    pub fn records(&self) -> Vec<WalRecord> {
        self.node.store().records().into_iter().map(|kept| WalRecord::kept(self.epoch, kept)).collect()
    }
}
