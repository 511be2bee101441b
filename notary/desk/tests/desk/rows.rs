//! Rows of two owners: two nodes take part, each by its own rules, and a plan that differs from the derived one is rejected.

use notary_terms::{Intersect, Label, Plan, Program, ReadRole, Request, Rule, RuleSet, Spares, Tier, Use};

use crate::{
    office::{Office, rules, sealed},
    world::{World, org},
};

const ROWS: &str = "SELECT c.person_id, c.education, h.sbp FROM census c
                    JOIN health h ON h.person_id = c.person_id WHERE h.age >= 40";

/// Rules that show rows to the statistics bureau and let the health department compare its keys.
fn rules_for_rows(name: &str) -> RuleSet {
    let mut set = rules(name);
    set.holders.clear();
    let [all] = set.rules.as_mut_slice() else { panic!("one rule") };
    all.uses.extend([Use::AfterJoin, Use::JoinPayload]);
    let other = Rule { party: org("health"), uses: vec![Use::EncryptedOnly], ..all.clone() };
    set.rules.push(other);
    set
}

fn planned(world: &World) -> Plan {
    world.rule(&rules_for_rows("statistics/census"));
    world.rule(&rules_for_rows("health/health"));
    world.plan_at(world.height(), &Request { sql: ROWS.into(), ..world.request() })
}

fn pace(plan: &mut Plan) -> &mut Intersect {
    match &mut plan.program {
        Program::Intersect(intersect) => intersect,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_two_owners_alone_approve_and_run_an_intersection() {
    let world = World::furnished();
    let plan = planned(&world);
    let mut offices = ["civil", "health", "statistics"].map(|name| Office::open(&world, name));
    let job = world.propose(&plan);
    for by in ["health", "statistics"] {
        assert_eq!(offices[0].vote(&job, by).await, None);
    }
    for office in &mut offices[1..] {
        let order = office.order().await.unwrap_or_else(|(_, _, fault)| panic!("{fault}"));
        assert_eq!((order.plan.digest(), order.reads.len(), order.attempt), (job, 1, 1));
    }
    offices[0].idle(&world).await;
    let told = world.job(&job);
    assert_eq!((told.approvers, told.proposal.nodes), (plan.nodes.clone(), plan.nodes.clone()));
    assert_eq!((told.proposal.tier, told.proposal.datasets.len()), (Tier::C, 2));
}

#[tokio::test]
async fn rules_for_aggregates_do_not_show_rows() {
    let world = World::furnished();
    let office = Office::open(&world, "health");
    let plan = world.plan_at(world.height(), &Request { sql: ROWS.into(), ..world.request() });
    let job = world.propose(&plan);
    let reason = office.vote(&job, "health").await.expect("rejected");
    assert!(reason.starts_with("HQ-3001"), "{reason}");
}

#[tokio::test]
async fn an_intersection_that_is_derived_otherwise_is_rejected() {
    let world = World::furnished();
    let office = Office::open(&world, "health");
    let honest = planned(&world);
    let job = world.send(&honest, &sealed(&honest));
    assert_eq!(office.vote(&job, "health").await, None, "the control is approved");
    let changes: [(&str, fn(&mut Plan)); 8] = [
        ("another key", |p| {
            let ReadRole::Set { keys } = &mut p.reads[1].role else { panic!("no set") };
            keys[0].column = 1;
        }),
        ("no filter", |p| p.reads[1].filter = None),
        ("another label", |p| pace(p).label = Label::Count),
        ("buckets", |p| pace(p).bucket_keys = Some(1 << 10)),
        ("other thrift", |p| pace(p).spares = Spares::Bytes),
        ("another tier", |p| p.tier = Tier::B),
        ("a third node", |p| p.nodes.insert(0, org("civil"))),
        ("more rows", |p| p.reads[0].rows_bound += 64),
    ];
    for (what, change) in changes {
        let mut plan = world.plan_at(world.height(), &Request { sql: ROWS.into(), ..world.request() });
        change(&mut plan);
        let job = world.send(&plan, &sealed(&plan));
        let reason = office.vote(&job, "health").await.unwrap_or_else(|| panic!("{what}: approved"));
        assert!(reason.starts_with("HQ-3003"), "{what}: {reason}");
    }
}
