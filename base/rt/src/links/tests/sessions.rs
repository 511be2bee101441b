//! Many sessions on one connection: side by side, one after the other, and when the connection or its runtime ends.

use super::*;

/// The link of a session of that number, at both ends.
async fn numbered(net: &Net, number: u64) -> (Link, Link) {
    let mut session = SESSION;
    session[..8].copy_from_slice(&number.to_be_bytes());
    let (a, b) = (org("a"), org("b"));
    let opened =
        tokio::join!(net.hubs["a"].open(session, "share", &b, LONG), net.hubs["b"].open(session, "share", &a, LONG));
    (opened.0.unwrap(), opened.1.unwrap())
}

/// Waits until both hubs hold so many connections and streams.
async fn settles(net: &Net, count: (usize, usize)) {
    let settled = async {
        while ["a", "b"].iter().any(|name| net.hubs[name].count() != count) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let counts = || ["a", "b"].map(|name| net.hubs[name].count());
    assert!(tokio::time::timeout(LONG, settled).await.is_ok(), "{:?}", counts());
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_opened_at_once_from_both_sides_share_one_connection_and_interleave() {
    let net = Arc::new(net(&["a", "b"]).await);
    let mut sessions = tokio::task::JoinSet::new();
    for number in 0..40 {
        let net = net.clone();
        sessions.spawn(async move { (number, numbered(&net, number).await) });
    }
    let mut links = Vec::new();
    while let Some(session) = sessions.join_next().await {
        links.push(session.unwrap());
    }
    settles(&net, (1, 40)).await;
    let mut talks = tokio::task::JoinSet::new();
    for (number, (mut a, mut b)) in links {
        talks.spawn(async move {
            for round in 0..20 {
                let frame = vec![number as u8; 1000 * round + round];
                let (sent, got) = tokio::join!(a.send(&frame), b.recv(frame.len(), LONG));
                sent.unwrap();
                assert_eq!(got.unwrap(), frame);
                std::mem::swap(&mut a, &mut b);
            }
        });
    }
    while let Some(talk) = talks.join_next().await {
        talk.unwrap();
    }
    settles(&net, (1, 0)).await;
}

#[tokio::test]
async fn a_session_whose_receiver_stalls_slows_down_no_other() {
    let net = net(&["a", "b"]).await;
    let (mut stalled, mut slow) = numbered(&net, 1).await;
    let (mut a, mut b) = numbered(&net, 2).await;
    let frame = vec![1; 1 << 20];
    let mut sent = 0;
    while tokio::time::timeout(SOON, stalled.send(&frame)).await.is_ok() {
        sent += frame.len();
    }
    assert!(sent < stream::WINDOW, "{sent}");
    for _ in 0..8 {
        let (sent, got) = tokio::join!(a.send(&frame), b.recv(frame.len(), LONG));
        sent.unwrap();
        assert_eq!(got.unwrap().len(), frame.len());
    }
    // The one that was dropped half-way is broken, and its peer reads what was whole before.
    assert!(matches!(stalled.send(b"more").await, Err(LinkFault::Other(_))));
    drop(stalled);
    let mut got = 0;
    while let Ok(frame) = slow.recv(frame.len(), LONG).await {
        got += frame.len();
    }
    assert_eq!(got, sent);
}

#[tokio::test]
async fn a_frame_larger_than_the_window_passes_while_it_is_read() {
    let net = net(&["a", "b"]).await;
    let (mut a, mut b) = numbered(&net, 1).await;
    let frame: Vec<u8> = (0..3 * stream::WINDOW + 17).map(|i| (i / 251) as u8).collect();
    let (sent, got) = tokio::join!(a.send(&frame), b.recv(frame.len(), LONG));
    sent.unwrap();
    assert!(got.unwrap() == frame);
}

#[tokio::test]
async fn one_direction_ends_and_the_other_goes_on() {
    let net = net(&["a", "b"]).await;
    let (a, b) = numbered(&net, 1).await;
    let ((sender, mut receiver), (mut back, mut end)) = (a.split(), b.split());
    sender.close().await;
    assert_eq!(end.recv(1, LONG).await, Err(LinkFault::Gone));
    back.send(b"still here").await.unwrap();
    assert_eq!(receiver.recv(10, LONG).await.unwrap(), b"still here");
    drop(receiver);
    let stopped = async {
        while back.send(b"x").await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, stopped).await.expect("the sender hears that nobody reads");
}

#[tokio::test]
async fn a_thousand_sessions_one_after_the_other_leave_nothing() {
    let net = net(&["a", "b"]).await;
    for number in 0..1000 {
        let (mut a, mut b) = numbered(&net, number).await;
        a.send(b"hi").await.unwrap();
        assert_eq!(b.recv(2, LONG).await.unwrap(), b"hi");
    }
    settles(&net, (1, 0)).await;
}

#[tokio::test]
async fn a_connection_that_breaks_ends_its_links_and_is_dialled_again() {
    let mut net = net(&["a", "b"]).await;
    let (mut a, _b) = numbered(&net, 1).await;
    let address: std::net::SocketAddr = net.addresses[&org("b")].parse().unwrap();
    net.hubs.remove("b");
    assert_eq!(a.recv(1, LONG).await, Err(LinkFault::Gone));
    assert_eq!(a.send(b"x").await, Err(LinkFault::Gone));
    let listener = TcpListener::bind((address.ip(), 0)).await.unwrap();
    net.hubs["a"].set_peer(org("b"), listener.local_addr().unwrap().to_string());
    let (_, id) = member("b");
    let hub = LinkHub::start(listener, id, net.roots.clone(), net.clock.clone(), BTreeMap::new()).unwrap();
    net.hubs.insert("b", hub);
    let (mut a, mut b) = numbered(&net, 2).await;
    a.send(b"again").await.unwrap();
    assert_eq!(b.recv(5, LONG).await.unwrap(), b"again");
}

#[tokio::test]
async fn a_certificate_revoked_after_the_handshake_opens_no_more_links() {
    let net = net(&["a", "b"]).await;
    let (mut a, mut b) = numbered(&net, 1).await;
    net.roots.revoke(org("a"), net.certificates["a"].serial());
    let (asked, _) = tokio::join!(net.open("a", "b", LONG), net.open("b", "a", SOON));
    assert!(matches!(asked, Err(LinkFault::Certificate(Code::CertificateInvalid, _))), "{:?}", asked.err());
    // What runs already was begun under a certificate that was good.
    a.send(b"on").await.unwrap();
    assert_eq!(b.recv(2, LONG).await.unwrap(), b"on");
    drop((a, b));
    settles(&net, (0, 0)).await;
}

#[tokio::test]
async fn links_outlive_the_runtime_that_asked_for_them_first() {
    let net = Arc::new(net(&["a", "b"]).await);
    let elsewhere = net.clone();
    let first = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let opened = runtime.block_on(numbered(&elsewhere, 1));
        drop(runtime);
        opened
    });
    while !first.is_finished() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (mut a, mut b) = first.join().unwrap();
    a.send(b"here").await.unwrap();
    assert_eq!(b.recv(4, LONG).await.unwrap(), b"here");
    let _second = numbered(&net, 2).await;
    settles(&net, (1, 2)).await;
}
