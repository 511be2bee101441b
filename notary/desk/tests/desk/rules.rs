//! Rules at the desk: what they forbid, who approves, and how many runs they allow.

use std::{
    sync::{Arc, Mutex, OnceLock},
    thread::sleep,
    time::Duration,
};

use base_types::{JobId, OrgId, fault::Fault};
use base_wire::{Decode, Encode};
use ledger_vm::notary::EntryKind as K;
use notary_desk::{Deriver, Desk, JobStatus, Stats};
use notary_terms::{ApprovalBody, ApprovalMode, Catalogue, Plan, Request, RuleSet, StartBody};

use crate::{
    office::{Office, dataset, rules, sealed},
    world::{START, World, org, plain},
};

fn limited(runs: u32) -> RuleSet {
    let mut set = rules("health/health");
    set.rules[0].runs = runs;
    set
}

#[tokio::test]
async fn what_the_rules_forbid_is_rejected_and_the_ledger_names_no_column() {
    let world = World::furnished();
    let office = Office::open(&world, "health");
    let mut uses = rules("health/health");
    uses.rules[0].uses.remove(2);
    let mut expired = rules("health/health");
    expired.rules[0].expires = START;
    let mut holders = rules("health/health");
    holders.holders.retain(|h| h.as_str() != "civil");
    for set in [uses, expired, holders] {
        world.rule(&set);
        let job = world.propose(&world.plan());
        let reason = office.vote(&job, "health").await.expect("rejected");
        // The ledger is read by those who are no party: it names the rule's owner, never a column of the query.
        assert!(reason.starts_with("HQ-3001") && reason.contains("health"), "{reason}");
        assert!(!reason.contains("sbp") && !reason.contains("heqi grant"), "{reason}");
        assert_eq!(world.job(&job).status(START), JobStatus::Rejected);
    }
}

#[tokio::test]
async fn a_threshold_raised_after_planning_is_kept() {
    let world = World::furnished();
    let office = Office::open(&world, "health");
    let plan = world.plan();
    world.rule(&RuleSet { min_group: 10, ..rules("health/health") });
    let job = world.propose(&plan);
    let reason = office.vote(&job, "health").await.expect("rejected");
    assert!(reason.starts_with("HQ-3001"), "{reason}");
    let again = world.propose(&world.plan());
    assert_eq!(office.vote(&again, "health").await, None, "planned by the new rules");
}

#[tokio::test]
async fn the_node_approves_by_rule_and_leaves_to_a_person_what_is_hers() {
    let world = World::furnished();
    world.rule(&RuleSet { approval: ApprovalMode::Person, ..rules("health/health") });
    let mut offices = ["civil", "health", "statistics"].map(|name| Office::open(&world, name));
    let job = world.propose(&world.plan());
    for by in ["civil", "statistics"] {
        assert_eq!(offices[0].vote(&job, by).await, None);
    }
    offices[1].idle(&world).await;
    let waiting = world.job(&job);
    assert_eq!((waiting.status(START), waiting.votes.len()), (JobStatus::Waiting, 2));
    assert!(waiting.votes.iter().all(|v| v.by_rule && v.mark.sender.as_str().ends_with("/node")));

    world.approve("health/owner", job);
    for office in &mut offices {
        assert!(office.order().await.is_ok_and(|order| order.attempt == 1));
    }
    let approved = world.job(&job);
    let hers = approved.votes.iter().find(|v| v.org.as_str() == "health").expect("a vote");
    assert!(!hers.by_rule && hers.mark.sender.as_str() == "health/owner");
}

#[tokio::test]
async fn a_person_s_approval_does_not_get_round_the_rules() {
    let world = World::furnished();
    world.rule(&RuleSet { rules: vec![], ..rules("health/health") });
    let job = world.propose(&world.plan());
    world.approve("health/owner", job);
    let mut office = Office::open(&world, "health");
    for who in ["civil/owner", "statistics/owner"] {
        world.approve(who, job);
    }
    office.idle(&world).await;
    world.start(job);
    let (_, attempt, fault) = office.order().await.err().expect("no order to read");
    assert_eq!((attempt, fault.code.number()), (1, "HQ-3001"), "{fault}");
}

