//! The messages of a Raft group, bounded and canonical; the core's own encoding never meets a peer's bytes.

use ::raft::eraftpb::{self, ConfState, MessageType};
use base_gm::sm2::Signature;
use base_types::{Digest, Height};
use base_wire::{Decode, Encode, Reader, WireError, wire_enum, wire_struct};
use ledger_light::Block;
use thiserror::Error;

/// Tag of the one message that carries a block.
const APPEND: u8 = 18;
/// Tags of the others that only a leader sends.
const BEAT: u8 = 20;
const SNAPSHOT: u8 = 22;
/// Longest message that carries none.
const MAX_SMALL: usize = 1 << 10;
/// Highest term and index that is read: far above any that is reached, and far below where counting on would overflow.
const MAX_NUMBER: u64 = 1 << 48;

/// Bytes, encoded in one piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Data(pub Vec<u8>);

impl Encode for Data {
    fn encode(&self, out: &mut Vec<u8>) {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX).encode(out);
        out.extend_from_slice(&self.0);
    }
}

impl Decode for Data {
    const MIN_BYTES: usize = 4;
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        let len = input.count("data", 1)?;
        Ok(Self(input.take("data", len)?.to_vec()))
    }
}

/// An entry in an append; its index follows from where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    pub term: u64,
    /// A block, or nothing in a new leader's first entry.
    pub data: Data,
}
wire_struct!(Slot { term, data });

/// Where a refused append may be tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hint {
    pub index: u64,
    pub term: u64,
}
wire_struct!(Hint { index, term });

/// Anything a member of the group sends to another. The sender's height comes first in all of them, and who the sender
/// is follows from the link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    /// Asks for a vote, or before that, whether it would be given.
    Ask {
        height: Height,
        pre: bool,
        term: u64,
        index: u64,
        log_term: u64,
    },
    Answer {
        height: Height,
        pre: bool,
        term: u64,
        reject: bool,
    },
    /// Follows the entry of `index` and `log_term`; one entry at most.
    Append {
        height: Height,
        term: u64,
        index: u64,
        log_term: u64,
        commit: u64,
        entry: Option<Slot>,
    },
    Appended {
        height: Height,
        term: u64,
        index: u64,
        commit: u64,
        reject: Option<Hint>,
    },
    Beat {
        height: Height,
        term: u64,
        commit: u64,
    },
    Heard {
        height: Height,
        term: u64,
        commit: u64,
    },
    /// The leader's log begins after this entry, and `accepted` is the height accepted last up to it.
    Snapshot {
        height: Height,
        term: u64,
        index: u64,
        log_term: u64,
        accepted: Height,
    },
    /// The sender's signature for the block that the group has committed at the height.
    Seal {
        height: Height,
        block: Digest,
        signature: Signature,
    },
}
wire_enum!(Message {
    16 => Ask { height, pre, term, index, log_term },
    17 => Answer { height, pre, term, reject },
    18 => Append { height, term, index, log_term, commit, entry },
    19 => Appended { height, term, index, commit, reject },
    20 => Beat { height, term, commit },
    21 => Heard { height, term, commit },
    22 => Snapshot { height, term, index, log_term, accepted },
    23 => Seal { height, block, signature },
});

/// Why a peer's bytes are no message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum MessageFault {
    #[error("a malformed message: {0}")]
    Malformed(#[from] WireError),
    #[error("a message of {0} bytes")]
    TooLong(usize),
    #[error("a message with terms or indices that no log has")]
    Numbers,
}

impl Message {
    /// Reads a peer's bytes.
    pub fn parse(bytes: &[u8], max: usize) -> Result<Self, MessageFault> {
        let max = if bytes.first() == Some(&APPEND) { max } else { max.min(MAX_SMALL) };
        if bytes.len() > max {
            return Err(MessageFault::TooLong(bytes.len()));
        }
        let message = Self::from_wire(bytes)?;
        if message.sound() { Ok(message) } else { Err(MessageFault::Numbers) }
    }

    /// The sender's height.
    pub fn height(&self) -> Height {
        match self {
            Self::Ask { height, .. }
            | Self::Answer { height, .. }
            | Self::Append { height, .. }
            | Self::Appended { height, .. }
            | Self::Beat { height, .. }
            | Self::Heard { height, .. }
            | Self::Snapshot { height, .. }
            | Self::Seal { height, .. } => *height,
        }
    }

