//! `heqi query`, `heqi approve`, `heqi reject`, `heqi cancel`: from a question to its answer.

use std::{path::PathBuf, thread, time::Duration};

use base_types::{
    Digest, JobId, OrgId,
    fault::{Code, Fault},
};
use base_wire::Decode;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use ledger_vm::notary::{Entry, EntryKind};
use notary_terms::{ProposalBody, Tier};
use serde_json::{Value, json};

use super::{Local, Show, Signed, items, table, text};
use crate::client::Client;

#[derive(Subcommand)]
pub enum QueryCommand {
    /// Show the plan: who reads what, who learns what, what is missing. Nothing is run.
    Check(CheckArgs),
    /// Propose the query to the owners.
    Submit(SubmitArgs),
    /// Where jobs are: all, or one.
    Status(StatusArgs),
    /// The answer, at the receiver's node: printed, or written to a file.
    Result(super::result::ResultArgs),
}

#[derive(Args, Clone)]
struct Sql {
    /// The query, or `@FILE`.
    #[arg(required_unless_present = "program", conflicts_with = "program")]
    sql: Option<String>,
    #[command(flatten)]
    program: super::program::Own,
    /// What it is for.
    #[arg(long, default_value = "health-statistics")]
    purpose: String,
    /// Whose nodes compute aggregates or a program over vectors: three, or the two owners' without a third; by default the node's own three.
    #[arg(long, value_delimiter = ',')]
    nodes: Vec<OrgId>,
    /// The tier that is asked for: a, b, b+, c or d; by default the query's own. `b+` makes aggregates and programs over vectors among three
    /// nodes withstand one that cheats; `a` makes a program of two parties faster, runs one over vectors on two nodes, and trusts both to
    /// follow the protocol.
    #[arg(long)]
    tier: Option<Tier>,
    /// Rows of two owners: match them by a table of the other owner's keys that this node keeps for the next query.
    #[arg(long, conflicts_with = "program")]
    against_published: bool,
}

#[derive(Args)]
pub struct CheckArgs {
    #[command(flatten)]
    sql: Sql,
    #[command(flatten)]
    local: Local,
}

#[derive(Args)]
pub struct SubmitArgs {
    #[command(flatten)]
    sql: Sql,
    /// Wait for the answer and print it.
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    signed: Signed,
}

#[derive(Args)]
pub struct StatusArgs {
    /// The job.
    job: Option<JobId>,
    #[command(flatten)]
    local: Local,
}

#[derive(Args)]
pub struct VoteArgs {
    /// The job.
    job: JobId,
    #[command(flatten)]
    signed: Signed,
}

#[derive(Args)]
pub struct RejectArgs {
    /// The job.
    job: JobId,
    /// Why, for the others.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    signed: Signed,
}

impl Sql {
    fn draft(&self) -> Result<Value, Fault> {
        let sql = match (self.program.text()?, &self.sql) {
            (Some(text), _) => text,
            (None, Some(sql)) => match sql.strip_prefix('@') {
                Some(path) => {
                    let path = PathBuf::from(path);
                    std::fs::read_to_string(&path).map_err(|e| crate::config::bad(&path, &e))?
                }
                None => sql.clone(),
            },
            (None, None) => return Err(Fault::new(Code::BadRequest, "query", "give a query or --program")),
        };
        let sql = if self.against_published { format!("{sql}\nAGAINST PUBLISHED KEYS") } else { sql };
        let tier = self.tier.map(|tier| tier.word().to_lowercase());
        Ok(json!({"sql": sql, "purpose": self.purpose, "nodes": self.nodes, "tier": tier}))
    }
}

pub fn run(command: QueryCommand, show: Show) -> Result<(), Fault> {
    match command {
        QueryCommand::Check(args) => {
            let checked = args.local.client()?.post("/api/queries/check", &args.sql.draft()?)?;
            show.value(&checked, |v| check_text(v, show));
        }
        QueryCommand::Submit(args) => {
            let (client, key) = args.signed.open()?;
            let done = submit(&client, &key, &args.sql.draft()?)?;
            if args.wait {
                let job = text(&done, "job");
                wait(&client, &job, show)?;
                let answer = client.get(&format!("/api/jobs/{job}/result"))?;
                show.value(&answer, |v| answer_text(v, show));
            } else {
                show.value(&done, |v| format!("{} {}", show.pick("已提交，任务", "submitted, job"), text(v, "job")));
            }
        }
        QueryCommand::Status(args) => {
            let client = args.local.client()?;
            match args.job {
                Some(job) => show.value(&client.get(&format!("/api/jobs/{job}"))?, job_text),
                None => show.value(&json!({"jobs": client.get("/api/jobs")?}), jobs_text),
            }
        }
        QueryCommand::Result(args) => super::result::run(&args, show)?,
    }
    Ok(())
}

