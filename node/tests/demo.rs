//! `heqi demo --once --json`, as the README tells it: its report, a second start, and PostgreSQL as a source.

use std::{path::Path, process::Command};

use serde_json::Value;

fn demo(dir: &Path, database_url: Option<&str>) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heqi"));
    command.args(["demo", "--once", "--json", "--dir"]).arg(dir).env_remove("DATABASE_URL");
    command.envs(database_url.map(|url| ("DATABASE_URL", url)));
    let told = command.output().expect("the demo runs");
    let (out, err) = (String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
    assert!(told.status.success(), "{out}\n{err}");
    serde_json::from_str(out.lines().last().unwrap_or_default()).expect("the last line is one JSON object")
}

fn events(report: &Value) -> Vec<&str> {
    let list = report["events"].as_array().map_or(&[][..], Vec::as_slice);
    list.iter().filter_map(|e| e["event"].as_str()).collect()
}

fn holds(report: &Value) {
    for check in ["result_matches_plaintext", "evidence_verified", "tampered_evidence_refused"] {
        assert_eq!(report[check], Value::Bool(true), "{check}: {report}");
    }
    // Incomes by marital status: groups of one to four people exist in the data.
    assert!(report["suppressed_groups"].as_u64().is_some_and(|n| n > 10), "{report}");
    assert!(report["joint_query_seconds"].as_f64().is_some_and(|s| s > 0.0), "{report}");
}

#[test]
fn the_story_holds_and_a_second_start_goes_on_from_the_old_state() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = folder.path().join("demo");
    let first = demo(&dir, None);
    holds(&first);
    assert!(events(&first).contains(&"registered") && events(&first).contains(&"refused"), "{first}");
    let second = demo(&dir, None);
    holds(&second);
    assert!(events(&second).contains(&"found-sources"), "{second}");
    assert_eq!(first["genesis"], second["genesis"]);
    assert!(second["blocks"].as_u64() > first["blocks"].as_u64(), "the chain goes on");
    assert_ne!(first["job"], second["job"]);
}

/// Needs a PostgreSQL, which `make test` starts.
#[test]
#[ignore = "needs HEQI_TEST_POSTGRES; `make test` sets it"]
fn the_third_source_may_be_a_table_in_postgresql() {
    let url = std::env::var("HEQI_TEST_POSTGRES").expect("HEQI_TEST_POSTGRES names a server");
    let folder = tempfile::tempdir().expect("a temporary folder");
    holds(&demo(&folder.path().join("demo"), Some(&url)));
}
