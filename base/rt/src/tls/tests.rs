//! Handshakes between organisations: who is who, and every reason to refuse.

use std::io;

use base_gm::cert::{Subject, issue, self_signed_ca};
use base_types::{TimeMs, fault::Code};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;
use crate::clock::ManualClock;

const DAY: TimeMs = 86_400_000;
const NOW: TimeMs = 1_800_000_000_000;

pub(crate) fn org(name: &str) -> OrgId {
    OrgId::new(name).unwrap()
}

/// The organisation's CA and its node, both valid for a month around `NOW`.
fn member(name: &str, subject: &str) -> (Certificate, NodeIdentity) {
    let ca_key = SecretKey::from_seed(format!("{name} ca").as_bytes());
    let ca = self_signed_ca(&org(name), &ca_key, NOW - 30 * DAY, NOW + 60 * DAY).unwrap();
    let key = Arc::new(SecretKey::from_seed(name.as_bytes()));
    let subject = Subject { org: org(name), name: subject.into() };
    let certificate = issue(&ca, &ca_key, &subject, &key.public(), NOW - 30 * DAY, NOW + 30 * DAY).unwrap();
    (ca, NodeIdentity { org: org(name), certificate, key })
}

struct World {
    clock: Arc<ManualClock>,
    roots: Arc<TrustRoots>,
    tax: NodeIdentity,
    health: NodeIdentity,
}

fn world() -> World {
    let ((tax_ca, tax), (health_ca, health)) = (member("tax", NODE_NAME), member("health", NODE_NAME));
    let roots = TrustRoots::new([(org("tax"), tax_ca), (org("health"), health_ca)].into());
    World { clock: Arc::new(ManualClock::new(NOW)), roots: Arc::new(roots), tax, health }
}

impl World {
    /// The tax office dials whoever `server` says it is; every side's own roots and clock are given.
    async fn meet(&self, server: Arc<ServerConfig>, client: Arc<ClientConfig>) -> (Outcome, Outcome) {
        let (near, far) = duplex(1 << 16);
        tokio::join!(serve(far, server), dial(near, client))
    }
    fn server(&self, identity: &NodeIdentity) -> Arc<ServerConfig> {
        server_config(identity, self.roots.clone(), self.clock.clone(), Protocol::Links).unwrap()
    }
    fn client(&self, identity: &NodeIdentity, expected: &str) -> Arc<ClientConfig> {
        client_config(identity, self.roots.clone(), self.clock.clone(), Protocol::Links, &org(expected)).unwrap()
    }
}

/// The peer's organisation, or the error.
type Outcome = io::Result<Option<OrgId>>;

async fn serve(io: DuplexStream, config: Arc<ServerConfig>) -> Outcome {
    let mut stream = TlsAcceptor::from(config).accept(io).await?;
    stream.write_all(b"hello").await?;
    stream.flush().await?;
    let peer = peer_org(stream.get_ref().1.peer_certificates());
    assert_eq!(stream.read(&mut [0; 1]).await?, 1);
    Ok(peer)
}

async fn dial(io: DuplexStream, config: Arc<ClientConfig>) -> Outcome {
    let mut stream = TlsConnector::from(config).connect(server_name(), io).await?;
    stream.read_exact(&mut [0; 5]).await?;
    stream.write_all(b"!").await?;
    stream.flush().await?;
    Ok(peer_org(stream.get_ref().1.peer_certificates()))
}

fn reason(outcome: Outcome) -> (Code, String) {
    fault_of(&outcome.unwrap_err()).expect("a certificate fault")
}

#[tokio::test]
async fn both_ends_learn_who_the_other_is() {
    let w = world();
    let (server, client) = w.meet(w.server(&w.health), w.client(&w.tax, "health")).await;
    assert_eq!(server.unwrap(), Some(org("tax")));
    assert_eq!(client.unwrap(), Some(org("health")));
}

#[tokio::test]
async fn another_organisation_than_the_expected_one_is_refused() {
    let w = world();
    let (server, client) = w.meet(w.server(&w.health), w.client(&w.tax, "tax")).await;
    assert_eq!(reason(client), (Code::CertificateInvalid, "tax was expected, health answered".into()));
    assert_eq!(reason(server).0, Code::CertificateInvalid);
}

#[tokio::test]
async fn an_expired_certificate_is_refused_as_expired_on_both_sides() {
    let w = world();
    let (server, client) = (w.server(&w.health), w.client(&w.tax, "health"));
    w.clock.set(NOW + 31 * DAY);
    let (server, client) = w.meet(server, client).await;
    assert_eq!(reason(client), (Code::CertificateExpired, "the peer's certificate has expired".into()));
    let told = (Code::CertificateExpired, "the peer says that this node's certificate has expired".into());
    assert_eq!(reason(server), told);
}

