//! Executes a certified block and writes everything that follows from it in one batch.

use std::{cell::RefCell, collections::BTreeMap};

use base_gm::sm3::sm3;
use base_types::{Digest, Height};
use base_wire::{Decode, Encode, wire_struct};
use ledger_light::{Block, Certificate, Handover, Member, Transaction, merkle_root};
use ledger_state::State;
use ledger_store::{Batch, Durability};
use ledger_vm::{
    Address, Env, Event, Outcome, StateView, Unavailable,
    govern::{Epochs, begin_block},
    member_key,
    notary::{Entry, count_key, record_key},
    outcomes_key,
};

use crate::{
    ChainFault,
    ledger::{
        BLOCKS, Certified, HANDOVERS, HEADERS, LOG, Ledger, PLACES, Placed, SUBJECTS, TRANSACTIONS, Tip, VOTES, read,
        subject_row, transaction_row,
    },
    senders::Senders,
    spans,
};

/// What became of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed {
    /// Height of its block.
    pub height: Height,
    /// Its place in the block, from 0.
    pub index: u32,
    /// The place of its record among the subject's, from 0; `None` for what is no entry, or was refused.
    pub seq: Option<u32>,
    /// Why it changed nothing.
    pub refusal: Option<String>,
    /// Gas that it used.
    pub gas: u64,
    /// What the contract returned.
    pub output: Vec<u8>,
    /// What contracts announced.
    pub events: Vec<Event>,
    /// The contract that it made.
    pub contract: Option<Address>,
}
wire_struct!(Executed { height, index, seq, refusal, gas, output, events, contract });

impl Executed {
    /// What the state's root covers of it.
    pub fn digest(&self) -> Digest {
        sm3(&self.to_wire())
    }
}

/// Values of the state that a block's execution keeps at most: what many of its transactions read is read once.
const MAX_READ: usize = 4096;

/// The state with the changes that the block made so far.
pub(crate) struct Overlay<'a> {
    pub(crate) state: &'a State,
    /// Height and root of the state's newest version.
    newest: (Height, Digest),
    pub(crate) changes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    read: RefCell<BTreeMap<Vec<u8>, Option<Vec<u8>>>>,
}

impl<'a> Overlay<'a> {
    pub(crate) fn new(state: &'a State, newest: (Height, Digest)) -> Self {
        Self { state, newest, changes: BTreeMap::new(), read: RefCell::default() }
    }
}

impl StateView for Overlay<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Unavailable> {
        if let Some(value) = self.changes.get(key) {
            return Ok(value.clone());
        }
        if let Some(value) = self.read.borrow().get(key) {
            return Ok(value.clone());
        }
        let value = self.state.get_to_follow(self.newest, key).map_err(|e| Unavailable(e.to_string()))?;
        let mut read = self.read.borrow_mut();
        if read.len() < MAX_READ {
            read.insert(key.to_vec(), value.clone());
        }
        Ok(value)
    }
}

impl From<Unavailable> for ChainFault {
    fn from(error: Unavailable) -> Self {
        Self::Damaged(error.0)
    }
}

/// A block being executed.
struct Execution<'a> {
    ledger: &'a Ledger,
    block: &'a Block,
    overlay: Overlay<'a>,
    batch: Batch,
    cursor: u64,
}

