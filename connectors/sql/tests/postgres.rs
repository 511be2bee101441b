//! A real PostgreSQL server, where `HEQI_TEST_POSTGRES` names one: `make test` starts it and runs ignored tests too.

#[path = "../../api/tests/common/approve.rs"]
mod approve;

use approve::{approved, read, whole};
use base_types::{
    column::{ColumnType, Table},
    fault::{Code, Fault},
};
use connectors_api::{Connector, Location, SourceConfig};
use notary_terms::Source;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

const VARIABLE: &str = "HEQI_TEST_POSTGRES";

/// A schema of its own for each test; `None` when there is no server.
async fn server(schema: &str, statements: &str) -> Option<PgConnection> {
    let Ok(url) = std::env::var(VARIABLE) else {
        println!("NOT RUN: {VARIABLE} names no PostgreSQL server; `make test` starts one");
        return None;
    };
    let mut db = PgConnection::connect(&url).await.expect("the server answers");
    let all = format!(
        "DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}; SET search_path = {schema}; {statements}"
    );
    execute(&mut db, &all).await;
    Some(db)
}

async fn execute(db: &mut PgConnection, statements: &str) {
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(db).await.expect("executed");
}

fn config(schema: &str, table: &str) -> SourceConfig {
    let location = Location::Postgres {
        url_env: Some(VARIABLE.to_owned()),
        url: None,
        schema: schema.to_owned(),
        table: table.to_owned(),
    };
    SourceConfig { dataset: "civil/deaths".parse().expect("a name"), title: "Deaths".to_owned(), location }
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

fn words(table: &Table, name: &str) -> (ColumnType, Vec<Option<i64>>) {
    let column = table.column(name).expect("the column");
    (column.ty, (0..table.rows).map(|row| column.get(row)).collect())
}

#[tokio::test]
#[ignore = "needs the PostgreSQL server that `make test` starts"]
async fn postgres_types_come_back_exactly() {
    let statements = r#"SET datestyle = 'German';
        CREATE TABLE "T ""x""" (id bigint, small smallint, price numeric(12, 2), free numeric, fine numeric(30, 12),
            weight double precision, single real, alive boolean, born date, name text, code char(3), "at" timestamp, u uuid);
        INSERT INTO "T ""x""" VALUES (9223372036854775807, -5, -12.5, 100.250, 1.5, 89.3577, 0.1, true, DATE '2024-02-29',
            'O''Brien', 'ab', TIMESTAMP '2024-01-01 10:00', '00000000-0000-0000-0000-000000000001'),
            (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '', NULL, NULL, NULL);"#;
    if server("heqi_types", statements).await.is_none() {
        return;
    }
    let table = round(&config("heqi_types", "T \"x\"")).await.expect("read");
    let scale = |scale| ColumnType::Decimal { scale };
    assert_eq!(words(&table, "id"), (ColumnType::Int, vec![Some(i64::MAX), None]));
    assert_eq!(words(&table, "small"), (ColumnType::Int, vec![Some(-5), None]));
    assert_eq!(words(&table, "price"), (scale(2), vec![Some(-1250), None]));
    assert_eq!(words(&table, "free"), (scale(2), vec![Some(10_025), None]));
    assert_eq!(words(&table, "fine"), (scale(1), vec![Some(15), None]));
    assert_eq!(words(&table, "weight"), (scale(4), vec![Some(893_577), None]));
    assert_eq!(words(&table, "single"), (scale(1), vec![Some(1), None]));
    assert_eq!(words(&table, "alive"), (ColumnType::Bool, vec![Some(1), None]));
    assert_eq!(words(&table, "born"), (ColumnType::Date, vec![Some(19_782), None]));
    let text = |name: &str, row| table.column(name).expect("the column").text(row).map(str::to_owned);
    assert_eq!((text("name", 0).as_deref(), text("name", 1).as_deref()), (Some("O'Brien"), Some("")));
    assert_eq!(text("at", 0).as_deref(), Some("2024-01-01 10:00:00"));
    assert_eq!(text("u", 0).as_deref(), Some("00000000-0000-0000-0000-000000000001"));
}

#[tokio::test]
#[ignore = "needs the PostgreSQL server that `make test` starts"]
async fn postgres_sources_that_change_are_refused() {
    let statements = "CREATE TABLE t (id integer, v text); INSERT INTO t VALUES (1, 'x'), (2, 'y')";
    let Some(mut db) = server("heqi_changes", statements).await else { return };
    let config = config("heqi_changes", "t");
    let source = register(&config).await.expect("discovered");
    let step = |columns: &[&str]| approved(read(&source, columns));
    let table = open(&config, Some(source.clone())).read(step(&["v"])).await.expect("read");
    assert_eq!((table.columns.len(), table.columns[0].text(1)), (1, Some("y")));
    execute(&mut db, "INSERT INTO t VALUES (99, 'z')").await;
    let fault = open(&config, Some(source.clone())).read(step(&["id"])).await.expect_err("refused");
    assert_eq!(fault.code, Code::RangeOverflow);
    execute(&mut db, "ALTER TABLE t ALTER COLUMN id TYPE text").await;
    let fault = open(&config, Some(source.clone())).read(step(&["id"])).await.expect_err("refused");
    assert_eq!(fault.code, Code::SourceChanged);
    execute(&mut db, "INSERT INTO t SELECT '1', 'w' FROM generate_series(1, 62)").await;
    let fault = open(&config, Some(source.clone())).read(step(&["v"])).await.expect_err("refused");
    assert_eq!(fault.code, Code::SourceChanged);
    execute(&mut db, "CREATE TABLE f (v double precision); INSERT INTO f VALUES (1), ('NaN')").await;
    let fault = register(&self::config("heqi_changes", "f")).await.expect_err("refused");
    assert!(fault.code == Code::SourceMixedTypes && fault.detail.contains("row 2"), "{fault}");
    execute(&mut db, "CREATE TABLE d (v date); INSERT INTO d VALUES ('infinity')").await;
    assert_eq!(register(&self::config("heqi_changes", "d")).await.expect_err("refused").code, Code::SourceMixedTypes);
    let missing = open(&self::config("heqi_changes", "none"), None).test().await.expect_err("refused");
    assert_eq!(missing.code, Code::SourceMissing);
}

#[tokio::test]
async fn an_address_that_leads_nowhere_is_a_fault_that_hides_it() {
    let with = |url: Option<&str>, url_env: Option<&str>| {
        let mut config = config("public", "t");
        config.location = Location::Postgres {
            url: url.map(|url| url.to_owned().into()),
            url_env: url_env.map(str::to_owned),
            schema: "public".to_owned(),
            table: "t".to_owned(),
        };
        config
    };
    for config in [
        with(Some("postgres://user:hush@127.0.0.1:1/db"), None),
        with(Some("hush"), None),
        with(None, Some("HEQI_NO_SUCH_VARIABLE")),
    ] {
        let fault = open(&config, None).test().await.expect_err("refused");
        assert_eq!(fault.code, Code::SourceMissing);
        assert!(!fault.to_string().contains("hush"), "{fault}");
    }
    let both = with(Some("postgres://127.0.0.1/db"), Some("X"));
    assert_eq!(connectors_sql::open(&both, None).err().map(|fault| fault.code), Some(Code::BadRequest));
}
