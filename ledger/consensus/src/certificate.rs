//! Certificates: the core's are verified here, and its commit certificate becomes the ledger's.

use std::collections::{BTreeMap, BTreeSet};

use ledger_light::Certificate;
use malachite_types::{
    CertificateError, CommitCertificate, Context, NilOrVal, PolkaCertificate, RoundCertificate, RoundCertificateType,
    SignedMessage, ThresholdParam, ThresholdParams, Validator, ValidatorSet as _, VoteType,
};

use crate::{
    context::{LedgerContext, SignedVote, ValidatorSet},
    signing::Signatures,
};

type Verdict = Result<(), CertificateError<LedgerContext>>;

/// The ledger's certificate: places in rising order. `None` when it does not fit the validators.
pub(crate) fn to_ledger(certificate: &CommitCertificate<LedgerContext>, set: &ValidatorSet) -> Option<Certificate> {
    let signatures = certificate
        .commit_signatures
        .iter()
        .map(|s| Some((set.place_of(&s.address)?, s.signature)))
        .collect::<Option<BTreeMap<_, _>>>()?;
    Some(Certificate {
        height: certificate.height.0,
        round: certificate.round.as_u32()?,
        block: certificate.value_id,
        signatures: signatures.into_iter().collect(),
    })
}

/// Checks votes of one certificate and that their voters are enough.
struct Tally<'a> {
    set: &'a ValidatorSet,
    signatures: &'a mut Signatures,
    need: ThresholdParam,
}

impl Tally<'_> {
    fn verify(&mut self, votes: impl Iterator<Item = SignedVote>) -> Verdict {
        let mut seen = BTreeSet::new();
        for vote in votes {
            let address = vote.message.voter.clone();
            let Some(validator) = self.set.get_by_address(&address) else {
                return Err(CertificateError::UnknownValidator(address));
            };
            if !seen.insert(address.clone()) {
                return Err(CertificateError::DuplicateVote(address));
            }
            if !self.signatures.verify_vote(&vote.message, validator.public_key(), &vote.signature) {
                return Err(CertificateError::VerificationError(None));
            }
        }
        let (signed, total) = (seen.len() as u64, self.set.total_voting_power());
        if self.need.is_met(signed, total) {
            return Ok(());
        }
        Err(CertificateError::NotEnoughVotingPower { signed, total, expected: self.need.min_expected(total) })
    }
}

/// More than two thirds committed.
pub(crate) fn verify_commit(
    certificate: &CommitCertificate<LedgerContext>,
    set: &ValidatorSet,
    thresholds: ThresholdParams,
    signatures: &mut Signatures,
) -> Verdict {
    let precommits = certificate.commit_signatures.iter().map(|s| {
        let value = NilOrVal::Val(certificate.value_id);
        let vote = LedgerContext.new_precommit(certificate.height, certificate.round, value, s.address.clone());
        SignedMessage::new(vote, s.signature.clone())
    });
    Tally { set, signatures, need: thresholds.quorum }.verify(precommits)
}

/// More than two thirds prevoted for one value.
pub(crate) fn verify_polka(
    certificate: &PolkaCertificate<LedgerContext>,
    set: &ValidatorSet,
    thresholds: ThresholdParams,
    signatures: &mut Signatures,
) -> Verdict {
    Tally { set, signatures, need: thresholds.quorum }.verify(certificate.votes(&LedgerContext))
}

/// A round may be entered: more than two thirds precommitted in the one before, or more than one third are in it.
pub(crate) fn verify_round(
    certificate: &RoundCertificate<LedgerContext>,
    set: &ValidatorSet,
    thresholds: ThresholdParams,
    signatures: &mut Signatures,
) -> Verdict {
    let need = match certificate.cert_type {
        RoundCertificateType::Skip => thresholds.honest,
        RoundCertificateType::Precommit => {
            let stray = certificate.round_signatures.iter().find(|s| s.vote_type != VoteType::Precommit);
            if let Some(stray) = stray {
                return Err(CertificateError::InvalidVoteType(stray.address.clone()));
            }
            thresholds.quorum
        }
    };
    Tally { set, signatures, need }.verify(certificate.votes(&LedgerContext))
}
