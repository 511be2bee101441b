//! Holds docs/conformance.md to the tree: every row once, every path and every test it names exists.

use std::collections::{BTreeMap, BTreeSet};

use heqi_tests::tree::{functions, root, rust_files, text};

const DOCUMENT: &str = "docs/conformance.md";

/// The rows of the requirements, ranges and lists written out.
const EXPECTED: &[(&str, u32, u32)] = &[
    ("5.1.1", 0, 0),
    ("5.1.2-", 1, 1),
    ("2", 0, 0),
    ("5.1.2-", 3, 5),
    ("5.", 2, 6),
    ("6.", 1, 2),
    ("7.1", 0, 0),
    ("7.2-", 1, 9),
    ("7.3-", 1, 4),
    ("7.4-", 1, 7),
    ("7.", 5, 11),
    ("8.1.", 1, 4),
    ("8.2", 0, 0),
    ("8.3.", 1, 4),
    ("8.4.", 1, 2),
    ("8.5.", 1, 4),
    ("8.6.", 1, 3),
    ("9.", 1, 3),
    ("9.4.", 1, 4),
    ("9.5", 0, 0),
    ("X", 1, 12),
    ("Y", 1, 8),
];

/// One line of the table.
struct Row {
    id: String,
    state: String,
    places: Vec<String>,
    tests: Vec<String>,
}

fn expected() -> BTreeSet<String> {
    let ids = |(head, from, to): &(&str, u32, u32)| -> Vec<String> {
        if *to == 0 { vec![(*head).to_owned()] } else { (*from..=*to).map(|n| format!("{head}{n}")).collect() }
    };
    EXPECTED.iter().flat_map(ids).collect()
}

fn list(cell: &str) -> Vec<String> {
    let items = cell.split(',').map(|item| item.trim().trim_matches('`').to_owned());
    items.filter(|item| !item.is_empty() && item != "-").collect()
}

fn rows() -> Vec<Row> {
    let document = text(DOCUMENT);
    let lines = document.lines().filter(|l| l.starts_with("| ") && !l.starts_with("| ID "));
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [id, state, places, tests] = cells[..] else { panic!("not four columns: {line}") };
        Row { id: id.into(), state: state.into(), places: list(places), tests: list(tests) }
    };
    lines.map(row).collect()
}

#[test]
fn every_requirement_has_one_row_with_a_state() {
    let rows = rows();
    let ids: BTreeSet<String> = rows.iter().map(|row| row.id.clone()).collect();
    assert_eq!(ids.len(), rows.len(), "a row is there twice");
    let expected = expected();
    let missing: Vec<_> = expected.difference(&ids).collect();
    let unknown: Vec<_> = ids.difference(&expected).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "missing: {missing:?}; unknown: {unknown:?}");
    for Row { id, state, .. } in &rows {
        assert!(["none", "partial", "done"].contains(&state.as_str()), "{id} has the state '{state}'");
    }
}

#[test]
fn paths_and_tests_of_rows_exist() {
    let files = rust_files();
    let names: BTreeSet<&str> = functions(&files).into_iter().collect();
    for Row { id, state, places, tests } in rows() {
        if state == "none" {
            assert!(places.is_empty() && tests.is_empty(), "{id} is 'none' and names a place or a test");
            continue;
        }
        assert!(!places.is_empty() && !tests.is_empty(), "{id} is '{state}' without a place or a test");
        for place in places {
            assert!(root().join(&place).exists(), "{id}: there is no {place}");
        }
        for test in tests {
            let bench = root().join("benches").join(format!("{test}.rs")).exists();
            assert!(bench || names.contains(test.as_str()), "{id}: there is no test or benchmark {test}");
        }
    }
}

#[test]
fn every_partial_row_says_what_is_missing() {
    let document = text(DOCUMENT);
    let said = document.lines().filter_map(|line| line.strip_prefix("- ")?.split_once(": "));
    let said: BTreeMap<&str, &str> = said.collect();
    for Row { id, state, .. } in rows() {
        let told = said.get(id.as_str()).is_some_and(|why| why.len() > 15);
        assert_eq!(
            told,
            state == "partial",
            "{id} is '{state}': only a partial row says what is missing, and each does"
        );
    }
}
