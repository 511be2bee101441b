//! Aggregates between two nodes without a third, and rows that three owners have in common, run whole over links.

use std::time::Duration;

use base_types::fault::Code;
use notary_terms::{Common, Outcome, Plan, Program, Spares, Tier};
use polars::prelude::JoinType;
use runner::{
    Answer,
    AnswerCell::{Null, Number, Suppressed, Text},
};
use tempfile::TempDir;

use crate::{
    common::{
        cluster::{Cluster, Ended},
        dataset,
        expect::{self, rising},
        job::{Start, plan, request},
        org,
        sources::{NHEFS, Sources},
    },
    merged::{file, join, keep, words},
};

const PEOPLE: &str = "id,name,score,day
1,Ann,1.50,2020-01-01
2,\" bob \",2.25,2020-01-02
2,Bob,,2020-01-03
3,Cy,3.00,
,Dee,4.00,2020-01-05
4,Eve,5.00,2020-01-06
";
const VISITS: &str = "id,kind,weight
1,a,70.5
2,b,80.25
2,c,
3,a,60
,a,50
5,b,40
";
const JOBS: &str = "id,pay
1,8
2,6
3,1
9,7
";
const STAYS: &str = "id,ward
3,x
1,y
4,x
2,x
7,y
";

/// Three small tables, each of another owner; the folder holds them.
async fn sources() -> (Sources, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut sources = Sources::default();
    let tables = [("statistics/people", PEOPLE), ("health/visits", VISITS), ("civil/stays", STAYS)];
    for (name, text) in tables {
        let path = folder.path().join(format!("{}.csv", name.replace('/', "-")));
        std::fs::write(&path, text).expect("written");
        sources.register(name, &path, &[]).await;
    }
    (sources, folder)
}

