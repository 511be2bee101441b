//! CSV files, good and bad, through the gate.

#[path = "../../api/tests/common/approve.rs"]
mod approve;

use std::{collections::BTreeMap, path::PathBuf};

use approve::{approved, read, whole};
use base_types::{
    column::{ColumnMeta, ColumnType, Table},
    fault::{Code, Fault},
};
use connectors_api::{Discovery, Location, SourceConfig};

const NHEFS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/nhefs");

fn config(path: PathBuf) -> SourceConfig {
    let location = Location::Csv { path, delimiter: None, encoding: None, types: BTreeMap::new() };
    SourceConfig { dataset: "health/visits".parse().expect("a name"), title: "Visits".to_owned(), location }
}

async fn discover(config: &SourceConfig) -> Result<Discovery, Fault> {
    connectors_file::open(config, None)?.discover(&mut |_| ()).await
}

/// Discovers, registers and reads everything back.
async fn round(config: &SourceConfig) -> Result<Table, Fault> {
    let source = discover(config).await?.source(config)?;
    connectors_file::open(config, Some(source.clone()))?.read(approved(whole(&source))).await
}

fn file(folder: &tempfile::TempDir, bytes: &[u8]) -> SourceConfig {
    let path = folder.path().join("t.csv");
    std::fs::write(&path, bytes).expect("written");
    config(path)
}

async fn code(bytes: &[u8]) -> Code {
    let folder = tempfile::tempdir().expect("a folder");
    discover(&file(&folder, bytes)).await.expect_err("refused").code
}

fn texts(table: &Table, name: &str) -> Vec<Option<String>> {
    let column = table.column(name).expect("the column");
    (0..table.rows).map(|row| column.text(row).map(str::to_owned)).collect()
}

fn meta<'a>(found: &'a Discovery, name: &str) -> &'a ColumnMeta {
    found.columns.iter().find(|c| c.name == name).expect("the column")
}

#[tokio::test]
async fn the_real_files_are_understood() {
    let nhefs = |name: &str| config(PathBuf::from(format!("{NHEFS}/{name}.csv")));
    let health = discover(&nhefs("health")).await.expect("discovered");
    assert_eq!((health.rows, health.columns.len()), (1629, 21));
    let id = meta(&health, "person_id");
    assert_eq!((id.ty, id.nullable, id.unique, id.min, id.max), (ColumnType::Int, false, true, 0, 32767));
    let sbp = meta(&health, "sbp");
    assert_eq!((sbp.ty, sbp.nullable, sbp.unique, sbp.max), (ColumnType::Int, true, false, 255));
    assert_eq!(meta(&health, "ht").ty, ColumnType::Decimal { scale: 4 });
    assert_eq!(meta(&health, "wt71").ty, ColumnType::Decimal { scale: 2 });
    assert_eq!(meta(&health, "wt82").ty, ColumnType::Decimal { scale: 4 });

    let census = discover(&nhefs("census")).await.expect("discovered");
    let nulls: Vec<_> = census.columns.iter().map(|c| c.name.as_str()).zip(census.nulls.iter().copied()).collect();
    assert!(nulls.contains(&("income", 62)) && nulls.contains(&("birthplace", 92)) && nulls.contains(&("race", 0)));
    assert_eq!(discover(&nhefs("deaths")).await.expect("discovered").rows, 318);

    let rough = discover(&nhefs("rough/health")).await.expect("discovered");
    let id = meta(&rough, "person_id");
    assert_eq!((rough.rows, id.nullable, id.unique), (1516, true, false));
}

