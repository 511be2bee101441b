//! Whom a node trusts: one CA an organisation, and the certificates that were revoked.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{PoisonError, RwLock},
};

use base_gm::cert::{self, CertFault, Certificate};
use base_types::{OrgId, TimeMs, fault::Code};

use super::{NODE_NAME, Refused};

#[derive(Default)]
struct Roots {
    authorities: BTreeMap<OrgId, Certificate>,
    revoked: BTreeSet<(OrgId, [u8; 16])>,
}

/// The organisations' CAs and the revoked serial numbers; both follow the ledger while the node runs. A change counts for
/// the next handshake; open streams of the control plane end when the certificate of their peer is revoked.
#[derive(Default)]
pub struct TrustRoots(RwLock<Roots>);

impl TrustRoots {
    /// Trusts these CAs; nothing is revoked yet.
    pub fn new(authorities: BTreeMap<OrgId, Certificate>) -> Self {
        Self(RwLock::new(Roots { authorities, revoked: BTreeSet::new() }))
    }

    /// Adds an organisation's CA or replaces it.
    pub fn trust(&self, org: OrgId, ca: Certificate) {
        self.write(|roots| {
            roots.authorities.insert(org, ca);
        });
    }

    /// Revokes one certificate of an organisation, for good.
    pub fn revoke(&self, org: OrgId, serial: [u8; 16]) {
        self.write(|roots| {
            roots.revoked.insert((org, serial));
        });
    }

    /// Whether a certificate was revoked; its organisation and its serial number name it.
    pub fn is_revoked(&self, certificate: &(OrgId, [u8; 16])) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).revoked.contains(certificate)
    }

    fn write(&self, change: impl FnOnce(&mut Roots)) {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Whether `certificate` is a trusted organisation's node's at `now`.
    ///
    /// # Errors
    /// [`Refused`] with the reason.
    pub fn check_node(&self, certificate: &Certificate, now: TimeMs) -> Result<OrgId, Refused> {
        let org = certificate.subject_org();
        let roots = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let ca = roots
            .authorities
            .get(&org)
            .ok_or_else(|| Refused::invalid(format!("'{org}' is no organisation known here")))?;
        cert::verify(certificate, ca, now).map_err(|fault| Refused::of(&org, &fault))?;
        if certificate.subject_name() != NODE_NAME || certificate.is_ca() {
            return Err(Refused::invalid(format!("the certificate of {org} is not a node's")));
        }
        if roots.revoked.contains(&(org.clone(), certificate.serial())) {
            return Err(Refused::invalid(format!("the certificate of {org} was revoked")));
        }
        Ok(org)
    }
}

impl Refused {
    fn of(org: &OrgId, fault: &CertFault) -> Self {
        let code = if *fault == CertFault::Expired { Code::CertificateExpired } else { Code::CertificateInvalid };
        Self { code, why: format!("{org}: {fault}") }
    }
}
