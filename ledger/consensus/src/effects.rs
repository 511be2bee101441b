//! Every effect of the core becomes an output here, or is answered on the spot.

use base_gm::{sm2::PublicKey, sm3};
use base_types::Digest;
use base_wire::Encode;
use ledger_light::Block;
use malachite_core::{
    ConsensusMsg, Effect, LivenessMsg, MisbehaviorEvidence, Resumable, Resume, SignedConsensusMsg, VoteExtensionError,
};
use malachite_types::{CertificateError, CommitCertificate, Round, SignedMessage, Timeout};

use crate::{
    Output, TimerKind, WalRecord, certificate,
    context::{BlockHeight, CoreInput, LedgerContext, Proposal, SignedProposal, SignedVote, Vote},
    own::Refusal,
    shell::{Replay, Shell},
    signing, wal,
    wire::Message,
};

impl Shell {
    fn save(&mut self, height: BlockHeight, input: &CoreInput) {
        if self.done || height.0 != self.height {
            return;
        }
        if let Some(record) = WalRecord::of(height, input, &self.me) {
            let known = |replay: &Replay| replay.recorded.contains(&sm3::sm3(&record.to_wire()));
            if !self.replay.as_ref().is_some_and(known) {
                self.unsaved.push(record);
            }
        }
        match input {
            CoreInput::Proposal(proposal) => self.accepted(&proposal.message),
            // Our own vote, perhaps from a peer's certificate after our log was lost: it binds all the same.
            CoreInput::Vote(vote) if vote.message.voter == self.me => self.own.recall_vote(vote),
            _ => {}
        }
    }

    /// The core has verified and stored a proposal: its block must be checked, once.
    fn accepted(&mut self, proposal: &Proposal) {
        if !self.blocks.propose(proposal) {
            return;
        }
        let honest = proposal.polka.is_defined() || proposal.value.block.header.proposer == proposal.proposer.0;
        if !honest || !self.fits(&proposal.value) {
            self.blame(proposal.proposer.0.clone(), "proposed a block that does not belong to this height");
            self.judge(&proposal.value.id, false);
        } else if self.replay.is_none() {
            let round = proposal.round.as_u32().unwrap_or(0);
            let block = Block::clone(&proposal.value.block);
            self.outputs.push(Output::Check { height: self.height, round, block });
        }
    }

    /// A block has been checked.
    pub fn judge(&mut self, id: &Digest, valid: bool) {
        let height = BlockHeight(self.height);
        let Some(known) = self.blocks.judge(id, valid) else { return };
        self.later.push_back(wal::judged(known.judged(height, valid)));
        if !valid && known.fresh {
            let by = known.proposer.0.clone();
            self.blame(by, "proposed a block that is not valid here");
        }
    }

    /// This node is the proposer of a round.
    pub fn build(&mut self, round: u32, deadline_ms: u64) {
        match &mut self.replay {
            Some(replay) => replay.build = Some((round, deadline_ms)),
            None if self.own.proposal(Round::new(round)).is_some() => {}
            None => self.outputs.push(Output::Build { height: self.height, round, deadline_ms }),
        }
    }

    fn sign_vote(&mut self, vote: Vote) -> Result<SignedVote, Refusal> {
        if vote.height.0 != self.height {
            return Err(Refusal::OtherHeight);
        }
        let (digest, key) = (signing::vote_digest(&self.chain, &vote), &self.key);
        let signed = self.own.vote(vote, |_| key.sign(&digest.0))?;
        self.signatures.trust(digest, self.me.clone(), signed.signature);
        Ok(signed)
    }

    fn sign_proposal(&mut self, proposal: Proposal) -> Result<SignedProposal, Refusal> {
        if proposal.height.0 != self.height {
            return Err(Refusal::OtherHeight);
        }
        let (digest, key) = (signing::proposal_digest(&self.chain, &proposal), &self.key);
        let signed = self.own.propose(proposal, |_| key.sign(&digest.0))?;
        self.signatures.trust(digest, self.me.clone(), signed.signature);
        Ok(signed)
    }

    fn verify(&mut self, signed: &SignedMessage<LedgerContext, ConsensusMsg<LedgerContext>>, key: &PublicKey) -> bool {
        let good = self.signatures.verify(&signed.message, key, &signed.signature);
        if !good && let Some(from) = self.from.clone() {
            self.blame(from, "sent a message with a wrong signature");
        }
        good
    }

    fn checked_certificate<E>(&mut self, verdict: Result<(), E>) -> Result<(), E> {
        if verdict.is_err()
            && let Some(from) = self.from.clone()
        {
            self.blame(from, "sent a certificate that does not hold");
        }
        verdict
    }

