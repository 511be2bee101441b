//! The records of the log: what the core took in, so that after a crash it comes to the same state and the same votes.

use base_types::{Digest, Height};
use base_wire::{wire_enum, wire_struct};
use ledger_light::Block;
use malachite_core::ProposedValue;
use malachite_types::{Round, Timeout, TimeoutKind, ValueOrigin};

use crate::{
    TimerKind,
    blocks::Blocks,
    context::{Address, BlockHeight, CoreInput, Value},
    raft::Kept,
    wire::{PolkaMessage, ProposalMessage, VoteMessage},
};

/// One record of the log. Only the engine that wrote it looks inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalRecord {
    height: Height,
    entry: Entry,
}
wire_struct!(WalRecord { height, entry });

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    Vote(VoteMessage),
    Proposal(ProposalMessage),
    Polka(PolkaMessage),
    /// A timer ran out and the core acted on it.
    Timeout {
        kind: TimerKind,
        round: u32,
    },
    /// A block of our own.
    Built {
        round: u32,
        block: Block,
    },
    /// A block that an earlier record carries was checked.
    Judged {
        block: Digest,
        valid: bool,
    },
    /// What the Raft group of this epoch must not forget.
    Raft {
        epoch: u64,
        kept: Kept,
    },
    /// The block that this validator has sealed.
    Seal {
        block: Digest,
    },
}
wire_enum!(Entry {
    1 => Vote(m), 2 => Proposal(m), 3 => Polka(m), 4 => Timeout { kind, round }, 5 => Built { round, block },
    6 => Judged { block, valid }, 16 => Raft { epoch, kept }, 17 => Seal { block },
});

/// The timer of one of the core's timeouts; `None` for one that is never asked for.
pub(crate) fn timer_kind(kind: TimeoutKind) -> Option<TimerKind> {
    match kind {
        TimeoutKind::Propose => Some(TimerKind::Propose),
        TimeoutKind::Prevote => Some(TimerKind::Prevote),
        TimeoutKind::Precommit => Some(TimerKind::Precommit),
        TimeoutKind::Rebroadcast => Some(TimerKind::Rebroadcast),
        TimeoutKind::FinalizeHeight(_) => None,
    }
}

/// The core's timeout of a timer; `None` for one that the core does not know.
pub(crate) fn timeout(kind: TimerKind, round: u32) -> Option<Timeout> {
    let kind = match kind {
        TimerKind::Start | TimerKind::Tick => return None,
        TimerKind::Propose => TimeoutKind::Propose,
        TimerKind::Prevote => TimeoutKind::Prevote,
        TimerKind::Precommit => TimeoutKind::Precommit,
        TimerKind::Rebroadcast => TimeoutKind::Rebroadcast,
    };
    Some(Timeout::new(Round::new(round), kind))
}

impl WalRecord {
    /// The height of records that belong to no height: they stay until [`crate::Output::Keep`] takes their place.
    pub const KEPT: Height = Height::MAX;

    /// The record of what the Raft group of an epoch must not forget.
    pub(crate) fn kept(epoch: u64, kept: Kept) -> Self {
        Self { height: Self::KEPT, entry: Entry::Raft { epoch, kept } }
    }

    /// The epoch and content of such a record.
    pub(crate) fn as_kept(&self) -> Option<(u64, &Kept)> {
        match &self.entry {
            Entry::Raft { epoch, kept } => Some((*epoch, kept)),
            _ => None,
        }
    }

    /// The record of a seal.
    pub(crate) fn seal(height: Height, block: Digest) -> Self {
        Self { height, entry: Entry::Seal { block } }
    }

    /// The block of such a record.
    pub(crate) fn as_seal(&self) -> Option<Digest> {
        match self.entry {
            Entry::Seal { block } => Some(block),
            _ => None,
        }
    }

    /// The height it belongs to.
    pub fn height(&self) -> Height {
        self.height
    }

    /// The record of an input that the core wants kept; `None` for one that it never does.
    pub(crate) fn of(height: BlockHeight, input: &CoreInput, me: &Address) -> Option<Self> {
        let entry = match input {
            CoreInput::Vote(vote) => Entry::Vote(vote.into()),
            CoreInput::Proposal(proposal) => Entry::Proposal(proposal.into()),
            CoreInput::PolkaCertificate(certificate) => Entry::Polka(certificate.into()),
            CoreInput::TimeoutElapsed(t) => Entry::Timeout { kind: timer_kind(t.kind)?, round: t.round.as_u32()? },
            CoreInput::ProposedValue(value, _) if value.proposer == *me => {
                Entry::Built { round: value.round.as_u32()?, block: Block::clone(&value.value.block) }
            }
            CoreInput::ProposedValue(value, _) => {
                Entry::Judged { block: value.value.id, valid: value.validity.is_valid() }
            }
            _ => return None,
        };
        Some(Self { height: height.0, entry })
    }
}

/// The inputs that the log of a height records, in order. `None` in place of a record that fits no earlier one.
pub(crate) fn inputs(records: Vec<WalRecord>, me: &Address) -> Vec<Option<CoreInput>> {
    let mut blocks = Blocks::default();
    records.into_iter().map(|record| input(record, &mut blocks, me)).collect()
}

fn input(record: WalRecord, blocks: &mut Blocks, me: &Address) -> Option<CoreInput> {
    let height = BlockHeight(record.height);
    Some(match record.entry {
        Entry::Vote(m) => CoreInput::Vote(m.into_core()),
        Entry::Polka(m) => CoreInput::PolkaCertificate(m.into_core()),
        Entry::Timeout { kind, round } => CoreInput::TimeoutElapsed(timeout(kind, round)?),
        Entry::Proposal(m) => {
            let proposal = m.into_core().ok()?;
            blocks.propose(&proposal.message);
            CoreInput::Proposal(proposal)
        }
        Entry::Built { round, block } => {
            let value = Value::new(block)?;
            let id = value.id;
            blocks.built(value, Round::new(round), me.clone());
            judged(blocks.get(&id)?.judged(height, true))
        }
        Entry::Judged { block, valid } => {
            let known = blocks.judge(&block, valid)?;
            judged(known.judged(height, valid))
        }
        Entry::Raft { .. } | Entry::Seal { .. } => return None,
    })
}

/// The core's input for a block that has been checked.
pub(crate) fn judged(value: ProposedValue<crate::context::LedgerContext>) -> CoreInput {
    CoreInput::ProposedValue(value, ValueOrigin::Consensus)
}

#[cfg(test)]
mod tests {
    use base_types::OrgId;
    use base_wire::{Decode, Encode};

    use super::*;

    #[test]
    fn records_come_back_and_orphans_are_left_out() {
        let me = Address(OrgId::new("a").expect("a name"));
        let timeout = WalRecord { height: 7, entry: Entry::Timeout { kind: TimerKind::Prevote, round: 2 } };
        assert_eq!(WalRecord::from_wire(&timeout.to_wire()), Ok(timeout.clone()));
        let orphan = WalRecord { height: 7, entry: Entry::Judged { block: Digest([1; 32]), valid: true } };
        let inputs = inputs(vec![timeout.clone(), orphan], &me);
        let Some(Some(first)) = inputs.first() else { panic!("a timeout") };
        assert_eq!(WalRecord::of(BlockHeight(7), first, &me), Some(timeout));
        assert_eq!(inputs.get(1), Some(&None));
    }
}
