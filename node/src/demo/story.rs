//! The story: register, rule, ask, refuse, approve, compute, compare, prove.

use std::{
    thread,
    time::{Duration, Instant},
};

use base_types::{
    Digest,
    fault::{Code, Fault},
};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::{
    Teller,
    found::{Demo, PURPOSE},
    nodes::Nodes,
    plain::{self, Reference},
};
use crate::{
    cli::{items, now_ms, query, source, text},
    client::{Client, person_key},
};

const BY_EDUCATION: &str = "SELECT c.education, COUNT(*) AS people, AVG(h.sbp) AS sbp, \
     SUM(CASE WHEN d.person_id IS NULL THEN 0 ELSE 1 END) AS died FROM census c \
     JOIN health h ON h.person_id = c.person_id LEFT JOIN deaths d ON d.person_id = c.person_id \
     WHERE h.age >= 40 GROUP BY c.education ORDER BY c.education NULLS LAST";
const BY_INCOME: &str = "SELECT c.income, c.marital, COUNT(*) AS people, AVG(h.sbp) AS sbp, \
     SUM(CASE WHEN d.person_id IS NULL THEN 0 ELSE 1 END) AS died FROM census c \
     JOIN health h ON h.person_id = c.person_id LEFT JOIN deaths d ON d.person_id = c.person_id \
     WHERE h.age >= 40 GROUP BY c.income, c.marital ORDER BY c.income NULLS LAST, c.marital NULLS LAST";
const FORBIDDEN: &str = "SELECT c.education, AVG(h.cholesterol) AS cholesterol FROM census c \
     JOIN health h ON h.person_id = c.person_id GROUP BY c.education ORDER BY c.education";

/// People behind `COUNT(*)`, `AVG(h.sbp)` and the sum of deaths; the demo's keys are unique.
const COUNTS: [&str; 3] = ["COUNT(DISTINCT c.person_id)", "COUNT(h.sbp)", "COUNT(DISTINCT c.person_id)"];
const THRESHOLD: i64 = 5;

struct Person {
    client: Client,
    key: base_gm::sm2::SecretKey,
}

fn person(demo: &Demo, id: &str) -> Result<Person, Fault> {
    let (name, key) = person_key(&demo.key(id)?, Some(&demo.password_file))?;
    let org = id.split('/').next().unwrap_or_default();
    Ok(Person { client: Client::local(&demo.node(org), &name)?, key })
}

/// Runs the story and returns its report.
pub fn tell(demo: &Demo, nodes: &Nodes, teller: &mut Teller, runtime: &Runtime) -> Result<Value, Fault> {
    let analyst = person(demo, "statistics/analyst")?;
    register(demo, teller, &analyst)?;
    refused(teller, &analyst)?;
    let (first, seconds) = ask(demo, teller, &analyst, BY_EDUCATION, "education")?;
    let counts: Vec<Option<&str>> = [None].into_iter().chain(COUNTS.map(Some)).collect();
    let reference = runtime.block_on(plain::ask(BY_EDUCATION, &counts))?;
    let first_same = compare(teller, &first, &reference, "education");
    let (second, second_seconds) = ask(demo, teller, &analyst, BY_INCOME, "income")?;
    let counts: Vec<Option<&str>> = [None, None].into_iter().chain(COUNTS.map(Some)).collect();
    let reference = runtime.block_on(plain::ask(BY_INCOME, &counts))?;
    let second_same = compare(teller, &second, &reference, "income");
    let (verified, tampered) = evidence(demo, teller, &text(&first, "job"))?;
    let chain = analyst.client.get("/api/chain")?;
    Ok(json!({
        "result_matches_plaintext": first_same && second_same,
        "evidence_verified": verified,
        "tampered_evidence_refused": tampered,
        "suppressed_groups": suppressed(&second),
        "joint_query_seconds": (seconds.max(second_seconds) * 1000.0).round() / 1000.0,
        "first_page_seconds": (nodes.first_page_seconds() * 1000.0).round() / 1000.0,
        "blocks": chain.get("height"),
        "transactions": chain.get("transactions"),
        "genesis": demo.genesis.digest(),
        "job": text(&first, "job"),
    }))
}

