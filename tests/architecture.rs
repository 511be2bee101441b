//! Holds ARCHITECTURE.md and the code to each other. `UPDATE=1` rewrites what is generated in the document.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::Path,
    process::Command,
};

use heqi_tests::tree::{
    backticked, between, first_sentence, functions, has_word, is_test_file, program_lines, root, rust_files, text,
};
use serde_json::Value;

const DOCUMENT: &str = "ARCHITECTURE.md";
const END: &str = "<!-- end -->";
/// Longest source file, in lines.
const MAX_LINES: usize = 400;
/// Folders at the top that hold what the document may name by path.
const HOUSE: [&str; 12] = [
    "base/",
    "mpc/",
    "ledger/",
    "connectors/",
    "notary/",
    "portal/",
    "node/",
    "tests/",
    "benches/",
    "docs/",
    "data/",
    "scripts/",
];
const EXTENSIONS: [&str; 9] = [".rs", ".md", ".toml", ".txt", ".sh", ".png", ".csv", ".proto", ".tsx"];

/// A package of the workspace.
struct Crate {
    folder: String,
    sentence: String,
    /// Packages of the workspace it is built from, without those that only its tests or its build script use.
    needs: BTreeSet<String>,
}

fn crates() -> BTreeMap<String, Crate> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--no-deps", "--format-version", "1", "--offline"]).current_dir(root());
    let out = cargo.output().expect("cargo runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let all: Value = serde_json::from_slice(&out.stdout).expect("cargo prints JSON");
    let packages = all["packages"].as_array().expect("packages");
    packages.iter().map(|package| (word(package, "name"), read_crate(package))).collect()
}

fn word(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}

fn read_crate(package: &Value) -> Crate {
    let inside = |path: &str| {
        let path = Path::new(path).strip_prefix(root()).expect("inside the tree");
        path.to_string_lossy().into_owned()
    };
    let list = |field: &str| package[field].as_array().cloned().unwrap_or_default();
    let manifest = inside(&word(package, "manifest_path"));
    let folder = manifest.trim_end_matches("Cargo.toml").trim_end_matches('/').to_owned();
    let kind = |target: &Value| target["kind"][0].as_str().unwrap_or_default().to_owned();
    let targets = list("targets");
    let main = targets.iter().find(|t| ["lib", "bin"].contains(&kind(t).as_str())).expect("a lib or a bin");
    let source = text(&inside(&word(main, "src_path")));
    let sentence = first_sentence(&source).unwrap_or_default().to_owned();
    let of_us = |d: &&Value| d["path"].is_string() && d["kind"].is_null();
    let needs = list("dependencies").iter().filter(of_us).map(|d| word(d, "name")).collect();
    Crate { folder, sentence, needs }
}

fn dependency_block(crates: &BTreeMap<String, Crate>) -> String {
    let width = crates.keys().map(String::len).max().unwrap_or(0);
    let mut out = String::from("\n```text\n");
    for (name, Crate { needs, .. }) in crates {
        let needs: Vec<&str> = needs.iter().map(String::as_str).collect();
        let line = format!("{name:width$} → {}", if needs.is_empty() { "-".into() } else { needs.join(" ") });
        out += &format!("{line}\n");
    }
    out + "```\n"
}

fn crate_block(crates: &BTreeMap<String, Crate>) -> String {
    let mut out = String::from("\n| Crate | Folder | Its job |\n|---|---|---|\n");
    for (name, Crate { folder, sentence, .. }) in crates {
        out += &format!("| `{name}` | `{folder}` | {} |\n", sentence.replace('|', "\\|"));
    }
    out
}

#[test]
fn the_generated_blocks_are_what_cargo_and_the_crates_say() {
    let crates = crates();
    let mut document = text(DOCUMENT);
    let blocks = [("dependencies", dependency_block(&crates)), ("crates", crate_block(&crates))];
    let mut stale = Vec::new();
    for (name, wanted) in blocks {
        let mark = format!("<!-- generated: {name} -->");
        let found = between(&document, &mark, END).unwrap_or_else(|| panic!("{DOCUMENT} has no block '{name}'"));
        if found != wanted {
            document = document.replacen(&format!("{mark}{found}{END}"), &format!("{mark}{wanted}{END}"), 1);
            stale.push(name);
        }
    }
    if env::var_os("UPDATE").is_some() && !stale.is_empty() {
        fs::write(root().join(DOCUMENT), document).expect("the document is written");
    } else {
        assert!(
            stale.is_empty(),
            "{stale:?} of {DOCUMENT} differ from the code: run `UPDATE=1 cargo test --workspace`"
        );
    }
    for (name, Crate { sentence, .. }) in &crates {
        assert!(sentence.len() > 20 && sentence.ends_with('.'), "{name}: its first `//!` line is no sentence");
    }
}