/// Proposes a query; the answer names the job.
///
/// # Errors
/// A refusal by the rules, or the ledger's.
pub fn submit(client: &Client, key: &base_gm::sm2::SecretKey, draft: &Value) -> Result<Value, Fault> {
    let meant = |entry: &Entry| is_meant(entry, client.person(), draft);
    client.change("/api/queries/prepare", draft, key, EntryKind::Proposed, &meant)
}

/// Whether a proposal is what a draft asks for: by whom, what for and, where the draft names one, in which tier. No node gives
/// a person another tier than was named, nor a program the one in which both parties are trusted unless it was.
fn is_meant(entry: &Entry, person: &str, draft: &Value) -> bool {
    let Ok(proposal) = ProposalBody::from_wire(&entry.body) else { return false };
    let asked = text(draft, "tier");
    let tier = if asked.is_empty() {
        proposal.tier != Tier::A || !planner::is_program(&text(draft, "sql"))
    } else {
        proposal.tier.word().eq_ignore_ascii_case(&asked)
    };
    tier && proposal.analyst.as_str() == person && proposal.purpose == text(draft, "purpose")
}

/// An owner's word on a job, signed here.
///
/// # Errors
/// The ledger's refusal.
pub fn vote(
    client: &Client,
    key: &base_gm::sm2::SecretKey,
    job: Digest,
    rejected: Option<&str>,
) -> Result<Value, Fault> {
    let kind = if rejected.is_some() { EntryKind::Rejected } else { EntryKind::Approved };
    let body = json!({"job": job, "approve": rejected.is_none(), "reason": rejected.unwrap_or_default()});
    client.change("/api/approvals/prepare", &body, key, kind, &|entry| entry.subject == job)
}

/// Calls a job off, signed here.
///
/// # Errors
/// The ledger's refusal.
pub fn call_off(client: &Client, key: &base_gm::sm2::SecretKey, job: Digest, reason: &str) -> Result<Value, Fault> {
    let body = json!({"job": job, "reason": reason});
    let meant = |entry: &Entry| entry.subject == job;
    client.change("/api/cancellations/prepare", &body, key, EntryKind::Cancelled, &meant)
}

