//! PostgreSQL tables, read as text in one read-only snapshot, so that no number passes through a float.

use std::{str::FromStr, time::Duration};

use async_trait::async_trait;
use base_types::{
    column::{ColumnType, Table},
    fault::{Code, Fault},
};
use connectors_api::{Backend, ConnectionUrl, Expect, Progress, Stage, Ticket};
use futures::TryStreamExt;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, PgConnection, Row,
    postgres::{PgConnectOptions, PgRow},
};

use crate::{fault::database, limit, quoted};

/// How long a server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// One snapshot, nothing written, dates and numbers in one notation; five minutes at most.
const SNAPSHOT: &str = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY";
const SETTINGS: [&str; 3] =
    ["SET LOCAL datestyle = 'ISO, YMD'", "SET LOCAL extra_float_digits = 1", "SET LOCAL statement_timeout = '5min'"];

/// `relkind` restricts to what holds rows; the catalogue is used because the information schema lacks materialised views.
const COLUMNS: &str = "SELECT a.attname::text, t.typname::text, a.atttypmod \
    FROM pg_catalog.pg_attribute a \
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
    WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') \
    AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

/// Where the server's address stands.
#[derive(Clone)]
pub(crate) enum Address {
    /// In an environment variable.
    Environment(String),
    /// In the settings.
    Stated(ConnectionUrl),
}

/// A table or view of a PostgreSQL database.
#[derive(Clone)]
pub(crate) struct PostgresTable {
    pub address: Address,
    pub schema: String,
    pub table: String,
}

/// A column and what its declaration says.
struct Declared {
    name: String,
    expect: Expect,
}

impl PostgresTable {
    async fn connect(&self, ticket: &Ticket) -> Result<PgConnection, Fault> {
        let url = match &self.address {
            Address::Stated(url) => url.clone(),
            Address::Environment(name) => std::env::var(name).map(ConnectionUrl::from).map_err(|_| {
                ticket.fault(Code::SourceMissing, format!("the environment variable {name} holds no address"))
            })?,
        };
        let options = PgConnectOptions::from_str(url.expose()).map_err(|error| database(ticket, &error))?;
        let options = options.application_name("heqi").disable_statement_logging();
        match tokio::time::timeout(CONNECT, options.connect()).await {
            Ok(connected) => connected.map_err(|error| database(ticket, &error)),
            Err(_) => Err(ticket.fault(Code::SourceMissing, "the database did not answer in time")),
        }
    }

    async fn columns(&self, ticket: &Ticket, db: &mut PgConnection) -> Result<Vec<Declared>, Fault> {
        let query = sqlx::query(COLUMNS).bind(&self.schema).bind(&self.table);
        let rows = query.fetch_all(db).await.map_err(|error| database(ticket, &error))?;
        let columns: Result<Vec<_>, _> = rows.iter().map(declared).collect();
        let columns = columns.map_err(|error| database(ticket, &error))?;
        match columns.is_empty() {
            true => {
                let detail = format!("the database has no table '{}' in schema '{}'", self.table, self.schema);
                Err(ticket.fault(Code::SourceMissing, detail))
            }
            false => Ok(columns),
        }
    }

    async fn cells(
        &self,
        ticket: &Ticket,
        db: &mut PgConnection,
        columns: &[&Declared],
        progress: Progress<'_>,
    ) -> sqlx::Result<Vec<Vec<Option<String>>>> {
        let list: Vec<_> = columns.iter().map(|column| format!("{}::text", quoted(&column.name))).collect();
        let table = format!("{}.{}", quoted(&self.schema), quoted(&self.table));
        let query = format!("SELECT {} FROM {table}{}", list.join(", "), limit(ticket));
        let mut cells: Vec<Vec<Option<String>>> = columns.iter().map(|_| Vec::new()).collect();
        let mut rows = sqlx::query(AssertSqlSafe(query)).fetch(db);
        let mut done = 0;
        while let Some(row) = rows.try_next().await? {
            for (place, column) in cells.iter_mut().enumerate() {
                column.push(row.try_get(place)?);
            }
            done += 1;
            if done % 4096 == 0 {
                progress(Stage { name: "read", done, of: 0 });
            }
        }
        Ok(cells)
    }
}

