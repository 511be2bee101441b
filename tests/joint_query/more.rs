//! One query for each form of the supported SQL, over the real files and one with texts, dates and decimals, against Polars.

use std::{fmt::Write, path::Path};

use base_types::column::ColumnType;
use polars::prelude::{DataFrame, JoinType};
use runner::AnswerCell;
use tempfile::TempDir;

use crate::{
    common::{
        expect::{self, Key, falling, rising},
        job::plan,
        memory,
        sources::{NHEFS, Sources},
    },
    merged::{Of, file, grouped, join, keep, map, put, words},
};

/// The sources and Polars' frames of them; decimals are integers of their own scale.
struct Scene {
    _folder: TempDir,
    sources: Sources,
    census: DataFrame,
    health: DataFrame,
    deaths: DataFrame,
    visits: DataFrame,
}

/// Visits of some of the people, several of each, to clinics with names, on days, for fees.
fn visits(people: &[Option<i64>]) -> String {
    let mut text = "person_id,clinic,day,fee,urgent\n".to_owned();
    for (at, person) in people.iter().flatten().enumerate().filter(|(at, _)| at % 3 != 0) {
        for visit in 0..at % 3 {
            let clinic = ["North", "南", "a clinic with quite a long name", ""][(at + visit) % 4];
            let day = if at % 7 == 0 { String::new() } else { format!("1971-0{}-{:02}", 4 + at % 5, 1 + at % 28) };
            let fee = if at % 11 == 0 { String::new() } else { format!("{}.{:02}", at % 90, at * 7 % 100) };
            let urgent = ["true", "false", ""][at % 3];
            writeln!(text, "{person},{clinic},{day},{fee},{urgent}").expect("text grows");
        }
    }
    text
}

