//! TLS 1.3 between nodes, both sides authenticated: an ephemeral P-256 key that the node's SM2 certificate endorses.
//!
//! The X.509 certificate that TLS carries is only an envelope: nobody reads its names or dates. What counts is its key and
//! one private extension, the [`Endorsement`], which the other side checks against the organisation's CA, the revocations
//! it knows and its clock. Sessions are never resumed, since a resumed session would skip that check.

mod endorsement;
mod key;
mod refusal;
mod roots;
mod verifier;

use std::sync::Arc;

use base_gm::{cert::Certificate, sm2::SecretKey};
use base_types::OrgId;
use rustls::{
    ClientConfig, ServerConfig,
    client::Resumption,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, ServerName},
    server::NoServerSessionStorage,
    version::TLS13,
};
use thiserror::Error;

pub use endorsement::Endorsement;
pub use refusal::{Refused, fault_in, fault_of};
pub use roots::TrustRoots;

use crate::clock::Clock;
use key::EndorsedKey;
use verifier::Verifier;

/// The common name (`CN`) of a node's certificate. An organisation's CA also certifies persons, whose keys open no link.
pub const NODE_NAME: &str = "node";

/// Who a node is: its organisation, the certificate that the organisation's CA issued, and the key therein.
#[derive(Clone)]
pub struct NodeIdentity {
    /// The organisation.
    pub org: OrgId,
    /// Issued to [`NODE_NAME`] of the organisation.
    pub certificate: Certificate,
    /// The certified key.
    pub key: Arc<SecretKey>,
}

impl NodeIdentity {
    fn check(&self) -> Result<(), TlsFault> {
        if self.certificate.subject_org() != self.org {
            return Err(TlsFault::Identity("the certificate is another organisation's"));
        }
        if self.certificate.subject_name() != NODE_NAME {
            return Err(TlsFault::Identity("the certificate is not a node's"));
        }
        if self.certificate.key() != self.key.public() {
            return Err(TlsFault::Identity("the key is not the certificate's"));
        }
        Ok(())
    }
}

/// What is spoken over a TLS stream; each has its own ALPN name, so that a stream meant for one is not taken by the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Data links of computing parties.
    Links,
    /// The control plane (HTTP/2).
    Control,
}

impl Protocol {
    fn alpn(self) -> Vec<Vec<u8>> {
        let name: &[u8] = match self {
            Self::Links => b"heqi-links/2",
            Self::Control => b"h2",
        };
        vec![name.to_vec()]
    }
}

/// Why no TLS configuration could be made.
#[derive(Debug, Error)]
pub enum TlsFault {
    /// Organisation, certificate and key do not belong together.
    #[error("the node's identity does not fit: {0}")]
    Identity(&'static str),
    /// The ephemeral key or its certificate could not be made.
    #[error("the TLS key cannot be made: {0}")]
    Key(String),
    /// The TLS library refused the settings.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

fn provider() -> Arc<CryptoProvider> {
    use ring::cipher_suite::{TLS13_AES_128_GCM_SHA256, TLS13_AES_256_GCM_SHA384, TLS13_CHACHA20_POLY1305_SHA256};
    let cipher_suites = vec![TLS13_AES_128_GCM_SHA256, TLS13_AES_256_GCM_SHA384, TLS13_CHACHA20_POLY1305_SHA256];
    Arc::new(CryptoProvider { cipher_suites, ..ring::default_provider() })
}

/// The accepting side: any organisation of `roots` may connect; [`peer_org`] tells which one did.
///
/// # Errors
/// [`TlsFault`].
pub fn server_config(
    identity: &NodeIdentity,
    roots: Arc<TrustRoots>,
    clock: Arc<dyn Clock>,
    protocol: Protocol,
) -> Result<Arc<ServerConfig>, TlsFault> {
    let key = EndorsedKey::new(identity, clock.clone())?;
    let verifier = Arc::new(Verifier::new(roots, clock, None, &provider()));
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(key));
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.alpn_protocols = protocol.alpn();
    Ok(Arc::new(config))
}

/// The connecting side: nobody but `expected` is accepted.
///
/// # Errors
/// [`TlsFault`].
pub fn client_config(
    identity: &NodeIdentity,
    roots: Arc<TrustRoots>,
    clock: Arc<dyn Clock>,
    protocol: Protocol,
    expected: &OrgId,
) -> Result<Arc<ClientConfig>, TlsFault> {
    let key = EndorsedKey::new(identity, clock.clone())?;
    let verifier = Arc::new(Verifier::new(roots, clock, Some(expected.clone()), &provider()));
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_cert_resolver(Arc::new(key));
    config.resumption = Resumption::disabled();
    config.enable_sni = false;
    config.alpn_protocols = protocol.alpn();
    Ok(Arc::new(config))
}

/// The name that a connecting side passes to the library. It is neither sent nor compared: the endorsement names the peer.
pub fn server_name() -> ServerName<'static> {
    ServerName::IpAddress(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED).into())
}

/// The organisation at the other end of a finished handshake that used one of this module's configurations. Of
/// certificates from anywhere else it proves nothing.
pub fn peer_org(certs: Option<&[CertificateDer<'_>]>) -> Option<OrgId> {
    peer_node(certs).map(|(org, _)| org)
}

/// As [`peer_org`], with the serial number of the node's certificate, by which it may be revoked later.
pub fn peer_node(certs: Option<&[CertificateDer<'_>]>) -> Option<(OrgId, [u8; 16])> {
    let (endorsement, _) = endorsement::read(certs?.first()?).ok()?;
    let certificate = endorsement.certificate;
    Some((certificate.subject_org(), certificate.serial()))
}

/// Judges the certificate of a finished handshake once more: it may have expired or been revoked since.
///
/// # Errors
/// [`Refused`] with the reason.
pub fn check_again(certificate: &CertificateDer<'_>, roots: &TrustRoots, clock: &dyn Clock) -> Result<(), Refused> {
    verifier::check(certificate, roots, clock).map(|_| ())
}

#[cfg(test)]
mod tests;