#[tokio::test]
async fn runs_are_counted_by_starts() {
    let world = World::furnished();
    world.rule(&limited(1));
    let mut office = Office::open(&world, "health");
    let jobs = [world.propose(&world.plan()), world.propose(&world.plan())];
    for job in &jobs {
        assert_eq!(office.vote(job, "health").await, None, "nothing has run yet");
        world.approve("civil/owner", *job);
        world.approve("statistics/owner", *job);
    }
    assert_eq!(world.book().runs(&dataset("health/health")), 0, "an approval is no run");
    for job in jobs {
        world.start(job);
    }
    // The desk works on both at once and may tell of either first; which of them has the run is by their places on the ledger.
    let mut orders = [office.order().await, office.order().await];
    orders.sort_by_key(Result::is_err);
    let [first, second] = orders;
    assert!(first.is_ok_and(|order| order.plan.digest() == jobs[0]), "the first start has the run");
    let (job, _, fault) = second.err().expect("the second start has none");
    assert_eq!((job, fault.code.number()), (jobs[1], "HQ-3001"), "{fault}");

    let book = world.book();
    assert_eq!((book.runs(&dataset("health/health")), book.runs(&dataset("civil/moves"))), (2, 0));
    assert_eq!(book.runs_before(&dataset("health/health"), &jobs[1], 1), 1);
    let third = world.propose(&world.plan());
    let reason = office.vote(&third, "health").await.expect("rejected");
    assert!(reason.starts_with("HQ-3001"), "{reason}");
    world.rule(&limited(3));
    let fourth = world.propose(&world.plan());
    assert_eq!(office.vote(&fourth, "health").await, None, "two of three are used");
}

/// A start of an attempt by the receiver's node, on the approvals that there are or on none.
pub fn started(world: &World, job: JobId, attempt: u32, founded: bool) {
    let mut approvals: Vec<_> = world.job(&job).approvals().into_iter().map(|fact| fact.transaction).collect();
    approvals.sort();
    if !founded {
        approvals.clear();
    }
    let start = plain(job, K::Started, attempt, StartBody { approvals }.to_wire());
    world.write("statistics/node", &start).expect("started");
}

#[test]
fn nobody_uses_up_runs_without_the_owners_approval_or_by_starting_again() {
    let world = World::furnished();
    let health = dataset("health/health");
    let used = || {
        let stats = Stats::of(&world.book(), START);
        let told = stats.uses.iter().filter(|used| used.dataset == health).map(|used| used.runs).sum::<u32>();
        assert_eq!(told, world.book().runs(&health));
        told
    };
    // A proposal that names the data set and asks nobody but the organisation that makes it.
    let mut alone = sealed(&world.plan());
    alone.parties = vec![org("statistics")];
    world.write("statistics/analyst", &alone).expect("the contract knows no owners");
    world.approve("statistics/owner", alone.subject);
    for attempt in 1..=3 {
        started(&world, alone.subject, attempt, true);
    }
    assert_eq!(used(), 0);

    let job = world.propose(&world.plan());
    for who in ["civil/owner", "health/owner", "statistics/owner"] {
        world.approve(who, job);
    }
    started(&world, job, 1, false);
    assert_eq!(used(), 0, "nobody runs a start that does not rest on the approvals");
    for attempt in 2..=5 {
        started(&world, job, attempt, true);
    }
    assert_eq!(used(), 1, "the approvals are for one run");
    assert_eq!(world.book().runs_before(&health, &job, 2), 0);
}

/// A planner during whose work the owner sets rules anew, which the desk reads before it is done.
struct Overtaken {
    world: Arc<World>,
    desk: OnceLock<Arc<Desk>>,
    anew: Mutex<Option<RuleSet>>,
}

impl Overtaken {
    fn overtake(&self, rules: &RuleSet) {
        self.world.rule(rules);
        let end = self.world.log().len() as u64;
        let desk = self.desk.get().expect("a desk");
        while desk.book(|book| book.cursor).expect("book") < end {
            sleep(Duration::from_millis(1));
        }
    }
}

impl Deriver for Overtaken {
    fn derive(&self, request: &Request, catalogue: &Catalogue, nodes: &[OrgId]) -> Result<Plan, Fault> {
        let anew = self.anew.lock().expect("lock").take();
        if let Some(rules) = anew {
            // The desk goes on reading on another thread meanwhile.
            tokio::task::block_in_place(|| self.overtake(&rules));
        }
        planner::plan(request, catalogue, nodes)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_names_the_rules_that_allowed_it_also_when_others_are_set_meanwhile() {
    let world = World::furnished();
    let anew = Mutex::new(Some(RuleSet { rules: vec![], ..rules("health/health") }));
    let planner = Arc::new(Overtaken { world: world.clone(), desk: OnceLock::new(), anew });
    let office = Office::deriving(&world, "health", planner.clone());
    assert!(planner.desk.set(office.desk.clone()).is_ok());
    let allowing = world.book().rules_transaction(&dataset("health/health"));
    let job = world.propose(&world.plan());
    assert_eq!(office.vote(&job, "health").await, None, "the rules of before allow it");
    let log = world.log();
    let (_, _, entry) = log.iter().find(|(_, record, _)| record.kind == K::Approved).expect("an approval");
    let body = ApprovalBody::from_wire(&entry.body).expect("a body");
    assert_eq!((body.by_rule, body.rules), (true, allowing));
    assert_ne!(world.book().rules_transaction(&dataset("health/health")), allowing, "others are in force by now");
}
