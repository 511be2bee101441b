//! `heqi demo`: four departments as four processes on this machine, from the first key to the verified evidence.

mod found;
mod nodes;
mod plain;
mod story;

use std::path::PathBuf;

use base_types::fault::{Code, Fault};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::{cli::Show, config::Folder};

#[derive(Args)]
pub struct DemoArgs {
    /// The demo's folder; an old one is gone on with.
    #[arg(long, default_value = "demo", value_name = "DIR")]
    dir: PathBuf,
    /// End after the story instead of staying up.
    #[arg(long)]
    once: bool,
    /// Keep the civil affairs department's table in this PostgreSQL instead of SQLite.
    #[arg(long, env = "DATABASE_URL", value_name = "URL")]
    database_url: Option<String>,
}

/// What the story tells while it runs.
pub struct Teller {
    show: Show,
    bar: ProgressBar,
    events: Vec<Value>,
    begun: std::time::Instant,
}

impl Teller {
    fn new(show: Show) -> Self {
        let bar = if show.json { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
        bar.set_style(
            ProgressStyle::with_template("{spinner} {msg} ({elapsed})").unwrap_or(ProgressStyle::default_spinner()),
        );
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        Self { show, bar, events: Vec::new(), begun: std::time::Instant::now() }
    }

    /// A step begins.
    fn doing(&self, zh: &str, en: &str) {
        self.bar.set_message(self.show.pick(zh, en).to_owned());
    }

    /// A step is done.
    fn done(&mut self, name: &str, zh: &str, en: &str) {
        let at = self.begun.elapsed().as_millis() as u64;
        self.events.push(json!({"event": name, "at_ms": at, "text_zh": zh, "text_en": en}));
        if !self.show.json {
            self.line(&format!("✓ {}", self.show.pick(zh, en)));
        }
    }

    /// Shows a table or a block of text below the last step.
    fn tell(&self, text: &str) {
        if !self.show.json {
            self.line(text);
        }
    }

    /// Above the moving line where there is a terminal, plainly where there is none.
    fn line(&self, text: &str) {
        if self.bar.is_hidden() {
            eprintln!("{text}");
        } else {
            self.bar.println(text);
        }
    }
}

/// Founds or finds the four nodes, runs the story, and stays up unless `--once`.
///
/// # Errors
/// The first fault; a story whose checks fail is one too.
pub fn run(args: DemoArgs, show: Show) -> Result<(), Fault> {
    std::fs::create_dir_all(&args.dir).map_err(|e| crate::config::unwritten(&args.dir, &e))?;
    let dir = std::path::absolute(&args.dir).map_err(|e| crate::config::unwritten(&args.dir, &e))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Fault::new(Code::Internal, "demo", e.to_string()))?;
    let mut teller = Teller::new(show);
    teller.doing("准备密钥、证书与创世块", "making keys, certificates and genesis");
    let demo = found::open(&Folder(dir), args.database_url.as_deref(), &runtime)?;
    teller.done("founded", "四个部门的密钥、证书与创世块就绪", "keys, certificates and genesis of four departments");
    teller.doing("启动四个节点", "starting four nodes");
    let nodes = nodes::start(&demo)?;
    teller.done("started", "四个节点已启动并达成共识", "four nodes are up and certify blocks");
    let mut report = story::tell(&demo, &nodes, &mut teller, &runtime)?;
    if let Some(report) = report.as_object_mut() {
        report.insert("events".into(), Value::Array(std::mem::take(&mut teller.events)));
        report.insert("portals".into(), nodes.portals());
    }
    teller.bar.finish_and_clear();
    let held = ["result_matches_plaintext", "evidence_verified", "tampered_evidence_refused"]
        .iter()
        .all(|check| report.get(*check) == Some(&Value::Bool(true)));
    show.value(&report, |report| nodes.text(report, show));
    if !held {
        return Err(Fault::new(Code::Internal, "demo", "a check of the story failed; see the report"));
    }
    if !args.once {
        nodes.wait(show);
    }
    Ok(())
}
