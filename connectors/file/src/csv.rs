//! CSV files: decoded, laid out and checked here, parsed as text by Polars, typed without a float.

use std::{collections::BTreeMap, io::Cursor, path::PathBuf, sync::Arc};

use async_trait::async_trait;
use base_types::{
    column::{ColumnType, Table},
    fault::{Code, Fault},
};
use connectors_api::{Backend, Expect, Progress, Stage, Ticket};
use polars::prelude::{CsvReadOptions, DataFrame, DataType, Field, PlSmallStr, PolarsResult, Schema, SerReader};

use crate::{
    encoding, off_thread,
    records::{self, Layout},
    unreadable,
};

/// A CSV file and how to read it.
#[derive(Debug, Clone)]
pub(crate) struct CsvFile {
    pub path: PathBuf,
    pub delimiter: Option<char>,
    pub encoding: Option<String>,
    pub types: BTreeMap<String, ColumnType>,
}

impl CsvFile {
    fn load(&self, ticket: &Ticket) -> Result<Layout, Fault> {
        let bytes = std::fs::read(&self.path).map_err(|error| unreadable(ticket, &self.path, &error))?;
        if bytes.is_empty() {
            return Err(ticket.fault(Code::SourceMissing, "the file is empty"));
        }
        let text = encoding::decode(bytes, self.encoding.as_deref()).map_err(|problem| problem.at(ticket))?;
        records::layout(&text, self.delimiter).map_err(|problem| problem.at(ticket))
    }

    fn read(&self, ticket: &Ticket, progress: Progress<'_>) -> Result<Table, Fault> {
        progress(Stage { name: "load", done: 0, of: 0 });
        let mut layout = self.load(ticket)?;
        let places = ticket.select(&layout.header)?;
        self.check_overrides(ticket, &layout.header)?;
        if layout.rows == 0 && !ticket.is_read() {
            return Err(ticket.fault(Code::SourceMissing, "the file has a header and no rows"));
        }
        progress(Stage { name: "parse", done: 0, of: layout.rows as u64 });
        let frame = parse(&mut layout, &places)
            .map_err(|_| ticket.fault(Code::SourceDelimiter, "the file does not parse as separated values"))?;
        let mut table = Table { columns: Vec::with_capacity(places.len()), rows: layout.rows };
        for (done, name) in places.iter().filter_map(|place| layout.header.get(*place)).enumerate() {
            progress(Stage { name: "columns", done: done as u64, of: places.len() as u64 });
            let expect = match self.types.get(name) {
                Some(ty) if !ticket.is_read() => Expect::Exactly(*ty),
                _ => Expect::Any,
            };
            let cells = cells(&frame, name, layout.rows)
                .ok_or_else(|| ticket.fault(Code::SourceDelimiter, format!("column '{name}' does not parse")))?;
            table.columns.push(ticket.column(name, expect, cells)?);
        }
        Ok(table)
    }

    fn check_overrides(&self, ticket: &Ticket, header: &[String]) -> Result<(), Fault> {
        match self.types.keys().find(|name| !header.contains(name)) {
            Some(name) => Err(ticket.fault(Code::SourceColumn, format!("a type is stated for '{name}'"))),
            None => Ok(()),
        }
    }
}

/// Parses the columns at `places`, all as text; the body is used up.
fn parse(layout: &mut Layout, places: &[usize]) -> PolarsResult<DataFrame> {
    if layout.rows == 0 || places.is_empty() {
        return Ok(DataFrame::default());
    }
    let field = |name: &String| Field::new(PlSmallStr::from_str(name), DataType::String);
    let schema: Schema = layout.header.iter().map(field).collect();
    let mut sorted = places.to_vec();
    sorted.sort_unstable();
    let delimiter = layout.delimiter;
    CsvReadOptions::default()
        .with_has_header(false)
        .with_schema(Some(Arc::new(schema)))
        .with_projection(Some(Arc::new(sorted)))
        .map_parse_options(|options| options.with_separator(delimiter).with_try_parse_dates(false))
        .into_reader_with_file_handle(Cursor::new(std::mem::take(&mut layout.body).into_bytes()))
        .finish()
}

/// A column's cells; fields that are empty or blank are NULL. `None` when the parser saw other rows than the layout.
fn cells(frame: &DataFrame, name: &str, rows: usize) -> Option<Vec<Option<String>>> {
    if rows == 0 {
        return Some(Vec::new());
    }
    let column = frame.column(name).ok()?.as_materialized_series().str().ok()?;
    let filled = |cell: Option<&str>| cell.filter(|text| !text.trim().is_empty()).map(str::to_owned);
    (column.len() == rows).then(|| column.iter().map(filled).collect())
}

#[async_trait]
impl Backend for CsvFile {
    async fn scan(&self, ticket: Ticket, progress: Progress<'_>) -> Result<Table, Fault> {
        let file = self.clone();
        off_thread(ticket, progress, move |ticket, progress| file.read(ticket, progress)).await
    }

    async fn test(&self, ticket: Ticket) -> Result<(), Fault> {
        let file = self.clone();
        let look = move |ticket: &Ticket, _: Progress<'_>| {
            let layout = file.load(ticket)?;
            file.check_overrides(ticket, &layout.header)?;
            ticket.select(&layout.header).map(|_| ())
        };
        off_thread(ticket, &mut |_| (), look).await
    }
}
