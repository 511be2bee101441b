//! The gate checks every read against its registration, whatever the backend does.

#[path = "common/approve.rs"]
mod approve;

use approve::{approved, read, whole};
use async_trait::async_trait;
use base_types::{
    column::{ColumnType, Table},
    fault::{Code, Fault},
};
use connectors_api::{Backend, Connector, Discovery, Expect, Gate, Location, Progress, SourceConfig, Ticket};
use notary_terms::{Read, Source};

/// Rows in memory.
struct Rows(Vec<(&'static str, Vec<Option<&'static str>>)>);

#[async_trait]
impl Backend for Rows {
    async fn scan(&self, ticket: Ticket, progress: Progress<'_>) -> Result<Table, Fault> {
        let names: Vec<String> = self.0.iter().map(|(name, _)| (*name).to_owned()).collect();
        let mut table = Table::default();
        for place in ticket.select(&names)? {
            let (name, cells) = &self.0[place];
            let cells = cells.iter().map(|cell| cell.map(str::to_owned)).collect();
            table.columns.push(ticket.column(name, Expect::Any, cells)?);
        }
        table.rows = table.columns.first().map_or(0, |c| c.len());
        progress(connectors_api::Stage { name: "read", done: table.rows as u64, of: table.rows as u64 });
        Ok(table)
    }
    async fn test(&self, ticket: Ticket) -> Result<(), Fault> {
        ticket.select(&[]).map(|_| ())
    }
}

fn config() -> SourceConfig {
    SourceConfig {
        dataset: "health/visits".parse().expect("a name"),
        title: "Visits".to_owned(),
        location: Location::Parquet { path: "visits.parquet".into() },
    }
}

fn rows() -> Rows {
    Rows(vec![
        ("id", vec![Some("1"), Some("2"), Some("9")]),
        ("name", vec![Some("b"), None, Some("a")]),
        ("weight", vec![Some("70.5"), Some("-3.25"), None]),
    ])
}

async fn registered() -> (Source, Discovery) {
    let gate = Gate::new(config().dataset, None, rows());
    let found = gate.discover(&mut |_| ()).await.expect("discovered");
    (found.source(&config()).expect("fits"), found)
}

async fn outcome(source: &Source, step: Read, rows: Rows) -> Result<Table, Fault> {
    Gate::new(config().dataset, Some(source.clone()), rows).read(approved(step)).await
}

async fn refused(source: &Source, columns: &[&str], rows: Rows) -> Fault {
    outcome(source, read(source, columns), rows).await.expect_err("refused")
}

#[tokio::test]
async fn discovery_tells_columns_and_no_values() {
    let (source, found) = registered().await;
    assert_eq!((found.rows, found.nulls.as_slice()), (3, &[0, 1, 1][..]));
    assert_eq!(source.rows_bound, 64);
    let (id, weight) = (&source.columns[0], &source.columns[2]);
    assert_eq!((id.ty, id.nullable, id.unique, id.min, id.max), (ColumnType::Int, false, true, 0, 15));
    assert_eq!((weight.ty, weight.min, weight.max), (ColumnType::Decimal { scale: 2 }, -512, 8191));
}

#[tokio::test]
async fn an_approved_read_gives_its_columns_in_its_order() {
    let (source, _) = registered().await;
    let table = outcome(&source, read(&source, &["weight", "id"]), rows()).await.expect("read");
    let names: Vec<_> = table.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!((names, table.rows), (vec!["weight", "id"], 3));
    assert_eq!(
        [table.columns[0].get(0), table.columns[0].get(1), table.columns[0].get(2)],
        [Some(7050), Some(-325), None]
    );
}