#[tokio::test]
async fn real_values_are_read_exactly() {
    let config = config(PathBuf::from(format!("{NHEFS}/health.csv")));
    let source = discover(&config).await.expect("discovered").source(&config).expect("fits");
    assert_eq!((source.kind.as_str(), source.rows_bound), ("csv", 1664));
    let step = approved(read(&source, &["wt82", "person_id", "sbp"]));
    let table = connectors_file::open(&config, Some(source)).expect("opened").read(step).await.expect("read");
    // The file's first and sixth lines: 21982 weighs 89.3577; 15026 has neither weight nor pressure.
    let row = |place: usize| table.columns.iter().map(|c| c.get(place)).collect::<Vec<_>>();
    assert_eq!(row(0), [Some(893_577), Some(21_982), Some(124)]);
    assert_eq!(row(5), [None, Some(15_026), None]);
    assert_eq!(table.rows, 1629);
}

#[tokio::test]
async fn encodings_and_delimiters_are_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "省份;人数;备注\n浙江;3;\"甲;\"\"乙\"\"\"\n江苏;;x\n";
    let gb = encoding_rs::GB18030.encode(text).0.into_owned();
    let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    let tabs = text.replace("甲;", "甲").replace(';', "\t").replace("甲", "甲;").replace('\n', "\r\n").into_bytes();
    let utf16: Vec<u8> = std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for bytes in [gb, marked, tabs, utf16] {
        let table = round(&file(&folder, &bytes)).await.expect("read");
        assert_eq!(texts(&table, "省份"), [Some("浙江".to_owned()), Some("江苏".to_owned())]);
        assert_eq!(texts(&table, "备注"), [Some("甲;\"乙\"".to_owned()), Some("x".to_owned())]);
        let count = table.column("人数").expect("the column");
        assert_eq!((count.ty, count.get(0), count.get(1)), (ColumnType::Int, Some(3), None));
    }
}

#[tokio::test]
async fn all_types_come_back_as_they_were() {
    let folder = tempfile::tempdir().expect("a folder");
    let config =
        file(&folder, b"b,d,m,t,e\ntrue,2024-02-29,-1.25,\"two\nlines\",\n,1969-12-31,3,\" \",\nfalse,,0.5,z,\n");
    let table = round(&config).await.expect("read");
    let words = |name: &str| (0..3).map(|row| table.column(name).expect("the column").get(row)).collect::<Vec<_>>();
    assert_eq!(words("b"), [Some(1), None, Some(0)]);
    assert_eq!(words("d"), [Some(19_782), Some(-1), None]);
    assert_eq!(words("m"), [Some(-125), Some(300), Some(50)]);
    assert_eq!(texts(&table, "t"), [Some("two\nlines".to_owned()), None, Some("z".to_owned())]);
    assert_eq!(words("e"), [None, None, None]);
}

#[tokio::test]
async fn a_single_column_keeps_its_blank_lines_as_nulls() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = round(&file(&folder, b"id\n4\n\n5\n")).await.expect("read");
    assert_eq!((0..3).map(|row| table.columns[0].get(row)).collect::<Vec<_>>(), [Some(4), None, Some(5)]);
}

#[tokio::test]
async fn bad_files_are_refused_each_with_its_code() {
    assert_eq!(code(b"").await, Code::SourceMissing);
    assert_eq!(code(b"\n\n").await, Code::SourceMissing);
    assert_eq!(code(b"a,b\n").await, Code::SourceMissing);
    assert_eq!(code(b"a\n1;2\n").await, Code::SourceDelimiter);
    assert_eq!(code(b"a,b\n1,2\n3\n").await, Code::SourceDelimiter);
    assert_eq!(code(b"a,b\n1,2,3\n").await, Code::SourceDelimiter);
    assert_eq!(code(b"a,b\n1,\"2\n").await, Code::SourceDelimiter);
    assert_eq!(code(b"a,A\n1,2\n").await, Code::SourceColumn);
    assert_eq!(code(b"a,\n1,2\n").await, Code::SourceColumn);
    assert_eq!(code(b"\x7fELF\x02\x01\x01\0\0\0").await, Code::SourceEncoding);
    assert_eq!(code(b"a,b\n1,\xff\n").await, Code::SourceEncoding);
    let missing = discover(&config("/nowhere/t.csv".into())).await.expect_err("refused");
    assert_eq!(missing.code, Code::SourceMissing);
    assert!(missing.detail.contains("/nowhere/t.csv"));
}

