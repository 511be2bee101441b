//! A party that sends other bytes than the protocol's, as many as are due.

use base_rt::{Entropy, OsEntropy};

use crate::{
    cheat::{Move, once},
    stage::{LONG, Stage, everywhere},
    verdict::misbehaved,
};

#[tokio::test(flavor = "multi_thread")]
async fn random_bytes_of_the_right_length_are_noticed_at_once() {
    let stage = Stage::set().await;
    let garbage = |mut frame: Vec<u8>| {
        OsEntropy.fill(&mut frame);
        Move::Send(vec![frame])
    };
    everywhere(&stage, LONG, |case| once(case.at, garbage), misbehaved).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_of_another_number_is_noticed() {
    let stage = Stage::set().await;
    // Bytes 4 to 7 count the frames of a fork.
    let renumbered = |mut frame: Vec<u8>| {
        frame[7] = frame[7].wrapping_add(1);
        Move::Send(vec![frame])
    };
    everywhere(&stage, LONG, |case| once(case.at, renumbered), misbehaved).await;
}
