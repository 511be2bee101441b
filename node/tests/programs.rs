//! Users' own programs by the command line alone, as circuits and over vectors: checked, asked, read by the other owners' people,
//! received and proven.

mod support;

use std::fs;

use serde_json::{Value, json};
use support::{
    Consortium, PURPOSE, People, heqi, items, run,
    story::{ANALYST, SOON, cells, rows},
    text, until,
};

const SOURCE: &str = "// The pressure of one person against the years of schooling of the same, and the year of death.
struct Told { high: bool, mixed: u16 }

pub fn main(pressure: u16, education: u16, years: [u16; 2]) -> Told {
    let mut mixed = pressure ^ education;
    for year in years {
        mixed = mixed ^ year;
    }
    Told { high: pressure > (education * 20u16), mixed: mixed }
}
";

/// One person in all three files, as (number, pressure, education, year of death).
fn person() -> [i64; 4] {
    let (census, health) = (rows("census.csv"), rows("health.csv"));
    let of = |all: &[std::collections::BTreeMap<String, Option<i64>>], id: i64, column: &str| {
        all.iter().find(|row| row["person_id"] == Some(id)).and_then(|row| row[column])
    };
    let found = rows("deaths.csv").into_iter().find_map(|row| {
        let (id, year) = (row["person_id"]?, row["yrdth"]?);
        Some([id, of(&health, id, "sbp")?, of(&census, id, "education")?, year])
    });
    found.expect("somebody in all three files")
}

/// All sources, and all rules that the program needs but the one on the year of death.
fn register(four: &People) {
    four.add_source("health", "health", "health.csv", &["person_id=identity:4", "sbp=health:3"]);
    four.add_source("statistics", "census", "census.parquet", &["person_id=identity:4"]);
    four.add_source("civil", "deaths", "deaths.csv", &["person_id=identity:4"]);
    for (dataset, column) in [("health/health", "sbp"), ("statistics/census", "education")] {
        four.grant(dataset, column, "program", &["--approval", "auto"]);
        four.grant(dataset, "person_id", "after_compare", &[]);
    }
    four.grant("civil/deaths", "person_id", "after_compare", &["--approval", "auto"]);
}

/// The arguments of `heqi query` for the program.
fn query(file: &str, id: i64, command: &str) -> Vec<String> {
    let of = |column: &str, table: &str| format!("SELECT {column} FROM {table} WHERE person_id = {id}");
    let inputs = [
        format!("pressure={}", of("sbp", "health")),
        format!("education={}", of("education", "census")),
        format!("years=({}) ELSE 0", of("yrdth", "civil.deaths")),
    ];
    let mut arguments = ["query", command, "--purpose", PURPOSE, "--program", file].map(str::to_owned).to_vec();
    arguments.extend(inputs.into_iter().flat_map(|input| ["--input".to_owned(), input]));
    arguments
}

/// Check once so many grants are missing, as the analyst's node sees it.
fn missing(four: &People, arguments: &[String], count: usize) -> Value {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    until("the analyst's node sees the rules", SOON, || {
        let check = four.look(ANALYST, &arguments).good();
        (items(&check, "missing").len() == count && check["fault"].is_null()).then_some(check)
    })
}

