//! Quorum certificates: more than two thirds of an epoch's validators signed one block.

use base_gm::{
    sm2::{self, Signature},
    sm3,
};
use base_types::{Digest, Height};
use base_wire::wire_struct;
use thiserror::Error;

use crate::{Epoch, Header};

/// Which step of a round a vote belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum VoteKind {
    /// First step.
    Prevote = 1,
    /// Second step; certificates are made of these.
    Precommit = 2,
}

/// What a validator signs for a vote; `block` is `None` for a vote for nothing.
pub fn vote_bytes(chain: &Digest, kind: VoteKind, height: Height, round: u32, block: Option<&Digest>) -> Digest {
    let named = block.map_or(&[][..], |d| &d.0[..]);
    sm3::tagged("heqi/vote/1", &[&chain.0, &[kind as u8], &height.to_be_bytes(), &round.to_be_bytes(), named])
}

/// Proof that a block is final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Height of the block.
    pub height: Height,
    /// The round in which it was decided.
    pub round: u32,
    /// Digest of the block's header.
    pub block: Digest,
    /// Precommits by place among the epoch's validators, in rising order.
    pub signatures: Vec<(u16, Signature)>,
}
wire_struct!(Certificate { height, round, block, signatures });

/// Why a certificate proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CertificateFault {
    /// It names another header.
    #[error("the certificate is for another block")]
    OtherBlock,
    /// The header names another epoch.
    #[error("the header is not of this epoch")]
    OtherEpoch,
    /// A place is out of range, doubled or out of order.
    #[error("the certificate's signers are not in order")]
    Signers,
    /// Too few signatures.
    #[error("the certificate has {have} signatures, {need} are needed")]
    NoQuorum {
        /// Signatures present.
        have: usize,
        /// Signatures needed.
        need: usize,
    },
    /// A signature does not verify.
    #[error("the signature of validator {0} is wrong")]
    BadSignature(u16),
}

impl Certificate {
    /// Checks that more than two thirds of `epoch` signed `header`.
    ///
    /// # Errors
    /// [`CertificateFault`].
    pub fn verify(&self, header: &Header, epoch: &Epoch) -> Result<(), CertificateFault> {
        if header.epoch != epoch.digest() {
            return Err(CertificateFault::OtherEpoch);
        }
        if self.height != header.height || self.block != header.digest() {
            return Err(CertificateFault::OtherBlock);
        }
        if !self.signatures.is_sorted_by(|a, b| a.0 < b.0) {
            return Err(CertificateFault::Signers);
        }
        let need = epoch.quorum();
        if self.signatures.len() < need {
            return Err(CertificateFault::NoQuorum { have: self.signatures.len(), need });
        }
        let message = vote_bytes(&header.chain, VoteKind::Precommit, self.height, self.round, Some(&self.block));
        for (place, signature) in &self.signatures {
            let validator = epoch.validators.get(usize::from(*place)).ok_or(CertificateFault::Signers)?;
            sm2::verify(&validator.key, &message.0, signature).map_err(|_| CertificateFault::BadSignature(*place))?;
        }
        Ok(())
    }
}
