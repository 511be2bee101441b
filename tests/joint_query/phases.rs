//! What every job moves is counted by the phases of its engine, and all phases together by what its streams say.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    thread::{self, ThreadId},
    time::Duration,
};

use base_rt::{Entropy, OsEntropy};
use base_types::OrgId;
use notary_terms::Plan;
use runner::{Direction, Site, execute};
use tempfile::TempDir;

use crate::common::{
    cluster::{Cluster, Records},
    job::{Start, plan, request, run_of},
    nodes, org,
    sources::Sources,
};

const PEOPLE: &str = "id,score\n1,10\n2,20\n3,30\n4,40\n";
const VISITS: &str = "id,weight\n1,70\n2,80\n3,60\n5,90\n";
const STAYS: &str = "id,ward\n1,x\n3,y\n6,x\n";

async fn cluster() -> (Cluster, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut sources = Sources::default();
    let tables = [("statistics/people", PEOPLE), ("health/visits", VISITS), ("civil/stays", STAYS)];
    for (name, text) in tables {
        let path = folder.path().join(format!("{}.csv", name.replace('/', "-")));
        std::fs::write(&path, text).expect("written");
        sources.register(name, &path, &[]).await;
    }
    (Cluster::start(sources).await, folder)
}

/// Runs a plan on nodes that have counted nothing yet: the phases in which something passed.
async fn phases(of: impl Fn(&Sources) -> Plan) -> BTreeSet<String> {
    let (cluster, _folder) = cluster().await;
    let plan = of(&cluster.sources);
    let ended = cluster.run(&plan, Start::first(), Duration::from_secs(30)).await;
    let streams: Vec<_> = ended.iter().flat_map(|party| party.streams().streams).collect();
    assert!(ended.iter().all(|party| party.result.is_ok()));
    let flows = cluster.flows.all();
    for direction in [Direction::Sent, Direction::Received] {
        let counted = flows.iter().filter(|(flow, _)| flow.direction == direction);
        let (bytes, frames) = counted.fold((0, 0), |(bytes, frames), (_, count)| {
            assert!(count.bytes() > 0);
            (bytes + count.bytes(), frames + count.frames())
        });
        // Both ends of a stream have seen it.
        let (all, all_frames) =
            streams.iter().fold((0, 0), |sum, stream| (sum.0 + stream.bytes, sum.1 + stream.frames));
        assert_eq!((2 * bytes, 2 * frames), (all, all_frames), "{direction:?}");
    }
    flows.into_iter().map(|(flow, _)| flow.step).collect()
}

fn named(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_intersections_name_their_phases() {
    let pair = "FROM people p JOIN visits v ON v.id = p.id";
    // Where keys are dealt out first, the owners tell each other when they are ready.
    let dealt = ["compare masks", "evaluate keys", "match keys"];
    for (hint, due) in [("", &dealt[..2]), ("/*+ BUCKETS */", &dealt[..])] {
        let rows = phases(|sources| plan(sources, &format!("SELECT {hint} p.id, v.weight {pair}"))).await;
        assert_eq!(rows, named(due), "{hint}");
    }
    let published = format!("SELECT p.id {pair} AGAINST PUBLISHED KEYS");
    let published = phases(|sources| plan(sources, &published)).await;
    assert_eq!(published, named(&["evaluate keys", "fetch table", "match keys"]));
    let several = format!("SELECT p.id {pair} JOIN stays s ON s.id = p.id");
    let several = phases(|sources| plan(sources, &several)).await;
    assert_eq!(several, named(&["evaluate keys", "pairwise keys"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn sums_and_programs_name_their_phases() {
    let sums = |sources: &Sources| {
        let sql = "SELECT COUNT(*), SUM(v.weight) FROM people p JOIN visits v ON v.id = p.id";
        let two = ["health", "statistics"].map(org);
        planner::plan(&request(sql), &sources.catalogue, &two).expect("a plan")
    };
    let due = ["compare keys", "evaluate keys", "reveal", "sum", "sum matches", "targets"];
    assert_eq!(phases(sums).await, named(&due));
    let more = "COMPUTE $$ pub fn main(a: u16, b: u16) -> bool { a > b } $$
                WITH a = (SELECT p.score FROM people p WHERE p.id = 1), b = (SELECT v.weight FROM visits v WHERE v.id = 1)";
    let garbled = phases(|sources| plan(sources, more)).await;
    assert_eq!(garbled, named(&["base transfers", "garbled tables", "inputs", "outputs", "triples"]));
    let honest = |sources: &Sources| {
        let asked = notary_terms::Request { tier: Some(notary_terms::Tier::A), ..request(more) };
        planner::plan(&asked, &sources.catalogue, &nodes()).expect("a plan")
    };
    assert_eq!(phases(honest).await, named(&["base transfers", "garbled tables", "inputs", "outputs"]));
    let vectors = "COMPUTE VECTORS $$ scale 8; input a[4]; input b[4]; return dot(a, b); $$
                   WITH a = (SELECT p.score FROM people p), b = (SELECT v.weight FROM visits v)";
    let shared = phases(|sources| plan(sources, vectors)).await;
    assert_eq!(shared, named(&["agree on seeds", "compute vectors", "reveal", "share inputs"]));
}

const STAR: &str = "SELECT s.ward, COUNT(*) AS people FROM stays s JOIN visits v ON v.id = s.id GROUP BY s.ward";

#[tokio::test(flavor = "multi_thread")]
async fn a_star_names_its_steps() {
    let due = ["agree on seeds", "group", "join", "reveal", "share inputs"];
    assert_eq!(phases(|sources| plan(sources, STAR)).await, named(&due));
}

/// The system's randomness, and the threads on which it was drawn.
#[derive(Default)]
struct Drawn(Mutex<Vec<ThreadId>>);

impl Entropy for Drawn {
    fn fill(&self, out: &mut [u8]) {
        self.0.lock().expect("not poisoned").push(thread::current().id());
        OsEntropy.fill(out);
    }
}

/// The runtime has this one thread, so what is drawn elsewhere is drawn by an engine that leaves it to the ledger.
#[tokio::test]
async fn a_star_computes_apart_and_its_steps_are_shown_in_their_order() {
    let (cluster, _folder) = cluster().await;
    let plan = plan(&cluster.sources, STAR);
    let drawn = Arc::new(Drawn::default());
    let party = |me: OrgId| {
        let site = Site { entropy: drawn.clone(), ..cluster.site(&me, Duration::from_secs(30)) };
        let (run, records) = (run_of(&plan, Start::first(), &me), Records::default());
        async move {
            let ended = execute(run, &site, &records).await;
            assert!(ended.is_ok(), "{me}: {ended:?}");
            records.steps()
        }
    };
    let [one, two, three]: [OrgId; 3] = nodes().try_into().expect("three nodes");
    let steps = tokio::join!(party(one), party(two), party(three));
    let first = ["wait for room", "read", "open links", "agree on seeds"];
    let due = [&first[..], &["share inputs", "join", "group", "reveal", "notarise"]].concat();
    for steps in [steps.0, steps.1, steps.2] {
        assert_eq!(steps, due);
    }
    let (threads, own) = (drawn.0.lock().expect("not poisoned").clone(), thread::current().id());
    assert!(threads.contains(&own), "nonces are drawn where the run is");
    assert!(threads.iter().any(|thread| *thread != own), "seeds are drawn where the engine is");
}
