//! A party whose frames end too early.

use crate::{
    cheat::{Move, once},
    stage::{LONG, Stage, everywhere},
    verdict::misbehaved,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_without_its_last_byte_is_noticed() {
    let stage = Stage::set().await;
    let shorter = |mut frame: Vec<u8>| {
        frame.pop();
        Move::Send(vec![frame])
    };
    everywhere(&stage, LONG, |case| once(case.at, shorter), misbehaved).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_cut_inside_its_header_is_noticed() {
    let stage = Stage::set().await;
    let cut = |frame: Vec<u8>| Move::Send(vec![frame[..3].to_vec()]);
    everywhere(&stage, LONG, |case| once(case.at, cut), misbehaved).await;
}
