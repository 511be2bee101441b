//! What every connector shares: source settings, the gate that lets only approved reads through, discovery and checks.
//!
//! A kind of source implements [`Backend`]; [`Gate`] turns it into a [`Connector`]. The gate alone makes the [`Ticket`]
//! that a backend needs to read, and it checks everything that was read in one place.

mod check;
mod config;
mod connector;
pub mod date;
mod discover;
mod gate;
pub mod text;
mod ticket;

pub use config::{ConnectionUrl, Location, SourceConfig};
pub use connector::{Backend, Connector, Progress, Stage};
pub use discover::{Discovery, column_meta, rows_bound, widened};
pub use gate::Gate;
pub use ticket::{Expect, Ticket, Wanted};
