//! Two nodes' aggregates and several owners' rows: how they are planned, what is refused, and what the explanation says.

mod common;

use base_types::fault::Code;
use base_wire::{Decode, Encode};
use common::{dataset, nodes, org, plain, plan, request, rules};
use notary_terms::{
    Aggregate, Argument, Catalogue, Common, Fold, Function, KeyPart, Overlap, Plan, Program, Ranges, ReadRole, Spares,
    Tier, ValueOf,
    formula::{Formula, Op},
};
use planner::explain;

const SUMS: &str = "SELECT COUNT(*) AS people, AVG(h.sbp) AS sbp, SUM(c.income) AS income, COUNT(h.sbp) AS known
FROM health h JOIN census c ON c.person_id = h.person_id AND LOWER(c.birthplace) = h.sex WHERE h.age >= 40 AND c.urban";

const ROWS: &str = "SELECT c.education, d.person_id, c.income > 3 AS rich FROM deaths d
JOIN census c ON c.person_id = d.person_id JOIN health h ON h.person_id = d.person_id
WHERE h.age >= 40 ORDER BY c.education LIMIT 7";

fn between(sql: &str, catalogue: &Catalogue, names: [&str; 2]) -> Result<Plan, base_types::fault::Fault> {
    planner::plan(&request(sql), catalogue, &names.map(org))
}

fn overlap(plan: &Plan) -> &Overlap {
    match &plan.program {
        Program::Overlap(overlap) => overlap,
        other => panic!("{other:?}"),
    }
}

#[test]
fn aggregates_between_two_nodes_are_planned_with_their_ranges() {
    let whole = between(SUMS, &plain(), ["statistics", "health"]).unwrap();
    assert_eq!((whole.tier, whole.nodes.clone()), (Tier::A, vec![org("health"), org("statistics")]));
    assert_eq!(
        whole.reads.iter().map(|read| read.dataset.as_str()).collect::<Vec<_>>(),
        ["statistics/census", "health/health"]
    );
    assert_eq!(whole.reads[0].columns, ["person_id", "birthplace", "income", "urban"]);
    let keys = |folds| vec![KeyPart { column: 0, folds: vec![] }, KeyPart { column: 1, folds }];
    assert_eq!(whole.reads[0].role, ReadRole::Set { keys: keys(vec![Fold::Lower]) });
    assert_eq!(whole.reads[1].role, ReadRole::Set { keys: keys(vec![]) });
    assert!(whole.reads.iter().all(|read| read.filter.is_some() && read.values.len() == 1 && read.key.is_none()));
    assert_eq!(whole.reads[0].values, [Formula { ops: vec![Op::Column(2)] }]);
    let value = |read| Argument::Value { read, value: 0, absent: None };
    let aggregate = |function, argument| Aggregate { function, argument };
    let expected = Overlap {
        min_group: 5,
        ranges: vec![Ranges { rows: 1664, values: vec![31] }, Ranges { rows: 1664, values: vec![255] }],
        aggregates: vec![
            aggregate(Function::Count, Argument::Rows),
            aggregate(Function::Avg { extra_digits: 6 }, value(1)),
            aggregate(Function::Sum, value(0)),
            aggregate(Function::Count, value(1)),
        ],
        spares: Spares::Time,
    };
    assert_eq!(overlap(&whole), &expected);
    let again = planner::plan(&request(SUMS), &plain(), &whole.nodes).unwrap();
    assert_eq!(again.digest(), whole.digest(), "each node derives it from the plan's nodes");
    assert_eq!(Plan::from_wire(&whole.to_wire()).unwrap(), whole);
}

