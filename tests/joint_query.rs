//! The main job in one process: planner, connectors, runner and three-party engine give what one database would give.
//!
//! The story's queries run whole, over links with mutual TLS, against Polars over the merged files; further queries and
//! random ones run over memory, against Polars and against nested loops. So do rows of two owners and aggregates over them,
//! between their two nodes, rows that three or four owners have in common, users' own programs, and programs over vectors.

#[path = "common/mod.rs"]
mod common;
#[path = "joint_query/generate.rs"]
mod generate;
#[path = "joint_query/merged.rs"]
mod merged;
#[path = "joint_query/more.rs"]
mod more;
#[path = "joint_query/owners.rs"]
mod owners;
#[path = "joint_query/phases.rs"]
mod phases;
#[path = "joint_query/programs.rs"]
mod programs;
#[path = "joint_query/published.rs"]
mod published;
#[path = "joint_query/query.rs"]
mod query;
#[path = "joint_query/random.rs"]
mod random;
#[path = "joint_query/reference.rs"]
mod reference;
#[path = "joint_query/resumed.rs"]
mod resumed;
#[path = "joint_query/rows.rs"]
mod rows;
#[path = "joint_query/vectors.rs"]
mod vectors;

use common::{
    cluster::Cluster,
    expect::{self, rising},
    job::plan,
    sources::{NHEFS, Sources},
};
use merged::{Of, file, grouped, join, keep, map};
use polars::prelude::{DataFrame, JoinType};
use runner::AnswerCell;

const BY_EDUCATION: &str = "SELECT c.education, COUNT(*) AS people, AVG(h.sbp) AS sbp,
       SUM(CASE WHEN d.person_id IS NULL THEN 0 ELSE 1 END) AS died
FROM census c JOIN health h ON h.person_id = c.person_id
LEFT JOIN deaths d ON d.person_id = c.person_id
WHERE h.age >= 40 GROUP BY c.education ORDER BY c.education";

const BY_INCOME: &str = "SELECT c.income, c.marital, COUNT(*) AS people, AVG(h.sbp) AS sbp, COUNT(h.sbp) AS known,
       SUM(CASE WHEN d.person_id IS NULL THEN 0 ELSE 1 END) AS died
FROM census c JOIN health h ON h.person_id = c.person_id
LEFT JOIN deaths d ON d.person_id = c.person_id
WHERE h.age >= 40 GROUP BY c.income, c.marital ORDER BY c.income, c.marital";

/// The three files joined as the story joins them.
fn story(folder: &str) -> DataFrame {
    let [census, health, deaths] = ["census", "health", "deaths"].map(|name| file(format!("{folder}/{name}.csv"), &[]));
    let old = keep(&health, "age", |age| age.map(|age| age >= 40));
    let both = join(&census, &old, JoinType::Inner, "health");
    let mut all = join(&both, &deaths, JoinType::Left, "dead");
    map(&mut all, "dead", "died", |dead| Some(dead.unwrap_or(0)));
    all
}

async fn story_holds(folder: &str) -> Vec<Vec<AnswerCell>> {
    let cluster = Cluster::start(Sources::nhefs(folder).await).await;
    let joined = story(folder);
    let answer = cluster.answer(&plan(&cluster.sources, BY_EDUCATION)).await;
    let expected = grouped(&joined, &["education"], &[Of::Rows, Of::Avg("sbp", 6), Of::Sum("died")], 5);
    assert!(expected.len() >= 5);
    expect::check(BY_EDUCATION, &answer, expected, &[rising(0)], None);
    let answer = cluster.answer(&plan(&cluster.sources, BY_INCOME)).await;
    let of = [Of::Rows, Of::Avg("sbp", 6), Of::Count("sbp"), Of::Sum("died")];
    let expected = grouped(&joined, &["income", "marital"], &of, 5);
    expect::check(BY_INCOME, &answer, expected, &[rising(0), rising(1)], None);
    answer.rows
}

fn suppressed(rows: &[Vec<AnswerCell>]) -> usize {
    rows.iter().filter(|row| row.contains(&AnswerCell::Suppressed)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_over_links_equals_polars_over_the_merged_files() {
    let rows = story_holds(NHEFS).await;
    assert!(rows.iter().any(|row| row[0] == AnswerCell::Null), "there is a group without income");
    let (hidden, all) = (suppressed(&rows), rows.len());
    assert!(hidden > 5 && all - hidden > 5, "{hidden} of {all} groups are suppressed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_holds_on_rough_data_with_dropped_repeated_and_keyless_rows() {
    let folder = format!("{NHEFS}/rough");
    let [census, health, deaths] = ["census", "health", "deaths"]
        .map(|name| merged::words(&file(format!("{folder}/{name}.csv"), &[]), "person_id"));
    let repeated = |keys: &[Option<i64>]| {
        let mut known: Vec<_> = keys.iter().flatten().collect();
        known.sort_unstable();
        known.windows(2).any(|pair| pair[0] == pair[1])
    };
    assert!(repeated(&census) && repeated(&health), "keys repeat on both sides");
    assert!([&census, &health].iter().any(|keys| keys.contains(&None)), "some keys are empty");
    assert!(census.iter().any(|key| !health.contains(key)) && health.iter().any(|key| !census.contains(key)));
    assert!(deaths.iter().any(|key| !census.contains(key) && !health.contains(key)), "a death nobody else knows");
    story_holds(&folder).await;
}
