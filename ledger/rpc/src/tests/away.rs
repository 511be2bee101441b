//! A peer to which nothing comes through is away, until it speaks; and strangers keep none away.

use super::*;

/// Waits until a peer is known to be away, or known to be there.
async fn until_away(client: &PeerClient, peer: &str, away: bool) {
    let looking = async {
        while client.is_away(&org(peer)) != away {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LONG, looking).await.expect("it is found out");
}

#[tokio::test]
async fn a_peer_is_away_while_nothing_reaches_it_and_not_once_it_speaks_or_is_reached() {
    let net = net(&["a", "b", "c"]);
    let mut b = net.start("b").await;
    let (dead, dead_address) = nobody();
    let client = net.client("a", &[("b", &b.address), ("c", &dead_address)]);
    assert!(!client.is_away(&org("c")), "nothing was tried yet");
    client.broadcast("chain", &[1]);
    assert_eq!(b.next().await.2, [1]);
    until_away(&client, "c", true).await;
    assert!(!client.is_away(&org("b")));
    client.heard(&org("c"));
    assert!(!client.is_away(&org("c")), "it speaks");
    // What waits for it is still tried, and still in vain.
    until_away(&client, "c", true).await;
    let mut c = net.serve("c", dead.listen(16).unwrap()).await;
    assert_eq!(client.ask(&org("c"), "chain", b"ab".to_vec(), LONG).await, Ok(b"ba".to_vec()), "it answers");
    assert_eq!(c.next().await.2, [1]);
    until_away(&client, "c", false).await;
    // Nobody knows this one.
    client.heard(&org("d"));
    assert!(!client.is_away(&org("d")));
}

#[tokio::test]
async fn connections_on_which_nothing_is_said_keep_no_peer_out() {
    let net = net(&["a", "b"]);
    let b = net.start("b").await;
    let mut silent = Vec::new();
    for _ in 0..80 {
        silent.push(tokio::net::TcpStream::connect(&b.address).await.unwrap());
    }
    let client = net.client("a", &[("b", &b.address)]);
    // Half the time that each of these may take for its handshake.
    assert_eq!(client.ask(&org("b"), "chain", b"ab".to_vec(), Duration::from_secs(5)).await, Ok(b"ba".to_vec()));
}
