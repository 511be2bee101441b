//! A party that sends a frame a second time.

use crate::{
    cheat::{Deviation, Move},
    stage::{Case, LONG, Stage, everywhere},
    verdict::misbehaved,
};

/// The frame before instead of the one that is due; the first frame is sent twice.
fn again(case: &Case) -> Deviation {
    let (at, mut before) = (case.at, None);
    Box::new(move |number, frame| {
        let old = before.replace(frame.clone());
        match old {
            Some(old) if number == at => Move::Send(vec![old]),
            None if at == 0 => Move::Send(vec![frame.clone(), frame]),
            _ => Move::Send(vec![frame]),
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_that_comes_again_is_noticed() {
    let stage = Stage::set().await;
    everywhere(&stage, LONG, again, misbehaved).await;
}
