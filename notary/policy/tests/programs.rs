//! Users' programs: what they tell, the grants that they need, and that no other owner's node approves them by rule.

mod common;

use common::{
    NOW, all_are_faults, all_missing, dataset, formula, never_used, org, plan, program, rule, sufficient_for_program,
    told,
};
use notary_policy::{Decision, decide, uses};
use notary_terms::{Order, Plan, Program, ReadRole, Tier, Use, ValueOf, formula::Op};

#[test]
fn a_program_tells_exactly_this() {
    // Only the receiver learns anything.
    assert_eq!(
        told(&program()),
        [
            ["statistics/census", "income", "program", "statistics"],
            ["statistics/census", "person_id", "after_compare", "statistics"],
            ["health/visits", "age", "program", "statistics"],
            ["health/visits", "person_id", "after_compare", "statistics"],
            ["health/visits", "sbp", "program", "statistics"],
        ]
    );
}

#[test]
fn every_grant_is_needed_and_no_weaker_one_serves() {
    let rules = sufficient_for_program();
    assert_eq!(all_missing(&rules, &program(), NOW), []);
    for name in ["statistics/census", "health/visits"] {
        for place in 0..rules[&dataset(name)].rules.len() {
            let mut fewer = rules.clone();
            let removed = fewer.get_mut(&dataset(name)).unwrap().rules.remove(place);
            let missing = all_missing(&fewer, &program(), NOW);
            let told: Vec<_> = missing.iter().map(|m| (m.dataset.as_str(), m.column.as_str(), m.need)).collect();
            assert_eq!(told, [(name, removed.column.as_str(), removed.uses[0])]);
        }
    }
    let mut others = rules;
    let uses = [Use::AfterJoin, Use::JoinPayload, Use::AfterGroupBy, Use::AfterAggregate, Use::AfterCompare];
    others.get_mut(&dataset("health/visits")).unwrap().rules = uses.map(|held| rule("*", held)).to_vec();
    let missing = all_missing(&others, &program(), NOW);
    let told: Vec<_> = missing.iter().map(|m| (m.column.as_str(), m.need)).collect();
    assert_eq!(told, [("age", Use::Program), ("sbp", Use::Program)]);
    let grant = "`heqi grant health/visits age --to statistics --use program --purpose health-statistics`";
    assert!(missing[0].tell(false).contains(grant) && missing[0].tell(true).contains(grant));
}

#[test]
fn a_person_of_every_other_owner_reads_the_program_whatever_the_rules_say() {
    let rules = sufficient_for_program();
    let decided = |own: &str| decide(&org(own), &rules, &program(), &never_used, NOW);
    assert_eq!(decided("health"), Decision::AskPerson);
    assert_eq!(
        decided("statistics"),
        Decision::Allow { by_rule: true },
        "its own analyst's question about its own data"
    );
    let mut none = rules.clone();
    none.get_mut(&dataset("health/visits")).unwrap().rules.clear();
    assert!(
        matches!(decide(&org("health"), &none, &program(), &never_used, NOW), Decision::Refuse(missing) if missing.len() == 3)
    );
}

#[test]
fn malformed_programs_are_faults() {
    let circuit = |p: &mut Plan, change: fn(&mut notary_terms::Circuit)| match &mut p.program {
        Program::Circuit(circuit) => change(circuit),
        _ => panic!("no program"),
    };
    let twists: [&dyn Fn(&mut Plan); 13] = [
        &|p| p.nodes.push(org("civil")),
        &|p| _ = p.nodes.pop(),
        &|p| p.nodes[0] = org("statistics"),
        &|p| p.request.receiver = org("civil"),
        &|p| p.tier = Tier::B,
        &|p| p.tier = Tier::D,
        &|p| p.reads[0].key = Some(0),
        &|p| p.reads[0].values.clear(),
        &|p| p.reads[1].values = vec![formula(&[Op::Add])],
        &|p| p.reads[0].role = plan().reads[1].role.clone(),
        &|p| {
            let ReadRole::Input { rows, .. } = &mut p.reads[1].role else { panic!("no argument") };
            *rows = 0;
        },
        &|p| p.outputs[0].value = ValueOf::Aggregate { aggregate: 0 },
        &|p| circuit(p, |circuit| circuit.source.clear()),
    ];
    all_are_faults(&program(), twists);
    let mut ordered = program();
    ordered.order = vec![Order { output: 0, descending: false, nulls_first: false }];
    assert!(uses(&ordered).is_err());
    let mut third = program();
    (third.request.receiver, third.tier) = (org("civil"), Tier::D);
    third.nodes.push(org("civil"));
    assert!(uses(&third).is_ok(), "a receiver that puts nothing in takes part");
}

/// The same program in tier A, as its request asks for.
fn in_tier_a() -> Plan {
    let mut plan = program();
    (plan.tier, plan.request.tier) = (Tier::A, Some(Tier::A));
    plan
}

#[test]
fn in_tier_a_a_program_tells_the_same_and_a_person_of_both_owners_reads_it() {
    let rules = sufficient_for_program();
    assert_eq!(uses(&in_tier_a()), uses(&program()));
    assert_eq!(all_missing(&rules, &in_tier_a(), NOW), []);
    for own in ["health", "statistics"] {
        assert_eq!(decide(&org(own), &rules, &in_tier_a(), &never_used, NOW), Decision::AskPerson, "{own}");
    }
}

#[test]
fn no_plan_is_in_another_tier_than_was_asked_for_nor_in_tier_a_unasked() {
    let twists: [fn(&mut Plan); 5] = [
        |p| p.request.tier = None,
        |p| p.request.tier = Some(Tier::C),
        |p| p.tier = Tier::C,
        |p| (p.tier, p.request.tier) = (Tier::B, Some(Tier::B)),
        // Three parties.
        |p| {
            p.request.receiver = org("civil");
            p.nodes.push(org("civil"));
        },
    ];
    all_are_faults(&in_tier_a(), twists);
    let mut asked = program();
    asked.request.tier = Some(Tier::C);
    assert!(uses(&asked).is_ok(), "its own tier may be asked for");
}
