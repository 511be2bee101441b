//! A party that does not come, comes and says nothing, or says the wrong thing when the session is agreed.

use std::{sync::Arc, time::Duration};

use base_types::{
    OrgId,
    fault::{Code, Fault},
};
use tokio::task::JoinSet;

use crate::{
    cheat::{Deviation, Move, NONCE, PATIENCE, Part, meet, take_part_saying},
    common::{NODES, cluster::Ended, org},
    stage::{LONG, Stage},
    verdict::fault,
};

/// How both honest parties end when the cheat meets them with these nonces and then waits.
async fn met(stage: &Arc<Stage>, cheat: &OrgId, nonce: fn(&OrgId) -> Vec<u8>) -> Vec<Fault> {
    let start = stage.start();
    let part = stage.part(cheat, start).await;
    let task = tokio::spawn(async move {
        let links = meet(&part, nonce).await;
        tokio::time::sleep(PATIENCE).await;
        drop(links);
    });
    // Long enough for honest parties that read and meet on a slow machine beside other runs: they may not take each other for silent.
    let ended = stage.honest(cheat, start, Duration::from_secs(5)).await;
    task.abort();
    ended.iter().map(fault).collect()
}

/// The same with each of the three as the cheat, side by side, since they wait.
async fn met_by_each(stage: &Arc<Stage>, nonce: fn(&OrgId) -> Vec<u8>) -> Vec<(OrgId, Vec<Fault>)> {
    let mut runs = JoinSet::new();
    for cheat in NODES.map(org) {
        let stage = stage.clone();
        runs.spawn(async move {
            let faults = met(&stage, &cheat, nonce).await;
            (cheat, faults)
        });
    }
    runs.join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_of_another_length_is_noticed() {
    let stage = Stage::set().await;
    for cheat in NODES.map(org) {
        for nonce in [(|_: &OrgId| vec![5; 31]) as fn(&OrgId) -> Vec<u8>, |_| vec![5; 33], |_| Vec::new()] {
            let faults = met(&stage, &cheat, nonce).await;
            let named = faults.iter().filter(|fault| fault.party.as_ref() == Some(&cheat)).collect::<Vec<_>>();
            assert!(named.iter().any(|fault| fault.code == Code::PeerMisbehaved), "{faults:?}");
            assert!(faults.iter().all(|fault| fault.step == "exchange nonces"), "{faults:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn different_nonces_to_different_parties_end_the_session() {
    let stage = Stage::set().await;
    for (_, faults) in met_by_each(&stage, |to| vec![to.as_str().len() as u8; 32]).await {
        assert!(faults.iter().all(|fault| fault.code != Code::Internal), "{faults:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_that_says_nothing_after_the_nonces_is_silent() {
    let stage = Stage::set().await;
    for (cheat, faults) in met_by_each(&stage, |_| NONCE.to_vec()).await {
        assert!(faults.iter().any(|fault| fault.party.as_ref() == Some(&cheat) && fault.code == Code::PeerSilent));
        assert!(faults.iter().all(|fault| fault.step.contains("seeds")), "{faults:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_that_does_not_come_is_silent_to_both() {
    let stage = Stage::set().await;
    for cheat in NODES.map(org) {
        for party in stage.honest(&cheat, stage.start(), Duration::from_millis(500)).await {
            let fault = fault(&party);
            assert_eq!((fault.code, fault.step.as_str()), (Code::PeerSilent, "open links"), "{fault}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_that_leaves_after_its_hello_is_gone() {
    let stage = Stage::set().await;
    for cheat in NODES.map(org) {
        let start = stage.start();
        let part: Part = stage.part(&cheat, start).await;
        let leave = async {
            let links = meet(&part, |_| NONCE.to_vec()).await;
            drop(links);
        };
        let (ended, ()) = tokio::join!(stage.honest(&cheat, start, LONG), leave);
        let faults: Vec<Fault> = ended.iter().map(fault).collect();
        assert!(faults.iter().all(|fault| fault.code == Code::PeerGone), "{faults:?}");
        assert!(faults.iter().any(|fault| fault.party.as_ref() == Some(&cheat)), "{faults:?}");
    }
}

/// What a cheat tells one victim instead of its nonce.
#[derive(Debug, Clone, Copy)]
enum Told {
    Flipped(usize),
    Filled(u8),
    Cut(usize),
    Longer(usize),
    Twice,
}

impl Told {
    /// Every kind, with so many of the bits flipped, one each.
    fn all(flips: usize) -> Vec<Self> {
        let mut all: Vec<Self> = (0..flips).map(|at| Self::Flipped(at * 255 / (flips - 1))).collect();
        all.extend([Self::Filled(0), Self::Filled(0xff), Self::Twice]);
        all.extend([0, 1, 16, 31].map(Self::Cut));
        all.extend([1, 32, 1000].map(Self::Longer));
        all
    }

    fn nonce(self) -> Vec<u8> {
        let mut nonce = NONCE.to_vec();
        match self {
            Self::Flipped(bit) => nonce[bit / 8] ^= 1 << (bit % 8),
            Self::Filled(byte) => nonce.fill(byte),
            Self::Cut(len) => nonce.truncate(len),
            Self::Longer(by) => nonce.resize(NONCE.len() + by, 0),
            Self::Twice => {}
        }
        nonce
    }

    /// Whether the victim can tell by itself that it was the cheat. Where it has a nonce of another value the two honest parties
    /// only see that they are in different sessions.
    fn is_plain(self) -> bool {
        matches!(self, Self::Cut(_) | Self::Longer(_) | Self::Twice)
    }
}

/// How the honest parties end when a cheat takes part that has told `victim` something else.
async fn told(stage: Arc<Stage>, cheat: OrgId, victim: OrgId, told: Told) -> Vec<Ended> {
    let start = stage.start();
    let part = stage.part(&cheat, start).await;
    let other = victim.clone();
    let nonce = move |to: &OrgId| if *to == other { told.nonce() } else { NONCE.to_vec() };
    let again: Deviation = Box::new(move |number, frame| {
        let twice = number == 0 && matches!(told, Told::Twice);
        Move::Send(if twice { vec![NONCE.to_vec(), frame] } else { vec![frame] })
    });
    let task = tokio::spawn(take_part_saying(part, nonce, victim, again));
    let ended = stage.honest(&cheat, start, LONG).await;
    task.abort();
    ended
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_that_one_party_is_told_otherwise_gives_nobody_a_result() {
    const AT_A_TIME: usize = 9;
    let stage = Stage::set().await;
    let pairs = NODES.iter().flat_map(|cheat| NODES.iter().map(move |victim| (org(cheat), org(victim))));
    let pairs: Vec<(OrgId, OrgId)> = pairs.filter(|(cheat, victim)| cheat != victim).collect();
    let cases: Vec<_> = Told::all(24).into_iter().flat_map(|told| pairs.iter().map(move |pair| (pair, told))).collect();
    assert!(cases.len() >= 200, "{}", cases.len());
    for some in cases.chunks(AT_A_TIME) {
        let mut runs = JoinSet::new();
        for ((cheat, victim), what) in some.iter().copied() {
            let (stage, cheat, victim) = (stage.clone(), cheat.clone(), victim.clone());
            runs.spawn(async move { (told(stage, cheat.clone(), victim.clone(), what).await, cheat, victim, what) });
        }
        while let Some(run) = runs.join_next().await {
            let (ended, cheat, victim, what) = run.expect("no panic");
            for party in &ended {
                let fault = fault(party);
                let blamed = (fault.code, fault.party.as_ref()) == (Code::PeerMisbehaved, Some(&cheat));
                assert!(blamed || party.org != victim || !what.is_plain(), "{what:?} by {cheat}: {fault}");
            }
        }
    }
}
