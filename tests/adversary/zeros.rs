//! A party that sends empty frames, or frames of zeros.

use crate::{
    cheat::{Move, once},
    stage::{LONG, Stage, everywhere},
    verdict::misbehaved,
};

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_frame_is_noticed() {
    let stage = Stage::set().await;
    everywhere(&stage, LONG, |case| once(case.at, |frame| Move::Send(vec![Vec::new(), frame])), misbehaved).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_empty_frames_is_noticed_at_the_first() {
    let stage = Stage::set().await;
    everywhere(&stage, LONG, |case| once(case.at, |_| Move::Send(vec![Vec::new(); 1000])), misbehaved).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn zeros_of_the_right_length_are_noticed() {
    let stage = Stage::set().await;
    everywhere(&stage, LONG, |case| once(case.at, |frame| Move::Send(vec![vec![0; frame.len()]])), misbehaved).await;
}
