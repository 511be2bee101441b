//! What every job moves is counted by the phases of its engine, and all phases together by what its streams say.

use std::{collections::BTreeSet, time::Duration};

use notary_terms::Plan;
use runner::Direction;
use tempfile::TempDir;

use crate::common::{
    cluster::Cluster,
    job::{Start, plan, request},
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
