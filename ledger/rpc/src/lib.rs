//! The control plane over gRPC: messages and questions between nodes, and the ledger's interface for clients.
//!
//! Nodes speak HTTP/2 inside the mutual TLS of `base-rt`; who sent a message is what the handshake proved, never what the
//! message says. The crate knows no chain: handlers are traits and bodies are canonical encodings.

mod connect;
mod fault;
mod incoming;
mod ledger;
mod operator;
mod peer;
mod queue;
mod server;
mod stream;
mod taken;
mod turns;
mod way;
mod wire;

pub use fault::RpcFault;
pub use ledger::{Happening, Happenings, LedgerClient, LedgerHandler, ReadCall, StateAt, Submitted, Subscription};
pub use operator::OperatorHandler;
pub use peer::{PeerClient, PeerHandler};
pub use server::{LedgerServer, PeerServer};

/// Longest message in either direction, its envelope included.
pub const MAX_MESSAGE_BYTES: usize = 16 << 20;
/// Longest request of a client: the longest transaction and more.
pub const MAX_REQUEST_BYTES: usize = 2 << 20;
/// Longest body of a message.
pub const MAX_BODY_BYTES: usize = MAX_MESSAGE_BYTES - (1 << 10);
/// Longest name of a channel.
pub const MAX_CHANNEL_BYTES: usize = 32;

#[cfg(test)]
mod tests;
