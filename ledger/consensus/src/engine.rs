//! [`Bft`]: inputs checked and given to Malachite's core, one at a time.

use std::sync::Arc;

use base_gm::sm2::SecretKey;
use base_types::{Digest, Height, OrgId};
use ledger_light::{Block, Epoch};
use malachite_core::{LocallyProposedValue, Params, State};
use malachite_types::{Round, ThresholdParams, Validator as _, ValidatorSet as _, ValuePayload, VoteExtensionPolicy};

use crate::{
    Engine, Input, Options, Output, TimerId, TimerKind, WalRecord,
    context::{Address, BlockHeight, CoreInput, LedgerContext, ValidatorSet, Value},
    early::{self, Early},
    shell::Shell,
    wal,
    wire::Message,
};

/// Records of one height that are replayed at most; a height never writes so many.
const MAX_RECORDS: usize = 1 << 20;

/// A height that has been asked for and begins once its log has been given.
struct Opening {
    height: Height,
    epoch: Epoch,
    validators: ValidatorSet,
    records: Vec<WalRecord>,
}

/// Byzantine agreement among the validators of an epoch, fewer than a third of whom may do anything at all.
pub struct Bft {
    shell: Shell,
    core: Option<State<LedgerContext>>,
    opening: Option<Opening>,
    early: Early,
    key: Arc<SecretKey>,
}

impl Bft {
    /// An engine for the chain with this genesis digest, which votes as `me` with `key` wherever the epoch says so.
    pub fn new(chain: Digest, me: OrgId, key: Arc<SecretKey>, options: Options) -> Self {
        let shell = Shell::new(chain, Address(me), Arc::clone(&key), options);
        Self { shell, core: None, opening: None, early: Early::default(), key }
    }

    fn start(&mut self, height: Height, epoch: Epoch) {
        let Some(validators) = ValidatorSet::new(&epoch).filter(|_| height > self.height()) else {
            tracing::error!(height, at = self.height(), "a height is started again or has no proper validators");
            return;
        };
        let opening = Opening { height, epoch, validators, records: Vec::new() };
        if self.core.is_some() {
            self.begin(opening);
        } else {
            self.opening = Some(opening);
            self.shell.set_timer(TimerId { height, round: 0, kind: TimerKind::Start });
        }
    }

    fn recall(&mut self, record: WalRecord) {
        match &mut self.opening {
            Some(opening) if record.height() == opening.height && opening.records.len() < MAX_RECORDS => {
                opening.records.push(record);
            }
            _ => tracing::warn!(height = record.height(), "a record of the log comes too late or is of another height"),
        }
    }

    fn begin(&mut self, opening: Opening) {
        let Opening { height, epoch, validators, records } = opening;
        self.shell.begin(height, &epoch, validators.clone());
        self.early.clear();
        let me = self.shell.me.clone();
        let mine = validators.get_by_address(&me).map(|v| *v.public_key());
        let enabled = mine.is_none_or(|key| key == self.key.public());
        if !enabled {
            tracing::error!(height, "the epoch names another key for this validator: it will not vote");
        }
        let core = self.core.get_or_insert_with(|| new_core(&me, height, validators.clone()));
        core.params.enabled = enabled;

        let replaying = !records.is_empty();
        let inputs: Vec<_> = wal::inputs(records.clone(), &me).into_iter().flatten().collect();
        if replaying {
            self.shell.recall(&records, &inputs);
            core.index_wal_entries(&inputs);
        }
        let policy = VoteExtensionPolicy::Disabled;
        self.drive(CoreInput::StartHeight(BlockHeight(height), validators, false, None, policy));
        for input in inputs {
            self.replay(input);
        }
        if replaying {
            self.core.iter_mut().for_each(State::reset_entries_index);
            self.shell.resume();
        }
    }

    fn replay(&mut self, input: CoreInput) {
        if let CoreInput::ProposedValue(proposed, _) = &input {
            if proposed.proposer == self.shell.me {
                self.shell.blocks.built(proposed.value.clone(), proposed.round, proposed.proposer.clone());
            } else {
                self.shell.blocks.judge(&proposed.value.id, proposed.validity.is_valid());
            }
        }
        self.drive(input);
    }

