//! The certificate's ASN.1 form (RFC 5280, GM/T 0015) and the profile that parsing holds it to.

use base_types::{OrgId, TimeMs};
use const_oid::AssociatedOid;
use der::{
    Decode, Encode, Sequence,
    asn1::{BitString, ObjectIdentifier, Uint},
};
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::{
    Version,
    ext::{
        Extension, Extensions,
        pkix::{AuthorityKeyIdentifier, BasicConstraints, KeyUsage, SubjectKeyIdentifier, name::DirectoryString},
    },
    name::Name,
    serial_number::SerialNumber,
    time::{Time, Validity},
};

use super::{CertFault, CertFault::Malformed, Certificate, MAX_BYTES, to_pem};
use crate::sm2::{PublicKey, Signature};

/// Signature with SM2 over SM3 (GM/T 0006).
pub(super) const SM2_WITH_SM3: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.501");
/// The recommended curve (GM/T 0006).
pub(super) const SM2_CURVE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.301");
/// id-ecPublicKey (RFC 5480).
pub(super) const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// X.520 commonName.
pub(super) const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
/// X.520 organizationName.
pub(super) const ORGANIZATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");

/// What is signed (RFC 5280, 4.1.2), without the unique identifiers of version 2, which the profile forbids.
#[derive(Clone, PartialEq, Eq, Sequence)]
pub(super) struct Tbs {
    #[asn1(context_specific = "0", default = "Default::default")]
    pub version: Version,
    pub serial_number: SerialNumber,
    pub signature: AlgorithmIdentifierOwned,
    pub issuer: Name,
    pub validity: Validity,
    pub subject: Name,
    pub subject_public_key_info: SubjectPublicKeyInfoOwned,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT", optional = "true")]
    pub extensions: Option<Extensions>,
}

/// The whole certificate (RFC 5280, 4.1).
#[derive(Clone, PartialEq, Eq, Sequence)]
pub(super) struct Signed {
    pub tbs: Tbs,
    pub algorithm: AlgorithmIdentifierOwned,
    pub signature: BitString,
}

/// A signature in certificates (GM/T 0009): SEQUENCE of two integers.
#[derive(Clone, PartialEq, Eq, Sequence)]
struct SignatureValue {
    r: Uint,
    s: Uint,
}

/// The DER form of a signature.
pub(super) fn signature_der(signature: &Signature) -> der::Result<Vec<u8>> {
    let bytes = signature.to_bytes();
    let (r, s) = bytes.split_at(32);
    SignatureValue { r: Uint::new(r)?, s: Uint::new(s)? }.to_der()
}

fn parse_signature(bits: &BitString) -> Option<Signature> {
    let value = SignatureValue::from_der(bits.as_bytes()?).ok()?;
    let mut bytes = [0; 64];
    let (r, s) = bytes.split_at_mut(32);
    for (half, integer) in [(r, &value.r), (s, &value.s)] {
        let start = 32usize.checked_sub(integer.as_bytes().len())?;
        half.get_mut(start..)?.copy_from_slice(integer.as_bytes());
    }
    Signature::from_bytes(&bytes).ok()
}

/// Parses a certificate and holds it to the profile.
pub(super) fn parse(bytes: &[u8]) -> Result<Certificate, CertFault> {
    if bytes.len() > MAX_BYTES {
        return Err(Malformed("too long"));
    }
    let cert = Signed::from_der(bytes).map_err(|_| Malformed("not a DER certificate"))?;
    let signed = canonical(&cert, bytes).ok_or(Malformed("not in canonical form"))?;
    if cert.tbs.version != Version::V3 {
        return Err(Malformed("not version 3"));
    }
    if cert.algorithm.oid != SM2_WITH_SM3 || cert.algorithm.parameters.as_ref().is_some_and(|p| !p.is_null()) {
        return Err(Malformed("not signed with SM2 and SM3"));
    }
    if cert.algorithm != cert.tbs.signature {
        return Err(Malformed("two signature algorithms"));
    }
    let (org, name) = parse_name(&cert.tbs.subject)?;
    let not_before = to_ms(&cert.tbs.validity.not_before)?;
    let not_after = to_ms(&cert.tbs.validity.not_after)?;
    if not_before > not_after {
        return Err(Malformed("it ends before it begins"));
    }
    Ok(Certificate {
        pem: to_pem(bytes)?,
        der: bytes.to_vec(),
        signed,
        signature: parse_signature(&cert.signature).ok_or(Malformed("signature"))?,
        issuer: cert.tbs.issuer.to_der().map_err(|_| Malformed("issuer"))?,
        subject: cert.tbs.subject.to_der().map_err(|_| Malformed("subject"))?,
        org,
        name,
        key: parse_key(&cert.tbs.subject_public_key_info).ok_or(Malformed("not a key on the SM2 curve"))?,
        serial: parse_serial(&cert.tbs.serial_number).ok_or(Malformed("serial number"))?,
        not_before,
        not_after,
        ca: parse_extensions(cert.tbs.extensions.as_deref().unwrap_or_default())?,
    })
}

