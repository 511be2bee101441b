//! `make bench NAME=psi`: intersections of sets of `n` identifiers a party, half of them shared, from CSV files to CSV files.
//!
//! The clock starts when all parties are connected, and includes reading the files, hashing, the protocol and writing the
//! result; every run is a session of its own, and every result is compared with what is shared, row by row. Links are plain
//! TCP (as the peer's are), TLS and, for the largest `n`, the shaped network. `bytes` and `rounds` are a run's, all parties'
//! bytes together; `party_bytes` and `party_rounds` are each party's. What the machine gives at most is measured first.
//!
//! `SIZES` (65536,1048576), `RUNS` (5, fewer on the shaped network), `QUERIES` (10000) of an unbalanced intersection, whose
//! `n` is the owner's set, `ONLY` (names of cases, with commas between). With `LONG=1` also `LARGE` (2^24) identifiers in
//! buckets on the disk, each party as a process of its own over plain TCP, on `LARGE_NETWORKS` (loopback; also
//! 100mbit_10ms); it fails when a party's memory ever exceeds 4 GiB. The peer is SecretFlow's semi-honest RR22, both parties
//! learning the result.

use std::path::Path;

use anyhow::{Context as _, ensure};
use benches::{
    Only, bounded, bounds, folder, long,
    peers::{Peers, beside},
    psi::{self, Files, Large},
    report::{Figure, Spread},
    setting, settings,
    wire::{Network, Work, pair, parties},
};
use mpc_psi::Mode;

const BENCH: &str = "psi";
const PEER: &str = "secretflow spu 0.9.5 rr22";
/// From so many rows on the peer runs once.
const MANY: usize = 1 << 22;
/// Most bytes that a party may hold in memory, however many rows it has.
const MOST_MEMORY: u64 = 4 << 30;

/// Publishing a large set, and asking of it.
const UNBALANCED: [&str; 2] = ["unbalanced_setup", "unbalanced_online"];

/// The balanced cases.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Malicious,
    LowCommunication,
    Cardinality,
    /// Of so many parties, from three to eight.
    Several(usize),
}

impl Case {
    const ALL: [Self; 6] = [
        Self::Malicious,
        Self::LowCommunication,
        Self::Cardinality,
        Self::Several(3),
        Self::Several(4),
        Self::Several(8),
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Malicious => "rr22_malicious",
            Self::LowCommunication => "rr22_low_comm",
            Self::Cardinality => "circuit_cardinality",
            Self::Several(4) => "multi_party_4",
            Self::Several(8) => "multi_party_8",
            Self::Several(_) => "multi_party",
        }
    }

    const fn parties(self) -> usize {
        if let Self::Several(parties) = self { parties } else { 2 }
    }

    /// Whether the peer does the same.
    const fn compared(self) -> bool {
        matches!(self, Self::Malicious | Self::LowCommunication)
    }

    /// One run, its result checked: what it took each party.
    fn run(self, files: &Files, network: Network) -> anyhow::Result<Vec<Work>> {
        // Where bytes are dear, the other cases spare them too.
        let spared = if network == Network::Shaped { Mode::LowCommunication } else { Mode::Fast };
        let works = match self {
            Self::Malicious => parties(2, network, |ctx| psi::intersect(ctx, files, Mode::Fast))?,
            Self::LowCommunication => parties(2, network, |ctx| psi::intersect(ctx, files, Mode::LowCommunication))?,
            Self::Cardinality => parties(2, network, |ctx| psi::cardinality(ctx, files, spared))?,
            Self::Several(count) => parties(count, network, |ctx| psi::several(ctx, files, spared))?,
        };
        match self {
            Self::Malicious | Self::LowCommunication => files.check(0).and_then(|()| files.check(1))?,
            Self::Cardinality => files.check_count()?,
            Self::Several(_) => files.check(0)?,
        }
        Ok(works)
    }
}

struct Settings {
    runs: usize,
    only: Only,
    peers: Option<Peers>,
}

impl Settings {
    fn runs(&self, network: Network) -> usize {
        if network == Network::Shaped { self.runs.div_ceil(4) } else { self.runs }
    }

    /// The peer's seconds for so many rows a party.
    fn peer(&self, rows: usize) -> Option<f64> {
        let (rows, times) = (rows.to_string(), if rows < MANY { 3 } else { 1 });
        let told = self.peers.as_ref()?.seconds("secretflow_psi.py", &["--rows", &rows, "--protocol", "rr22"], times);
        told.get("rr22").copied()
    }
}

/// The figure of some runs, each of which has an entry a party.
fn figure(case: &str, n: usize, network: Network, runs: &[Vec<Work>]) -> anyhow::Result<Figure> {
    let times = Work::seconds(runs);
    let last = runs.last().with_context(|| format!("{case}: RUNS=0 leaves nothing to measure"))?;
    Ok(Figure::new(BENCH, case, n as u64, "s", Spread::of(&times)).lower().over(network.name()).moved(last))
}

