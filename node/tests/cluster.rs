//! Four real processes on loopback: the story by the command line, parties that hang, die or reject.

mod support;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use support::{
    Consortium, PURPOSE, People, Told, heqi, items, run,
    story::{ANALYST, AUDITOR, QUERY, SOON, cells, data, plain_answer},
    text, until,
};

/// How long nodes let a party be silent where it is to be waited for: longer than unless they are told otherwise.
const STATED: Duration = Duration::from_secs(25);
/// How long they do where nobody is to wait so long.
const SILENCE: Duration = Duration::from_secs(120);
/// A job that is not done so long after one of its nodes was stopped is held up by it.
const HELD_UP: Duration = Duration::from_secs(2);

#[test]
fn the_whole_story_is_told_by_the_command_line_alone() {
    let mut four = Consortium::started();
    look_at_a_source(&four);
    four.register();
    forbidden_until_granted(&four);
    let job = four.submit();
    let view = four.await_approvals(&job, 2);
    let waiting: Vec<_> = items(&view, "approvals").iter().filter(|a| a["by_rule"] == false).collect();
    assert_eq!(
        (view["status"].as_str(), waiting.len(), waiting[0]["org"].as_str()),
        (Some("waiting"), 1, Some("health"))
    );
    // Only an owner's word counts, and only the own organisation's node takes it.
    four.sign(ANALYST, &["approve", &job]).fault("HQ-7002");
    four.approve(&job);
    four.await_status(&job, "done");
    let answer = four.look(ANALYST, &["query", "result", &job]).good();
    assert_eq!(answer["columns"], json!(["education", "people", "sbp", "died"]));
    assert_eq!(cells(&answer), plain_answer());
    the_answer_is_written_to_files(&four, &job);
    // Nobody but the receiver has the answer, and nobody but the parties the question.
    four.look("health/owner", &["query", "result", &job]).fault("HQ-7004");
    let seen = until("the auditor's node sees the job", SOON, || four.job(AUDITOR, &job));
    assert!(seen["sql"].is_null());
    assert_eq!(four.job("civil/owner", &job).expect("it took part")["sql"], QUERY);
    use_is_counted(&four);
    let (bundle, records) = export(&four, &job);
    the_ledger_shows(&four, &records);
    // Offline: nothing of the platform runs any more.
    four.kill_all();
    evidence_holds_and_no_changed_byte_does(&four.genesis, &bundle);
}

/// The files hold the same cells, in their types; what is there already stays, unless it is to go.
fn the_answer_is_written_to_files(four: &People, job: &str) {
    let write = |form: &str, path: &Path, more: &[&str]| {
        let arguments = ["query", "result", job, form, path.to_str().expect("a path")];
        four.look(ANALYST, &[&arguments[..], more].concat())
    };
    let (csv, parquet) = (four.path("answer.csv"), four.path("answer.parquet"));
    let rows: Vec<String> = plain_answer().into_iter().map(|row| row.join(",") + "\r\n").collect();
    assert_eq!(write("--csv", &csv, &[]).good()["rows"], rows.len());
    let written = fs::read_to_string(&csv).expect("a file");
    assert_eq!(written, format!("education,people,sbp,died\r\n{}", rows.concat()));
    fs::write(&csv, "kept").expect("written");
    write("--csv", &csv, &[]).fault("HQ-7003");
    assert_eq!(fs::read_to_string(&csv).expect("a file"), "kept");
    write("--csv", &csv, &["--force"]).good();
    assert_eq!(fs::read_to_string(&csv).expect("a file"), written);
    assert!(!four.path("answer.csv.part").exists());
    write("--parquet", &parquet, &[]).good();
    let file = parquet.to_str().expect("a path");
    let found = four.look("statistics/owner", &["source", "test", "answer", "--file", file]).good();
    let types: Vec<_> = items(&found, "columns").iter().map(|column| text(column, "type")).collect();
    assert_eq!(
        (&found["rows"], types),
        (&json!(rows.len()), ["int", "int", "decimal(6)", "int"].map(String::from).to_vec())
    );
}

