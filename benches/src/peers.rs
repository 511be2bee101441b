//! Other programs that do the same work: run beside ours, if they are installed (`make peers`), by the scripts in
//! `benches/peers`.
//!
//! Each script prints one JSON line a piece of work, with its name and the seconds it took. `HEQI_PEERS` names the folder of
//! their environment, `PEERS=0` goes without them. A peer that fails leaves figures without it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::report::{Figure, Spread};

/// Where the scripts lie.
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers");

/// The installed peers.
pub struct Peers {
    python: PathBuf,
}

impl Peers {
    /// The peers, if they are there and wanted.
    pub fn find() -> Option<Self> {
        if std::env::var("PEERS").is_ok_and(|word| word == "0") {
            return None;
        }
        let named = std::env::var_os("HEQI_PEERS").map(PathBuf::from);
        let usual = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/heqi/peers"));
        let python = named.or_else(usual)?.join("bin/python");
        if !python.exists() {
            eprintln!("there are no peers ({}): `make peers` installs them", python.display());
            return None;
        }
        Some(Self { python })
    }

    /// Runs a script several times: the median of the seconds of every piece of its work, by its name.
    pub fn seconds(&self, script: &str, args: &[&str], times: usize) -> BTreeMap<String, f64> {
        let mut all = BTreeMap::<String, Vec<f64>>::new();
        for _ in 0..times {
            match self.run(script, args) {
                Ok(lines) => {
                    lines.iter().filter_map(told).for_each(|(work, took)| all.entry(work).or_default().push(took))
                }
                Err(why) => eprintln!("a peer failed: {why:#}"),
            }
        }
        all.into_iter().map(|(work, took)| (work, Spread::of(&took).value)).collect()
    }

    fn run(&self, script: &str, args: &[&str]) -> anyhow::Result<Vec<Value>> {
        eprintln!("peer: {script} {}", args.join(" "));
        let out = Command::new(&self.python)
            .arg(Path::new(SCRIPTS).join(script))
            .args(args)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("{script} does not start"))?;
        ensure!(out.status.success(), "{script} ended with {}", out.status);
        let text = String::from_utf8(out.stdout)?;
        eprint!("{text}");
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }
}

/// The work of a line, and its seconds.
fn told(line: &Value) -> Option<(String, f64)> {
    let work = line.get("work").or_else(|| line.get("protocol"))?.as_str()?;
    Some((work.to_owned(), line.get("seconds")?.as_f64()?))
}

/// The figure with a peer's beside it, where there is one.
#[must_use]
pub fn beside(figure: Figure, name: &str, value: Option<f64>) -> Figure {
    match value {
        Some(value) => figure.peer(name, value),
        None => figure,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lines_are_known_by_their_work_or_their_protocol() {
        assert_eq!(told(&json!({"protocol": "rr22", "seconds": 6.2})), Some(("rr22".into(), 6.2)));
        assert_eq!(told(&json!({"protocol": "aby3", "work": "mul", "seconds": 1})), Some(("mul".into(), 1.0)));
        assert_eq!(told(&json!({"protocol": "aby3", "work": "mul"})), None);
    }

    #[test]
    fn a_peer_that_fails_has_no_figures() {
        let peers = Peers { python: "/nowhere/python".into() };
        assert!(peers.seconds("secretflow_psi.py", &[], 2).is_empty());
    }
}
