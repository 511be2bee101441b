//! `heqi evidence`: a job's chain, its export, and verification offline.

use std::path::PathBuf;

use base_types::{
    Digest, JobId,
    fault::{Code, Fault},
};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Local, Show, items, table, text};

#[derive(Subcommand)]
pub enum EvidenceCommand {
    /// List a job's entries on the ledger and whether they verify.
    Show(ShowArgs),
    /// Write a job's evidence into a file that verifies offline.
    Export(ExportArgs),
    /// Verify such a file; needs no node and no network.
    Verify(VerifyArgs),
}

#[derive(Args)]
pub struct ShowArgs {
    /// The job.
    job: JobId,
    #[command(flatten)]
    local: Local,
}

#[derive(Args)]
pub struct ExportArgs {
    /// The job.
    job: JobId,
    /// The file to write.
    #[arg(long, short)]
    out: PathBuf,
    #[command(flatten)]
    local: Local,
}

#[derive(Args)]
pub struct VerifyArgs {
    /// The evidence file.
    file: PathBuf,
    /// The chain's genesis hash as you know it; without it the verdict is 'unanchored'.
    #[arg(long)]
    genesis: Option<Digest>,
}

pub fn run(command: EvidenceCommand, show: Show) -> Result<(), Fault> {
    match command {
        EvidenceCommand::Show(args) => {
            let evidence = args.local.client()?.get(&format!("/api/jobs/{}/evidence", args.job))?;
            show.value(&evidence, |v| records_text(v, show));
            Ok(())
        }
        EvidenceCommand::Export(args) => {
            let bytes = args.local.client()?.bytes(&format!("/api/jobs/{}/evidence/bundle", args.job))?;
            crate::config::write_file(&args.out, &bytes, false)?;
            show.value(&json!({"file": args.out, "bytes": bytes.len()}), |_| {
                format!("{} ({} bytes)", args.out.display(), bytes.len())
            });
            Ok(())
        }
        EvidenceCommand::Verify(args) => verify(&args, show),
    }
}

fn verify(args: &VerifyArgs, show: Show) -> Result<(), Fault> {
    let bytes = std::fs::read(&args.file).map_err(|e| crate::config::bad(&args.file, &e))?;
    let report = notary_evidence::verify(&bytes, args.genesis.as_ref());
    let value = serde_json::to_value(&report).map_err(|e| Fault::new(Code::Internal, "verify", e.to_string()))?;
    if report.valid {
        show.value(&value, |v| report_text(v, show));
        return Ok(());
    }
    if !show.json {
        show.value(&value, |v| report_text(v, show));
    }
    let broken = report.first_broken.clone().unwrap_or_default();
    let why = report.steps.last().map(|s| s.detail.clone()).unwrap_or_default();
    Err(Fault::new(Code::EvidenceInvalid, format!("link '{broken}'"), why))
}

fn report_text(report: &Value, show: Show) -> String {
    let mut lines = vec![];
    for step in items(report, "steps") {
        let name = text(step, show.pick("name_zh", "name"));
        let mark = if step.get("ok") == Some(&Value::Bool(true)) { "✓" } else { "✗" };
        lines.push(format!("{mark} {name}: {}", text(step, "detail")));
    }
    let valid = report.get("valid") == Some(&Value::Bool(true));
    let anchored = report.get("anchored") == Some(&Value::Bool(true));
    lines.push(
        match (valid, anchored) {
            (true, true) => show.pick("证据成立。", "The evidence holds."),
            (true, false) => show.pick("证据自洽，但未锚定。", "The evidence agrees with itself, but is unanchored."),
            (false, _) => show.pick("证据不成立。", "The evidence does not hold."),
        }
        .to_owned(),
    );
    lines.join("\n")
}

fn records_text(evidence: &Value, show: Show) -> String {
    let mut rows = Vec::new();
    for record in items(evidence, "records") {
        rows.push(vec![
            text(record, "height"),
            text(record, "sender"),
            text(record, show.pick("text_zh", "text_en")),
            text(record, "transaction").chars().take(16).collect(),
        ]);
    }
    let verdict = evidence.get("verdict").cloned().unwrap_or_default();
    let valid = verdict.get("valid") == Some(&Value::Bool(true));
    let said = if valid { show.pick("核验通过", "verified") } else { show.pick("核验失败", "NOT verified") };
    format!("{}\n{said} {}", table(&rows), text(&verdict, "first_broken"))
}
