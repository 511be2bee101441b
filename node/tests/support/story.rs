//! The story's sources, rules and query, and what plain reading of the files answers.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{PURPOSE, People, items, text, until};

/// Deaths and blood pressure by education.
pub const QUERY: &str = "SELECT c.education, COUNT(*) AS people, AVG(h.sbp) AS sbp, \
     SUM(CASE WHEN d.person_id IS NULL THEN 0 ELSE 1 END) AS died FROM census c \
     JOIN health h ON h.person_id = c.person_id LEFT JOIN deaths d ON d.person_id = c.person_id \
     WHERE h.age >= 40 GROUP BY c.education ORDER BY c.education";

/// Who asks.
pub const ANALYST: &str = "statistics/analyst";
/// Who looks at everything that is for all.
pub const AUDITOR: &str = "audit/auditor";
/// Long enough for a slow machine; nothing waits so long where all is well.
pub const SOON: Duration = Duration::from_secs(60);

/// The project's copy of the data.
pub fn data(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/nhefs").join(file)
}

impl People {
    /// An owner registers a file.
    pub fn add_source(&self, org: &str, name: &str, file: &str, classes: &[&str]) {
        let path = data(file);
        let mut arguments = vec!["source", "add", name, "--file", path.to_str().expect("a path")];
        classes.iter().for_each(|class| arguments.extend(["--class", class]));
        self.sign(&format!("{org}/owner"), &arguments).good();
    }

    /// An owner grants the statistics bureau uses of columns.
    pub fn grant(&self, dataset: &str, columns: &str, uses: &str, more: &[&str]) -> Value {
        let owner = format!("{}/owner", dataset.split('/').next().expect("an owner"));
        let mut arguments = vec!["grant", dataset, columns, "--to", "statistics", "--use", uses, "--purpose", PURPOSE];
        arguments.extend(more);
        self.sign(&owner, &arguments).good()
    }

    /// All three sources, and all rules that the query needs but the one on blood pressure.
    pub fn register(&self) {
        self.add_source("health", "health", "health.csv", &["person_id=identity:4", "sbp=health:3"]);
        self.add_source("statistics", "census", "census.parquet", &["person_id=identity:4"]);
        self.add_source("civil", "deaths", "deaths.csv", &["person_id=identity:4"]);
        let holders = ["--holders", "civil,health,statistics", "--min-group", "5", "--approval"];
        let by = |mode: &'static str| [&holders[..], &[mode]].concat();
        self.grant("health/health", "person_id", "encrypted_only", &by("person"));
        self.grant("health/health", "age", "after_compare", &[]);
        self.grant("statistics/census", "person_id", "encrypted_only", &by("auto"));
        self.grant("statistics/census", "education", "after_group_by", &[]);
        self.grant("civil/deaths", "person_id", "encrypted_only,after_compare,after_aggregate", &by("auto"));
        self.await_rules(5);
    }

    /// The rule that [`People::register`] leaves out.
    pub fn grant_pressure(&self) {
        self.grant("health/health", "sbp", "after_aggregate", &[]);
        self.await_rules(6);
    }

    /// Waits until the analyst's node knows so many rules.
    fn await_rules(&self, count: usize) {
        until("the analyst's node sees all rules", SOON, || {
            let known = self.look(ANALYST, &["source", "list", "--all"]).good();
            let rules = items(&known, "sources").iter().map(|source| items(&source["rules"], "rules").len());
            (rules.sum::<usize>() == count).then_some(())
        });
    }

    /// The analyst proposes the query; the job's number.
    pub fn submit(&self) -> String {
        text(&self.sign(ANALYST, &["query", "submit", QUERY]).good(), "job")
    }

    /// A job as a person's node sees it; nothing while it does not know the job.
    pub fn job(&self, person: &str, job: &str) -> Option<Value> {
        let told = self.look(person, &["query", "status", job]);
        if told.code == 0 {
            return Some(told.value);
        }
        told.fault("HQ-7004");
        None
    }

