//! Users' programs: a person of every other owner decides, and a plan that differs from the derived one is rejected.

use notary_desk::JobStatus;
use notary_terms::{Circuit, Plan, Program, ReadRole, Request, Tier, Use};

use crate::{
    office::{Office, rules, sealed},
    world::{START, World},
};

const ASKED: &str = "COMPUTE $$ pub fn main(a: u8, b: [u8; 2]) -> bool { (a > b[0]) & (a > b[1]) } $$
                     WITH a = (SELECT education FROM census WHERE person_id = 7),
                          b = (SELECT sbp FROM health WHERE person_id = 7) ELSE 0";

/// A plan under rules that let the statistics bureau learn by programs.
fn planned(world: &World) -> Plan {
    for name in ["statistics/census", "health/health"] {
        let mut set = rules(name);
        set.rules.iter_mut().for_each(|rule| rule.uses.push(Use::Program));
        world.rule(&set);
    }
    again(world)
}

fn again(world: &World) -> Plan {
    world.plan_at(world.height(), &Request { sql: ASKED.into(), ..world.request() })
}

#[tokio::test]
async fn no_node_approves_another_party_s_program_by_rule() {
    let world = World::furnished();
    let plan = planned(&world);
    let mut offices = ["health", "statistics"].map(|name| Office::open(&world, name));
    let job = world.propose(&plan);
    assert_eq!(offices[1].vote(&job, "statistics").await, None, "its own analyst's question");
    offices[0].idle(&world).await;
    let waiting = world.job(&job);
    assert_eq!((waiting.status(START), waiting.votes.len()), (JobStatus::Waiting, 1));
    world.approve("health/owner", job);
    for office in &mut offices {
        let order = office.order().await.unwrap_or_else(|(_, _, fault)| panic!("{fault}"));
        assert_eq!((order.plan.digest(), order.reads.len()), (job, 1));
    }
}

#[tokio::test]
async fn a_program_that_no_rule_allows_or_that_is_derived_otherwise_is_rejected() {
    let world = World::furnished();
    let office = Office::open(&world, "health");
    let job = world.propose(&again(&world));
    let reason = office.vote(&job, "health").await.expect("rejected");
    assert!(reason.starts_with("HQ-3001"), "{reason}");
    planned(&world);
    let circuit = |p: &mut Plan, change: fn(&mut Circuit)| match &mut p.program {
        Program::Circuit(circuit) => change(circuit),
        _ => panic!("no program"),
    };
    let changes: [(&str, &dyn Fn(&mut Plan)); 5] = [
        ("another source", &|p| circuit(p, |circuit| circuit.source = circuit.source.replace("a > b[1]", "a < b[1]"))),
        ("another circuit", &|p| circuit(p, |circuit| circuit.digest.0[0] ^= 1)),
        ("a smaller size", &|p| circuit(p, |circuit| circuit.size.and_gates -= 1)),
        ("another row", &|p| p.reads[1].filter = None),
        ("more rows", &|p| {
            let ReadRole::Input { rows, .. } = &mut p.reads[1].role else { panic!("no argument") };
            *rows += 1;
        }),
    ];
    for (what, change) in changes {
        let mut plan = again(&world);
        assert_eq!(plan.tier, Tier::C);
        change(&mut plan);
        let job = world.send(&plan, &sealed(&plan));
        let reason = office.vote(&job, "health").await.unwrap_or_else(|| panic!("{what}: approved"));
        assert!(reason.starts_with("HQ-3003"), "{what}: {reason}");
    }
}
