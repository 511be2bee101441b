//! Four real processes on loopback, killed in turn and all at once while entries are written.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::support::{
    Consortium, ORGS, People, Told, heqi, items,
    story::{ANALYST, SOON, cells, plain_answer},
    text, until,
};

/// An entry that the ledger has acknowledged.
struct Acknowledged {
    transaction: String,
    height: u64,
    purpose: String,
}

/// An owner who sets one rule after the other at the own node.
struct Writer {
    stop: Arc<AtomicBool>,
    count: Arc<AtomicUsize>,
    thread: JoinHandle<Written>,
}

#[derive(Default)]
struct Written {
    acknowledged: Vec<Acknowledged>,
    failed: Vec<Told>,
    slowest: Duration,
}

impl Writer {
    fn start(people: &People, dataset: &'static str, round: usize) -> Self {
        let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (ended, counter, people) = (stop.clone(), count.clone(), people.clone());
        let thread = thread::spawn(move || {
            let mut written = Written::default();
            let owner = format!("{}/owner", dataset.split('/').next().expect("an owner"));
            for number in 0.. {
                if ended.load(Ordering::SeqCst) {
                    break;
                }
                let purpose = format!("round-{round}-{number}");
                let began = Instant::now();
                let rule = ["grant", dataset, "person_id", "--to", "audit", "--use", "encrypted_only", "--purpose"];
                let told = people.sign(&owner, &[&rule[..], &[&purpose]].concat());
                written.slowest = written.slowest.max(began.elapsed());
                // People are not that fast; what is written is read back from all four below.
                thread::sleep(Duration::from_millis(100));
                if told.code != 0 {
                    written.failed.push(told);
                    continue;
                }
                let (transaction, height) =
                    (text(&told.value, "digest"), told.value["height"].as_u64().expect("a height"));
                written.acknowledged.push(Acknowledged { transaction, height, purpose });
                counter.fetch_add(1, Ordering::SeqCst);
            }
            written
        });
        Self { stop, count, thread }
    }

    /// Waits until so many more entries are acknowledged.
    fn more(&self, count: usize) {
        let goal = self.count.load(Ordering::SeqCst) + count;
        until("entries are acknowledged", SOON, || (self.count.load(Ordering::SeqCst) >= goal).then_some(()));
    }

    fn end(self) -> Written {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().expect("the writer")
    }
}

/// What was executed up to a height, as a node tells it.
fn executed(four: &People, org: &str, highest: u64) -> Vec<Value> {
    let mut command = heqi();
    let output = command.args(["events", "--dir"]).arg(four.dir(org)).output().expect("heqi runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let lines = String::from_utf8(output.stdout).expect("text");
    let all = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("one JSON value a line"));
    all.filter(|told| told["height"].as_u64().is_some_and(|height| height <= highest)).collect()
}

/// Blocks, what was executed, a job's evidence and the rules, as a node has them.
type Seen = (Vec<[String; 2]>, Vec<Value>, Value, Vec<Value>);

/// What a person can ask of one node, on which nothing acknowledged is missing.
fn seen(four: &People, org: &str, acknowledged: &[Acknowledged], job: &str) -> Seen {
    let person = format!("{org}/operator");
    let heights: BTreeSet<_> = acknowledged.iter().map(|a| a.height).collect();
    let highest = *heights.last().expect("entries");
    until("the node has caught up", SOON, || (four.height(org) >= highest).then_some(()));
    let executed = executed(four, org, highest);
    for Acknowledged { transaction, height, .. } in acknowledged {
        let told = |e: &Value| e["transaction"] == *transaction && e["height"] == *height && e["refusal"].is_null();
        assert!(executed.iter().any(told), "{org}: {transaction}");
    }
    // A block names the one before it: daily every fourth is looked at, and the newest of all.
    let step = if std::env::var_os("HEQI_LONG").is_some() { 1 } else { 4 };
    let block = |height: &u64| (*height, four.look(&person, &["chain", "block", &height.to_string()]).good());
    let blocks: BTreeMap<_, _> = heights.iter().rev().step_by(step).map(block).collect();
    for Acknowledged { transaction, height, .. } in acknowledged.iter().filter(|a| blocks.contains_key(&a.height)) {
        let executed = |e: &Value| e["digest"] == *transaction && e["refusal"].is_null();
        assert!(items(&blocks[height], "entries").iter().any(executed), "{org}: {transaction}");
    }
    let blocks = blocks.values().map(|b| [&b["digest"], &b["state_root"]].map(Value::to_string)).collect();
    let records = four.look(&person, &["evidence", "show", job]).good()["records"].take();
    let rules = until("the node's book holds all rules", SOON, || {
        let listed = four.look(&person, &["source", "list", "--all"]).good();
        let sources = items(&listed, "sources");
        let rules: Vec<Value> = sources.iter().flat_map(|s| items(&s["rules"], "rules").to_vec()).collect();
        acknowledged.iter().all(|a| rules.iter().any(|rule| rule["purpose"] == *a.purpose)).then_some(rules)
    });
    (blocks, executed, records, rules)
}

