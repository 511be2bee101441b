//! Approvals that are missing, late, of another plan, or used for an attempt that was not started.

use std::collections::BTreeMap;

use base_gm::{sm2::SecretKey, sm3::sm3};
use base_types::{Digest, JobId, PersonId};
use base_wire::Encode;
use ledger_light::{Epoch, Genesis, Member, Organisation, Role};
use ledger_vm::{
    Env, Native, StateView, Stop, Unavailable, genesis_changes,
    notary::{Entry, EntryKind, Notary},
};
use notary_terms::{ApprovalFault as Fault, Plan, verify};

use crate::{
    common::{
        NODES,
        job::{APPROVED, EXPIRES, STARTED, approvals, plan},
        org,
    },
    stage::{SQL, sources},
};

async fn planned() -> Plan {
    let folder = tempfile::tempdir().expect("a folder");
    plan(&sources(folder.path()).await, SQL)
}

#[tokio::test]
async fn every_owner_must_have_approved_this_plan_in_time() {
    let plan = planned().await;
    let (me, good) = (org("health"), approvals(&plan));
    let tried = |facts: &[_], started, attempt| verify(&plan, facts, started, attempt, &me).map(|reads| reads.len());
    assert_eq!(tried(&good, (1, STARTED), 1), Ok(1));
    for place in 0..good.len() {
        let owner = good[place].org.clone();
        let mut facts = good.clone();
        facts.remove(place);
        assert_eq!(tried(&facts, (1, STARTED), 1), Err(Fault::Missing(owner.clone())));
        let mut facts = good.clone();
        facts[place].job = JobId::default();
        assert_eq!(tried(&facts, (1, STARTED), 1), Err(Fault::OtherPlan(owner.clone())));
        let mut facts = good.clone();
        facts[place].time = EXPIRES + 1;
        assert_eq!(tried(&facts, (1, STARTED), 1), Err(Fault::Expired));
        let mut facts = good.clone();
        facts[place].org = org("audit");
        assert_eq!(tried(&facts, (1, STARTED), 1), Err(Fault::Missing(owner)));
    }
    assert_eq!(tried(&[], (1, STARTED), 1), Err(Fault::Missing(org("civil"))));
}

#[tokio::test]
async fn an_attempt_must_be_the_one_that_was_started_in_time() {
    let plan = planned().await;
    let (me, good) = (org("health"), approvals(&plan));
    let tried = |started, attempt| verify(&plan, &good, started, attempt, &me).map(|reads| reads.len());
    assert_eq!(tried((1, EXPIRES), 1), Ok(1));
    assert_eq!(tried((1, EXPIRES + 1), 1), Err(Fault::Expired));
    assert_eq!(tried((0, STARTED), 0), Err(Fault::NotStarted(0)));
    assert_eq!(tried((1, STARTED), 2), Err(Fault::NotStarted(2)));
    // After a second Start the first attempt is over.
    assert_eq!(tried((2, STARTED), 1), Err(Fault::NotStarted(1)));
    assert_eq!(tried((2, STARTED), 2), Ok(1));
}

/// The ledger's state of the three organisations, and a block's time.
#[derive(Default)]
struct Ledger(BTreeMap<Vec<u8>, Vec<u8>>);

impl StateView for Ledger {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Unavailable> {
        Ok(self.0.get(key).cloned())
    }
}

impl Ledger {
    fn new() -> Self {
        let organisation =
            |name| Organisation { id: org(name), name_zh: String::new(), name_en: String::new(), ca: Vec::new() };
        let epoch = Epoch { number: 0, engine: 1, first_height: 1, validators: Vec::new(), interval_ms: 500 };
        let organisations = NODES.map(organisation).to_vec();
        let genesis = Genesis { name: "test".into(), time: 0, organisations, members: Vec::new(), epoch };
        Self(genesis_changes(&genesis).into_iter().filter_map(|(key, value)| Some((key, value?))).collect())
    }

    fn note(&mut self, plan: &Plan, sender: &str, role: Role, kind: EntryKind, attempt: u32) -> Result<(), String> {
        let parties = if kind == EntryKind::Proposed { plan.approvers() } else { Vec::new() };
        let expires = if kind == EntryKind::Proposed { plan.request.expires } else { 0 };
        let entry = Entry { subject: plan.digest(), kind, attempt, parties, expires, body: Vec::new() };
        let key = SecretKey::from_seed(sender.as_bytes()).public();
        let sender = Member { id: PersonId::new(sender).expect("a name"), key, roles: vec![role] };
        let env = Env { chain: Digest([0; 32]), height: 2, time: APPROVED, tx: sm3(&entry.to_wire()), sender };
        match Notary.execute(self, &env, &entry.to_wire()) {
            Ok(changes) => {
                self.0.extend(changes.into_iter().filter_map(|(key, value)| Some((key, value?))));
                Ok(())
            }
            Err(Stop::Refused(why)) => Err(why.to_string()),
            Err(Stop::Unavailable(why)) => panic!("{why}"),
        }
    }
}

#[tokio::test]
async fn the_ledger_starts_an_attempt_once_and_only_after_every_approval() {
    let (plan, mut ledger) = (planned().await, Ledger::new());
    let node = |name: &str| format!("{name}/node");
    ledger.note(&plan, "statistics/analyst", Role::Analyst, EntryKind::Proposed, 0).expect("proposed");
    for name in NODES {
        let early = ledger.note(&plan, &node("health"), Role::Node, EntryKind::Started, 1);
        assert!(early.is_err_and(|why| why.contains("has not approved")));
        ledger.note(&plan, &node(name), Role::Node, EntryKind::Approved, 0).expect("approved");
    }
    ledger.note(&plan, &node("health"), Role::Node, EntryKind::Started, 1).expect("started");
    for name in NODES {
        let again = ledger.note(&plan, &node(name), Role::Node, EntryKind::Started, 1);
        assert!(again.is_err_and(|why| why.contains("the next is 2")), "an attempt's number is used once");
    }
}
