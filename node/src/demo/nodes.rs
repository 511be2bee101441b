//! The four nodes as child processes of the demo.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use base_types::fault::{Code, Fault};
use serde_json::{Value, json};

use super::found::Demo;
use crate::{
    cli::{Show, items, text},
    client::Client,
    config::unwritten,
};

struct Node {
    org: &'static str,
    process: Child,
    announced: Value,
    page_seconds: f64,
}

/// The running nodes; dropping them ends the processes.
pub struct Nodes(Vec<Node>);

impl Drop for Nodes {
    fn drop(&mut self) {
        // The end of its input asks a node to end; so it does also when this process is killed.
        for node in &mut self.0 {
            drop(node.process.stdin.take());
        }
        let patience = Instant::now() + Duration::from_secs(5);
        for node in &mut self.0 {
            while Instant::now() < patience && matches!(node.process.try_wait(), Ok(None)) {
                thread::sleep(Duration::from_millis(20));
            }
            // The ledger survives it: what was acknowledged is on the disk.
            let _ = node.process.kill();
            let _ = node.process.wait();
        }
    }
}

/// Starts all four and waits until each portal answers and the first block is certified.
pub fn start(demo: &Demo) -> Result<Nodes, Fault> {
    let program = std::env::current_exe().map_err(|e| Fault::new(Code::Internal, "demo", e.to_string()))?;
    let mut nodes = Nodes(Vec::new());
    let began = Instant::now();
    for org in Demo::orgs() {
        let folder = demo.node(org);
        let log_path = folder.0.join("node.log");
        let log = File::options().create(true).append(true).open(&log_path).map_err(|e| unwritten(&log_path, &e))?;
        let _ = std::fs::remove_file(folder.token());
        let process = Command::new(&program)
            .args(["--json", "node", "--until-input-ends", "--dir"])
            .arg(&folder.0)
            .arg("--password-file")
            .arg(&demo.password_file)
            .env_remove("DATABASE_URL")
            .envs(demo.database_url.as_ref().map(|url| ("HEQI_DEMO_DATABASE_URL", url)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(|e| Fault::new(Code::Internal, "start node", e.to_string()))?;
        nodes.0.push(Node { org, process, announced: Value::Null, page_seconds: 0.0 });
    }
    for node in &mut nodes.0 {
        let out = node.process.stdout.take();
        let mut line = String::new();
        if let Some(out) = out {
            let _ = BufReader::new(out).read_line(&mut line);
        }
        let announced: Value = serde_json::from_str(&line).unwrap_or_default();
        if announced.get("portal").is_none() {
            let log = demo.node(node.org).0.join("node.log");
            let why = format!("the node of {} did not start: {} (log: {})", node.org, line.trim(), log.display());
            return Err(Fault::new(Code::Internal, "start node", why));
        }
        // The first page, as a browser asks for it.
        let page = ureq::get(text(&announced, "portal")).call().is_ok_and(|page| page.status() == 200);
        if !page {
            return Err(Fault::new(Code::Internal, "start node", format!("the portal of {} shows no page", node.org)));
        }
        node.page_seconds = began.elapsed().as_secs_f64();
        node.announced = announced;
    }
    await_chain(demo)?;
    Ok(nodes)
}

fn await_chain(demo: &Demo) -> Result<(), Fault> {
    let began = Instant::now();
    for org in Demo::orgs() {
        let folder = demo.node(org);
        loop {
            let asked = Client::local(&folder, &format!("{org}/operator")).and_then(|c| c.get("/api/health"));
            match asked {
                Ok(health) if text(&health, "status") == "ok" => break,
                Ok(_) | Err(_) if began.elapsed() < Duration::from_secs(60) => thread::sleep(Duration::from_millis(50)),
                Ok(health) => return Err(Fault::new(Code::NoQuorum, "start", text(&health, "status"))),
                Err(fault) => return Err(fault),
            }
        }
    }
    Ok(())
}

impl Nodes {
    /// Each department's portal and one-time login links.
    pub fn portals(&self) -> Value {
        Value::Array(self.0.iter().map(|n| n.announced.clone()).collect())
    }

    /// Seconds from the start of the processes to the last portal's first page.
    pub fn first_page_seconds(&self) -> f64 {
        self.0.iter().map(|n| n.page_seconds).fold(0.0, f64::max)
    }

    /// The report for people.
    pub fn text(&self, report: &Value, show: Show) -> String {
        let mut lines = vec![
            format!(
                "{}: {} | {}: {} | {}: {} s | {} {} | {} {}",
                show.pick("结果与明文一致", "equals the plain database"),
                text(report, "result_matches_plaintext"),
                show.pick("证据核验", "evidence verified"),
                text(report, "evidence_verified"),
                show.pick("联合查询", "joint query"),
                text(report, "joint_query_seconds"),
                text(report, "blocks"),
                show.pick("个区块", "blocks"),
                text(report, "transactions"),
                show.pick("笔交易", "transactions"),
            ),
            String::new(),
        ];
        for portal in items(report, "portals") {
            lines.push(format!("{}  {}", text(portal, "org"), text(portal, "portal")));
            for login in items(portal, "logins") {
                lines.push(format!("    {}  {}", text(login, "person"), text(login, "link")));
            }
        }
        lines.join("\n")
    }

    /// Stays until Ctrl-C, or until a node ends.
    pub fn wait(mut self, show: Show) {
        eprintln!("{}", show.pick("节点保持运行，按 Ctrl-C 结束。", "The nodes stay up; Ctrl-C ends them."));
        loop {
            thread::sleep(Duration::from_millis(300));
            for node in &mut self.0 {
                if let Ok(Some(status)) = node.process.try_wait() {
                    eprintln!("{}: {status}", json!(node.org));
                    return;
                }
            }
        }
    }
}
