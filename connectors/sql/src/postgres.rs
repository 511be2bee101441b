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
/// How long it may take over a statement and all its rows: a minute more than it gives itself. Else one that falls silent, or
/// whose machine is gone, would keep all parties of a run waiting for good.
pub(crate) const PATIENCE: Duration = Duration::from_secs(6 * 60);

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
    pub patience: Duration,
}

/// A column and what its declaration says.
#[derive(Clone)]
struct Declared {
    name: String,
    expect: Expect,
}

/// Texts by column, in the order of rows.
type Cells = Vec<Vec<Option<String>>>;

impl PostgresTable {
    /// What the server answers, as long as it may take for that.
    async fn in_time<T>(
        &self,
        ticket: &Ticket,
        limit: Duration,
        asked: impl Future<Output = sqlx::Result<T>>,
    ) -> Result<T, Fault> {
        match tokio::time::timeout(limit, asked).await {
            Ok(answered) => answered.map_err(|error| database(ticket, &error)),
            Err(_) => Err(ticket.fault(Code::SourceMissing, "the database did not answer in time")),
        }
    }

    /// What the server answers to a statement.
    async fn asked<T>(&self, ticket: &Ticket, asked: impl Future<Output = sqlx::Result<T>>) -> Result<T, Fault> {
        self.in_time(ticket, self.patience, asked).await
    }

    async fn connect(&self, ticket: &Ticket) -> Result<PgConnection, Fault> {
        let url = match &self.address {
            Address::Stated(url) => url.clone(),
            Address::Environment(name) => std::env::var(name).map(ConnectionUrl::from).map_err(|_| {
                ticket.fault(Code::SourceMissing, format!("the environment variable {name} holds no address"))
            })?,
        };
        let options = PgConnectOptions::from_str(url.expose()).map_err(|error| database(ticket, &error))?;
        let options = options.application_name("heqi").disable_statement_logging();
        self.in_time(ticket, CONNECT, options.connect()).await
    }

    async fn columns(&self, ticket: &Ticket, db: &mut PgConnection) -> Result<Vec<Declared>, Fault> {
        let query = sqlx::query(COLUMNS).bind(&self.schema).bind(&self.table);
        let rows = self.asked(ticket, query.fetch_all(db)).await?;
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
        columns: &[Declared],
        progress: Progress<'_>,
    ) -> sqlx::Result<Cells> {
        let list: Vec<_> = columns.iter().map(|column| format!("{}::text", quoted(&column.name))).collect();
        let table = format!("{}.{}", quoted(&self.schema), quoted(&self.table));
        let query = format!("SELECT {} FROM {table}{}", list.join(", "), limit(ticket));
        let mut cells: Cells = columns.iter().map(|_| Vec::new()).collect();
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

    /// The wanted columns and their cells, all of one moment.
    async fn fetched(&self, ticket: &Ticket, progress: Progress<'_>) -> Result<(Vec<Declared>, Cells), Fault> {
        let mut db = self.connect(ticket).await?;
        let mut moment = self.asked(ticket, db.begin_with(SNAPSHOT)).await?;
        for setting in SETTINGS {
            self.asked(ticket, sqlx::query(setting).execute(&mut *moment)).await?;
        }
        let columns = self.columns(ticket, &mut moment).await?;
        let names: Vec<String> = columns.iter().map(|c| c.name.clone()).collect();
        let places = ticket.select(&names)?.into_iter();
        let wanted: Vec<_> = places.filter_map(|place| columns.get(place).cloned()).collect();
        let cells = self.asked(ticket, self.cells(ticket, &mut moment, &wanted, progress)).await?;
        self.asked(ticket, moment.rollback()).await?;
        // The rows are here; whether the server hears the farewell changes nothing.
        let _ = tokio::time::timeout(CONNECT, db.close()).await;
        Ok((wanted, cells))
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
        let (wanted, cells) = self.fetched(&ticket, progress).await?;
        let rows = cells.first().map_or(0, Vec::len);
        let columns = wanted.into_iter().zip(cells).map(|(c, cells)| ticket.column(&c.name, c.expect, cells));
        Ok(Table { columns: columns.collect::<Result<_, _>>()?, rows })
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
    use connectors_api::{Connector, Gate};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    #[tokio::test]
    async fn a_server_that_falls_silent_is_not_waited_for_without_end() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let server = tokio::spawn(async move {
            for _ in 0..2 {
                let (mut socket, _) = listener.accept().await.expect("a connection");
                let mut asked = [0; 1024];
                let greeting = socket.read(&mut asked).await.expect("a greeting");
                assert!(greeting > 0);
                // It is content with whoever asks, is ready, and says nothing more.
                socket.write_all(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I").await.expect("told");
                while socket.read(&mut asked).await.is_ok_and(|read| read > 0) {}
            }
        });
        let table = PostgresTable {
            address: Address::Stated(format!("postgres://reader@127.0.0.1:{port}/rows?sslmode=disable").into()),
            schema: "public".to_owned(),
            table: "rows".to_owned(),
            patience: Duration::from_millis(500),
        };
        let source = Gate::new("civil/deaths".parse().expect("a name"), None, table);
        let tested = source.test().await.expect_err("silent");
        let found = source.discover(&mut |_| ()).await.expect_err("silent");
        for fault in [tested, found] {
            assert_eq!(fault.code, Code::SourceMissing);
            assert!(fault.detail.contains("in time"), "{fault}");
        }
        server.await.expect("both were let go");
    }

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
