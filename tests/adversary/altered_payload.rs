//! A party that follows the form and alters what it sends: tier B does not promise to notice, but nobody may break.

use base_types::fault::Code;

use crate::{
    cheat::{Move, once},
    common::{NODES, org},
    stage::{Case, LONG, Stage},
    verdict::fault,
};

/// Runs for each ordered pair.
const RUNS: u64 = 7;

#[tokio::test(flavor = "multi_thread")]
async fn altered_words_never_make_an_honest_party_panic_or_hang() {
    let stage = Stage::set().await;
    let mut noticed = 0;
    for (cheat, victim) in NODES.iter().flat_map(|x| NODES.iter().map(move |y| (org(x), org(y)))) {
        if cheat == victim {
            continue;
        }
        let all = stage.frames(&cheat, &victim);
        let runs = (0..RUNS).map(|run| {
            let case = Case { cheat: cheat.clone(), victim: victim.clone(), at: all * run / RUNS, last: false };
            let flip = move |mut frame: Vec<u8>| {
                let header = 8;
                for byte in frame.iter_mut().skip(header) {
                    *byte ^= 0x5a;
                }
                Move::Send(vec![frame])
            };
            let stage = stage.clone();
            tokio::spawn(async move { stage.play(&case, LONG, once(case.at, flip)).await })
        });
        for run in runs.collect::<Vec<_>>() {
            for party in run.await.expect("no panic") {
                if party.result.is_err() {
                    noticed += u32::from(fault(&party).code == Code::PeerMisbehaved);
                }
            }
        }
    }
    assert!(noticed > 0, "coin tosses and openings are checked in every tier");
}
