//! What goes into the engine and what comes out of it.

use base_types::{Digest, Height, OrgId};
use base_wire::{wire_enum, wire_struct};
use ledger_light::{Block, Certificate, Epoch};

use crate::WalRecord;

/// A consensus engine: a state machine that somebody else gives messages, time and disk.
pub trait Engine: Send {
    /// Takes one input and says what to do, in this order.
    fn handle(&mut self, input: Input) -> Vec<Output>;
    /// The height being decided, or decided last; 0 before the first `StartHeight`.
    fn height(&self) -> Height;
}

/// What happens to an engine.
#[derive(Debug, Clone)]
pub enum Input {
    /// Starts a height; heights only rise. The first one after a start of the program takes effect at its first timer
    /// (of kind [`TimerKind::Start`]) or message, so that the records of the log can be given before.
    StartHeight {
        /// The height.
        height: Height,
        /// The epoch in force at that height.
        epoch: Epoch,
    },
    /// A record of the log, after the first `StartHeight` and before anything else, in the order of writing: those of
    /// that height, and those of [`WalRecord::KEPT`].
    Replay(WalRecord),
    /// A peer's message, from a link on which the peer has proved who it is.
    Message {
        /// The peer.
        from: OrgId,
        /// What it sent; anything at all.
        bytes: Vec<u8>,
    },
    /// A timer has run out.
    Timer(TimerId),
    /// The answer to [`Output::Build`].
    Built {
        /// As asked.
        height: Height,
        /// As asked.
        round: u32,
        /// A block that is valid here.
        block: Block,
    },
    /// The answer to [`Output::Check`].
    Checked {
        /// As asked.
        height: Height,
        /// As asked.
        round: u32,
        /// Digest of the block's header.
        block: Digest,
        /// Whether this node would sign it.
        valid: bool,
    },
}

/// What an engine wants done.
#[derive(Debug, Clone)]
pub enum Output {
    /// Send to every other validator.
    Broadcast(Vec<u8>),
    /// Send to one validator.
    Send {
        /// Whom.
        to: OrgId,
        /// What.
        bytes: Vec<u8>,
    },
    /// Write to the log; it must be on the disk before any later output is carried out. Records come only right before
    /// an output that depends on them, so neighbours can share one flush.
    Persist(WalRecord),
    /// These are all records of [`WalRecord::KEPT`] from now on: write them and delete the others in one step, which
    /// must be on the disk before any later output is carried out.
    Keep(Vec<WalRecord>),
    /// Start a timer; one of the same name is replaced.
    SetTimer {
        /// Its name.
        id: TimerId,
        /// When it runs out.
        after_ms: u64,
    },
    /// Stop a timer.
    CancelTimer(TimerId),
    /// This node proposes: build a block.
    Build {
        /// For this height.
        height: Height,
        /// For this round.
        round: u32,
        /// After so long the others give up waiting.
        deadline_ms: u64,
    },
    /// Is this block valid on this node's state? It has the chain, height, epoch and transactions root that it must
    /// have.
    Check {
        /// Its height.
        height: Height,
        /// The round in which it was first proposed here.
        round: u32,
        /// The block.
        block: Block,
    },
    /// A block is final; the height's log may go once the block is stored.
    Decided {
        /// The block.
        block: Block,
        /// Its proof.
        certificate: Certificate,
    },
    /// Somebody does not keep to the protocol.
    Misbehaved {
        /// Who.
        by: OrgId,
        /// What was seen.
        what: String,
    },
}

/// What a timer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimerKind {
    /// The log has been given: begin.
    Start,
    /// Wait for a proposal.
    Propose,
    /// Wait for more prevotes.
    Prevote,
    /// Wait for more precommits.
    Precommit,
    /// Send own votes again.
    Rebroadcast,
    /// A Raft group's time goes on while a height runs.
    Tick,
}
wire_enum!(TimerKind { 0 => Start, 1 => Propose, 2 => Prevote, 3 => Precommit, 4 => Rebroadcast, 5 => Tick });

/// Names a timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId {
    /// Its height.
    pub height: Height,
    /// Its round.
    pub round: u32,
    /// What it is for.
    pub kind: TimerKind,
}
wire_struct!(TimerId { height, round, kind });