#[test]
fn nothing_depends_on_the_tests_and_families_keep_apart() {
    let crates = crates();
    let family = |name: &str| name.split('-').next().unwrap_or_default().to_owned();
    for (name, Crate { needs, .. }) in &crates {
        assert!(!needs.contains("heqi-tests") && !needs.contains("heqi"), "{name} depends on the top");
        // Engines know no terms, terms know no engines; the ledger knows neither; nobody below the node meets the portal.
        let forbidden: &[&str] = match family(name).as_str() {
            "base" => &["mpc", "ledger", "connectors", "notary", "portal", "planner", "runner"],
            "mpc" => &["ledger", "connectors", "notary", "portal", "planner", "runner"],
            "ledger" => &["mpc", "connectors", "notary", "portal", "planner", "runner"],
            "connectors" => &["mpc", "ledger", "portal", "planner", "runner"],
            "notary" => &["mpc", "connectors", "portal", "planner", "runner"],
            "planner" | "portal" => &["mpc", "ledger", "connectors", "runner"],
            "runner" => &["ledger", "portal"],
            _ => &[],
        };
        // A user's program is compiled or checked, and sized, where it is planned: that sends no message.
        let sizing = ["mpc-authgarble", "mpc-garble", "mpc-program", "mpc-vector"];
        let allowed = |need: &str| name == "planner" && sizing.contains(&need);
        let wrong: Vec<_> =
            needs.iter().filter(|need| forbidden.contains(&family(need).as_str()) && !allowed(need)).collect();
        assert!(wrong.is_empty(), "{name} depends on {wrong:?}");
    }
    let policy = &crates["notary-policy"].needs;
    assert!(!policy.contains("planner"), "policy derives what leaks with code of its own");
}

#[test]
fn every_path_and_name_in_the_document_exists() {
    let document = text(DOCUMENT);
    let mut code: String = rust_files().into_iter().map(|(_, source)| source).collect();
    for (name, Crate { folder, .. }) in crates() {
        code += &format!("{name}\n{}", text(&format!("{folder}/Cargo.toml")));
    }
    code += &(text("Cargo.toml") + &text("Makefile"));
    let mut lost = Vec::new();
    for item in backticked(&document) {
        let plain = item.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
        let path = plain && (HOUSE.iter().any(|h| item.starts_with(h)) || EXTENSIONS.iter().any(|e| item.ends_with(e)));
        let name = item.trim_end_matches("()");
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_:-".contains(c));
        if path && !root().join(item).exists() {
            lost.push(item.to_owned());
        } else if !path && is_name {
            lost.extend(name.split("::").filter(|part| !has_word(&code, part)).map(ToOwned::to_owned));
        }
    }
    assert!(lost.is_empty(), "{DOCUMENT} names what is not there: {lost:?}");
}

#[test]
fn links_of_the_documents_lead_to_files() {
    for document in ["README.md", "README.zh-CN.md", "CONTRIBUTING.md", "SECURITY.md", DOCUMENT] {
        let source = text(document);
        for target in source.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            let away = target.contains("://") || file.is_empty();
            assert!(away || root().join(file).exists(), "{document} links to {file}, which is not there");
        }
    }
}

#[test]
fn every_invariant_names_a_test() {
    let document = text(DOCUMENT);
    let section = between(&document, "## Invariants", "\n## ").expect("a section on invariants");
    let files = rust_files();
    let names: BTreeSet<&str> = functions(&files).into_iter().collect();
    let rows: Vec<&str> = section.lines().filter(|l| l.starts_with("| ") && l.contains('`')).collect();
    assert!(rows.len() >= 8, "the table of invariants is gone");
    for row in rows {
        let held = row.trim_end_matches(" |").rsplit(" | ").next().unwrap_or_default();
        for test in held.split(", ") {
            let test = test.trim_matches('`');
            // A type that holds an invariant by itself is shown by a test that must not compile, in that file.
            let compile_fail = test.ends_with(".rs") && text(test).contains("compile_fail");
            assert!(compile_fail || names.contains(test), "no test `{test}` for: {row}");
        }
    }
}