/// Waits until a job has ended, with a progress display.
///
/// # Errors
/// The fault that ended it otherwise than planned.
pub fn wait(client: &Client, job: &str, show: Show) -> Result<Value, Fault> {
    let bar = if show.json { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
    bar.set_style(ProgressStyle::default_spinner());
    bar.enable_steady_tick(Duration::from_millis(100));
    loop {
        let view = client.get(&format!("/api/jobs/{job}"))?;
        let status = text(&view, "status");
        let waiting: Vec<_> = items(&view, "approvals")
            .iter()
            .filter(|a| text(a, "state") == "waiting")
            .map(|a| text(a, "org"))
            .collect();
        bar.set_message(format!("{status} {}", waiting.join(", ")));
        let code = match status.as_str() {
            "done" => return Ok(view),
            "rejected" => Code::Rejected,
            "expired" => Code::ProposalExpired,
            "cancelled" => Code::Cancelled,
            "aborted" => named(&text(&view, "reason_en")),
            _ => {
                thread::sleep(Duration::from_millis(100));
                continue;
            }
        };
        return Err(Fault::new(code, format!("job {job}"), text(&view, "reason_en")));
    }
}

/// The code that a reason begins with.
fn named(reason: &str) -> Code {
    let number = reason.split(' ').next().unwrap_or_default();
    Code::ALL.iter().copied().find(|c| c.number() == number).unwrap_or(Code::Internal)
}

pub fn approve(args: &VoteArgs, show: Show) -> Result<(), Fault> {
    let (client, key) = args.signed.open()?;
    let done = vote(&client, &key, args.job, None)?;
    show.value(&done, |v| format!("{} {}", show.pick("已批准，高度", "approved at height"), text(v, "height")));
    Ok(())
}

pub fn reject(args: &RejectArgs, show: Show) -> Result<(), Fault> {
    let (client, key) = args.signed.open()?;
    let done = vote(&client, &key, args.job, Some(&args.reason))?;
    show.value(&done, |v| format!("{} {}", show.pick("已拒绝，高度", "rejected at height"), text(v, "height")));
    Ok(())
}

pub fn cancel(args: &RejectArgs, show: Show) -> Result<(), Fault> {
    let (client, key) = args.signed.open()?;
    let done = call_off(&client, &key, args.job, &args.reason)?;
    show.value(&done, |v| format!("{} {}", show.pick("已取消，高度", "called off at height"), text(v, "height")));
    Ok(())
}

/// The answer as a table; suppressed cells say so.
pub fn answer_text(answer: &Value, show: Show) -> String {
    let names = items(answer, "columns").iter().map(|c| c.as_str().unwrap_or_default().to_owned()).collect();
    let mut rows: Vec<Vec<String>> = vec![names];
    for row in answer.get("rows").and_then(Value::as_array).map_or(&[][..], Vec::as_slice) {
        let cell = |c: &Value| {
            if c.get("suppressed") == Some(&Value::Bool(true)) {
                return show.pick("已抑制", "suppressed").to_owned();
            }
            c.get("value").and_then(Value::as_str).map_or_else(|| "NULL".to_owned(), ToOwned::to_owned)
        };
        rows.push(row.as_array().map_or(&[][..], Vec::as_slice).iter().map(cell).collect());
    }
    table(&rows)
}

fn check_text(checked: &Value, show: Show) -> String {
    let language = show.pick("zh", "en");
    let mut lines = vec![];
    if let Some(explanation) = checked.get("explanation").filter(|e| !e.is_null()) {
        lines.push(super::plan::explanation(explanation, show));
    }
    for missing in items(checked, "missing") {
        lines.push(text(missing, &format!("text_{language}")));
    }
    if let Some(fault) = checked.get("fault").filter(|f| !f.is_null()) {
        lines.push(text(fault, &format!("message_{language}")));
    }
    let verdict = if checked.get("allowed") == Some(&Value::Bool(true)) {
        show.pick("允许：可以提交。", "Allowed: it can be submitted.")
    } else {
        show.pick("不允许。", "Not allowed.")
    };
    lines.push(verdict.to_owned());
    lines.join("\n")
}

fn jobs_text(jobs: &Value) -> String {
    let mut rows = vec![["job", "status", "analyst", "purpose", "data sets"].map(ToOwned::to_owned).to_vec()];
    for job in items(jobs, "jobs") {
        let datasets: Vec<_> = items(job, "datasets").iter().filter_map(Value::as_str).collect();
        let mut row = ["id", "status", "analyst", "purpose"].map(|f| text(job, f)).to_vec();
        row.push(datasets.join(","));
        rows.push(row);
    }
    table(&rows)
}

fn job_text(job: &Value) -> String {
    let mut lines = vec![format!("{}  {}", text(job, "id"), text(job, "status"))];
    for approval in items(job, "approvals") {
        lines.push(format!("  {}: {} {}", text(approval, "org"), text(approval, "state"), text(approval, "reason")));
    }
    for entry in items(job, "timeline") {
        lines.push(format!("  {:>6}  {}  {}", text(entry, "height"), text(entry, "kind"), text(entry, "sender")));
    }
    let reason = text(job, "reason_en");
    if !reason.is_empty() {
        lines.push(reason);
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use base_gm::envelope::Sealed;
    use base_wire::Encode;

    use super::*;

    #[test]
    fn a_proposal_in_another_tier_than_was_named_is_not_what_was_meant() {
        let prepared = |tier: Tier| {
            let body = ProposalBody {
                sealed_plan: Sealed { recipients: vec![], nonce: [0; 12], cipher: vec![] },
                analyst: "statistics/analyst".parse().unwrap(),
                receiver: "statistics".parse().unwrap(),
                nodes: vec![],
                purpose: "audit".into(),
                datasets: vec![],
                tier,
            };
            let (kind, body) = (EntryKind::Proposed, body.to_wire());
            Entry { subject: Digest([1; 32]), kind, attempt: 0, parties: vec![], expires: 9_000, body }
        };
        let person = "statistics/analyst";
        let draft = |tier: Option<&str>| json!({"sql": "", "purpose": "audit", "nodes": [], "tier": tier});
        assert!(is_meant(&prepared(Tier::BPlus), person, &draft(Some("b+"))));
        assert!(!is_meant(&prepared(Tier::B), person, &draft(Some("b+"))));
        assert!(!is_meant(&prepared(Tier::A), person, &draft(Some("c"))));
        assert!(
            is_meant(&prepared(Tier::B), person, &draft(None))
                && is_meant(&prepared(Tier::B), person, &json!({"purpose": "audit"}))
        );
        // Of aggregates between two owners it is the only one.
        let unasked = |sql: &str| is_meant(&prepared(Tier::A), person, &json!({"sql": sql, "purpose": "audit"}));
        assert!(unasked("SELECT COUNT(*) FROM a") && !unasked(" compute VECTORS $$") && !unasked("COMPUTE $$"));
        assert!(!is_meant(&prepared(Tier::B), "statistics/owner", &draft(None)));
        assert!(!is_meant(&prepared(Tier::B), person, &json!({"purpose": "research"})));
    }
}
