//! What leaks is derived from the plan: formulas, keys, groups, and columns without a role.

mod common;

use base_types::column::ColumnType;
use common::{NOW, all_missing, dataset, formula, org, plan, sufficient};
use notary_policy::{ColumnUse, uses};
use notary_terms::{Argument, Function, Plan, Use, formula::Op};

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
