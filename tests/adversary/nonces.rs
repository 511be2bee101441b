//! A party that does not come, comes and says nothing, or says the wrong thing when the session is agreed.

use std::{sync::Arc, time::Duration};

use base_types::{
    OrgId,
    fault::{Code, Fault},
};

use crate::{
    cheat::{PATIENCE, Part, meet},
    common::{NODES, org},
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
    let ended = stage.honest(cheat, start, Duration::from_millis(1200)).await;
    task.abort();
    ended.iter().map(fault).collect()
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
    for cheat in NODES.map(org) {
        let faults = met(&stage, &cheat, |to| vec![to.as_str().len() as u8; 32]).await;
        assert!(faults.iter().all(|fault| fault.code != Code::Internal), "{faults:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_that_says_nothing_after_the_nonces_is_silent() {
    let stage = Stage::set().await;
    for cheat in NODES.map(org) {
        let faults = met(&stage, &cheat, |_| vec![5; 32]).await;
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
            let links = meet(&part, |_| vec![5; 32]).await;
            drop(links);
        };
        let (ended, ()) = tokio::join!(stage.honest(&cheat, start, LONG), leave);
        let faults: Vec<Fault> = ended.iter().map(fault).collect();
        assert!(faults.iter().all(|fault| fault.code == Code::PeerGone), "{faults:?}");
        assert!(faults.iter().any(|fault| fault.party.as_ref() == Some(&cheat)), "{faults:?}");
    }
}
