//! Issuing: an organisation's self-signed CA certificate, and the certificates it gives its people and services.

use std::time::Duration;

use base_types::{OrgId, TimeMs};
use const_oid::AssociatedOid;
use der::{
    DateTime, Decode, Encode,
    asn1::{Any, BitString, OctetString, Utf8StringRef},
};
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::{
    Version,
    attr::AttributeTypeAndValue,
    ext::{
        Extension,
        pkix::{AuthorityKeyIdentifier, BasicConstraints, KeyUsage, KeyUsages, SubjectKeyIdentifier},
    },
    name::{Name, RdnSequence, RelativeDistinguishedName},
    serial_number::SerialNumber,
    time::{Time, Validity},
};

use super::{
    CertFault, Certificate,
    form::{COMMON_NAME, EC_PUBLIC_KEY, ORGANIZATION, SM2_CURVE, SM2_WITH_SM3, Signed, Tbs, is_name, signature_der},
};
use crate::{
    GmError, entropy,
    sm2::{PublicKey, SecretKey},
    sm3::sm3,
};

/// The `CN` of every organisation's CA.
const CA_NAME: &str = "ca";

/// Who a certificate is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The organisation, which must be the CA's.
    pub org: OrgId,
    /// The person or service, 1 to 64 characters, such as `node` or `analyst`.
    pub name: String,
}

/// A new CA certificate of an organisation, signed with its own key. Times are cut to whole seconds.
///
/// # Errors
/// [`GmError::Certificate`] when the dates are in the wrong order or after the year 9999; [`GmError::Entropy`].
pub fn self_signed_ca(
    org: &OrgId,
    key: &SecretKey,
    not_before: TimeMs,
    not_after: TimeMs,
) -> Result<Certificate, GmError> {
    let name = Subject { org: org.clone(), name: CA_NAME.to_owned() };
    let serial = serial()?;
    let public = key.public();
    let built = distinguished(&name).and_then(|name| {
        let extensions = vec![
            extension(true, &BasicConstraints { ca: true, path_len_constraint: Some(0) })?,
            extension(true, &KeyUsage(KeyUsages::KeyCertSign | KeyUsages::CRLSign))?,
            extension(false, &SubjectKeyIdentifier(key_identifier(&public)?))?,
        ];
        let validity = validity(not_before, not_after)?;
        sign(key, tbs(&serial, name.clone(), name, validity, &public, extensions)?)
    });
    finish(built)
}

/// A certificate for one of the CA's own organisation. Times are cut to whole seconds.
///
/// # Errors
/// [`GmError::Certificate`] when `ca` is no CA, `ca_key` not its key, the subject of another organisation or its name
/// not acceptable, or the dates are in the wrong order or after the year 9999; [`GmError::Entropy`].
pub fn issue(
    ca: &Certificate,
    ca_key: &SecretKey,
    subject: &Subject,
    key: &PublicKey,
    not_before: TimeMs,
    not_after: TimeMs,
) -> Result<Certificate, GmError> {
    if !ca.ca {
        return Err(CertFault::NotCa.into());
    }
    if ca.key != ca_key.public() || ca.org != subject.org {
        return Err(CertFault::WrongIssuer.into());
    }
    if !is_name(&subject.name) {
        return Err(CertFault::Malformed("common name").into());
    }
    let serial = serial()?;
    let built = distinguished(subject).and_then(|name| {
        let authority = Some(key_identifier(&ca.key)?);
        let usages = KeyUsages::DigitalSignature | KeyUsages::NonRepudiation | KeyUsages::KeyEncipherment;
        let extensions = vec![
            extension(true, &KeyUsage(usages))?,
            extension(false, &SubjectKeyIdentifier(key_identifier(key)?))?,
            extension(false, &AuthorityKeyIdentifier { key_identifier: authority, ..Default::default() })?,
        ];
        let validity = validity(not_before, not_after)?;
        sign(ca_key, tbs(&serial, Name::from_der(&ca.subject)?, name, validity, key, extensions)?)
    });
    finish(built)
}

/// Reads back what was built, so that nothing is issued that would not be accepted.
fn finish(built: der::Result<Vec<u8>>) -> Result<Certificate, GmError> {
    let der = built.map_err(|_| CertFault::Malformed("a field cannot be encoded"))?;
    Ok(Certificate::from_der(&der)?)
}

fn tbs(
    serial: &[u8; 16],
    issuer: Name,
    subject: Name,
    validity: Validity,
    key: &PublicKey,
    extensions: Vec<Extension>,
) -> der::Result<Tbs> {
    Ok(Tbs {
        version: Version::V3,
        serial_number: SerialNumber::new(serial)?,
        signature: algorithm(),
        issuer,
        validity,
        subject,
        subject_public_key_info: SubjectPublicKeyInfoOwned {
            algorithm: AlgorithmIdentifierOwned { oid: EC_PUBLIC_KEY, parameters: Some(Any::from(SM2_CURVE)) },
            subject_public_key: BitString::from_bytes(&key.to_sec1())?,
        },
        extensions: Some(extensions),
    })
}

fn sign(key: &SecretKey, tbs: Tbs) -> der::Result<Vec<u8>> {
    let signature = signature_der(&key.sign(&tbs.to_der()?))?;
    Signed { tbs, algorithm: algorithm(), signature: BitString::from_bytes(&signature)? }.to_der()
}

/// sm2-with-sm3, without parameters (GM/T 0015).
fn algorithm() -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned { oid: SM2_WITH_SM3, parameters: None }
}

/// `O=org, CN=name`, built attribute by attribute, so that no character of a name means anything.
fn distinguished(subject: &Subject) -> der::Result<Name> {
    let mut names = RdnSequence::default();
    for (oid, text) in [(ORGANIZATION, subject.org.as_str()), (COMMON_NAME, subject.name.as_str())] {
        let value = Any::from(Utf8StringRef::new(text)?);
        names.push(RelativeDistinguishedName::try_from(vec![AttributeTypeAndValue { oid, value }])?);
    }
    Name::from_der(&names.to_der()?)
}

fn validity(not_before: TimeMs, not_after: TimeMs) -> der::Result<Validity> {
    let time = |ms: TimeMs| DateTime::from_unix_duration(Duration::from_secs(ms / 1000)).map(Time::from);
    Ok(Validity::new(time(not_before)?, time(not_after)?))
}

/// 126 random bits under a leading `01`: positive, and always 16 bytes.
fn serial() -> Result<[u8; 16], GmError> {
    let mut serial: [u8; 16] = entropy::array()?;
    serial[0] = serial[0] & 0x3f | 0x40;
    Ok(serial)
}

/// The first 160 bits of the key's digest (RFC 7093's method with SM3).
fn key_identifier(key: &PublicKey) -> der::Result<OctetString> {
    let [identifier @ .., _, _, _, _, _, _, _, _, _, _, _, _] = sm3(&key.to_sec1()).0;
    OctetString::new(identifier)
}

fn extension<T: AssociatedOid + Encode>(critical: bool, value: &T) -> der::Result<Extension> {
    Ok(Extension { extn_id: T::OID, critical, extn_value: OctetString::new(value.to_der()?)? })
}