/// The first lines of a file, so that many queries take little time.
fn head(folder: &Path, name: &str, lines: usize) -> std::path::PathBuf {
    let whole = std::fs::read_to_string(format!("{NHEFS}/{name}.csv")).expect("a file");
    let path = folder.join(format!("{name}.csv"));
    let cut: Vec<&str> = whole.lines().take(lines).collect();
    std::fs::write(&path, cut.join("\n") + "\n").expect("written");
    path
}

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let paths = [("census", 600), ("health", 900), ("deaths", 320)];
        let [census, health, deaths] = paths.map(|(name, lines)| head(folder.path(), name, lines));
        let frames = (file(&census, &[]), file(&health, &[("ht", 4), ("wt71", 2), ("wt82", 4)]), file(&deaths, &[]));
        let path = folder.path().join("visits.csv");
        std::fs::write(&path, visits(&words(&frames.0, "person_id"))).expect("written");
        let mut sources = Sources::default();
        sources.register("statistics/census", &census, &[]).await;
        sources.register("health/health", &health, &[]).await;
        sources.register("civil/deaths", &deaths, &[]).await;
        sources.register("health/visits", &path, &[("fee", ColumnType::Decimal { scale: 2 })]).await;
        let visits = file(&path, &[("fee", 2)]);
        Self { sources, census: frames.0, health: frames.1, deaths: frames.2, visits, _folder: folder }
    }

    /// Census with health, inner.
    fn both(&self) -> DataFrame {
        join(&self.census, &self.health, JoinType::Inner, "health")
    }

    async fn check(&self, sql: &str, expected: Vec<Vec<AnswerCell>>, keys: &[Key], limit: Option<usize>) {
        let sql = sql.replace("{ON}", "ON h.person_id = c.person_id");
        let answer = memory::answer(&self.sources, &plan(&self.sources, &sql)).await;
        assert!(expected.iter().flatten().any(|cell| *cell != AnswerCell::Suppressed), "{sql}: nothing to compare");
        expect::check(&sql, &answer, expected, keys, limit);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn inner_joins_of_three() {
    let scene = Scene::new().await;
    let all = join(&scene.both(), &scene.deaths, JoinType::Inner, "dead");
    let sql = "SELECT c.marital, COUNT(*), AVG(h.wt71), SUM(h.wt82), COUNT(h.wt82), AVG(d.yrdth) FROM census c
               JOIN health h {ON} JOIN deaths d ON d.person_id = h.person_id GROUP BY c.marital ORDER BY 1";
    let of = [Of::Rows, Of::Avg("wt71", 5), Of::Sum("wt82"), Of::Count("wt82"), Of::Avg("yrdth", 6)];
    scene.check(sql, grouped(&all, &["marital"], &of, 5), &[rising(0)], None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_table_without_a_join() {
    let scene = Scene::new().await;
    let mut old = keep(&scene.health, "age", |age| Some((40..=60).contains(&age?)));
    let rows = (0..old.height() as i64).map(Some).collect();
    put(&mut old, "person_id", rows);
    let sql = "SELECT exercise, COUNT(*) AS n, AVG(sbp), SUM(wt71) FROM health WHERE age BETWEEN 40 AND 60
               GROUP BY exercise ORDER BY n DESC";
    let of = [Of::Rows, Of::Avg("sbp", 6), Of::Sum("wt71")];
    scene.check(sql, grouped(&old, &["exercise"], &of, 5), &[falling(1)], None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_group_by_and_conditions_on_both_tables() {
    let scene = Scene::new().await;
    let some = keep(&scene.both(), "income", |income| Some(income? >= 18));
    let some = keep(&keep(&some, "age", |age| Some(age? < 50)), "sex", |sex| Some(sex? == 1));
    let sql = "SELECT COUNT(*), SUM(h.wt71), AVG(h.ht), COUNT(h.sbp), AVG(c.school) FROM census c JOIN health h {ON}
               WHERE c.income >= 18 AND h.age < 50 AND h.sex = 1";
    let of = [Of::Rows, Of::Sum("wt71"), Of::Avg("ht", 5), Of::Count("sbp"), Of::Avg("school", 6)];
    scene.check(sql, grouped(&some, &[], &of, 5), &[], None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_in_the_on_of_a_left_join_keeps_the_left_rows() {
    let scene = Scene::new().await;
    let early = keep(&scene.deaths, "yrdth", |year| Some(year? <= 86));
    let mut all = join(&scene.census, &early, JoinType::Left, "dead");
    map(&mut all, "yrdth", "year_or_99", |year| Some(year.unwrap_or(99)));
    map(&mut all, "yrdth", "late", |year| Some(i64::from(year.is_some_and(|year| year > 84))));
    let sql = "SELECT c.education, COUNT(*), COUNT(d.yrdth), SUM(d.yrdth), SUM(COALESCE(d.yrdth, 99)),
               AVG(CASE WHEN d.yrdth > 84 THEN 1 ELSE 0 END) FROM census c
               LEFT JOIN deaths d ON c.person_id = d.person_id AND d.yrdth <= 86 GROUP BY c.education ORDER BY c.education";
    let of = [Of::Rows, Of::Count("yrdth"), Of::Sum("yrdth"), Of::Sum("year_or_99"), Of::Avg("late", 6)];
    scene.check(sql, grouped(&all, &["education"], &of, 5), &[rising(0)], None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_in_the_on_of_an_inner_join() {
    let scene = Scene::new().await;
    let married = keep(&scene.both(), "marital", |marital| Some(marital? == 2));
    let some = keep(&married, "sbp", |sbp| Some(sbp? > 120));
    let sql = "SELECT c.race, COUNT(*), AVG(h.sbp) FROM census c JOIN health h {ON} AND c.marital = 2 AND h.sbp > 120
               GROUP BY c.race ORDER BY c.race DESC";
    let expected = grouped(&some, &["race"], &[Of::Rows, Of::Avg("sbp", 6)], 5);
    scene.check(sql, expected, &[falling(0)], None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_joined_table_may_carry_the_groups_and_the_answer_may_be_cut() {
    let scene = Scene::new().await;
    let all = join(&scene.both(), &scene.deaths, JoinType::Left, "dead");
    let sql = "SELECT h.exercise, h.active, COUNT(*) AS n, SUM(c.school), COUNT(d.yrdth) FROM census c
               JOIN health h {ON} LEFT JOIN deaths d ON d.person_id = c.person_id
               GROUP BY h.exercise, h.active ORDER BY n DESC, 1, 2 LIMIT 4";
    let of = [Of::Rows, Of::Sum("school"), Of::Count("yrdth")];
    let expected = grouped(&all, &["exercise", "active"], &of, 5);
    scene.check(sql, expected, &[falling(2), rising(0), rising(1)], Some(4)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn arithmetic_with_decimals_is_exact() {
    let scene = Scene::new().await;
    let mut all = scene.both();
    let (early, late) = (words(&all, "wt71"), words(&all, "wt82"));
    let gained = early.iter().zip(&late).map(|(early, late)| Some((*late)? - (*early)? * 100)).collect();
    put(&mut all, "gained", gained);
    map(&mut all, "wt82", "twice", |kg| Some(kg? * 20 - 150_000));
    let sql = "SELECT c.race, SUM(h.wt82 - h.wt71), AVG(h.wt82 - h.wt71), AVG(h.wt82 * 2.0 - 1.5) FROM census c
               JOIN health h {ON} GROUP BY c.race ORDER BY c.race";
    let of = [Of::Sum("gained"), Of::Avg("gained", 5), Of::Avg("twice", 4)];
    scene.check(sql, grouped(&all, &["race"], &of, 5), &[rising(0)], None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_name_groups_and_a_person_who_comes_often_counts_once() {
    let mut scene = Scene::new().await;
    let late = keep(&scene.visits, "day", |day| Some(day? >= 516));
    let all = join(&late, &scene.census, JoinType::Inner, "census");
    let sql = "SELECT v.clinic, COUNT(*), AVG(v.fee), COUNT(v.urgent), SUM(v.urgent), SUM(c.school) FROM visits v
               JOIN census c ON v.person_id = c.person_id WHERE v.day >= DATE '1971-06-01'
               GROUP BY v.clinic ORDER BY v.clinic DESC NULLS LAST";
    let of = [Of::Rows, Of::Avg("fee", 6), Of::Count("urgent"), Of::Sum("urgent"), Of::Sum("school")];
    for least in [5, 60] {
        scene.sources.least("health/visits", least);
        let expected = grouped(&all, &["clinic"], &of, i64::from(least));
        assert_eq!(expected.len(), 4);
        scene.check(sql, expected, &[(0, true, false)], None).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dates_name_groups() {
    let scene = Scene::new().await;
    let all = join(&scene.census, &scene.visits, JoinType::Inner, "visit");
    let sql = "SELECT v.day, COUNT(*) AS n, SUM(v.fee) FROM census c JOIN visits v ON c.person_id = v.person_id
               WHERE v.clinic IN ('North', '南') OR v.clinic IS NULL GROUP BY day ORDER BY n DESC, v.day LIMIT 9";
    let named = |frame: &DataFrame| -> Vec<bool> {
        let column = frame.column("clinic").expect("a column").str().expect("texts");
        column.iter().map(|name| name.is_none_or(|name| name.len() < 9)).collect()
    };
    let mut all = all;
    let marks = named(&all).into_iter().map(|kept| Some(i64::from(kept))).collect();
    put(&mut all, "named", marks);
    let some = keep(&all, "named", |kept| Some(kept? == 1));
    let expected = grouped(&some, &["day"], &[Of::Rows, Of::Sum("fee")], 5);
    assert!(expected.len() > 9);
    scene.check(sql, expected, &[falling(1), rising(0)], Some(9)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_behind_an_answer_leaves_no_group_or_one_suppressed_row() {
    let scene = Scene::new().await;
    let from = "FROM census c JOIN health h ON h.person_id = c.person_id WHERE h.age > 126";
    let grouped = plan(&scene.sources, &format!("SELECT c.race, COUNT(*) {from} GROUP BY c.race"));
    assert_eq!(memory::answer(&scene.sources, &grouped).await.rows, Vec::<Vec<AnswerCell>>::new());
    let whole = plan(&scene.sources, &format!("SELECT COUNT(*), AVG(h.sbp) {from}"));
    let rows = memory::answer(&scene.sources, &whole).await.rows;
    assert_eq!(rows, [[AnswerCell::Suppressed, AnswerCell::Suppressed]]);
}
