//! SQLite files made by sqlx and read back, with good and bad values.

#[path = "../../api/tests/common/approve.rs"]
mod approve;

use std::path::{Path, PathBuf};

use approve::{approved, read, whole};
use base_types::{
    column::{ColumnType, Table},
    fault::{Code, Fault},
};
use connectors_api::{Connector, Location, SourceConfig};
use notary_terms::Source;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, sqlite::SqliteConnectOptions};

fn config(path: PathBuf, table: &str) -> SourceConfig {
    let location = Location::Sqlite { path, table: table.to_owned() };
    SourceConfig { dataset: "civil/deaths".parse().expect("a name"), title: "Deaths".to_owned(), location }
}

async fn execute(path: &Path, statements: &str) {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut db = options.connect().await.expect("opened");
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut db).await.expect("executed");
    db.close().await.expect("closed");
}

fn open(config: &SourceConfig, source: Option<Source>) -> Box<dyn Connector> {
    connectors_sql::open(config, source).expect("opened")
}

async fn register(config: &SourceConfig) -> Result<Source, Fault> {
    open(config, None).discover(&mut |_| ()).await?.source(config)
}

async fn round(config: &SourceConfig) -> Result<Table, Fault> {
    let source = register(config).await?;
    open(config, Some(source.clone())).read(approved(whole(&source))).await
}

async fn refused(statements: &str) -> Fault {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.db");
    execute(&path, statements).await;
    round(&config(path, "t")).await.expect_err("refused")
}

fn words(table: &Table, name: &str) -> (ColumnType, Vec<Option<i64>>) {
    let column = table.column(name).expect("the column");
    (column.ty, (0..table.rows).map(|row| column.get(row)).collect())
}

#[tokio::test]
async fn declared_types_come_back_exactly() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.db");
    let statements = r#"CREATE TABLE "od""d; --" ("id" BIGINT PRIMARY KEY, price DECIMAL(10, 2), weight REAL, amount NUMERIC,
        born DATE, alive BOOLEAN, name VARCHAR(20), seen DATETIME, "a ""b""" INTEGER, free);
        INSERT INTO "od""d; --" VALUES (9223372036854775807, 12.5, 89.3577, 7, '2024-02-29', 1, 42, '2024-01-01 10:00', 5, 1.5);
        INSERT INTO "od""d; --" VALUES (-1, NULL, NULL, 0.125, NULL, 0, '', NULL, NULL, 2);"#;
    execute(&path, statements).await;
    let table = round(&config(path, "od\"d; --")).await.expect("read");
    let scale = |scale| ColumnType::Decimal { scale };
    assert_eq!(words(&table, "id"), (ColumnType::Int, vec![Some(i64::MAX), Some(-1)]));
    assert_eq!(words(&table, "price"), (scale(2), vec![Some(1250), None]));
    assert_eq!(words(&table, "weight"), (scale(4), vec![Some(893_577), None]));
    assert_eq!(words(&table, "amount"), (scale(3), vec![Some(7000), Some(125)]));
    assert_eq!(words(&table, "born"), (ColumnType::Date, vec![Some(19_782), None]));
    assert_eq!(words(&table, "alive"), (ColumnType::Bool, vec![Some(1), Some(0)]));
    assert_eq!(words(&table, "a \"b\""), (ColumnType::Int, vec![Some(5), None]));
    assert_eq!(words(&table, "free"), (scale(1), vec![Some(15), Some(20)]));
    let name = table.column("name").expect("the column");
    assert_eq!([name.text(0), name.text(1)], [Some("42"), Some("")], "an empty text is no NULL");
    assert_eq!(table.column("seen").expect("the column").text(0), Some("2024-01-01 10:00"));
}

