//! Identifiers, columns and faults that five families share.

pub mod column;
pub mod fault;
mod id;

pub use id::{DatasetId, Digest, Height, IdError, JobId, OrgId, PersonId, TimeMs};
