//! A node's folder: one small configuration file, certificates, encrypted keys, data.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use base_gm::{cert::Certificate, keyfile, sm2::SecretKey};
use base_secret::Password;
use base_types::{
    OrgId,
    fault::{Code, Fault},
};
use base_wire::Decode;
use ledger_chain::{History, Options};
use ledger_light::Genesis;
use serde::{Deserialize, Serialize};

use crate::files::{make_folder, rename};

mod runs;

/// Memory that a setting may grant, in MiB.
const MEMORY_MIB: RangeInclusive<u32> = 1..=65_536;

/// `node.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// This organisation.
    pub org: OrgId,
    /// Control plane, `host:port`.
    pub control: String,
    /// Data links, `host:port`.
    pub data: String,
    /// Portal, `host:port`; loopback unless a proxy with TLS stands before it.
    pub portal: String,
    /// The three nodes that compute jointly unless a query names others; two where there is no third.
    pub compute: Vec<OrgId>,
    /// Purposes that queries may name.
    pub purposes: Vec<String>,
    /// How long a party may be silent in a run, in seconds.
    #[serde(default = "default_silence")]
    pub silence_seconds: u64,
    /// Where the ledger's clients on this machine connect over gRPC, a loopback `host:port`; absent, on a free port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<String>,
    /// Where others find this node, told them by the ledger; absent, they know from their own configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announce: Option<Peer>,
    /// Where metrics are served without a login, a loopback `host:port` unless a monitor elsewhere asks; absent, nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<String>,
    /// The collector that traces are sent to (OTLP over gRPC), `http://host:port`; absent, none are made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traces: Option<String>,
    /// How much of the ledger's past is kept: `archive`, or `pruned:HEIGHTS` for a node that serves the ledger alone and runs
    /// no notary; absent, an archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<String>,
    /// Memory for the tables by which signatures of known keys are verified fast, in MiB, 1 to 65,536; about 6 keys a MiB, 256
    /// when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_tables_mib: Option<u32>,
    /// Memory in which the state's tree is held, in MiB, 1 to 65,536; a million keys take 140, 192 when absent. Newest values take
    /// up to three quarters as much again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_cache_mib: Option<u32>,
    /// Memory that runs of jobs may take together, about, in MiB, 1 to 1,048,576; 4,096 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs_memory_mib: Option<u32>,
    /// How many runs of jobs go on at a time, 1 to 1,024; 8 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs_at_once: Option<u32>,
    /// How fast the stored ledger is checked for damage while the node runs, in MiB a second; 4 when absent, 0 for no check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrub_mib: Option<u32>,
    /// The other nodes.
    pub peers: BTreeMap<OrgId, Peer>,
}

fn default_silence() -> u64 {
    20
}

/// Memory that `node.toml` grants, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// For tables of public keys; absent, their own default.
    pub key_tables: Option<usize>,
    /// For the state's tree; newest values take up to three quarters as much again.
    pub state_cache: usize,
}

impl Config {
    /// How much memory is granted.
    ///
    /// # Errors
    /// [`Code::BadRequest`] naming the setting that is out of its range.
    pub fn memory(&self) -> Result<Memory, Fault> {
        let bytes = |name: &str, mib: Option<u32>| match mib {
            Some(mib) if !MEMORY_MIB.contains(&mib) => {
                let (least, most) = (MEMORY_MIB.start(), MEMORY_MIB.end());
                let why = format!("{name} = {mib} is not between {least} and {most}");
                Err(Fault::new(Code::BadRequest, "read node.toml", why))
            }
            mib => Ok(mib.map(|mib| (mib as usize).saturating_mul(1 << 20))),
        };
        let key_tables = bytes("key_tables_mib", self.key_tables_mib)?;
        let state_cache = bytes("state_cache_mib", self.state_cache_mib)?;
        Ok(Memory { key_tables, state_cache: state_cache.unwrap_or_else(|| Options::default().state_cache) })
    }

    /// How much of the ledger's past this node keeps.
    ///
    /// # Errors
    /// [`Code::BadRequest`] for a word that means nothing, and for a pruned node that is to compute: it does not know the
    /// entries that jobs are made of.
    pub fn history(&self) -> Result<History, Fault> {
        let wrong = |why: String| Err(Fault::new(Code::BadRequest, "read node.toml", format!("history: {why}")));
        let word = self.history.as_deref().unwrap_or("archive");
        if word == "archive" {
            return Ok(History::All);
        }
        match word.strip_prefix("pruned:").map(str::parse::<u64>) {
            Some(Ok(keep)) if !self.compute.contains(&self.org) => Ok(History::Pruned { keep }),
            Some(Ok(_)) => wrong("a node that computes runs a notary, which needs every entry: keep an archive".into()),
            _ => wrong(format!("'{word}' is neither 'archive' nor 'pruned:' and a number of heights")),
        }
    }

