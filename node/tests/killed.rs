//! Four real processes on loopback, killed in turn and all at once while entries are written.

mod support;

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
use support::{
    Consortium, ORGS, People, Told, items,
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

/// Everything a person can ask of the ledger is the same on all four nodes, and nothing acknowledged is missing.
fn all_have(four: &People, acknowledged: &[Acknowledged], job: &str) {
    let highest = acknowledged.iter().map(|a| a.height).max().expect("entries");
    let heights: BTreeSet<_> = acknowledged.iter().map(|a| a.height).collect();
    let purposes: BTreeSet<_> = acknowledged.iter().map(|a| a.purpose.as_str()).collect();
    let seen = ORGS.map(|org| {
        let person = format!("{org}/operator");
        until("the node has caught up", SOON, || (four.height(org) >= highest).then_some(()));
        let block = |height: &u64| (*height, four.look(&person, &["chain", "block", &height.to_string()]).good());
        let blocks: BTreeMap<_, _> = heights.iter().map(block).collect();
        for Acknowledged { transaction, height, .. } in acknowledged {
            let executed = |e: &&Value| e["digest"] == *transaction && e["refusal"].is_null();
            assert!(items(&blocks[height], "entries").iter().any(|e| executed(&e)), "{org}: {transaction}");
        }
        let blocks: Vec<_> = blocks.values().map(|b| [&b["digest"], &b["state_root"]].map(Value::to_string)).collect();
        let records = four.look(&person, &["evidence", "show", job]).good()["records"].take();
        let rules = until("the node's book holds all rules", SOON, || {
            let listed = four.look(&person, &["source", "list", "--all"]).good();
            let sources = items(&listed, "sources");
            let rules: Vec<Value> = sources.iter().flat_map(|s| items(&s["rules"], "rules").to_vec()).collect();
            purposes.iter().all(|p| rules.iter().any(|rule| rule["purpose"] == *p)).then_some(rules)
        });
        (blocks, records, rules)
    });
    assert!(seen.windows(2).all(|pair| pair[0].0 == pair[1].0), "blocks differ");
    assert!(seen.windows(2).all(|pair| pair[0].1 == pair[1].1), "evidence differs");
    assert!(seen.windows(2).all(|pair| pair[0].2 == pair[1].2), "rules differ");
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
            assert!(written.slowest < Duration::from_secs(10), "{org} is dead and others wait {:?}", written.slowest);
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
