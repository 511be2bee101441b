//! `heqi doctor`: looks at this machine and this folder and says what to do.

use std::{fs, net::TcpListener, path::Path};

use base_types::fault::Fault;
use ledger_chain::{ChainFault, History};
use ledger_store::Store;
use serde_json::json;

use crate::{
    cli::{Show, now_ms},
    client,
    config::{Config, Folder},
};

struct Finding {
    name: &'static str,
    name_zh: &'static str,
    problem: Option<Fault>,
}

impl Finding {
    fn new(name: &'static str, name_zh: &'static str, problem: Option<Fault>) -> Self {
        Self { name, name_zh, problem }
    }

    fn line(&self, show: Show) -> String {
        let name = show.pick(self.name_zh, self.name);
        self.problem.as_ref().map_or_else(|| format!("✓ {name}"), |p| format!("✗ {name}: {}", p.tell(show.zh)))
    }
}

fn disk_writable(folder: &Path) -> Option<Fault> {
    let probe = folder.join(".doctor");
    // 16 MiB: a ledger's smallest files fit.
    let written = crate::config::write_file(&probe, &vec![0; 16 << 20], true);
    let _ = fs::remove_file(&probe);
    written.err()
}

fn port(address: &str) -> Option<Fault> {
    TcpListener::bind(address).err().map(|e| crate::serve::unheard(address, &e))
}

fn certificate(folder: &Folder) -> Option<Fault> {
    let check = || -> Result<(), Fault> {
        let ca = Folder::read_certificate(&folder.ca_certificate())?;
        let node = Folder::read_certificate(&folder.node_certificate())?;
        crate::serve::check_certificate(&node, &ca, now_ms())
    };
    check().err()
}

/// The ledger's files, read but not changed; a node that has never run has none.
fn stored(folder: &Folder) -> Option<Fault> {
    let path = folder.ledger();
    if !path.join("CURRENT").exists() {
        return None;
    }
    let read = Store::examine(&path);
    read.err().map(|why| ChainFault::from(why).fault(format!("read {}", path.display())))
}

/// What a node does not do, although nothing is wrong with it.
fn note(config: &Config, show: Show) -> Option<&'static str> {
    let pruned = matches!(config.history(), Ok(History::Pruned { .. }));
    pruned.then(|| {
        show.pick(
            "该节点裁剪历史：只提供账本，不运行公证服务",
            "this node prunes history: it serves the ledger and runs no notary",
        )
    })
}

/// Looks, prints what was found, and tells whether all is well.
pub fn run(folder: &Folder, show: Show) -> bool {
    let config = folder.read_config();
    let health = config.as_ref().ok().and_then(client::health);
    let mut findings = vec![
        Finding::new("configuration", "配置", config.as_ref().err().cloned()),
        Finding::new("history", "历史", config.as_ref().ok().and_then(|c| c.history().err())),
        Finding::new("memory", "内存", config.as_ref().ok().and_then(|c| c.memory().err())),
        Finding::new("runs", "任务运行", config.as_ref().ok().and_then(|c| c.runs().err())),
        Finding::new("genesis", "创世文件", folder.read_genesis().err()),
        Finding::new("certificates", "证书", certificate(folder)),
        Finding::new("disk", "磁盘", disk_writable(&folder.0)),
    ];
    let running = health.is_some();
    match health {
        // The node itself knows best how its ledger is.
        Some(health) => findings.push(Finding::new("ledger", "账本", health.err())),
        None => {
            findings.push(Finding::new("ledger", "账本", stored(folder)));
            let addresses = config.iter().flat_map(|c| [&c.control, &c.data, &c.portal]);
            findings.extend(addresses.map(|address| Finding::new("ports", "端口", port(address))));
        }
    }
    let good = findings.iter().all(|f| f.problem.is_none());
    let told = |f: &Finding| {
        let problem = f.problem.as_ref().map(crate::cli::fault_json);
        json!({"name": f.name, "ok": f.problem.is_none(), "problem": problem})
    };
    let list: Vec<_> = findings.iter().map(told).collect();
    let note = config.as_ref().ok().and_then(|c| note(c, show));
    show.value(&json!({"running": running, "good": good, "findings": list, "note": note}), |_| {
        let lines = findings.iter().map(|f| f.line(show)).chain(note.map(|note| format!("· {note}")));
        lines.collect::<Vec<_>>().join("\n")
    });
    good
}
