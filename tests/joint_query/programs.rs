//! Users' own programs, run whole over links between the owners' nodes, against what plain Rust says of the same values.

use std::time::Duration;

use base_types::{column::ColumnType, fault::Code};
use notary_terms::{Circuit, Outcome, Plan, Program, Request, Tier};
use runner::{Answer, AnswerCell};
use tempfile::TempDir;

use crate::common::{
    cluster::Cluster,
    job::{Start, plan, request},
    nodes, org,
    sources::Sources,
};

const PEOPLE: &str = "id,score,member
1,150,true
2,225,false
3,,true
";
const VISITS: &str = "id,weight
1,70.50
1,81.25
2,60.00
2,
2,90.75
";
const MOVES: &str = "id,year
1,1999
2,2004
";

/// Sources of the three departments, and the folder that holds them. The statistics bureau asks.
async fn cluster() -> (Cluster, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut sources = Sources::default();
    let files = [("statistics/people", PEOPLE), ("health/visits", VISITS), ("civil/moves", MOVES)];
    for (name, text) in files {
        let path = folder.path().join(name.replace('/', "-")).with_extension("csv");
        std::fs::write(&path, text).expect("written");
        sources.register(name, &path, &[]).await;
    }
    (Cluster::start(sources).await, folder)
}

fn asked(cluster: &Cluster, source: &str, inputs: &str) -> Plan {
    plan(&cluster.sources, &format!("COMPUTE $$ {source} $$ WITH {inputs}"))
}

