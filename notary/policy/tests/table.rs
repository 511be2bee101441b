//! The policy's table: which grants a plan needs, every reason for a refusal, and that no single grant can be spared.

use std::collections::BTreeMap;

use base_types::{DatasetId, OrgId, TimeMs, column::ColumnType};
use notary_policy::{ColumnUse, Decision, Missing, Reason, check, covers, decide, uses};
use notary_terms::{
    Aggregate, ApprovalMode, Argument, Catalogue, Function, GroupColumn, Join, Output, Plan, Read, ReadRole, Request,
    Rule, RuleSet, Tier, Use, ValueOf,
    formula::{Formula, Op},
};

const NOW: TimeMs = 1_000;
const PURPOSE: &str = "health-statistics";

fn org(name: &str) -> OrgId {
    OrgId::new(name).unwrap()
}

fn dataset(name: &str) -> DatasetId {
    DatasetId::new(name).unwrap()
}

fn formula(ops: &[Op]) -> Formula {
    Formula { ops: ops.to_vec() }
}

fn read(owner: &str, table: &str, columns: &[&str], role: ReadRole) -> Read {
    Read {
        owner: org(owner),
        dataset: dataset(&format!("{owner}/{table}")),
        alias: table.into(),
        columns: columns.iter().map(|c| (*c).to_owned()).collect(),
        types: vec![ColumnType::Int; columns.len()],
        key: Some(0),
        filter: None,
        values: vec![],
        rows_bound: 64,
        role,
    }
}

/// The story's query: people by education, mean blood pressure, deaths; of those who are 40 or older.
fn plan() -> Plan {
    let groups = vec![GroupColumn { column: "education".into(), ty: ColumnType::Int, words: 2 }];
    let census = read("statistics", "census", &["person_id", "education"], ReadRole::Carrier { groups });
    let mut health = read("health", "visits", &["person_id", "sbp", "age"], ReadRole::Side { join: Join::Inner });
    health.filter = Some(formula(&[Op::Column(2), Op::Number(40), Op::Ge]));
    health.values = vec![formula(&[Op::Column(1)])];
    let mut deaths = read("civil", "deaths", &["person_id"], ReadRole::Side { join: Join::Left });
    deaths.values = vec![formula(&[Op::Column(0), Op::IsNull, Op::Number(0), Op::Number(1), Op::Case])];
    let value = |read, absent| Argument::Value { read, value: 0, absent };
    let request = Request {
        sql: "SELECT 1".into(),
        purpose: PURPOSE.into(),
        analyst: "statistics/analyst".parse().unwrap(),
        receiver: org("statistics"),
        expires: 9_000,
        salt: [7; 32],
    };
    Plan {
        planner: 1,
        catalogue_height: 9,
        request,
        tier: Tier::B,
        nodes: vec![org("civil"), org("health"), org("statistics")],
        min_group: 5,
        reads: vec![census, health, deaths],
        key_bits: 15,
        key_base: 0,
        max_groups: 8,
        aggregates: vec![
            Aggregate { function: Function::Count, argument: Argument::Rows },
            Aggregate { function: Function::Avg { extra_digits: 6 }, argument: value(1, None) },
            Aggregate { function: Function::Sum, argument: value(2, Some(0)) },
        ],
        outputs: vec![Output {
            name: "people".into(),
            ty: ColumnType::Int,
            value: ValueOf::Aggregate { aggregate: 0 },
        }],
        order: vec![],
        limit: None,
    }
}

fn rule(column: &str, held: Use) -> Rule {
    let (party, purpose) = (org("statistics"), PURPOSE.to_owned());
    Rule { column: column.into(), party, purpose, uses: vec![held], expires: 5_000, runs: 0 }
}

fn rule_set(name: &str, rules: Vec<Rule>) -> (DatasetId, RuleSet) {
    let dataset = dataset(name);
    let holders = vec![org("civil"), org("health"), org("statistics")];
    (dataset.clone(), RuleSet { dataset, approval: ApprovalMode::Auto, min_group: 5, holders, rules })
}

