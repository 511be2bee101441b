//! `make bench NAME=share`: arithmetic on secret shares of three parties, of three with a malicious one, and of two without
//! a dealer.
//!
//! `N` (10^6) is the number of elements for three parties, a tenth of it for two; of either a tenth for a sort and for the logistic
//! function; `M` (256) the side of matrices; the shaped network has a tenth of the elements. Links are plain TCP, the product's TLS, and the shaped
//! network. Set-up and inputs are not in the time; of `RUNS` + 1 runs (5) of a session the first is not counted. `bytes` and
//! `rounds` are a run's, all parties' bytes together; `party_bytes` and `party_rounds` are each party's. Every result is
//! compared with that in the clear. `ONLY` names cases, with commas between. What the machine gives at most is measured first.
//!
//! `star_b_plus_ratio` is how many times as long as in tier B (`star_b`) a star join of two tables with `STAR` (2000) rows each
//! takes in tier B+ (`star_b_plus`), from set-up to the groups, with as many rows on every network.
//!
//! The peer is SecretFlow's SPU over plain TCP, whose numbers are fixed point: `rep3_fxp_mul`, `rep3_sigmoid`, `two_fxp_mul` and
//! both `dot` cut places off as it does, the cases of integers do not. With a malicious party the figure beside is our own semi-honest
//! one over the same links.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use benches::{
    Only, bounds,
    peers::{Peers, beside},
    report::{Figure, Spread},
    setting,
    shares::{Ended, Operation, Task, checked, rep3, two},
    star::Star,
    wire::{Network, Work, parties},
};
use mpc_relational::{Checked, Rep3};
use mpc_two::Parameters;

const BENCH: &str = "share";
/// The case of the star joins.
const STAR: &str = "star_b_plus_ratio";
/// How often a peer's script runs; in each the first run is not counted either.
const PEER_RUNS: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    /// Three parties, semi-honest.
    Rep3,
    /// Three parties, one of them malicious.
    Checked,
    /// Two parties, semi-honest.
    Two,
}

/// A case, and what is beside it: the name of the peer's work, or of our own case.
struct Case {
    name: &'static str,
    engine: Engine,
    operation: Operation,
    beside: &'static str,
}

const fn case(name: &'static str, engine: Engine, operation: Operation, beside: &'static str) -> Case {
    Case { name, engine, operation, beside }
}

const CASES: [Case; 15] = [
    case("rep3_mul", Engine::Rep3, Operation::Mul, "mul"),
    case("rep3_fxp_mul", Engine::Rep3, Operation::FixedMul, "mul"),
    case("rep3_less", Engine::Rep3, Operation::Less, "less"),
    case("rep3_dot", Engine::Rep3, Operation::FixedDot, "dot"),
    case("rep3_dot_integers", Engine::Rep3, Operation::Dot, "dot"),
    case("rep3_sort", Engine::Rep3, Operation::Sort, "sort"),
    case("rep3_sigmoid", Engine::Rep3, Operation::Sigmoid, "sigmoid"),
    case("rep3_malicious_mul", Engine::Checked, Operation::Mul, "rep3_mul"),
    case("rep3_malicious_less", Engine::Checked, Operation::Less, "rep3_less"),
    case("two_mul", Engine::Two, Operation::Mul, "mul"),
    case("two_fxp_mul", Engine::Two, Operation::FixedMul, "mul"),
    case("two_less", Engine::Two, Operation::Less, "less"),
    case("two_dot", Engine::Two, Operation::FixedDot, "dot"),
    case("two_dot_integers", Engine::Two, Operation::Dot, "dot"),
    case("two_sort", Engine::Two, Operation::Sort, "sort"),
];

/// How much is computed.
#[derive(Clone, Copy)]
struct Sizes {
    n: usize,
    m: usize,
    runs: usize,
}

/// The seconds of the peers' work, by protocol and piece.
type Told = BTreeMap<(&'static str, String), f64>;

/// What each run took, an entry a party, from what each party's runs took.
fn by_run(parties: &[Vec<Work>], runs: usize) -> Vec<Vec<Work>> {
    (0..runs).map(|at| parties.iter().filter_map(|works| works.get(at).copied()).collect()).collect()
}

/// The figure of some runs.
fn figure(case: &str, n: usize, network: Network, runs: &[Vec<Work>]) -> anyhow::Result<Figure> {
    let last = runs.last().context("no run was counted")?;
    let seconds = Spread::of(&Work::seconds(runs));
    Ok(Figure::new(BENCH, case, n as u64, "s", seconds).lower().over(network.name()).moved(last))
}

impl Engine {
    /// The peer's protocol.
    const fn peer(self) -> Option<&'static str> {
        match self {
            Self::Rep3 => Some("aby3"),
            Self::Checked => None,
            Self::Two => Some("cheetah"),
        }
    }

    /// Elements of a vector.
    const fn elements(self, n: usize) -> usize {
        if matches!(self, Self::Two) { n / 10 } else { n }
    }
}

