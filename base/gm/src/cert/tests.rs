//! Certificates: what issues verifies, and what was changed, is out of date or of another authority does not.

use base_wire::{Decode as _, Encode as _};
use der::Decode as _;

use super::{form::Signed, *};
use crate::{GmError, sm2::SecretKey};

const DAY: TimeMs = 86_400_000;
/// 2026-01-01.
const START: TimeMs = 1_767_225_600_000;

fn org(name: &str) -> OrgId {
    OrgId::new(name).unwrap()
}

fn ca(name: &str) -> (Certificate, SecretKey) {
    let key = SecretKey::from_seed(name.as_bytes());
    (self_signed_ca(&org(name), &key, START, START + 3650 * DAY).unwrap(), key)
}

fn leaf(ca: &(Certificate, SecretKey), name: &str) -> Certificate {
    let subject = Subject { org: ca.0.subject_org(), name: name.to_owned() };
    let key = SecretKey::from_seed(b"leaf").public();
    issue(&ca.0, &ca.1, &subject, &key, START, START + 365 * DAY).unwrap()
}

#[test]
fn an_issued_certificate_says_what_was_asked_and_verifies() {
    let health = ca("health");
    let cert = leaf(&health, "分析员, O=statistics/CN=root");
    assert_eq!((cert.subject_org(), cert.subject_name()), (org("health"), "分析员, O=statistics/CN=root"));
    assert_eq!((cert.key(), cert.is_ca()), (SecretKey::from_seed(b"leaf").public(), false));
    assert_eq!((cert.not_before(), cert.not_after()), (START, START + 365 * DAY));
    assert!(health.0.is_ca() && health.0.key() == health.1.public());
    assert_ne!(cert.serial(), leaf(&health, "x").serial());
    assert_eq!(verify(&cert, &health.0, START + DAY), Ok(()));
    assert_eq!(verify(&health.0, &health.0, START + DAY), Ok(()));
}

#[test]
fn the_three_forms_come_back() {
    let cert = leaf(&ca("health"), "node");
    assert_eq!(Certificate::from_der(cert.der()), Ok(cert.clone()));
    assert_eq!(Certificate::from_pem(&cert.pem()), Ok(cert.clone()));
    assert_eq!(Certificate::from_wire(&cert.to_wire()), Ok(cert.clone()));
    assert!(cert.pem().starts_with("-----BEGIN CERTIFICATE-----\n"));
    let renamed = cert.pem().replace("CERTIFICATE", "PRIVATE KEY");
    assert_eq!(Certificate::from_pem(&renamed), Err(CertFault::Malformed("PEM label")));
    let twice = cert.pem() + &cert.pem();
    assert!(Certificate::from_pem(&twice).is_err() && Certificate::from_pem("").is_err());
}

#[test]
fn the_object_identifiers_are_the_national_ones() {
    let hex = hex::encode(leaf(&ca("health"), "node").der());
    // 1.2.156.10197.1.501 twice (inside and outside the signed part), 1.2.156.10197.1.301 once.
    assert_eq!(hex.matches("06082a811ccf55018375").count(), 2);
    assert_eq!(hex.matches("06082a811ccf5501822d").count(), 1);
}

#[test]
fn dates_are_held_to() {
    let health = ca("health");
    let cert = leaf(&health, "node");
    assert_eq!(verify(&cert, &health.0, START - 1), Err(CertFault::NotYetValid));
    assert_eq!(verify(&cert, &health.0, START), Ok(()));
    assert_eq!(verify(&cert, &health.0, START + 365 * DAY), Ok(()));
    assert_eq!(verify(&cert, &health.0, START + 365 * DAY + 1), Err(CertFault::Expired));
    // A certificate does not outlive its CA.
    let subject = Subject { org: org("health"), name: "node".into() };
    let long = issue(&health.0, &health.1, &subject, &cert.key(), START, START + 9000 * DAY).unwrap();
    assert_eq!(verify(&long, &health.0, START + 3651 * DAY), Err(CertFault::Expired));
    // Later than 2049 the form of a date changes.
    assert_eq!(long.not_after(), START + 9000 * DAY);
    let far = issue(&health.0, &health.1, &subject, &cert.key(), START, START + 20_000 * DAY).unwrap();
    assert_eq!(far.not_after(), START + 20_000 * DAY);
    let backwards = issue(&health.0, &health.1, &subject, &cert.key(), START + DAY, START);
    assert!(matches!(backwards, Err(GmError::Certificate(CertFault::Malformed(_)))));
    assert!(issue(&health.0, &health.1, &subject, &cert.key(), START, TimeMs::MAX).is_err());
}

#[test]
fn another_authority_is_refused() {
    let (health, tax) = (ca("health"), ca("tax"));
    let cert = leaf(&health, "node");
    assert_eq!(verify(&cert, &tax.0, START), Err(CertFault::WrongIssuer));
    // The same name with another key.
    let other_key = SecretKey::from_seed(b"another key");
    let same_name = self_signed_ca(&org("health"), &other_key, START, START + DAY).unwrap();
    assert_eq!(verify(&cert, &same_name, START), Err(CertFault::BadSignature));
    assert_eq!(verify(&same_name, &health.0, START), Err(CertFault::WrongIssuer));
    // A certificate that is no CA's issues nothing and vouches for nothing.
    let leaf_key = SecretKey::from_seed(b"leaf");
    let subject = Subject { org: org("health"), name: "node".into() };
    let refused = issue(&cert, &leaf_key, &subject, &leaf_key.public(), START, START + DAY);
    assert_eq!(refused, Err(CertFault::NotCa.into()));
    assert_eq!(verify(&cert, &cert, START), Err(CertFault::NotCa));
}

