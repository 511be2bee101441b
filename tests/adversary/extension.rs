//! A party whose frames are too long.

use crate::{
    cheat::{Move, once},
    stage::{LONG, Stage, at, everywhere},
    verdict::misbehaved,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_too_many_is_noticed() {
    let stage = Stage::set().await;
    let longer = |mut frame: Vec<u8>| {
        frame.push(0);
        Move::Send(vec![frame])
    };
    everywhere(&stage, LONG, |case| once(case.at, longer), misbehaved).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn megabytes_too_many_are_refused_by_their_announced_length() {
    let stage = Stage::set().await;
    let huge = |mut frame: Vec<u8>| {
        frame.resize(frame.len() + (8 << 20), 7);
        Move::Send(vec![frame])
    };
    let middle: Vec<_> = stage.cases().into_iter().filter(|case| case.at > 0 && !case.last).collect();
    at(&stage, &middle, LONG, |case| once(case.at, huge), misbehaved).await;
}