/// Exactly what the plan needs, one grant a use.
fn sufficient() -> BTreeMap<DatasetId, RuleSet> {
    BTreeMap::from([
        rule_set(
            "statistics/census",
            vec![rule("person_id", Use::EncryptedOnly), rule("education", Use::AfterGroupBy)],
        ),
        rule_set(
            "health/visits",
            vec![
                rule("person_id", Use::EncryptedOnly),
                rule("sbp", Use::AfterAggregate),
                rule("age", Use::AfterCompare),
            ],
        ),
        rule_set("civil/deaths", vec![rule("person_id", Use::AfterCompare)]),
    ])
}

fn never_used(_: &DatasetId, _: &str) -> u32 {
    0
}

fn all_missing(rules: &BTreeMap<DatasetId, RuleSet>, plan: &Plan, now: TimeMs) -> Vec<Missing> {
    let catalogue = Catalogue { rules: rules.clone(), ..Catalogue::default() };
    check(&catalogue, plan, &never_used, now).unwrap()
}

fn change(change: impl FnOnce(&mut RuleSet)) -> BTreeMap<DatasetId, RuleSet> {
    let mut rules = sufficient();
    change(rules.get_mut(&dataset("health/visits")).unwrap());
    rules
}

#[test]
fn the_story_leaks_exactly_this() {
    let found: Vec<_> = uses(&plan()).unwrap();
    let told: Vec<_> = found.iter().map(|u| (u.dataset.as_str(), u.column.as_str(), u.need.word())).collect();
    assert_eq!(
        told,
        [
            ("statistics/census", "education", "after_group_by"),
            ("statistics/census", "person_id", "encrypted_only"),
            ("health/visits", "age", "after_compare"),
            ("health/visits", "person_id", "encrypted_only"),
            ("health/visits", "sbp", "after_aggregate"),
            ("civil/deaths", "person_id", "after_compare"),
            ("civil/deaths", "person_id", "encrypted_only"),
        ]
    );
    assert!(found.iter().all(|u| u.party == org("statistics") && u.owner == u.dataset.owner()));
}

#[test]
fn formulas_are_followed_to_where_their_columns_go() {
    let needs = |value: &[Op], function| -> Vec<(String, &'static str)> {
        let mut plan = plan();
        plan.reads[1].values = vec![formula(value)];
        plan.aggregates[1].function = function;
        let all = uses(&plan).unwrap();
        all.into_iter()
            .filter(|u: &ColumnUse| u.dataset == dataset("health/visits"))
            .map(|u| (u.column, u.need.word()))
            .collect()
    };
    let (sbp, age) = (Op::Column(1), Op::Column(2));
    let case = [sbp.clone(), Op::Number(140), Op::Gt, age.clone(), Op::Number(0), Op::Case];
    let expected = [
        ("age", "after_aggregate"),
        ("age", "after_compare"),
        ("person_id", "encrypted_only"),
        ("sbp", "after_compare"),
    ];
    assert_eq!(needs(&case, Function::Sum), expected.map(|(column, need)| (column.to_owned(), need)));

    let compared = needs(&[sbp.clone(), age.clone(), Op::Gt, Op::Number(0), Op::Add], Function::Sum);
    assert!(
        compared.contains(&("sbp".into(), "after_compare")) && !compared.contains(&("sbp".into(), "after_aggregate"))
    );

    let counted = [sbp.clone(), Op::IsNull, Op::Null, Op::Number(1), Op::Case];
    assert!(needs(&counted, Function::Count).contains(&("sbp".into(), "after_aggregate")));
    assert!(needs(&counted, Function::Sum).contains(&("sbp".into(), "after_compare")));
    let product = needs(&[sbp, age, Op::Mul, Op::Neg], Function::Sum);
    assert!(
        product.contains(&("sbp".into(), "after_aggregate")) && product.contains(&("age".into(), "after_aggregate"))
    );
}