fn compare(teller: &mut Teller, answer: &Value, reference: &Reference, name: &str) -> bool {
    match plain::compare(answer, reference, THRESHOLD) {
        Ok(()) => {
            teller.done(&format!("{name}-compared"), "与明文数据库结果一致", "equals the plain database's answer");
            true
        }
        Err(why) => {
            teller.done(&format!("{name}-differs"), &format!("与明文不一致：{why}"), &format!("differs: {why}"));
            false
        }
    }
}

fn suppressed(answer: &Value) -> usize {
    let hidden = |row: &&Value| {
        let cells = row.as_array().map_or(&[][..], Vec::as_slice);
        cells.iter().any(|c| c.get("suppressed") == Some(&Value::Bool(true)))
    };
    items(answer, "rows").iter().filter(hidden).count()
}

fn rule(column: &str, uses: &[&str]) -> Value {
    let expires = now_ms() + 365 * 86_400_000;
    json!({"column": column, "party": "statistics", "purpose": PURPOSE, "uses": uses, "expires": expires, "runs": 0})
}

/// Every owner registers its source and sets its rules, unless an earlier start did.
fn register(demo: &Demo, teller: &mut Teller, analyst: &Person) -> Result<(), Fault> {
    teller.doing("登记数据源并设定规则", "registering sources and setting rules");
    let known = analyst.client.get("/api/catalogue")?;
    let ruled = items(&known, "sources").iter().filter(|s| s.get("rules").is_some_and(|r| !r.is_null())).count();
    if ruled == 3 {
        teller.done("found-sources", "沿用已登记的数据源与规则", "sources and rules of the earlier start are used");
        return Ok(());
    }
    let deaths = match &demo.database_url {
        Some(_) => {
            json!({"kind": "postgres", "url_env": "HEQI_DEMO_DATABASE_URL", "schema": "public", "table": "deaths"})
        }
        None => json!({"kind": "sqlite", "path": demo.dir.join("civil/deaths.sqlite"), "table": "deaths"}),
    };
    let sources = [
        (
            "health/health",
            "随访体检 / follow-up examination",
            json!({"kind": "csv", "path": demo.dir.join("health/health.csv")}),
            vec![
                ("person_id", "identity", 4),
                ("sbp", "health", 3),
                ("cholesterol", "health", 3),
                ("age", "person", 2),
            ],
            "person",
            vec![
                rule("person_id", &["encrypted_only"]),
                rule("age", &["after_compare"]),
                rule("sbp", &["after_aggregate"]),
            ],
        ),
        (
            "statistics/census",
            "人口普查 / census",
            json!({"kind": "parquet", "path": demo.dir.join("statistics/census.parquet")}),
            vec![
                ("person_id", "identity", 4),
                ("income", "income", 3),
                ("education", "person", 2),
                ("marital", "person", 2),
            ],
            "auto",
            vec![
                rule("person_id", &["encrypted_only"]),
                rule("education", &["after_group_by"]),
                rule("income", &["after_group_by"]),
                rule("marital", &["after_group_by"]),
            ],
        ),
        (
            "civil/deaths",
            "死亡登记 / register of deaths",
            deaths,
            vec![("person_id", "identity", 4), ("yrdth", "civil", 3)],
            "auto",
            vec![rule("person_id", &["encrypted_only", "after_compare", "after_aggregate"])],
        ),
    ];
    for (dataset, title, location, classes, approval, rules) in sources {
        let org = dataset.split('/').next().unwrap_or_default();
        let owner = person(demo, &format!("{org}/owner"))?;
        let classes: Vec<_> = classes
            .iter()
            .map(|(column, class, grade)| json!({"column": column, "class": class, "grade": grade}))
            .collect();
        let body = json!({"config": {"dataset": dataset, "title": title, "location": location}, "classes": classes});
        let Person { client, key } = &owner;
        source::register(client, key, &body)?;
        let set = json!({"dataset": dataset, "approval": approval, "min_group": THRESHOLD,
                         "holders": ["civil", "health", "statistics"], "rules": rules});
        source::set_rules(client, key, &set)?;
    }
    await_catalogue(analyst)?;
    teller.done(
        "registered",
        "三方登记数据源（CSV、Parquet、SQL）并设定列级规则",
        "three owners registered sources (CSV, Parquet, SQL) and set rules per column",
    );
    Ok(())
}

