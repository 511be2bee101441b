//! A whole node's folder of every release: a copy of it starts with this version, and what was kept in it is read.
//!
//! A folder lies at `tests/golden-nodes/<version>`: `node`, as one of four validators left it when it was ended; the key file
//! of its analyst; the evidence of a job; and what they hold. Once its version is released it never changes: it stands for
//! the disks of everybody who runs that version. `heqi init` and `heqi node` make it, but its certificates last for a hundred
//! years, so that it opens as long as the tree lives, and its source lies at a place of no machine. It is made by
//! `HEQI_GOLDEN=1 cargo test -p heqi --test golden make_the_golden_folder_of_a_node`.

mod support;

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use base_gm::{
    cert::{self, Certificate, Subject},
    keyfile,
};
use base_secret::Password;
use serde_json::{Value, json};
use support::{
    Consortium, Node, PASSWORD, PEOPLE_PASSWORD, People, heqi, items, ports, run,
    story::{ANALYST, SOON, cells, data, plain_answer},
    text, until,
};

/// The version in work, or the one released last.
const VERSION: &str = env!("CARGO_PKG_VERSION");
const COMMAND: &str = "HEQI_GOLDEN=1 cargo test -p heqi --test golden make_the_golden_folder_of_a_node";
/// Whose node it is: it computes, owns a source and received an answer.
const ORG: &str = "statistics";
/// In a version's folder: the node's own, the people's keys, a job's evidence, and what they hold.
const NODE: &str = "node";
const PEOPLE: &str = "people";
const EVIDENCE: &str = "job.evidence";
const EXPECTED: &str = "expected.json";
/// Where the source is said to be.
const ELSEWHERE: &str = "/data/census.parquet";
/// Most bytes of a folder: it stays in the tree for ever.
const MAX_BYTES: u64 = 300 << 10;
const CENTURY_MS: u64 = 36_525 * 86_400_000;