impl Ledger {
    /// Executes the block that follows the tip, whose transactions have these digests. On the disk when this returns; on
    /// an error nothing of it is.
    pub(crate) fn execute(
        &self,
        tip: &Tip,
        block: &Block,
        digests: &[Digest],
        certificate: &Certificate,
    ) -> Result<(Tip, Vec<(Digest, Executed)>), ChainFault> {
        let height = block.header.height;
        let overlay = Overlay::new(&self.state, (tip.height, tip.root));
        let mut execution = Execution { ledger: self, block, overlay, batch: Batch::new(), cursor: self.cursor()? };
        let begun = begin_block(&execution.overlay, height)?;
        execution.overlay.changes.extend(begun);
        let mut done = Vec::with_capacity(digests.len());
        for ((index, transaction), digest) in (0u32..).zip(&block.transactions).zip(digests) {
            done.push((*digest, execution.one(index, transaction, *digest)?));
        }
        let outcomes: Vec<Digest> = done.iter().map(|(_, executed)| executed.digest()).collect();
        let Execution { mut overlay, mut batch, .. } = execution;
        overlay.changes.insert(outcomes_key(), Some(merkle_root(&outcomes).to_wire()));
        let epochs = Epochs::read(&overlay)?;
        let concerned = overlay.changes.keys().any(|key| Senders::concerns(key));
        let root = self.state.apply(height, overlay.changes.into_iter().collect(), &mut batch)?;
        let (header, certificate) = (block.header.clone(), certificate.clone());
        if header.next_epoch != header.epoch {
            // The block was checked against this tip, so its next epoch is the one that the tip knows.
            let epoch = tip.epoch_after().clone();
            let number = epoch.number.to_be_bytes();
            let handover = Handover { header: header.clone(), certificate: certificate.clone(), epoch };
            batch.put(HANDOVERS, number, handover.to_wire());
        }
        let transactions = u32::try_from(digests.len()).unwrap_or(u32::MAX);
        batch.put(HEADERS, height.to_be_bytes(), Certified { header, certificate, transactions }.to_wire());
        batch.put(BLOCKS, height.to_be_bytes(), digests.to_vec().to_wire());
        self.forget_votes(height, &mut batch)?;
        self.prune(height, &mut batch)?;
        // Before, so that nobody keeps what is read now; after, so that nobody keeps what was read meanwhile.
        if concerned {
            self.senders.forget();
        }
        let span = spans::store(height, batch.len());
        self.store.write(batch, Durability::Synced)?;
        drop(span);
        if concerned {
            self.senders.forget();
        }
        let (digest, time) = (block.header.digest(), block.header.time);
        Ok((Tip { height, digest, time, root, transactions: done.len(), epochs }, done))
    }

    /// The consensus log of a stored height is no longer needed.
    fn forget_votes(&self, height: Height, batch: &mut Batch) -> Result<(), ChainFault> {
        for (row, _) in self.store.rows(VOTES, &height.to_be_bytes(), &[], usize::MAX)? {
            batch.delete(VOTES, row);
        }
        Ok(())
    }
}

impl Execution<'_> {
    /// Executes one transaction and puts what became of it into the batch.
    fn one(&mut self, index: u32, transaction: &Transaction, digest: Digest) -> Result<Executed, ChainFault> {
        let Outcome { refusal, gas, output, events, contract, changes, entry } = self.run(transaction, digest)?;
        self.overlay.changes.extend(changes);
        let mut seq = None;
        if refusal.is_none() && entry {
            self.cursor = self.cursor.saturating_add(1);
            seq = self.index_record(transaction)?;
        }
        let height = self.block.header.height;
        let executed = Executed { height, index, seq, refusal, gas, output, events, contract };
        let placed = Placed { executed, transaction: transaction.clone() };
        let row = transaction_row(height, index);
        self.batch.put(PLACES, digest.0, row);
        self.batch.put(TRANSACTIONS, row, placed.to_wire());
        Ok(placed.executed)
    }

    fn run(&self, transaction: &Transaction, tx: Digest) -> Result<Outcome, ChainFault> {
        let member = match self.overlay.changes.get(&member_key(&transaction.sender)) {
            Some(row) => row.as_deref().map(|row| read::<Member>(row, "member")).transpose()?,
            None => self.ledger.senders.find(&self.ledger.state, &transaction.sender)?.member,
        };
        let Some(sender) = member else {
            let refusal = Some("the sender is not a member".to_owned());
            return Ok(Outcome { refusal, ..Outcome::default() });
        };
        let header = &self.block.header;
        let env = Env { chain: header.chain, height: header.height, time: header.time, tx, sender };
        Ok(self.ledger.machines.execute(&self.overlay, &env, &transaction.payload)?)
    }

    /// Puts the record that a transaction made into the indices; answers with its place.
    fn index_record(&mut self, transaction: &Transaction) -> Result<Option<u32>, ChainFault> {
        let missing = || ChainFault::Damaged("an executed entry has no record".into());
        let subject = read::<Entry>(&transaction.payload, "entry")?.subject;
        let count = self.overlay.get(&count_key(&subject))?.ok_or_else(missing)?;
        let seq = u32::from_wire(&count).ok().and_then(|count| count.checked_sub(1)).ok_or_else(missing)?;
        let record = self.overlay.get(&record_key(&subject, seq))?.ok_or_else(missing)?;
        self.batch.put(SUBJECTS, subject_row(&subject, seq), record);
        self.batch.put(LOG, self.cursor.to_be_bytes(), subject_row(&subject, seq));
        Ok(Some(seq))
    }
}