fn look_at_a_source(four: &People) {
    let file = data("health.csv");
    let found =
        four.look("health/owner", &["source", "test", "health", "--file", file.to_str().expect("a path")]).good();
    assert_eq!(found["rows"], 1629);
    let key = items(&found, "columns").iter().find(|c| c["name"] == "person_id").expect("found");
    assert_eq!((&key["unique"], &key["nulls"]), (&Value::Bool(true), &Value::from(0)));
    let pressure = items(&found, "columns").iter().find(|c| c["name"] == "sbp").expect("found");
    assert!(pressure["nulls"].as_u64().is_some_and(|n| n > 0), "{pressure}");
    four.look("health/owner", &["source", "test", "health", "--file", "/nowhere.csv"]).fault("HQ-1001");
    four.look(ANALYST, &["source", "test", "health", "--file", "/nowhere.csv"]).fault("HQ-7002");
    four.look("health/owner", &["source", "list", "--all"]).good();
}

/// Check and submit name the grant that is missing; with it, the same query is allowed.
fn forbidden_until_granted(four: &People) {
    let check = four.look(ANALYST, &["query", "check", QUERY, "--purpose", PURPOSE]).good();
    let missing = items(&check, "missing");
    assert_eq!((check["allowed"].as_bool(), missing.len()), (Some(false), 1), "{check}");
    let fields = ["dataset", "column", "need", "party", "owner"].map(|name| text(&missing[0], name));
    assert_eq!(fields, ["health/health", "sbp", "after_aggregate", "statistics", "health"]);
    let refused = four.sign(ANALYST, &["query", "submit", QUERY]).fault("HQ-3001");
    assert!(refused["party"] == "health" && text(&refused, "detail").contains("sbp"), "{refused}");
    four.grant_pressure();
    let check = four.look(ANALYST, &["query", "check", QUERY]).good();
    assert_eq!((check["allowed"].as_bool(), items(&check, "missing").len()), (Some(true), 0), "{check}");
    assert_eq!(check["explanation"]["nodes"], json!(["civil", "health", "statistics"]));
    four.look(ANALYST, &["query", "check", QUERY, "--purpose", "marketing"]).fault("HQ-7003");
}

fn use_is_counted(four: &People) {
    // A node that was busy for some seconds is not heard of meanwhile.
    let reached = |stats: &Value| items(stats, "nodes").iter().filter(|node| node["reachable"] == true).count() == 4;
    let done = |stats: &Value| items(stats, "jobs").iter().any(|j| j["status"] == "done" && j["count"] == 1);
    let stats = until("the auditor's node sees the end, and all others", SOON, || {
        Some(four.look(AUDITOR, &["stats"]).good()).filter(|stats| done(stats) && reached(stats))
    });
    let uses: BTreeSet<_> = items(&stats, "uses").iter().map(|u| (text(u, "receiver"), text(u, "dataset"))).collect();
    let expected = ["civil/deaths", "health/health", "statistics/census"].map(|d| ("statistics".into(), d.to_owned()));
    assert_eq!(uses, BTreeSet::from(expected), "{stats}");
    assert!(items(&stats, "uses").iter().all(|u| u["runs"] == 1 && u["purpose"] == PURPOSE), "{stats}");
    // One refused check and one refused submission.
    let refused = items(&stats, "refused").iter().find(|r| r["code"] == "HQ-3001").expect("counted");
    assert_eq!(refused["count"], 2);
    assert_eq!(items(&stats, "nodes").len(), 4);
}

