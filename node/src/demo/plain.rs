//! The plain database that the joint answer is compared with: the merged files in one SQLite, asked in the clear.

use std::path::Path;

use base_types::fault::{Code, Fault};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection, sqlite::SqliteConnectOptions};

use super::found::{CENSUS, DEATHS, HEALTH};

fn fault(step: &'static str) -> impl Fn(sqlx::Error) -> Fault {
    move |e| Fault::new(Code::Internal, step, e.to_string())
}

/// CREATE TABLE and INSERT statements for a CSV of numbers; an empty field is NULL.
fn statements(table: &str, csv: &str) -> Vec<String> {
    let mut lines = csv.lines();
    let header: Vec<_> = lines.next().unwrap_or_default().split(',').collect();
    let decimal =
        |column: usize| csv.lines().skip(1).any(|l| l.split(',').nth(column).is_some_and(|v| v.contains('.')));
    let columns: Vec<_> = header
        .iter()
        .enumerate()
        .map(|(place, name)| format!("{name} {}", if decimal(place) { "NUMERIC(18,4)" } else { "BIGINT" }))
        .collect();
    let row = |line: &str| {
        let cells: Vec<_> = line.split(',').map(|v| if v.is_empty() { "NULL" } else { v }).collect();
        format!("({})", cells.join(","))
    };
    let rows: Vec<_> = lines.filter(|l| !l.is_empty()).map(row).collect();
    let mut all = vec![format!("CREATE TABLE {table} ({})", columns.join(", "))];
    all.extend(rows.chunks(200).map(|chunk| format!("INSERT INTO {table} VALUES {}", chunk.join(","))));
    all
}

/// Writes a CSV into a new SQLite file, whole or not at all.
pub async fn load_sqlite(path: &Path, csv: &str) -> Result<(), Fault> {
    let step = "lay out SQLite";
    let part = path.with_extension("part");
    let _ = std::fs::remove_file(&part);
    let options = SqliteConnectOptions::new().filename(&part).create_if_missing(true);
    let mut database = SqliteConnection::connect_with(&options).await.map_err(fault(step))?;
    for statement in statements("deaths", csv) {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut database).await.map_err(fault(step))?;
    }
    database.close().await.map_err(fault(step))?;
    std::fs::rename(&part, path).map_err(|e| crate::config::unwritten(path, &e))
}

/// Writes a CSV into the table `deaths` of a PostgreSQL, if there is none yet.
pub async fn load_postgres(url: &str, csv: &str) -> Result<(), Fault> {
    let step = "lay out PostgreSQL";
    let mut database = PgConnection::connect(url).await.map_err(fault(step))?;
    let there = sqlx::query("SELECT to_regclass('public.deaths') IS NOT NULL AS there")
        .fetch_one(&mut database)
        .await
        .map_err(fault(step))?;
    if there.try_get::<bool, _>("there").map_err(fault(step))? {
        return Ok(());
    }
    let mut transaction = database.begin().await.map_err(fault(step))?;
    for statement in statements("deaths", csv) {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut *transaction).await.map_err(fault(step))?;
    }
    transaction.commit().await.map_err(fault(step))
}

/// What the joint answer must be: each row's text cells, `None` for NULL; and each cell's number of contributors.
pub struct Reference {
    /// Cells as text.
    pub rows: Vec<Vec<Option<String>>>,
    /// Non-NULL contributors behind each cell; `None` for the columns that name groups.
    pub contributors: Vec<Vec<Option<i64>>>,
}

/// Asks the merged files in the clear; `counts` gives, by place, the expression that counts a cell's contributors.
pub async fn ask(sql: &str, counts: &[Option<&str>]) -> Result<Reference, Fault> {
    let step = "ask the plain database";
    let mut database = SqliteConnection::connect("sqlite::memory:").await.map_err(fault(step))?;
    for (table, csv) in [("health", HEALTH), ("census", CENSUS), ("deaths", DEATHS)] {
        for statement in statements(table, csv) {
            sqlx::query(AssertSqlSafe(statement)).execute(&mut database).await.map_err(fault(step))?;
        }
    }
    let (head, tail) = sql.split_once(" FROM ").unwrap_or((sql, ""));
    let counted: Vec<_> = counts.iter().flatten().map(|c| format!(", {c}")).collect();
    let both = format!("{head}{} FROM {tail}", counted.concat());
    let rows = sqlx::query(AssertSqlSafe(both)).fetch_all(&mut database).await.map_err(fault(step))?;
    let mut reference = Reference { rows: Vec::new(), contributors: Vec::new() };
    for row in rows {
        let cell = |place: usize| -> Result<Option<String>, Fault> {
            // SQLite types values, not columns: whole numbers first, then fractions.
            if let Ok(whole) = row.try_get::<Option<i64>, _>(place) {
                return Ok(whole.map(|w| w.to_string()));
            }
            let fraction: Option<f64> = row.try_get(place).map_err(fault(step))?;
            Ok(fraction.map(|f| format!("{f:.6}")))
        };
        reference.rows.push((0..counts.len()).map(cell).collect::<Result<_, _>>()?);
        let mut next = counts.len();
        let mut contributors = Vec::new();
        for count in counts {
            contributors.push(match count {
                None => None,
                Some(_) => {
                    next += 1;
                    Some(row.try_get(next - 1).map_err(fault(step))?)
                }
            });
        }
        reference.contributors.push(contributors);
    }
    Ok(reference)
}

/// Whether the portal's answer is the reference with what is too small suppressed; the difference, if not.
pub fn compare(answer: &Value, reference: &Reference, threshold: i64) -> Result<(), String> {
    let rows = answer.get("rows").and_then(Value::as_array).cloned().unwrap_or_default();
    if rows.len() != reference.rows.len() {
        return Err(format!("{} rows instead of {}", rows.len(), reference.rows.len()));
    }
    for (at, (row, (expected, contributors))) in
        rows.iter().zip(reference.rows.iter().zip(&reference.contributors)).enumerate()
    {
        let cells = row.as_array().cloned().unwrap_or_default();
        for (column, (cell, (value, people))) in cells.iter().zip(expected.iter().zip(contributors)).enumerate() {
            let suppressed = cell.get("suppressed") == Some(&Value::Bool(true));
            let small = people.is_some_and(|p| p < threshold);
            let got = cell.get("value").and_then(Value::as_str);
            if suppressed != small || (!small && !same(got, value.as_deref())) {
                return Err(format!("row {at}, column {column}: {cell} instead of {value:?} ({people:?} people)"));
            }
        }
    }
    Ok(())
}

/// Equal as text, or as decimals to the sixth digit: SQLite's averages are floating.
fn same(got: Option<&str>, expected: Option<&str>) -> bool {
    match (got, expected) {
        (Some(g), Some(e)) if g != e => {
            let micro = |text: &str| text.parse::<f64>().map(|f| (f * 1e6).round());
            matches!((micro(g), micro(e)), (Ok(g), Ok(e)) if (g - e).abs() <= 1.0)
        }
        (g, e) => g == e,
    }
}
