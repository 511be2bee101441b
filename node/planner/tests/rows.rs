//! Row queries over two owners: how they are planned as intersections, what is refused, and what the explanation says.

mod common;

use base_types::{
    column::ColumnType,
    fault::{Code, Fault},
};
use base_wire::{Decode, Encode};
use common::{dataset, nodes, org, plain, plan, request};
use notary_terms::{
    CellForm, Fold, Intersect, KeyPart, Label, Order, Output, Plan, Program, Read, ReadRole, Spares, Tier, ValueOf,
    formula::{Formula, Op},
};
use planner::{VERSION, explain};

const ROWS: &str = "SELECT c.person_id, h.person_id AS same, c.education, h.sex, h.age >= 40 AS old
FROM health h JOIN census c ON c.person_id = h.person_id AND TRIM(LOWER(h.sex)) = UPPER(c.birthplace)
WHERE h.age > 30 AND c.urban ORDER BY education DESC LIMIT 10";

fn formula(ops: &[Op]) -> Formula {
    Formula { ops: ops.to_vec() }
}

fn read(owner: &str, name: &str, columns: &[(&str, ColumnType)], folds: &[Fold]) -> Read {
    Read {
        owner: org(owner),
        dataset: dataset(name),
        alias: name.rsplit('/').next().unwrap()[..1].to_owned(),
        columns: columns.iter().map(|(name, _)| (*name).to_owned()).collect(),
        types: columns.iter().map(|(_, ty)| *ty).collect(),
        key: None,
        filter: None,
        values: vec![],
        rows_bound: 1664,
        role: ReadRole::Set {
            keys: vec![KeyPart { column: 0, folds: vec![] }, KeyPart { column: 1, folds: folds.to_vec() }],
        },
    }
}

fn label(plan: &Plan) -> &Label {
    match &plan.program {
        Program::Intersect(intersect) => &intersect.label,
        other => panic!("{other:?}"),
    }
}

#[test]
fn rows_of_two_owners_are_planned_field_by_field() {
    use ColumnType::{Bool, Int, Text};
    let columns = [("person_id", Int), ("birthplace", Text), ("education", Int), ("urban", Bool)];
    let mut census = read("statistics", "statistics/census", &columns, &[Fold::Upper]);
    census.values = vec![formula(&[Op::Column(0)]), formula(&[Op::Column(2)])];
    census.filter = Some(formula(&[Op::Column(3)]));
    let columns = [("person_id", Int), ("sex", Text), ("age", Int)];
    let mut health = read("health", "health/health", &columns, &[Fold::Lower, Fold::Trim]);
    health.values = vec![formula(&[Op::Column(1)]), formula(&[Op::Column(2), Op::Number(40), Op::Ge])];
    health.filter = Some(formula(&[Op::Column(2), Op::Number(30), Op::Gt]));
    let output = |name: &str, ty, read, value| Output { name: name.into(), ty, value: ValueOf::Cell { read, value } };
    let expected = Plan {
        planner: VERSION,
        catalogue_height: 17,
        request: request(ROWS),
        tier: Tier::C,
        nodes: vec![org("health"), org("statistics")],
        reads: vec![census, health],
        program: Program::Intersect(Intersect {
            label: Label::Row {
                cells: vec![CellForm { ty: Text, bytes: 8 }, CellForm { ty: Bool, bytes: 8 }],
                rows: 1,
            },
            spares: Spares::Time,
            bucket_keys: None,
        }),
        outputs: vec![
            output("person_id", Int, 0, 0),
            output("same", Int, 0, 0),
            output("education", Int, 0, 1),
            output("sex", Text, 1, 0),
            output("old", Bool, 1, 1),
        ],
        order: vec![Order { output: 2, descending: true, nulls_first: true }],
        limit: Some(10),
    };
    assert_eq!(plan(ROWS).unwrap(), expected);
    assert_eq!(Plan::from_wire(&expected.to_wire()).unwrap(), expected);
}

