//! What is signed, and each signature verified once.

use std::collections::BTreeMap;

use base_gm::{
    sm2::{self, PublicKey, Signature},
    sm3,
};
use base_types::Digest;
use ledger_light::{VoteKind, vote_bytes};
use malachite_core::ConsensusMsg;
use malachite_types::{NilOrVal, Round, VoteType};

use crate::context::{Address, LedgerContext, Proposal, Vote};

/// Signatures remembered at most; beyond, they are verified again.
const MAX_REMEMBERED: usize = 8192;

/// A round as it is signed; the core gives every message a round, and the wire none as high as this.
fn signed_round(round: Round) -> u32 {
    round.as_u32().unwrap_or(u32::MAX)
}

/// What the voter signs: as `ledger_light` verifies it.
pub(crate) fn vote_digest(chain: &Digest, vote: &Vote) -> Digest {
    let kind = match vote.kind {
        VoteType::Prevote => VoteKind::Prevote,
        VoteType::Precommit => VoteKind::Precommit,
    };
    let block = match &vote.value {
        NilOrVal::Nil => None,
        NilOrVal::Val(id) => Some(id),
    };
    vote_bytes(chain, kind, vote.height.0, signed_round(vote.round), block)
}

/// What the proposer signs: the whole block, not only what its header names.
pub(crate) fn proposal_digest(chain: &Digest, proposal: &Proposal) -> Digest {
    let polka = proposal.polka.as_u32().map(u32::to_be_bytes);
    sm3::tagged(
        "heqi/proposal/1",
        &[
            &chain.0,
            &proposal.height.0.to_be_bytes(),
            &signed_round(proposal.round).to_be_bytes(),
            polka.as_ref().map_or(&[][..], |round| &round[..]),
            &proposal.value.id.0,
            &proposal.value.body.0,
        ],
    )
}

/// Verifies signatures and remembers the good ones of a height: votes come again in certificates and rebroadcasts.
pub(crate) struct Signatures {
    chain: Digest,
    good: BTreeMap<(Digest, Address), Signature>,
}

impl Signatures {
    pub fn new(chain: Digest) -> Self {
        Self { chain, good: BTreeMap::new() }
    }
    /// Forgets what another height needed.
    pub fn clear(&mut self) {
        self.good.clear();
    }
    /// Remembers an own signature.
    pub fn trust(&mut self, digest: Digest, signer: Address, seal: Signature) {
        if self.good.len() < MAX_REMEMBERED {
            self.good.insert((digest, signer), seal);
        }
    }
    /// Whether `signer`, whose key is `key`, signed this.
    pub fn verify(&mut self, message: &ConsensusMsg<LedgerContext>, key: &PublicKey, seal: &Signature) -> bool {
        match message {
            ConsensusMsg::Vote(vote) => self.check(vote_digest(&self.chain, vote), &vote.voter, key, seal),
            ConsensusMsg::Proposal(proposal) => {
                self.check(proposal_digest(&self.chain, proposal), &proposal.proposer, key, seal)
            }
        }
    }
    /// Whether `key`'s owner cast this vote.
    pub fn verify_vote(&mut self, vote: &Vote, key: &PublicKey, seal: &Signature) -> bool {
        self.check(vote_digest(&self.chain, vote), &vote.voter, key, seal)
    }

    fn check(&mut self, digest: Digest, signer: &Address, key: &PublicKey, seal: &Signature) -> bool {
        let name = (digest, signer.clone());
        if self.good.get(&name) == Some(seal) {
            return true;
        }
        let good = sm2::verify(key, &digest.0, seal).is_ok();
        if good {
            self.trust(name.0, name.1, *seal);
        }
        good
    }
}
