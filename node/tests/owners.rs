//! Aggregates between two nodes and rows that three owners have in common, by the command line alone, at four real nodes.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use support::{
    Consortium, PURPOSE, People, items,
    story::{ANALYST, SOON, cells, rows},
    text, until,
};

const SUMS: &str = "SELECT COUNT(*) AS people, AVG(h.sbp) AS sbp, SUM(c.education) AS years FROM census c \
     JOIN health h ON h.person_id = c.person_id WHERE h.age >= 40";
const ROWS: &str = "SELECT c.person_id, c.education FROM census c JOIN health h ON h.person_id = c.person_id \
     JOIN deaths d ON d.person_id = c.person_id WHERE h.age >= 40 ORDER BY c.person_id";

/// The three sources, and all rules that both queries need but the one on blood pressure.
fn register(four: &People) {
    four.add_source("health", "health", "health.csv", &["person_id=identity:4", "sbp=health:3"]);
    four.add_source("statistics", "census", "census.parquet", &["person_id=identity:4"]);
    four.add_source("civil", "deaths", "deaths.csv", &["person_id=identity:4"]);
    let by = |mode: &'static str| ["--holders", "health,statistics", "--min-group", "5", "--approval", mode];
    four.grant("health/health", "person_id", "after_join", &by("person"));
    four.grant("health/health", "age", "after_compare", &[]);
    four.grant("statistics/census", "person_id", "after_join", &by("auto"));
    four.grant("statistics/census", "education", "join_payload,after_aggregate", &[]);
    four.grant("civil/deaths", "person_id", "after_join", &by("auto"));
    for other in ["health", "civil"] {
        let grant = ["grant", "statistics/census", "person_id", "--to", other, "--use", "encrypted_only"];
        four.sign("statistics/owner", &[&grant[..], &["--purpose", PURPOSE]].concat()).good();
    }
}

/// Check once so many grants are missing, as the analyst's node sees it.
fn missing(four: &People, query: &[&str], count: usize) -> Value {
    until("the analyst's node sees the rules", SOON, || {
        let check = four.look(ANALYST, &[&["query", "check"][..], query].concat()).good();
        (items(&check, "missing").len() == count && check["fault"].is_null()).then_some(check)
    })
}

/// People of the census and their examinations at 40 or older, in the order of their numbers.
fn examined() -> Vec<(i64, Option<i64>, Option<i64>)> {
    let key = |row: &BTreeMap<String, Option<i64>>| row["person_id"].expect("a key");
    let health: BTreeMap<_, _> = rows("health.csv").into_iter().map(|row| (key(&row), row)).collect();
    let mut people = rows("census.csv");
    people.sort_by_key(key);
    let old = people.iter().filter_map(|person| {
        let found = health.get(&key(person)).filter(|row| row["age"].is_some_and(|age| age >= 40))?;
        Some((key(person), person["education"], found["sbp"]))
    });
    old.collect()
}

/// Proposes; so many owners approve by rule and the health department's person by hand; the answer of the job.
fn run_to_end(four: &People, query: &[&str], by_rule: usize) -> (String, Value) {
    let job = text(&four.sign(ANALYST, &[&["query", "submit"][..], query].concat()).good(), "job");
    four.await_approvals(&job, by_rule);
    four.approve(&job);
    four.await_status(&job, "done");
    let answer = four.look(ANALYST, &["query", "result", &job]).good();
    (job, answer)
}

#[test]
fn two_nodes_sum_and_three_intersect_by_the_command_line() {
    let four = Consortium::started();
    register(&four);
    let between = [SUMS, "--nodes", "health,statistics"];
    let check = missing(&four, &between, 1);
    let fields = ["dataset", "column", "need", "party"].map(|name| text(&items(&check, "missing")[0], name));
    assert_eq!(fields, ["health/health", "sbp", "after_aggregate", "statistics"]);
    let stranger = four.look(ANALYST, &["query", "check", SUMS, "--nodes", "health,nobody"]).fault("HQ-7003");
    assert!(text(&stranger, "detail").contains("nobody"), "{stranger}");
    four.grant("health/health", "sbp", "after_aggregate", &[]);
    let check = missing(&four, &between, 0);
    let plan = &check["explanation"];
    assert_eq!((&plan["tier"], &plan["min_group"], &plan["max_groups"]), (&json!("A"), &json!(5), &Value::Null));
    assert_eq!(plan["nodes"], json!(["health", "statistics"]));

    let (sums, answer) = run_to_end(&four, &between, 1);
    let found = examined();
    let pressures: Vec<i64> = found.iter().filter_map(|(.., pressure)| *pressure).collect();
    let known = pressures.len() as i64;
    let millionths = (2 * pressures.iter().sum::<i64>() * 1_000_000 + known) / (2 * known);
    let mean = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
    let years: i64 = found.iter().filter_map(|(_, education, _)| *education).sum();
    assert_eq!(cells(&answer), [vec![found.len().to_string(), mean, years.to_string()]]);

    let check = missing(&four, &[ROWS], 0);
    assert_eq!(check["explanation"]["nodes"], json!(["civil", "health", "statistics"]));
    let (in_common, answer) = run_to_end(&four, &[ROWS], 2);
    let died: BTreeSet<i64> = rows("deaths.csv").iter().filter_map(|row| row["person_id"]).collect();
    let dead = found.iter().filter(|(person, ..)| died.contains(person));
    let cell = |value: Option<i64>| value.map_or_else(String::new, |number| number.to_string());
    let due: Vec<_> = dead.map(|(person, education, _)| vec![person.to_string(), cell(*education)]).collect();
    assert_eq!(cells(&answer), due);
    assert!(due.len() > 100);
    for (job, tier, nodes) in [(sums, "A", 2), (in_common, "D", 3)] {
        four.look("health/owner", &["query", "result", &job]).fault("HQ-7004");
        assert_eq!(four.job(ANALYST, &job).expect("known")["tier"], tier);
        evidence_holds(&four, &job, nodes);
    }
}

fn evidence_holds(four: &People, job: &str, nodes: usize) {
    let shown = until("the auditor's node sees all receipts", SOON, || {
        let shown = four.evidence(job)?;
        let receipts = items(&shown, "records").iter().filter(|r| r["kind"] == "receipt").count();
        (receipts == nodes).then_some(shown)
    });
    assert_eq!(shown["verdict"]["valid"], true, "{shown}");
    let kinds: Vec<_> = items(&shown, "records").iter().map(|r| text(r, "kind")).collect();
    let count = |kind: &str| kinds.iter().filter(|k| *k == kind).count();
    let counts = ["proposed", "approved", "started", "read", "transferred", "delivered", "receipt"].map(count);
    assert_eq!(counts, [1, nodes, 1, nodes, nodes, 1, nodes], "{kinds:?}");
}