/// The signed part, if the certificate is exactly what we would write for what it says.
fn canonical(cert: &Signed, bytes: &[u8]) -> Option<Vec<u8>> {
    if cert.to_der().ok()? == bytes { cert.tbs.to_der().ok() } else { None }
}

fn parse_key(info: &SubjectPublicKeyInfoOwned) -> Option<PublicKey> {
    let curve = info.algorithm.parameters.as_ref()?.decode_as::<ObjectIdentifier>().ok()?;
    if info.algorithm.oid != EC_PUBLIC_KEY || curve != SM2_CURVE {
        return None;
    }
    let point = info.subject_public_key.as_bytes()?.strip_prefix(&[4])?;
    PublicKey::from_bytes(point.try_into().ok()?).ok()
}

/// A positive integer of at most 16 bytes.
fn parse_serial(serial: &SerialNumber) -> Option<[u8; 16]> {
    let bytes = match serial.as_bytes() {
        [0, rest @ ..] => rest,
        [first, ..] if *first >= 0x80 => return None,
        all => all,
    };
    let mut out = [0; 16];
    out.get_mut(16usize.checked_sub(bytes.len())?..)?.copy_from_slice(bytes);
    (out != [0; 16]).then_some(out)
}

/// Exactly one `O` and one `CN`; other attributes say nothing to us.
fn parse_name(name: &Name) -> Result<(OrgId, String), CertFault> {
    let one = |oid: ObjectIdentifier| {
        let mut values = name.iter().filter(|attribute| attribute.oid == oid);
        let value = DirectoryString::try_from(&values.next()?.value).ok()?;
        values.next().is_none().then(|| String::from(value))
    };
    let org = one(ORGANIZATION).and_then(|text| OrgId::new(text).ok()).ok_or(Malformed("organisation"))?;
    let name = one(COMMON_NAME).filter(|text| is_name(text)).ok_or(Malformed("common name"))?;
    Ok((org, name))
}

/// A common name: 1 to 64 characters (X.520's bound), none of them invisible.
pub(super) fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

fn to_ms(time: &Time) -> Result<TimeMs, CertFault> {
    TimeMs::try_from(time.to_unix_duration().as_millis()).map_err(|_| Malformed("time"))
}

/// Whether the certificate is a CA's. Refuses doubled extensions and critical ones that are not known here.
fn parse_extensions(extensions: &[Extension]) -> Result<bool, CertFault> {
    let known = [BasicConstraints::OID, KeyUsage::OID, SubjectKeyIdentifier::OID, AuthorityKeyIdentifier::OID];
    for (i, extension) in extensions.iter().enumerate() {
        if extensions.iter().take(i).any(|e| e.extn_id == extension.extn_id) {
            return Err(Malformed("an extension twice"));
        }
        if extension.critical && !known.contains(&extension.extn_id) {
            return Err(Malformed("an unknown critical extension"));
        }
    }
    let constraints: Option<BasicConstraints> = find(extensions)?;
    let usage: Option<KeyUsage> = find(extensions)?;
    if !constraints.is_some_and(|c| c.ca) {
        return Ok(false);
    }
    match usage {
        Some(usage) if usage.key_cert_sign() => Ok(true),
        _ => Err(Malformed("an authority that may not sign certificates")),
    }
}

fn find<T: AssociatedOid + for<'a> Decode<'a>>(extensions: &[Extension]) -> Result<Option<T>, CertFault> {
    let Some(extension) = extensions.iter().find(|e| e.extn_id == T::OID) else { return Ok(None) };
    T::from_der(extension.extn_value.as_bytes()).map(Some).map_err(|_| Malformed("an extension"))
}
