//! The node's ephemeral TLS key: made at start, endorsed for a week, replaced when half of that has passed.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use base_types::TimeMs;
use base_wire::Encode;
use rcgen::{CertificateParams, CustomExtension, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use rustls::{
    SignatureScheme,
    client::ResolvesClientCert,
    crypto::ring::sign::any_ecdsa_type,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::{Endorsement, NodeIdentity, TlsFault, endorsement::EXTENSION};
use crate::clock::Clock;

const HOUR: TimeMs = 3_600_000;
/// How long an endorsement lasts.
const LIFE: TimeMs = 7 * 24 * HOUR;
/// How far it reaches back, for peers whose clocks are behind.
const BACKDATED: TimeMs = HOUR;

#[derive(Clone)]
struct Current {
    key: Arc<CertifiedKey>,
    renew_at: TimeMs,
}

/// Hands the current key to the TLS library and renews it in time.
pub(super) struct EndorsedKey {
    identity: NodeIdentity,
    clock: Arc<dyn Clock>,
    current: RwLock<Current>,
}

impl EndorsedKey {
    pub(super) fn new(identity: &NodeIdentity, clock: Arc<dyn Clock>) -> Result<Self, TlsFault> {
        identity.check()?;
        let current = RwLock::new(make(identity, clock.now_ms())?);
        Ok(Self { identity: identity.clone(), clock, current })
    }

    fn current(&self) -> Arc<CertifiedKey> {
        let now = self.clock.now_ms();
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        if now < current.renew_at {
            return current.key;
        }
        match make(&self.identity, now) {
            Ok(fresh) => {
                let key = fresh.key.clone();
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
                key
            }
            Err(why) => {
                tracing::warn!(%why, "the TLS key could not be renewed; the old one stays in use");
                current.key
            }
        }
    }
}

/// A new key with its endorsement, which stays within the certificate's validity.
fn make(identity: &NodeIdentity, now: TimeMs) -> Result<Current, TlsFault> {
    let failed = |why: rcgen::Error| TlsFault::Key(why.to_string());
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
    let not_before = now.saturating_sub(BACKDATED).max(identity.certificate.not_before());
    let not_after = now.saturating_add(LIFE).min(identity.certificate.not_after());
    let endorsement = Endorsement::new(identity, &pair.subject_public_key_info(), not_before, not_after);
    let mut params = CertificateParams::default();
    params.custom_extensions.push(CustomExtension::from_oid_content(EXTENSION, endorsement.to_wire()));
    let certificate = params.self_signed(&pair).map_err(failed)?;
    let secret = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.serialize_der()));
    let key = Arc::new(CertifiedKey::new(vec![certificate.der().clone()], any_ecdsa_type(&secret)?));
    Ok(Current { key, renew_at: now.saturating_add(LIFE / 2) })
}

impl fmt::Debug for EndorsedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the TLS key of {}", self.identity.org)
    }
}

impl ResolvesServerCert for EndorsedKey {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

impl ResolvesClientCert for EndorsedKey {
    fn resolve(&self, _authorities: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }

    fn has_certs(&self) -> bool {
        true
    }
}