    /// Bytes a second of the stored ledger that are checked for damage while the node runs.
    pub fn scrub_bytes(&self) -> u64 {
        self.scrub_mib.map_or_else(|| Options::default().scrub_bytes, |mib| u64::from(mib) << 20)
    }
}

/// Another node's addresses.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// Its control plane.
    pub control: String,
    /// Its data links.
    pub data: String,
}

/// A node's folder.
#[derive(Debug, Clone)]
pub struct Folder(pub PathBuf);

impl Folder {
    /// Configuration.
    pub fn config(&self) -> PathBuf {
        self.0.join("node.toml")
    }
    /// Genesis.
    pub fn genesis(&self) -> PathBuf {
        self.0.join("genesis.bin")
    }
    /// The node's key, encrypted.
    pub fn node_key(&self) -> PathBuf {
        self.0.join("keys/node.key.json")
    }
    /// The node's former keys, encrypted, which `heqi init renew` moved aside.
    pub fn former_node_keys(&self) -> Vec<PathBuf> {
        let former = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with("node.key.old-") && name.ends_with(".json"))
        };
        let found = fs::read_dir(self.0.join("keys")).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = found.map(|entry| entry.path()).filter(former).collect();
        paths.sort();
        paths
    }
    /// The organisation's CA key, encrypted; may be taken offline after use.
    pub fn ca_key(&self) -> PathBuf {
        self.0.join("keys/ca.key.json")
    }
    /// The organisation's CA certificate.
    pub fn ca_certificate(&self) -> PathBuf {
        self.0.join("ca.pem")
    }
    /// The node's certificate.
    pub fn node_certificate(&self) -> PathBuf {
        self.0.join("node.pem")
    }
    /// What the organisation gives to the others: names, certificates, keys, addresses.
    pub fn card(&self) -> PathBuf {
        self.0.join("organisation.json")
    }
    /// The ledger.
    pub fn ledger(&self) -> PathBuf {
        self.0.join("data/ledger")
    }
    /// Where a backup lies until it takes the ledger's place.
    pub fn restoring(&self) -> PathBuf {
        self.0.join("data/ledger.restoring")
    }
    /// Where a ledger is moved that is damaged.
    pub fn damaged(&self, number: u32) -> PathBuf {
        self.0.join(format!("data/ledger.damaged-{number}"))
    }
    /// Whether another ledger lay here: it was moved aside, or a backup was to take its place.
    pub fn had_ledger(&self) -> bool {
        let beside = fs::read_dir(self.0.join("data")).into_iter().flatten().flatten();
        let mut names = beside.filter_map(|entry| entry.file_name().into_string().ok());
        names.any(|name| name.starts_with("ledger.damaged-") || name == "ledger.restoring")
    }
    /// Tables of published keys, made and fetched.
    pub fn tables(&self) -> PathBuf {
        self.0.join("data/tables")
    }
    /// Past alarms, a line each.
    pub fn alarms(&self) -> PathBuf {
        self.0.join("data/alarms.jsonl")
    }
    /// Registered sources' locations.
    pub fn sources(&self) -> PathBuf {
        self.0.join("sources.json")
    }
    /// Answers this organisation received, encrypted to the node's key.
    pub fn results(&self) -> PathBuf {
        self.0.join("data/results")
    }
    /// What runs keep outside memory, as long as they last.
    pub fn scratch(&self) -> PathBuf {
        self.0.join("data/scratch")
    }
    /// Where the ledger's clients on this machine connect, as long as the node runs.
    pub fn ledger_address(&self) -> PathBuf {
        self.0.join("data/ledger.address")
    }
    /// The token that the command line shows the portal; readable by this user only.
    pub fn token(&self) -> PathBuf {
        self.0.join("data/local.token")
    }

    /// Reads `node.toml`.
    ///
    /// # Errors
    /// [`Code::NotFound`] or [`Code::BadRequest`] naming the file.
    pub fn read_config(&self) -> Result<Config, Fault> {
        let path = self.config();
        let text = fs::read_to_string(&path).map_err(|e| unread(&path, &e))?;
        toml::from_str(&text).map_err(|e| bad(&path, &e))
    }

    /// Reads the genesis.
    ///
    /// # Errors
    /// [`Code::NotFound`] or [`Code::BadRequest`] naming the file.
    pub fn read_genesis(&self) -> Result<Genesis, Fault> {
        let path = self.genesis();
        let bytes = fs::read(&path).map_err(|e| unread(&path, &e))?;
        Genesis::from_wire(&bytes).map_err(|e| bad(&path, &e))
    }

    /// Reads what the organisation gives to the others.
    ///
    /// # Errors
    /// [`Code::NotFound`] or [`Code::BadRequest`] naming the file.
    pub fn read_card(&self) -> Result<crate::init::Card, Fault> {
        let path = self.card();
        let bytes = fs::read(&path).map_err(|e| unread(&path, &e))?;
        serde_json::from_slice(&bytes).map_err(|e| bad(&path, &e))
    }

    /// Reads a certificate.
    ///
    /// # Errors
    /// [`Code::CertificateInvalid`] naming the file.
    pub fn read_certificate(path: &Path) -> Result<Certificate, Fault> {
        let text = fs::read_to_string(path).map_err(|e| unread(path, &e))?;
        Certificate::from_pem(&text)
            .map_err(|e| Fault::new(Code::CertificateInvalid, format!("read {}", path.display()), e.to_string()))
    }
}