/// Other nodes learn of it with the next block.
fn await_catalogue(analyst: &Person) -> Result<(), Fault> {
    for _ in 0..200 {
        let known = analyst.client.get("/api/catalogue")?;
        let ruled = |s: &&Value| s.get("rules").is_some_and(|r| !r.is_null());
        if items(&known, "sources").iter().filter(ruled).count() >= 3 {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Err(Fault::new(Code::NoQuorum, "register", "the analyst's node does not see the sources"))
}

fn refused(teller: &mut Teller, analyst: &Person) -> Result<(), Fault> {
    let checked = analyst.client.post("/api/queries/check", &json!({"sql": FORBIDDEN, "purpose": PURPOSE}))?;
    let missing = items(&checked, "missing");
    if checked.get("allowed") == Some(&Value::Bool(true)) || missing.is_empty() {
        return Err(Fault::new(Code::Internal, "check", "a query that a rule forbids was allowed"));
    }
    let tell = |name: &str| missing.iter().map(|m| text(m, name)).collect::<Vec<_>>().join("; ");
    teller.done("refused", &format!("规则拦截：{}", tell("text_zh")), &format!("a rule refused: {}", tell("text_en")));
    Ok(())
}

/// Check, submit, the person's approval, and the answer; with the seconds from the last approval to the answer.
fn ask(demo: &Demo, teller: &mut Teller, analyst: &Person, sql: &str, name: &str) -> Result<(Value, f64), Fault> {
    let draft = json!({"sql": sql, "purpose": PURPOSE});
    teller.doing("检查查询", "checking the query");
    let checked = analyst.client.post("/api/queries/check", &draft)?;
    if checked.get("allowed") != Some(&Value::Bool(true)) {
        return Err(Fault::new(Code::RuleForbids, "check", checked.to_string()));
    }
    teller.done(&format!("{name}-checked"), "Check 通过，计划已展示", "Check passed and showed the plan");
    teller.doing("提交查询", "submitting the query");
    let job = text(&query::submit(&analyst.client, &analyst.key, &draft)?, "job");
    teller.done(
        &format!("{name}-submitted"),
        &format!("提案上链，任务 {job}"),
        &format!("proposed on the ledger, job {job}"),
    );
    teller.doing("等待按规则自动批准", "waiting for approvals by rule");
    await_approvals(analyst, &job, 2)?;
    teller.done(&format!("{name}-auto"), "两方按规则自动批准", "two owners approved by rule");
    // The health department's owner: a client of its own with the person's own key file.
    let owner = person(demo, "health/owner")?;
    let digest: Digest = job.parse().map_err(|_| Fault::new(Code::Internal, "approve", "the job has no digest"))?;
    await_job(&owner, &job)?;
    teller.doing("卫健委人工批准，节点联合计算", "the health department's person approves; the nodes compute");
    query::vote(&owner.client, &owner.key, digest, None)?;
    let approved = Instant::now();
    let answer = await_answer(analyst, &job, approved)?;
    let seconds = approved.elapsed().as_secs_f64();
    teller.done(
        &format!("{name}-answered"),
        &format!("统计局收到结果，自最后批准起 {seconds:.2} 秒"),
        &format!("the statistics bureau has the answer {seconds:.2} s after the last approval"),
    );
    query::wait(&analyst.client, &job, crate::cli::Show { json: true, zh: false })?;
    teller.tell(&query::answer_text(&answer, teller.show));
    let mut answer = answer;
    if let Some(object) = answer.as_object_mut() {
        object.insert("job".into(), Value::String(job));
    }
    Ok((answer, seconds))
}

fn await_approvals(analyst: &Person, job: &str, count: usize) -> Result<(), Fault> {
    for _ in 0..600 {
        let view = analyst.client.get(&format!("/api/jobs/{job}"))?;
        if text(&view, "status") == "rejected" {
            return Err(Fault::new(Code::Rejected, "approvals", text(&view, "reason_en")));
        }
        if items(&view, "approvals").iter().filter(|a| text(a, "state") == "approved").count() >= count {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Err(Fault::new(Code::ApprovalMissing, "approvals", "the nodes did not approve by rule in time"))
}

fn await_job(owner: &Person, job: &str) -> Result<(), Fault> {
    for _ in 0..200 {
        match owner.client.get(&format!("/api/jobs/{job}")) {
            Ok(_) => return Ok(()),
            Err(fault) if fault.code == Code::NotFound => thread::sleep(Duration::from_millis(20)),
            Err(fault) => return Err(fault),
        }
    }
    Err(Fault::new(Code::NotFound, "approve", "the owner's node does not see the proposal"))
}

fn await_answer(analyst: &Person, job: &str, since: Instant) -> Result<Value, Fault> {
    loop {
        match analyst.client.get(&format!("/api/jobs/{job}/result")) {
            Err(fault) if fault.code == Code::NotFound && since.elapsed() < Duration::from_secs(120) => {}
            other => return other,
        }
        let view = analyst.client.get(&format!("/api/jobs/{job}"))?;
        if text(&view, "status") == "aborted" {
            return Err(Fault::new(Code::PeerGone, "joint query", text(&view, "reason_en")));
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// The auditor exports the job's chain, verifies it against the genesis hash, and tries to pass off a changed copy.
fn evidence(demo: &Demo, teller: &mut Teller, job: &str) -> Result<(bool, bool), Fault> {
    teller.doing("审计员导出并离线核验证据", "the auditor exports and verifies the evidence offline");
    let auditor = person(demo, "audit/auditor")?;
    let bundle = auditor.client.bytes(&format!("/api/jobs/{job}/evidence/bundle"))?;
    crate::config::write_file(&demo.dir.join(format!("{job}.evidence")), &bundle, false)?;
    let genesis = demo.genesis.digest();
    let report = notary_evidence::verify(&bundle, Some(&genesis));
    let broken = report.first_broken.clone().unwrap_or_default();
    if report.valid {
        let steps = report.steps.len();
        teller.done(
            "verified",
            &format!("证据离线核验通过，{steps} 个环节"),
            &format!("the evidence holds offline, {steps} links"),
        );
    } else {
        teller.done("not-verified", &format!("证据不成立：{broken}"), &format!("the evidence does not hold: {broken}"));
    }
    // Bytes all over the file; each change alone must be found.
    let mut named = String::new();
    let refused = (0..64).all(|i| {
        let mut copy = bundle.clone();
        let place = i * copy.len() / 64;
        if let Some(byte) = copy.get_mut(place) {
            *byte ^= 1;
        }
        let report = notary_evidence::verify(&copy, Some(&genesis));
        named = report.first_broken.clone().unwrap_or_default();
        !report.valid && report.first_broken.is_some()
    });
    teller.done(
        "tampered",
        &format!("改动一个字节即被拒绝（例如断在“{named}”）"),
        &format!("one changed byte is refused (for one, at '{named}')"),
    );
    Ok((report.valid, refused))
}
