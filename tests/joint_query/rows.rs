//! Rows of two owners' data sets, run whole over a link between their two nodes, against what SQL says of small tables.

use std::time::Duration;

use base_types::fault::Code;
use notary_terms::{Intersect, Label, Outcome, Plan, Program, Spares};
use polars::prelude::JoinType;
use runner::{Answer, AnswerCell};
use tempfile::TempDir;

use crate::{
    common::{
        cluster::Cluster,
        expect::{self, falling, rising},
        job::{Start, plan},
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
const VISITS: &str = "id,who,kind,weight
1,ANN,a,70.5
2,BOB,b,80.25
2,BOB,c,
3,Cyd,a,60
,DEE,a,50
5,Fay,b,40
";

/// The two tables as sources of the statistics bureau, which asks, and the health department; the folder holds them.
async fn cluster() -> (Cluster, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut sources = Sources::default();
    for (name, file, text) in [("statistics/people", "people.csv", PEOPLE), ("health/visits", "visits.csv", VISITS)] {
        let path = folder.path().join(file);
        std::fs::write(&path, text).expect("written");
        sources.register(name, &path, &[]).await;
    }
    (Cluster::start(sources).await, folder)
}

fn int(word: i64) -> AnswerCell {
    AnswerCell::Number(word)
}

fn text(text: &str) -> AnswerCell {
    AnswerCell::Text(text.to_owned())
}

async fn ask(cluster: &Cluster, sql: &str) -> Answer {
    cluster.answer(&plan(&cluster.sources, sql)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_multiply_and_null_keys_match_nothing() {
    let (cluster, _folder) = cluster().await;
    let sql = "SELECT p.id, p.name, p.score FROM people p JOIN visits v ON v.id = p.id ORDER BY p.score DESC";
    let twice = |row: [AnswerCell; 3]| [row.to_vec(), row.to_vec()];
    let mut expected = vec![vec![int(1), text("Ann"), int(150)], vec![int(3), text("Cy"), int(300)]];
    expected.extend(twice([int(2), text(" bob "), int(225)]));
    expected.extend(twice([int(2), text("Bob"), AnswerCell::Null]));
    let bucketed = "SELECT /*+ BUCKETS */ p.id, p.name, p.score FROM people p JOIN visits v ON v.id = p.id";
    expect::check(bucketed, &ask(&cluster, bucketed).await, expected.clone(), &[], None);
    expect::check(sql, &ask(&cluster, sql).await, expected, &[falling(2)], None);
    // A filter of either side is its owner's own.
    let sql = "SELECT p.name FROM people p JOIN visits v ON v.id = p.id AND v.kind <> 'c' WHERE p.day > '2020-01-01'";
    let expected = [" bob ", "Bob"].map(|name| vec![text(name)]).to_vec();
    expect::check(sql, &ask(&cluster, sql).await, expected, &[], None);
    let sql = "SELECT p.name FROM people p JOIN visits v ON v.id = p.id WHERE v.weight > 1000";
    expect::check(sql, &ask(&cluster, sql).await, vec![], &[], None);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_several_columns_are_compared_as_the_plan_folds_them() {
    let (cluster, _folder) = cluster().await;
    let exact = "SELECT p.id FROM people p JOIN visits v ON v.id = p.id AND v.who = p.name";
    expect::check(exact, &ask(&cluster, exact).await, vec![], &[], None);
    let folded = "SELECT p.id, p.name FROM people p
                  JOIN visits v ON v.id = p.id AND LOWER(v.who) = LOWER(TRIM(p.name)) ORDER BY p.id";
    let bobs = [" bob ", " bob ", "Bob", "Bob"].map(|name| vec![int(2), text(name)]);
    let expected = [vec![vec![int(1), text("Ann")]], bobs.to_vec()].concat();
    expect::check(folded, &ask(&cluster, folded).await, expected, &[rising(0)], None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_owner_s_cells_come_with_the_rows_that_match_and_no_others() {
    let (cluster, _folder) = cluster().await;
    let sql = "SELECT p.id, v.id AS same, p.score, v.kind, v.weight, v.weight > 65 AS heavy, p.day
               FROM people p JOIN visits v ON v.id = p.id WHERE v.kind = 'a' ORDER BY weight LIMIT 5";
    let expected = vec![
        vec![int(3), int(3), int(300), text("a"), int(6000), int(0), AnswerCell::Null],
        vec![int(1), int(1), int(150), text("a"), int(7050), int(1), int(18_262)],
    ];
    let answer = ask(&cluster, sql).await;
    expect::check(sql, &answer, expected, &[rising(4)], Some(5));
    let shown: Vec<_> = (0..7).map(|column| answer.text(1, column).unwrap_or_default()).collect();
    assert_eq!(shown, ["1", "1", "1.50", "a", "70.50", "true", "2020-01-01"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn cells_of_a_key_that_occurs_twice_end_the_run_at_their_owner() {
    let (cluster, _folder) = cluster().await;
    for hint in ["", "/*+ BUCKETS */"] {
        let sql = format!("SELECT {hint} p.id, v.kind FROM people p JOIN visits v ON v.id = p.id");
        ends_at_health(&cluster, &plan(&cluster.sources, &sql)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_rows_of_a_key_come_where_the_query_says_how_many() {
    let (cluster, _folder) = cluster().await;
    let row = |id, name, kind| vec![int(id), text(name), text(kind)];
    let bobs = [" bob ", "Bob"].map(|name| [row(2, name, "b"), row(2, name, "c")]).concat();
    let expected = [vec![row(1, "Ann", "a"), row(3, "Cy", "a")], bobs].concat();
    for hint in ["ROWS(2)", "ROWS(3) BUCKETS"] {
        let sql = format!("SELECT /*+ {hint} */ p.id, p.name, v.kind FROM people p JOIN visits v ON v.id = p.id");
        expect::check(&sql, &ask(&cluster, &sql).await, expected.clone(), &[], None);
    }
}

/// Two rows of a key of which one is due end the run before anything is sent.
async fn ends_at_health(cluster: &Cluster, plan: &Plan) {
    let ended = cluster.run(plan, Start::first(), Duration::from_secs(20)).await;
    let [health, statistics] = ended.as_slice() else { panic!("two nodes") };
    let fault = health.result.clone().expect_err("two rows have the key 2");
    assert_eq!((fault.code, fault.party.clone()), (Code::KeyNotUnique, Some(org("health"))), "{fault}");
    assert!(!fault.detail.contains('2'), "no key is told: {fault}");
    let left = statistics.result.clone().expect_err("its partner left");
    assert_eq!((left.code, left.party.clone()), (Code::PeerGone, Some(org("health"))), "{left}");
    assert!(ended.iter().all(|party| party.receipt() != Outcome::Done && party.records.kept().is_none()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_whose_partner_never_comes_names_it() {
    let (cluster, _folder) = cluster().await;
    let plan = plan(&cluster.sources, "SELECT p.id FROM people p JOIN visits v ON v.id = p.id");
    let ended = cluster.party(&plan, Start::first(), &org("statistics"), Duration::from_millis(300)).await;
    let fault = ended.result.clone().expect_err("nobody came");
    assert_eq!((fault.code, fault.party), (Code::PeerSilent, Some(org("health"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_real_files_equal_polars_over_the_merged_files() {
    let [census, health] = ["census", "health"].map(|name| file(format!("{NHEFS}/{name}.csv"), &[]));
    let old = keep(&health, "age", |age| age.map(|age| age >= 40));
    let joined = join(&census, &old, JoinType::Inner, "health");
    let columns = ["person_id", "education", "sbp"].map(|name| words(&joined, name));
    let cell = |word: &Option<i64>| word.map_or(AnswerCell::Null, AnswerCell::Number);
    let row = |at: usize| columns.iter().map(|column| cell(&column[at])).collect::<Vec<_>>();
    let expected: Vec<Vec<AnswerCell>> = (0..joined.height()).map(row).collect();
    assert!(expected.len() > 500);
    let cluster = Cluster::start(Sources::nhefs(NHEFS).await).await;
    let sql = "SELECT c.person_id, c.education, h.sbp FROM census c
               JOIN health h ON h.person_id = c.person_id WHERE h.age >= 40 ORDER BY c.person_id";
    let plan = plan(&cluster.sources, sql);
    assert!(matches!(&plan.program, Program::Intersect(Intersect { label: Label::Row { .. }, .. })));
    let bare: Vec<_> = expected.iter().map(|row| row[..1].to_vec()).collect();
    expect::check(sql, &cluster.answer(&plan).await, expected.clone(), &[rising(0)], None);
    let sparing = in_buckets(&cluster, sql);
    expect::check(sql, &cluster.answer(&sparing).await, expected, &[rising(0)], None);
    // The health file's numbers are unique by its registration: a match alone says it all.
    let sql = "SELECT h.person_id FROM census c JOIN health h ON h.person_id = c.person_id AND h.age >= 40";
    let plan = self::plan(&cluster.sources, sql);
    assert!(matches!(&plan.program, Program::Intersect(Intersect { label: Label::Nothing, .. })));
    expect::check(sql, &cluster.answer(&plan).await, bare.clone(), &[], None);
    let sparing = in_buckets(&cluster, sql);
    expect::check(sql, &cluster.answer(&sparing).await, bare, &[], None);
}

/// The same query, in two buckets and with little traffic.
fn in_buckets(cluster: &Cluster, sql: &str) -> Plan {
    let plan = plan(&cluster.sources, &sql.replacen("SELECT", "SELECT /*+ BUCKETS(1024), LOW_TRAFFIC */", 1));
    let Program::Intersect(intersect) = &plan.program else { panic!("no intersection") };
    assert_eq!((intersect.buckets(&plan.reads), intersect.spares), (2, Spares::Bytes));
    plan
}