#[test]
fn the_two_owners_nodes_compute_whoever_else_there_is() {
    let whole = plan(ROWS).unwrap();
    for others in [&whole.nodes[..], &nodes()[..1], &[]] {
        let again = planner::plan(&request(ROWS), &plain(), others).unwrap();
        assert_eq!(again.digest(), whole.digest());
    }
    let sql = "SELECT c.income, l.sum FROM census c JOIN loans l ON l.person_id = c.person_id";
    let with_bank = plan(sql).unwrap();
    assert_eq!(with_bank.nodes, [org("bank"), org("statistics")]);
    assert_eq!((with_bank.parties(), with_bank.approvers()), (with_bank.nodes.clone(), with_bank.nodes.clone()));
    let large = plan("SELECT l.person_id FROM census c JOIN large l ON l.person_id = c.person_id").unwrap();
    assert_eq!(large.reads[1].rows_bound, 100_032, "sets may be larger than shared tables");
}

#[test]
fn the_receiver_s_data_set_is_the_first_wherever_it_stands() {
    let mut by_health = request("SELECT c.income, h.age FROM census c JOIN health h ON h.person_id = c.person_id");
    let by_statistics = planner::plan(&by_health, &plain(), &nodes()).unwrap();
    by_health.receiver = org("health");
    let by_health = planner::plan(&by_health, &plain(), &nodes()).unwrap();
    let owners = |plan: &Plan| plan.reads.iter().map(|read| read.owner.clone()).collect::<Vec<_>>();
    assert_eq!(owners(&by_statistics), [org("statistics"), org("health")]);
    assert_eq!(owners(&by_health), [org("health"), org("statistics")]);
    let from: Vec<_> = by_health.outputs.iter().map(|output| output.value).collect();
    assert_eq!(from, [ValueOf::Cell { read: 1, value: 0 }, ValueOf::Cell { read: 0, value: 0 }]);
}

#[test]
fn without_a_column_of_the_other_a_match_brings_its_count_or_nothing() {
    let sql = "SELECT c.education, h.person_id FROM census c JOIN health h ON h.person_id = c.person_id AND h.age > 3";
    assert_eq!(label(&plan(sql).unwrap()), &Label::Count);
    let mut catalogue = plain();
    catalogue.sources.get_mut(&dataset("health/health")).unwrap().columns[0].unique = true;
    let once = planner::plan(&request(sql), &catalogue, &nodes()).unwrap();
    assert_eq!((label(&once), once.reads[1].values.len()), (&Label::Nothing, 0));
    // A key that is folded may occur again: two texts become one.
    catalogue.sources.get_mut(&dataset("health/health")).unwrap().columns[6].unique = true;
    let folded = "SELECT c.education FROM census c JOIN health h ON TRIM(h.sex) = c.birthplace";
    assert_eq!(label(&planner::plan(&request(folded), &catalogue, &nodes()).unwrap()), &Label::Count);
}

/// Refused at the last place where `at` stands, with this advice.
fn check(receiver: &str, sql: &str, at: &str, advice: &str) {
    let sql = sql.replace("{J}", "FROM census c JOIN health h ON h.person_id = c.person_id");
    let mut request = request(&sql);
    request.receiver = org(receiver);
    let fault: Fault = match planner::plan(&request, &plain(), &nodes()) {
        Err(fault) => fault,
        Ok(_) => panic!("planned: {sql}"),
    };
    let place = format!("1:{}: ", sql.rfind(at).unwrap() + 1);
    assert_eq!((fault.code, fault.step.as_str()), (Code::QueryUnsupported, "plan"), "{sql}\n{fault}");
    assert!(fault.detail.starts_with(&place) && fault.detail.contains(advice), "{sql}\n{place}{advice}\n{fault}");
}

