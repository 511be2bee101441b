//! Why a certificate was refused, told through the TLS library's errors and found again in them.

use std::{error::Error, io, sync::Arc};

use base_types::fault::Code;
use rustls::{AlertDescription, CertificateError, Error as TlsError, OtherError};

/// A refused certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the certificate is refused: {why}")]
pub struct Refused {
    /// [`Code::CertificateExpired`] or [`Code::CertificateInvalid`].
    pub code: Code,
    /// The reason.
    pub why: String,
}

impl Refused {
    pub(super) fn invalid(why: impl Into<String>) -> Self {
        Self { code: Code::CertificateInvalid, why: why.into() }
    }
}

impl From<Refused> for TlsError {
    /// An expired certificate keeps the library's own name, so that the alert tells the peer what to renew.
    fn from(refused: Refused) -> Self {
        Self::InvalidCertificate(match refused.code {
            Code::CertificateExpired => CertificateError::Expired,
            _ => CertificateError::Other(OtherError(Arc::new(refused))),
        })
    }
}

/// The reason in an I/O error of a TLS stream, if a certificate was refused: the peer's by us, or ours by the peer.
pub fn fault_of(error: &io::Error) -> Option<(Code, String)> {
    of_tls(error.get_ref()?.downcast_ref::<TlsError>()?)
}

/// The same, anywhere in an error's chain of causes.
pub fn fault_in(error: &(dyn Error + 'static)) -> Option<(Code, String)> {
    let mut next = Some(error);
    while let Some(cause) = next {
        let found = match cause.downcast_ref::<io::Error>() {
            Some(io) => fault_of(io),
            None => cause.downcast_ref::<TlsError>().and_then(of_tls),
        };
        if found.is_some() {
            return found;
        }
        next = cause.source();
    }
    None
}

fn of_tls(error: &TlsError) -> Option<(Code, String)> {
    match error {
        TlsError::InvalidCertificate(CertificateError::Expired) => {
            Some((Code::CertificateExpired, "the peer's certificate has expired".into()))
        }
        TlsError::InvalidCertificate(CertificateError::Other(OtherError(cause))) => {
            let refused = cause.downcast_ref::<Refused>()?;
            Some((refused.code, refused.why.clone()))
        }
        TlsError::InvalidCertificate(other) => Some((Code::CertificateInvalid, other.to_string())),
        TlsError::NoCertificatesPresented => Some((Code::CertificateInvalid, "the peer showed no certificate".into())),
        TlsError::AlertReceived(alert) => of_alert(*alert),
        _ => None,
    }
}

fn of_alert(alert: AlertDescription) -> Option<(Code, String)> {
    match alert {
        AlertDescription::CertificateExpired => {
            Some((Code::CertificateExpired, "the peer says that this node's certificate has expired".into()))
        }
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied
        | AlertDescription::CertificateRequired => {
            Some((Code::CertificateInvalid, format!("the peer refused this node's certificate: {alert:?}")))
        }
        _ => None,
    }
}
