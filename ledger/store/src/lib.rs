//! The ledger's storage: RocksDB with named columns, atomic batches that can be forced to disk, and faults told apart.

mod batch;
mod fault;
mod options;
mod paths;
mod scrub;
mod sift;
mod store;
#[cfg(test)]
mod tests;
mod upkeep;

pub use batch::{Batch, Durability, Written};
pub use fault::StoreError;
pub use options::{MOVED, StoreOptions};
pub use scrub::ScrubCursor;
pub use sift::Sifted;
pub use store::{Row, Store};
