//! The file: genesis, one certified header, and every entry of a job with its proof under that header's state root.

use base_types::Digest;
use base_wire::{Decode, Encode, WireError, wire_struct};
use ledger_light::{Certificate, Genesis, Handover, Header, Transaction, state::StateProof};
use ledger_vm::notary::Record;

/// First bytes of the file: name and format.
pub const MAGIC: &[u8; 8] = b"HEQIEV\x00\x01";

/// An entry with what binds it to the state root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceEntry {
    /// The signed transaction.
    pub transaction: Transaction,
    /// What the ledger recorded of it.
    pub record: Record,
    /// The record's place in the state.
    pub proof: StateProof,
}
wire_struct!(EvidenceEntry { transaction, record, proof });

/// Everything needed to check one subject's chain offline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The chain's first state; its digest is what a verifier pins.
    pub genesis: Genesis,
    /// The way from the genesis' validators to those that certified the header.
    pub handovers: Vec<Handover>,
    /// A header later than all entries.
    pub header: Header,
    /// Its certificate.
    pub certificate: Certificate,
    /// The job.
    pub subject: Digest,
    /// All its entries, in order.
    pub entries: Vec<EvidenceEntry>,
    /// Proof of how many there are: none is left out.
    pub count_proof: StateProof,
}
wire_struct!(Bundle { genesis, handovers, header, certificate, subject, entries, count_proof });

impl Bundle {
    /// The file's bytes.
    pub fn to_file(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        self.encode(&mut out);
        out
    }

    /// Reads a file's bytes.
    ///
    /// # Errors
    /// [`WireError`] when they are no bundle.
    pub fn from_file(bytes: &[u8]) -> Result<Self, WireError> {
        let body = bytes.strip_prefix(MAGIC).ok_or(WireError::NotCanonical("the file's first bytes"))?;
        Self::from_wire(body)
    }
}