/// The plan between the nodes of the health department and the statistics bureau.
fn between_two(sources: &Sources, sql: &str) -> Plan {
    let nodes = ["health", "statistics"].map(org);
    planner::plan(&request(sql), &sources.catalogue, &nodes).unwrap_or_else(|fault| panic!("{sql}\n{fault}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_give_what_three_give() {
    let conditions = "FROM census c JOIN health h ON h.person_id = c.person_id WHERE h.age >= 40 AND c.income > 5";
    let sql = format!(
        "SELECT COUNT(*) AS people, COUNT(h.sbp) AS known, SUM(h.sbp) AS total, AVG(h.sbp) AS mean,
                SUM(c.income) AS income, AVG(h.wt71) AS weight, COUNT(c.income) AS paid, SUM(c.education - 9) AS years,
                SUM(CASE WHEN h.sbp > 140 THEN 1 ELSE 0 END) AS high, SUM(2) AS twice {conditions}"
    );
    for folder in [NHEFS.to_owned(), format!("{NHEFS}/rough")] {
        let cluster = Cluster::start(Sources::nhefs(&folder).await).await;
        let (two, three) = (between_two(&cluster.sources, &sql), plan(&cluster.sources, &sql));
        assert_eq!((two.tier, three.tier), (Tier::A, Tier::B));
        let answer = cluster.answer(&two).await;
        let due = cluster.answer(&three).await;
        assert!(due.rows.iter().flatten().all(|cell| *cell != Suppressed), "{due:?}");
        assert_eq!(answer, due, "{folder}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_multiply_and_nulls_neither_match_nor_count() {
    let (mut sources, _folder) = sources().await;
    sources.least("statistics/people", 3);
    sources.least("health/visits", 1);
    let cluster = Cluster::start(sources).await;
    let join = "FROM people p JOIN visits v ON v.id = p.id";
    // The keys 1, 2 and 3 match, with 1, 4 and 1 pairs of rows.
    let sql =
        format!("SELECT COUNT(*), COUNT(p.score), SUM(p.score), COUNT(v.weight), SUM(v.weight), AVG(v.weight) {join}");
    let answer = cluster.answer(&between_two(&cluster.sources, &sql)).await;
    let shown: Vec<_> = (0..5).map(|column| answer.text(0, column).unwrap_or_default()).collect();
    assert_eq!(shown, ["6", "4", "9.00", "4", "291.00"]);
    assert!(answer.text(0, 5).is_some_and(|mean| mean.trim_end_matches('0') == "72.75"), "{answer:?}");
    // Only key 2 has a score on a later day: its aggregate is hidden, the others are not.
    let sql =
        format!("SELECT COUNT(*), SUM(CASE WHEN p.day > '2020-01-01' THEN p.score END) AS late, COUNT(p.day) {join}");
    let answer = cluster.answer(&between_two(&cluster.sources, &sql)).await;
    assert_eq!(answer.rows, [vec![Number(6), Suppressed, Suppressed]]);
    // A filter leaves two keys, or none.
    for condition in ["v.kind = 'a'", "v.weight > 1000"] {
        let sql = format!("SELECT COUNT(*), AVG(v.weight) {join} WHERE {condition}");
        let answer = cluster.answer(&between_two(&cluster.sources, &sql)).await;
        assert_eq!(answer.rows, [vec![Suppressed, Suppressed]], "{condition}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_of_two_that_is_alone_names_the_other() {
    let (sources, _folder) = sources().await;
    let cluster = Cluster::start(sources).await;
    let plan = between_two(&cluster.sources, "SELECT COUNT(*) FROM people p JOIN visits v ON v.id = p.id");
    let ended = cluster.party(&plan, Start::first(), &org("health"), Duration::from_millis(300)).await;
    let fault = ended.result.clone().expect_err("nobody came");
    assert_eq!((fault.code, fault.party), (Code::PeerSilent, Some(org("statistics"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_three_real_files_equal_polars_over_the_merged_files() {
    let [census, health, deaths] = ["census", "health", "deaths"].map(|name| file(format!("{NHEFS}/{name}.csv"), &[]));
    let old = keep(&health, "age", |age| age.map(|age| age >= 40));
    let both = join(&census, &old, JoinType::Inner, "health");
    let joined = join(&both, &deaths, JoinType::Inner, "dead");
    let columns = ["person_id", "education"].map(|name| words(&joined, name));
    let row = |at: usize| columns.iter().map(|column| column[at].map_or(Null, Number)).collect::<Vec<_>>();
    let expected: Vec<_> = (0..joined.height()).map(row).collect();
    assert!(expected.len() > 100);
    let cluster = Cluster::start(Sources::nhefs(NHEFS).await).await;
    let sql = "SELECT h.person_id, c.education FROM census c JOIN health h ON h.person_id = c.person_id
               JOIN deaths d ON d.person_id = h.person_id WHERE h.age >= 40 ORDER BY c.person_id";
    let plan = plan(&cluster.sources, sql);
    let program = Program::Common(Common { spares: Spares::Time });
    assert_eq!((&plan.program, plan.tier), (&program, Tier::D));
    expect::check(sql, &cluster.answer(&plan).await, expected, &[rising(0)], None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_receiver_s_duplicates_stay_and_the_others_end_the_run() {
    let (sources, _folder) = sources().await;
    let cluster = Cluster::start(sources).await;
    let sql = "SELECT p.name, s.id FROM people p JOIN visits v ON v.id = p.id AND v.kind <> 'c'
               JOIN stays s ON s.id = p.id AND s.ward = 'x'";
    let name = |name: &str, id| vec![Text(name.to_owned()), Number(id)];
    let expected = vec![name(" bob ", 2), name("Bob", 2), name("Cy", 3)];
    expect::check(sql, &cluster.answer(&plan(&cluster.sources, sql)).await, expected, &[], None);
    // Without the filter two visits have the key 2, and a match cannot say how many.
    let twice = "SELECT p.name FROM people p JOIN visits v ON v.id = p.id JOIN stays s ON s.id = p.id";
    let ended = cluster.run(&plan(&cluster.sources, twice), Start::numbered(1), Duration::from_secs(20)).await;
    for party in &ended {
        let fault = party.result.clone().expect_err("two rows have the key 2");
        if party.org == org("health") {
            assert_eq!((fault.code, fault.party.clone()), (Code::KeyNotUnique, Some(org("health"))), "{fault}");
            assert!(!fault.detail.contains('2'), "no key is told: {fault}");
        }
        assert!(party.receipt() != Outcome::Done && party.records.kept().is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_four_owners_are_those_that_all_have() {
    let (mut sources, folder) = sources().await;
    let path = folder.path().join("labour-jobs.csv");
    std::fs::write(&path, JOBS).expect("written");
    sources.register("labour/jobs", &path, &[]).await;
    let cluster = Cluster::joined_by(sources, &["labour"]).await;
    let sql = "SELECT p.name, s.id FROM people p JOIN visits v ON v.id = p.id AND v.kind <> 'c'
               JOIN stays s ON s.id = p.id AND s.ward = 'x' JOIN jobs j ON j.id = p.id AND j.pay > 5";
    let plan = plan(&cluster.sources, sql);
    assert_eq!((plan.nodes.len(), plan.tier), (4, Tier::D));
    // The fourth owner's filter leaves out the key 3, the third's the key 1.
    let name = |name: &str| vec![Text(name.to_owned()), Number(2)];
    expect::check(sql, &cluster.answer(&plan).await, vec![name(" bob "), name("Bob")], &[], None);
}

/// The answer, and what all nodes sent.
async fn run(cluster: &Cluster, plan: &Plan, number: u64) -> (Answer, u64) {
    let ended = cluster.run(plan, Start::numbered(number), Duration::from_secs(30)).await;
    let own = |party: &Ended| -> u64 {
        party.streams().streams.iter().filter(|stream| stream.from == party.org).map(|stream| stream.bytes).sum()
    };
    let bytes: u64 = ended.iter().map(own).sum();
    let mut answers = ended.into_iter().filter_map(|party| party.result.unwrap_or_else(|fault| panic!("{fault}")));
    (answers.next().expect("one party receives the answer"), bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_transfers_give_the_same_sums_for_fewer_bytes() {
    let (mut sources, _folder) = sources().await;
    sources.least("statistics/people", 1);
    sources.least("health/visits", 1);
    let cluster = Cluster::start(sources).await;
    let sql = "SELECT COUNT(*), SUM(p.score), AVG(v.weight) FROM people p JOIN visits v ON v.id = p.id";
    let fast = between_two(&cluster.sources, sql);
    let lean = between_two(&cluster.sources, &sql.replacen("SELECT", "SELECT /*+ LOW_TRAFFIC */", 1));
    assert!(matches!(&lean.program, Program::Overlap(sums) if sums.spares == Spares::Bytes));
    let ((due, most), (answer, bytes)) = (run(&cluster, &fast, 0).await, run(&cluster, &lean, 1).await);
    assert_eq!(answer.rows, due.rows);
    assert_eq!(answer.rows[0][..2], [Number(6), Number(900)]);
    // A bin takes some 80 transfers of 8 bytes by the extension; there are more than 1,024 bins.
    assert!(bytes + 300_000 < most, "{bytes} {most}");
}

#[tokio::test(flavor = "multi_thread")]
async fn larger_stores_give_the_same_rows_in_common_for_fewer_bytes() {
    let (mut sources, _folder) = sources().await;
    // The stores are as large as the bounds, whatever the tables hold.
    for name in ["statistics/people", "health/visits", "civil/stays"] {
        sources.catalogue.sources.get_mut(&dataset(name)).expect("registered").rows_bound = 40_000;
    }
    let cluster = Cluster::start(sources).await;
    let sql = "SELECT p.name, s.id FROM people p JOIN visits v ON v.id = p.id AND v.kind <> 'c'
               JOIN stays s ON s.id = p.id AND s.ward = 'x' ORDER BY p.name";
    let fast = plan(&cluster.sources, sql);
    let lean = plan(&cluster.sources, &sql.replacen("SELECT", "SELECT /*+ LOW_TRAFFIC */", 1));
    assert_eq!(lean.program, Program::Common(Common { spares: Spares::Bytes }));
    let ((due, most), (answer, bytes)) = (run(&cluster, &fast, 0).await, run(&cluster, &lean, 1).await);
    assert!(due.rows.len() == 3 && answer.rows == due.rows, "{answer:?} {due:?}");
    // Two tables with each of two owners, of one bin instead of two.
    assert!(bytes + 200_000 < most, "{bytes} {most}");
}