    fn finalize(
        &mut self,
        certificate: &CommitCertificate<LedgerContext>,
        evidence: &MisbehaviorEvidence<LedgerContext>,
    ) {
        let block = self.blocks.get(&certificate.value_id).filter(|known| known.valid == Some(true));
        let proof = self.validators.as_ref().and_then(|set| certificate::to_ledger(certificate, set));
        let (Some(known), Some(proof)) = (block, proof) else {
            tracing::error!(height = self.height, block = %certificate.value_id, "decided a block that is not known");
            return;
        };
        let block = Block::clone(&known.value.block);
        for by in evidence.votes.iter().map(|(by, _)| by.0.clone()) {
            self.blame(by, "signed two different votes for one round");
        }
        let proposers = self.validators.iter().flat_map(malachite_types::ValidatorSet::iter);
        let two = proposers.map(|v| v.address.clone()).filter(|a| evidence.proposals.get(a).is_some());
        for by in two.collect::<Vec<_>>() {
            self.blame(by.0, "signed two different proposals for one round");
        }
        self.done = true;
        // The rebroadcast of our votes goes on until the next height starts: a peer may still need them.
        for id in self.timers.iter().filter(|id| id.kind != TimerKind::Rebroadcast).copied().collect::<Vec<_>>() {
            self.cancel(id);
        }
        self.publish(Output::Decided { block, certificate: proof });
    }

    fn schedule(&mut self, timeout: Timeout) {
        if let Some(id) = self.timer_of(timeout) {
            self.set_timer(id);
        }
    }

    fn unschedule(&mut self, timeout: Timeout) {
        if let Some(id) = self.timer_of(timeout) {
            self.cancel(id);
        }
    }

    fn wanted(&mut self, round: Round, timeout: Timeout) {
        let wait = self.timer_of(timeout).map_or(0, |id| self.options.wait_ms(id.kind, id.round));
        if let Some(round) = round.as_u32() {
            self.build(round, wait);
        }
    }

    /// Handles one effect and says how the core goes on.
    pub fn on(&mut self, effect: Effect<LedgerContext>) -> Result<Resume<LedgerContext>, Refusal> {
        match effect {
            Effect::CancelAllTimeouts(_) => self.cancel_all(),
            Effect::CancelTimeout(timeout, _) => self.unschedule(timeout),
            Effect::ScheduleTimeout(timeout, _) => self.schedule(timeout),
            Effect::StartRound(_, round, _, _, _) => self.round = round,
            Effect::PublishConsensusMsg(SignedConsensusMsg::Vote(vote), _)
            | Effect::PublishLivenessMsg(LivenessMsg::Vote(vote), _)
            | Effect::RepublishVote(vote, _) => self.broadcast(&Message::Vote((&vote).into())),
            Effect::PublishConsensusMsg(SignedConsensusMsg::Proposal(proposal), _) => {
                self.broadcast(&Message::Proposal((&proposal).into()));
            }
            Effect::PublishLivenessMsg(LivenessMsg::PolkaCertificate(polka), _) => {
                self.broadcast(&Message::Polka((&polka).into()));
            }
            Effect::PublishLivenessMsg(LivenessMsg::SkipRoundCertificate(round), _)
            | Effect::RepublishRoundCertificate(round, _) => self.broadcast(&Message::Round((&round).into())),
            Effect::GetValue(_, round, timeout, _) => self.wanted(round, timeout),
            Effect::WalAppend(height, input, _) => self.save(height, &input),
            // The height is put out as decided when it is finalised, which follows at once.
            Effect::Decide(_, _, _) => {}
            Effect::Finalize(certificate, _, evidence, _) => self.finalize(&certificate, &evidence),
            // The proposal itself carries the block.
            Effect::RestreamProposal(_, _, _, _, _, _) => {}
            // The core is given no synced blocks: the chain verifies and stores those itself.
            Effect::CertVerifiedSyncValue(_, _, _) | Effect::CertRejectedSyncValue(_, _, _, _) => {}
            other => return self.answer(other),
        }
        Ok(Resume::Continue)
    }

    /// Handles the effects that ask for something.
    fn answer(&mut self, effect: Effect<LedgerContext>) -> Result<Resume<LedgerContext>, Refusal> {
        Ok(match effect {
            Effect::SignVote(vote, r) => r.resume_with(self.sign_vote(vote)?),
            Effect::SignProposal(proposal, r) => r.resume_with(self.sign_proposal(proposal)?),
            Effect::VerifySignature(message, key, r) => r.resume_with(self.verify(&message, &key)),
            Effect::VerifyCommitCertificate(c, set, thresholds, r) => {
                r.resume_with(certificate::verify_commit(&c, &set, thresholds, &mut self.signatures))
            }
            Effect::VerifyPolkaCertificate(c, set, thresholds, r) => {
                let verdict = certificate::verify_polka(&c, &set, thresholds, &mut self.signatures);
                r.resume_with(self.checked_certificate(verdict))
            }
            Effect::VerifyRoundCertificate(c, set, thresholds, r) => {
                let verdict = certificate::verify_round(&c, &set, thresholds, &mut self.signatures);
                r.resume_with(self.checked_certificate(verdict))
            }
            // Vote extensions are off, and so are synced certificates.
            Effect::VerifyExtendedCommitCertificate(_, _, _, _, r) => {
                r.resume_with(Err(CertificateError::VerificationError(None)))
            }
            Effect::ExtendVote(_, _, _, _, r) => r.resume_with(None),
            Effect::VerifyVoteExtension(_, _, _, _, _, _, r) => {
                r.resume_with(Err(VoteExtensionError::InvalidVoteExtension))
            }
            _ => Resume::Continue,
        })
    }
}
