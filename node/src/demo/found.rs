//! The demo's folders: four departments, their people, the consortium's genesis, and the data each of them holds.

use std::{fs, net::TcpListener, path::PathBuf};

use base_secret::Password;
use base_types::{
    OrgId, PersonId,
    fault::{Code, Fault},
};
use ledger_light::Genesis;
use tokio::runtime::Runtime;

use super::plain;
use crate::{
    cli::now_ms,
    config::{Folder, unwritten, write_file},
    init::{self, Card, NewOrg},
};

/// The NHEFS data, as three departments would hold it; see `data/nhefs/README.md`.
pub const HEALTH: &str = include_str!("../../../data/nhefs/health.csv");
/// The statistics bureau's part.
pub const CENSUS: &str = include_str!("../../../data/nhefs/census.csv");
/// The same as Parquet.
const CENSUS_PARQUET: &[u8] = include_bytes!("../../../data/nhefs/census.parquet");
/// The civil affairs department's part.
pub const DEATHS: &str = include_str!("../../../data/nhefs/deaths.csv");

/// A department: identifier, Chinese and English name, people with roles.
type Department = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static [&'static str])]);

const DEPARTMENTS: [Department; 4] = [
    ("audit", "审计局", "Audit Office", &[("auditor", &["auditor"]), ("admin", &["administrator"])]),
    ("civil", "民政局", "Civil Affairs", &[("owner", &["owner"]), ("admin", &["administrator"])]),
    ("health", "卫健委", "Health Department", &[("owner", &["owner"]), ("admin", &["administrator"])]),
    (
        "statistics",
        "统计局",
        "Statistics Bureau",
        &[("analyst", &["analyst"]), ("owner", &["owner"]), ("admin", &["administrator"])],
    ),
];

/// The purpose that the demo's queries name.
pub const PURPOSE: &str = "health-statistics";

/// The demo's consortium.
pub struct Demo {
    /// Its folder.
    pub dir: PathBuf,
    /// Its genesis.
    pub genesis: Genesis,
    /// The password of all its keys: people of a real consortium each have their own.
    pub password_file: PathBuf,
    /// Where the civil affairs department keeps its table, if not in SQLite.
    pub database_url: Option<String>,
}

impl Demo {
    /// A department's node folder.
    pub fn node(&self, org: &str) -> Folder {
        Folder(self.dir.join(org))
    }

    /// The departments' identifiers.
    pub fn orgs() -> impl Iterator<Item = &'static str> {
        DEPARTMENTS.iter().map(|d| d.0)
    }

    /// A person's key file; in the demo all lie in one folder.
    pub fn key(&self, person: &str) -> Result<PathBuf, Fault> {
        let id = PersonId::new(person).map_err(|e| Fault::new(Code::Internal, "demo", e.to_string()))?;
        Ok(init::person_file(&self.dir.join("people"), &id))
    }
}

/// Finds the demo in its folder or founds it.
pub fn open(folder: &Folder, database_url: Option<&str>, runtime: &Runtime) -> Result<Demo, Fault> {
    let dir = folder.0.clone();
    let password_file = dir.join("password");
    if !dir.join("ready").exists() {
        found(&dir, &password_file)?;
    }
    lay_data(&dir)?;
    let deaths = dir.join("civil/deaths.sqlite");
    match database_url {
        Some(url) => runtime.block_on(plain::load_postgres(url, DEATHS))?,
        None if !deaths.exists() => runtime.block_on(plain::load_sqlite(&deaths, DEATHS))?,
        None => {}
    }
    let genesis = Folder(dir.join("audit")).read_genesis()?;
    Ok(Demo { dir, genesis, password_file, database_url: database_url.map(ToOwned::to_owned) })
}

fn found(dir: &std::path::Path, password_file: &std::path::Path) -> Result<(), Fault> {
    let mut random = [0; 16];
    base_rt::Entropy::fill(&base_rt::OsEntropy, &mut random);
    let text = hex::encode(random);
    write_file(password_file, text.as_bytes(), true)?;
    let (password, now) = (Password::new(text), now_ms());
    let people = dir.join("people");
    let mut cards: Vec<Card> = Vec::new();
    let ports = free_ports(12)?;
    for (department, ports) in DEPARTMENTS.iter().zip(ports.chunks(3)) {
        let (id, name_zh, name_en, members) = department;
        let folder = Folder(dir.join(id));
        // An earlier founding that broke off left parts; nothing depends on them yet.
        if folder.0.exists() {
            fs::remove_dir_all(&folder.0).map_err(|e| unwritten(&folder.0, &e))?;
        }
        for (name, _) in *members {
            let _ = fs::remove_file(people.join(format!("{id}-{name}.key.json")));
        }
        let address = |place: usize| format!("127.0.0.1:{}", ports.get(place).copied().unwrap_or_default());
        let new = NewOrg {
            org: org(id)?,
            name_zh: (*name_zh).to_owned(),
            name_en: (*name_en).to_owned(),
            addresses: [address(0), address(1), address(2)],
            people: members
                .iter()
                .map(|(name, roles)| ((*name).to_owned(), roles.iter().map(|r| (*r).to_owned()).collect()))
                .collect(),
            people_folder: &people,
            now,
        };
        cards.push(init::organisation(&folder, &new, &password, &password)?);
    }
    let genesis = init::genesis("heqi-demo", now, 100, &cards)?;
    let compute = [org("civil")?, org("health")?, org("statistics")?];
    for (card, ports) in cards.iter().zip(ports.chunks(3)) {
        let portal = format!("127.0.0.1:{}", ports.get(2).copied().unwrap_or_default());
        let folder = Folder(dir.join(card.org.as_str()));
        init::node(&folder, &genesis, &cards, &card.org, &portal, &compute, &[PURPOSE.to_owned()])?;
    }
    write_file(&dir.join("ready"), b"", false)
}

fn org(id: &str) -> Result<OrgId, Fault> {
    OrgId::new(id).map_err(|e| Fault::new(Code::Internal, "demo", e.to_string()))
}

/// Ports that nobody listens on now; all are held until all are found, so they differ. They lie below those that systems give to outgoing
/// connections: one of these could be taken before a node listens on it. Demos that are founded at the same time begin at different ones.
fn free_ports(count: usize) -> Result<Vec<u16>, Fault> {
    const PORTS: std::ops::Range<u16> = 12_000..32_000;
    /// More than a demo takes.
    const APART: u16 = 20;
    let turn = std::process::id() % u32::from((PORTS.end - PORTS.start) / APART);
    let first = PORTS.start + APART * u16::try_from(turn).unwrap_or_default();
    let listeners =
        (first..PORTS.end).chain(PORTS.start..first).filter_map(|port| TcpListener::bind(("127.0.0.1", port)).ok());
    let held: Vec<TcpListener> = listeners.take(count).collect();
    let ports: Vec<u16> = held.iter().filter_map(|listener| listener.local_addr().ok()).map(|at| at.port()).collect();
    if ports.len() == count {
        return Ok(ports);
    }
    Err(Fault::new(
        Code::Internal,
        "find free ports",
        format!("{} of {count} ports are free on 127.0.0.1", ports.len()),
    ))
}

fn lay_data(dir: &std::path::Path) -> Result<(), Fault> {
    let health = dir.join("health/health.csv");
    if !health.exists() {
        write_file(&health, HEALTH.as_bytes(), true)?;
    }
    let census = dir.join("statistics/census.parquet");
    if !census.exists() {
        write_file(&census, CENSUS_PARQUET, true)?;
    }
    Ok(())
}
