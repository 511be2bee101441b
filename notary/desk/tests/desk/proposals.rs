//! A proposal that is not what it says it is: the node rejects it and names the code.

use std::sync::Arc;

use base_types::{
    OrgId,
    fault::{Code, Fault},
};
use base_wire::{Decode, Encode};
use ledger_vm::notary::{Entry, EntryKind as K};
use notary_desk::{Deriver, LONGEST_LIFE_MS};
use notary_terms::{Catalogue, Plan, Program, ProposalBody, Request, Star, formula::Op};

use crate::{
    office::{Office, Planner, dataset, health, sealed, source},
    world::{START, World, org, plain},
};

/// What the health node answers to a proposal.
async fn answer(world: &World, office: &Office, plan: &Plan, entry: &Entry) -> Option<String> {
    let job = world.send(plan, entry);
    office.vote(&job, "health").await
}

fn star(plan: &mut Plan) -> &mut Star {
    match &mut plan.program {
        Program::Star(star) => star,
        other => panic!("{other:?}"),
    }
}

fn refused(answer: Option<String>, code: &str, what: &str) {
    let reason = answer.unwrap_or_else(|| panic!("{what}: approved"));
    assert!(reason.starts_with(code), "{what}: {reason}");
}

#[tokio::test]
async fn a_plan_that_is_derived_otherwise_is_rejected() {
    let world = World::furnished();
    let office = Office::open(&world, "health");
    let honest = world.plan();
    assert_eq!(answer(&world, &office, &honest, &sealed(&honest)).await, None, "the control is approved");
    let changes: [(&str, fn(&mut Plan)); 13] = [
        ("a constant", |p| {
            let ops = &mut p.reads[1].filter.as_mut().expect("a filter").ops;
            *ops.iter_mut().find(|op| **op == Op::Number(40)).expect("the age") = Op::Number(0);
        }),
        ("no filter", |p| p.reads[1].filter = None),
        ("a column more", |p| {
            let read = &mut p.reads[0];
            read.columns.push("income".into());
            read.types.push(read.types[0]);
        }),
        ("another column", |p| p.reads[1].columns[1] = "sbp2".into()),
        ("a smaller group", |p| star(p).min_group = 1),
        ("other nodes", |p| p.nodes[0] = org("audit")),
        ("nodes in another order", |p| p.nodes.swap(0, 1)),
        ("more rows", |p| p.reads[1].rows_bound += 64),
        ("another output", |p| p.outputs[1].name = "persons".into()),
        ("an aggregate less", |p| _ = star(p).aggregates.pop()),
        ("another key base", |p| star(p).key_base += 1),
        ("another planner", |p| p.planner += 1),
        ("a query that gives no plan", |p| p.request.sql = "SELECT * FROM health".into()),
    ];
    for (what, change) in changes {
        let mut plan = world.plan();
        change(&mut plan);
        refused(answer(&world, &office, &plan, &sealed(&plan)).await, "HQ-3003", what);
    }
}

#[tokio::test]
async fn a_sealed_plan_under_another_name_is_rejected() {
    let world = World::furnished();
    let office = Office::open(&world, "health");
    let (shown, mut hidden) = (world.plan(), world.plan());
    star(&mut hidden).min_group = 1;
    let other = Entry { subject: shown.digest(), ..sealed(&hidden) };
    refused(answer(&world, &office, &shown, &other).await, "HQ-3003", "another plan inside");

    let plan = world.plan();
    let mut body = ProposalBody::from_wire(&sealed(&plan).body).expect("body");
    body.sealed_plan =
        base_gm::envelope::seal_to(&[crate::world::key("health/node").public()], b"heqi/plan", b"no plan at all")
            .expect("sealed");
    let garbage = Entry { body: body.to_wire(), ..sealed(&plan) };
    refused(answer(&world, &office, &plan, &garbage).await, "HQ-3003", "no plan inside");

    let plan = world.plan();
    let mut body = ProposalBody::from_wire(&sealed(&plan).body).expect("body");
    body.sealed_plan.recipients.retain(|(to, _)| *to != crate::world::key("health/node").public());
    let closed = Entry { body: body.to_wire(), ..sealed(&plan) };
    refused(answer(&world, &office, &plan, &closed).await, "HQ-7002", "not sealed to this node");
}

#[tokio::test]
async fn the_public_part_must_be_the_sealed_plan_s() {
    let world = World::furnished();
    let office = Office::open(&world, "health");
    let bodies: [(&str, fn(&mut ProposalBody)); 6] = [
        ("receiver", |b| b.receiver = org("civil")),
        ("purpose", |b| b.purpose = "weather".into()),
        ("nodes", |b| b.nodes[0] = org("audit")),
        ("a data set less", |b| _ = b.datasets.pop()),
        ("a data set more", |b| b.datasets.push(dataset("civil/moves"))),
        ("data sets in another order", |b| b.datasets.reverse()),
    ];
    for (what, change) in bodies {
        let plan = world.plan();
        let mut body = ProposalBody::from_wire(&sealed(&plan).body).expect("body");
        change(&mut body);
        let entry = Entry { body: body.to_wire(), ..sealed(&plan) };
        refused(answer(&world, &office, &plan, &entry).await, "HQ-3003", what);
    }
    let entries: [(&str, fn(&mut Entry)); 3] = [
        ("a party not asked", |e| e.parties.retain(|p| *p != org("civil"))),
        ("a party more", |e| e.parties.push(org("audit"))),
        ("a later end", |e| e.expires += 1),
    ];
    for (what, change) in entries {
        let plan = world.plan();
        let mut entry = sealed(&plan);
        change(&mut entry);
        refused(answer(&world, &office, &plan, &entry).await, "HQ-3003", what);
    }
}

