//! The messages between validators, bounded and canonical, and what the core makes of them.

use base_gm::sm2::Signature;
use base_types::{Digest, Height, OrgId};
use base_wire::{Decode, Encode, WireError, wire_enum, wire_struct};
use ledger_light::{Block, Transaction};
use malachite_types::{
    NilOrVal, PolkaCertificate, PolkaSignature, Round, RoundCertificate, RoundCertificateType, RoundSignature,
    SignedMessage, VoteType,
};
use thiserror::Error;

use crate::context::{
    Address, BlockHeight, CoreInput, LedgerContext, Proposal, SignedProposal, SignedVote, Value, Vote,
};

/// Most signatures of one certificate, hence most validators.
pub(crate) const MAX_SIGNATURES: usize = 256;
/// Longest message that carries no block: a round certificate of [`MAX_SIGNATURES`] votes.
const MAX_SMALL: usize = 64 << 10;
/// Tag of a proposal, the one message that carries a block.
const PROPOSAL: u8 = 2;
/// Highest round that is read; far above any that is ever reached.
const MAX_ROUND: u32 = 1 << 20;

/// A vote on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VoteMessage {
    pub height: Height,
    pub round: u32,
    pub precommit: bool,
    pub block: Option<Digest>,
    pub voter: OrgId,
    pub signature: Signature,
}
wire_struct!(VoteMessage { height, round, precommit, block, voter, signature });

/// A proposal on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProposalMessage {
    pub height: Height,
    pub round: u32,
    pub polka: Option<u32>,
    pub proposer: OrgId,
    pub signature: Signature,
    pub block: Block,
}
wire_struct!(ProposalMessage { height, round, polka, proposer, signature, block });

/// Proof that more than two thirds prevoted for a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PolkaMessage {
    pub height: Height,
    pub round: u32,
    pub block: Digest,
    pub signatures: Vec<(OrgId, Signature)>,
}
wire_struct!(PolkaMessage { height, round, block, signatures });

/// A vote inside a [`RoundMessage`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RoundVote {
    pub precommit: bool,
    pub block: Option<Digest>,
    pub voter: OrgId,
    pub signature: Signature,
}
wire_struct!(RoundVote { precommit, block, voter, signature });

/// Proof that a round may be entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RoundMessage {
    pub height: Height,
    pub round: u32,
    pub skip: bool,
    pub votes: Vec<RoundVote>,
}
wire_struct!(RoundMessage { height, round, skip, votes });

/// Anything a validator sends to another. The height comes first in all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    Vote(VoteMessage),
    Proposal(ProposalMessage),
    Polka(PolkaMessage),
    Round(RoundMessage),
}
wire_enum!(Message { 1 => Vote(m), 2 => Proposal(m), 3 => Polka(m), 4 => Round(m) });

/// Why a peer's bytes are no message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum MessageFault {
    #[error("a malformed message: {0}")]
    Malformed(#[from] WireError),
    #[error("a message of {0} bytes")]
    TooLong(usize),
    #[error("a message of round {0}")]
    Round(u32),
    #[error("a certificate of {0} signatures")]
    Signatures(usize),
    #[error("a block whose header does not commit to its transactions")]
    Block,
}

/// The height a message is about, without checking anything else: a peer that speaks of a later height is ahead.
pub fn message_height(bytes: &[u8]) -> Option<Height> {
    let height = bytes.get(1..9)?;
    Some(u64::from_be_bytes(height.try_into().ok()?))
}

fn kind(precommit: bool) -> VoteType {
    if precommit { VoteType::Precommit } else { VoteType::Prevote }
}

fn value(block: Option<Digest>) -> NilOrVal<Digest> {
    block.map_or(NilOrVal::Nil, NilOrVal::Val)
}

fn block(value: &NilOrVal<Digest>) -> Option<Digest> {
    match value {
        NilOrVal::Nil => None,
        NilOrVal::Val(id) => Some(*id),
    }
}

fn number(round: Round) -> u32 {
    round.as_u32().unwrap_or(u32::MAX)
}

impl Message {
    /// Reads a peer's bytes.
    pub fn parse(bytes: &[u8], max: usize) -> Result<Self, MessageFault> {
        let max = if bytes.first() == Some(&PROPOSAL) { max } else { max.min(MAX_SMALL) };
        if bytes.len() > max {
            return Err(MessageFault::TooLong(bytes.len()));
        }
        let message = Self::from_wire(bytes)?;
        let (round, signatures) = match &message {
            Self::Vote(m) => (m.round, 1),
            Self::Proposal(m) => (m.round.max(m.polka.unwrap_or(0)), 1),
            Self::Polka(m) => (m.round, m.signatures.len()),
            Self::Round(m) => (m.round, m.votes.len()),
        };
        if round > MAX_ROUND {
            return Err(MessageFault::Round(round));
        }
        if signatures > MAX_SIGNATURES {
            return Err(MessageFault::Signatures(signatures));
        }
        Ok(message)
    }

    /// The height it is about.
    pub fn height(&self) -> Height {
        match self {
            Self::Vote(m) => m.height,
            Self::Proposal(m) => m.height,
            Self::Polka(m) => m.height,
            Self::Round(m) => m.height,
        }
    }