#[test]
fn what_is_no_intersection_of_two_owners_is_refused_with_what_to_write() {
    let cases = [
        (
            "SELECT h.age FROM health h JOIN deaths d ON d.person_id = h.person_id",
            "health",
            "analyst of health or civil",
        ),
        ("SELECT d.yrdth FROM deaths d JOIN moves m ON m.person_id = d.person_id", "moves", "let civil join them"),
        ("SELECT c.income FROM census c LEFT JOIN health h ON h.person_id = c.person_id", "health", "write JOIN"),
        ("SELECT c.income FROM census c JOIN health h USING (person_id)", "health", "ON a.key = b.key"),
        ("SELECT c.income FROM census c JOIN health h ON h.age > 3", "health", "ON h.key = other.key"),
        ("SELECT c.income FROM census c JOIN health h ON c.person_id < h.person_id", "health", "ON h.key"),
        ("SELECT c.income FROM census c JOIN health h ON c.person_id = h.person_id OR c.urban", "health", "ON h.key"),
        ("SELECT c.income {J} AND (c.income = h.age OR c.urban)", "h.age", "each concern one table"),
        ("SELECT c.income FROM census c JOIN health h ON c.person_id = h.visit", "c.person_id", "one type"),
        ("SELECT c.income FROM census c JOIN health h ON c.income = h.wt71", "c.income", "one type"),
        ("SELECT c.income FROM census c JOIN health h ON TRIM(c.income) = h.sex", "health", "leave it out"),
        ("SELECT c.income FROM census c JOIN health h ON LOWER(h.sex) = 'm'", "health", "ON h.key"),
    ];
    for (sql, at, advice) in cases {
        check("statistics", sql, at, advice);
    }
}

#[test]
fn items_that_cannot_be_shown_are_refused_with_what_to_write() {
    let cases = [
        ("SELECT h.age + 1 {J}", "h.age", "give it one with AS"),
        ("SELECT c.income, h.age AS income {J}", "income {J}", "its own name"),
        ("SELECT c.income + h.age AS x {J}", "h.age", "columns of one table"),
        ("SELECT c.income, NULL AS n {J}", "NULL", "name a column"),
        ("SELECT c.income, 'm' AS sex {J}", "'m'", "a number by CASE"),
        ("SELECT c.income, TRIM(h.sex) AS sex {J}", "SELECT", "use columns"),
        ("SELECT c.income {J} ORDER BY h.age", "h.age", "SELECT list"),
        ("SELECT c.income {J} ORDER BY 2", "2", "SELECT list"),
        ("SELECT c.income {J} WHERE h.age > c.income", "c.income", "each concern one table"),
        ("SELECT h.*, c.income {J}", "SELECT", "name the GROUP BY columns"),
        ("SELECT MAX(h.age), c.income {J}", "MAX", "ask for AVG"),
        ("SELECT SUM(h.age) / COUNT(*) AS mean {J}", "SUM", "one aggregate"),
    ];
    for (sql, at, advice) in cases {
        let at = at.replace("{J}", "FROM");
        check("statistics", sql, &at, advice);
    }
    check("health", "SELECT h.age, c.essay {J}", "c.essay", "at most 1024 bytes");
    assert!(plan("SELECT c.essay FROM census c JOIN health h ON h.person_id = c.person_id").is_ok(), "one's own");
}

