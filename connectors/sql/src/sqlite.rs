//! SQLite tables. A column may hold anything there whatever it declares, so each value is held to the declaration.

use std::path::PathBuf;

use async_trait::async_trait;
use base_types::{
    column::{ColumnType, Table},
    fault::{Code, Fault},
};
use connectors_api::{Backend, Expect, Progress, Stage, Ticket};
use futures::TryStreamExt;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Row, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteRow},
};

use crate::{fault::database, limit, quoted};

/// A table or view of an SQLite file.
#[derive(Debug, Clone)]
pub(crate) struct SqliteTable {
    pub path: PathBuf,
    pub table: String,
}

/// A column and the type it declares.
struct Declared {
    name: String,
    ty: String,
}

/// A value as SQLite stores it; numbers in their shortest exact text.
enum Cell {
    Null,
    Int(String),
    Real(String),
    Text(String),
    Blob,
}

impl SqliteTable {
    async fn connect(&self, ticket: &Ticket) -> Result<SqliteConnection, Fault> {
        if let Err(error) = tokio::fs::metadata(&self.path).await {
            let place = if ticket.is_read() { "the file".into() } else { self.path.display().to_string() };
            return Err(ticket.fault(Code::SourceMissing, format!("{place}: {}", error.kind())));
        }
        let options = SqliteConnectOptions::new().filename(&self.path).read_only(true).create_if_missing(false);
        options.disable_statement_logging().connect().await.map_err(|error| database(ticket, &error))
    }

    async fn columns(&self, ticket: &Ticket, db: &mut SqliteConnection) -> Result<Vec<Declared>, Fault> {
        let query = "SELECT name, type FROM pragma_table_info(?) ORDER BY cid";
        let rows = sqlx::query(query).bind(&self.table).fetch_all(db).await.map_err(|e| database(ticket, &e))?;
        let declared = |row: &SqliteRow| Ok(Declared { name: row.try_get(0)?, ty: row.try_get(1)? });
        let columns: Vec<_> = rows.iter().map(declared).collect::<Result<_, _>>().map_err(|e| database(ticket, &e))?;
        match columns.is_empty() {
            true => Err(ticket.fault(Code::SourceMissing, format!("the database has no table '{}'", self.table))),
            false => Ok(columns),
        }
    }

    async fn cells(
        &self,
        ticket: &Ticket,
        db: &mut SqliteConnection,
        columns: &[&Declared],
        progress: Progress<'_>,
    ) -> sqlx::Result<Vec<Vec<Cell>>> {
        let list: Vec<_> =
            columns.iter().map(|c| quoted(&c.name)).map(|name| format!("typeof({name}), {name}")).collect();
        let query = format!("SELECT {} FROM {}{}", list.join(", "), quoted(&self.table), limit(ticket));
        let mut cells: Vec<Vec<Cell>> = columns.iter().map(|_| Vec::new()).collect();
        let mut rows = sqlx::query(AssertSqlSafe(query)).fetch(db);
        let mut done = 0;
        while let Some(row) = rows.try_next().await? {
            for (place, column) in cells.iter_mut().enumerate() {
                column.push(cell(&row, place)?);
            }
            done += 1;
            if done % 4096 == 0 {
                progress(Stage { name: "read", done, of: 0 });
            }
        }
        Ok(cells)
    }
}

fn cell(row: &SqliteRow, place: usize) -> sqlx::Result<Cell> {
    let value = place * 2 + 1;
    // typeof() has told the storage class, so the driver's guess by declaration is not asked.
    Ok(match row.try_get::<&str, _>(place * 2)? {
        "null" => Cell::Null,
        "integer" => Cell::Int(row.try_get_unchecked::<i64, _>(value)?.to_string()),
        "real" => Cell::Real(row.try_get_unchecked::<f64, _>(value)?.to_string()),
        "text" => Cell::Text(row.try_get_unchecked::<String, _>(value)?),
        _ => Cell::Blob,
    })
}

/// Storage classes that a declaration allows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Allowed {
    Ints,
    Numbers,
    Texts,
    NotBlobs,
}

