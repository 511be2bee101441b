//! A database's errors as faults. Its own words stay out: they may quote a value, an address or a password.

use base_types::fault::{Code, Fault};
use connectors_api::Ticket;

/// Turns an error into the fault of a source that cannot be opened.
pub(crate) fn database(ticket: &Ticket, error: &sqlx::Error) -> Fault {
    use sqlx::Error as E;
    let detail = match error {
        E::Configuration(_) => "the database's address cannot be understood".to_owned(),
        E::Io(error) => format!("the database cannot be reached: {}", error.kind()),
        E::Tls(_) => "no secure connection to the database".to_owned(),
        E::Database(error) => match error.code().as_deref() {
            Some("26" | "11") => "the file is no SQLite database or is damaged".to_owned(),
            Some("28000" | "28P01") => "the database refused user or password".to_owned(),
            Some("3D000") => "the server has no such database".to_owned(),
            Some("42501") => "the database user may not read the table".to_owned(),
            Some(code) => format!("the database answered with error {code}"),
            None => "the database answered with an error".to_owned(),
        },
        E::ColumnDecode { .. } | E::Decode(_) => "the database sent text that is not valid".to_owned(),
        _ => "the connection to the database broke".to_owned(),
    };
    ticket.fault(Code::SourceMissing, detail)
}
