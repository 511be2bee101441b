//! Aggregates over an overlap, and rows that several owners have in common: what they leak, which rules suffice, what is malformed.

mod common;

use std::collections::BTreeMap;

use base_types::{DatasetId, column::ColumnType};
use common::{
    NOW, all_are_faults, all_missing, dataset, formula, intersection, org, plan, read, rule, rule_set, rule_to, told,
};
use notary_policy::{Reason, uses};
use notary_terms::{
    Aggregate, Argument, Common, Function, KeyPart, Output, Overlap, Plan, Program, Ranges, Read, ReadRole, RuleSet,
    Spares, Tier, Use, ValueOf, formula::Op,
};

/// How many people of the census were examined at 40 or older, their mean pressure, and the sum of their education.
fn overlap() -> Plan {
    let mut plan = intersection();
    for read in &mut plan.reads {
        read.values = vec![formula(&[Op::Column(2)])];
    }
    let value = |read| Argument::Value { read, value: 0, absent: None };
    let aggregates = vec![
        Aggregate { function: Function::Count, argument: Argument::Rows },
        Aggregate { function: Function::Avg { extra_digits: 2 }, argument: value(1) },
        Aggregate { function: Function::Sum, argument: value(0) },
    ];
    let ranges = [(64, 20), (1, 300)].map(|(rows, most)| Ranges { rows, values: vec![most] }).to_vec();
    let output = |aggregate| Output { name: "x".into(), ty: ColumnType::Int, value: ValueOf::Aggregate { aggregate } };
    plan.outputs = (0..3).map(output).collect();
    plan.program = Program::Overlap(Overlap { min_group: 5, ranges, aggregates, spares: Spares::Time });
    plan.tier = Tier::A;
    plan
}

fn sums(plan: &mut Plan) -> &mut Overlap {
    match &mut plan.program {
        Program::Overlap(sums) => sums,
        other => panic!("{other:?}"),
    }
}

fn set(owner: &str, table: &str, columns: &[&str]) -> Read {
    let keys = vec![KeyPart { column: 0, folds: vec![] }];
    Read { key: None, ..read(owner, table, columns, ReadRole::Set { keys }) }
}

/// The education of people who were examined at 40 or older and have died.
fn in_common() -> Plan {
    let mut census = set("statistics", "census", &["person_id", "education"]);
    census.values = vec![formula(&[Op::Column(1)])];
    let mut health = set("health", "visits", &["person_id", "age"]);
    health.filter = Some(formula(&[Op::Column(1), Op::Number(40), Op::Ge]));
    let value = ValueOf::Cell { read: 0, value: 0 };
    Plan {
        tier: Tier::D,
        nodes: ["civil", "health", "statistics"].map(org).to_vec(),
        reads: vec![census, health, set("civil", "deaths", &["person_id"])],
        program: Program::Common(Common { spares: Spares::Time }),
        outputs: vec![Output { name: "education".into(), ty: ColumnType::Int, value }],
        ..intersection()
    }
}

/// Exactly what the overlap needs, one grant a use; the two nodes may hold shares.
fn sufficient_for_sums() -> BTreeMap<DatasetId, RuleSet> {
    let mut rules = BTreeMap::from([
        rule_set(
            "statistics/census",
            vec![
                rule("education", Use::AfterAggregate),
                rule_to("health", "person_id", Use::EncryptedOnly),
                rule_to("health", "name", Use::EncryptedOnly),
            ],
        ),
        rule_set(
            "health/visits",
            vec![
                rule("person_id", Use::EncryptedOnly),
                rule("name", Use::EncryptedOnly),
                rule("sbp", Use::AfterAggregate),
                rule("age", Use::AfterCompare),
            ],
        ),
    ]);
    rules.values_mut().for_each(|set| set.holders = vec![org("health"), org("statistics")]);
    rules
}

#[test]
fn an_overlap_leaks_its_aggregates_and_no_match() {
    assert_eq!(
        told(&overlap()),
        [
            ["statistics/census", "education", "after_aggregate", "statistics"],
            ["statistics/census", "name", "encrypted_only", "health"],
            ["statistics/census", "person_id", "encrypted_only", "health"],
            ["health/visits", "age", "after_compare", "statistics"],
            ["health/visits", "name", "encrypted_only", "statistics"],
            ["health/visits", "person_id", "encrypted_only", "statistics"],
            ["health/visits", "sbp", "after_aggregate", "statistics"],
        ]
    );
    let mut compared = overlap();
    compared.reads[1].values = vec![formula(&[Op::Column(2), Op::Number(140), Op::Gt])];
    assert!(told(&compared).contains(&["health/visits", "sbp", "after_compare", "statistics"].map(String::from)));
    let mut unused = overlap();
    sums(&mut unused).aggregates.truncate(2);
    unused.outputs.truncate(2);
    let plaintext = ["statistics/census", "education", "plaintext", "statistics"].map(String::from);
    assert!(told(&unused).contains(&plaintext), "shared, and nobody says what for");
}

