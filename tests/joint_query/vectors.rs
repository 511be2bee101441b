//! Programs over vectors, run whole over links among three nodes or between two, against what plain Rust says of the same values.

use std::time::Duration;

use base_types::{
    OrgId,
    column::ColumnType,
    fault::{Code, Fault},
};
use notary_terms::{Outcome, Plan, Program, Request, Tier, Vectors};
use planner::explain;
use runner::{Answer, AnswerCell};
use tempfile::TempDir;

use crate::common::{
    cluster::Cluster,
    job::{Start, plan, request},
    nodes, org,
    sources::Sources,
};

const PEOPLE: &str = "id,score,member
4,150,true
1,225,false
3,90,true
2,60,false
";
const VISITS: &str = "id,weight,height
2,70.50,1.60
4,81.25,1.75
1,90.75,1.90
3,,1.70
";
const WEIGHTS: &str = "place,w
1,0.50
2,-1.25
";

/// Sources of the three departments, and the folder that holds them. The statistics bureau asks.
async fn cluster() -> (Cluster, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut sources = Sources::default();
    for (name, text) in [("statistics/people", PEOPLE), ("health/visits", VISITS), ("civil/weights", WEIGHTS)] {
        let path = folder.path().join(name.replace('/', "-")).with_extension("csv");
        std::fs::write(&path, text).expect("written");
        sources.register(name, &path, &[]).await;
    }
    (Cluster::start(sources).await, folder)
}

fn asked(cluster: &Cluster, source: &str, inputs: &str) -> Plan {
    plan(&cluster.sources, &format!("COMPUTE VECTORS $$ {source} $$ WITH {inputs}"))
}

fn vectors(plan: &Plan) -> &Vectors {
    match &plan.program {
        Program::Vectors(vectors) => vectors,
        other => panic!("no vectors: {other:?}"),
    }
}

