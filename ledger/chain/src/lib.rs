//! A validator's chain: pool, consensus, execution, storage, catch-up and evidence behind one handle.
//!
//! One task owns the engine and everything that changes (`node`); [`Chain`] is the handle that others keep. A node
//! starts a height only when it has a reason to, so an idle chain is silent but for a heartbeat.

mod build;
mod chain;
mod check;
mod compact;
mod counters;
mod evidence;
mod execute;
mod fault;
mod gossip;
mod ledger;
mod net;
mod node;
mod options;
mod outputs;
mod pool;
mod read;
mod submit;
mod sync;
mod view;

pub use chain::{Chain, Parts};
pub use check::{MAX_BLOCK_BYTES, MAX_BLOCK_TRANSACTIONS, MAX_LIFE, MAX_TRANSACTION_BYTES};
pub use counters::{Counter, Counters};
pub use evidence::{EvidenceParts, EvidenceRecord};
pub use execute::Executed;
pub use fault::ChainFault;
pub use ledger::{COLUMNS, Certified, Placed};
pub use net::{PeerError, PeerNet};
pub use options::Options;
pub use read::{At, Proven};
pub use view::Status;
