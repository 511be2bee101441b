//! Rows of two owners by the command line alone, at four real nodes of which two take part.

mod support;

use std::{collections::BTreeMap, fs};

use serde_json::{Value, json};
use support::{
    Consortium, PURPOSE, People, heqi, items, run,
    story::{ANALYST, AUDITOR, SOON, cells, rows},
    text, until,
};

const ROWS: &str = "SELECT c.person_id, c.education, h.sbp FROM census c \
     JOIN health h ON h.person_id = c.person_id WHERE h.age >= 40 ORDER BY c.person_id";

/// Both sources, and all rules that the query needs but the one on blood pressure.
fn register(four: &People) {
    four.add_source("health", "health", "health.csv", &["person_id=identity:4", "sbp=health:3"]);
    four.add_source("statistics", "census", "census.parquet", &["person_id=identity:4"]);
    four.grant("health/health", "person_id", "after_join", &["--approval", "person"]);
    four.grant("health/health", "age", "after_compare", &[]);
    four.grant("statistics/census", "person_id", "after_join", &["--approval", "auto"]);
    four.grant("statistics/census", "education", "join_payload", &[]);
    let to_health = ["grant", "statistics/census", "person_id", "--to", "health", "--use", "encrypted_only"];
    four.sign("statistics/owner", &[&to_health[..], &["--purpose", PURPOSE]].concat()).good();
}

/// Check once so many grants are missing, as the analyst's node sees it.
fn missing(four: &People, count: usize) -> Value {
    until("the analyst's node sees the rules", SOON, || {
        let check = four.look(ANALYST, &["query", "check", ROWS]).good();
        (items(&check, "missing").len() == count && check["fault"].is_null()).then_some(check)
    })
}

/// What loops over the two files give.
fn plain() -> Vec<Vec<String>> {
    let cell = |value: Option<i64>| value.map_or_else(String::new, |number| number.to_string());
    let key = |row: &BTreeMap<String, Option<i64>>| row["person_id"].expect("a key");
    let health: BTreeMap<_, _> = rows("health.csv").into_iter().map(|row| (key(&row), row)).collect();
    let mut people = rows("census.csv");
    people.sort_by_key(key);
    let old = people.iter().filter_map(|person| {
        let examined = health.get(&key(person)).filter(|row| row["age"].is_some_and(|age| age >= 40))?;
        Some([person["person_id"], person["education"], examined["sbp"]].map(cell).to_vec())
    });
    old.collect()
}

#[test]
fn rows_of_two_owners_are_asked_approved_received_and_proven() {
    let mut four = Consortium::started();
    register(&four);
    let check = missing(&four, 1);
    let twice = "SELECT c.education, h.sbp FROM census c JOIN health h ON h.person_id = c.person_id \
                 JOIN census d ON d.person_id = c.person_id";
    let refused = four.look(ANALYST, &["query", "check", twice]).good();
    assert!(refused["allowed"] == false && text(&refused["fault"], "detail").contains("once"), "{refused}");
    let fields = ["dataset", "column", "need", "party", "owner"].map(|name| text(&items(&check, "missing")[0], name));
    assert_eq!(fields, ["health/health", "sbp", "join_payload", "statistics", "health"]);
    four.grant("health/health", "sbp", "join_payload", &[]);
    let check = missing(&four, 0);
    let plan = &check["explanation"];
    assert_eq!((&check["allowed"], &plan["tier"]), (&Value::Bool(true), &Value::from("C")), "{check}");
    assert_eq!((&plan["nodes"], &plan["pairs"]), (&json!(["health", "statistics"]), &json!([])));
    let job = text(&four.sign(ANALYST, &["query", "submit", ROWS]).good(), "job");
    four.await_approvals(&job, 1);
    four.approve(&job);
    four.await_status(&job, "done");
    let answer = four.look(ANALYST, &["query", "result", &job]).good();
    assert_eq!(answer["columns"], json!(["person_id", "education", "sbp"]));
    assert_eq!(cells(&answer), plain());
    // Neither the other owner nor a third has the rows; a third does not know the question either.
    four.look("health/owner", &["query", "result", &job]).fault("HQ-7004");
    let seen = until("the third node sees the end", SOON, || four.job("civil/owner", &job));
    assert!(seen["sql"].is_null() && seen["explanation"].is_null(), "{seen}");
    in_buckets_with_little_traffic(&four);
    asked_twice_against_one_table(&four);
    evidence_of_two_nodes_holds(&mut four, &job);
}