    /// Runs the core on an input and on all that follows from it.
    fn drive(&mut self, input: CoreInput) {
        let shell = &mut self.shell;
        shell.later.push_back(input);
        let Some(core) = self.core.as_mut() else { return };
        while let Some(input) = shell.later.pop_front() {
            let result: Result<(), malachite_core::Error<LedgerContext>> = malachite_core::process!(
                input: input,
                state: &mut *core,
                metrics: &(),
                with: effect => shell.on(effect)
            );
            if let Err(error) = result {
                tracing::error!(height = shell.height, %error, "consensus could not act on an input");
            }
        }
    }

    fn step(&mut self, input: Input) {
        match input {
            Input::Message { from, bytes } => self.message(from, &bytes),
            Input::Timer(id) => self.timer(id),
            Input::Built { height, round, block } => self.built(height, round, block),
            Input::Checked { height, round: _, block, valid } => {
                if height == self.shell.height && !self.shell.done {
                    self.shell.judge(&block, valid);
                    if let Some(input) = self.shell.later.pop_front() {
                        self.drive(input);
                    }
                }
            }
            Input::StartHeight { .. } | Input::Replay(_) => {}
        }
    }

    fn message(&mut self, from: OrgId, bytes: &[u8]) {
        if from == self.shell.me.0 || self.core.is_none() {
            return;
        }
        let message = match Message::parse(bytes, self.shell.options.max_message) {
            Ok(message) => message,
            Err(fault) => return self.shell.blame(from, format!("sent {fault}")),
        };
        let (height, at) = (message.height(), self.shell.height);
        let wanted = if height == at {
            !self.shell.done
        } else {
            Some(height) == at.checked_add(1) && self.early.admit(&from, &message)
        };
        if !wanted {
            return;
        }
        match message.into_input() {
            Ok(input) => {
                self.shell.from = Some(from);
                self.drive(input);
                self.shell.from = None;
            }
            Err(fault) => self.shell.blame(from, format!("sent {fault}")),
        }
    }

    fn timer(&mut self, id: TimerId) {
        if !self.shell.expire(&id) || id.height != self.shell.height {
            return;
        }
        let Some(timeout) = wal::timeout(id.kind, id.round) else { return };
        self.drive(CoreInput::TimeoutElapsed(timeout));
        if id.kind == TimerKind::Rebroadcast && !self.shell.done {
            self.shell.propose_again();
        }
    }

    fn built(&mut self, height: Height, round: u32, block: Block) {
        let at = Round::new(round);
        if height != self.shell.height || self.shell.done || self.shell.own.proposal(at).is_some() {
            return;
        }
        let me = self.shell.me.clone();
        let Some(value) = Value::new(block).filter(|v| self.shell.fits(v) && v.block.header.proposer == me.0) else {
            tracing::error!(height, round, "the block that was built does not fit its height");
            return;
        };
        self.shell.blocks.built(value.clone(), at, me);
        self.drive(CoreInput::Propose(LocallyProposedValue::new(BlockHeight(height), at, value)));
    }
}

fn new_core(me: &Address, height: Height, validators: ValidatorSet) -> State<LedgerContext> {
    let params = Params {
        address: me.clone(),
        threshold_params: ThresholdParams::default(),
        // The proposal carries the block, but its validity is told apart from it, once it has been checked.
        value_payload: ValuePayload::ProposalAndParts,
        enabled: true,
    };
    State::new(LedgerContext, BlockHeight(height), validators, params, early::HEIGHTS, early::QUEUE)
}

impl Engine for Bft {
    fn handle(&mut self, input: Input) -> Vec<Output> {
        match input {
            Input::StartHeight { height, epoch } => self.start(height, epoch),
            Input::Replay(record) => self.recall(record),
            other => {
                if let Some(opening) = self.opening.take() {
                    self.begin(opening);
                }
                self.step(other);
            }
        }
        self.shell.take()
    }

    fn height(&self) -> Height {
        self.opening.as_ref().map_or(self.shell.height, |opening| opening.height)
    }
}
