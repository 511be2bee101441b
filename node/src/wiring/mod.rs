//! Where the families meet: the ledger behind the notary's traits, the engines behind its orders, the node behind the portal.

pub mod deriver;
pub mod journal;
pub mod ledger;
pub mod people;
pub mod portal;
pub mod progress;
pub mod results;
pub mod runs;
pub mod scratch;
pub mod sources;
pub mod tables;
