//! A party that calls the job off: every run ends where it is, and says who wanted it.

use std::{sync::Arc, time::Instant};

use base_types::{OrgId, fault::Code};
use runner::{Direction, Halt, Note, Run};
use tokio::sync::oneshot;

use crate::{
    cheat::{Move, once, take_part},
    common::{cluster::Records, job::run_of, org},
    stage::{LONG, Stage},
    verdict::noted,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_job_called_off_in_its_joint_part_ends_at_once_and_every_receipt_says_by_whom() {
    let stage = Stage::set().await;
    let (start, cheat) = (stage.start(), org("civil"));
    let others: Vec<OrgId> = stage.plan.nodes.iter().filter(|node| **node != cheat).cloned().collect();
    let middle = stage.frames(&cheat, &others[0]) / 2;
    // It hangs, so that the others surely wait inside the protocol, and says when.
    let part = stage.part(&cheat, start).await;
    let (tell, hangs) = oneshot::channel::<()>();
    let mut tell = Some(tell);
    let hang = move |_: Vec<u8>| {
        let _ = tell.take().map(|tell| tell.send(()));
        Move::Hang
    };
    let hung = tokio::spawn(take_part(part, others[0].clone(), once(middle, hang)));
    let halts = [(); 2].map(|()| Arc::new(Halt::default()));
    let party = |at: usize| {
        let run = Run { halt: halts[at].clone(), ..run_of(&stage.plan, start, &others[at]) };
        stage.cluster.party_running(run, &others[at], LONG, Records::default())
    };
    let calling_off = async {
        hangs.await.expect("it comes to its place");
        halts.iter().for_each(|halt| halt.call_off(cheat.clone()));
        Instant::now()
    };
    let (one, two, called) = tokio::join!(party(0), party(1), calling_off);
    assert!(called.elapsed() < LONG / 4, "nobody waits for silence");
    hung.abort();
    for party in [one, two] {
        let fault = party.result.clone().expect_err("called off");
        assert_eq!((fault.code, fault.party.as_ref()), (Code::Cancelled, Some(&cheat)), "{fault}");
        assert!(fault.step.starts_with("star/"), "{fault}");
        noted(&party, &fault);
        assert_eq!(party.streams().streams.len(), 4, "what had crossed is notarised");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_called_off_before_its_run_begins_reads_nothing() {
    let stage = Stage::set().await;
    let (start, me) = (stage.start(), org("health"));
    let run = run_of(&stage.plan, start, &me);
    run.halt.call_off(org("statistics"));
    let ended = stage.cluster.party_running(run, &me, LONG, Records::default()).await;
    let fault = ended.result.clone().expect_err("called off");
    assert_eq!((fault.code, fault.party.clone()), (Code::Cancelled, Some(org("statistics"))), "{fault}");
    noted(&ended, &fault);
    assert!(!ended.records.notes().iter().any(|note| matches!(note, Note::Read(_))));
}

/// The others' links end before this node has read from its ledger why.
#[tokio::test(flavor = "multi_thread")]
async fn a_party_that_is_left_because_the_job_was_called_off_says_so_and_blames_nobody_else() {
    let stage = Stage::set().await;
    let (start, cheat) = (stage.start(), org("civil"));
    let me = stage.plan.nodes.iter().find(|node| **node != cheat).expect("three nodes").clone();
    let part = stage.part(&cheat, start).await;
    let left = tokio::spawn(take_part(part, me.clone(), once(stage.frames(&cheat, &me) / 2, |_| Move::Leave)));
    let third = stage.plan.nodes.iter().find(|node| **node != cheat && **node != me).expect("three nodes");
    let records = Records { called_off: Some(org("statistics")), ..Records::default() };
    let (told, other) = tokio::join!(
        stage.cluster.party_noting(&stage.plan, start, &me, LONG, records),
        stage.cluster.party(&stage.plan, start, third, LONG)
    );
    left.abort();
    let fault = told.result.clone().expect_err("called off");
    assert_eq!((fault.code, fault.party.clone()), (Code::Cancelled, Some(org("statistics"))), "{fault}");
    noted(&told, &fault);
    let gone = other.result.clone().expect_err("nobody called it off here");
    assert_eq!(gone.code, Code::PeerGone, "{gone}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_moves_is_counted_by_step_peer_and_direction() {
    let stage = Stage::set().await;
    let flows = stage.cluster.flows.all();
    for direction in [Direction::Sent, Direction::Received] {
        let joined = flows.iter().filter(|(flow, _)| flow.step == "join" && flow.direction == direction);
        let peers: Vec<_> = joined.map(|(flow, count)| (&flow.peer, count.bytes())).collect();
        assert_eq!(peers.len(), 3, "{peers:?}");
        assert!(peers.iter().all(|(_, bytes)| *bytes > 0));
    }
}