impl Case {
    fn n(&self, Sizes { n, m, .. }: Sizes, network: Network) -> usize {
        let elements = if network == Network::Shaped { n / 10 } else { n };
        match self.operation {
            Operation::Dot | Operation::FixedDot => m,
            Operation::Sort | Operation::Sigmoid => self.engine.elements(elements) / 10,
            _ => self.engine.elements(elements),
        }
    }

    /// Runs and checks it: what the runs took, an entry a party.
    fn run(&self, n: usize, network: Network, runs: usize) -> anyhow::Result<Vec<Vec<Work>>> {
        let task = Task::new(self.operation, n, runs);
        let wide = Parameters { network: mpc_two::Network::Wan };
        let parameters = if network == Network::Shaped { wide } else { Parameters::default() };
        let ended = match self.engine {
            Engine::Rep3 => parties(3, network, |ctx| rep3::party(ctx, &task))?,
            Engine::Checked => parties(3, network, |ctx| checked::party(ctx, &task))?,
            Engine::Two => parties(2, network, |ctx| two::party(ctx, &task, parameters))?,
        };
        let revealed = ended.first().and_then(|party| party.revealed.as_ref());
        task.check(revealed.context("party 0 has no result")?)?;
        let works: Vec<Vec<Work>> = ended.into_iter().map(|Ended { works, .. }| works).collect();
        Ok(by_run(&works, runs))
    }
}

/// Runs the peers.
fn peers(cases: &[&Case], Sizes { n, m, .. }: Sizes) -> Told {
    let mut all = Told::new();
    let Some(peers) = Peers::find() else { return all };
    for (engine, protocol) in [Engine::Rep3, Engine::Two].into_iter().filter_map(|one| Some((one, one.peer()?))) {
        let mut works: Vec<&str> = cases.iter().filter(|case| case.engine == engine).map(|case| case.beside).collect();
        works.sort_unstable();
        works.dedup();
        if works.is_empty() {
            continue;
        }
        let (works, n, m) = (works.join(","), engine.elements(n).to_string(), m.to_string());
        let args = ["--protocol", protocol, "--work", &works, "--n", &n, "--m", &m];
        let seconds = peers.seconds("secretflow_spu.py", &args, PEER_RUNS);
        all.extend(seconds.into_iter().map(|(work, took)| ((protocol, work), took)));
    }
    all
}

/// All cases over a network.
fn vectors(cases: &[&Case], sizes: Sizes, network: Network, peers: &Told) -> anyhow::Result<()> {
    let mut ours = BTreeMap::new();
    for case in cases {
        let n = case.n(sizes, network);
        let runs = case.run(n, network, sizes.runs).with_context(|| case.name)?;
        ours.insert(case.name, Spread::of(&Work::seconds(&runs)).value);
        let figure = figure(case.name, n, network, &runs)?;
        let figure = match case.engine.peer() {
            // The peer has no shaped network.
            Some(_) if network == Network::Shaped => figure,
            Some(protocol) => {
                let value = peers.get(&(protocol, case.beside.to_owned())).copied();
                beside(figure, &format!("secretflow spu 0.9.5 {protocol} {}", case.beside), value)
            }
            None => beside(figure, &format!("heqi {}, semi-honest", case.beside), ours.get(case.beside).copied()),
        };
        figure.print()?;
    }
    Ok(())
}

/// The star join in both tiers, and how many times as long the second takes, run by run.
fn stars(rows: u32, network: Network, runs: usize) -> anyhow::Result<()> {
    let (star, n) = (Star::new(rows), rows as usize);
    let semi_honest = parties(3, network, |ctx| star.party::<Rep3>(ctx, runs)).context("star_b")?;
    let semi_honest = by_run(&semi_honest, runs);
    let malicious = parties(3, network, |ctx| star.party::<Checked>(ctx, runs)).context("star_b_plus")?;
    let malicious = by_run(&malicious, runs);
    figure("star_b", n, network, &semi_honest)?.print()?;
    figure("star_b_plus", n, network, &malicious)?.print()?;
    let pairs = Work::seconds(&malicious).into_iter().zip(Work::seconds(&semi_honest));
    let ratios: Vec<f64> = pairs.map(|(malicious, semi_honest)| malicious / semi_honest).collect();
    Figure::new(BENCH, STAR, n as u64, "times", Spread::of(&ratios)).lower().over(network.name()).print()
}

/// Runs it.
///
/// # Errors
/// What failed or was computed wrong.
pub fn main() -> anyhow::Result<()> {
    let sizes = Sizes { n: setting("N", 1_000_000)?, m: setting("M", 256)?, runs: setting("RUNS", 5)? };
    let rows = setting("STAR", 2000)?;
    ensure!(sizes.runs > 0, "RUNS=0 leaves nothing to measure");
    let only = Only::of(&CASES.iter().map(|case| case.name).chain([STAR]).collect::<Vec<_>>())?;
    let cases: Vec<&Case> = CASES.iter().filter(|case| only.wants(case.name)).collect();
    bounds::measure()?.print(BENCH)?;
    let peers = peers(&cases, sizes);
    for network in [Network::Plain, Network::Tls, Network::Shaped] {
        vectors(&cases, sizes, network, &peers)?;
        if only.wants(STAR) {
            stars(rows, network, sizes.runs)?;
        }
    }
    Ok(())
}
