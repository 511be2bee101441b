//! A stream ends when its peer's certificate is revoked, also in the midst of its handshake, and no other stream does.

use base_rt::tls::{peer_node, server_name};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use super::*;
use crate::stream::{NodeStream, Refusal};

/// Both ends of a finished handshake between the nodes `a`, which dials, and `b`.
async fn shaken(net: &Net) -> (TlsStream<TcpStream>, TlsStream<TcpStream>) {
    let (roots, clock) = (net.roots.clone(), net.clock.clone());
    let dial = client_config(&net.members["a"], roots.clone(), clock.clone(), Protocol::Control, &org("b")).unwrap();
    let accept = server_config(&net.members["b"], roots, clock, Protocol::Control).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let near = async {
        let stream = TcpStream::connect(address).await.unwrap();
        TlsConnector::from(dial).connect(server_name(), stream).await.unwrap()
    };
    let far = async {
        let (stream, _) = listener.accept().await.unwrap();
        TlsAcceptor::from(accept).accept(stream).await.unwrap()
    };
    let (near, far) = tokio::join!(near, far);
    (TlsStream::from(near), TlsStream::from(far))
}

/// The accepting end as the server has it.
fn accepted(net: &Net, stream: TlsStream<TcpStream>) -> NodeStream {
    let peer = peer_node(stream.get_ref().1.peer_certificates()).unwrap();
    assert_eq!(peer, shown(net));
    NodeStream::new(stream, peer, Refusal::default(), Some(net.roots.clone()))
}

/// What names the certificate of `a`.
fn shown(net: &Net) -> (OrgId, [u8; 16]) {
    (org("a"), net.members["a"].certificate.serial())
}

#[tokio::test]
async fn a_certificate_that_is_revoked_before_its_handshake_has_ended_opens_no_stream() {
    let net = net(&["a", "b"]);
    let (_near, far) = shaken(&net).await;
    let (org, serial) = shown(&net);
    net.roots.revoke(org, serial);
    let mut far = accepted(&net, far);
    assert!(far.write_all(b"x").await.is_err());
    assert!(far.read_u8().await.is_err());
}

#[tokio::test]
async fn an_open_stream_ends_with_its_own_certificate_and_with_no_other_of_the_organisation() {
    let net = net(&["a", "b"]);
    let (mut near, far) = shaken(&net).await;
    let mut far = accepted(&net, far);
    let (org, serial) = shown(&net);
    net.roots.revoke(org.clone(), serial.map(|byte| byte ^ 1));
    near.write_all(b"x").await.unwrap();
    near.flush().await.unwrap();
    assert_eq!(far.read_u8().await.unwrap(), b'x');
    net.roots.revoke(org, serial);
    near.write_all(b"y").await.unwrap();
    near.flush().await.unwrap();
    assert!(far.read_u8().await.is_err());
}
