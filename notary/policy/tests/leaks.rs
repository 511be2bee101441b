//! What leaks is derived from the plan: formulas, keys, groups, and columns without a role.

mod common;

use base_types::column::ColumnType;
use common::{NOW, all_are_faults, all_missing, dataset, formula, intersection, org, plan, star, sufficient, told};
use notary_policy::{ColumnUse, uses};
use notary_terms::{
    Argument, Fold, Function, Intersect, KeyPart, Label, Plan, Program, ReadRole, Span, Spares, Tier, Use, ValueOf,
    formula::Op,
};

#[test]
fn the_story_leaks_exactly_this() {
    assert_eq!(
        told(&plan()),
        [
            ["statistics/census", "education", "after_group_by", "statistics"],
            ["statistics/census", "person_id", "encrypted_only", "statistics"],
            ["health/visits", "age", "after_compare", "statistics"],
            ["health/visits", "person_id", "encrypted_only", "statistics"],
            ["health/visits", "sbp", "after_aggregate", "statistics"],
            ["civil/deaths", "person_id", "after_compare", "statistics"],
            ["civil/deaths", "person_id", "encrypted_only", "statistics"],
        ]
    );
    assert!(uses(&plan()).unwrap().iter().all(|u| u.owner == u.dataset.owner()));
}

#[test]
fn a_star_leaks_the_same_in_tier_b_plus() {
    let checked = Plan { tier: Tier::BPlus, ..plan() };
    assert_eq!(uses(&checked).unwrap(), uses(&plan()).unwrap());
    assert!(all_missing(&sufficient(), &checked, NOW).is_empty());
}

