//! From one epoch to the next: the old validators certify a header that names the new ones.

use base_types::{Digest, Height};
use base_wire::wire_struct;
use thiserror::Error;

use crate::{Certificate, CertificateFault, Epoch, Genesis, Header};

/// Most handovers that one verification walks through.
pub const MAX_HANDOVERS: usize = 100_000;

/// The last header of an epoch, its certificate, and the epoch that it names as the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handover {
    /// The header of the height before the new epoch's first.
    pub header: Header,
    /// The old validators' certificate of it.
    pub certificate: Certificate,
    /// The new epoch.
    pub epoch: Epoch,
}
wire_struct!(Handover { header, certificate, epoch });

/// Why a chain of handovers does not lead from the genesis to an epoch.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HandoverFault {
    /// A header is of another chain.
    #[error("the handover to epoch {0} is of another chain")]
    OtherChain(u64),
    /// A header does not name the epoch that follows, or its numbers do not follow.
    #[error("the handover to epoch {0} does not follow from the one before")]
    Gap(u64),
    /// The old validators did not certify a header.
    #[error("the handover to epoch {0}: {1}")]
    Certificate(u64, CertificateFault),
    /// No epoch of the walk is in force at the height.
    #[error("no epoch is known for height {0}")]
    Unknown(Height),
}

impl Handover {
    /// Checks that the validators of `old` handed over to this epoch.
    ///
    /// # Errors
    /// [`HandoverFault`].
    pub fn verify(&self, chain: &Digest, old: &Epoch) -> Result<(), HandoverFault> {
        let Self { header, certificate, epoch } = self;
        if &header.chain != chain {
            return Err(HandoverFault::OtherChain(epoch.number));
        }
        let follows = Some(epoch.number) == old.number.checked_add(1)
            && Some(epoch.first_height) == header.height.checked_add(1)
            && header.height >= old.first_height
            && header.next_epoch == epoch.digest();
        if !follows {
            return Err(HandoverFault::Gap(epoch.number));
        }
        certificate.verify(header, old).map_err(|why| HandoverFault::Certificate(epoch.number, why))
    }
}

/// The epoch in force at `height`, from the genesis by these handovers, all of which are checked up to there.
///
/// # Errors
/// [`HandoverFault`] at the first that does not hold.
pub fn epoch_at(genesis: &Genesis, handovers: &[Handover], height: Height) -> Result<Epoch, HandoverFault> {
    let chain = genesis.digest();
    let mut epoch = &genesis.epoch;
    for handover in handovers.iter().take(MAX_HANDOVERS).take_while(|h| h.epoch.first_height <= height) {
        handover.verify(&chain, epoch)?;
        epoch = &handover.epoch;
    }
    if epoch.first_height <= height { Ok(epoch.clone()) } else { Err(HandoverFault::Unknown(height)) }
}