    /// A job's evidence as the auditor's node has it; nothing while that node does not know the job, which others may have ended already.
    pub fn evidence(&self, job: &str) -> Option<Value> {
        let told = self.look(AUDITOR, &["evidence", "show", job]);
        if told.code == 0 {
            return Some(told.value);
        }
        told.fault("HQ-7004");
        None
    }

    /// Waits until so many owners have approved, as the analyst sees it.
    pub fn await_approvals(&self, job: &str, count: usize) -> Value {
        until("approvals by rule", SOON, || {
            let view = self.job(ANALYST, job)?;
            let approved = items(&view, "approvals").iter().filter(|a| a["state"] == "approved").count();
            (approved == count).then_some(view)
        })
    }

    /// The health department's person approves, as soon as the node there knows the proposal.
    pub fn approve(&self, job: &str) {
        until("the owner's node sees the proposal", SOON, || self.job("health/owner", job));
        self.sign("health/owner", &["approve", job]).good();
    }

    /// Waits until a job has this status, as the analyst sees it.
    pub fn await_status(&self, job: &str, status: &str) -> Value {
        self.await_status_for(SOON, job, status)
    }

    /// Waits so long until a job has this status.
    pub fn await_status_for(&self, limit: Duration, job: &str, status: &str) -> Value {
        let end = Instant::now() + limit;
        loop {
            let view = self.job(ANALYST, job).unwrap_or_default();
            if view["status"] == status {
                return view;
            }
            let (is, why) = (&view["status"], &view["reason_en"]);
            assert!(Instant::now() < end, "a job is not {status} within {limit:?}, but {is}: {why}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// A whole query from the proposal to the answer.
    pub fn answer(&self) -> Value {
        let job = self.submit();
        self.await_approvals(&job, 2);
        self.approve(&job);
        self.await_status(&job, "done");
        self.look(ANALYST, &["query", "result", &job]).good()
    }
}

/// A file's rows by column; empty cells are NULL.
pub fn rows(file: &str) -> Vec<BTreeMap<String, Option<i64>>> {
    let content = fs::read_to_string(data(file)).expect("the data");
    let mut lines = content.lines();
    let names: Vec<_> = lines.next().expect("a header").split(',').map(str::to_owned).collect();
    let value = |cell: &str| if cell.is_empty() { None } else { cell.parse::<f64>().ok().map(|v| v as i64) };
    lines.map(|line| names.iter().cloned().zip(line.split(',').map(value)).collect()).collect()
}

/// The query's answer, by loops over the files: education, people, mean pressure to six places, deaths.
pub fn plain_answer() -> Vec<Vec<String>> {
    let key = |row: &BTreeMap<String, Option<i64>>| row["person_id"].expect("a key");
    let health: BTreeMap<_, _> = rows("health.csv").into_iter().map(|row| (key(&row), row)).collect();
    let died: std::collections::BTreeSet<_> = rows("deaths.csv").iter().map(key).collect();
    let mut groups: BTreeMap<i64, (i64, i64, i64, i64)> = BTreeMap::new();
    for person in rows("census.csv") {
        let Some(examined) = health.get(&key(&person)).filter(|row| row["age"].is_some_and(|age| age >= 40)) else {
            continue;
        };
        let group = groups.entry(person["education"].expect("known")).or_default();
        group.0 += 1;
        group.1 += examined["sbp"].unwrap_or(0);
        group.2 += i64::from(examined["sbp"].is_some());
        group.3 += i64::from(died.contains(&key(&person)));
    }
    let line = |(education, (people, sum, known, died)): (i64, (i64, i64, i64, i64))| {
        let millionths = (2 * sum * 1_000_000 + known) / (2 * known);
        let mean = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
        vec![education.to_string(), people.to_string(), mean, died.to_string()]
    };
    groups.into_iter().map(line).collect()
}

/// An answer's cells as text; nothing in this query's answer is suppressed.
pub fn cells(answer: &Value) -> Vec<Vec<String>> {
    let row = |row: &Value| {
        let cells = row.as_array().map_or(&[][..], Vec::as_slice);
        assert!(cells.iter().all(|cell| cell["suppressed"] == false), "{answer}");
        cells.iter().map(|cell| text(cell, "value")).collect()
    };
    items(answer, "rows").iter().map(row).collect()
}
