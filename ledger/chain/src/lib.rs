//! A validator's chain: pool, consensus, execution, storage, catch-up and evidence behind one handle.
//!
//! One task owns the engine and everything that changes (`node`); [`Chain`] is the handle that others keep. A node
//! starts a height only when it has a reason to, so an idle chain is silent but for a heartbeat.

mod answer;
mod audit;
mod backup;
mod behind;
mod build;
mod chain;
mod check;
mod compact;
mod counters;
mod disks;
mod evidence;
mod execute;
mod fault;
mod gossip;
mod hearing;
mod history;
mod ledger;
mod net;
mod node;
mod offer;
mod options;
mod outputs;
mod pool;
mod read;
mod scrub;
mod senders;
mod silence;
mod spans;
mod submit;
mod sync;
mod takeover;
mod view;

pub use audit::{Audit, audit};
pub use backup::Backup;
pub use chain::{Chain, Parts};
pub use check::{MAX_BLOCK_BYTES, MAX_BLOCK_TRANSACTIONS, MAX_LIFE, MAX_TRANSACTION_BYTES};
pub use counters::{Counter, Counters};
pub use evidence::{EvidenceParts, EvidenceRecord};
pub use execute::Executed;
pub use fault::ChainFault;
pub use ledger::{COLUMNS, Certified, Placed};
pub use net::{PeerError, PeerNet};
pub use options::{History, Options};
pub use read::{At, Proven};
pub use silence::{keep_silent, stored_chain};
pub use view::Status;