#[tokio::test]
async fn what_no_longer_fits_is_refused_and_no_value_told() {
    let (source, _) = registered().await;
    let with = |name, cells| Rows(vec![(name, cells)]);
    let cases = [
        (refused(&source, &["id"], with("key", vec![Some("1")])).await, Code::SourceChanged),
        (refused(&source, &["id"], with("id", vec![Some("1"), Some("x777")])).await, Code::SourceChanged),
        (refused(&source, &["id"], with("id", vec![Some("1"), Some("777")])).await, Code::RangeOverflow),
        (refused(&source, &["id"], with("id", vec![Some("99999999999999999999777")])).await, Code::RangeOverflow),
        (refused(&source, &["id"], with("id", vec![Some("1"), None])).await, Code::SourceChanged),
        (refused(&source, &["id"], with("id", vec![Some("7"), Some("7")])).await, Code::SourceChanged),
        (refused(&source, &["name"], with("name", vec![Some("777777777")])).await, Code::RangeOverflow),
        (refused(&source, &["weight"], with("weight", vec![Some("7.777")])).await, Code::SourceChanged),
        (refused(&source, &["name"], with("name", vec![Some("a"); 65])).await, Code::SourceChanged),
        (refused(&source, &["nobody"], rows()).await, Code::SourceColumn),
    ];
    for (place, (fault, code)) in cases.iter().enumerate() {
        assert_eq!(fault.code, *code, "case {place}: {fault}");
        assert!(!fault.to_string().contains("777"), "a value is told: {fault}");
        assert_eq!(
            (fault.step.as_str(), fault.party.as_ref().map(|p| p.as_str())),
            ("read health/visits", Some("health"))
        );
    }
    assert!(cases[2].0.detail.contains("'id', row 2"), "{}", cases[2].0);
}

#[tokio::test]
async fn a_step_that_does_not_fit_the_registration_reads_nothing() {
    let (source, _) = registered().await;
    let good = whole(&source);
    outcome(&source, good.clone(), rows()).await.expect("the step fits as it is");
    let elsewhere = Read { dataset: "health/other".parse().expect("a name"), ..good.clone() };
    assert_eq!(outcome(&source, elsewhere, rows()).await.expect_err("refused").code, Code::Internal);
    let text = Read { types: vec![ColumnType::Text; 3], ..good.clone() };
    assert_eq!(outcome(&source, text, rows()).await.expect_err("refused").code, Code::SourceChanged);
    let wide = Read { rows_bound: 128, ..good.clone() };
    assert_eq!(outcome(&source, wide, rows()).await.expect_err("refused").code, Code::SourceChanged);
    let twice = read(&source, &["id", "id"]);
    assert_eq!(outcome(&source, twice, rows()).await.expect_err("refused").code, Code::Internal);
    let unregistered = Gate::new(config().dataset, None, rows()).read(approved(good)).await;
    assert_eq!(unregistered.expect_err("refused").code, Code::SourceChanged);
}

#[tokio::test]
async fn names_that_cannot_be_told_apart_are_refused() {
    for names in [["a", "A"], ["a", " "], ["a", "b\n"]] {
        let rows = Rows(names.map(|name| (name, vec![Some("1")])).to_vec());
        let fault = Gate::new(config().dataset, None, rows).discover(&mut |_| ()).await.expect_err("refused");
        assert_eq!(fault.code, Code::SourceColumn);
    }
}

#[test]
fn settings_round_trip_and_do_not_print_an_address() {
    let text = r#"{"dataset":"health/visits","title":"Visits","location":{"kind":"postgres","url":"postgres://u:hush@h/d","schema":"public","table":"t"}}"#;
    let config: SourceConfig = serde_json::from_str(text).expect("settings");
    assert!(!format!("{config:?}").contains("hush"));
    assert_eq!(serde_json::to_string(&config).expect("text"), text);
    let csv = r#"{"kind":"csv","path":"a.csv","types":{"id":"text","w":{"decimal":{"scale":2}}}}"#;
    let location: Location = serde_json::from_str(csv).expect("settings");
    assert_eq!(serde_json::to_string(&location).expect("text"), csv);
    assert_eq!((location.kind(), location.place().as_str()), ("csv", "a.csv"));
}
