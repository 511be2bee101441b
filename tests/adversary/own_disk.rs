//! A party whose own disk or ledger fails: nothing is shared before it is noted, nothing is delivered that is not kept.

use std::time::Duration;

use base_types::{OrgId, fault::Code};
use notary_terms::Outcome;

use crate::{
    common::{NODES, cluster::Records, org},
    stage::{LONG, Stage},
    verdict::{fault, noted},
};

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_cannot_be_kept_is_not_delivered() {
    let stage = Stage::set().await;
    let (me, start) = (stage.plan.request.receiver.clone(), stage.start());
    let records = Records { full: Some(Code::DiskFull), ..Records::default() };
    let receiver = stage.cluster.party_noting(&stage.plan, start, &me, LONG, records);
    let (receiver, others) = tokio::join!(receiver, stage.honest(&me, start, LONG));
    let told = receiver.result.clone().expect_err("the disk is full");
    assert_eq!((told.code, told.step.as_str()), (Code::DiskFull, "keep the answer"));
    noted(&receiver, &told);
    assert!(others.iter().all(|party| party.receipt() == Outcome::Done), "the others had done their part");
}

/// How a run ends whose owner `me` cannot have its read noted: the owner at once, the others when they have waited for it.
async fn unnoted(stage: &Stage, me: OrgId) {
    let start = stage.start();
    let records = Records { deaf: Some(Code::NoQuorum), ..Records::default() };
    // Before its read the owner meets the others where they wait for room: nobody may be late there.
    let silence = Duration::from_secs(5);
    let owner = stage.cluster.party_noting(&stage.plan, start, &me, silence, records);
    let (owner, others) = tokio::join!(owner, stage.honest(&me, start, silence));
    let told = owner.result.clone().expect_err("no quorum");
    assert_eq!(told.code, Code::NoQuorum);
    noted(&owner, &told);
    assert!(!owner.records.steps().contains(&"open links".to_owned()));
    assert!(others.iter().map(fault).all(|fault| fault.code == Code::PeerSilent && fault.step == "open links"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_shares_nothing_before_its_read_is_noted() {
    let stage = Stage::set().await;
    let [one, two, three] = NODES.map(org);
    tokio::join!(unnoted(&stage, one), unnoted(&stage, two), unnoted(&stage, three));
}
