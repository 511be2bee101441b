//! Rows of two owners by a published table: the same answers as an intersection's, and a second query that fetches nothing.

use std::time::Duration;

use notary_terms::Program;
use runner::{Answer, AnswerCell};

use crate::common::{
    cluster::Cluster,
    expect::{self, rising},
    job::{Start, plan},
    sources::{NHEFS, Sources},
};

const PEOPLE: &str = "id,name\n1,Ann\n2,bob\n2,Bob\n3,Cy\n,Dee\n4,Eve\n";
const VISITS: &str = "id,kind\n1,a\n2,b\n2,c\n3,a\n,a\n5,b\n";
/// Another state of the visits, within what is registered.
const LATER: &str = "id,kind\n1,a\n2,b\n2,c\n4,a\n,a\n5,b\n";
const ASKED: &str =
    "SELECT p.id, p.name FROM people p JOIN visits v ON v.id = p.id ORDER BY p.id AGAINST PUBLISHED KEYS";
/// Fewer bytes than the smallest table has.
const TABLE: u64 = 500;

/// Runs a query; the answer, and the bytes of both directions.
async fn ask(cluster: &Cluster, sql: &str, number: u64) -> (Answer, u64) {
    let plan = plan(&cluster.sources, sql);
    assert!(matches!(plan.program, Program::Published(_)));
    let ended = cluster.run(&plan, Start::numbered(number), Duration::from_secs(30)).await;
    let bytes = ended[0].streams().streams.iter().map(|stream| stream.bytes).sum();
    let mut answers = ended.into_iter().filter_map(|party| party.result.unwrap_or_else(|fault| panic!("{fault}")));
    (answers.next().expect("one party receives the answer"), bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_query_fetches_nothing_until_the_data_set_has_changed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut sources = Sources::default();
    for (name, file, text) in [("statistics/people", "people.csv", PEOPLE), ("health/visits", "visits.csv", VISITS)] {
        let path = folder.path().join(file);
        std::fs::write(&path, text).expect("written");
        sources.register(name, &path, &[]).await;
    }
    let cluster = Cluster::start(sources).await;
    let rows = |of: &[(i64, &str)]| -> Vec<Vec<AnswerCell>> {
        of.iter().map(|(id, name)| vec![AnswerCell::Number(*id), AnswerCell::Text((*name).to_owned())]).collect()
    };
    let twice = [(2, "bob"), (2, "bob"), (2, "Bob"), (2, "Bob")];
    let before = rows(&[&[(1, "Ann")][..], &twice, &[(3, "Cy")]].concat());
    let after = rows(&[&[(1, "Ann")][..], &twice, &[(4, "Eve")]].concat());
    let (answer, first) = ask(&cluster, ASKED, 0).await;
    expect::check(ASKED, &answer, before.clone(), &[rising(0)], None);
    let (answer, second) = ask(&cluster, ASKED, 1).await;
    expect::check(ASKED, &answer, before, &[rising(0)], None);
    assert!(first > second + TABLE, "{first} {second}");
    // The owner's node reads the source in every run: another state has another table.
    std::fs::write(folder.path().join("visits.csv"), LATER).expect("written");
    let (answer, changed) = ask(&cluster, ASKED, 2).await;
    expect::check(ASKED, &answer, after.clone(), &[rising(0)], None);
    assert!(changed > second + TABLE, "{changed} {second}");
    let (answer, again) = ask(&cluster, ASKED, 3).await;
    expect::check(ASKED, &answer, after, &[rising(0)], None);
    assert!(changed > again + TABLE, "{changed} {again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_table_gives_what_an_intersection_gives() {
    let cluster = Cluster::start(Sources::nhefs(NHEFS).await).await;
    let join = "FROM census c JOIN health h ON h.person_id = c.person_id";
    for sql in [
        format!("SELECT c.person_id, c.education, h.sbp {join} WHERE h.age >= 40 ORDER BY c.person_id"),
        format!("SELECT h.person_id {join} AND h.age < 40 ORDER BY 1"),
    ] {
        let intersected = cluster.answer(&plan(&cluster.sources, &sql)).await;
        let against = format!("{sql} AGAINST PUBLISHED KEYS");
        let published = cluster.answer(&plan(&cluster.sources, &against)).await;
        assert!(intersected.rows.len() > 100 && published.rows == intersected.rows, "{sql}");
    }
}
