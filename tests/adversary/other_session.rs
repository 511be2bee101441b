//! A party that sends frames of an earlier session of the same plan, or comes to another meeting.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use base_types::{OrgId, fault::Code};

use crate::{
    cheat::{Move, once, take_part},
    common::{NODES, cluster::Ended, job::Start, org},
    stage::{Case, LONG, Stage, everywhere},
    verdict::{fault, misbehaved},
};

type Recorded = BTreeMap<(OrgId, OrgId), Vec<Vec<u8>>>;

/// An honest run under a start: all frames that one party sends to another, and how the others ended.
async fn heard(stage: &Stage, start: Start, cheat: &OrgId, victim: &OrgId) -> (Vec<Vec<u8>>, Vec<Ended>) {
    let frames = Arc::new(Mutex::new(Vec::new()));
    let kept = frames.clone();
    let listen = Box::new(move |_, frame: Vec<u8>| {
        kept.lock().expect("not poisoned").push(frame.clone());
        Move::Send(vec![frame])
    });
    let part = stage.part(cheat, start).await;
    let (done, ended) = tokio::join!(take_part(part, victim.clone(), listen), stage.honest(cheat, start, LONG));
    assert!(done && ended.iter().all(|party| party.result.is_ok()), "a cheat that does not cheat is not noticed");
    let frames = frames.lock().expect("not poisoned").clone();
    assert_eq!(frames.len() as u64, stage.frames(cheat, victim));
    (frames, ended)
}

/// All frames that each party sends to each other in an honest run.
async fn record(stage: &Stage) -> Recorded {
    let mut all = Recorded::new();
    for (cheat, victim) in NODES.iter().flat_map(|x| NODES.iter().map(move |y| (org(x), org(y)))) {
        if cheat != victim {
            let (frames, _) = heard(stage, stage.start(), &cheat, &victim).await;
            all.insert((cheat, victim), frames);
        }
    }
    all
}

/// A node whose folder was put back knows nothing of the attempt, and so might take part in the same one again, under the same start; here
/// even its nonce comes again.
#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_comes_again_has_another_session_and_other_shares() {
    let stage = Stage::set().await;
    let (cheat, victim, start) = (org("civil"), org("health"), stage.start());
    let (first, one) = heard(&stage, start, &cheat, &victim).await;
    let (second, two) = heard(&stage, start, &cheat, &victim).await;
    // Not even the forks' names in their headers, or what is masked behind them.
    assert!(first.iter().zip(&second).all(|(before, after)| before.len() == after.len() && before[..4] != after[..4]));
    let long = first.iter().zip(&second).filter(|(frame, _)| frame.len() >= 40);
    assert!(long.clone().count() > 0 && long.clone().all(|(before, after)| before[8..] != after[8..]));
    for (before, after) in one.iter().zip(&two) {
        let streams = before.streams().streams.into_iter().zip(after.streams().streams);
        for (before, after) in streams {
            assert_eq!((&before.from, &before.to, before.bytes), (&after.from, &after.to, after.bytes));
            assert_ne!(before.digest, after.digest);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_of_an_earlier_session_is_noticed() {
    let stage = Stage::set().await;
    let recorded = record(&stage).await;
    let deviate = |case: &Case| {
        let old = recorded[&(case.cheat.clone(), case.victim.clone())][case.at as usize].clone();
        once(case.at, move |frame| {
            assert_eq!(frame.len(), old.len());
            Move::Send(vec![old.clone()])
        })
    };
    everywhere(&stage, LONG, deviate, misbehaved).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_that_opens_links_of_another_start_is_not_met() {
    let stage = Stage::set().await;
    for cheat in NODES.map(org) {
        let part = stage.part(&cheat, stage.start()).await;
        let victim = stage.plan.nodes.iter().find(|node| **node != cheat).expect("another").clone();
        let task = tokio::spawn(take_part(part, victim, Box::new(|_, frame| Move::Send(vec![frame]))));
        for party in stage.honest(&cheat, stage.start(), Duration::from_millis(700)).await {
            let fault = fault(&party);
            assert!(matches!(fault.code, Code::PeerSilent | Code::PeerGone) && fault.step == "open links", "{fault}");
        }
        task.abort();
    }
}