#[tokio::test]
async fn values_against_the_declaration_are_refused_with_their_row() {
    for (statements, row) in [
        ("CREATE TABLE t (v INTEGER); INSERT INTO t VALUES (1), ('secret')", "row 2"),
        ("CREATE TABLE t (v INTEGER); INSERT INTO t VALUES (1.5)", "row 1"),
        ("CREATE TABLE t (v REAL); INSERT INTO t VALUES (1), (NULL), ('secret')", "row 3"),
        ("CREATE TABLE t (v TEXT); INSERT INTO t VALUES ('a'), (x'00')", "row 2"),
        ("CREATE TABLE t (v BOOLEAN); INSERT INTO t VALUES (1), (2)", "row 2"),
        ("CREATE TABLE t (v DATE); INSERT INTO t VALUES ('2024-01-01'), ('2024-02-30')", "row 2"),
        ("CREATE TABLE t (v); INSERT INTO t VALUES (1), ('secret')", "row 2"),
        ("CREATE TABLE t (v REAL); INSERT INTO t VALUES (0.1 + 0.2)", "row 1"),
        ("CREATE TABLE t (v DECIMAL(5,1)); INSERT INTO t VALUES (1.25)", "row 1"),
    ] {
        let fault = refused(statements).await;
        assert_eq!(fault.code, Code::SourceMixedTypes, "{statements}: {fault}");
        assert!(fault.detail.contains("'v'") && fault.detail.contains(row), "{statements}: {fault}");
        assert!(!fault.detail.contains("secret"));
    }
}

#[tokio::test]
async fn only_the_wanted_columns_are_read_and_nothing_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.db");
    execute(&path, "CREATE TABLE t (id INTEGER, bad INTEGER, v TEXT); INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y')")
        .await;
    let config = config(path.clone(), "t");
    let source = register(&config).await.expect("discovered");
    // A column that is not asked for may even hold what it should not.
    execute(&path, "UPDATE t SET bad = 'text'").await;
    let before = std::fs::read(&path).expect("bytes");
    let table = open(&config, Some(source.clone())).read(approved(read(&source, &["v", "id"]))).await.expect("read");
    assert_eq!(table.columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["v", "id"]);
    assert_eq!(std::fs::read(&path).expect("bytes"), before);

    let fault = open(&config, Some(source.clone())).read(approved(whole(&source))).await;
    assert_eq!(fault.expect_err("refused").code, Code::SourceChanged);
    execute(&path, "INSERT INTO t (id, v) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 63) SELECT 3, 'z' FROM n").await;
    let fault = open(&config, Some(source.clone())).read(approved(read(&source, &["v"]))).await;
    assert_eq!(fault.expect_err("refused").code, Code::SourceChanged, "65 rows against a bound of 64");
    execute(&path, "ALTER TABLE t RENAME COLUMN id TO key").await;
    let fault = open(&config, Some(source.clone())).read(approved(read(&source, &["id"]))).await;
    assert_eq!(fault.expect_err("refused").code, Code::SourceChanged);
}

#[tokio::test]
async fn views_and_empty_tables_can_be_discovered() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.db");
    execute(&path, "CREATE TABLE e (id INTEGER, n TEXT); CREATE VIEW w AS SELECT 7 AS seven, 'x' AS x").await;
    let empty = register(&config(path.clone(), "e")).await.expect("discovered");
    assert_eq!((empty.kind.as_str(), empty.rows_bound, empty.columns[0].ty), ("sqlite", 64, ColumnType::Int));
    let view = round(&config(path, "w")).await.expect("read");
    assert_eq!(words(&view, "seven").1, [Some(7)]);
}

#[tokio::test]
async fn what_is_not_there_is_a_fault() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.db");
    let missing = open(&config(path.clone(), "t"), None).test().await.expect_err("refused");
    assert_eq!((missing.code, path.exists()), (Code::SourceMissing, false));
    std::fs::write(&path, "id,v\n1,2\n".repeat(200)).expect("written");
    assert_eq!(open(&config(path.clone(), "t"), None).test().await.expect_err("refused").code, Code::SourceMissing);
    std::fs::remove_file(&path).expect("removed");
    execute(&path, "CREATE TABLE u (id INTEGER)").await;
    let fault = open(&config(path.clone(), "t"), None).test().await.expect_err("refused");
    assert!(fault.code == Code::SourceMissing && fault.detail.contains("'t'"), "{fault}");
    open(&config(path, "u"), None).test().await.expect("reachable");
}