fn export(four: &People, job: &str) -> (PathBuf, Vec<Value>) {
    let shown = four.look(AUDITOR, &["evidence", "show", job]).good();
    assert_eq!(shown["verdict"]["valid"], true, "{shown}");
    let kinds: Vec<_> = items(&shown, "records").iter().map(|r| text(r, "kind")).collect();
    let count = |kind: &str| kinds.iter().filter(|k| *k == kind).count();
    let counts = ["proposed", "approved", "started", "read", "transferred", "delivered", "receipt"].map(count);
    assert_eq!(counts, [1, 3, 1, 3, 3, 1, 3], "{kinds:?}");
    let bundle = four.path("job.evidence");
    let file = bundle.to_str().expect("a path");
    four.look(AUDITOR, &["evidence", "export", job, "--out", file]).good();
    (bundle, items(&shown, "records").to_vec())
}

/// Status, blocks and transactions say the same as the evidence.
fn the_ledger_shows(four: &Consortium, records: &[Value]) {
    let status = four.chain("audit");
    assert_eq!((text(&status, "genesis"), &status["quorum"]), (four.genesis.clone(), &Value::from(3)));
    for record in [&records[0], &records[records.len() - 1]] {
        let transaction = four.look(AUDITOR, &["chain", "tx", &text(record, "transaction")]).good();
        assert_eq!((&transaction["height"], &transaction["sender"]), (&record["height"], &record["sender"]));
        let block = four.look(AUDITOR, &["chain", "block", &text(record, "height")]).good();
        assert!(items(&block, "signers").len() >= 3, "{block}");
        assert!(items(&block, "entries").iter().any(|e| e["digest"] == record["transaction"]), "{block}");
    }
    four.look(AUDITOR, &["chain", "block", "1000000"]).fault("HQ-7004");
    let healthy = four.doctor("audit").good();
    assert_eq!((&healthy["running"], &healthy["good"]), (&Value::Bool(true), &Value::Bool(true)), "{healthy}");
}

fn verify(file: &Path, genesis: Option<&str>) -> Told {
    let mut command = heqi();
    command.args(["evidence", "verify"]).arg(file).args(genesis.map(|hash| ["--genesis", hash]).into_iter().flatten());
    run(&mut command)
}

fn evidence_holds_and_no_changed_byte_does(genesis: &str, bundle: &Path) {
    let verdict = verify(bundle, Some(genesis)).good();
    assert_eq!((&verdict["valid"], &verdict["anchored"]), (&Value::Bool(true), &Value::Bool(true)));
    let verdict = verify(bundle, None).good();
    assert_eq!((&verdict["valid"], &verdict["anchored"]), (&Value::Bool(true), &Value::Bool(false)));
    let other = format!("{}{}", if genesis.starts_with('0') { '1' } else { '0' }, &genesis[1..]);
    let refused = verify(bundle, Some(&other)).fault("HQ-6001");
    assert!(text(&refused, "step").contains("genesis"), "{refused}");
    let bytes = fs::read(bundle).expect("the bundle");
    let changed = bundle.with_extension("changed");
    for place in (0..16).map(|i| i * (bytes.len() - 1) / 15) {
        let mut copy = bytes.clone();
        copy[place] ^= 1;
        fs::write(&changed, copy).expect("written");
        let refused = verify(&changed, Some(genesis)).fault("HQ-6001");
        assert!(text(&refused, "step").len() > "link ''".len(), "the broken link is named: {refused}");
    }
}

/// A job's evidence, once all three computing nodes have written their receipts.
fn receipts(four: &People, job: &str) -> Value {
    receipts_of(four, job, &["civil/node", "health/node", "statistics/node"])
}

/// A job's evidence, once these nodes have written their receipts.
fn receipts_of(four: &People, job: &str, nodes: &[&str]) -> Value {
    until("receipts", SOON, || {
        let shown = four.evidence(job)?;
        let receipts = items(&shown, "records").iter().filter(|r| r["kind"] == "receipt");
        let senders: BTreeSet<_> = receipts.map(|r| text(r, "sender")).collect();
        nodes.iter().all(|node| senders.contains(*node)).then_some(shown)
    })
}

