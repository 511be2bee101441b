//! `heqi doctor`: looks at this machine and this folder and says what to do.

use std::{fs, net::TcpListener, path::Path};

use base_types::fault::{Code, Fault};
use serde_json::json;

use crate::{
    cli::{Show, now_ms},
    config::Folder,
};

struct Finding {
    name: &'static str,
    name_zh: &'static str,
    problem: Option<Fault>,
}

fn disk_writable(folder: &Path) -> Option<Fault> {
    let probe = folder.join(".doctor");
    // 16 MiB: a ledger's smallest files fit.
    let written = crate::config::write_file(&probe, &vec![0; 16 << 20], true);
    let _ = fs::remove_file(&probe);
    written.err()
}

fn port(address: &str, running: bool) -> Option<Fault> {
    if running {
        return None;
    }
    let taken = |e: std::io::Error| Fault::new(Code::BadRequest, format!("listen on {address}"), e.to_string());
    TcpListener::bind(address).err().map(taken)
}

fn certificate(folder: &Folder) -> Option<Fault> {
    let check = || -> Result<(), Fault> {
        let ca = Folder::read_certificate(&folder.ca_certificate())?;
        let node = Folder::read_certificate(&folder.node_certificate())?;
        crate::serve::check_certificate(&node, &ca, now_ms())
    };
    check().err()
}

/// Looks, and prints what was found.
///
/// # Errors
/// The first problem, after all have been printed.
pub fn run(folder: &Folder, show: Show) -> Result<(), Fault> {
    let config = folder.read_config();
    let running = config.as_ref().is_ok_and(|c| ureq::get(format!("http://{}/api/health", c.portal)).call().is_ok());
    let mut findings = vec![
        Finding { name: "configuration", name_zh: "配置", problem: config.as_ref().err().cloned() },
        Finding { name: "genesis", name_zh: "创世文件", problem: folder.read_genesis().err() },
        Finding { name: "certificates", name_zh: "证书", problem: certificate(folder) },
        Finding { name: "disk", name_zh: "磁盘", problem: disk_writable(&folder.0) },
    ];
    if let Ok(config) = &config {
        for address in [&config.control, &config.data, &config.portal] {
            findings.push(Finding { name: "ports", name_zh: "端口", problem: port(address, running) });
        }
    }
    let list: Vec<_> = findings
        .iter()
        .map(|f| json!({"name": f.name, "ok": f.problem.is_none(), "problem": f.problem.as_ref().map(crate::cli::fault_json)}))
        .collect();
    show.value(&json!({"running": running, "findings": list}), |_| {
        let line = |f: &Finding| {
            let name = show.pick(f.name_zh, f.name);
            f.problem.as_ref().map_or_else(|| format!("✓ {name}"), |p| format!("✗ {name}: {}", p.tell(show.zh)))
        };
        findings.iter().map(line).collect::<Vec<_>>().join("\n")
    });
    findings.into_iter().find_map(|f| f.problem).map_or(Ok(()), Err)
}