#[test]
fn what_is_read_or_shared_without_a_role_is_plaintext() {
    let mut idle = plan();
    idle.reads[1].columns.push("name".into());
    idle.reads[1].types.push(ColumnType::Text);
    let missing = all_missing(&sufficient(), &idle, NOW);
    assert_eq!(missing.len(), 1);
    assert_eq!((missing[0].column.as_str(), missing[0].need), ("name", Use::Plaintext));

    let mut unused = plan();
    unused.reads[1].values.push(formula(&[Op::Column(1)]));
    assert!(all_missing(&sufficient(), &unused, NOW).iter().any(|m| m.column == "sbp" && m.need == Use::Plaintext));
}

#[test]
fn sufficient_rules_allow_and_a_person_is_asked_where_the_owner_says_so() {
    for owner in ["statistics", "health", "civil"] {
        let decision = decide(&org(owner), &sufficient(), &plan(), &never_used, NOW);
        assert_eq!(decision, Decision::Allow { by_rule: true }, "{owner}");
    }
    let person = change(|set| set.approval = ApprovalMode::Person);
    assert_eq!(decide(&org("health"), &person, &plan(), &never_used, NOW), Decision::AskPerson);
    assert_eq!(decide(&org("civil"), &person, &plan(), &never_used, NOW), Decision::Allow { by_rule: true });
    let outsider = decide(&org("audit"), &BTreeMap::new(), &plan(), &never_used, NOW);
    assert_eq!(outsider, Decision::Allow { by_rule: false });
}

#[test]
fn removing_any_single_grant_refuses_and_names_exactly_that_column() {
    let full = sufficient();
    assert_eq!(all_missing(&full, &plan(), NOW), []);
    let mut tried = 0;
    for (id, set) in &full {
        for (place, gone) in set.rules.iter().enumerate() {
            let mut rules = full.clone();
            rules.get_mut(id).unwrap().rules.remove(place);
            let Decision::Refuse(missing) = decide(&id.owner(), &rules, &plan(), &never_used, NOW) else {
                panic!("{id} without its grant on {} is allowed", gone.column)
            };
            assert!(!missing.is_empty());
            for lack in &missing {
                assert_eq!((&lack.dataset, &lack.column, lack.reason), (id, &gone.column, Reason::NoGrant));
            }
            assert!(missing.iter().any(|lack| gone.uses.contains(&lack.need)));
            assert_eq!(all_missing(&rules, &plan(), NOW), missing);
            tried += 1;
        }
    }
    assert_eq!(tried, 6);
}

#[test]
fn every_reason_is_told() {
    let only = |rules: &BTreeMap<DatasetId, RuleSet>, plan: &Plan| -> Missing {
        let Decision::Refuse(missing) = decide(&org("health"), rules, plan, &never_used, NOW) else {
            panic!("allowed")
        };
        assert_eq!(missing.len(), 1, "{missing:?}");
        missing[0].clone()
    };
    let expired = only(&change(|set| set.rules[1].expires = NOW - 1), &plan());
    assert_eq!((expired.column.as_str(), expired.reason), ("sbp", Reason::Expired));
    assert_eq!(all_missing(&change(|set| set.rules[1].expires = NOW), &plan(), NOW), []);

    let holder = only(&change(|set| set.holders.retain(|h| *h != org("civil"))), &plan());
    assert_eq!((holder.party.as_str(), holder.reason), ("civil", Reason::NotHolder));
    assert!(holder.tell(false).contains("`heqi grant health/visits --holder civil`"));
    assert_eq!(all_missing(&change(|set| set.holders.retain(|h| *h != org("health"))), &plan(), NOW), []);

    let small = only(&change(|set| set.min_group = 6), &plan());
    assert_eq!(small.reason, Reason::GroupTooSmall);

    let none = only(&change(|set| set.rules[2].uses.clear()), &plan());
    assert_eq!((none.column.as_str(), none.reason), ("age", Reason::NoGrant));

    let mut twisted = plan();
    twisted.reads[1].values = vec![formula(&[Op::Add])];
    assert_eq!(only(&sufficient(), &twisted).reason, Reason::BadPlan);
}