#[test]
fn a_party_that_hangs_is_blamed_after_the_stated_time_and_goes_on_afterwards() {
    let mut four = Consortium::found();
    four.set_silence(STATED.as_secs() as u32);
    four.start_all();
    four.register();
    four.grant_pressure();
    let job = four.submit();
    four.await_approvals(&job, 2);
    four.signal("civil", "STOP");
    // Before the word that starts the run: that is on its way while the command still ends.
    let approved = Instant::now();
    four.approve(&job);
    let view = four.await_status(&job, "aborted");
    let took = approved.elapsed();
    assert!(took >= STATED, "{took:?}");
    let reason = text(&view, "reason_en");
    assert!(reason.starts_with("HQ-4001") && reason.contains("; civil;"), "{reason}");
    assert!(text(&view, "reason_zh").starts_with("HQ-4001"), "{view}");
    four.look(ANALYST, &["query", "result", &job]).fault("HQ-7004");
    // What a node keeps that is killed before it tells of the delivery is no answer.
    let kept = four.dir("statistics").join("data/results");
    fs::create_dir_all(&kept).expect("a folder");
    fs::write(kept.join(format!("{job}.sealed")), "an answer").expect("written");
    four.look(ANALYST, &["query", "result", &job]).fault("HQ-7004");
    assert_eq!(four.job(ANALYST, &job).expect("known")["has_result"], false);
    four.signal("civil", "CONT");
    assert_eq!(receipts(&four, &job)["verdict"]["valid"], true, "an aborted job's evidence verifies too");
    assert_eq!(cells(&four.answer()), plain_answer());
}

#[test]
fn a_running_job_is_called_off_by_another_party_one_that_dies_in_mid_job_is_named_and_the_next_job_succeeds() {
    let mut four = Consortium::found();
    four.set_silence(SILENCE.as_secs() as u32);
    four.start_all();
    four.register();
    four.grant_pressure();
    called_off_in_mid_job(&mut four);
    let job = stopped_in_mid_job(&mut four);
    four.kill("civil");
    // Where it had opened no link yet, it is waited for as long as it may be silent.
    four.await_status_for(SILENCE + SOON, &job, "aborted");
    // One of the two that are left may have seen no more than that the other gave up, and its report may come first.
    let view = until("the reports of both that are left", SOON, || {
        let view = four.job(ANALYST, &job)?;
        let receipts = items(&view, "timeline").iter().filter(|entry| entry["kind"] == "receipt").count();
        (receipts == 2).then_some(view)
    });
    let reason = text(&view, "reason_en");
    eprintln!("killed in mid-job: {reason}");
    let code = reason.split(' ').next().unwrap_or_default();
    assert!(["HQ-4001", "HQ-4002"].contains(&code) && reason.contains("; civil;"), "{reason}");
    four.start("civil");
    assert_eq!(receipts(&four, &job)["verdict"]["valid"], true, "an aborted job's evidence verifies too");
    assert_eq!(cells(&four.answer()), plain_answer());
}

/// Another party than the analyst's calls a job off while it runs: the two nodes that do not stand still end long before
/// silence would end them, and the ledger says who wanted it.
fn called_off_in_mid_job(four: &mut Consortium) {
    let job = stopped_in_mid_job(four);
    let reason = "the file is to be corrected first / 须先更正数据";
    let called = Instant::now();
    four.sign("health/owner", &["cancel", &job, "--reason", reason]).good();
    let view = four.await_status(&job, "cancelled");
    let told = ["reason_en", "reason_zh"].map(|field| text(&view, field));
    assert!(told.iter().all(|told| told.contains("health/owner") && told.contains(reason)), "{view}");
    receipts_of(four, &job, &["health/node", "statistics/node"]);
    assert!(called.elapsed() < SILENCE, "nobody waits for silence");
    four.signal("civil", "CONT");
    let shown = receipts(four, &job);
    assert_eq!(shown["verdict"]["valid"], true, "{shown}");
    let ended = items(&shown["verdict"], "steps").iter().find(|step| step["name"] == "receipts").expect("a link");
    // Who hears of it last sees the links of the others end before, and asks its ledger why; who heard first never says anything else.
    let said = text(ended, "detail");
    assert!(said.contains("reports HQ-3006") && said.contains("blaming health"), "{said}");
    four.look(ANALYST, &["query", "result", &job]).fault("HQ-7004");
}

