//! Links over loopback: both directions, bounds, silence, refusals.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use base_gm::{
    cert::{Certificate, Subject, issue, self_signed_ca},
    sm2::SecretKey,
};
use base_types::{OrgId, fault::Code};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
};

use super::*;
use crate::{
    clock::ManualClock,
    tls::{NODE_NAME, NodeIdentity, Protocol, TrustRoots, client_config, server_name},
};

mod sessions;

const NOW: u64 = 1_800_000_000_000;
const DAY: u64 = 86_400_000;
const SOON: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(60);
const SESSION: [u8; 32] = [9; 32];

fn org(name: &str) -> OrgId {
    OrgId::new(name).unwrap()
}

fn member(name: &str) -> (Certificate, NodeIdentity) {
    let ca_key = SecretKey::from_seed(format!("{name} ca").as_bytes());
    let ca = self_signed_ca(&org(name), &ca_key, NOW - DAY, NOW + 9 * DAY).unwrap();
    let key = Arc::new(SecretKey::from_seed(name.as_bytes()));
    let subject = Subject { org: org(name), name: NODE_NAME.into() };
    let certificate = issue(&ca, &ca_key, &subject, &key.public(), NOW - DAY, NOW + DAY).unwrap();
    (ca, NodeIdentity { org: org(name), certificate, key })
}

struct Net {
    roots: Arc<TrustRoots>,
    clock: Arc<ManualClock>,
    hubs: BTreeMap<&'static str, Arc<LinkHub>>,
    addresses: BTreeMap<OrgId, String>,
    certificates: BTreeMap<&'static str, Certificate>,
}

