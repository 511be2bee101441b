//! Every change does what it says to the named frame, and silence ends waits.

use super::*;
use crate::{Blame, Context, memory};

/// Two parties of which party 0 sends three frames of one word, the second of them changed.
fn pair(mutation: Mutation) -> (Context, Context, Tape) {
    let (links, tape) = links(memory::network(2), Some(Change { party: 0, frame: 1, mutation }));
    let mut both = memory::contexts(links, [5; 32]);
    let one = both.pop().unwrap();
    (both.pop().unwrap(), one, tape)
}

/// What party 1 gets of the words 1, 2, 3 after it has sent 9.
async fn received(mutation: Mutation) -> Result<Vec<u64>, Abort> {
    let (mut zero, mut one, _) = pair(mutation);
    one.exchange(0, &[9], 0, 0).await?;
    zero.exchange(1, &[1], 1, 1).await?;
    for word in [2, 3] {
        zero.exchange(1, &[word], 1, 0).await?;
    }
    let mut got = Vec::new();
    for _ in 0..3 {
        got.extend(one.exchange(0, &[], 0, 1).await?);
    }
    Ok(got)
}

#[tokio::test]
async fn the_named_frame_alone_changes() {
    assert_eq!(received(Mutation::Flip(8 * HEADER + 2)).await.unwrap(), [1, 6, 3]);
    assert_eq!(received(Mutation::Replay).await.unwrap(), [1, 1, 3]);
    assert_eq!(received(Mutation::Zero).await.unwrap(), [1, 0, 3]);
    assert_eq!(received(Mutation::Ones).await.unwrap(), [1, u64::MAX, 3]);
    assert_eq!(received(Mutation::Impersonate).await.unwrap(), [1, 9, 3]);
    let other = [[0; HEADER], [8; HEADER]].concat();
    assert_eq!(received(Mutation::Transplant(other.clone())).await.unwrap(), [1, 0x0808_0808_0808_0808, 3]);
    for mutation in [
        Mutation::Flip(0),
        Mutation::Truncate,
        Mutation::Extend,
        Mutation::Repeat,
        Mutation::Foreign(other),
        Mutation::Foreign(Vec::new()),
        Mutation::Reflect,
    ] {
        assert_eq!(received(mutation.clone()).await.unwrap_err().blame, Blame::Peer(0), "{mutation:?}");
    }
}

#[tokio::test]
async fn silence_and_closed_links_end_the_waits_after_what_was_sent_before() {
    let (mut zero, mut one, tape) = pair(Mutation::Stall);
    for word in 1..4 {
        zero.exchange(1, &[word], 1, 0).await.unwrap();
    }
    assert_eq!(tape.frames(0).len(), 3);
    assert_eq!(one.exchange(0, &[], 0, 1).await.unwrap(), [1]);
    assert_eq!(one.exchange(0, &[], 0, 1).await.unwrap_err().blame, Blame::Network(0));
    let (mut zero, mut one, tape) = pair(Mutation::Close);
    zero.exchange(1, &[1], 1, 0).await.unwrap();
    assert_eq!(zero.exchange(1, &[2], 1, 0).await.unwrap_err().blame, Blame::Network(1));
    assert_eq!(zero.exchange(1, &[], 1, 1).await.unwrap_err().blame, Blame::Network(1));
    assert_eq!(one.exchange(0, &[], 0, 1).await.unwrap(), [1]);
    assert_eq!(one.exchange(0, &[], 0, 1).await.unwrap_err().blame, Blame::Network(0));
    assert!(tape.frames(7).is_empty());
}

#[tokio::test]
async fn a_party_that_is_silenced_is_waited_for_no_more() {
    let (mut zero, mut one, tape) = pair(Mutation::Zero);
    one.exchange(0, &[9], 0, 0).await.unwrap();
    tape.silence(1);
    assert_eq!(zero.exchange(1, &[], 1, 1).await.unwrap(), [9]);
    assert_eq!(zero.exchange(1, &[], 1, 1).await.unwrap_err().blame, Blame::Network(1));
}

#[test]
fn headers_belong_to_the_links_and_what_follows_to_the_protocol() {
    assert!(Mutation::Flip(8 * HEADER - 1).is_of_links() && Mutation::Foreign(vec![]).is_of_links());
    assert!(!Mutation::Flip(8 * HEADER).is_of_links() && !Mutation::Reflect.is_of_links());
}