impl Allowed {
    fn holds(self, cell: &Cell) -> bool {
        match cell {
            Cell::Null => true,
            Cell::Int(_) => self != Self::Texts,
            Cell::Real(_) => matches!(self, Self::Numbers | Self::NotBlobs),
            Cell::Text(_) => matches!(self, Self::Texts | Self::NotBlobs),
            Cell::Blob => false,
        }
    }
}

/// What a declared type means: SQLite's affinity rules, with booleans, dates and decimals taken at their word.
fn meaning(declared: &str, cells: &[Cell]) -> (Allowed, Expect) {
    let ty = declared.trim().to_ascii_uppercase();
    let has = |words: &[&str]| words.iter().any(|word| ty.contains(word));
    if has(&["BOOL"]) {
        (Allowed::NotBlobs, Expect::Exactly(ColumnType::Bool))
    } else if ty == "DATE" {
        (Allowed::Texts, Expect::Exactly(ColumnType::Date))
    } else if has(&["INT"]) {
        (Allowed::Ints, Expect::Exactly(ColumnType::Int))
    } else if has(&["CHAR", "CLOB", "TEXT"]) {
        (Allowed::Texts, Expect::Exactly(ColumnType::Text))
    } else if has(&["REAL", "FLOA", "DOUB", "NUMERIC", "DECIMAL"]) {
        (Allowed::Numbers, decimal(&ty).map_or(Expect::Number, Expect::Exactly))
    } else if cells.iter().any(|cell| matches!(cell, Cell::Int(_) | Cell::Real(_))) {
        (Allowed::Numbers, Expect::Number)
    } else {
        (Allowed::Texts, Expect::Exactly(ColumnType::Text))
    }
}

/// The type of `DECIMAL(p, s)`.
fn decimal(ty: &str) -> Option<ColumnType> {
    let inside = ty.split_once('(')?.1.strip_suffix(')')?;
    match inside.split_once(',').map_or(Ok(0), |(_, scale)| scale.trim().parse::<u8>()).ok()? {
        0 => Some(ColumnType::Int),
        scale => (scale <= 9).then_some(ColumnType::Decimal { scale }),
    }
}

fn column(ticket: &Ticket, declared: &Declared, cells: Vec<Cell>) -> Result<base_types::column::Column, Fault> {
    let (allowed, expect) = meaning(&declared.ty, &cells);
    if let Some(row) = cells.iter().position(|cell| !allowed.holds(cell)) {
        let why = match declared.ty.as_str() {
            "" => "not of the kind of the other rows".to_owned(),
            ty => format!("not of the declared type {ty}"),
        };
        return Err(ticket.mixed(&declared.name, row, &why));
    }
    let text = |cell| match cell {
        Cell::Int(text) | Cell::Real(text) | Cell::Text(text) => Some(text),
        Cell::Null | Cell::Blob => None,
    };
    ticket.column(&declared.name, expect, cells.into_iter().map(text).collect())
}

#[async_trait]
impl Backend for SqliteTable {
    async fn scan(&self, ticket: Ticket, progress: Progress<'_>) -> Result<Table, Fault> {
        let mut db = self.connect(&ticket).await?;
        // One transaction, so that all columns show the same moment.
        let mut moment = db.begin().await.map_err(|error| database(&ticket, &error))?;
        let columns = self.columns(&ticket, &mut moment).await?;
        let names: Vec<String> = columns.iter().map(|c| c.name.clone()).collect();
        let wanted: Vec<_> = ticket.select(&names)?.into_iter().filter_map(|place| columns.get(place)).collect();
        let cells = self.cells(&ticket, &mut moment, &wanted, progress).await;
        let cells = cells.map_err(|error| database(&ticket, &error))?;
        let rows = cells.first().map_or(0, Vec::len);
        let columns = wanted.into_iter().zip(cells).map(|(declared, cells)| column(&ticket, declared, cells));
        Ok(Table { columns: columns.collect::<Result<_, _>>()?, rows })
    }

    async fn test(&self, ticket: Ticket) -> Result<(), Fault> {
        let mut db = self.connect(&ticket).await?;
        let columns = self.columns(&ticket, &mut db).await?;
        let names: Vec<String> = columns.into_iter().map(|c| c.name).collect();
        ticket.select(&names).map(|_| ())
    }
}