/// All cases in which every party has `n` rows.
fn balanced(n: usize, networks: &[Network], settings: &Settings) -> anyhow::Result<()> {
    let cases: Vec<Case> = Case::ALL.into_iter().filter(|case| settings.only.wants(case.name())).collect();
    let peer = if cases.iter().any(|case| case.compared()) { settings.peer(n) } else { None };
    for case in cases {
        let folder = folder()?;
        let files = Files::prepare(folder.path(), vec![n; case.parties()], n / 2)?;
        for &network in networks {
            let runs = (0..settings.runs(network)).map(|_| case.run(&files, network));
            let runs = runs.collect::<anyhow::Result<Vec<_>>>()?;
            let figure = figure(case.name(), n, network, &runs)?;
            // The peer has no shaped network.
            let peer = peer.filter(|_| case.compared() && network != Network::Shaped);
            beside(figure, PEER, peer).print()?;
        }
    }
    Ok(())
}

/// A few queries against a set of `n`, which is published once.
fn unbalanced(n: usize, queries: usize, networks: &[Network], settings: &Settings) -> anyhow::Result<()> {
    if !UNBALANCED.iter().any(|case| settings.only.wants(case)) {
        return Ok(());
    }
    let folder = folder()?;
    let files = Files::prepare(folder.path(), vec![n, queries], queries.min(n) / 2)?;
    let large = Large::publish(&files)?;
    for &network in networks {
        let runs = settings.runs(network);
        let (owner, client) = pair(network, |ctx| large.serve(ctx, &files, runs), |ctx| psi::query(ctx, &files, runs))?;
        let mut works: Vec<Vec<Work>> = owner.into_iter().zip(client).map(|(one, two)| vec![one, two]).collect();
        let online = works.split_off(1);
        // Nothing is asked before the set is published and its tables are there.
        works.iter_mut().flatten().for_each(|work| work.took += large.took);
        figure(UNBALANCED[0], n, network, &works)?.print()?;
        figure(UNBALANCED[1], n, network, &online)?.print()?;
    }
    Ok(())
}

/// Sets beyond memory.
fn large(n: usize, networks: &[Network], settings: &Settings) -> anyhow::Result<()> {
    if !settings.only.wants(Case::Malicious.name()) {
        return Ok(());
    }
    // The peer has no shaped network.
    let peer = if networks.contains(&Network::Plain) { settings.peer(n) } else { None };
    let folder = folder()?;
    let files = Files::prepare(folder.path(), vec![n; 2], n / 2)?;
    for &network in networks {
        let peer = peer.filter(|_| network != Network::Shaped);
        buckets(folder.path(), &files, n, network, settings.runs.div_ceil(4), peer)?;
    }
    Ok(())
}

/// Both sides in buckets on the disk: time, and the peak of memory of the side that needs more.
fn buckets(
    folder: &Path,
    files: &Files,
    n: usize,
    network: Network,
    count: usize,
    peer: Option<f64>,
) -> anyhow::Result<()> {
    let (mut runs, mut peaks) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let sides = bounded::both(folder, n, network)?;
        files.check(0).and_then(|()| files.check(1))?;
        for (party, peak) in sides.iter().map(|side| side.peak).enumerate() {
            ensure!(peak <= MOST_MEMORY, "party {party} held {peak} bytes in memory, {MOST_MEMORY} are the most");
        }
        eprintln!("peaks of memory: {:?} MiB", sides.map(|side| side.peak >> 20));
        runs.push(sides.map(|side| side.work).to_vec());
        peaks.push(sides.iter().map(|side| side.peak).max().unwrap_or(0) as f64 / f64::from(1_u32 << 20));
    }
    let name = Case::Malicious.name();
    beside(figure(name, n, network, &runs)?, PEER, peer).print()?;
    let peak = Figure::new(BENCH, format!("{name}_peak_memory"), n as u64, "MiB", Spread::of(&peaks));
    peak.lower().over(network.name()).print()
}

/// Runs it.
///
/// # Errors
/// What failed or was computed wrong.
pub fn main() -> anyhow::Result<()> {
    let sizes = settings("SIZES", &[1 << 16, 1 << 20])?;
    let only = Only::of(&Case::ALL.map(Case::name).into_iter().chain(UNBALANCED).collect::<Vec<_>>())?;
    let settings = Settings { runs: setting("RUNS", 5)?, only, peers: Peers::find() };
    let queries = setting("QUERIES", 10_000)?;
    let apart = bounded::networks(&setting("LARGE_NETWORKS", Network::Plain.name().to_owned())?)?;
    bounds::measure()?.print(BENCH)?;
    let largest = sizes.iter().max().copied();
    for &n in &sizes {
        let networks = [Network::Plain, Network::Tls, Network::Shaped];
        let networks = if Some(n) == largest { &networks[..] } else { &networks[..2] };
        balanced(n as usize, networks, &settings)?;
        unbalanced(n as usize, queries, networks, &settings)?;
    }
    if long() { large(setting("LARGE", 1 << 24)?, &apart, &settings) } else { Ok(()) }
}