#[test]
fn a_program_of_three_owners_is_checked_asked_approved_received_and_proven() {
    let mut four = Consortium::started();
    let [id, pressure, education, year] = person();
    let path = four.path("told.garble");
    fs::write(&path, SOURCE).expect("written");
    let file = path.to_str().expect("a path").to_owned();
    let told = run(heqi().args(["program", "check", &file, "--parties", "3"])).good();
    let names: Vec<_> = items(&told, "arguments").iter().map(|argument| text(argument, "ty")).collect();
    assert_eq!(
        (names, text(&told, "result")),
        (vec!["u16".into(), "u16".into(), "[u16; 2]".into()], "{high: bool, mixed: u16}".into())
    );
    fs::write(four.path("bad.garble"), "pub fn main(a: u8) -> u16 {\n    a\n}").expect("written");
    let bad = four.path("bad.garble");
    run(heqi().args(["program", "check", bad.to_str().expect("a path")])).fault("HQ-2001");

    register(&four);
    let check = missing(&four, &query(&file, id, "check"), 1);
    let fields = ["dataset", "column", "need", "party", "owner"].map(|name| text(&items(&check, "missing")[0], name));
    assert_eq!(fields, ["civil/deaths", "yrdth", "program", "statistics", "civil"]);
    four.grant("civil/deaths", "yrdth", "program", &[]);
    let check = missing(&four, &query(&file, id, "check"), 0);
    let plan = &check["explanation"];
    assert_eq!((&check["allowed"], &plan["tier"]), (&Value::Bool(true), &Value::from("D")), "{check}");
    assert_eq!(plan["program"]["size"], told["size"], "told before the run as the author was told");
    assert_eq!(plan["nodes"], json!(["civil", "health", "statistics"]));

    let submit = query(&file, id, "submit");
    let submit: Vec<&str> = submit.iter().map(String::as_str).collect();
    let job = text(&four.sign(ANALYST, &submit).good(), "job");
    // The analyst's own node approves by rule; of the others a person reads the program, though their rules say `auto`.
    let waiting = four.await_approvals(&job, 1);
    let by_rule = items(&waiting, "approvals").iter().find(|a| a["state"] == "approved").expect("one");
    assert_eq!((text(by_rule, "org"), &by_rule["by_rule"]), ("statistics".into(), &Value::Bool(true)));
    for owner in ["civil/owner", "health/owner"] {
        let seen = until("the owner's node sees the proposal", SOON, || four.job(owner, &job));
        assert!(text(&seen, "sql").contains("pressure ^ education"), "the owner reads the source: {seen}");
        four.sign(owner, &["approve", &job]).good();
    }
    four.await_status(&job, "done");
    let answer = four.look(ANALYST, &["query", "result", &job]).good();
    assert_eq!(answer["columns"], json!(["high", "mixed", "stopped"]));
    let mixed = pressure ^ education ^ year;
    assert_eq!(cells(&answer), [[(pressure > education * 20).to_string(), mixed.to_string(), String::new()]]);
    four.look("health/owner", &["query", "result", &job]).fault("HQ-7004");
    let faster = in_tier_a(&four, [id, pressure, education]);
    let correlations = over_vectors(&four);
    let mut jobs = vec![(faster, "A", 2), (job, "D", 3)];
    jobs.extend(correlations.into_iter().zip(&TIERS).map(|(job, tier)| (job, tier.word, tier.nodes.len())));
    for (job, tier, parties) in &jobs {
        evidence_holds(&four, job, tier, *parties);
    }
    let genesis = four.genesis.clone();
    four.kill_all();
    for (job, ..) in &jobs {
        let bundle = four.path(job);
        let file = bundle.to_str().expect("a path");
        assert_eq!(run(heqi().args(["evidence", "verify", file, "--genesis", &genesis])).good()["valid"], true);
    }
}

/// Two owners' program in the weaker, faster tier, asked for by name: told before, read by a person of each, run, received by one.
fn in_tier_a(four: &People, [id, pressure, education]: [i64; 3]) -> String {
    let path = four.path("faster.garble");
    fs::write(&path, "pub fn main(pressure: u16, education: u16) -> u16 { pressure ^ (education * 256u16) }")
        .expect("written");
    let file = path.to_str().expect("a path").to_owned();
    let asked = |command: &str, tier: Option<&str>| {
        let mut arguments = query(&file, id, command);
        // The year of death, the third argument, is not one of this program.
        arguments.truncate(arguments.len() - 2);
        arguments.extend(tier.into_iter().flat_map(|tier| ["--tier".to_owned(), tier.to_owned()]));
        arguments
    };
    let checked = missing(four, &asked("check", None), 0)["explanation"].clone();
    let trusting = missing(four, &asked("check", Some("a")), 0)["explanation"].clone();
    assert_eq!((&checked["tier"], &trusting["tier"]), (&json!("C"), &json!("A")));
    let bytes = |plan: &Value| plan["program"]["size"]["bytes"].as_u64().expect("a size");
    assert!(bytes(&trusting) * 2 < bytes(&checked), "{} {}", checked["program"], trusting["program"]);
    let words = ["en", "zh"].map(|language| text(&trusting["tier_words"], language));
    assert!(words[0].contains("If health deviates, nobody notices") && words[1].contains("A 级"), "{words:?}");
    let other = asked("check", Some("d"));
    let other = four.look(ANALYST, &other.iter().map(String::as_str).collect::<Vec<_>>()).good();
    assert!(text(&other["fault"], "detail").contains("runs in tier C"), "{other}");

    let submit = asked("submit", Some("a"));
    let submit: Vec<&str> = submit.iter().map(String::as_str).collect();
    let job = text(&four.sign(ANALYST, &submit).good(), "job");
    for owner in ["statistics/owner", "health/owner"] {
        until("the owner's node sees the proposal", SOON, || four.job(owner, &job));
        four.sign(owner, &["approve", &job]).good();
    }
    four.await_status(&job, "done");
    assert_eq!(four.job(ANALYST, &job).expect("known")["tier"], "A");
    let answer = four.look(ANALYST, &["query", "result", &job]).good();
    assert_eq!(cells(&answer), [[(pressure ^ (education * 256)).to_string(), String::new()]]);
    four.look("health/owner", &["query", "result", &job]).fault("HQ-7004");
    job
}

