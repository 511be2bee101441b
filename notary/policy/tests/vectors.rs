//! Programs over vectors: they need the grants of users' programs, holders of shares, and a person of every other owner.

mod common;

use common::{
    NOW, all_are_faults, all_missing, dataset, never_used, org, program, sufficient_for_program, told, vectors,
};
use notary_policy::{Decision, Reason, decide, uses};
use notary_terms::{Order, Plan, Program, Tier, Use, ValueOf, Vectors};

#[test]
fn vectors_tell_what_a_program_of_the_same_values_tells() {
    assert_eq!(told(&vectors()), told(&program()));
}

#[test]
fn the_other_nodes_have_to_be_holders_and_no_threshold_is_asked_for() {
    let mut rules = sufficient_for_program();
    let missing = all_missing(&rules, &vectors(), NOW);
    let told: Vec<_> = missing.iter().map(|m| (m.dataset.as_str(), m.party.as_str(), m.need, m.reason)).collect();
    let due = |name, party| (name, party, Use::EncryptedOnly, Reason::NotHolder);
    let (census, visits) = ("statistics/census", "health/visits");
    let expected = [due(census, "civil"), due(census, "health"), due(visits, "civil"), due(visits, "statistics")];
    assert_eq!(told, expected);
    for set in rules.values_mut() {
        (set.holders, set.min_group) = (["civil", "health", "statistics"].map(org).to_vec(), 50);
    }
    assert_eq!(all_missing(&rules, &vectors(), NOW), []);
    rules.get_mut(&dataset(visits)).unwrap().rules.remove(0);
    let missing = all_missing(&rules, &vectors(), NOW);
    assert_eq!(missing.iter().map(|m| (m.column.as_str(), m.need)).collect::<Vec<_>>(), [("sbp", Use::Program)]);
}

#[test]
fn a_person_of_every_other_owner_reads_vectors_whatever_the_rules_say() {
    let mut rules = sufficient_for_program();
    rules.values_mut().for_each(|set| set.holders = ["civil", "health", "statistics"].map(org).to_vec());
    let decided = |own: &str| decide(&org(own), &rules, &vectors(), &never_used, NOW);
    assert_eq!(decided("health"), Decision::AskPerson);
    assert_eq!(decided("statistics"), Decision::Allow { by_rule: true });
    assert_eq!(decided("civil"), Decision::Allow { by_rule: false });
}

/// The same between the two owners, who have asked for it.
fn between() -> Plan {
    let mut plan = vectors();
    plan.nodes = ["health", "statistics"].map(org).to_vec();
    (plan.tier, plan.request.tier) = (Tier::A, Some(Tier::A));
    plan
}

#[test]
fn every_tier_tells_the_same_and_a_node_that_holds_shares_has_to_be_a_holder() {
    let mut checked = vectors();
    (checked.tier, checked.request.tier) = (Tier::BPlus, Some(Tier::BPlus));
    assert_eq!((told(&checked), told(&between())), (told(&vectors()), told(&vectors())));
    let mut rules = sufficient_for_program();
    assert_eq!(all_missing(&rules, &checked, NOW), all_missing(&rules, &vectors(), NOW));
    let missing = all_missing(&rules, &between(), NOW);
    let told: Vec<_> = missing.iter().map(|m| (m.dataset.as_str(), m.party.as_str(), m.reason)).collect();
    let due = [("statistics/census", "health", Reason::NotHolder), ("health/visits", "statistics", Reason::NotHolder)];
    assert_eq!(told, due);
    rules.values_mut().for_each(|set| set.holders = ["health", "statistics"].map(org).to_vec());
    assert_eq!(all_missing(&rules, &between(), NOW), []);
    // Each trusts the other with its values, so a person of the receiver decides too.
    let decided = |own: &str| decide(&org(own), &rules, &between(), &never_used, NOW);
    assert_eq!((decided("health"), decided("statistics")), (Decision::AskPerson, Decision::AskPerson));
}

#[test]
fn vectors_between_two_nodes_that_are_malformed_are_faults() {
    let twists: [&dyn Fn(&mut Plan); 6] = [
        &|p| p.request.tier = None,
        &|p| p.tier = Tier::B,
        &|p| (p.tier, p.request.tier) = (Tier::BPlus, Some(Tier::BPlus)),
        &|p| p.nodes.push(org("civil")),
        &|p| p.nodes[0] = org("civil"),
        // Nothing of the other's is read.
        &|p| {
            p.reads.truncate(1);
            match &mut p.program {
                Program::Vectors(vectors) => vectors.inputs.truncate(1),
                _ => panic!("no vectors"),
            }
        },
    ];
    all_are_faults(&between(), twists);
    assert!(uses(&between()).is_ok());
}

#[test]
fn malformed_vectors_are_faults() {
    let change = |p: &mut Plan, change: fn(&mut Vectors)| match &mut p.program {
        Program::Vectors(vectors) => change(vectors),
        _ => panic!("no vectors"),
    };
    let twists: [&dyn Fn(&mut Plan); 12] = [
        &|p| _ = p.nodes.pop(),
        &|p| p.nodes[0] = org("statistics"),
        &|p| p.nodes[1] = org("bank"),
        &|p| p.request.receiver = org("bank"),
        &|p| p.tier = Tier::C,
        &|p| (p.tier, p.request.tier) = (Tier::A, Some(Tier::A)),
        &|p| p.reads[0].values.clear(),
        &|p| p.outputs[0].value = ValueOf::Stopped,
        &|p| p.order = vec![Order { output: 0, descending: false, nulls_first: false }],
        &|p| change(p, |vectors| vectors.source.clear()),
        &|p| change(p, |vectors| _ = vectors.inputs.pop()),
        &|p| change(p, |vectors| vectors.inputs[1].columns[0].low = 301),
    ];
    all_are_faults(&vectors(), twists);
    assert!(uses(&vectors()).is_ok());
}