#[test]
fn the_strictest_threshold_and_unique_keys_enter_the_plan() {
    let mut catalogue = plain();
    rules(&mut catalogue, "health/health", 3);
    rules(&mut catalogue, "statistics/census", 11);
    let sql = "SELECT SUM(h.wt71) FROM census c JOIN health h ON h.person_id = c.person_id";
    let many = between(sql, &catalogue, ["health", "statistics"]).unwrap();
    assert_eq!((overlap(&many).min_group, overlap(&many).ranges[1].rows), (11, 1664));
    catalogue.sources.get_mut(&dataset("health/health")).unwrap().columns[0].unique = true;
    let once = between(sql, &catalogue, ["health", "statistics"]).unwrap();
    assert_eq!(overlap(&once).ranges.iter().map(|ranges| ranges.rows).collect::<Vec<_>>(), [1664, 1]);
    // A sum that could leave its bounds with many rows a key fits with one: 2^51 · 1664 is below 2^62, 1664 times that is not.
    let column = catalogue.sources.get_mut(&dataset("health/health")).unwrap();
    (column.columns[7].min, column.columns[7].max) = (0, 1 << 51);
    let sql = "SELECT SUM(h.serial) FROM census c JOIN health h ON h.person_id = c.person_id";
    assert!(between(sql, &catalogue, ["health", "statistics"]).is_ok());
    catalogue.sources.get_mut(&dataset("health/health")).unwrap().columns[0].unique = false;
    let fault = between(sql, &catalogue, ["health", "statistics"]).unwrap_err();
    assert_eq!(fault.code, Code::QueryOverflow, "{fault}");
}

#[test]
fn what_two_nodes_cannot_sum_is_refused_with_what_to_write() {
    let join = "FROM census c JOIN health h ON h.person_id = c.person_id";
    let cases = [
        (format!("SELECT c.education, COUNT(*) {join} GROUP BY c.education"), "leave it out, or name three nodes"),
        ("SELECT COUNT(*) FROM census".to_owned(), "or name three nodes"),
        (format!("SELECT COUNT(*) {join} JOIN deaths d ON d.person_id = c.person_id"), "or name three nodes"),
        (format!("SELECT COUNT(*) {}", join.replace("JOIN", "LEFT JOIN")), "write JOIN, or name three nodes"),
        (
            "SELECT COUNT(*) FROM census c JOIN deaths d ON d.person_id = c.person_id".to_owned(),
            "name the two owners' nodes",
        ),
        (
            "SELECT COUNT(*) FROM health h JOIN large l ON l.person_id = h.person_id".to_owned(),
            "name the two owners' nodes",
        ),
        (format!("SELECT COUNT(*), c.income {join}"), "into COUNT, SUM or AVG"),
        (format!("SELECT SUM(c.income + h.age) {join}"), "columns of one table"),
        (format!("SELECT MAX(h.age) {join}"), "ask for AVG"),
        (format!("SELECT COUNT(*) {join} WHERE h.age > c.income"), "each concern one table"),
    ];
    for (sql, advice) in cases {
        let fault = between(&sql, &plain(), ["health", "statistics"]).expect_err(&sql);
        assert!(fault.code == Code::QueryUnsupported && fault.detail.contains(advice), "{sql}\n{fault}");
    }
    let sql = "SELECT c.income FROM census c JOIN health h ON h.person_id = c.person_id";
    let rows = between(sql, &plain(), ["health", "statistics"]).unwrap();
    assert_eq!(rows.tier, Tier::C, "rows are an intersection whoever computes aggregates");
}

#[test]
fn rows_of_several_owners_are_planned_on_one_key() {
    let whole = plan(ROWS).unwrap();
    let program = Program::Common(Common { spares: Spares::Time });
    assert_eq!((whole.tier, &whole.program, whole.limit), (Tier::D, &program, Some(7)));
    assert_eq!((whole.nodes.clone(), whole.approvers()), (nodes(), nodes()));
    let owners: Vec<_> = whole.reads.iter().map(|read| read.owner.as_str()).collect();
    assert_eq!(owners, ["statistics", "civil", "health"], "the receiver's first");
    let values = [vec![Op::Column(1)], vec![Op::Column(0)], vec![Op::Column(2), Op::Number(3), Op::Gt]];
    assert_eq!(whole.reads[0].values, values.map(|ops| Formula { ops }));
    assert!(whole.reads[1..].iter().all(|read| read.values.is_empty()));
    let from: Vec<_> = whole.outputs.iter().map(|output| output.value).collect();
    assert_eq!(from, [0, 1, 2].map(|value| ValueOf::Cell { read: 0, value }));
    let again = planner::plan(&request(ROWS), &plain(), &[]).unwrap();
    assert_eq!(again.digest(), whole.digest());
    assert_eq!(Plan::from_wire(&whole.to_wire()).unwrap(), whole);
    let four = plan(
        "SELECT c.income FROM census c JOIN health h ON h.person_id = c.person_id AND LOWER(h.sex) = c.birthplace
         JOIN deaths d ON d.cause = c.birthplace AND d.person_id = h.person_id
         JOIN loans l ON l.person_id = d.person_id AND l.sum > 3",
    );
    let fault = four.unwrap_err();
    assert!(fault.detail.contains("the ON of l leaves out a part of the key"), "{fault}");
}

