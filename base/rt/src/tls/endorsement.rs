//! The endorsement of a TLS key by a node's SM2 key, and its place in the X.509 certificate that TLS carries.

use base_gm::{
    cert::Certificate,
    sm2::{self, Signature},
    sm3,
};
use base_types::{TimeMs, fault::Code};
use base_wire::{Decode, wire_struct};
use x509_parser::{asn1_rs::Oid, certificate::X509Certificate, prelude::FromDer};

use super::{NodeIdentity, Refused};

/// The extension's object identifier, under the arc for UUIDs taken as integers. The libraries carry arcs of at most 64
/// bits, so this UUID's upper half is zero. Only our own verifiers look for it, and it is not critical.
pub(super) const EXTENSION: &[u64] = &[2, 25, 0x5a1c_93e7_d04b_86f2];

/// Longest TLS certificate that is read.
const MAX_BYTES: usize = 32 << 10;

/// A node's statement that a TLS key is its own for a time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endorsement {
    /// The node's certificate.
    pub certificate: Certificate,
    /// First moment of the endorsement.
    pub not_before: TimeMs,
    /// Its last moment.
    pub not_after: TimeMs,
    /// By the certified SM2 key, over TLS key and validity.
    pub signature: Signature,
}
wire_struct!(Endorsement { certificate, not_before, not_after, signature });

/// What is signed: the TLS key as SubjectPublicKeyInfo and the validity.
fn signed_bytes(spki: &[u8], not_before: TimeMs, not_after: TimeMs) -> [u8; 32] {
    sm3::tagged("heqi/tls/1", &[spki, &not_before.to_be_bytes(), &not_after.to_be_bytes()]).0
}

impl Endorsement {
    /// Endorses the TLS key `spki` (DER).
    pub(super) fn new(identity: &NodeIdentity, spki: &[u8], not_before: TimeMs, not_after: TimeMs) -> Self {
        let signature = identity.key.sign(&signed_bytes(spki, not_before, not_after));
        Self { certificate: identity.certificate.clone(), not_before, not_after, signature }
    }

    /// Checks signature and validity. Who issued the certificate is for the roots to judge.
    pub(super) fn check(&self, spki: &[u8], now: TimeMs) -> Result<(), Refused> {
        let bytes = signed_bytes(spki, self.not_before, self.not_after);
        sm2::verify(&self.certificate.key(), &bytes, &self.signature)
            .map_err(|_| Refused::invalid("its TLS key is not endorsed by its certificate"))?;
        if now < self.not_before {
            return Err(Refused::invalid("its TLS key is not valid yet"));
        }
        if now > self.not_after {
            return Err(Refused { code: Code::CertificateExpired, why: "its TLS key has expired".into() });
        }
        Ok(())
    }
}

/// The endorsement inside a TLS certificate and the key (SubjectPublicKeyInfo, DER) that it has to be about.
pub(super) fn read(der: &[u8]) -> Result<(Endorsement, &[u8]), Refused> {
    if der.len() > MAX_BYTES {
        return Err(Refused::invalid("it is too long"));
    }
    let (rest, parsed) =
        X509Certificate::from_der(der).map_err(|_| Refused::invalid("it is not an X.509 certificate"))?;
    if !rest.is_empty() {
        return Err(Refused::invalid("bytes follow it"));
    }
    let oid = Oid::from(EXTENSION).map_err(|_| Refused::invalid("the extension's name cannot be written"))?;
    let missing = || Refused::invalid("it carries no endorsement");
    let extension = parsed.get_extension_unique(&oid).map_err(|_| missing())?.ok_or_else(missing)?;
    let endorsement =
        Endorsement::from_wire(extension.value).map_err(|_| Refused::invalid("its endorsement cannot be read"))?;
    Ok((endorsement, parsed.tbs_certificate.subject_pki.raw))
}
