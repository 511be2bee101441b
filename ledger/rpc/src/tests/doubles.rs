//! Every message has an identifier, and none is taken over twice, whatever is sent again.

use tonic::transport::Channel;

use super::*;
use crate::{connect, stream::Refusal, wire};

type Raw = wire::peer_client::PeerClient<Channel>;

/// Calls `to` as `name` with frames as they are.
fn raw(net: &Net, name: &str, to: &str, address: &str) -> Raw {
    let id = &net.members[name];
    let tls = client_config(id, net.roots.clone(), net.clock.clone(), Protocol::Control, &org(to)).unwrap();
    Raw::new(connect::secure(address.to_owned(), tls, None, Refusal::default()))
}

fn frame(run: u64, number: u64, body: &[u8]) -> wire::Frame {
    wire::Frame { channel: "chain".into(), body: body.to_vec(), run, number }
}

impl Serving {
    /// The bodies of what was handed over so far.
    fn bodies(&mut self) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| self.inbox.try_recv().ok()).map(|(_, _, body)| body).collect()
    }
}

#[tokio::test]
async fn a_batch_sent_twice_is_handed_over_once() {
    let net = net(&["a", "b", "c"]);
    let mut b = net.start("b").await;
    let mut a = raw(&net, "a", "b", &b.address);
    let batch = wire::Frames { frames: vec![frame(7, 1, b"one"), frame(7, 2, b"slow"), frame(7, 3, b"three")] };
    let first = tokio::spawn({
        let (mut a, batch) = (a.clone(), batch.clone());
        async move { a.deliver(batch).await }
    });
    assert_eq!(b.next().await.2, b"one");
    // The call is given up in the midst of its second message, and the next call comes meanwhile.
    first.abort();
    let mut longer = batch.clone();
    longer.frames.push(frame(7, 4, b"four"));
    a.deliver(longer).await.unwrap();
    a.deliver(batch.clone()).await.unwrap();
    assert_eq!(b.bodies(), [&b"slow"[..], b"three", b"four"]);
    // The same run and numbers of somebody else name other messages.
    raw(&net, "c", "b", &b.address).deliver(batch).await.unwrap();
    assert_eq!(b.bodies(), [&b"one"[..], b"slow", b"three"]);
}

#[tokio::test]
async fn a_restarted_sender_is_heard() {
    let net = net(&["a", "b"]);
    let mut b = net.start("b").await;
    for body in [1, 2, 3, 4, 5, 6] {
        let client = net.client("a", &[("b", &b.address)]);
        client.deliver(&org("b"), "chain", vec![body]);
        assert_eq!(b.next().await.2, [body]);
    }
}

#[tokio::test]
async fn numbers_out_of_order_within_a_run_are_dropped() {
    let net = net(&["a", "b"]);
    let mut b = net.start("b").await;
    let mut a = raw(&net, "a", "b", &b.address);
    let numbers = [(1, 5), (1, 3), (2, 1), (1, 6), (1, 6), (2, 2)];
    let frames = numbers.map(|(run, number)| frame(run, number, &[run as u8, number as u8])).to_vec();
    a.deliver(wire::Frames { frames }).await.unwrap();
    assert_eq!(b.bodies(), [[1u8, 5], [2, 1], [1, 6], [2, 2]]);
}

#[tokio::test]
async fn messages_and_questions_without_an_identifier_are_refused() {
    let net = net(&["a", "b"]);
    let mut b = net.start("b").await;
    let mut a = raw(&net, "a", "b", &b.address);
    for nameless in [frame(0, 2, b"x"), frame(1, 0, b"x")] {
        let frames = vec![frame(1, 1, b"x"), nameless.clone()];
        let refused = a.deliver(wire::Frames { frames }).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::InvalidArgument);
        assert_eq!(a.ask(nameless).await.unwrap_err().code(), tonic::Code::InvalidArgument);
    }
    assert!(b.bodies().is_empty());
    let answer = a.ask(frame(3, 9, b"abc")).await.unwrap().into_inner();
    assert_eq!(answer, frame(3, 9, b"cba"));
    // A question may be put again: its answer changes nothing.
    assert_eq!(a.ask(frame(3, 9, b"abc")).await.unwrap().into_inner(), answer);
}