async fn net(names: &[&'static str]) -> Net {
    let clock = Arc::new(ManualClock::new(NOW));
    let members: Vec<_> = names.iter().map(|name| member(name)).collect();
    let authorities = members.iter().map(|(ca, id)| (id.org.clone(), ca.clone())).collect();
    let roots = Arc::new(TrustRoots::new(authorities));
    let mut listeners = Vec::new();
    let mut addresses = BTreeMap::new();
    for (_, id) in &members {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        addresses.insert(id.org.clone(), listener.local_addr().unwrap().to_string());
        listeners.push(listener);
    }
    let certificates = names.iter().zip(&members).map(|(name, (_, id))| (*name, id.certificate.clone())).collect();
    let start = |((name, listener), (_, id)): ((&&'static str, TcpListener), (Certificate, NodeIdentity))| {
        (*name, LinkHub::start(listener, id, roots.clone(), clock.clone(), addresses.clone()).unwrap())
    };
    let hubs = names.iter().zip(listeners).zip(members).map(start).collect();
    Net { roots, clock, hubs, addresses, certificates }
}

impl Net {
    async fn open(&self, from: &str, to: &str, patience: Duration) -> Result<Link, LinkFault> {
        self.hubs[from].open(SESSION, "share", &org(to), patience).await
    }
    async fn pair(&self, a: &str, b: &str) -> (Link, Link) {
        let (x, y) = tokio::join!(self.open(a, b, LONG), self.open(b, a, LONG));
        (x.unwrap(), y.unwrap())
    }
}

#[tokio::test]
async fn three_parties_open_links_and_frames_arrive_whole_and_in_order() {
    let net = net(&["a", "b", "c"]).await;
    let ((mut ab, mut ba), (mut ac, mut ca), (mut bc, mut cb)) =
        tokio::join!(net.pair("a", "b"), net.pair("a", "c"), net.pair("b", "c"));
    let big: Vec<u8> = (0..3_000_000u32).map(|i| i as u8).collect();
    for (x, y) in [(&mut ab, &mut ba), (&mut ca, &mut ac), (&mut bc, &mut cb)] {
        let (sent, ()) = tokio::join!(
            async {
                x.send(b"").await?;
                x.send(&big).await?;
                x.send(b"last").await
            },
            async {
                assert_eq!(y.recv(0, LONG).await.unwrap(), b"");
                assert_eq!(y.recv(big.len(), LONG).await.unwrap(), big);
                assert_eq!(y.recv(100, LONG).await.unwrap(), b"last");
            }
        );
        sent.unwrap();
        y.send(b"back").await.unwrap();
        assert_eq!(x.recv(4, LONG).await.unwrap(), b"back");
    }
}

#[tokio::test]
async fn labels_and_sessions_do_not_mix() {
    let net = net(&["a", "b"]).await;
    let (a, b) = (&net.hubs["a"], &net.hubs["b"]);
    let (one, two, three) = (org("a"), org("b"), [1; 32]);
    let (x1, x2, x3, y3, y2, y1) = tokio::join!(
        a.open(SESSION, "x", &two, LONG),
        a.open(SESSION, "y", &two, LONG),
        a.open(three, "x", &two, LONG),
        b.open(three, "x", &one, LONG),
        b.open(SESSION, "y", &one, LONG),
        b.open(SESSION, "x", &one, LONG),
    );
    for (i, (x, y)) in [(x1, y1), (x2, y2), (x3, y3)].into_iter().enumerate() {
        x.unwrap().send(&[i as u8]).await.unwrap();
        assert_eq!(y.unwrap().recv(1, LONG).await.unwrap(), [i as u8]);
    }
}

#[tokio::test]
async fn a_frame_above_the_receivers_bound_is_garbage_for_good() {
    let net = net(&["a", "b"]).await;
    let (mut a, mut b) = net.pair("a", "b").await;
    a.send(&[0; 101]).await.unwrap();
    let fault = LinkFault::Garbage("a frame of 101 bytes where 100 are allowed".into());
    assert_eq!(b.recv(100, LONG).await, Err(fault.clone()));
    assert_eq!(b.recv(1000, LONG).await, Err(fault));
}

#[tokio::test]
async fn silence_ends_a_receive_and_loses_nothing() {
    let net = net(&["a", "b"]).await;
    let (mut a, mut b) = net.pair("a", "b").await;
    assert_eq!(b.recv(100, SOON).await, Err(LinkFault::Silent));
    a.send(b"late").await.unwrap();
    assert_eq!(b.recv(100, LONG).await.unwrap(), b"late");
}

#[tokio::test]
async fn a_peer_that_closes_is_gone_also_inside_a_frame() {
    let net = net(&["a", "b"]).await;
    let (a, mut b) = net.pair("a", "b").await;
    let (mut sender, receiver) = a.split();
    sender.send(b"one").await.unwrap();
    sender.close().await;
    drop(receiver);
    assert_eq!(b.recv(3, LONG).await.unwrap(), b"one");
    assert_eq!(b.recv(3, LONG).await, Err(LinkFault::Gone));

    let mut raw = raw_client(&net, "a", "b").await;
    raw.write_all(&opening(1, "cut")).await.unwrap();
    let mut b = net.hubs["b"].open(SESSION, "cut", &org("a"), LONG).await.unwrap();
    raw.write_all(&cell(1, 3, &[0, 0, 0, 9, 1, 2])).await.unwrap();
    raw.flush().await.unwrap();
    drop(raw);
    assert_eq!(b.recv(9, LONG).await, Err(LinkFault::Gone));
}

/// A cell, spelled out.
fn cell(stream: u32, kind: u8, body: &[u8]) -> Vec<u8> {
    let [.., x, y, z] = body.len().to_be_bytes();
    [&stream.to_be_bytes()[..], &[kind, x, y, z], body].concat()
}

/// A cell that opens a stream.
fn opening(stream: u32, label: &str) -> Vec<u8> {
    cell(stream, 1, &hello::Hello::new(SESSION, label).unwrap().to_bytes())
}

/// A TLS stream to a hub without the link's own code on this side.
async fn raw_client(net: &Net, from: &str, to: &str) -> tokio_rustls::client::TlsStream<TcpStream> {
    let (_, id) = member(from);
    let config = client_config(&id, net.roots.clone(), net.clock.clone(), Protocol::Links, &org(to)).unwrap();
    let stream = TcpStream::connect(&net.addresses[&org(to)]).await.unwrap();
    tokio_rustls::TlsConnector::from(config).connect(server_name(), stream).await.unwrap()
}

/// Whether the hub closes the connection after these cells.
async fn is_closed_after(net: &Net, cells: &[Vec<u8>]) -> bool {
    let mut raw = raw_client(net, "a", "b").await;
    // The hub may close while later cells are on their way.
    for cell in cells {
        let _ = raw.write_all(cell).await;
    }
    let _ = raw.flush().await;
    let mut read = Vec::new();
    let ended = tokio::time::timeout(LONG, raw.read_to_end(&mut read)).await;
    ended.is_ok()
}

#[tokio::test]
async fn what_no_honest_peer_sends_ends_the_connection() {
    let net = net(&["a", "b"]).await;
    let empty = || vec![0; 4];
    let cases = [
        vec![cell(1, 1, &[0, 2])],
        vec![cell(1, 99, &[])],
        vec![cell(7, 3, &empty())],
        vec![opening(1, "early"), cell(1, 3, &empty())],
        vec![opening(1, "self"), cell(1, 2, &[0; 4])],
        vec![opening(2, "x"), opening(1, "y")],
        vec![opening(1, "x"), opening(1, "x")],
        vec![opening(1, "x"), cell(1, 5, &[0, 0, 0, 1])],
    ];
    for (number, case) in cases.iter().enumerate() {
        assert!(is_closed_after(&net, case).await, "case {number}");
    }
    let mut backwards = raw_client(&net, "b", "a").await;
    let _ = backwards.write_all(&opening(1, "share")).await;
    let _ = backwards.flush().await;
    assert!(matches!(backwards.read(&mut [0; 1]).await, Ok(0) | Err(_)));
}

#[tokio::test]
async fn a_peer_that_sends_more_than_the_window_is_told_on_and_held_to_it() {
    let net = net(&["a", "b"]).await;
    let mut raw = raw_client(&net, "a", "b").await;
    raw.write_all(&opening(1, "flood")).await.unwrap();
    let mut link = net.hubs["b"].open(SESSION, "flood", &org("a"), LONG).await.unwrap();
    let (mut reading, mut writing) = tokio::io::split(raw);
    let flood = async {
        let body = [&(60_000u32).to_be_bytes()[..], &[7; 60_000]].concat();
        while writing.write_all(&cell(1, 3, &body)).await.is_ok() {}
    };
    let mut read = Vec::new();
    let ended = tokio::time::timeout(LONG, async { tokio::join!(flood, reading.read_to_end(&mut read)) }).await;
    assert!(ended.is_ok(), "the connection is ended");
    let mut held = 0;
    let fault = loop {
        match link.recv(60_000, LONG).await {
            Ok(frame) => held += frame.len(),
            Err(fault) => break fault,
        }
    };
    assert!(matches!(fault, LinkFault::Garbage(_)), "{fault}");
    assert!(held > stream::WINDOW / 2 && held <= stream::WINDOW, "{held}");
}

/// An address at which nobody listens until the socket does: it is kept, so that no other test is given it meanwhile.
fn nobody() -> (TcpSocket, String) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap().to_string();
    (socket, address)
}

#[tokio::test]
async fn a_peer_that_does_not_open_or_is_not_there_is_silent() {
    let net = net(&["a", "b"]).await;
    assert_eq!(net.open("a", "b", SOON).await.err(), Some(LinkFault::Silent));
    // Cells come in their order: once they have another link, b knows what a took back.
    let (a, b) = (org("a"), org("b"));
    let other =
        tokio::join!(net.hubs["a"].open(SESSION, "other", &b, LONG), net.hubs["b"].open(SESSION, "other", &a, LONG));
    assert!(other.0.is_ok() && other.1.is_ok());
    assert_eq!(net.open("b", "a", SOON).await.err(), Some(LinkFault::Silent));
    let (_socket, nowhere) = nobody();
    net.hubs["a"].set_peer(org("b"), nowhere);
    assert_eq!(net.open("a", "b", SOON).await.err(), Some(LinkFault::Silent));
    assert!(matches!(net.open("a", "a", SOON).await, Err(LinkFault::Other(_))));
    assert!(matches!(net.open("a", "z", SOON).await, Err(LinkFault::Other(_))));
}

#[tokio::test]
async fn a_late_peer_is_dialled_again() {
    let net = net(&["a", "b"]).await;
    let (socket, address) = nobody();
    net.hubs["a"].set_peer(org("b"), address);
    let later = async {
        tokio::time::sleep(SOON).await;
        let listener = socket.listen(16).unwrap();
        let (_, id) = member("b");
        let hub = LinkHub::start(listener, id, net.roots.clone(), net.clock.clone(), BTreeMap::new()).unwrap();
        let link = hub.open(SESSION, "share", &org("a"), LONG).await;
        (hub, link)
    };
    let (a, (_hub, b)) = tokio::join!(net.open("a", "b", LONG), later);
    a.unwrap().send(b"hi").await.unwrap();
    assert_eq!(b.unwrap().recv(2, LONG).await.unwrap(), b"hi");
}

#[tokio::test]
async fn a_refused_certificate_is_told_to_the_side_that_dials() {
    let net = net(&["a", "b", "c"]).await;
    let serial = net.certificates["a"].serial();
    // At another address another organisation answers.
    net.hubs["a"].set_peer(org("b"), net.addresses[&org("c")].clone());
    let why = "b was expected, c answered".to_owned();
    assert_eq!(net.open("a", "b", LONG).await.err(), Some(LinkFault::Certificate(Code::CertificateInvalid, why)));
    net.roots.revoke(org("a"), serial);
    assert!(matches!(net.open("a", "c", LONG).await, Err(LinkFault::Certificate(Code::CertificateInvalid, _))));
    net.clock.set(NOW + 2 * DAY);
    assert!(matches!(net.open("a", "c", LONG).await, Err(LinkFault::Certificate(Code::CertificateExpired, _))));
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_garbage() {
    let net = net(&["a", "b"]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    net.hubs["a"].set_peer(org("b"), listener.local_addr().unwrap().to_string());
    let plain = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"220 mail.example ESMTP\r\n").await.unwrap();
        let _ = stream.read(&mut [0; 512]).await;
        stream
    };
    let (opened, _) = tokio::join!(net.open("a", "b", LONG), plain);
    assert!(matches!(opened, Err(LinkFault::Garbage(_))), "{:?}", opened.err());
}

#[tokio::test]
async fn connections_on_which_nothing_is_said_keep_no_peer_out() {
    let net = net(&["a", "b"]).await;
    let mut silent = Vec::new();
    for _ in 0..80 {
        silent.push(TcpStream::connect(&net.addresses[&org("b")]).await.unwrap());
    }
    // Half the time that each of these may take for its handshake.
    let patience = Duration::from_secs(5);
    let (a, b) = tokio::join!(net.open("a", "b", patience), net.open("b", "a", patience));
    a.unwrap().send(b"hi").await.unwrap();
    assert_eq!(b.unwrap().recv(2, LONG).await.unwrap(), b"hi");
}
