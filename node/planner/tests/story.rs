//! The story's query, every field of its plan; determinism; and what the explanation says of it.

mod common;

use base_types::column::ColumnType;
use base_wire::{Decode, Encode};
use common::{STORY, catalogue, dataset, nodes, org, plain, plan, request, rules, star};
use notary_terms::{
    Aggregate, Argument, Function, GroupColumn, Join, Order, Output, Plan, Program, Read, ReadRole, Request, Span,
    Star, Tier, ValueOf,
    formula::{Formula, Op},
};
use planner::{Explanation, VERSION, explain};

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

fn census() -> Read {
    let groups = vec![GroupColumn { column: "education".into(), ty: ColumnType::Int, words: 2 }];
    Read {
        owner: org("statistics"),
        dataset: dataset("statistics/census"),
        alias: "c".into(),
        columns: strings(&["person_id", "education"]),
        types: vec![ColumnType::Int, ColumnType::Int],
        key: Some(0),
        filter: None,
        values: vec![],
        rows_bound: 1664,
        role: ReadRole::Carrier { groups },
    }
}

fn health() -> Read {
    Read {
        owner: org("health"),
        dataset: dataset("health/health"),
        alias: "h".into(),
        columns: strings(&["person_id", "sbp", "age"]),
        types: vec![ColumnType::Int; 3],
        key: Some(0),
        filter: Some(Formula { ops: vec![Op::Column(2), Op::Number(40), Op::Ge] }),
        values: vec![Formula { ops: vec![Op::Column(1)] }],
        rows_bound: 1664,
        role: ReadRole::Side { join: Join::Inner },
    }
}

fn deaths() -> Read {
    let died = vec![Op::Column(0), Op::IsNull, Op::Number(0), Op::Number(1), Op::Case];
    Read {
        owner: org("civil"),
        dataset: dataset("civil/deaths"),
        alias: "d".into(),
        columns: strings(&["person_id"]),
        types: vec![ColumnType::Int],
        key: Some(0),
        filter: None,
        values: vec![Formula { ops: died }],
        rows_bound: 320,
        role: ReadRole::Side { join: Join::Left },
    }
}

fn output(name: &str, ty: ColumnType, value: ValueOf) -> Output {
    Output { name: name.into(), ty, value }
}

#[test]
fn the_story_is_planned_field_by_field() {
    let value = |read, absent| Argument::Value { read, value: 0, absent };
    let expected = Plan {
        planner: VERSION,
        catalogue_height: 17,
        request: request(STORY),
        tier: Tier::B,
        nodes: nodes(),
        reads: vec![census(), health(), deaths()],
        program: Program::Star(Star {
            min_group: 5,
            key_bits: 15,
            key_base: 0,
            max_groups: 9,
            aggregates: vec![
                Aggregate { function: Function::Count, argument: Argument::Rows },
                Aggregate { function: Function::Avg { extra_digits: 6 }, argument: value(1, None) },
                Aggregate { function: Function::Sum, argument: value(2, Some(0)) },
            ],
            ranges: vec![vec![], vec![Span { low: 0, high: 255 }], vec![Span { low: 0, high: 1 }]],
        }),
        outputs: vec![
            output("education", ColumnType::Int, ValueOf::Group { group: 0 }),
            output("people", ColumnType::Int, ValueOf::Aggregate { aggregate: 0 }),
            output("sbp", ColumnType::Decimal { scale: 6 }, ValueOf::Aggregate { aggregate: 1 }),
            output("died", ColumnType::Int, ValueOf::Aggregate { aggregate: 2 }),
        ],
        order: vec![Order { output: 0, descending: false, nulls_first: false }],
        limit: None,
    };
    assert_eq!(plan(STORY).unwrap(), expected);
}

#[test]
fn the_plan_is_the_same_wherever_it_is_derived() {
    let first = plan(STORY).unwrap();
    let mut others = nodes();
    others.reverse();
    let again = planner::plan(&request(STORY), &plain(), &others).unwrap();
    assert_eq!(first.digest(), again.digest());
    assert_eq!(Plan::from_wire(&first.to_wire()).unwrap(), first);
    let mut salted = request(STORY);
    salted.salt = [8; 32];
    assert_ne!(planner::plan(&salted, &plain(), &nodes()).unwrap().digest(), first.digest());
}

