//! CSV and Parquet files as sources, read by Polars, whose types stay inside this crate.
//!
//! An answer leaves as a Parquet file by [`parquet_of`].

mod csv;
mod encoding;
mod parquet;
mod records;
mod write;

pub use write::parquet_of;

use base_types::fault::{Code, Fault};
use connectors_api::{Connector, Gate, Location, Progress, SourceConfig, Stage, Ticket};
use notary_terms::Source;

/// A problem found far from the ticket, which turns it into a fault.
#[derive(Debug)]
struct Problem(Code, String);

impl Problem {
    fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(code, detail.into())
    }

    fn at(self, ticket: &Ticket) -> Fault {
        ticket.fault(self.0, self.1)
    }
}

/// Opens a CSV or Parquet source. `registered` is its entry in the catalogue, without which it cannot be read.
///
/// # Errors
/// A fault when the settings name another kind of source.
pub fn open(config: &SourceConfig, registered: Option<Source>) -> Result<Box<dyn Connector>, Fault> {
    let dataset = config.dataset.clone();
    match &config.location {
        Location::Csv { path, delimiter, encoding, types } => {
            let file = csv::CsvFile {
                path: path.clone(),
                delimiter: *delimiter,
                encoding: encoding.clone(),
                types: types.clone(),
            };
            Ok(Box::new(Gate::new(dataset, registered, file)))
        }
        Location::Parquet { path } => {
            Ok(Box::new(Gate::new(dataset, registered, parquet::ParquetFile { path: path.clone() })))
        }
        other => {
            let detail = format!("'{}' is no kind of file", other.kind());
            Err(Fault::new(Code::BadRequest, format!("open {dataset}"), detail).at(&dataset.owner()))
        }
    }
}

/// Runs blocking work on its own thread, passing its progress on. A panic inside a file library becomes a fault.
async fn off_thread<T: Send + 'static>(
    ticket: Ticket,
    progress: Progress<'_>,
    work: impl FnOnce(&Ticket, Progress<'_>) -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let broken = ticket.fault(Code::SourceMissing, "the file is damaged: its reader broke off");
    let (tell, mut heard) = tokio::sync::mpsc::unbounded_channel::<Stage>();
    let task = tokio::task::spawn_blocking(move || {
        work(&ticket, &mut |stage| {
            // Nobody listening any more is no reason to stop.
            let _ = tell.send(stage);
        })
    });
    while let Some(stage) = heard.recv().await {
        progress(stage);
    }
    task.await.map_err(|_| broken)?
}

/// The fault of a file that cannot be opened. A run's other parties do not learn where it lies.
fn unreadable(ticket: &Ticket, path: &std::path::Path, error: &std::io::Error) -> Fault {
    let place = if ticket.is_read() { "the file".into() } else { path.display().to_string() };
    ticket.fault(Code::SourceMissing, format!("{place}: {}", error.kind()))
}
