//! Ethereum's machine on the ledger's state: contracts of a stock compiler, limits, damage and garbage.

mod garbage;
mod limits;
mod precompiles;
mod state;
mod token;
mod world;