#[test]
fn runs_are_counted_for_each_column() {
    let limited = change(|set| set.rules[1].runs = 3);
    let used = |runs: u32| {
        move |id: &DatasetId, column: &str| if id.as_str() == "health/visits" && column == "sbp" { runs } else { 99 }
    };
    assert_eq!(decide(&org("health"), &limited, &plan(), &used(2), NOW), Decision::Allow { by_rule: true });
    let Decision::Refuse(missing) = decide(&org("health"), &limited, &plan(), &used(3), NOW) else { panic!("allowed") };
    assert_eq!((missing.len(), missing[0].reason), (1, Reason::RunsSpent));
}

#[test]
fn without_rules_everything_is_refused() {
    let mut rules = sufficient();
    rules.remove(&dataset("health/visits"));
    let missing = all_missing(&rules, &plan(), NOW);
    let columns: Vec<_> = missing.iter().map(|m| m.column.as_str()).collect();
    assert_eq!(columns, ["age", "person_id", "sbp", "*", "*"]);

    let (_, foreign) = rule_set("civil/deaths", vec![rule("*", Use::Plaintext)]);
    rules.insert(dataset("health/visits"), foreign);
    assert_eq!(all_missing(&rules, &plan(), NOW), missing);
}

#[test]
fn a_grant_holds_for_its_column_party_and_purpose_only() {
    let cases: [(&str, fn(&mut Rule), bool); 5] = [
        ("any column", |r| r.column = "*".into(), true),
        ("any purpose", |r| r.purpose = "*".into(), true),
        ("another purpose", |r| r.purpose = "marketing".into(), false),
        ("another party", |r| r.party = org("civil"), false),
        ("another column", |r| r.column = "SBP".into(), false),
    ];
    for (what, twist, allowed) in cases {
        let rules = change(|set| twist(&mut set.rules[1]));
        assert_eq!(all_missing(&rules, &plan(), NOW).is_empty(), allowed, "{what}");
    }
}

#[test]
fn what_a_stronger_grant_implies() {
    use Use::{AfterAggregate, AfterCompare, AfterGroupBy, AfterJoin, EncryptedOnly, JoinPayload, Plaintext};
    let all = [Plaintext, AfterJoin, JoinPayload, AfterGroupBy, AfterAggregate, AfterCompare, EncryptedOnly];
    for held in all {
        for need in all {
            let expected = held == need || held == Plaintext || need == EncryptedOnly;
            assert_eq!(covers(held, need), expected, "{held:?} for {need:?}");
        }
    }
}

#[test]
fn the_sentence_names_the_grant_to_ask_for() {
    let rules = change(|set| {
        set.rules.remove(1);
    });
    let missing = all_missing(&rules, &plan(), NOW);
    let grant = "`heqi grant health/visits sbp --to statistics --use after_aggregate --purpose health-statistics`";
    assert!(missing[0].tell(false).contains(grant), "{}", missing[0].tell(false));
    assert!(missing[0].tell(true).contains(grant) && missing[0].tell(true).contains("规则"));
    let odd = Missing { column: "a'b c".into(), ..missing[0].clone() };
    assert!(odd.grant().unwrap().contains(r"health/visits 'a'\''b c' --to"));
}

#[test]
fn malformed_plans_are_faults() {
    let twists: [fn(&mut Plan); 8] = [
        |p| p.reads[1].key = Some(9),
        |p| p.reads[1].owner = org("civil"),
        |p| p.reads[1].dataset = dataset("statistics/census"),
        |p| p.reads.swap(0, 1),
        |p| p.nodes[0] = org("health"),
        |p| p.aggregates[1].argument = Argument::Value { read: 7, value: 0, absent: None },
        |p| p.reads[1].filter = Some(formula(&[Op::Column(8)])),
        |p| p.reads[0].columns[1] = "other".into(),
    ];
    for (number, twist) in twists.into_iter().enumerate() {
        let mut plan = plan();
        twist(&mut plan);
        assert!(uses(&plan).is_err(), "twist {number}");
    }
}