#[tokio::test]
async fn only_the_receiver_s_own_analyst_asks_in_its_name() {
    let world = World::furnished();
    let office = Office::open(&world, "health");
    let mut plan = world.plan();
    plan.request.analyst = "civil/analyst".parse().expect("name");
    refused(answer(&world, &office, &plan, &sealed(&plan)).await, "HQ-7002", "another organisation's analyst");

    let mut plan = world.plan();
    plan.request.receiver = org("civil");
    refused(answer(&world, &office, &plan, &sealed(&plan)).await, "HQ-7002", "another receiver");

    // Sent by another than it names: nobody reads it as a proposal.
    let plan = world.plan();
    world.write("civil/analyst", &sealed(&plan)).expect("the contract does not read bodies");
    assert!(world.book().job(&plan.digest()).is_none());
}

#[tokio::test]
async fn a_proposal_ends_within_thirty_days() {
    let world = World::furnished();
    let office = Office::open(&world, "health");
    let ends = |after: u64| {
        let mut request = world.request();
        request.expires = START + after;
        world.plan_at(world.height(), &request)
    };
    let long = ends(LONGEST_LIFE_MS + 60_000);
    refused(answer(&world, &office, &long, &sealed(&long)).await, "HQ-7003", "too long");
    let month = ends(LONGEST_LIFE_MS);
    assert_eq!(answer(&world, &office, &month, &sealed(&month)).await, None);
    let over = ends(1);
    assert!(world.write("statistics/analyst", &sealed(&over)).is_err(), "the contract refuses what has ended");
}

#[tokio::test]
async fn nobody_picks_an_old_or_a_future_catalogue() {
    let world = World::furnished();
    let office = Office::open(&world, "health");
    let (old, request) = (world.height(), world.request());
    world.register(&health());
    let plan = world.plan_at(old, &request);
    assert_eq!(answer(&world, &office, &plan, &sealed(&plan)).await, None, "registered again in the same words");

    let old = world.height();
    world.register(&source("health/health", &[("person_id", 32_767), ("age", 127), ("sbp", 511)]));
    let plan = world.plan_at(old, &world.request());
    let reason = answer(&world, &office, &plan, &sealed(&plan)).await;
    assert!(reason.as_ref().is_some_and(|why| why.contains("registered anew")), "{reason:?}");
    refused(reason, "HQ-3003", "an old catalogue");

    for ahead in [1, 5] {
        let plan = world.plan_at(world.height() + ahead, &world.request());
        refused(answer(&world, &office, &plan, &sealed(&plan)).await, "HQ-3003", "a catalogue to come");
    }
    let plan = world.plan();
    assert_eq!(answer(&world, &office, &plan, &sealed(&plan)).await, None, "the newest");
}

#[tokio::test]
async fn a_changed_proposal_is_rejected_by_a_node_without_data_too() {
    let world = World::furnished();
    let office = Office::open(&world, "civil");
    let mut request = world.request();
    request.sql = "SELECT c.education, COUNT(*) AS people FROM census c
                   JOIN health h ON h.person_id = c.person_id GROUP BY c.education"
        .into();
    let plan = world.plan_at(world.height(), &request);
    assert!(!plan.approvers().contains(&org("civil")) && sealed(&plan).parties.contains(&org("civil")));
    let job = world.propose(&plan);
    assert_eq!(office.vote(&job, "civil").await, None, "it takes part and reads nothing: no rule is asked");
    world.approve("health/owner", job);
    world.approve("statistics/owner", job);
    world.start(job);
    world.write("civil/node", &plain(job, K::Receipt, 1, vec![])).expect("it may tell how its part ended");

    let mut changed = world.plan_at(world.height(), &world.request());
    star(&mut changed).min_group = 1;
    let job = world.propose(&changed);
    refused(office.vote(&job, "civil").await, "HQ-3003", "a smaller group");
}

/// A planner of a node that has no room for a data set of so many rows.
struct Small(u32);

impl Deriver for Small {
    fn derive(&self, request: &Request, catalogue: &Catalogue, nodes: &[OrgId]) -> Result<Plan, Fault> {
        Planner.derive(request, catalogue, nodes)
    }

    fn fits(&self, plan: &Plan) -> Result<(), Fault> {
        if plan.reads.iter().all(|read| read.rows_bound < self.0) {
            return Ok(());
        }
        Err(Fault::new(Code::RunTooLarge, "check size", "it takes 9 MiB of 5").at(&org("health")))
    }
}

#[tokio::test]
async fn a_plan_that_never_fits_into_a_node_that_computes_is_rejected_there_with_both_numbers() {
    for (rows, rejected) in [(641, false), (640, true)] {
        let world = World::furnished();
        let plan = world.plan();
        let office = Office::deriving(&world, "health", Arc::new(Small(rows)));
        let reason = answer(&world, &office, &plan, &sealed(&plan)).await;
        assert_eq!(reason.is_some(), rejected, "{reason:?}");
        let told = |reason: &String| reason.starts_with("HQ-5007") && reason.contains("9 MiB of 5 (party: health");
        assert!(reason.as_ref().is_none_or(told), "{reason:?}");
    }
    let world = World::furnished();
    let plan = world.plan();
    // One that does not compute has nothing to find room for.
    let office = Office::deriving(&world, "audit", Arc::new(Small(0)));
    assert_eq!(office.desk.fits(&plan), Ok(()));
    let office = Office::deriving(&world, "civil", Arc::new(Small(0)));
    assert!(office.desk.fits(&plan).is_err());
}
