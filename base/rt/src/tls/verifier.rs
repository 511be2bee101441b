//! Checks the peer's TLS certificate: its endorsement, the endorsing certificate, and who may be at the other end.

use std::{fmt, sync::Arc};

use base_types::OrgId;
use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, PeerMisbehaved, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key},
    pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime},
    server::danger::{ClientCertVerified, ClientCertVerifier},
};

use super::{Refused, TrustRoots, endorsement};
use crate::clock::Clock;

/// The only scheme in which a node signs handshakes.
const SCHEME: SignatureScheme = SignatureScheme::ECDSA_NISTP256_SHA256;

/// The verifier of both sides; a connecting side names whom it expects.
pub(super) struct Verifier {
    roots: Arc<TrustRoots>,
    clock: Arc<dyn Clock>,
    expected: Option<OrgId>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    pub(super) fn new(
        roots: Arc<TrustRoots>,
        clock: Arc<dyn Clock>,
        expected: Option<OrgId>,
        provider: &CryptoProvider,
    ) -> Self {
        Self { roots, clock, expected, algorithms: provider.signature_verification_algorithms }
    }

    fn check(&self, certificate: &[u8]) -> Result<(), Refused> {
        let org = check(certificate, &self.roots, &*self.clock)?;
        match &self.expected {
            Some(expected) if *expected != org => {
                Err(Refused::invalid(format!("{expected} was expected, {org} answered")))
            }
            _ => Ok(()),
        }
    }

    /// The handshake must be signed by the very key that was endorsed: both are read by one parser.
    fn check_handshake(
        &self,
        message: &[u8],
        certificate: &[u8],
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if signed.scheme != SCHEME {
            return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
        }
        let (_, spki) = endorsement::read(certificate)?;
        let spki = SubjectPublicKeyInfoDer::from(spki);
        verify_tls13_signature_with_raw_key(message, &spki, signed, &self.algorithms)
    }
}

/// The organisation whose node the certificate is, now.
pub(super) fn check(certificate: &[u8], roots: &TrustRoots, clock: &dyn Clock) -> Result<OrgId, Refused> {
    let now = clock.now_ms();
    let (endorsement, spki) = endorsement::read(certificate)?;
    let org = roots.check_node(&endorsement.certificate, now)?;
    endorsement.check(spki, now)?;
    Ok(org)
}

fn no_tls12() -> Error {
    Error::General("TLS 1.2 is not spoken here".into())
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.expected {
            Some(org) => write!(f, "accepts {org}"),
            None => f.write_str("accepts every known organisation"),
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _others: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(certificate)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check_handshake(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SCHEME]
    }
}

impl ClientCertVerifier for Verifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _others: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(certificate)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check_handshake(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SCHEME]
    }
}