#[test]
fn the_explanation_of_rows_says_what_is_compared_and_who_learns_it() {
    let told = explain(&plan(ROWS).unwrap(), &plain());
    assert_eq!((told.tier.as_str(), told.pairs.len(), told.min_group, told.max_groups), ("C", 0, None, None));
    assert_eq!((told.nodes.clone(), told.rows_bound), (told.approvers.clone(), 3328));
    let keys: Vec<_> = told.reads.iter().map(|read| read.keys.join(", ")).collect();
    assert_eq!(keys, ["person_id, UPPER(birthplace)", "person_id, TRIM(LOWER(sex))"]);
    assert_eq!(told.reads[1].filter.as_deref(), Some("h.age > 30"));
    let sources: Vec<_> = told.outputs.iter().map(|o| o.source.as_str()).collect();
    assert_eq!(sources, ["c.person_id", "c.person_id", "c.education", "h.sex", "h.age >= 40"]);
    let learns = |party: &str| {
        let of: Vec<_> = told.learns.iter().filter(|l| l.party == org(party)).map(|l| l.what.en.as_str()).collect();
        of.join("; ")
    };
    let receiver = learns("statistics");
    assert!(receiver.contains("which of its own keys") && receiver.contains("h.sex, h.age >= 40"), "{receiver}");
    assert!(learns("health").contains("not which of its keys matched"), "{}", learns("health"));
    assert!(told.learns.iter().all(|l| !l.what.zh.is_ascii()));
    assert!(told.bytes > 0 && told.rounds > 0 && told.millis > 0);
    let compared = &told.steps.inputs[0];
    assert_eq!((told.steps.kind.as_str(), compared.kind.as_str(), compared.inputs.len()), ("deliver", "intersect", 2));
    assert!(compared.inputs.iter().all(|mask| mask.kind == "mask" && mask.inputs[0].kind == "read"));
}

const HINTED: &str = "SELECT {H} c.income, h.age FROM census c JOIN health h ON h.person_id = c.person_id";

/// What a plan spares, and the keys of its buckets.
fn pace(plan: &Plan) -> (Spares, Option<u32>) {
    match &plan.program {
        Program::Intersect(intersect) => (intersect.spares, intersect.bucket_keys),
        other => panic!("{other:?}"),
    }
}

#[test]
fn hints_say_how_keys_are_compared_and_nothing_else() {
    let bare = plan(&HINTED.replace("{H}", "")).unwrap();
    for (hint, due) in [
        ("", (Spares::Time, None)),
        ("/* a remark */", (Spares::Time, None)),
        ("/*+ low_traffic */", (Spares::Bytes, None)),
        // 250 bytes a key and 9 of its cell: 2^20 of them are a little too many for 256 MiB.
        ("/*+ BUCKETS */", (Spares::Time, Some(1 << 19))),
        ("/*+ BUCKETS(1024), LOW_TRAFFIC */", (Spares::Bytes, Some(1 << 10))),
        ("/*+ BUCKETS(1048576) */", (Spares::Time, Some(1 << 20))),
    ] {
        let planned = plan(&HINTED.replace("{H}", hint)).unwrap();
        assert_eq!(pace(&planned), due, "{hint}");
        let request = bare.request.clone();
        assert_eq!(Plan { program: bare.program.clone(), request, ..planned }, bare, "{hint}");
    }
}

#[test]
fn sets_beyond_a_gigabyte_are_compared_in_buckets_and_larger_ones_refused() {
    let sql = "SELECT l.person_id FROM census c JOIN large l ON l.person_id = c.person_id";
    let sized = |rows: u32, sql: &str| {
        let mut catalogue = plain();
        catalogue.sources.get_mut(&dataset("health/large")).unwrap().rows_bound = rows;
        planner::plan(&request(sql), &catalogue, &nodes())
    };
    assert_eq!(pace(&sized(1 << 22, sql).unwrap()), (Spares::Time, None));
    for rows in [5_000_000, 1 << 24] {
        assert_eq!(pace(&sized(rows, sql).unwrap()), (Spares::Time, Some(1 << 20)), "{rows}");
    }
    assert!(sized((1 << 24) + 64, sql).unwrap_err().detail.contains("1 to 16777216 rows"));
    let small = sql.replace("SELECT", "SELECT /*+ BUCKETS(1024) */");
    assert!(sized(1 << 22, &small).is_ok(), "4096 buckets");
    assert!(sized(1 << 24, &small).unwrap_err().detail.contains("write BUCKETS(4096)"));
}