    /// What the core is told.
    pub fn into_input(self) -> Result<CoreInput, MessageFault> {
        Ok(match self {
            Self::Vote(m) => CoreInput::Vote(m.into_core()),
            Self::Proposal(m) => CoreInput::Proposal(m.into_core()?),
            Self::Polka(m) => CoreInput::PolkaCertificate(m.into_core()),
            Self::Round(m) => CoreInput::RoundCertificate(m.into_core()),
        })
    }
}

impl VoteMessage {
    pub fn into_core(self) -> SignedVote {
        let Self { height, round, precommit, block, voter, signature } = self;
        let vote = Vote {
            kind: kind(precommit),
            height: BlockHeight(height),
            round: Round::new(round),
            value: value(block),
            voter: Address(voter),
        };
        SignedMessage::new(vote, signature)
    }
}

impl From<&SignedVote> for VoteMessage {
    fn from(signed: &SignedVote) -> Self {
        let Vote { kind, height, round, value, voter } = &signed.message;
        Self {
            height: height.0,
            round: number(*round),
            precommit: *kind == VoteType::Precommit,
            block: block(value),
            voter: voter.0.clone(),
            signature: signed.signature,
        }
    }
}

impl ProposalMessage {
    pub fn into_core(self) -> Result<SignedProposal, MessageFault> {
        let Self { height, round, polka, proposer, signature, block } = self;
        let proposal = Proposal {
            height: BlockHeight(height),
            round: Round::new(round),
            value: Value::new(block).ok_or(MessageFault::Block)?,
            polka: Round::from(polka),
            proposer: Address(proposer),
        };
        Ok(SignedMessage::new(proposal, signature))
    }
}

impl From<&SignedProposal> for ProposalMessage {
    fn from(signed: &SignedProposal) -> Self {
        let Proposal { height, round, value, polka, proposer } = &signed.message;
        Self {
            height: height.0,
            round: number(*round),
            polka: polka.as_u32(),
            proposer: proposer.0.clone(),
            signature: signed.signature,
            block: Block::clone(&value.block),
        }
    }
}

impl PolkaMessage {
    pub fn into_core(self) -> PolkaCertificate<LedgerContext> {
        let Self { height, round, block, signatures } = self;
        let of = |(org, signature)| PolkaSignature::new(Address(org), signature);
        PolkaCertificate {
            height: BlockHeight(height),
            round: Round::new(round),
            value_id: block,
            polka_signatures: signatures.into_iter().map(of).collect(),
        }
    }
}

impl From<&PolkaCertificate<LedgerContext>> for PolkaMessage {
    fn from(certificate: &PolkaCertificate<LedgerContext>) -> Self {
        let PolkaCertificate { height, round, value_id, polka_signatures } = certificate;
        let of = |s: &PolkaSignature<LedgerContext>| (s.address.0.clone(), s.signature);
        Self {
            height: height.0,
            round: number(*round),
            block: *value_id,
            signatures: polka_signatures.iter().map(of).collect(),
        }
    }
}

impl RoundMessage {
    fn into_core(self) -> RoundCertificate<LedgerContext> {
        let Self { height, round, skip, votes } = self;
        let of = |v: RoundVote| RoundSignature::new(kind(v.precommit), value(v.block), Address(v.voter), v.signature);
        RoundCertificate {
            height: BlockHeight(height),
            round: Round::new(round),
            cert_type: if skip { RoundCertificateType::Skip } else { RoundCertificateType::Precommit },
            round_signatures: votes.into_iter().map(of).collect(),
        }
    }
}

impl From<&RoundCertificate<LedgerContext>> for RoundMessage {
    fn from(certificate: &RoundCertificate<LedgerContext>) -> Self {
        let RoundCertificate { height, round, cert_type, round_signatures } = certificate;
        let of = |s: &RoundSignature<LedgerContext>| RoundVote {
            precommit: s.vote_type == VoteType::Precommit,
            block: block(&s.value_id),
            voter: s.address.0.clone(),
            signature: s.signature,
        };
        Self {
            height: height.0,
            round: number(*round),
            skip: *cert_type == RoundCertificateType::Skip,
            votes: round_signatures.iter().map(of).collect(),
        }
    }
}

/// Parts a message that ends with a block into what stands before the block, and the block; `None` for any other message,
/// which is sent as it is. A node that has the block's transactions need not be sent them again.
pub fn split_block(bytes: &[u8]) -> Option<(&[u8], Block)> {
    let block = match Message::from_wire(bytes) {
        Ok(Message::Proposal(proposal)) => proposal.block,
        _ => crate::raft::block_of(bytes)?,
    };
    let transactions: usize = block.transactions.iter().map(Transaction::size).sum();
    // The list's length takes four bytes.
    let at = bytes.len().checked_sub(block.header.to_wire().len() + 4 + transactions)?;
    Some((bytes.get(..at)?, block))
}

/// The message that [`split_block`] parted.
pub fn join_block(head: &[u8], block: &Block) -> Vec<u8> {
    let mut bytes = head.to_vec();
    block.encode(&mut bytes);
    bytes
}