/// Everything a person can ask of the ledger is the same on all four nodes, and nothing acknowledged is missing.
fn all_have(four: &People, acknowledged: &[Acknowledged], job: &str) {
    let seen = thread::scope(|scope| {
        let asked = ORGS.map(|org| scope.spawn(move || seen(four, org, acknowledged, job)));
        asked.map(|asked| asked.join().expect("a node that has all"))
    });
    assert!(seen.windows(2).all(|pair| pair[0].0 == pair[1].0), "blocks differ");
    assert!(seen.windows(2).all(|pair| pair[0].1 == pair[1].1), "what was executed differs");
    assert!(seen.windows(2).all(|pair| pair[0].2 == pair[1].2), "evidence differs");
    assert!(seen.windows(2).all(|pair| pair[0].3 == pair[1].3), "rules differ");
}

#[test]
fn no_acknowledged_entry_is_lost_when_any_node_is_killed_and_one_dead_node_is_not_noticed() {
    let mut four = Consortium::started();
    four.register();
    four.grant_pressure();
    let job = four.submit();
    four.await_approvals(&job, 2);
    let writers = [("health", "health/health"), ("statistics", "statistics/census"), ("civil", "civil/deaths")];
    let mut acknowledged = Vec::new();
    // Every second one a day; all die together below.
    let step = if std::env::var_os("HEQI_LONG").is_some() { 1 } else { 2 };
    for (round, org) in ORGS.into_iter().enumerate().step_by(step) {
        let others = writers.iter().filter(|(owner, _)| *owner != org).take(2);
        let writing: Vec<_> = others.map(|(_, dataset)| Writer::start(&four, dataset, round)).collect();
        writing.iter().for_each(|writer| writer.more(1));
        four.kill(org);
        writing.iter().for_each(|writer| writer.more(2));
        four.start(org);
        writing.iter().for_each(|writer| writer.more(1));
        for written in writing.into_iter().map(Writer::end) {
            eprintln!("{org} dead: {} entries, the slowest in {:?}", written.acknowledged.len(), written.slowest);
            assert!(written.failed.is_empty(), "{org} is dead and others notice: {:?}", written.failed);
            // Sooner than links give a dead peer up.
            assert!(written.slowest < Duration::from_secs(19), "{org} is dead and others wait {:?}", written.slowest);
            acknowledged.extend(written.acknowledged);
        }
    }
    // All at once, while two write.
    let writing = ["health/health", "civil/deaths"].map(|dataset| Writer::start(&four, dataset, 4));
    writing.iter().for_each(|writer| writer.more(2));
    four.kill_all();
    acknowledged.extend(writing.into_iter().flat_map(|writer| writer.end().acknowledged));
    four.start_all();
    let after = Writer::start(&four, "civil/deaths", 5);
    after.more(1);
    acknowledged.extend(after.end().acknowledged);
    all_have(&four, &acknowledged, &job);
    four.approve(&job);
    four.await_status(&job, "done");
    assert_eq!(cells(&four.look(ANALYST, &["query", "result", &job]).good()), plain_answer());
}
