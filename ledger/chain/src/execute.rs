//! Executes a certified block and writes everything that follows from it in one batch.

use std::collections::BTreeMap;

use base_types::{Digest, Height};
use base_wire::{Decode, Encode, wire_struct};
use ledger_light::{Block, Certificate, Member, Transaction};
use ledger_state::State;
use ledger_store::{Batch, Durability};
use ledger_vm::{
    Env, Native, StateView, Stop, Unavailable, executed_key, member_key,
    notary::{Entry, count_key, record_key},
};

use crate::{
    ChainFault,
    ledger::{BLOCKS, EXPIRY, LOG, Ledger, Placed, SUBJECTS, StoredBlock, TRANSACTIONS, Tip, VOTES, read, subject_row},
};

/// What became of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed {
    /// Height of its block.
    pub height: Height,
    /// Its place in the block, from 0.
    pub index: u32,
    /// The place of its record among the subject's, from 0; `None` when it was refused.
    pub seq: Option<u32>,
    /// Why it changed nothing.
    pub refusal: Option<String>,
}
wire_struct!(Executed { height, index, seq, refusal });

/// The state with the changes that the block made so far.
struct Overlay<'a> {
    state: &'a State,
    changes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl StateView for Overlay<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Unavailable> {
        match self.changes.get(key) {
            Some(value) => Ok(value.clone()),
            None => self.state.get(key).map_err(|e| Unavailable(e.to_string())),
        }
    }
}

impl From<Unavailable> for ChainFault {
    fn from(error: Unavailable) -> Self {
        Self::Damaged(error.0)
    }
}

impl Ledger {
    /// Executes the block that follows the tip. On the disk when this returns; on an error nothing of it is.
    pub(crate) fn execute(
        &self,
        native: &dyn Native,
        block: &Block,
        certificate: &Certificate,
    ) -> Result<(Tip, Vec<(Digest, Executed)>), ChainFault> {
        let height = block.header.height;
        let mut batch = Batch::new();
        let mut overlay = Overlay { state: &self.state, changes: BTreeMap::new() };
        self.forget_expired(height, &mut overlay, &mut batch)?;
        let mut cursor = self.cursor()?;
        let mut done = Vec::new();
        for (index, transaction) in (0u32..).zip(&block.transactions) {
            let digest = transaction.digest();
            let refusal = run(native, &mut overlay, block, transaction, digest)?;
            let mut executed = Executed { height, index, seq: None, refusal };
            if executed.refusal.is_none() {
                cursor = cursor.saturating_add(1);
                executed.seq = index_record(&overlay, transaction, cursor, &mut batch)?;
            }
            overlay.changes.insert(executed_key(&digest), Some(height.to_wire()));
            batch.put(EXPIRY, expiry_row(transaction.valid_until, &digest), Vec::new());
            let placed = Placed { executed: executed.clone(), transaction: transaction.clone() };
            batch.put(TRANSACTIONS, digest.0, placed.to_wire());
            done.push((digest, executed));
        }
        let root = self.state.apply(height, overlay.changes.into_iter().collect(), &mut batch)?;
        let transactions: Vec<Digest> = done.iter().map(|(digest, _)| *digest).collect();
        let stored = StoredBlock { header: block.header.clone(), transactions, certificate: certificate.clone() };
        batch.put(BLOCKS, height.to_be_bytes(), stored.to_wire());
        self.forget_votes(height, &mut batch)?;
        self.store.write(batch, Durability::Synced)?;
        let (digest, time) = (block.header.digest(), block.header.time);
        Ok((Tip { height, digest, time, root, transactions: done.len() }, done))
    }

    /// Transactions whose last height has passed cannot come again, so their digests leave the state.
    fn forget_expired(&self, height: Height, overlay: &mut Overlay<'_>, batch: &mut Batch) -> Result<(), ChainFault> {
        let passed = height.saturating_sub(1).to_be_bytes();
        for (row, _) in self.store.rows(EXPIRY, &passed, &[], usize::MAX)? {
            let (_, digest) = read::<(Height, Digest)>(&row, "expiry")?;
            overlay.changes.insert(executed_key(&digest), None);
            batch.delete(EXPIRY, row);
        }
        Ok(())
    }

    /// The consensus log of stored heights is no longer needed.
    fn forget_votes(&self, height: Height, batch: &mut Batch) -> Result<(), ChainFault> {
        let next = height.saturating_add(1).to_be_bytes();
        for (row, _) in self.store.rows(VOTES, &[], &[], usize::MAX)? {
            if row.as_slice() < &next[..] {
                batch.delete(VOTES, row);
            }
        }
        Ok(())
    }
}

fn expiry_row(valid_until: Height, digest: &Digest) -> Vec<u8> {
    (valid_until, *digest).to_wire()
}

/// Runs one transaction; answers with the refusal, if any.
fn run(
    native: &dyn Native,
    overlay: &mut Overlay<'_>,
    block: &Block,
    transaction: &Transaction,
    tx: Digest,
) -> Result<Option<String>, ChainFault> {
    let Some(sender) = overlay.get(&member_key(&transaction.sender))? else {
        return Ok(Some("the sender is not a member".into()));
    };
    let sender: Member = read(&sender, "member")?;
    let env = Env { height: block.header.height, time: block.header.time, tx, sender };
    match native.execute(overlay, &env, &transaction.payload) {
        Ok(changes) => {
            overlay.changes.extend(changes);
            Ok(None)
        }
        Err(Stop::Refused(why)) => Ok(Some(why.to_string())),
        Err(Stop::Unavailable(why)) => Err(why.into()),
    }
}

/// Puts the record that a transaction made into the indices; answers with its place.
fn index_record(
    overlay: &Overlay<'_>,
    transaction: &Transaction,
    cursor: u64,
    batch: &mut Batch,
) -> Result<Option<u32>, ChainFault> {
    let missing = || ChainFault::Damaged("an executed entry has no record".into());
    let subject = read::<Entry>(&transaction.payload, "entry")?.subject;
    let count = overlay.get(&count_key(&subject))?.ok_or_else(missing)?;
    let seq = u32::from_wire(&count).ok().and_then(|count| count.checked_sub(1)).ok_or_else(missing)?;
    let record = overlay.get(&record_key(&subject, seq))?.ok_or_else(missing)?;
    batch.put(SUBJECTS, subject_row(&subject, seq), record);
    batch.put(LOG, cursor.to_be_bytes(), subject_row(&subject, seq));
    Ok(Some(seq))
}