    /// Whether the numbers can be those of a log: the core takes a term of 0 for its own messages and for entries that
    /// do not exist, and stops the program when such a one comes from outside.
    fn sound(&self) -> bool {
        let term = |term: u64| (1..=MAX_NUMBER).contains(&term);
        let place = |index: u64, at: u64, term: u64| index <= MAX_NUMBER && at <= term && ((index == 0) == (at == 0));
        match self {
            Self::Ask { term: t, index, log_term, .. } => term(*t) && place(*index, *log_term, *t),
            Self::Answer { term: t, .. } => term(*t),
            Self::Append { term: t, index, log_term, commit, entry, .. } => {
                let first = (*log_term).max(1);
                let fits = entry.as_ref().is_none_or(|slot| (first..=*t).contains(&slot.term));
                term(*t) && place(*index, *log_term, *t) && *commit <= MAX_NUMBER && fits
            }
            Self::Appended { term: t, index, commit, reject, .. } => {
                let hinted = reject.as_ref().is_none_or(|hint| hint.index <= MAX_NUMBER && hint.term <= MAX_NUMBER);
                term(*t) && *index <= MAX_NUMBER && *commit <= MAX_NUMBER && hinted
            }
            Self::Beat { term: t, commit, .. } | Self::Heard { term: t, commit, .. } => {
                term(*t) && *commit <= MAX_NUMBER
            }
            Self::Snapshot { term: t, index, log_term, .. } => term(*t) && *index > 0 && place(*index, *log_term, *t),
            Self::Seal { .. } => true,
        }
    }

    /// What one of the core's messages says; `None` for kinds that this group never sends.
    pub fn of(m: &eraftpb::Message, height: Height) -> Option<Self> {
        let (term, index, log_term, commit) = (m.term, m.index, m.log_term, m.commit);
        Some(match m.get_msg_type() {
            MessageType::MsgRequestPreVote => Self::Ask { height, pre: true, term, index, log_term },
            MessageType::MsgRequestVote => Self::Ask { height, pre: false, term, index, log_term },
            MessageType::MsgRequestPreVoteResponse => Self::Answer { height, pre: true, term, reject: m.reject },
            MessageType::MsgRequestVoteResponse => Self::Answer { height, pre: false, term, reject: m.reject },
            MessageType::MsgAppend if m.get_entries().len() <= 1 => {
                let slot = |e: &eraftpb::Entry| Slot { term: e.term, data: Data(e.get_data().to_vec()) };
                Self::Append { height, term, index, log_term, commit, entry: m.get_entries().first().map(slot) }
            }
            MessageType::MsgAppendResponse => {
                let reject = m.reject.then_some(Hint { index: m.reject_hint, term: log_term });
                Self::Appended { height, term, index, commit, reject }
            }
            MessageType::MsgHeartbeat => Self::Beat { height, term, commit },
            MessageType::MsgHeartbeatResponse => Self::Heard { height, term, commit },
            MessageType::MsgSnapshot => {
                let accepted = Height::from_be_bytes(m.get_snapshot().get_data().try_into().ok()?);
                let meta = m.get_snapshot().get_metadata();
                Self::Snapshot { height, term, index: meta.index, log_term: meta.term, accepted }
            }
            _ => return None,
        })
    }

    /// The core's message from one member to another of the group `conf`; `None` for a seal, which the core knows
    /// nothing of.
    pub fn into_core(self, from: u64, to: u64, conf: &ConfState) -> Option<eraftpb::Message> {
        let mut m = eraftpb::Message::default();
        m.from = from;
        m.to = to;
        match self {
            Self::Ask { height: _, pre, term, index, log_term } => {
                m.set_msg_type(if pre { MessageType::MsgRequestPreVote } else { MessageType::MsgRequestVote });
                (m.term, m.index, m.log_term) = (term, index, log_term);
            }
            Self::Answer { height: _, pre, term, reject } => {
                let plain = MessageType::MsgRequestVoteResponse;
                m.set_msg_type(if pre { MessageType::MsgRequestPreVoteResponse } else { plain });
                (m.term, m.reject) = (term, reject);
            }
            Self::Append { height: _, term, index, log_term, commit, entry } => {
                m.set_msg_type(MessageType::MsgAppend);
                (m.term, m.index, m.log_term, m.commit) = (term, index, log_term, commit);
                let entries: Vec<_> =
                    entry.into_iter().map(|slot| entry_of(index.saturating_add(1), slot.term, slot.data)).collect();
                m.set_entries(entries.into());
            }
            Self::Appended { height: _, term, index, commit, reject } => {
                m.set_msg_type(MessageType::MsgAppendResponse);
                (m.term, m.index, m.commit) = (term, index, commit);
                if let Some(Hint { index, term }) = reject {
                    (m.reject, m.reject_hint, m.log_term) = (true, index, term);
                }
            }
            Self::Beat { height: _, term, commit } => {
                m.set_msg_type(MessageType::MsgHeartbeat);
                (m.term, m.commit) = (term, commit);
            }
            Self::Heard { height: _, term, commit } => {
                m.set_msg_type(MessageType::MsgHeartbeatResponse);
                (m.term, m.commit) = (term, commit);
            }
            Self::Snapshot { height: _, term, index, log_term, accepted } => {
                m.set_msg_type(MessageType::MsgSnapshot);
                m.term = term;
                m.set_snapshot(snapshot_of(index, log_term, accepted, conf));
            }
            Self::Seal { .. } => return None,
        }
        Some(m)
    }
}

