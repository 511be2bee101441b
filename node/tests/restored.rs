//! A node's ledger comes back from a backup while its runs are under way: none begins again, and each ends with a receipt that says so.

mod support;

use std::{fs, path::Path};

use serde_json::Value;
use support::{
    Consortium, People, heqi, items, run,
    story::{ANALYST, SOON, cells, plain_answer},
    text, until,
};

/// `heqi chain WORD PATH --dir FOLDER`.
fn chain(word: &str, path: &Path, dir: &Path) -> Value {
    run(heqi().args(["chain", word]).arg(path).arg("--dir").arg(dir)).good()
}

/// How many entries of a kind the health department's node has made on a job.
fn told(view: &Value, kind: &str) -> usize {
    let own = |entry: &&Value| text(entry, "kind") == kind && text(entry, "sender").starts_with("health/");
    items(view, "timeline").iter().filter(own).count()
}

/// The person approves, and the run begins at the node, where it waits for the frozen one before it reads.
fn begin(four: &People, job: &str) {
    four.approve(job);
    until("the run has begun", SOON, || four.job("health/owner", job).filter(|view| starts(view) == 1));
}

/// How many starts a job has.
fn starts(view: &Value) -> usize {
    items(view, "timeline").iter().filter(|entry| entry["kind"] == "started").count()
}

/// The job was broken off by the node that came back, which read nothing and told once how its run ended.
fn is_cut_off(four: &People, job: &str) {
    let ended = |view: &Value| told(view, "receipt") == 1;
    let view = until("the node that came back tells of its run", SOON, || four.job(ANALYST, job).filter(ended));
    assert_eq!((text(&view, "status").as_str(), starts(&view), told(&view, "read")), ("aborted", 1, 0), "{view}");
    let reason = text(&view, "reason_en");
    assert!(reason.contains("(health; health; restart)"), "{reason}");
}

#[test]
fn a_node_whose_ledger_comes_from_a_backup_begins_no_run_again() {
    let mut four = Consortium::found();
    // So long that nobody gives up before the node is back.
    four.set_silence(120);
    four.start_all();
    four.register();
    four.grant_pressure();
    let (early, late) = (four.submit(), four.submit());
    for job in [&early, &late] {
        four.await_approvals(job, 2);
    }
    four.signal("civil", "STOP");
    begin(&four, &early);
    let (place, dir) = (four.path("backup"), four.dir("health"));
    chain("backup", &place, &dir);
    begin(&four, &late);
    four.kill("health");
    four.signal("civil", "CONT");

    fs::remove_dir_all(dir.join("data/ledger")).expect("removed");
    chain("restore", &place, &dir);
    four.start("health");
    // One run had begun before the backup was made, the other before the ledger was brought back.
    is_cut_off(&four, &early);
    is_cut_off(&four, &late);
    let job = four.submit();
    four.await_approvals(&job, 2);
    four.approve(&job);
    four.await_status(&job, "done");
    assert_eq!(cells(&four.look(ANALYST, &["query", "result", &job]).good()), plain_answer());
    is_cut_off(&four, &early);
    is_cut_off(&four, &late);
}
