//! The ledger's storage: RocksDB with named columns, atomic batches that can be forced to disk, and faults told apart.

mod fault;
mod store;

pub use fault::StoreError;
pub use store::{Batch, Durability, Row, Store};