#[test]
fn a_ca_issues_with_its_own_key_to_its_own_organisation() {
    let (health, tax) = (ca("health"), ca("tax"));
    let key = SecretKey::from_seed(b"leaf").public();
    let try_issue = |signer: &SecretKey, of: &str, name: &str| {
        issue(&health.0, signer, &Subject { org: org(of), name: name.into() }, &key, START, START + DAY).err()
    };
    assert_eq!(try_issue(&tax.1, "health", "node"), Some(CertFault::WrongIssuer.into()));
    assert_eq!(try_issue(&health.1, "tax", "node"), Some(CertFault::WrongIssuer.into()));
    for bad in ["", "a\nb", &"x".repeat(65)] {
        assert_eq!(try_issue(&health.1, "health", bad), Some(CertFault::Malformed("common name").into()));
    }
    assert_eq!(try_issue(&health.1, "health", &"名".repeat(64)), None);
}

#[test]
fn every_changed_bit_and_every_cut_is_refused() {
    let health = ca("health");
    let cert = leaf(&health, "node");
    for bit in 0..cert.der().len() * 8 {
        let mut bad = cert.der().to_vec();
        bad[bit / 8] ^= 1 << (bit % 8);
        let outcome = Certificate::from_der(&bad).and_then(|bad| verify(&bad, &health.0, START));
        assert!(outcome.is_err(), "bit {bit}");
    }
    for cut in 0..cert.der().len() {
        assert!(Certificate::from_der(&cert.der()[..cut]).is_err(), "cut at {cut}");
    }
    let mut longer = cert.der().to_vec();
    longer.push(0);
    assert!(Certificate::from_der(&longer).is_err());
    assert_eq!(Certificate::from_der(&vec![0x30; MAX_BYTES + 1]), Err(CertFault::Malformed("too long")));
}

/// Signs an edited certificate with the CA's key, as a careless or malicious CA could.
fn resigned(cert: &Certificate, ca_key: &SecretKey, edit: impl FnOnce(&mut Signed)) -> Result<Certificate, CertFault> {
    use der::Encode as _;
    let mut parts = Signed::from_der(cert.der()).unwrap();
    edit(&mut parts);
    let signature = form::signature_der(&ca_key.sign(&parts.tbs.to_der().unwrap())).unwrap();
    parts.signature = der::asn1::BitString::from_bytes(&signature).unwrap();
    Certificate::from_der(&parts.to_der().unwrap())
}

#[test]
fn even_a_ca_cannot_sign_what_the_profile_forbids() {
    use der::asn1::{BitString, ObjectIdentifier};
    let health = ca("health");
    let cert = leaf(&health, "node");
    let same = resigned(&cert, &health.1, |_| ()).unwrap();
    assert_eq!(same, cert, "the signature is deterministic");
    let refused = |edit: fn(&mut Signed)| resigned(&cert, &health.1, edit).unwrap_err();
    let extension = |parts: &mut Signed| parts.tbs.extensions.as_mut().unwrap().first().unwrap().clone();
    assert!(extension(&mut Signed::from_der(cert.der()).unwrap()).critical);
    assert_eq!(
        refused(|parts| {
            let extensions = parts.tbs.extensions.as_mut().unwrap();
            extensions[0].extn_id = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.32473.1");
        }),
        CertFault::Malformed("an unknown critical extension")
    );
    assert_eq!(
        refused(|parts| {
            let extensions = parts.tbs.extensions.as_mut().unwrap();
            extensions.push(extensions[1].clone());
        }),
        CertFault::Malformed("an extension twice")
    );
    assert_eq!(
        refused(|parts| parts.tbs.subject_public_key_info.subject_public_key = BitString::from_bytes(&[4; 65]).unwrap()),
        CertFault::Malformed("not a key on the SM2 curve")
    );
    assert_eq!(
        refused(|parts| parts.tbs.signature.oid = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2")),
        CertFault::Malformed("two signature algorithms")
    );
    assert_eq!(refused(|parts| parts.tbs.version = x509_cert::Version::V2), CertFault::Malformed("not version 3"));
}

#[test]
fn a_ca_cannot_vouch_for_another_organisation_or_another_ca() {
    let (health, tax) = (ca("health"), ca("tax"));
    let foreign = Signed::from_der(tax.0.der()).unwrap().tbs.subject;
    let cert = resigned(&leaf(&health, "node"), &health.1, |parts| parts.tbs.subject = foreign).unwrap();
    assert_eq!(verify(&cert, &health.0, START), Err(CertFault::WrongIssuer));
    let key = Signed::from_der(leaf(&health, "node").der()).unwrap().tbs.subject_public_key_info;
    let sub_ca = resigned(&health.0, &health.1, |parts| parts.tbs.subject_public_key_info = key).unwrap();
    assert!(sub_ca.is_ca());
    assert_eq!(verify(&sub_ca, &health.0, START), Err(CertFault::WrongIssuer));
}