/// The same rows by keys that lie in the nodes' folders meanwhile, of which nothing is left.
fn in_buckets_with_little_traffic(four: &People) {
    let hinted = ROWS.replacen("SELECT", "SELECT /*+ BUCKETS(1024), LOW_TRAFFIC */", 1);
    let check = four.look(ANALYST, &["query", "check", &hinted]).good();
    let protocol = text(&check["explanation"]["protocol"], "en");
    assert!(protocol.contains("spares bytes") && protocol.contains("in 2 buckets of about 1024 keys"), "{protocol}");
    let job = text(&four.sign(ANALYST, &["query", "submit", &hinted]).good(), "job");
    four.await_approvals(&job, 1);
    four.approve(&job);
    four.await_status(&job, "done");
    assert_eq!(cells(&four.look(ANALYST, &["query", "result", &job]).good()), plain());
    for org in ["health", "statistics"] {
        let left = fs::read_dir(four.dir(org).join("data/scratch")).expect("the folder was used");
        assert_eq!(left.count(), 0, "{org}");
    }
}

/// Two jobs with published keys: each approved, read and answered by itself, and one table at either node.
fn asked_twice_against_one_table(four: &People) {
    let check = four.look(ANALYST, &["query", "check", ROWS, "--against-published"]).good();
    let protocol = text(&check["explanation"]["protocol"], "en");
    assert!(check["allowed"] == true && protocol.contains("RFC 9497"), "{check}");
    let mut tables = Vec::new();
    for _ in 0..2 {
        let job = text(&four.sign(ANALYST, &["query", "submit", ROWS, "--against-published"]).good(), "job");
        four.await_approvals(&job, 1);
        four.approve(&job);
        four.await_status(&job, "done");
        let answer = four.look(ANALYST, &["query", "result", &job]).good();
        assert_eq!(cells(&answer), plain());
        let kept = |org: &str| -> Vec<_> {
            let files = fs::read_dir(four.dir(org).join("data/tables")).expect("a folder");
            files.map(|file| file.expect("a file").file_name()).collect()
        };
        let (made, fetched) = (kept("health"), kept("statistics"));
        assert!(made.len() == 1 && made == fetched, "{made:?} {fetched:?}");
        tables.push(made);
    }
    assert_eq!(tables[0], tables[1]);
}

fn evidence_of_two_nodes_holds(four: &mut Consortium, job: &str) {
    let shown = until("the auditor's node sees both receipts", SOON, || {
        let shown = four.evidence(job)?;
        let receipts = items(&shown, "records").iter().filter(|r| r["kind"] == "receipt").count();
        (receipts == 2).then_some(shown)
    });
    assert_eq!(shown["verdict"]["valid"], true, "{shown}");
    let kinds: Vec<_> = items(&shown, "records").iter().map(|r| text(r, "kind")).collect();
    let count = |kind: &str| kinds.iter().filter(|k| *k == kind).count();
    let counts = ["proposed", "approved", "started", "read", "transferred", "delivered", "receipt"].map(count);
    assert_eq!(counts, [1, 2, 1, 2, 2, 1, 2], "{kinds:?}");
    let bundle = four.path("rows.evidence");
    let file = bundle.to_str().expect("a path").to_owned();
    four.look(AUDITOR, &["evidence", "export", job, "--out", &file]).good();
    let genesis = four.genesis.clone();
    four.kill_all();
    let verify = || run(heqi().args(["evidence", "verify", &file, "--genesis", &genesis]));
    assert_eq!(verify().good()["valid"], true);
    let mut changed = fs::read(&bundle).expect("the bundle");
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    fs::write(&bundle, changed).expect("written");
    verify().fault("HQ-6001");
}
