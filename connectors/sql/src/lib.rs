//! Tables of SQLite and PostgreSQL databases as sources: read-only, only the approved columns, exact words.

mod fault;
mod postgres;
mod sqlite;

use base_types::fault::{Code, Fault};
use connectors_api::{Connector, Gate, Location, SourceConfig};
use notary_terms::Source;

/// Opens an SQLite or PostgreSQL source. `registered` is its entry in the catalogue, without which it cannot be read.
///
/// # Errors
/// A fault when the settings name another kind of source, or a PostgreSQL source without an address.
pub fn open(config: &SourceConfig, registered: Option<Source>) -> Result<Box<dyn Connector>, Fault> {
    let dataset = config.dataset.clone();
    let bad = |detail: String| Fault::new(Code::BadRequest, format!("open {dataset}"), detail).at(&dataset.owner());
    match &config.location {
        Location::Sqlite { path, table } => {
            let source = sqlite::SqliteTable { path: path.clone(), table: table.clone() };
            Ok(Box::new(Gate::new(dataset, registered, source)))
        }
        Location::Postgres { url_env, url, schema, table } => {
            let address = match (url_env, url) {
                (Some(name), None) => postgres::Address::Environment(name.clone()),
                (None, Some(url)) => postgres::Address::Stated(url.clone()),
                _ => return Err(bad("state either url or url_env".to_owned())),
            };
            let source = postgres::PostgresTable {
                address,
                schema: schema.clone(),
                table: table.clone(),
                patience: postgres::PATIENCE,
            };
            Ok(Box::new(Gate::new(dataset, registered, source)))
        }
        other => Err(bad(format!("'{}' is no database", other.kind()))),
    }
}

/// An identifier in quotes, so that no name can be anything else.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `LIMIT` for a ticket that bounds its rows.
fn limit(ticket: &connectors_api::Ticket) -> String {
    ticket.row_limit().map(|rows| format!(" LIMIT {rows}")).unwrap_or_default()
}
