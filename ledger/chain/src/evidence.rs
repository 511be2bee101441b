//! Everything about a subject that a verifier needs who trusts the genesis digest alone.

use base_types::{Digest, Height};
use base_wire::wire_struct;
use ledger_light::{Certificate, Genesis, Handover, Header, Transaction, state::StateProof};
use ledger_vm::notary::{Record, count_key, record_key};

use crate::{
    Chain, ChainFault,
    ledger::{Ledger, read},
};

/// One record, the transaction that made it, and the proof that the state holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceRecord {
    /// The transaction, signed by its sender.
    pub transaction: Transaction,
    /// The record; its wire form is the value that the state holds under `record_key(subject, seq)`.
    pub record: Record,
    /// The proof of that.
    pub proof: StateProof,
}
wire_struct!(EvidenceRecord { transaction, record, proof });

/// The evidence of a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceParts {
    /// The genesis, whose digest the verifier pins.
    pub genesis: Genesis,
    /// The way from the genesis' validators to those of the header.
    pub handovers: Vec<Handover>,
    /// A header whose state root covers the records.
    pub header: Header,
    /// Its certificate.
    pub certificate: Certificate,
    /// All records that the state of that root holds of the subject, in order.
    pub records: Vec<EvidenceRecord>,
    /// The proof that it holds no others: of `count_key(subject)`, whose value is their number as a `u32`.
    pub count: StateProof,
}
wire_struct!(EvidenceParts { genesis, handovers, header, certificate, records, count });

impl Chain {
    /// The evidence of a subject with all its records of now; waits until a header covers them.
    ///
    /// # Errors
    /// [`ChainFault::NotFound`] without records, [`ChainFault::NoQuorum`] when no header covers them in time.
    pub async fn evidence(&self, subject: &Digest) -> Result<EvidenceParts, ChainFault> {
        let newest = self.records(subject)?.last().map(|record| record.height);
        let newest = newest.ok_or(ChainFault::NotFound("record of that subject"))?;
        self.reached(newest.saturating_add(1)).await?;
        self.stored(|ledger| ledger.evidence(subject))
    }
}

impl Ledger {
    fn evidence(&self, subject: &Digest) -> Result<EvidenceParts, ChainFault> {
        let height = self.tip()?.height;
        let block = self.header(height)?.ok_or(ChainFault::NotFound("block"))?;
        let covered = height.saturating_sub(1);
        let count = self.state.get_at(covered, &count_key(subject))?;
        let count: u32 = count.map_or(Ok(0), |count| read(&count, "count"))?;
        let records = (0..count).map(|seq| self.proven(covered, subject, seq)).collect::<Result<_, _>>()?;
        let mut handovers = self.handovers()?;
        handovers.retain(|handover| handover.epoch.first_height <= height);
        Ok(EvidenceParts {
            genesis: self.genesis.as_ref().clone(),
            handovers,
            header: block.header,
            certificate: block.certificate,
            records,
            count: self.state.proof_at(covered, &count_key(subject))?,
        })
    }

    fn proven(&self, height: Height, subject: &Digest, seq: u32) -> Result<EvidenceRecord, ChainFault> {
        let missing = || ChainFault::Damaged("a record is missing".into());
        let key = record_key(subject, seq);
        let record: Record = read(&self.state.get_at(height, &key)?.ok_or_else(missing)?, "record")?;
        let transaction = self.placed_in(record.height, &record.tx)?.transaction;
        Ok(EvidenceRecord { transaction, record, proof: self.state.proof_at(height, &key)? })
    }
}
