//! Published keys: an intersection's uses, and what lies sealed at the receiver; every plan of another form is a fault.

mod common;

use common::{NOW, all_are_faults, all_missing, dataset, intersection, never_used, org, sufficient_for_rows, told};
use notary_policy::{Decision, decide};
use notary_terms::{Label, Plan, Program, Published, Tier, Use};

fn published() -> Plan {
    let mut plan = intersection();
    let Program::Intersect(intersect) = &plan.program else { panic!("an intersection") };
    let label = intersect.label.clone();
    plan.program = Program::Published(Published { label });
    plan
}

#[test]
fn published_keys_leak_exactly_this() {
    assert_eq!(
        told(&published()),
        [
            ["statistics/census", "education", "join_payload", "statistics"],
            ["statistics/census", "name", "after_join", "statistics"],
            ["statistics/census", "name", "encrypted_only", "health"],
            ["statistics/census", "person_id", "after_join", "statistics"],
            ["statistics/census", "person_id", "encrypted_only", "health"],
            ["health/visits", "age", "after_compare", "statistics"],
            ["health/visits", "name", "after_join", "statistics"],
            ["health/visits", "name", "encrypted_only", "statistics"],
            ["health/visits", "person_id", "after_join", "statistics"],
            ["health/visits", "person_id", "encrypted_only", "statistics"],
            ["health/visits", "sbp", "join_payload", "statistics"],
            ["health/visits", "sbp", "encrypted_only", "statistics"],
        ]
    );
}

#[test]
fn what_an_intersection_needs_suffices_and_encryption_alone_does_not() {
    let rules = sufficient_for_rows();
    assert_eq!(all_missing(&rules, &published(), NOW), []);
    let mut weaker = rules;
    weaker.get_mut(&dataset("health/visits")).unwrap().rules.iter_mut().for_each(|r| r.uses = vec![Use::EncryptedOnly]);
    let missing = all_missing(&weaker, &published(), NOW);
    let needs: Vec<_> = missing.iter().map(|m| (m.column.as_str(), m.need)).collect();
    let due = [
        ("age", Use::AfterCompare),
        ("name", Use::AfterJoin),
        ("person_id", Use::AfterJoin),
        ("sbp", Use::JoinPayload),
    ];
    assert_eq!(needs, due);
}

#[test]
fn a_person_of_the_owner_reads_what_leaves_a_table_at_the_receiver() {
    let rules = sufficient_for_rows();
    let decided = |plan: &Plan, own| decide(&org(own), &rules, plan, &never_used, NOW);
    assert_eq!(decided(&intersection(), "health"), Decision::Allow { by_rule: true });
    assert_eq!(decided(&published(), "health"), Decision::AskPerson);
    assert_eq!(decided(&published(), "statistics"), Decision::Allow { by_rule: true });
}

#[test]
fn malformed_plans_of_published_keys_are_faults() {
    let twists: [&dyn Fn(&mut Plan); 8] = [
        &|p| p.nodes.push(org("civil")),
        &|p| p.request.receiver = org("civil"),
        &|p| p.reads.swap(0, 1),
        &|p| _ = p.reads.pop(),
        &|p| p.tier = Tier::A,
        &|p| p.reads[0].rows_bound = (1 << 20) + 1,
        &|p| p.reads[1].rows_bound = 0,
        &|p| p.program = Program::Published(Published { label: Label::Count }),
    ];
    all_are_faults(&published(), twists);
}
