//! Parquet files written by Polars and read back equal.

#[path = "../../api/tests/common/approve.rs"]
mod approve;

use std::{fs::File, path::PathBuf};

use approve::{approved, read, whole};
use base_types::{
    column::{ColumnType, Table},
    fault::{Code, Fault},
};
use connectors_api::{
    Connector, Location, SourceConfig,
    text::{text_column, word_column},
};
use connectors_file::parquet_of;
use notary_terms::Source;
use polars::prelude::{DataFrame, DataType, IntoSeries, NamedFrom, ParquetWriter, Series, TimeUnit};

fn config(path: PathBuf) -> SourceConfig {
    let location = Location::Parquet { path };
    SourceConfig { dataset: "civil/deaths".parse().expect("a name"), title: "Deaths".to_owned(), location }
}

fn write(folder: &tempfile::TempDir, columns: Vec<Series>) -> SourceConfig {
    let path = folder.path().join("t.parquet");
    let mut frame = DataFrame::new_infer_height(columns.into_iter().map(Into::into).collect()).expect("a frame");
    ParquetWriter::new(File::create(&path).expect("created")).finish(&mut frame).expect("written");
    config(path)
}

fn open(config: &SourceConfig, source: Option<Source>) -> Box<dyn Connector> {
    connectors_file::open(config, source).expect("opened")
}

async fn round(config: &SourceConfig) -> Result<Table, Fault> {
    let source = open(config, None).discover(&mut |_| ()).await?.source(config)?;
    open(config, Some(source.clone())).read(approved(whole(&source))).await
}

async fn refused(columns: Vec<Series>) -> Fault {
    let folder = tempfile::tempdir().expect("a folder");
    round(&write(&folder, columns)).await.expect_err("refused")
}

fn words(table: &Table, name: &str) -> (ColumnType, Vec<Option<i64>>) {
    let column = table.column(name).expect("the column");
    (column.ty, (0..table.rows).map(|row| column.get(row)).collect())
}

#[tokio::test]
async fn every_type_comes_back_word_for_word() {
    let folder = tempfile::tempdir().expect("a folder");
    let decimal = |name: &str, words: Vec<Option<i128>>, scale| {
        let plain = Series::new(name.into(), words);
        plain.i128().expect("integers").clone().into_decimal(30, scale).expect("decimals").into_series()
    };
    let config = write(
        &folder,
        vec![
            Series::new("int".into(), [Some(i64::MIN), None, Some(7)]),
            Series::new("small".into(), [Some(-8i32), Some(9), None]),
            Series::new("big".into(), [Some(1u64), None, Some(i64::MAX.unsigned_abs())]),
            Series::new("flag".into(), [Some(true), None, Some(false)]),
            Series::new("text".into(), [Some("丙"), None, Some("")]),
            Series::new("float".into(), [Some(89.3577f64), None, Some(-0.1)]),
            Series::new("whole".into(), [Some(19.0f64), None, Some(3.0)]),
            Series::new("single".into(), [Some(0.1f32), Some(2.5), None]),
            Series::new("day".into(), [Some(0i32), Some(-1), None]).cast(&DataType::Date).expect("dates"),
            Series::new("time".into(), [Some(1_500i64), None, Some(0)])
                .cast(&DataType::Datetime(TimeUnit::Milliseconds, None))
                .expect("times"),
            decimal("money", vec![Some(-1234), None, Some(5)], 2),
            decimal("wide", vec![Some(1_500_000_000_000), None, Some(-250_000_000_000)], 12),
        ],
    );
    let table = round(&config).await.expect("read");
    let scale = |scale| ColumnType::Decimal { scale };
    assert_eq!(words(&table, "int"), (ColumnType::Int, vec![Some(i64::MIN), None, Some(7)]));
    assert_eq!(words(&table, "small"), (ColumnType::Int, vec![Some(-8), Some(9), None]));
    assert_eq!(words(&table, "big"), (ColumnType::Int, vec![Some(1), None, Some(i64::MAX)]));
    assert_eq!(words(&table, "flag"), (ColumnType::Bool, vec![Some(1), None, Some(0)]));
    assert_eq!(words(&table, "float"), (scale(4), vec![Some(893_577), None, Some(-1000)]));
    assert_eq!(words(&table, "whole"), (ColumnType::Int, vec![Some(19), None, Some(3)]));
    assert_eq!(words(&table, "single"), (scale(1), vec![Some(1), Some(25), None]));
    assert_eq!(words(&table, "day"), (ColumnType::Date, vec![Some(0), Some(-1), None]));
    assert_eq!(words(&table, "money"), (scale(2), vec![Some(-1234), None, Some(5)]));
    assert_eq!(words(&table, "wide"), (scale(2), vec![Some(150), None, Some(-25)]));
    let text = table.column("text").expect("the column");
    assert_eq!([text.text(0), text.text(1), text.text(2)], [Some("丙"), None, Some("")]);
    assert_eq!(table.column("time").expect("the column").text(0), Some("1970-01-01T00:00:01.500"));
}