const CORRELATION: &str = "scale 12;
input census[33, 2]; input health[33, 2];
x = column(sort(census), 2); y = column(sort(health), 2);
dx = x - mean(x); dy = y - mean(y);
together = number(column(sort(census), 1) == column(sort(health), 1));
return dot(dx, dy) / max(sqrt(dot(dx, dx)) * sqrt(dot(dy, dy)), 1), mean(y), smallest(together);
";
/// The first numbers that are left out.
const BOUND: i64 = 1000;
/// What stands for a pressure that was not measured.
const USUAL: i64 = 128;

/// A tier of a program over vectors: how it is asked for, what its explanation says in both languages, and who computes and decides.
struct InTier {
    word: &'static str,
    asked: &'static [&'static str],
    told: [&'static str; 2],
    nodes: &'static [&'static str],
    /// Organisations whose nodes approve by themselves.
    by_rule: usize,
    people: &'static [&'static str],
}

const TIERS: [InTier; 3] = [
    InTier {
        word: "B",
        asked: &[],
        told: ["follow the protocol", "按协议执行"],
        nodes: &["civil", "health", "statistics"],
        by_rule: 2,
        people: &["health/owner"],
    },
    InTier {
        word: "B+",
        asked: &["--tier", "b+"],
        told: ["one may deviate from the protocol in any way", "偏离协议"],
        nodes: &["civil", "health", "statistics"],
        by_rule: 2,
        people: &["health/owner"],
    },
    InTier {
        word: "A",
        asked: &["--tier", "a", "--nodes", "health,statistics"],
        told: ["One that deviates is not noticed", "不会被发现"],
        nodes: &["health", "statistics"],
        by_rule: 0,
        people: &["statistics/owner", "health/owner"],
    },
];

/// Two owners' program over vectors in each of its tiers: what lacks a range or a grant is told, then it runs; the jobs' numbers.
fn over_vectors(four: &People) -> [String; 3] {
    let path = four.path("together.vectors");
    fs::write(&path, CORRELATION).expect("written");
    let file = path.to_str().expect("a path").to_owned();
    // An author alone has no owner's ranges.
    run(heqi().args(["program", "check", &file, "--tier", "b+"])).fault("HQ-2002");
    let of = |column: &str, table: &str| format!("SELECT person_id, {column} FROM {table} WHERE person_id < {BOUND}");
    let inputs = [
        format!("census=({}) ELSE 0", of("education", "census")),
        format!("health=({}) ELSE {USUAL}", of("sbp", "health")),
    ];
    let asked = |command: &str, more: &[&str]| {
        let mut arguments = ["query", command, "--purpose", PURPOSE, "--program", &file].map(str::to_owned).to_vec();
        arguments.extend(inputs.iter().flat_map(|input| ["--input".to_owned(), input.clone()]));
        arguments.extend(more.iter().map(|more| (*more).to_owned()));
        arguments
    };
    // Of each data set the persons' numbers go in too, and two nodes hold shares; between two nodes, one.
    missing(four, &asked("check", &[]), 6);
    missing(four, &asked("check", TIERS[2].asked), 4);
    for dataset in ["health/health", "statistics/census"] {
        four.grant(dataset, "person_id", "program", &["--holders", "civil,health,statistics"]);
    }
    // Two nodes alone compute only where the weaker tier is asked for.
    let unasked = asked("check", &["--nodes", "health,statistics"]);
    let unasked = four.look(ANALYST, &unasked.iter().map(String::as_str).collect::<Vec<_>>()).good();
    assert!(text(&unasked["fault"], "detail").contains("ask for A"), "{unasked}");
    TIERS.each_ref().map(|tier| {
        let check = missing(four, &asked("check", tier.asked), 0);
        correlated(four, tier, &check, &asked("submit", tier.asked))
    })
}