fn text(answer: &Answer) -> Vec<Option<String>> {
    assert_eq!(answer.rows.len(), 1);
    (0..answer.columns.len()).map(|column| answer.text(0, column)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_owners_learn_by_a_program_of_their_own() {
    let (cluster, _folder) = cluster().await;
    // Decimals go in as scaled integers; the missing third weight and the NULL are 0.
    let source = "struct Told { sum: u32, above: bool, most: u16 }
        pub fn main(score: u16, weights: [u16; 4]) -> Told {
            let mut sum = 0u32;
            let mut most = 0u16;
            for weight in weights {
                sum = sum + (weight as u32);
                if weight > most { most = weight; }
            }
            Told { sum: sum, above: sum > ((score as u32) * 100u32), most: most }
        }";
    let inputs = "score = (SELECT p.score FROM people p WHERE p.id = 2),
        weights = (SELECT v.weight FROM visits v WHERE v.id = 2) ELSE 0";
    let plan = asked(&cluster, source, inputs);
    assert_eq!((plan.tier, plan.nodes.clone()), (Tier::C, ["health", "statistics"].map(org).to_vec()));
    let answer = cluster.answer(&plan).await;
    let names: Vec<_> = answer.columns.iter().map(|column| (column.name.as_str(), column.ty)).collect();
    let (int, bool) = (ColumnType::Int, ColumnType::Bool);
    assert_eq!(names, [("above", bool), ("most", int), ("sum", int), ("stopped", ColumnType::Text)]);
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(text(&answer), [some("false"), some("9075"), some("15075"), None]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_owners_that_trust_each_other_learn_the_same_in_tier_a_with_less_sent() {
    let (cluster, _folder) = cluster().await;
    let source = "pub fn main(score: u16, weights: [(u16, u8); 2]) -> (bool, u32) {
        let first = weights[0];
        let second = weights[1];
        (score > first.0, (first.0 as u32) + (second.0 as u32))
    }";
    let sql = format!(
        "COMPUTE $$ {source} $$ WITH score = (SELECT score FROM people WHERE id = 1),
         weights = (SELECT weight, id FROM visits WHERE id = 1)"
    );
    for receiver in ["statistics", "health"] {
        // The receiver evaluates, at either place among the nodes.
        let planned = |tier| {
            let request = Request { tier, receiver: org(receiver), ..request(&sql) };
            planner::plan(&request, &cluster.sources.catalogue, &nodes()).expect("a plan")
        };
        let (trusting, checked) = (planned(Some(Tier::A)), planned(None));
        assert_eq!((trusting.tier, trusting.nodes.clone()), (Tier::A, ["health", "statistics"].map(org).to_vec()));
        let answer = text(&cluster.answer(&trusting).await);
        assert_eq!(answer, [Some(format!("[false,{}]", 7050 + 8125)), None]);
        let (Program::Circuit(weak), Program::Circuit(strong)) = (trusting.program, checked.program) else {
            panic!("no programs")
        };
        assert!(weak.size.bytes * 3 < strong.size.bytes, "{:?} {:?}", weak.size, strong.size);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_owners_compute_and_the_receiver_alone_is_told() {
    let (cluster, _folder) = cluster().await;
    let source = "pub fn main(member: bool, weights: [(u16, u8); 2], year: u16) -> (u16, bool) {
        let first = weights[0];
        let second = weights[1];
        ((first.0 ^ second.0) ^ year, member & (first.1 == second.1))
    }";
    let inputs = "year = (SELECT year FROM moves WHERE id = 1),
        member = (SELECT member FROM people WHERE id = 1),
        weights = (SELECT weight, id FROM visits WHERE id = 1)";
    let plan = asked(&cluster, source, inputs);
    assert_eq!((plan.tier, plan.nodes.len()), (Tier::D, 3));
    let told = text(&cluster.answer(&plan).await);
    assert_eq!(told, [Some(format!("[{},true]", 7050 ^ 8125 ^ 1999)), None]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_stops_tells_the_receiver_where_and_nobody_else() {
    let (cluster, _folder) = cluster().await;
    let source = "pub fn main(score: u16, weight: u16) -> u16 {\n score / (weight - 6000u16)\n}";
    let inputs = "score = (SELECT score FROM people WHERE id = 1),
        weight = (SELECT weight FROM visits WHERE id = 2 AND weight < 70)";
    let answer = cluster.answer(&asked(&cluster, source, inputs)).await;
    assert_eq!(answer.rows[0][0], AnswerCell::Null);
    let stopped = answer.text(0, 1).expect("it stopped");
    assert!(stopped.contains("line 2") && stopped.contains("division by zero"), "{stopped}");
}

/// A file of 16 octets, and the answer of 16.
fn octets(value: u128) -> String {
    let rows = value.to_be_bytes().iter().enumerate().map(|(at, octet)| format!("{at},{octet}\n")).collect::<String>();
    format!("place,octet\n{rows}")
}

#[tokio::test(flavor = "multi_thread")]
async fn one_owner_s_block_is_encrypted_under_the_other_s_sm4_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut sources = Sources::default();
    // Examples of the IETF's draft on SM4, draft-ribose-cfrg-sm4, appendix A.
    let (key, block) = (0xfedc_ba98_7654_3210_0123_4567_89ab_cdef_u128, 0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f_u128);
    for (name, value) in [("health/secrets", key), ("statistics/blocks", block)] {
        let path = folder.path().join(name.replace('/', "-")).with_extension("csv");
        std::fs::write(&path, octets(value)).expect("written");
        sources.register(name, &path, &[]).await;
    }
    let cluster = Cluster::start(sources).await;
    let sql =
        "COMPUTE $$ circuit sm4; $$ WITH key = (SELECT octet FROM health.secrets), block = (SELECT octet FROM blocks)";
    let sealed = 0xf766_678f_13f0_1ade_ac1b_3ea9_55ad_b594_u128.to_be_bytes();
    let sealed = sealed.map(|octet| octet.to_string()).join(",");
    for tier in [Tier::C, Tier::A] {
        let request = Request { tier: Some(tier), ..request(sql) };
        let plan = planner::plan(&request, &cluster.sources.catalogue, &nodes()).expect("a plan");
        assert_eq!((plan.tier, plan.nodes.clone()), (tier, ["health", "statistics"].map(org).to_vec()));
        assert_eq!(text(&cluster.answer(&plan).await), [Some(format!("[{sealed}]")), None], "{tier:?}");
    }
}

/// How each of two nodes ends: codes by node, health first.
async fn codes(cluster: &Cluster, plan: &Plan) -> Vec<Option<Code>> {
    let ended = cluster.run(plan, Start::first(), Duration::from_secs(20)).await;
    assert!(ended.iter().all(|party| party.receipt() != Outcome::Done && party.records.kept().is_none()));
    ended.iter().map(|party| party.result.as_ref().err().map(|fault| fault.code)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_not_the_argument_s_end_the_run_at_their_owner() {
    let source = "pub fn main(score: u16, weights: [u16; 2]) -> bool { (score > weights[0]) & (score > weights[1]) }";
    let health_ends = [Some(Code::QueryUnsupported), Some(Code::PeerGone)];
    let (cluster, _folder) = cluster().await;
    let score = "score = (SELECT score FROM people WHERE id = 1)";
    for weights in [
        "(SELECT weight FROM visits) ELSE 0",
        "(SELECT weight FROM visits WHERE id = 3)",
        "(SELECT weight FROM visits WHERE id = 2 AND (weight > 80 OR weight IS NULL))",
    ] {
        let plan = asked(&cluster, source, &format!("{score}, weights = {weights}"));
        assert_eq!(codes(&cluster, &plan).await, health_ends, "{weights}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_compiles_another_circuit_than_was_approved_runs_nothing() {
    let (cluster, _folder) = cluster().await;
    let source = "pub fn main(score: u16, weight: u16) -> bool { score > weight }";
    let inputs = "score = (SELECT score FROM people WHERE id = 1),
        weight = (SELECT weight FROM visits WHERE id = 2 AND weight < 70)";
    let mut plan = asked(&cluster, source, inputs);
    let Program::Circuit(Circuit { source, .. }) = &mut plan.program else { panic!("no program") };
    *source = source.replace("score > weight", "score < weight");
    for code in codes(&cluster, &plan).await {
        assert!(matches!(code, Some(Code::ProposalChanged | Code::PeerGone)), "{code:?}");
    }
}