#[tokio::test]
async fn a_table_that_is_written_comes_back_word_for_word() {
    let column = |name: &str, ty, words: [Option<i64>; 3]| word_column(name, ty, words.to_vec());
    let texts = vec![Some("丙, \"c\"".to_owned()), None, Some(String::new())];
    let columns = vec![
        column("int", ColumnType::Int, [Some(i64::MIN), None, Some(7)]),
        column("mean", ColumnType::Decimal { scale: 6 }, [Some(138_668_085), None, Some(-1)]),
        column("flag", ColumnType::Bool, [None, Some(1), Some(0)]),
        column("day", ColumnType::Date, [Some(-1), None, Some(19_000)]),
        text_column("text", texts),
    ];
    let table = Table { columns, rows: 3 };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.parquet");
    std::fs::write(&path, parquet_of(&table).expect("a file")).expect("written");
    assert_eq!(round(&config(path)).await.expect("read"), table);

    let day = |word| column("day", ColumnType::Date, [Some(word), None, None]);
    for columns in [vec![day(1), day(2)], vec![day(1 << 31)]] {
        assert_eq!(parquet_of(&Table { columns, rows: 3 }).expect_err("refused").code, Code::BadRequest);
    }
}

#[tokio::test]
async fn only_the_wanted_columns_in_their_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let columns = vec![
        Series::new("a".into(), [1i64, 2]),
        Series::new("b".into(), ["x", "y"]),
        Series::new("c".into(), [3i64, 4]),
    ];
    let config = write(&folder, columns);
    let source = open(&config, None).discover(&mut |_| ()).await.expect("discovered").source(&config).expect("fits");
    let step = approved(read(&source, &["c", "a"]));
    let table = open(&config, Some(source.clone())).read(step).await.expect("read");
    assert_eq!(table.columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["c", "a"]);
    assert_eq!(words(&table, "c").1, [Some(3), Some(4)]);

    write(&folder, vec![Series::new("a".into(), ["1", "2"]), Series::new("c".into(), [3i64, 4])]);
    let fault = open(&config, Some(source.clone())).read(approved(read(&source, &["a"]))).await;
    assert_eq!(fault.expect_err("refused").code, Code::SourceChanged);
    write(&folder, vec![Series::new("a".into(), vec![1i64; 65])]);
    let fault = open(&config, Some(source.clone())).read(approved(read(&source, &["a"]))).await;
    assert_eq!(fault.expect_err("refused").code, Code::SourceChanged);
}

#[tokio::test]
async fn what_has_no_exact_words_is_refused() {
    let long = refused(vec![Series::new("f".into(), [1.5f64, 0.1 + 0.2])]).await;
    assert_eq!(long.code, Code::SourceMixedTypes);
    assert!(long.detail.contains("'f', row 2") && long.detail.contains("decimal"), "{long}");
    assert_eq!(refused(vec![Series::new("f".into(), [f64::NAN])]).await.code, Code::SourceMixedTypes);
    assert_eq!(refused(vec![Series::new("f".into(), [1e300])]).await.code, Code::SourceMixedTypes);
    let big = refused(vec![Series::new("u".into(), [u64::MAX])]).await;
    assert_eq!((big.code, big.detail.contains("row 1")), (Code::RangeOverflow, true));
    let binary = Series::new("b".into(), [&b"x"[..]]);
    assert_eq!(refused(vec![binary]).await.code, Code::SourceMixedTypes);
}

#[tokio::test]
async fn a_damaged_or_missing_file_is_a_fault() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = write(&folder, vec![Series::new("a".into(), (0..500).collect::<Vec<i64>>())]);
    let path = folder.path().join("t.parquet");
    let good = std::fs::read(&path).expect("bytes");
    for bytes in [&b""[..], b"id,v\n1,2\n", &good[..good.len() / 2], &[&good[..20], &good[60..]].concat()] {
        std::fs::write(&path, bytes).expect("written");
        assert_eq!(round(&config).await.expect_err("refused").code, Code::SourceMissing);
    }
    std::fs::remove_file(&path).expect("removed");
    assert_eq!(open(&config, None).test().await.expect_err("refused").code, Code::SourceMissing);
}
