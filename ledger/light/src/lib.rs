//! The ledger's formats and their verification without storage or network: headers, certificates, proofs.

mod block;
mod certificate;
mod genesis;
mod handover;
mod merkle;
pub mod state;
mod transaction;

pub use block::{Block, Header};
pub use certificate::{Certificate, CertificateFault, VoteKind, vote_bytes};
pub use genesis::{BFT, Epoch, Genesis, Member, Organisation, RAFT, Role, Validator};
pub use handover::{Handover, HandoverFault, MAX_HANDOVERS, epoch_at};
pub use merkle::{MerklePath, MerkleStep, merkle_path, merkle_root};
pub use transaction::{Transaction, TransactionFault};