fn declared(row: &PgRow) -> sqlx::Result<Declared> {
    let (ty, modifier): (String, i32) = (row.try_get(1)?, row.try_get(2)?);
    let expect = match ty.as_str() {
        "int2" | "int4" | "int8" => Expect::Exactly(ColumnType::Int),
        "numeric" => numeric(modifier).map_or(Expect::Number, Expect::Exactly),
        "float4" | "float8" => Expect::Number,
        "bool" => Expect::Exactly(ColumnType::Bool),
        "date" => Expect::Exactly(ColumnType::Date),
        // Everything else is taken as PostgreSQL writes it.
        _ => Expect::Exactly(ColumnType::Text),
    };
    Ok(Declared { name: row.try_get(0)?, expect })
}

/// The type of `NUMERIC(p, s)` from the modifier PostgreSQL keeps: 4 + (p << 16 | s), s in 11 bits with a sign.
fn numeric(modifier: i32) -> Option<ColumnType> {
    let packed = modifier.checked_sub(4).filter(|packed| *packed >= 0)?;
    match (packed & 0x7ff) ^ 1024 {
        scale if scale <= 1024 => Some(ColumnType::Int),
        scale => u8::try_from(scale - 1024).ok().filter(|s| *s <= 9).map(|scale| ColumnType::Decimal { scale }),
    }
}

#[async_trait]
impl Backend for PostgresTable {
    async fn scan(&self, ticket: Ticket, progress: Progress<'_>) -> Result<Table, Fault> {
        let mut db = self.connect(&ticket).await?;
        let mut moment = db.begin_with(SNAPSHOT).await.map_err(|error| database(&ticket, &error))?;
        for setting in SETTINGS {
            sqlx::query(setting).execute(&mut *moment).await.map_err(|error| database(&ticket, &error))?;
        }
        let columns = self.columns(&ticket, &mut moment).await?;
        let names: Vec<String> = columns.iter().map(|c| c.name.clone()).collect();
        let wanted: Vec<_> = ticket.select(&names)?.into_iter().filter_map(|place| columns.get(place)).collect();
        let cells = self.cells(&ticket, &mut moment, &wanted, progress).await;
        let cells = cells.map_err(|error| database(&ticket, &error))?;
        let rows = cells.first().map_or(0, Vec::len);
        let columns = wanted.into_iter().zip(cells).map(|(c, cells)| ticket.column(&c.name, c.expect, cells));
        let columns = columns.collect::<Result<_, _>>()?;
        moment.rollback().await.map_err(|error| database(&ticket, &error))?;
        // The rows are here; whether the server hears the farewell changes nothing.
        let _ = db.close().await;
        Ok(Table { columns, rows })
    }

    async fn test(&self, ticket: Ticket) -> Result<(), Fault> {
        let mut db = self.connect(&ticket).await?;
        let columns = self.columns(&ticket, &mut db).await?;
        let names: Vec<String> = columns.into_iter().map(|c| c.name).collect();
        ticket.select(&names).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numeric_declarations() {
        let modifier = |precision: i32, scale: i32| 4 + ((precision << 16) | (scale & 0x7ff));
        assert_eq!(numeric(-1), None);
        assert_eq!(numeric(modifier(10, 0)), Some(ColumnType::Int));
        assert_eq!(numeric(modifier(10, -3)), Some(ColumnType::Int));
        assert_eq!(numeric(modifier(10, 4)), Some(ColumnType::Decimal { scale: 4 }));
        assert_eq!(numeric(modifier(1000, 9)), Some(ColumnType::Decimal { scale: 9 }));
        assert_eq!(numeric(modifier(30, 12)), None);
    }
}
