//! What this validator has signed at a height: never two different messages of one kind for one round.

use std::collections::BTreeMap;

use base_gm::sm2::Signature;
use malachite_types::{Round, SignedMessage, VoteType};
use thiserror::Error;

use crate::context::{Proposal, SignedProposal, SignedVote, Vote};

/// A signature that must not be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum Refusal {
    /// Another vote of this kind was signed in this round.
    #[error("a second {0:?} for round {1}")]
    SecondVote(VoteType, Round),
    /// Another proposal was signed in this round.
    #[error("a second proposal for round {0}")]
    SecondProposal(Round),
    /// Of another height than the one being decided.
    #[error("a message of another height")]
    OtherHeight,
}

/// Own votes and proposals of a height; after a restart, those of the log first.
#[derive(Default)]
pub(crate) struct Own {
    votes: BTreeMap<(VoteType, Round), SignedVote>,
    proposals: BTreeMap<Round, SignedProposal>,
}

impl Own {
    /// Notes what the log says was signed; the first record of a name stands.
    pub fn recall_vote(&mut self, vote: &SignedVote) {
        self.votes.entry((vote.message.kind, vote.message.round)).or_insert_with(|| vote.clone());
    }
    /// As [`Own::recall_vote`].
    pub fn recall_proposal(&mut self, proposal: &SignedProposal) {
        self.proposals.entry(proposal.message.round).or_insert_with(|| proposal.clone());
    }

    /// Signs a vote, or finds it signed.
    pub fn vote(&mut self, vote: Vote, sign: impl FnOnce(&Vote) -> Signature) -> Result<SignedVote, Refusal> {
        let name = (vote.kind, vote.round);
        match self.votes.get(&name) {
            Some(signed) if signed.message == vote => Ok(signed.clone()),
            Some(_) => Err(Refusal::SecondVote(name.0, name.1)),
            None => {
                let seal = sign(&vote);
                let signed = SignedMessage::new(vote, seal);
                self.votes.insert(name, signed.clone());
                Ok(signed)
            }
        }
    }

    /// Signs a proposal, or finds it signed.
    pub fn propose(
        &mut self,
        proposal: Proposal,
        sign: impl FnOnce(&Proposal) -> Signature,
    ) -> Result<SignedProposal, Refusal> {
        match self.proposals.get(&proposal.round) {
            Some(signed) if signed.message == proposal => Ok(signed.clone()),
            Some(_) => Err(Refusal::SecondProposal(proposal.round)),
            None => {
                let seal = sign(&proposal);
                let signed = SignedMessage::new(proposal, seal);
                self.proposals.insert(signed.message.round, signed.clone());
                Ok(signed)
            }
        }
    }

    /// The proposal signed for a round.
    pub fn proposal(&self, round: Round) -> Option<&SignedProposal> {
        self.proposals.get(&round)
    }
    /// The votes signed for a round.
    pub fn votes(&self, round: Round) -> impl Iterator<Item = &SignedVote> {
        [VoteType::Prevote, VoteType::Precommit].into_iter().filter_map(move |kind| self.votes.get(&(kind, round)))
    }
}

#[cfg(test)]
mod tests {
    use base_gm::sm2::SecretKey;
    use base_types::{Digest, OrgId};
    use malachite_types::NilOrVal;

    use super::*;
    use crate::context::{Address, BlockHeight};

    fn vote(kind: VoteType, round: u32, value: NilOrVal<Digest>) -> Vote {
        let voter = Address(OrgId::new("a").expect("a name"));
        Vote { kind, height: BlockHeight(1), round: Round::new(round), value, voter }
    }

    #[test]
    fn a_second_different_vote_is_refused_and_the_same_one_is_found() {
        let key = SecretKey::from_seed(b"own");
        let sign = |_: &Vote| key.sign(b"x");
        let some = NilOrVal::Val(Digest([1; 32]));
        let mut own = Own::default();
        let first = own.vote(vote(VoteType::Prevote, 0, some), sign).expect("the first");
        assert_eq!(own.vote(vote(VoteType::Prevote, 0, some), |_| unreachable!()), Ok(first));
        let second = own.vote(vote(VoteType::Prevote, 0, NilOrVal::Nil), |_| unreachable!());
        assert_eq!(second, Err(Refusal::SecondVote(VoteType::Prevote, Round::new(0))));
        assert!(own.vote(vote(VoteType::Precommit, 0, NilOrVal::Nil), sign).is_ok());
        assert!(own.vote(vote(VoteType::Prevote, 1, NilOrVal::Nil), sign).is_ok());
    }

    #[test]
    fn what_the_log_says_was_signed_binds() {
        let key = SecretKey::from_seed(b"own");
        let nil = SignedMessage::new(vote(VoteType::Precommit, 3, NilOrVal::Nil), key.sign(b"x"));
        let mut own = Own::default();
        own.recall_vote(&nil);
        let other = vote(VoteType::Precommit, 3, NilOrVal::Val(Digest([1; 32])));
        assert!(own.vote(other, |_| unreachable!()).is_err());
        assert_eq!(own.votes(Round::new(3)).count(), 1);
    }
}
