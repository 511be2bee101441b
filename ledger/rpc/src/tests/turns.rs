//! However many calls and connections an organisation opens, few of its calls are under way, and others do not wait for them.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;

use super::*;
use crate::turns::QUESTIONS;

/// Counts the questions of `a` that are being answered, and answers none before so many are under way as there may be: a
/// slow machine brings them one after the other. Nobody else's is answered late.
#[derive(Default)]
struct Counting {
    now: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl PeerHandler for Counting {
    async fn deliver(&self, _from: &OrgId, _channel: &str, _body: Vec<u8>) {}
    async fn ask(&self, from: &OrgId, _channel: &str, body: Vec<u8>) -> Result<Vec<u8>, String> {
        if *from == org("a") {
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            loop {
                tokio::time::sleep(Duration::from_millis(30)).await;
                if self.most.load(Ordering::SeqCst) >= QUESTIONS {
                    break;
                }
            }
            self.now.fetch_sub(1, Ordering::SeqCst);
        }
        Ok(body)
    }
}

#[tokio::test]
async fn calls_beyond_an_organisations_turns_wait_and_nobody_elses_do() {
    const CALLS: usize = 5 * QUESTIONS;
    let net = net(&["a", "b", "c"]);
    let (listener, address) = frozen().await;
    let tls = server_config(&net.members["b"], net.roots.clone(), net.clock.clone(), Protocol::Control).unwrap();
    let counting = Arc::new(Counting::default());
    let serving = PeerServer::serve(listener, tls, net.roots.clone(), counting.clone(), None, std::future::pending());
    let task = tokio::spawn(serving);
    // Turns are the organisation's, not a connection's.
    let connections: Vec<_> = (0..4).map(|_| net.client("a", &[("b", &address)])).collect();
    let asked = |at: usize| {
        let client = connections[at % connections.len()].clone();
        async move { client.ask(&org("b"), "chain", vec![1], LONG).await }
    };
    let many = tokio::spawn(join_all((0..CALLS).map(asked)));
    let other = net.client("c", &[("b", &address)]);
    assert_eq!(other.ask(&org("b"), "chain", vec![2], LONG).await, Ok(vec![2]));
    let answers = many.await.unwrap();
    assert!(answers.len() == CALLS && answers.iter().all(|answer| *answer == Ok(vec![1])));
    assert_eq!(counting.most.load(Ordering::SeqCst), QUESTIONS);
    task.abort();
}