#[test]
fn rows_that_several_owners_cannot_match_are_refused_with_what_to_write() {
    let cases = [
        ("SELECT h.age {J}", "h.age", "show columns of c"),
        ("SELECT c.income, d.yrdth + 1 AS y {J}", "d.yrdth", "join c with d alone"),
        ("SELECT c.income {J} JOIN moves m ON m.person_id = c.person_id", "moves", "let civil join them"),
        (
            "SELECT c.income FROM census c JOIN health h ON h.person_id = c.person_id JOIN deaths d ON d.yrdth = c.income",
            "d.yrdth",
            "on the key that c and h have",
        ),
        (
            "SELECT c.income FROM census c JOIN health h ON h.person_id = c.person_id JOIN deaths d ON d.yrdth > 3",
            "deaths",
            "ON d.key = other.key",
        ),
        ("SELECT c.income {J} AND d.yrdth = h.person_id", "d.yrdth", "on the key that c and h have"),
        (
            "SELECT c.income FROM census c JOIN health h ON h.person_id = c.person_id LEFT JOIN deaths d \
          ON d.person_id = c.person_id",
            "deaths",
            "write JOIN",
        ),
    ];
    let join = "FROM census c JOIN health h ON h.person_id = c.person_id JOIN deaths d ON d.person_id = c.person_id";
    for (sql, at, advice) in cases {
        let sql = sql.replace("{J}", join);
        let fault = plan(&sql).expect_err(&sql);
        let place = format!("1:{}: ", sql.find(at).unwrap() + 1);
        assert!(fault.detail.starts_with(&place) && fault.detail.contains(advice), "{sql}\n{place}{advice}\n{fault}");
    }
    let mut outsider = request(&format!("SELECT c.income {join}"));
    outsider.receiver = org("bank");
    let fault = planner::plan(&outsider, &plain(), &nodes()).unwrap_err();
    assert!(fault.detail.contains("let an analyst of one of them ask"), "{fault}");
}

/// Both queries with a hint: aggregates between two nodes, and rows of three owners.
fn hinted(hint: &str) -> [Result<Plan, base_types::fault::Fault>; 2] {
    let with = |sql: &str| sql.replacen("SELECT", &format!("SELECT {hint}"), 1);
    [between(&with(SUMS), &plain(), ["statistics", "health"]), plan(&with(ROWS))]
}

#[test]
fn the_hint_on_traffic_says_what_is_spared_and_nothing_else() {
    let spares = |plan: &Plan| match &plan.program {
        Program::Overlap(sums) => sums.spares,
        Program::Common(common) => common.spares,
        other => panic!("{other:?}"),
    };
    for (bare, sparing) in hinted("").into_iter().zip(hinted("/*+ low_traffic */")) {
        let (bare, sparing) = (bare.unwrap(), sparing.unwrap());
        assert_eq!((spares(&bare), spares(&sparing)), (Spares::Time, Spares::Bytes));
        assert_eq!(Plan::from_wire(&sparing.to_wire()).unwrap(), sparing);
        let mut same = sparing.clone();
        match &mut same.program {
            Program::Overlap(sums) => sums.spares = Spares::Time,
            other => *other = Program::Common(Common { spares: Spares::Time }),
        }
        assert_eq!(Plan { request: bare.request.clone(), ..same }, bare);
    }
    for hint in ["/*+ BUCKETS */", "/*+ BUCKETS(1024) LOW_TRAFFIC */", "/*+ ROWS(2) */"] {
        for refused in hinted(hint) {
            let fault = refused.unwrap_err();
            assert_eq!(fault.code, Code::QueryUnsupported);
            assert!(fault.detail.starts_with("1:1: ") && fault.detail.contains("LOW_TRAFFIC may stay"), "{fault}");
        }
    }
}

