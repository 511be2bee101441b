//! What surrounds the core: keys, blocks, timers, the log and the outputs of the input in hand.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use base_gm::{sm2::SecretKey, sm3};
use base_types::{Digest, OrgId};
use base_wire::Encode;
use ledger_light::{Block, Epoch};
use malachite_types::{Round, Timeout};

use crate::{
    Options, Output, TimerId, WalRecord,
    blocks::Blocks,
    context::{Address, CoreInput, ValidatorSet, Value},
    own::Own,
    signing::Signatures,
    wal,
    wire::Message,
};

/// While the log is replayed: what it holds, and what to ask for afterwards.
#[derive(Default)]
pub(crate) struct Replay {
    pub recorded: BTreeSet<Digest>,
    pub build: Option<(u32, u64)>,
}

/// Everything around the core: keys, blocks, timers and the outputs of the present input.
pub(crate) struct Shell {
    pub chain: Digest,
    pub me: Address,
    pub key: Arc<SecretKey>,
    pub options: Options,
    pub height: u64,
    epoch: Digest,
    pub validators: Option<ValidatorSet>,
    pub round: Round,
    /// The height is decided.
    pub done: bool,
    pub blocks: Blocks,
    pub own: Own,
    /// Who sent the message in hand.
    pub from: Option<OrgId>,
    /// Inputs that an effect called for, to be processed once the core is free.
    pub later: VecDeque<CoreInput>,
    pub outputs: Vec<Output>,
    pub unsaved: Vec<WalRecord>,
    pub timers: BTreeSet<TimerId>,
    pub signatures: Signatures,
    pub replay: Option<Replay>,
}

impl Shell {
    pub fn new(chain: Digest, me: Address, key: Arc<SecretKey>, options: Options) -> Self {
        Self {
            chain,
            me,
            key,
            options,
            height: 0,
            epoch: Digest::default(),
            validators: None,
            round: Round::Nil,
            done: false,
            blocks: Blocks::default(),
            own: Own::default(),
            from: None,
            later: VecDeque::new(),
            outputs: Vec::new(),
            unsaved: Vec::new(),
            timers: BTreeSet::new(),
            signatures: Signatures::new(chain),
            replay: None,
        }
    }

    /// Forgets the last height.
    pub fn begin(&mut self, height: u64, epoch: &Epoch, validators: ValidatorSet) {
        self.cancel_all();
        self.height = height;
        self.epoch = epoch.digest();
        self.validators = Some(validators);
        self.round = Round::Nil;
        self.done = false;
        self.blocks = Blocks::default();
        self.own = Own::default();
        self.later.clear();
        self.unsaved.clear();
        self.signatures.clear();
        self.replay = None;
    }

    /// The outputs so far.
    pub fn take(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    /// Reports a peer.
    pub fn blame(&mut self, by: OrgId, what: impl Into<String>) {
        self.outputs.push(Output::Misbehaved { by, what: what.into() });
    }

    /// What the log holds binds from now on: own votes in it are the only ones of their rounds.
    pub fn recall(&mut self, records: &[WalRecord], inputs: &[CoreInput]) {
        let recorded = records.iter().map(|record| sm3::sm3(&record.to_wire())).collect();
        self.replay = Some(Replay { recorded, build: None });
        for input in inputs {
            match input {
                CoreInput::Vote(vote) if vote.message.voter == self.me => self.own.recall_vote(vote),
                CoreInput::Proposal(p) if p.message.proposer == self.me => self.own.recall_proposal(p),
                _ => {}
            }
        }
    }

    /// The log has been replayed: says again what peers may have missed and asks for what is still wanted.
    pub fn resume(&mut self) {
        let build = self.replay.take().and_then(|replay| replay.build);
        if self.done {
            return;
        }
        if let Some((round, deadline_ms)) = build.filter(|(round, _)| Round::new(*round) == self.round) {
            self.build(round, deadline_ms);
        }
        let height = self.height;
        let checks = self.blocks.unchecked().map(|known| Output::Check {
            height,
            round: known.round.as_u32().unwrap_or(0),
            block: Block::clone(&known.value.block),
        });
        self.outputs.extend(checks);
        self.propose_again();
        for vote in self.own.votes(self.round).map(|vote| Message::Vote(vote.into())).collect::<Vec<_>>() {
            self.broadcast(&vote);
        }
    }

    /// Sends the own proposal of this round once more.
    pub fn propose_again(&mut self) {
        if let Some(message) = self.own.proposal(self.round).map(|p| Message::Proposal(p.into())) {
            self.broadcast(&message);
        }
    }

    /// Stops a timer that has run out; false when it is not wanted any more.
    pub fn expire(&mut self, id: &TimerId) -> bool {
        self.timers.remove(id)
    }

    /// Whether the header is what this height's must be.
    pub fn fits(&self, value: &Value) -> bool {
        let header = &value.block.header;
        header.chain == self.chain && header.height == self.height && header.epoch == self.epoch
    }

    /// Starts a timer.
    pub fn set_timer(&mut self, id: TimerId) {
        self.timers.insert(id);
        self.outputs.push(Output::SetTimer { id, after_ms: self.options.wait_ms(id.kind, id.round) });
    }

    /// The timer of one of the core's timeouts.
    pub fn timer_of(&self, timeout: Timeout) -> Option<TimerId> {
        Some(TimerId { height: self.height, round: timeout.round.as_u32()?, kind: wal::timer_kind(timeout.kind)? })
    }

    /// Stops a timer.
    pub fn cancel(&mut self, id: TimerId) {
        if self.timers.remove(&id) {
            self.outputs.push(Output::CancelTimer(id));
        }
    }

    /// Stops every timer.
    pub fn cancel_all(&mut self) {
        self.outputs.extend(std::mem::take(&mut self.timers).into_iter().map(Output::CancelTimer));
    }

    /// Puts out what others will rely on: everything that led to it is saved first.
    pub fn publish(&mut self, output: Output) {
        self.outputs.extend(self.unsaved.drain(..).map(Output::Persist));
        self.outputs.push(output);
    }

    /// Tells every other validator.
    pub fn broadcast(&mut self, message: &Message) {
        // During replay nothing is said; `resume` says what is still of use.
        if self.replay.is_none() {
            self.publish(Output::Broadcast(message.to_wire()));
        }
    }
}