/// A job whose civil node stands still between its read and the end. A job that ended before is let go, and another begun.
fn stopped_in_mid_job(four: &mut Consortium) -> String {
    for _ in 0..8 {
        let job = four.submit();
        four.await_approvals(&job, 2);
        four.approve(&job);
        until("the civil node has read", SOON, || {
            let view = four.job(ANALYST, &job)?;
            let read = items(&view, "timeline").iter().any(|e| e["kind"] == "read" && e["sender"] == "civil/node");
            read.then_some(())
        });
        four.signal("civil", "STOP");
        // All that the others wait for may have left it before: then they end within moments.
        let stopped = Instant::now();
        while stopped.elapsed() < HELD_UP && four.job(ANALYST, &job).expect("known")["status"] == "running" {
            thread::sleep(Duration::from_millis(100));
        }
        if four.job(ANALYST, &job).expect("known")["status"] == "running" {
            return job;
        }
        four.signal("civil", "CONT");
    }
    panic!("eight jobs ended within moments of their reads");
}

#[test]
fn a_rejected_proposal_ends_with_the_reason_and_never_runs_and_another_is_answered_in_tier_b_plus() {
    let four = Consortium::started();
    four.register();
    four.grant_pressure();
    let mut waiting = four.signed(ANALYST, &["query", "submit", QUERY, "--wait"]);
    let waiting = waiting.stdout(Stdio::piped()).spawn().expect("heqi runs");
    let job = until("the owner's node sees the proposal", SOON, || {
        let jobs = four.look("health/owner", &["query", "status"]).good();
        items(&jobs, "jobs").first().map(|job| text(job, "id"))
    });
    let reason = "not before the ethics board has met / 须先经伦理委员会";
    four.sign("health/owner", &["reject", &job, "--reason", reason]).good();
    let told = waiting.wait_with_output().expect("heqi ends");
    let fault: Value = serde_json::from_slice(&told.stdout).expect("one JSON value");
    assert_eq!((told.status.code(), fault["number"].as_str()), (Some(1), Some("HQ-3005")), "{fault}");
    assert!(text(&fault, "message_en").contains(reason) && text(&fault, "message_zh").contains(reason), "{fault}");
    let view = four.await_status(&job, "rejected");
    let vote = items(&view, "approvals").iter().find(|a| a["org"] == "health").expect("a vote");
    assert_eq!((&vote["state"], text(vote, "reason").as_str()), (&Value::from("rejected"), reason));
    assert!(items(&view, "timeline").iter().all(|e| e["kind"] != "started"), "{view}");
    // A word once given stands.
    four.sign("health/owner", &["approve", &job]).fault("HQ-5005");
    answered_in_tier_b_plus(&four);
}

/// The same question, asked so that a node that cheats is noticed.
fn answered_in_tier_b_plus(four: &People) {
    let asked = [QUERY, "--tier", "b+"];
    let check = four.look(ANALYST, &[&["query", "check"][..], &asked].concat()).good();
    let plan = &check["explanation"];
    assert_eq!((check["allowed"].as_bool(), text(plan, "tier").as_str()), (Some(true), "B+"), "{check}");
    assert!(text(&plan["tier_words"], "zh").contains("偏离协议"), "{check}");
    let job = text(&four.sign(ANALYST, &[&["query", "submit"][..], &asked].concat()).good(), "job");
    assert_eq!(four.await_approvals(&job, 2)["tier"], "B+");
    four.approve(&job);
    four.await_status(&job, "done");
    assert_eq!(cells(&four.look(ANALYST, &["query", "result", &job]).good()), plain_answer());
    assert_eq!(receipts(four, &job)["verdict"]["valid"], true);
}
