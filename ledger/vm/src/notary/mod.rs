//! The notary contract: who may record what about a job or a data set, and in which order.

mod entry;
mod job;
mod rules;
mod words;

pub use entry::{Entry, EntryKind, MAX_BODY, MAX_PARTIES, MAX_SHORT_BODY, Record, count_key, record_key};
pub use job::{Job, job_key};
pub use rules::Notary;