/// Nobody reads a folder that is being written.
static TURN: Mutex<()> = Mutex::new(());

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn place(version: &str) -> PathBuf {
    root().join("tests/golden-nodes").join(version)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// The versions that CHANGELOG.md names, and whether each is released.
fn versions() -> Vec<(String, bool)> {
    let changelog = read(&root().join("CHANGELOG.md"));
    let headings = changelog.lines().filter_map(|line| line.strip_prefix("## "));
    let version = |heading: &str| {
        let (version, state) = heading.split_once(' ').unwrap_or((heading, ""));
        (version.to_owned(), state != "(unreleased)")
    };
    headings.map(version).collect()
}

/// What a folder is copied without: what only a running node or its machine has, and the tests' own log.
fn left_out(name: &str) -> bool {
    let ends_with_the_node = ["LOCK", "node.log", "local.token", "ledger.address"].contains(&name);
    ends_with_the_node || name.starts_with("LOG") || name.starts_with("OPTIONS-")
}

/// Copies a folder with those in it; how many bytes there are.
fn copy(from: &Path, to: &Path) -> u64 {
    fs::create_dir_all(to).expect("a folder");
    let entries = fs::read_dir(from).unwrap_or_else(|why| panic!("{}: {why}", from.display()));
    let one = |entry: fs::DirEntry| {
        let (name, path) = (entry.file_name(), entry.path());
        let target = to.join(&name);
        match path.is_dir() {
            _ if left_out(&name.to_string_lossy()) => 0,
            true => copy(&path, &target),
            false => fs::copy(&path, &target).expect("copied"),
        }
    };
    entries.map(|entry| one(entry.expect("an entry"))).sum()
}

/// Makes the certificates anew for a hundred years, of the keys that `heqi init` made.
fn lasting(dir: &Path) {
    let key = |name: &str| keyfile::read(&dir.join("keys").join(name), &Password::new(PASSWORD)).expect("a key").1;
    let (ca_key, node_key) = (key("ca.key.json"), key("node.key.json"));
    let made = Certificate::from_pem(&read(&dir.join("ca.pem"))).expect("a certificate");
    let (org, from) = (made.subject_org(), made.not_before());
    let to = from + CENTURY_MS;
    let ca = cert::self_signed_ca(&org, &ca_key, from, to).expect("a CA");
    let subject = Subject { org, name: "node".into() };
    let node = cert::issue(&ca, &ca_key, &subject, &node_key.public(), from, to).expect("a certificate");
    fs::write(dir.join("ca.pem"), ca.pem()).expect("written");
    fs::write(dir.join("node.pem"), node.pem()).expect("written");
    let path = dir.join("organisation.json");
    let mut card: Value = serde_json::from_str(&read(&path)).expect("a card");
    card["ca"] = ca.pem().into();
    fs::write(path, format!("{card:#}")).expect("written");
}

/// A job from its proposal to the last receipt: its number and its evidence.
fn job(four: &Consortium) -> (String, PathBuf) {
    four.register();
    four.grant_pressure();
    let job = four.submit();
    four.await_approvals(&job, 2);
    four.approve(&job);
    four.await_status(&job, "done");
    let (auditor, evidence) = ("audit/auditor", four.path(EVIDENCE));
    until("all receipts", SOON, || {
        let shown = four.evidence(&job)?;
        let receipts = items(&shown, "records").iter().filter(|record| record["kind"] == "receipt").count();
        (receipts == 3).then_some(())
    });
    let out = evidence.to_str().expect("a path");
    four.look(auditor, &["evidence", "export", &job, "--out", out]).good();
    (job, evidence)
}

/// Whether the log of alarms tells that the audit office's node was lost.
fn lost(dir: &Path) -> bool {
    let told = run(heqi().args(["alarms", "--log", "--dir"]).arg(dir)).good();
    items(&told, "log").iter().any(|line| line["code"] == "peer_lost" && line["subject"] == "audit")
}

/// Proves the ledger of a stopped node, whose log thereby goes into tables.
fn proven(dir: &Path) -> Value {
    run(heqi().args(["chain", "verify", "--dir"]).arg(dir)).good()
}

/// Writes the folder of this version, instead of what lies there, unless it is released. Does nothing unless it is asked to.
#[test]
fn make_the_golden_folder_of_a_node() {
    if env::var_os("HEQI_GOLDEN").is_none() {
        return;
    }
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let place = place(VERSION);
    let released = versions().contains(&(VERSION.to_owned(), true));
    assert!(!released || !place.exists(), "{VERSION} is released, so its folder never changes; raise the version");
    let mut four = Consortium::found_by(lasting);
    four.start_all();
    let (job, evidence) = job(&four);
    let view = four.job(ANALYST, &job).expect("known");
    let answer = four.look(ANALYST, &["query", "result", &job]).good();
    assert_eq!(cells(&answer), plain_answer());
    let dir = four.dir(ORG);
    // A validator that is gone is an alarm after fifteen seconds.
    four.kill("audit");
    until("its alarm", SOON, || lost(&dir).then_some(()));
    four.signal(ORG, "TERM");
    until("its end", SOON, || (!four.node(ORG).runs()).then_some(()));
    four.kill_all();
    let height = proven(&dir)["height"].clone();

    if place.exists() {
        fs::remove_dir_all(&place).expect("removed");
    }
    let bytes = copy(&dir, &place.join(NODE));
    let sources = place.join(NODE).join("sources.json");
    let (kept, census) = (read(&sources), data("census.parquet"));
    let moved = kept.replace(census.to_str().expect("a path"), ELSEWHERE);
    assert_ne!(kept, moved, "the source's place is no machine's");
    fs::write(sources, moved).expect("written");
    fs::create_dir(place.join(PEOPLE)).expect("a folder");
    let key = Path::new(PEOPLE).join("statistics-analyst.key.json");
    fs::copy(four.path("people").join("statistics-analyst.key.json"), place.join(key)).expect("copied");
    let bytes = bytes + fs::copy(evidence, place.join(EVIDENCE)).expect("copied");
    let expected = json!({
        "genesis": four.genesis, "height": height, "job": job, "sql": view["sql"], "timeline": view["timeline"],
        "answer": answer,
    });
    fs::write(place.join(EXPECTED), format!("{expected:#}\n")).expect("written");
    assert!(bytes <= MAX_BYTES, "the folder has {bytes} bytes");
}

/// Lets a copy's node listen on ports that are free here. Everything else in its configuration stays as it was written.
fn listen_here(dir: &Path) {
    let path = dir.join("node.toml");
    let mut config = read(&path);
    let parsed: toml::Table = toml::from_str(&config).expect("node.toml");
    let fields = ["control", "data", "portal"];
    // By way of words that no configuration has: a port that is free now may be one of those that are to be replaced.
    for field in fields {
        let address = parsed.get(field).and_then(toml::Value::as_str).expect("an address");
        assert_eq!(config.matches(address).count(), 1, "{address}");
        config = config.replace(address, &format!("<{field}>"));
    }
    for (field, port) in fields.into_iter().zip(ports(3)) {
        config = config.replace(&format!("<{field}>"), &format!("127.0.0.1:{port}"));
    }
    fs::write(path, config).expect("written");
}

/// What needs no node: the ledger's proof, the evidence, the alarms of the past, and the keys.
fn offline(folder: &Path, people: &People, expected: &Value) {
    let (dir, genesis) = (people.dir(ORG), text(expected, "genesis"));
    let told = proven(&dir);
    assert_eq!((&told["genesis"], &told["height"]), (&expected["genesis"], &expected["height"]));
    let mut verify = heqi();
    verify.args(["evidence", "verify", "--genesis", &genesis]).arg(folder.join(EVIDENCE));
    let verdict = run(&mut verify).good();
    assert_eq!((&verdict["valid"], &verdict["anchored"]), (&Value::Bool(true), &Value::Bool(true)), "{verdict}");
    assert!(lost(&dir), "the alarms of the past");
    let path = people.path("people").join("statistics-analyst.key.json");
    let (name, _) = keyfile::read(&path, &Password::new(PEOPLE_PASSWORD)).expect("the analyst's key");
    assert_eq!(name, ANALYST);
    assert!(keyfile::read(&path, &Password::new(PASSWORD)).is_err(), "another password opens it");
}

/// The node starts: its key opens with its password, its certificate is its CA's, its configuration and sources are read.
fn start(people: &People) -> Node {
    let mut node = Node::spawn(&mut people.node_command(ORG), &people.path("node.log"));
    let announced = node.announced();
    assert_eq!(text(&announced, "org"), ORG, "{announced}");
    node
}

/// The analyst reads the answer that the older version kept; the job as the node shows it.
fn answered(people: &People, expected: &Value) -> Value {
    let job = text(expected, "job");
    let view = until("the node has followed its ledger", SOON, || {
        people.job(ANALYST, &job).filter(|view| view["status"] == "done")
    });
    let answer = people.look(ANALYST, &["query", "result", &job]).good();
    assert!(!cells(&answer).is_empty());
    assert_eq!(answer, expected["answer"]);
    view
}

/// What the running node answers, alone among four validators.
fn online(people: &People, expected: &Value) {
    let (job, genesis) = (text(expected, "job"), text(expected, "genesis"));
    let status = people.chain(ORG);
    assert_eq!((&status["genesis"], &status["height"]), (&expected["genesis"], &expected["height"]));
    let view = answered(people, expected);
    // The question was sealed to the node's key.
    assert_eq!((&view["sql"], &view["timeline"]), (&expected["sql"], &expected["timeline"]));
    let shown = people.look(ANALYST, &["evidence", "show", &job]).good();
    assert_eq!(shown["verdict"]["valid"], true, "{shown}");
    people.look(ANALYST, &["chain", "state", "epoch/now", "--genesis", &genesis]).good();
    let listed = people.look(&format!("{ORG}/owner"), &["source", "list"]).good();
    let sets: Vec<String> = items(&listed, "sources").iter().map(|source| text(source, "dataset")).collect();
    assert_eq!(sets, ["statistics/census"]);
    let backup = people.path("backup");
    let told = run(heqi().args(["chain", "backup"]).arg(backup).arg("--dir").arg(people.dir(ORG))).good();
    assert_eq!(told["height"], expected["height"]);
}

fn opens(folder: &Path) {
    let expected: Value = serde_json::from_str(&read(&folder.join(EXPECTED))).expect("what the folder holds");
    let work = tempfile::tempdir().expect("a folder");
    let people = People::new(work.path());
    people.write_passwords();
    copy(&folder.join(NODE), &people.dir(ORG));
    copy(&folder.join(PEOPLE), &people.path("people"));
    listen_here(&people.dir(ORG));
    offline(folder, &people, &expected);
    let node = start(&people);
    online(&people, &expected);
    drop(node);
    // The CA's key opens too and certifies another key of the node; the older one still opens what was kept under it.
    let mut renew = heqi();
    renew.args(["init", "renew", "--dir"]).arg(people.dir(ORG)).arg("--password-file").arg(people.password());
    run(&mut renew).good();
    let _node = start(&people);
    answered(&people, &expected);
}

#[test]
fn a_node_s_folder_of_every_release_opens_and_what_was_kept_in_it_is_read() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    for (version, _) in versions() {
        let folder = place(&version);
        let there = folder.join(EXPECTED).exists();
        assert!(
            there,
            "there is no node's folder of {version} in tests/golden-nodes; `{COMMAND}` makes this version's"
        );
        opens(&folder);
    }
}
