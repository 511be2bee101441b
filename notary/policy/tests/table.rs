//! The policy's table: every reason for a refusal, and that no single grant can be spared.

mod common;

use std::collections::BTreeMap;

use base_types::DatasetId;
use common::{
    NOW, all_missing, change, dataset, formula, intersection, never_used, org, plan, rule, rule_set, sufficient,
    sufficient_for_rows,
};
use notary_policy::{Decision, Missing, Reason, covers, decide};
use notary_terms::{ApprovalMode, Plan, Rule, RuleSet, Use, formula::Op};

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

/// Takes each grant away, one at a time; says how many there were.
fn none_can_be_spared(full: &BTreeMap<DatasetId, RuleSet>, plan: &Plan) -> usize {
    assert_eq!(all_missing(full, plan, NOW), []);
    let mut tried = 0;
    for (id, set) in full {
        for (place, gone) in set.rules.iter().enumerate() {
            let mut rules = full.clone();
            rules.get_mut(id).unwrap().rules.remove(place);
            let Decision::Refuse(missing) = decide(&id.owner(), &rules, plan, &never_used, NOW) else {
                panic!("{id} without its grant on {} is allowed", gone.column)
            };
            assert!(!missing.is_empty());
            for lack in &missing {
                assert_eq!((&lack.dataset, &lack.column, lack.reason), (id, &gone.column, Reason::NoGrant));
            }
            assert!(missing.iter().any(|lack| gone.uses.contains(&lack.need) && lack.party == gone.party));
            assert_eq!(all_missing(&rules, plan, NOW), missing);
            tried += 1;
        }
    }
    tried
}

#[test]
fn removing_any_single_grant_refuses_and_names_exactly_that_column() {
    assert_eq!(none_can_be_spared(&sufficient(), &plan()), 6);
    assert_eq!(none_can_be_spared(&sufficient_for_rows(), &intersection()), 9);
}

#[test]
fn rows_need_no_share_holder_and_no_threshold_but_a_grant_to_the_other_owner() {
    let mut rules = sufficient_for_rows();
    rules.values_mut().for_each(|set| set.min_group = 1_000_000);
    assert_eq!(all_missing(&rules, &intersection(), NOW), []);
    let census = rules.get_mut(&dataset("statistics/census")).unwrap();
    census.rules.retain(|rule| rule.party != org("health"));
    let missing = all_missing(&rules, &intersection(), NOW);
    let told: Vec<_> = missing.iter().map(|m| (m.column.as_str(), m.need, m.party.as_str())).collect();
    assert_eq!(told, [("name", Use::EncryptedOnly, "health"), ("person_id", Use::EncryptedOnly, "health")]);
    let grant = "`heqi grant statistics/census name --to health --use encrypted_only --purpose health-statistics`";
    assert!(missing[0].tell(false).contains(grant), "{}", missing[0].tell(false));
}

#[test]
fn grants_for_aggregates_show_no_row() {
    let aggregates = [Use::AfterGroupBy, Use::AfterAggregate, Use::AfterCompare, Use::EncryptedOnly];
    let mut rules = sufficient_for_rows();
    let (_, all) = rule_set("health/visits", aggregates.map(|held| rule("*", held)).to_vec());
    rules.insert(dataset("health/visits"), all);
    let missing = all_missing(&rules, &intersection(), NOW);
    let told: Vec<_> = missing.iter().map(|m| (m.column.as_str(), m.need.word())).collect();
    assert_eq!(told, [("name", "after_join"), ("person_id", "after_join"), ("sbp", "join_payload")]);
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
    let grant = "`heqi grant health/visits --holders civil,health,statistics`";
    assert!(holder.tell(false).contains(grant) && holder.tell(true).contains(grant), "{}", holder.tell(false));
    let in_words = Missing { holders: vec![], ..holder }.tell(false);
    assert!(in_words.contains("name civil too") && !in_words.contains('`'), "{in_words}");
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
    use Use::{AfterAggregate, AfterCompare, AfterGroupBy, AfterJoin, EncryptedOnly, JoinPayload, Plaintext, Program};
    let all = [Plaintext, AfterJoin, JoinPayload, AfterGroupBy, AfterAggregate, AfterCompare, EncryptedOnly, Program];
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
