//! GM certificates: X.509 v3 with SM2 keys and sm2-with-sm3 signatures, one CA an organisation and nothing between.
//!
//! A certificate that parses is complete and canonical: strict DER that re-encodes to itself, one `O` that is an
//! organisation's identifier, one `CN`, a checked SM2 key, a signature in range, and no critical extension unknown here.

mod form;
mod issue;

pub use issue::{Subject, issue, self_signed_ca};

use base_types::{OrgId, TimeMs};
use base_wire::{Decode, Encode, Reader, WireError};
use der::pem::{self, LineEnding};
use thiserror::Error;

use crate::sm2::{self, PublicKey, Signature};

/// Longest certificate that is read.
pub const MAX_BYTES: usize = 16 << 10;

const PEM_LABEL: &str = "CERTIFICATE";

/// Why a certificate is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CertFault {
    /// The bytes are no certificate of our profile.
    #[error("the certificate is malformed: {0}")]
    Malformed(&'static str),
    /// It, or its CA's, begins later.
    #[error("the certificate is not valid yet")]
    NotYetValid,
    /// It, or its CA's, has ended.
    #[error("the certificate has expired")]
    Expired,
    /// Another CA issued it, or its subject is not of the CA's organisation.
    #[error("the certificate was issued by another authority")]
    WrongIssuer,
    /// The CA's key did not sign it.
    #[error("the certificate's signature is wrong")]
    BadSignature,
    /// What is taken for a CA may not issue certificates.
    #[error("the issuer's certificate is not a certificate authority's")]
    NotCa,
}

/// A parsed certificate. Parsing proves nothing about who issued it: that is [`verify`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificate {
    der: Vec<u8>,
    pem: String,
    /// The part that is signed, and the signature.
    signed: Vec<u8>,
    signature: Signature,
    /// Distinguished names, as DER.
    issuer: Vec<u8>,
    subject: Vec<u8>,
    org: OrgId,
    name: String,
    key: PublicKey,
    serial: [u8; 16],
    not_before: TimeMs,
    not_after: TimeMs,
    ca: bool,
}

impl Certificate {
    /// Parses DER.
    ///
    /// # Errors
    /// [`CertFault::Malformed`].
    pub fn from_der(der: &[u8]) -> Result<Self, CertFault> {
        form::parse(der)
    }

    /// Parses one PEM block.
    ///
    /// # Errors
    /// [`CertFault::Malformed`].
    pub fn from_pem(text: &str) -> Result<Self, CertFault> {
        if text.len() > 2 * MAX_BYTES {
            return Err(CertFault::Malformed("too long"));
        }
        let (label, der) = pem::decode_vec(text.trim().as_bytes()).map_err(|_| CertFault::Malformed("PEM"))?;
        if label != PEM_LABEL {
            return Err(CertFault::Malformed("PEM label"));
        }
        Self::from_der(&der)
    }

    /// The certificate's bytes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate as a PEM block.
    pub fn pem(&self) -> String {
        self.pem.clone()
    }

    /// The organisation (`O`).
    pub fn subject_org(&self) -> OrgId {
        self.org.clone()
    }

    /// The person or service (`CN`).
    pub fn subject_name(&self) -> &str {
        &self.name
    }

    /// The certified key.
    pub fn key(&self) -> PublicKey {
        self.key
    }

    /// The serial number, big-endian.
    pub fn serial(&self) -> [u8; 16] {
        self.serial
    }

    /// First moment of validity.
    pub fn not_before(&self) -> TimeMs {
        self.not_before
    }

    /// Last moment of validity.
    pub fn not_after(&self) -> TimeMs {
        self.not_after
    }

    /// Whether it may issue certificates.
    pub fn is_ca(&self) -> bool {
        self.ca
    }

    fn valid_at(&self, now: TimeMs) -> Result<(), CertFault> {
        if now < self.not_before {
            return Err(CertFault::NotYetValid);
        }
        if now > self.not_after { Err(CertFault::Expired) } else { Ok(()) }
    }
}

impl Encode for Certificate {
    fn encode(&self, out: &mut Vec<u8>) {
        self.der.encode(out);
    }
}

impl Decode for Certificate {
    const MIN_BYTES: usize = 4;
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        let len = input.count("certificate", 1)?;
        Self::from_der(input.take("certificate", len)?).map_err(|_| WireError::NotCanonical("certificate"))
    }
}

/// Checks that `ca` issued `cert` to one of its own organisation and that both are valid at `now`. A CA's own
/// certificate verifies against itself; a CA vouches for no other CA.
///
/// # Errors
/// [`CertFault`]; the signature is checked before the dates, so that dates are only reported of what the CA said.
pub fn verify(cert: &Certificate, ca: &Certificate, now: TimeMs) -> Result<(), CertFault> {
    if !ca.ca {
        return Err(CertFault::NotCa);
    }
    let other_ca = cert.ca && cert.der != ca.der;
    if cert.issuer != ca.subject || cert.org != ca.org || other_ca {
        return Err(CertFault::WrongIssuer);
    }
    sm2::verify(&ca.key, &cert.signed, &cert.signature).map_err(|_| CertFault::BadSignature)?;
    ca.valid_at(now)?;
    cert.valid_at(now)
}

/// The PEM block of a certificate's bytes.
fn to_pem(der: &[u8]) -> Result<String, CertFault> {
    pem::encode_string(PEM_LABEL, LineEnding::LF, der).map_err(|_| CertFault::Malformed("PEM"))
}

#[cfg(test)]
mod tests;