#[test]
fn sockets_clocks_entropy_and_files_appear_only_where_allowed() {
    let document = text(DOCUMENT);
    let block = between(&document, "<!-- absences -->", END).expect("the block of absences");
    let files = rust_files();
    let lines: Vec<&str> = block.lines().filter(|l| !l.is_empty() && !l.starts_with("```")).collect();
    assert!(lines.len() >= 10, "the block of absences is gone");
    let mut wrong = Vec::new();
    for line in lines {
        let (words, places, only) = match line.split_once(" only in ") {
            Some((words, places)) => (words, places, true),
            None => line.split_once(" never in ").map(|(w, p)| (w, p, false)).expect("'only in' or 'never in'"),
        };
        let places: Vec<&str> = places.split_whitespace().collect();
        places.iter().filter(|p| **p != "-").for_each(|p| assert!(root().join(p).exists(), "no {p}"));
        for (path, source) in files.iter().filter(|(path, _)| !is_test_file(path)) {
            let inside = places.iter().any(|p| path == p || path.starts_with(&format!("{p}/")));
            if inside != only {
                let hits = program_lines(source).filter(|(_, l)| words.split_whitespace().any(|w| has_word(l, w)));
                wrong.extend(hits.map(|(at, l)| format!("{path}:{at}: {}", l.trim())));
            }
        }
    }
    assert!(wrong.is_empty(), "not allowed here, see the block of absences in {DOCUMENT}:\n{}", wrong.join("\n"));
}

/// The only files that may say `unsafe`, each use with its reason: they call the processor's vector instructions.
const UNSAFE: [&str; 11] = [
    "base/vector/src/sm3/avx2.rs",
    "base/vector/src/sm3/avx512.rs",
    "base/vector/src/wide.rs",
    "base/vector/src/words/avx512.rs",
    "mpc/block/src/x86/aes.rs",
    "mpc/block/src/x86/clmul.rs",
    "mpc/block/src/x86/convolve.rs",
    "mpc/block/src/x86/transpose.rs",
    "mpc/block/src/x86/vaes.rs",
    "mpc/block/src/x86/wide.rs",
    "mpc/block/src/x86/xor.rs",
];

#[test]
fn no_unsafe_and_nothing_unfinished() {
    assert!(text("Cargo.toml").contains("unsafe_code = \"forbid\""), "the workspace no longer forbids unsafe code");
    for (name, Crate { folder, .. }) in crates() {
        let manifest = text(&format!("{folder}/Cargo.toml"));
        let own = "[lints.rust]\nunsafe_code = \"deny\"\nmissing_docs = \"warn\"\n";
        let lints =
            if UNSAFE.iter().any(|path| path.starts_with(&*folder)) { own } else { "[lints]\nworkspace = true" };
        assert!(manifest.contains(lints), "{name} does not take the workspace's lints");
    }
    let unsafe_words: Vec<String> =
        ["{", "fn", "impl", "trait", "extern"].map(|next| format!("{} {next}", "unsafe")).into();
    let unfinished = [concat!("to", "do!("), concat!("unimplement", "ed!("), concat!("TO", "DO"), concat!("FIX", "ME")];
    for (path, source) in rust_files() {
        for (at, line) in source.lines().enumerate() {
            let code = !line.trim_start().starts_with("//");
            let allowed = !code || UNSAFE.contains(&path.as_str());
            assert!(allowed || !unsafe_words.iter().any(|w| has_word(line, w)), "{path}:{}: {line}", at + 1);
            assert!(!unfinished.iter().any(|w| has_word(line, w)), "{path}:{}: {line}", at + 1);
        }
    }
}

#[test]
fn every_file_opens_with_its_job_and_is_short() {
    for (path, source) in rust_files() {
        let job = first_sentence(&source).unwrap_or_default();
        assert!(job.len() > 10, "{path} does not open with a `//!` sentence that says its job");
        let lines = source.lines().count();
        assert!(lines <= MAX_LINES, "{path} has {lines} lines, {MAX_LINES} at most");
    }
}