/// Reads a key file.
///
/// # Errors
/// [`Code::WrongPassword`].
pub fn read_key(path: &Path, password: &Password) -> Result<(String, SecretKey), Fault> {
    keyfile::read(path, password)
        .map_err(|e| Fault::new(Code::WrongPassword, format!("open {}", path.display()), e.to_string()))
}

/// A file of a node's folder that cannot be read; a missing one is told apart.
pub fn unread(path: &Path, why: &std::io::Error) -> Fault {
    if why.kind() == std::io::ErrorKind::NotFound {
        let why = format!("{} is missing; `heqi init` makes a node's folder", path.display());
        return Fault::new(Code::NotFound, "open the node's folder", why);
    }
    bad(path, why)
}

/// A malformed or missing file.
pub fn bad(path: &Path, why: &dyn std::fmt::Display) -> Fault {
    Fault::new(Code::BadRequest, format!("read {}", path.display()), why.to_string())
}

/// A file that could not be written; a full disk is told apart.
pub fn unwritten(path: &Path, why: &std::io::Error) -> Fault {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    let full = matches!(why.kind(), StorageFull | QuotaExceeded | FileTooLarge);
    let code = if full { Code::DiskFull } else { Code::Internal };
    Fault::new(code, format!("write {}", path.display()), why.to_string())
}

/// Writes a file whole or not at all, and on the disk under its name when this returns: temporary file, fsync, rename, fsync
/// of the folder. `private` files are readable by this user only.
///
/// # Errors
/// [`Code::DiskFull`] or [`Code::Internal`]; the old file stays, unless only the new one's name may not last.
pub fn write_file(path: &Path, bytes: &[u8], private: bool) -> Result<(), Fault> {
    let write = || -> std::io::Result<()> {
        if let Some(parent) = path.parent() {
            make_folder(parent)?;
        }
        // Beside it, under a name that no other file's writer uses.
        let mut temporary = path.file_name().unwrap_or_default().to_owned();
        temporary.push(".part");
        let temporary = path.with_file_name(temporary);
        // What a killed process left there, or somebody else put there, keeps its own mode or leads elsewhere.
        if let Err(why) = fs::remove_file(&temporary)
            && why.kind() != std::io::ErrorKind::NotFound
        {
            return Err(why);
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(if private { 0o600 } else { 0o644 });
        }
        let written = (|| {
            let mut file = options.open(&temporary)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            rename(&temporary, path)
        })();
        if written.is_err() {
            // Nothing half-written stays behind.
            let _ = fs::remove_file(&temporary);
        }
        written
    };
    write().map_err(|e| unwritten(path, &e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(lines: &str) -> Config {
        let rest = "org = 'audit'\ncontrol = ''\ndata = ''\nportal = ''\ncompute = []\npurposes = []\n[peers]\n";
        toml::from_str(&format!("{lines}\n{rest}")).expect("read")
    }

    #[test]
    fn memory_is_granted_within_its_range_alone() {
        let silent = Memory { key_tables: None, state_cache: 192 << 20 };
        assert_eq!(config("").memory(), Ok(silent));
        let told = config("key_tables_mib = 1\nstate_cache_mib = 1024").memory();
        assert_eq!(told, Ok(Memory { key_tables: Some(1 << 20), state_cache: 1 << 30 }));
        for line in ["key_tables_mib = 0", "key_tables_mib = 65537", "state_cache_mib = 0", "state_cache_mib = 65537"] {
            let fault = config(line).memory().expect_err("refused");
            assert!(fault.code == Code::BadRequest && fault.detail.contains(line), "{fault:?}");
        }
    }
    #[cfg(unix)]
    #[test]
    fn a_private_file_is_private_whatever_stood_beside_it() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let folder = tempfile::tempdir().expect("a folder");
        let [path, beside, other] = ["answer", "answer.part", "other"].map(|name| folder.path().join(name));
        fs::write(&beside, "left by a killed process").expect("written");
        fs::set_permissions(&beside, fs::Permissions::from_mode(0o644)).expect("set");
        write_file(&path, b"one", true).expect("written");
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!((mode & 0o777, fs::read(&path).expect("read")), (0o600, b"one".to_vec()));
        fs::write(&other, "somebody's").expect("written");
        symlink(&other, &beside).expect("linked");
        write_file(&path, b"two", true).expect("written");
        assert_eq!(fs::read(&other).expect("read"), b"somebody's");
        assert_eq!(fs::read(&path).expect("read"), b"two");
        assert!(beside.symlink_metadata().is_err() && !path.is_symlink());
    }
}