#[test]
fn several_rows_of_a_key_are_shown_where_the_query_says_how_many() {
    let planned = plan(&HINTED.replace("{H}", "/*+ ROWS(16) */")).unwrap();
    let cells = vec![CellForm { ty: ColumnType::Int, bytes: 8 }];
    assert_eq!(label(&planned), &Label::Row { cells, rows: 16 });
    let told = explain(&planned, &plain());
    assert!(told.learns[0].what.en.contains("up to 16 rows that a key has there h.age"), "{:?}", told.learns[0]);
    assert!(told.bytes > explain(&plan(&HINTED.replace("{H}", "")).unwrap(), &plain()).bytes);
    let mut catalogue = plain();
    catalogue.sources.get_mut(&dataset("health/health")).unwrap().columns[6].max = 1024;
    let sized = |rows: u8| {
        let sql = HINTED.replace("{H}", &format!("/*+ ROWS({rows}) */")).replace("h.age", "h.sex");
        planner::plan(&request(&sql), &catalogue, &nodes())
    };
    assert!(sized(4).is_ok());
    assert!(sized(5).unwrap_err().detail.contains("show at most 4096 bytes"));
}

#[test]
fn hints_that_nothing_heeds_are_refused() {
    for hint in ["/*+ BUCKETS(1023) */", "/*+ BUCKETS(1048577) */", "/*+ BUCKETS(x) */"] {
        check("statistics", &HINTED.replace("{H}", hint), "SELECT", "1024 to 1048576 keys");
    }
    for hint in ["/*+ ROWS(0) */", "/*+ ROWS(17) */", "/*+ ROWS() */"] {
        check("statistics", &HINTED.replace("{H}", hint), "SELECT", "1 to 16 rows");
    }
    let bare = HINTED.replace("{H}", "/*+ ROWS(2) */").replace(", h.age", "");
    check("statistics", &bare, "SELECT", "all rows of a key count");
    for hint in ["/*+ FAST */", "/*+ ROWS */", "/*+ BUCKETS( 1024 ) */", "/*pg+ BUCKETS */"] {
        check("statistics", &HINTED.replace("{H}", hint), "SELECT", "/*+ LOW_TRAFFIC */");
    }
    let others = [
        "SELECT /*+ LOW_TRAFFIC */ COUNT(*) AS n FROM census c",
        "SELECT /*+ ROWS(2) */ COUNT(*) AS n FROM census c JOIN health h ON h.person_id = c.person_id",
        "SELECT /*+ BUCKETS */ c.income FROM census c JOIN health h ON h.person_id = c.person_id \
         JOIN deaths d ON d.person_id = c.person_id",
    ];
    for sql in others {
        check("statistics", sql, "SELECT", "leave the hint out");
    }
}

#[test]
fn the_explanation_tells_both_costs_and_the_buckets() {
    let told = |hint: &str| explain(&plan(&HINTED.replace("{H}", hint)).unwrap(), &plain()).protocol;
    let fast = told("");
    assert!(fast.en.contains("it spares time") && fast.en.contains("LOW_TRAFFIC") && !fast.en.contains("buckets"));
    let lean = told("/*+ LOW_TRAFFIC BUCKETS(1024) */");
    assert!(lean.en.contains("it spares bytes") && lean.en.contains("in 2 buckets of about 1024 keys"), "{}", lean.en);
    assert!(lean.zh.contains("省流量") && lean.zh.contains("2 个桶"), "{}", lean.zh);
    // From 2^15 keys of the receiver on the two differ, and each bucket has its own correlations.
    let cost = |hint: &str| {
        let mut catalogue = plain();
        catalogue.sources.get_mut(&dataset("statistics/census")).unwrap().rows_bound = 1 << 20;
        let plan = planner::plan(&request(&HINTED.replace("{H}", hint)), &catalogue, &nodes()).unwrap();
        explain(&plan, &catalogue)
    };
    let (fast, lean, many) = (cost(""), cost("/*+ LOW_TRAFFIC */"), cost("/*+ BUCKETS(65536) */"));
    assert!(lean.bytes < fast.bytes && fast.bytes < many.bytes && fast.rounds * 16 == many.rounds);
}