/// Whether only the leader of a Raft group sends a message of this kind; the rest of it may be anything.
pub fn is_of_leader(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|tag| [APPEND, BEAT, SNAPSHOT].contains(tag))
}

/// The block with which an append ends; `None` for any other message.
pub(crate) fn block_of(bytes: &[u8]) -> Option<Block> {
    if bytes.first() != Some(&APPEND) {
        return None;
    }
    match Message::from_wire(bytes) {
        Ok(Message::Append { entry: Some(slot), .. }) => Block::from_wire(&slot.data.0).ok(),
        _ => None,
    }
}

/// An entry as the core holds it.
pub(crate) fn entry_of(index: u64, term: u64, data: Data) -> eraftpb::Entry {
    let mut entry = eraftpb::Entry::default();
    entry.index = index;
    entry.term = term;
    entry.data = data.0.into();
    entry
}

/// A snapshot as the core holds it: where the log begins, among whom, and the height accepted last up to there.
pub(crate) fn snapshot_of(index: u64, term: u64, accepted: Height, conf: &ConfState) -> eraftpb::Snapshot {
    let mut snapshot = eraftpb::Snapshot::default();
    snapshot.data = accepted.to_be_bytes().to_vec().into();
    let meta = snapshot.mut_metadata();
    meta.index = index;
    meta.term = term;
    meta.set_conf_state(conf.clone());
    snapshot
}

#[cfg(test)]
mod tests {
    use super::*;

    fn append(index: u64, log_term: u64, slot: u64) -> Message {
        let entry = Some(Slot { term: slot, data: Data(vec![7; 9]) });
        Message::Append { height: 5, term: 4, index, log_term, commit: 2, entry }
    }

    #[test]
    fn every_message_survives_the_wire_and_the_core() {
        let messages = [
            Message::Ask { height: 5, pre: true, term: 4, index: 3, log_term: 2 },
            Message::Ask { height: 5, pre: false, term: 4, index: 0, log_term: 0 },
            Message::Answer { height: 5, pre: true, term: 4, reject: false },
            Message::Answer { height: 5, pre: false, term: 4, reject: true },
            append(3, 2, 3),
            Message::Append { height: 5, term: 4, index: 0, log_term: 0, commit: 0, entry: None },
            Message::Appended { height: 5, term: 4, index: 3, commit: 2, reject: None },
            Message::Appended { height: 5, term: 4, index: 3, commit: 2, reject: Some(Hint { index: 1, term: 1 }) },
            Message::Beat { height: 5, term: 4, commit: 2 },
            Message::Heard { height: 5, term: 4, commit: 2 },
            Message::Snapshot { height: 5, term: 4, index: 3, log_term: 2, accepted: 4 },
        ];
        for message in messages {
            assert_eq!(Message::parse(&message.to_wire(), 1 << 20), Ok(message.clone()));
            let core = message.clone().into_core(1, 2, &ConfState::default()).expect("a message of the core");
            assert_eq!((core.from, core.to), (1, 2));
            assert_eq!(Message::of(&core, 5), Some(message.clone()));
            let leads = matches!(message, Message::Append { .. } | Message::Beat { .. } | Message::Snapshot { .. });
            assert_eq!(is_of_leader(&message.to_wire()), leads, "{message:?}");
        }
    }

    #[test]
    fn numbers_that_would_stop_the_core_are_refused() {
        let beat = |term, commit| Message::Beat { height: 5, term, commit };
        let snapshot = |index, log_term| Message::Snapshot { height: 5, term: 4, index, log_term, accepted: 4 };
        let bad = [
            append(3, 0, 3),
            append(0, 1, 3),
            append(3, 2, 0),
            append(3, 2, 1),
            append(3, 2, 5),
            append(3, 5, 5),
            beat(0, 0),
            beat(1, u64::MAX),
            beat(u64::MAX, 0),
            snapshot(0, 0),
            snapshot(3, 0),
            snapshot(u64::MAX, 2),
        ];
        for message in bad {
            assert_eq!(Message::parse(&message.to_wire(), 1 << 20), Err(MessageFault::Numbers), "{message:?}");
        }
        let long = Message::Append {
            height: 5,
            term: 4,
            index: 3,
            log_term: 2,
            commit: 2,
            entry: Some(Slot { term: 3, data: Data(vec![0; 2000]) }),
        };
        assert_eq!(Message::parse(&long.to_wire(), 1000), Err(MessageFault::TooLong(long.to_wire().len())));
    }
}