#[test]
fn both_ways_are_told_with_what_they_cost() {
    let told = |hint: &str| hinted(hint).map(|plan| explain(&plan.unwrap(), &plain()));
    for (fast, lean) in told("").into_iter().zip(told("/*+ LOW_TRAFFIC */")) {
        assert!(fast.protocol.en.contains("it spares time: about"), "{}", fast.protocol.en);
        assert!(lean.protocol.en.contains("it spares bytes, as asked: about"), "{}", lean.protocol.en);
        assert!(fast.protocol.zh.contains("省时") && lean.protocol.zh.contains("省流量"));
        assert!(lean.bytes <= fast.bytes);
    }
    // Silent transfers pay off at any size; stores of several owners differ from 2^15 keys on.
    let sized = |sql: &str, rows: u32| {
        let mut catalogue = plain();
        for name in ["statistics/census", "health/health"] {
            catalogue.sources.get_mut(&dataset(name)).unwrap().rows_bound = rows;
        }
        let nodes: &[&str] = if sql.contains("COUNT") { &["health", "statistics"] } else { &[] };
        let nodes: Vec<_> = nodes.iter().map(|name| org(name)).collect();
        explain(&planner::plan(&request(sql), &catalogue, &nodes).unwrap(), &catalogue)
    };
    let costs = |sql: &str, rows: u32| {
        let sparing = sql.replacen("SELECT", "SELECT /*+ LOW_TRAFFIC */", 1);
        (sized(sql, rows), sized(&sparing, rows))
    };
    for rows in [64, 20_032] {
        let (fast, lean) = costs(SUMS, rows);
        assert!(lean.bytes < fast.bytes, "{rows}");
    }
    let (fast, lean) = costs(SUMS, 64);
    assert!(lean.millis > fast.millis, "a first batch takes longer than few keys' extension");
    let (fast, lean) = costs(ROWS, 1 << 15);
    assert_eq!(lean.bytes, fast.bytes);
    let (fast, lean) = costs(ROWS, 1 << 16);
    assert!(lean.bytes < fast.bytes && lean.millis > fast.millis);
}

#[test]
fn both_are_explained() {
    let sums = explain(&between(SUMS, &plain(), ["statistics", "health"]).unwrap(), &plain());
    assert_eq!((sums.tier.as_str(), sums.min_group, sums.max_groups, sums.pairs.len()), ("A", Some(5), None, 0));
    let sources: Vec<_> = sums.outputs.iter().map(|output| output.source.as_str()).collect();
    assert_eq!(sources, ["COUNT(*)", "AVG(h.sbp)", "SUM(c.income)", "COUNT(h.sbp)"]);
    assert_eq!(sums.reads[0].keys, ["person_id", "LOWER(birthplace)"]);
    let of = |told: &planner::Explanation, party: &str| {
        let of: Vec<_> = told.learns.iter().filter(|l| l.party == org(party)).map(|l| l.what.en.clone()).collect();
        of.join("; ")
    };
    assert!(of(&sums, "statistics").contains("of a mean, its sum and count"), "{}", of(&sums, "statistics"));
    assert!(of(&sums, "health").contains("nor which of its own match"), "{}", of(&sums, "health"));
    let rows = explain(&plan(ROWS).unwrap(), &plain());
    assert_eq!((rows.tier.as_str(), rows.min_group, rows.learns.len()), ("D", None, 3));
    assert!(of(&rows, "statistics").contains("not where one is missing"), "{}", of(&rows, "statistics"));
    assert!(of(&rows, "civil").contains("not which of its keys matched"), "{}", of(&rows, "civil"));
    let mut kinds = vec![];
    for told in [&sums, &rows] {
        let mut step = &told.steps;
        loop {
            kinds.push(step.kind.as_str());
            assert!(!step.title.zh.is_ascii());
            let Some(before) = step.inputs.first() else { break };
            step = before;
        }
        assert!(told.bytes > 0 && told.rounds > 0 && told.millis > 0);
        assert!(told.learns.iter().all(|learns| !learns.what.zh.is_ascii()));
    }
    let due = "deliver suppress aggregate intersect mask read deliver intersect mask read";
    assert_eq!(kinds.join(" "), due);
}