#[tokio::test]
async fn a_key_is_renewed_before_its_endorsement_ends() {
    let w = world();
    let (server, client) = (w.server(&w.health), w.client(&w.tax, "health"));
    w.clock.set(NOW + 8 * DAY);
    let (server, client) = w.meet(server, client).await;
    assert_eq!((server.unwrap(), client.unwrap()), (Some(org("tax")), Some(org("health"))));
}

#[tokio::test]
async fn a_key_whose_endorsement_has_ended_is_refused_though_its_certificate_is_valid() {
    let w = world();
    let late = Arc::new(ManualClock::new(NOW + 8 * DAY));
    let client = client_config(&w.tax, w.roots.clone(), late, Protocol::Links, &org("health")).unwrap();
    // The server's clock stands still, so it does not renew.
    let (_, client) = w.meet(w.server(&w.health), client).await;
    assert_eq!(reason(client).0, Code::CertificateExpired);
}

#[tokio::test]
async fn a_revoked_certificate_is_refused() {
    let w = world();
    let (server, client) = (w.server(&w.health), w.client(&w.tax, "health"));
    w.roots.revoke(org("tax"), w.tax.certificate.serial());
    let (server, client) = w.meet(server, client).await;
    assert_eq!(reason(server), (Code::CertificateInvalid, "the certificate of tax was revoked".into()));
    assert_eq!(reason(client).0, Code::CertificateInvalid);
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    let w = world();
    let false_ca_key = SecretKey::from_seed(b"false");
    let false_ca = self_signed_ca(&org("health"), &false_ca_key, NOW - DAY, NOW + DAY).unwrap();
    let subject = Subject { org: org("health"), name: NODE_NAME.into() };
    let certificate = issue(&false_ca, &false_ca_key, &subject, &w.health.key.public(), NOW - DAY, NOW + DAY).unwrap();
    let impostor = NodeIdentity { certificate, ..w.health.clone() };
    let (_, client) = w.meet(w.server(&impostor), w.client(&w.tax, "health")).await;
    let (code, why) = reason(client);
    assert_eq!(code, Code::CertificateInvalid);
    assert!(why.starts_with("health: "), "{why}");
}

#[tokio::test]
async fn an_organisation_nobody_knows_and_a_person_are_refused() {
    let w = world();
    let (_, stranger) = member("stranger", NODE_NAME);
    let (server, _) = w.meet(w.server(&w.health), w.client(&stranger, "health")).await;
    assert_eq!(reason(server), (Code::CertificateInvalid, "'stranger' is no organisation known here".into()));
    let (_, person) = member("tax", "analyst");
    assert!(matches!(person.check(), Err(TlsFault::Identity(_))));
    let refused = w.roots.check_node(&person.certificate, NOW).unwrap_err();
    assert_eq!(refused.why, "the certificate of tax is not a node's");
}

#[tokio::test]
async fn an_endorsement_holds_for_one_key_only() {
    let w = world();
    let key = |identity: &NodeIdentity| EndorsedKey::new(identity, w.clock.clone()).unwrap();
    let (one, two) = (key(&w.health), key(&w.health));
    let of = |key: &EndorsedKey| {
        use rustls::client::ResolvesClientCert;
        key.resolve(&[], &[]).unwrap().cert[0].clone()
    };
    let (one, two) = (of(&one), of(&two));
    let (endorsement, spki) = endorsement::read(&one).unwrap();
    let (_, other_spki) = endorsement::read(&two).unwrap();
    assert_eq!(endorsement.check(spki, NOW), Ok(()));
    assert!(endorsement.check(other_spki, NOW).is_err());
    let longer = Endorsement { not_after: endorsement.not_after + 1, ..endorsement.clone() };
    assert!(longer.check(spki, NOW).is_err());
    assert!(endorsement.check(spki, endorsement.not_before - 1).is_err());
    for cut in 0..one.len() {
        assert!(endorsement::read(&one[..cut]).is_err(), "cut at {cut}");
    }
}

#[tokio::test]
async fn a_client_without_certificate_and_plain_bytes_are_refused() {
    let w = world();
    let bare = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier::new(w.roots.clone(), w.clock.clone(), None, &provider())))
        .with_no_client_auth();
    let (server, _) = w.meet(w.server(&w.health), Arc::new(bare)).await;
    assert_eq!(reason(server), (Code::CertificateInvalid, "the peer showed no certificate".into()));
    let (mut near, far) = duplex(1 << 16);
    near.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let garbage = serve(far, w.server(&w.health)).await.unwrap_err();
    assert_eq!(fault_of(&garbage), None);
    assert_eq!(garbage.kind(), io::ErrorKind::InvalidData);
}