#[tokio::test]
async fn a_mixed_column_is_refused_unless_its_type_is_stated() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = file(&folder, format!("id,v\n{}11,secret\n", "1,2\n".repeat(10)).as_bytes());
    let fault = discover(&config).await.expect_err("refused");
    assert_eq!(fault.code, Code::SourceMixedTypes);
    assert!(fault.detail.contains("'v', row 11") && !fault.detail.contains("secret"), "{fault}");
    let state = |config: &mut SourceConfig, name: &str, ty| match &mut config.location {
        Location::Csv { types, .. } => *types = BTreeMap::from([(name.to_owned(), ty)]),
        _ => unreachable!("a CSV file"),
    };
    state(&mut config, "v", ColumnType::Text);
    let table = round(&config).await.expect("read");
    assert_eq!(table.column("v").expect("the column").text(10), Some("secret"));
    state(&mut config, "v", ColumnType::Int);
    assert_eq!(discover(&config).await.expect_err("refused").code, Code::SourceMixedTypes);
    state(&mut config, "w", ColumnType::Text);
    assert_eq!(discover(&config).await.expect_err("refused").code, Code::SourceColumn);
}

#[tokio::test]
async fn a_stated_delimiter_and_encoding_are_held_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let stated = |mark: Option<char>, name: Option<&str>| {
        let mut config = file(&folder, b"a,b\n1,2\n");
        if let Location::Csv { delimiter, encoding, .. } = &mut config.location {
            (*delimiter, *encoding) = (mark, name.map(str::to_owned));
        }
        config
    };
    assert_eq!(round(&stated(Some(','), Some("utf-8"))).await.expect("read").columns.len(), 2);
    for (config, code) in
        [(stated(Some(';'), None), Code::SourceDelimiter), (stated(None, Some("latin-x")), Code::SourceEncoding)]
    {
        let connector = connectors_file::open(&config, None).expect("opened");
        assert_eq!(connector.test().await.expect_err("refused").code, code);
        assert_eq!(discover(&config).await.expect_err("refused").code, code);
    }
}

#[tokio::test]
async fn a_file_that_changed_after_registration_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = file(&folder, b"id,v\n1,5\n2,6\n");
    let source = discover(&config).await.expect("discovered").source(&config).expect("fits");
    for (bytes, code) in [
        (&b"id,w\n1,5\n"[..], Code::SourceChanged),
        (b"id,v\n1,x\n", Code::SourceChanged),
        (b"id,v\n1,8\n", Code::RangeOverflow),
        (b"id,v\n1,5\n1,6\n", Code::SourceChanged),
        (b"id,v\n,5\n", Code::SourceChanged),
    ] {
        file(&folder, bytes);
        let connector = connectors_file::open(&config, Some(source.clone())).expect("opened");
        assert_eq!(connector.read(approved(whole(&source))).await.expect_err("refused").code, code);
    }
    std::fs::remove_file(folder.path().join("t.csv")).expect("removed");
    let connector = connectors_file::open(&config, Some(source.clone())).expect("opened");
    let fault = connector.read(approved(whole(&source))).await.expect_err("refused");
    assert_eq!(fault.code, Code::SourceMissing);
    assert!(!fault.detail.contains("t.csv"), "other parties of a run do not learn the path");
    file(&folder, b"id,v\n");
    let connector = connectors_file::open(&config, Some(source.clone())).expect("opened");
    assert_eq!(connector.read(approved(whole(&source))).await.expect("an empty table").rows, 0);
}

#[tokio::test]
async fn progress_is_told() {
    let mut stages = Vec::new();
    let config = config(PathBuf::from(format!("{NHEFS}/deaths.csv")));
    let connector = connectors_file::open(&config, None).expect("opened");
    connector.discover(&mut |stage| stages.push(stage.name)).await.expect("discovered");
    assert_eq!(stages, ["load", "parse", "columns", "columns", "columns", "columns"]);
}