/// The numbers of a column of the answer.
fn column(answer: &Answer, column: usize) -> Vec<f64> {
    let text = |row: usize| answer.text(row, column).expect("a number");
    (0..answer.rows.len()).map(|row| text(row).parse().expect("a number")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_owner_s_model_is_applied_to_another_owner_s_rows() {
    let (cluster, _folder) = cluster().await;
    let source = "scale 16; input x[4, 2]; input w[2];
        z = sigmoid(matmul(x / 50, w) + 0.5);
        return z, z >= 0.5;";
    // The missing weight of person 3 is 60.
    let inputs = "w = (SELECT w FROM civil.weights),
        x = (SELECT CASE WHEN v.weight IS NULL THEN 60 ELSE v.weight END, v.height FROM visits v)";
    let plan = asked(&cluster, source, inputs);
    assert_eq!((plan.tier, plan.nodes.clone()), (Tier::B, nodes()));
    let answer = cluster.answer(&plan).await;
    let names: Vec<_> = answer.columns.iter().map(|column| (column.name.as_str(), column.ty)).collect();
    let due = [("row", ColumnType::Int), ("z", ColumnType::Decimal { scale: 5 }), ("value2", ColumnType::Bool)];
    assert_eq!(names, due);
    let rows = [[70.5, 1.6], [81.25, 1.75], [90.75, 1.9], [60.0, 1.7]];
    let sigmoid = rows.map(|[weight, height]| {
        let product = weight / 50.0 * 0.5 - height / 50.0 * 1.25 + 0.5;
        1.0 / (1.0 + f64::exp(-product))
    });
    for (at, (found, due)) in column(&answer, 1).into_iter().zip(sigmoid).enumerate() {
        assert_eq!(answer.rows[at][0], AnswerCell::Number(at as i64 + 1));
        assert!((found - due).abs() < 0.0005, "{found} {due}");
        assert_eq!(answer.rows[at][2], AnswerCell::Number(i64::from(due >= 0.5)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_owners_columns_give_a_variance_and_a_correlation_of_aligned_rows() {
    let (cluster, _folder) = cluster().await;
    // Both sort by person, so that their rows go together.
    let source = "scale 12; input people[4, 2]; input visits[4, 2];
        x = column(sort(people), 2);
        y = column(sort(visits), 2);
        dx = x - mean(x);
        dy = y - mean(y);
        r = dot(dx, dy) / max(sqrt(dot(dx, dx)) * sqrt(dot(dy, dy)), 1);
        same = smallest(number(column(sort(people), 1) == column(sort(visits), 1)));
        return r, variance(x), same;";
    let inputs = "people = (SELECT id, score FROM people), visits = (SELECT id, weight FROM visits) ELSE 60";
    let (x, y) = ([225.0, 60.0, 90.0, 150.0], [90.75, 70.5, 60.0, 81.25]);
    let mean = |values: [f64; 4]| values.iter().sum::<f64>() / 4.0;
    let moment = |a: [f64; 4], b: [f64; 4]| -> f64 {
        let (mean_a, mean_b) = (mean(a), mean(b));
        a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum()
    };
    let r = moment(x, y) / (moment(x, x) * moment(y, y)).sqrt();
    for (tier, nodes) in tiers() {
        let plan = in_tier(&cluster, source, inputs, Some(tier), &nodes).unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!((plan.tier, plan.nodes.len()), (tier, nodes.len()));
        let answer = cluster.answer(&plan).await;
        let found: Vec<f64> = (0..3).map(|at| column(&answer, at)[0]).collect();
        assert!(r > 0.5 && (found[0] - r).abs() < 0.005, "{tier:?}: {found:?} {r}");
        assert!((found[1] - moment(x, x) / 4.0).abs() < 0.5, "{tier:?}: {found:?}");
        assert!((found[2] - 1.0).abs() < 0.001, "{tier:?}: {found:?}");
        // What was told before the run is what the plan says.
        let explained = explain(&plan, &cluster.sources.catalogue);
        assert_eq!(explained.pairs.len(), if tier == Tier::A { 0 } else { 3 });
        assert!(explained.bytes == vectors(&plan).size.bytes && explained.bytes > 1_000);
        assert!(explained.program.is_some_and(|program| program.products == Some(vectors(&plan).size.products)));
    }
}

/// The tiers with the nodes that compute in each.
fn tiers() -> [(Tier, Vec<OrgId>); 3] {
    let two = ["health", "statistics"].map(org).to_vec();
    [(Tier::B, nodes()), (Tier::BPlus, nodes()), (Tier::A, two)]
}

fn in_tier(cluster: &Cluster, source: &str, inputs: &str, tier: Option<Tier>, nodes: &[OrgId]) -> Result<Plan, Fault> {
    let request = Request { tier, ..request(&format!("COMPUTE VECTORS $$ {source} $$ WITH {inputs}")) };
    planner::plan(&request, &cluster.sources.catalogue, nodes)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_of_a_run_before_it_is_near_what_its_links_carry() {
    let (cluster, _folder) = cluster().await;
    let source = "scale 12; input people[200, 2]; input visits[200, 2];
        x = column(people, 2); y = column(visits, 2);
        return x * y, sqrt(x * x + 1), choose(x > y, x, y), scan_sum(y, x > 100);";
    let inputs = "people = (SELECT id, score FROM people) ELSE 0, visits = (SELECT id, weight FROM visits) ELSE 60";
    for (tier, nodes) in tiers() {
        let plan = in_tier(&cluster, source, inputs, Some(tier), &nodes).unwrap_or_else(|fault| panic!("{fault}"));
        let ended = cluster.run(&plan, Start::first(), Duration::from_secs(30)).await;
        let faults: Vec<&Fault> = ended.iter().filter_map(|party| party.result.as_ref().err()).collect();
        assert!(faults.is_empty(), "{tier:?}: {faults:?}");
        // Each stream stands in the transfers of both its ends.
        let streams = ended.iter().flat_map(|party| party.streams().streams);
        let (sent, told) = (streams.map(|stream| stream.bytes).sum::<u64>() / 2, vectors(&plan).size.bytes);
        assert!(told / 2 < sent && sent < 2 * told, "{tier:?}: {sent}, told {told}");
    }
}

/// How each of three nodes ends: codes by node, the civil office first.
async fn codes(cluster: &Cluster, plan: &Plan) -> Vec<Option<Code>> {
    let ended = cluster.run(plan, Start::first(), Duration::from_secs(20)).await;
    assert!(ended.iter().all(|party| party.receipt() != Outcome::Done && party.records.kept().is_none()));
    ended.iter().map(|party| party.result.as_ref().err().map(|fault| fault.code)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_outside_its_declared_range_ends_the_run_at_its_owner_without_being_told() {
    let (cluster, _folder) = cluster().await;
    let source = "scale 8; input score[4] from 0 to 200; input w[2]; return mean(score), sum(w);";
    let plan = asked(&cluster, source, "score = (SELECT score FROM people), w = (SELECT w FROM civil.weights)");
    for party in cluster.run(&plan, Start::first(), Duration::from_secs(20)).await {
        assert!(party.receipt() != Outcome::Done && party.records.kept().is_none());
        let fault = party.result.expect_err("a value outside");
        if party.org == org("statistics") {
            assert_eq!((fault.code, fault.party), (Code::RangeOverflow, Some(org("statistics"))));
            assert!(fault.detail.contains("row 2 of score") && !fault.detail.contains("225"), "{}", fault.detail);
        } else {
            assert_eq!(fault.code, Code::PeerGone);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_checks_to_other_steps_than_were_approved_runs_nothing() {
    let (cluster, _folder) = cluster().await;
    let source = "scale 8; input score[4]; return sum(score);";
    let mut plan = asked(&cluster, source, "score = (SELECT score FROM people)");
    let Program::Vectors(Vectors { source, .. }) = &mut plan.program else { panic!("no vectors") };
    *source = source.replace("sum(score)", "mean(score)");
    for code in codes(&cluster, &plan).await {
        assert!(matches!(code, Some(Code::ProposalChanged | Code::PeerGone)), "{code:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tier_or_other_nodes_are_refused() {
    let (cluster, _folder) = cluster().await;
    let sql = "COMPUTE VECTORS $$ scale 8; input w[2]; return sum(w); $$ WITH w = (SELECT w FROM civil.weights)";
    let catalogue = &cluster.sources.catalogue;
    let planned = |tier, nodes: &[OrgId]| {
        let request = Request { tier, ..request(sql) };
        planner::plan(&request, catalogue, nodes).map(|plan| plan.tier).map_err(|fault| fault.code)
    };
    assert_eq!(planned(Some(Tier::B), &nodes()), Ok(Tier::B));
    assert_eq!(planned(Some(Tier::BPlus), &nodes()), Ok(Tier::BPlus));
    assert_eq!(planned(Some(Tier::C), &nodes()), Err(Code::BadRequest));
    assert_eq!(planned(None, &["health", "statistics"].map(org)), Err(Code::BadRequest));
    // None of the two owns what is read.
    assert_eq!(planned(Some(Tier::A), &["health", "statistics"].map(org)), Err(Code::QueryUnsupported));
}