/// The program in a tier, from what Check says of it to its answer; the job's number.
fn correlated(four: &People, tier: &InTier, check: &Value, submit: &[String]) -> String {
    let plan = &check["explanation"];
    assert_eq!((&check["allowed"], &plan["tier"]), (&Value::Bool(true), &json!(tier.word)), "{check}");
    assert_eq!(plan["nodes"], json!(tier.nodes));
    for (language, told) in ["en", "zh"].into_iter().zip(tier.told) {
        assert!(text(&plan["tier_words"], language).contains(told), "{}", plan["tier_words"]);
    }
    assert_eq!(plan["program"]["arguments"], json!(["census: number[33, 2]", "health: number[33, 2]"]));
    let ranges: Vec<_> = items(&plan["program"], "ranges").iter().filter_map(Value::as_str).collect();
    assert!(ranges.len() == 5 && ranges[0] == "census: 0..32767, 0..7", "{ranges:?}");
    assert!(plan["program"]["products"].as_u64().is_some_and(|products| products >= 3 * 33), "{plan}");

    let submit: Vec<&str> = submit.iter().map(String::as_str).collect();
    let job = text(&four.sign(ANALYST, &submit).good(), "job");
    four.await_approvals(&job, tier.by_rule);
    for person in tier.people {
        let seen = until("the owner's node sees the proposal", SOON, || four.job(person, &job));
        assert!(text(&seen, "sql").contains("sqrt(dot(dy, dy))"), "the owner reads the source: {seen}");
        four.sign(person, &["approve", &job]).good();
    }
    assert_eq!(four.await_status(&job, "done")["tier"], tier.word);
    let answer = four.look(ANALYST, &["query", "result", &job]).good();
    assert_eq!(answer["columns"], json!(["value1", "value2", "value3"]));
    let cells = cells(&answer);
    let found: Vec<f64> = cells[0].iter().map(|cell| cell.parse().expect("a number")).collect();
    let (r, mean) = plain_correlation();
    assert!(cells.len() == 1 && r < -0.1 && (found[0] - r).abs() < 0.005, "{}: {found:?} {r}", tier.word);
    assert!((found[1] - mean).abs() < 0.01 && (found[2] - 1.0).abs() < 0.001, "{}: {found:?} {mean}", tier.word);
    four.look("health/owner", &["query", "result", &job]).fault("HQ-7004");
    job
}

/// Of the same people, from the files: the correlation of education with pressure, and the mean pressure.
fn plain_correlation() -> (f64, f64) {
    let of = |file: &str, column: &str, usual: i64| {
        let mut found: Vec<(i64, f64)> = rows(file)
            .iter()
            .filter_map(|row| Some((row["person_id"]?, row[column].unwrap_or(usual) as f64)))
            .filter(|(id, _)| *id < BOUND)
            .collect();
        found.sort_by_key(|(id, _)| *id);
        found.into_iter().map(|(_, value)| value).collect::<Vec<_>>()
    };
    let (x, y) = (of("census.csv", "education", 0), of("health.csv", "sbp", USUAL));
    assert_eq!((x.len(), y.len()), (33, 33), "as the program declares");
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let moment = |a: &[f64], b: &[f64]| -> f64 {
        let (mean_a, mean_b) = (mean(a), mean(b));
        a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum()
    };
    (moment(&x, &y) / (moment(&x, &x) * moment(&y, &y)).sqrt(), mean(&y))
}

/// The auditor sees the job's tier and what its parties wrote; the bundle is left under the job's name.
fn evidence_holds(four: &People, job: &str, tier: &str, parties: usize) {
    let shown = until("the auditor's node sees all receipts", SOON, || {
        let shown = four.evidence(job)?;
        let receipts = items(&shown, "records").iter().filter(|r| r["kind"] == "receipt").count();
        (receipts == parties).then_some(shown)
    });
    assert_eq!(shown["verdict"]["valid"], true, "{shown}");
    let proposed = items(&shown, "records").iter().find(|r| r["kind"] == "proposed").expect("one");
    assert!(text(proposed, "text_en").ends_with(&format!("tier {tier}")), "{proposed}");
    let bundle = four.path(job);
    let file = bundle.to_str().expect("a path").to_owned();
    four.look("audit/auditor", &["evidence", "export", job, "--out", &file]).good();
}