#[test]
fn an_overlap_needs_every_grant_both_holders_and_the_owners_thresholds() {
    let full = sufficient_for_sums();
    assert_eq!(all_missing(&full, &overlap(), NOW), []);
    for (id, set) in &full {
        for (place, gone) in set.rules.iter().enumerate() {
            let mut rules = full.clone();
            rules.get_mut(id).unwrap().rules.remove(place);
            let missing = all_missing(&rules, &overlap(), NOW);
            assert_eq!(missing.len(), 1, "{missing:?}");
            assert_eq!((&missing[0].column, &missing[0].party), (&gone.column, &gone.party));
        }
        let mut rules = full.clone();
        rules.get_mut(id).unwrap().holders.clear();
        let missing = all_missing(&rules, &overlap(), NOW);
        let other = if id.owner() == org("health") { "statistics" } else { "health" };
        assert_eq!((missing.len(), missing[0].reason, &missing[0].party), (1, Reason::NotHolder, &org(other)));
        let mut rules = full.clone();
        rules.get_mut(id).unwrap().min_group = 6;
        assert!(all_missing(&rules, &overlap(), NOW).iter().all(|lack| lack.reason == Reason::GroupTooSmall));
        assert_eq!(all_missing(&rules, &overlap(), NOW).len(), 1);
    }
}

#[test]
fn rows_in_common_leak_keys_to_the_receiver_and_nothing_to_the_others() {
    assert_eq!(
        told(&in_common()),
        [
            ["statistics/census", "education", "join_payload", "statistics"],
            ["statistics/census", "person_id", "after_join", "statistics"],
            ["statistics/census", "person_id", "encrypted_only", "civil"],
            ["statistics/census", "person_id", "encrypted_only", "health"],
            ["health/visits", "age", "after_compare", "statistics"],
            ["health/visits", "person_id", "after_join", "statistics"],
            ["civil/deaths", "person_id", "after_join", "statistics"],
        ]
    );
    let rules = BTreeMap::from([
        rule_set("statistics/census", vec![rule("*", Use::AfterJoin), rule("education", Use::JoinPayload)]),
        rule_set("health/visits", vec![rule("person_id", Use::AfterJoin), rule("age", Use::AfterCompare)]),
        rule_set("civil/deaths", vec![rule("person_id", Use::EncryptedOnly)]),
    ]);
    let missing = all_missing(&rules, &in_common(), NOW);
    let lacks: Vec<_> = missing.iter().map(|m| (m.dataset.as_str(), m.need.word(), m.party.as_str())).collect();
    assert_eq!(
        lacks,
        [
            ("statistics/census", "encrypted_only", "civil"),
            ("statistics/census", "encrypted_only", "health"),
            ("civil/deaths", "after_join", "statistics"),
        ]
    );
}

#[test]
fn what_a_run_spares_tells_nobody_more() {
    let mut sparing = overlap();
    sums(&mut sparing).spares = Spares::Bytes;
    assert_eq!(told(&sparing), told(&overlap()));
    assert_eq!(all_missing(&sufficient_for_sums(), &sparing, NOW), []);
    let sparing = Plan { program: Program::Common(Common { spares: Spares::Bytes }), ..in_common() };
    assert_eq!(told(&sparing), told(&in_common()));
}

#[test]
fn malformed_overlaps_are_faults() {
    let twists: [fn(&mut Plan); 17] = [
        |p| p.tier = Tier::C,
        |p| p.nodes.push(org("civil")),
        |p| p.nodes[0] = org("civil"),
        |p| p.request.receiver = org("health"),
        |p| p.reads.swap(0, 1),
        |p| p.reads.push(plan().reads[2].clone()),
        |p| _ = p.reads.pop(),
        |p| p.reads[0].types[1] = ColumnType::Int,
        |p| p.reads[1].key = Some(0),
        |p| p.reads[1].role = plan().reads[1].role.clone(),
        |p| sums(p).min_group = 0,
        |p| sums(p).ranges[0].values.push(1),
        |p| sums(p).ranges[1].rows = 0,
        |p| _ = sums(p).ranges.pop(),
        |p| sums(p).aggregates[1].argument = Argument::Value { read: 1, value: 0, absent: Some(0) },
        |p| sums(p).aggregates[1].argument = Argument::Value { read: 2, value: 0, absent: None },
        |p| p.outputs[0].value = ValueOf::Cell { read: 0, value: 0 },
    ];
    assert!(uses(&overlap()).is_ok());
    all_are_faults(&overlap(), twists);
}

#[test]
fn malformed_rows_in_common_are_faults() {
    let twists: [fn(&mut Plan); 11] = [
        |p| p.tier = Tier::C,
        |p| _ = p.nodes.pop(),
        |p| p.nodes[0] = org("audit"),
        |p| p.request.receiver = org("health"),
        |p| p.reads.swap(0, 1),
        |p| _ = p.reads.pop(),
        |p| p.reads[2] = Read { dataset: dataset("health/deaths"), owner: org("health"), ..p.reads[2].clone() },
        |p| p.reads[2].types[0] = ColumnType::Date,
        |p| p.reads[2].values = vec![formula(&[Op::Column(0)])],
        |p| p.outputs[0].value = ValueOf::Cell { read: 1, value: 0 },
        |p| p.outputs[0].value = ValueOf::Aggregate { aggregate: 0 },
    ];
    assert!(uses(&in_common()).is_ok());
    all_are_faults(&in_common(), twists);
}
