//! The two traits: what the platform sees of a source, and what a kind of source has to offer.

use async_trait::async_trait;
use base_types::{column::Table, fault::Fault};
use notary_terms::{Approved, Read};

use crate::{Discovery, Ticket};

/// How far long work has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// What is being done, such as `parse`.
    pub name: &'static str,
    /// Units done: rows or columns.
    pub done: u64,
    /// All units; 0 while unknown.
    pub of: u64,
}

/// Hears how far long work has come.
pub type Progress<'a> = &'a mut (dyn FnMut(Stage) + Send);

/// A source as the platform sees it. Rows come out only against an [`Approved<Read>`], which is used up.
///
/// Without the approval a read does not compile:
/// ```compile_fail,E0308
/// # use connectors_api::Connector;
/// # use notary_terms::Read;
/// async fn unapproved(source: &dyn Connector, read: Read) {
///     let _ = source.read(read).await;
/// }
/// ```
/// nor does a second read with the same approval:
/// ```compile_fail,E0382
/// # use connectors_api::Connector;
/// # use notary_terms::{Approved, Read};
/// async fn twice(source: &dyn Connector, step: Approved<Read>) {
///     let _ = source.read(step).await;
///     let _ = source.read(step).await;
/// }
/// ```
/// while one read with one approval does:
/// ```
/// # use connectors_api::Connector;
/// # use notary_terms::{Approved, Read};
/// async fn once(source: &dyn Connector, step: Approved<Read>) {
///     let _ = source.read(step).await;
/// }
/// ```
#[async_trait]
pub trait Connector: Send + Sync {
    /// Finds columns, types, row count, NULLs and keys; what comes out holds no value of the source.
    ///
    /// # Errors
    /// A fault that names the column and row at which the source cannot be understood.
    async fn discover(&self, progress: Progress<'_>) -> Result<Discovery, Fault>;

    /// Reads the columns of an approved step, in its order and its types.
    ///
    /// # Errors
    /// A fault when the source cannot be read or no longer fits its registration.
    async fn read(&self, step: Approved<Read>) -> Result<Table, Fault>;

    /// Whether the source can be reached and understood as far as its column names.
    ///
    /// # Errors
    /// The fault that a read would meet.
    async fn test(&self) -> Result<(), Fault>;
}

/// A kind of source. It reads only with a [`Ticket`], which nobody but the [`Gate`](crate::Gate) can make:
/// ```compile_fail,E0451
/// # use connectors_api::{Ticket, Wanted};
/// fn forge(dataset: base_types::DatasetId) -> Ticket {
///     Ticket { dataset, wanted: Wanted::Everything }
/// }
/// ```
#[async_trait]
pub trait Backend: Send + Sync {
    /// Reads what the ticket wants: the columns that [`Ticket::select`] names, in that order.
    ///
    /// # Errors
    /// A fault made by the ticket.
    async fn scan(&self, ticket: Ticket, progress: Progress<'_>) -> Result<Table, Fault>;

    /// Looks whether the source can be reached and its columns named.
    ///
    /// # Errors
    /// A fault made by the ticket.
    async fn test(&self, ticket: Ticket) -> Result<(), Fault>;
}