#[test]
fn a_star_in_tier_b_plus_is_the_same_plan_in_another_tier_and_costs_more() {
    let asked = Request { tier: Some(Tier::BPlus), ..request(STORY) };
    let checked = planner::plan(&asked, &plain(), &nodes()).unwrap();
    let usual = plan(STORY).unwrap();
    assert_eq!(checked, Plan { request: asked, tier: Tier::BPlus, ..usual.clone() });
    assert_ne!(checked.digest(), usual.digest());
    let by_name = Request { tier: Some(Tier::B), ..request(STORY) };
    assert_eq!(planner::plan(&by_name, &plain(), &nodes()).unwrap().tier, Tier::B);
    let (told, before) = (explain(&checked, &plain()), explain(&usual, &plain()));
    assert_eq!((told.tier.as_str(), told.pairs.len(), &told.learns), ("B+", 3, &before.learns));
    assert!(told.tier_words.en.contains("may deviate") && told.tier_words.zh.contains("偏离协议"));
    assert!(told.bytes > before.bytes && told.rounds > before.rounds && told.millis > before.millis);
    assert!(told.rounds < 20 * before.rounds && told.millis < 60_000, "{} {}", told.rounds, told.millis);
}

#[test]
fn the_threshold_is_the_strictest_owners() {
    let mut catalogue = plain();
    for (name, min_group) in [("statistics/census", 3), ("health/health", 4), ("civil/deaths", 2)] {
        rules(&mut catalogue, name, min_group);
    }
    let planned = |catalogue: &_| star(&planner::plan(&request(STORY), catalogue, &nodes()).unwrap()).min_group;
    assert_eq!(planned(&catalogue), 4);
    rules(&mut catalogue, "health/health", 20);
    assert_eq!(planned(&catalogue), 20);
    catalogue.rules.remove(&dataset("health/health"));
    assert_eq!(planned(&catalogue), 5);
}

#[test]
fn tables_are_found_by_owner_where_names_meet() {
    let sql = "SELECT COUNT(*) FROM statistics.census JOIN health.health ON census.person_id = health.health.person_id";
    let plan = planner::plan(&request(sql), &catalogue(), &nodes()).unwrap();
    assert_eq!(plan.reads.iter().map(|r| r.alias.as_str()).collect::<Vec<_>>(), ["census", "health"]);
}

#[test]
fn the_explanation_says_who_reads_computes_and_learns_what() {
    let told: Explanation = explain(&plan(STORY).unwrap(), &plain());
    assert_eq!(told.job, plan(STORY).unwrap().digest());
    let filters: Vec<_> = told.reads.iter().map(|r| (r.dataset.as_str(), r.filter.as_deref())).collect();
    let expected = [("statistics/census", None), ("health/health", Some("h.age >= 40")), ("civil/deaths", None)];
    assert_eq!(filters, expected);
    assert_eq!(told.reads[1].title, "Title of health/health");
    assert_eq!(told.reads[1].keys, ["person_id"]);
    let sources: Vec<_> = told.outputs.iter().map(|o| o.source.as_str()).collect();
    let died = "SUM(CASE WHEN d.person_id IS NULL THEN 0 ELSE 1 END)";
    assert_eq!(sources, ["c.education", "COUNT(*)", "AVG(h.sbp)", died]);
    assert_eq!((told.tier.as_str(), told.pairs.len(), told.min_group, told.rows_bound), ("B", 3, Some(5), 3648));
    assert_eq!(told.approvers, nodes());
    assert_eq!(told.learns.iter().filter(|l| l.party == org("statistics")).count(), 2);
    assert_eq!(told.learns.iter().filter(|l| l.party == org("civil")).count(), 1);
    assert!(told.learns.iter().all(|l| !l.what.zh.is_ascii() && l.what.en.len() > 20));
    assert!(told.bytes > 0 && told.rounds > 0 && told.millis > 0);
    assert_eq!(told.steps.kind, "deliver");
    let join = &told.steps.inputs[0].inputs[0].inputs[0];
    assert_eq!((join.kind.as_str(), join.inputs.len()), ("join", 3));
    assert!(join.inputs.iter().all(|share| share.kind == "share" && share.inputs[0].kind == "read"));
}
