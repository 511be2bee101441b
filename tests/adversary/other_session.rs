//! A party that sends frames of an earlier session of the same plan, or comes to another meeting.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use base_types::{OrgId, fault::Code};

use crate::{
    cheat::{Move, once, take_part},
    common::{NODES, org},
    stage::{Case, LONG, Stage, everywhere},
    verdict::{fault, misbehaved},
};

type Recorded = BTreeMap<(OrgId, OrgId), Vec<Vec<u8>>>;

/// All frames that each party sends to each other in an honest run.
async fn record(stage: &Stage) -> Recorded {
    let mut all = Recorded::new();
    for (cheat, victim) in NODES.iter().flat_map(|x| NODES.iter().map(move |y| (org(x), org(y)))) {
        if cheat == victim {
            continue;
        }
        let frames = Arc::new(Mutex::new(Vec::new()));
        let (start, heard) = (stage.start(), frames.clone());
        let listen = Box::new(move |_, frame: Vec<u8>| {
            heard.lock().expect("not poisoned").push(frame.clone());
            Move::Send(vec![frame])
        });
        let part = stage.part(&cheat, start).await;
        let (done, ended) = tokio::join!(take_part(part, victim.clone(), listen), stage.honest(&cheat, start, LONG));
        assert!(done && ended.iter().all(|party| party.result.is_ok()), "a cheat that does not cheat is not noticed");
        let frames = frames.lock().expect("not poisoned").clone();
        assert_eq!(frames.len() as u64, stage.frames(&cheat, &victim));
        all.insert((cheat, victim), frames);
    }
    all
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
