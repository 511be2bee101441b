//! A ledger node assembled: the chain behind mutual TLS, its peers, its clients, and the government's decisions carried out.

mod clients;
mod follow;
mod operator;
mod peers;
mod start;

pub use clients::Clients;
pub use start::{Moved, Parts, Server, start, start_with};