#[test]
fn formulas_are_followed_to_where_their_columns_go() {
    let needs = |value: &[Op], function| -> Vec<(String, &'static str)> {
        let mut plan = plan();
        plan.reads[1].values = vec![formula(value)];
        star(&mut plan).aggregates[1].function = function;
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
    star(&mut unused).ranges[1].push(Span { low: 0, high: 255 });
    assert!(all_missing(&sufficient(), &unused, NOW).iter().any(|m| m.column == "sbp" && m.need == Use::Plaintext));
}

#[test]
fn malformed_plans_are_faults() {
    let twists: [fn(&mut Plan); 15] = [
        |p| p.reads[1].key = Some(9),
        |p| _ = star(p).ranges.pop(),
        |p| star(p).ranges[1].push(Span { low: 0, high: 255 }),
        |p| star(p).ranges[1][0].low = 256,
        |p| p.reads[1].owner = org("civil"),
        |p| p.reads[1].dataset = dataset("statistics/census"),
        |p| p.reads.swap(0, 1),
        |p| p.nodes[0] = org("health"),
        |p| star(p).aggregates[1].argument = Argument::Value { read: 7, value: 0, absent: None },
        |p| p.reads[1].filter = Some(formula(&[Op::Column(8)])),
        |p| p.reads[0].columns[1] = "other".into(),
        |p| p.reads[1].role = ReadRole::Set { keys: vec![KeyPart { column: 0, folds: vec![] }] },
        |p| p.outputs[0].value = ValueOf::Cell { read: 1, value: 0 },
        |p| {
            p.program = Program::Intersect(Intersect { label: Label::Nothing, spares: Spares::Time, bucket_keys: None })
        },
        |p| p.tier = Tier::C,
    ];
    all_are_faults(&plan(), twists);
}

#[test]
fn an_intersection_leaks_exactly_this() {
    assert_eq!(
        told(&intersection()),
        [
            ["statistics/census", "education", "join_payload", "statistics"],
            ["statistics/census", "name", "after_join", "statistics"],
            ["statistics/census", "name", "encrypted_only", "health"],
            ["statistics/census", "person_id", "after_join", "statistics"],
            ["statistics/census", "person_id", "encrypted_only", "health"],
            ["health/visits", "age", "after_compare", "statistics"],
            ["health/visits", "name", "after_join", "statistics"],
            ["health/visits", "person_id", "after_join", "statistics"],
            ["health/visits", "sbp", "join_payload", "statistics"],
        ]
    );
}

#[test]
fn a_key_that_was_folded_and_a_value_that_was_compared_are_told_by_their_own_words() {
    let of_health = |plan: &Plan| -> Vec<(String, &'static str)> {
        let all = uses(plan).unwrap().into_iter().filter(|u: &ColumnUse| u.dataset == dataset("health/visits"));
        all.map(|u| (u.column, u.need.word())).collect()
    };
    let mut exact = intersection();
    exact.reads[1].values = vec![formula(&[Op::Column(0)])];
    assert!(!of_health(&exact).contains(&("person_id".into(), "join_payload")), "the receiver has that key itself");
    let mut folded = intersection();
    folded.reads[1].values = vec![formula(&[Op::Column(1)])];
    assert!(of_health(&folded).contains(&("name".into(), "join_payload")), "its letters were not known");
    let mut high = intersection();
    high.reads[1].values = vec![formula(&[Op::Column(2), Op::Number(140), Op::Gt])];
    let told = of_health(&high);
    assert!(told.contains(&("sbp".into(), "after_compare")) && !told.contains(&("sbp".into(), "join_payload")));
    let mut idle = intersection();
    idle.reads[1].columns.push("address".into());
    idle.reads[1].types.push(ColumnType::Text);
    assert!(of_health(&idle).contains(&("address".into(), "plaintext")));
}

#[test]
fn malformed_intersections_are_faults() {
    let keys = |p: &mut Plan, place: usize, keys: Vec<KeyPart>| p.reads[place].role = ReadRole::Set { keys };
    let buckets = |p: &mut Plan, keys: u32| {
        let Program::Intersect(intersect) = &mut p.program else { panic!("no intersection") };
        intersect.bucket_keys = Some(keys);
    };
    let copies = |p: &mut Plan, most: u8| {
        let Program::Intersect(Intersect { label: Label::Row { rows, .. }, .. }) = &mut p.program else {
            panic!("no cells")
        };
        *rows = most;
    };
    let twists: [&dyn Fn(&mut Plan); 22] = [
        &|p| p.nodes.push(org("civil")),
        &|p| p.nodes[0] = org("civil"),
        &|p| p.request.receiver = org("civil"),
        &|p| p.reads.swap(0, 1),
        &|p| p.reads.push(plan().reads[2].clone()),
        &|p| _ = p.reads.pop(),
        &|p| p.tier = Tier::B,
        &|p| p.reads[1].key = Some(0),
        &|p| p.reads[1].role = plan().reads[1].role.clone(),
        &|p| keys(p, 0, vec![]),
        &|p| keys(p, 0, vec![KeyPart { column: 0, folds: vec![] }]),
        &|p| keys(p, 0, vec![KeyPart { column: 9, folds: vec![] }, KeyPart { column: 1, folds: vec![] }]),
        &|p| keys(p, 0, vec![KeyPart { column: 0, folds: vec![Fold::Trim] }, KeyPart { column: 1, folds: vec![] }]),
        &|p| p.reads[0].types[1] = ColumnType::Int,
        &|p| p.program = Program::Intersect(Intersect { label: Label::Count, spares: Spares::Time, bucket_keys: None }),
        &|p| p.outputs[0].value = ValueOf::Cell { read: 1, value: 7 },
        &|p| p.outputs[0].value = ValueOf::Aggregate { aggregate: 0 },
        &|p| copies(p, 0),
        &|p| copies(p, 17),
        &|p| buckets(p, 1023),
        &|p| buckets(p, (1 << 20) + 1),
        &|p| {
            buckets(p, 1 << 10);
            p.reads[1].rows_bound = (1 << 22) + 1;
        },
    ];
    assert!(uses(&intersection()).is_ok());
    let mut bucketed = intersection();
    buckets(&mut bucketed, 1 << 10);
    bucketed.reads[1].rows_bound = 1 << 22;
    assert_eq!(uses(&bucketed), uses(&intersection()), "buckets show nothing more");
    all_are_faults(&intersection(), twists);
}
