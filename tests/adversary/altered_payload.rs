//! A party that follows the form and alters what it sends: tier B does not promise to notice, but nobody may break.

use std::sync::Arc;

use base_types::fault::Code;

use crate::{
    cheat::{Move, once},
    common::{NODES, org},
    stage::{Case, LONG, Stage},
    verdict::fault,
};

/// Runs for each ordered pair, spread over its frames, and how many of them go side by side.
const RUNS: u64 = 7;
const LONG_RUNS: u64 = 140;
const AT_A_TIME: usize = 7;

/// Alters every word of a frame, its header left as it was.
fn altered(mut frame: Vec<u8>) -> Move {
    const HEADER: usize = 8;
    frame.iter_mut().skip(HEADER).for_each(|byte| *byte ^= 0x5a);
    Move::Send(vec![frame])
}

/// Plays side by side; how many parties noticed.
async fn play(stage: &Arc<Stage>, cases: &[Case]) -> usize {
    let run = |case: &Case| {
        let (stage, case) = (stage.clone(), case.clone());
        tokio::spawn(async move { stage.play(&case, LONG, once(case.at, altered)).await })
    };
    let mut noticed = 0;
    for run in cases.iter().map(run).collect::<Vec<_>>() {
        let ended = run.await.expect("no panic");
        let broken = ended.iter().filter(|party| party.result.is_err());
        noticed += broken.filter(|party| fault(party).code == Code::PeerMisbehaved).count();
    }
    noticed
}

#[tokio::test(flavor = "multi_thread")]
async fn altered_words_never_make_an_honest_party_panic_or_hang() {
    let stage = Stage::set().await;
    let count = if std::env::var_os("HEQI_LONG").is_some() { LONG_RUNS } else { RUNS };
    let mut noticed = 0;
    for (cheat, victim) in NODES.iter().flat_map(|x| NODES.iter().map(move |y| (org(x), org(y)))) {
        if cheat == victim {
            continue;
        }
        let all = stage.frames(&cheat, &victim);
        let case = |run| Case { cheat: cheat.clone(), victim: victim.clone(), at: all * run / count, last: false };
        let cases: Vec<Case> = (0..count).map(case).collect();
        for batch in cases.chunks(AT_A_TIME) {
            noticed += play(&stage, batch).await;
        }
    }
    assert!(noticed > 0, "coin tosses and openings are checked in every tier");
}
