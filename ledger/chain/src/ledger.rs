//! What is stored: blocks, transactions and their outcomes, the records' indices; and reading it.

use std::sync::Arc;

use base_types::{Digest, Height, TimeMs};
use base_wire::{Decode, Encode, wire_struct};
use ledger_light::{Block, Certificate, Genesis, Header, Member, Transaction};
use ledger_state::State;
use ledger_store::{Batch, Durability, Store};
use ledger_vm::{genesis_changes, member_key, notary::Record};

use crate::{ChainFault, Executed};

pub(crate) const META: &str = "chain-meta";
pub(crate) const BLOCKS: &str = "chain-blocks";
pub(crate) const TRANSACTIONS: &str = "chain-transactions";
pub(crate) const SUBJECTS: &str = "chain-subjects";
pub(crate) const LOG: &str = "chain-log";
pub(crate) const EXPIRY: &str = "chain-expiry";
pub(crate) const VOTES: &str = "chain-votes";

const GENESIS: &[u8] = b"genesis";

/// The columns that the chain's store must have, the state's included.
pub const COLUMNS: [&str; 11] = {
    let [nodes, values, roots, heights] = State::COLUMNS;
    [nodes, values, roots, heights, META, BLOCKS, TRANSACTIONS, SUBJECTS, LOG, EXPIRY, VOTES]
};

/// A block as it is stored; its transactions lie under their digests.
pub(crate) struct StoredBlock {
    pub(crate) header: Header,
    pub(crate) transactions: Vec<Digest>,
    pub(crate) certificate: Certificate,
}
wire_struct!(StoredBlock { header, transactions, certificate });

/// A transaction and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Where it lies and how it ended.
    pub executed: Executed,
    /// The transaction.
    pub transaction: Transaction,
}
wire_struct!(Placed { executed, transaction });

/// The newest block, or the genesis.
#[derive(Debug, Clone)]
pub(crate) struct Tip {
    pub(crate) height: Height,
    pub(crate) digest: Digest,
    pub(crate) time: TimeMs,
    /// Root of the state after it was executed.
    pub(crate) root: Digest,
    /// How many transactions it has.
    pub(crate) transactions: usize,
}

/// The stored chain; clones share it.
#[derive(Clone)]
pub(crate) struct Ledger {
    pub(crate) store: Store,
    pub(crate) state: State,
    pub(crate) genesis: Arc<Genesis>,
    /// The genesis digest.
    pub(crate) chain: Digest,
}

pub(crate) fn read<T: Decode>(bytes: &[u8], what: &str) -> Result<T, ChainFault> {
    T::from_wire(bytes).map_err(|e| ChainFault::Damaged(format!("{what}: {e}")))
}

pub(crate) fn subject_row(subject: &Digest, seq: u32) -> Vec<u8> {
    [&subject.0[..], &seq.to_be_bytes()].concat()
}

impl Ledger {
    /// Opens the chain in a store; an empty one gets the genesis state.
    pub(crate) fn open(store: Store, genesis: Genesis) -> Result<Self, ChainFault> {
        let chain = genesis.digest();
        let state = State::open(store.clone())?;
        match store.get(META, GENESIS)? {
            Some(known) if read::<Genesis>(&known, "genesis")?.digest() != chain => {
                return Err(ChainFault::OtherGenesis);
            }
            Some(_) => {}
            None => {
                let mut batch = Batch::new();
                state.apply(0, genesis_changes(&genesis), &mut batch)?;
                batch.put(META, GENESIS, genesis.to_wire());
                store.write(batch, Durability::Synced)?;
            }
        }
        Ok(Self { store, state, genesis: Arc::new(genesis), chain })
    }

    /// The newest block.
    pub(crate) fn tip(&self) -> Result<Tip, ChainFault> {
        let (height, root) = self.state.latest()?.ok_or_else(|| ChainFault::Damaged("there is no state".into()))?;
        if height == 0 {
            return Ok(Tip { height, digest: self.chain, time: self.genesis.time, root, transactions: 0 });
        }
        let block = self.stored(height)?.ok_or_else(|| ChainFault::Damaged(format!("block {height} is missing")))?;
        let (digest, time) = (block.header.digest(), block.header.time);
        Ok(Tip { height, digest, time, root, transactions: block.transactions.len() })
    }

    pub(crate) fn stored(&self, height: Height) -> Result<Option<StoredBlock>, ChainFault> {
        let row = self.store.get(BLOCKS, &height.to_be_bytes())?;
        row.map(|row| read(&row, "block")).transpose()
    }

    /// A block and its certificate.
    pub(crate) fn block(&self, height: Height) -> Result<Option<(Block, Certificate)>, ChainFault> {
        let Some(StoredBlock { header, transactions, certificate }) = self.stored(height)? else { return Ok(None) };
        let missing = || ChainFault::Damaged(format!("a transaction of block {height} is missing"));
        let placed = transactions.iter().map(|digest| self.placed(digest)?.ok_or_else(missing));
        let transactions = placed.map(|placed| Ok(placed?.transaction)).collect::<Result<_, ChainFault>>()?;
        Ok(Some((Block { header, transactions }, certificate)))
    }

    /// An executed transaction.
    pub(crate) fn placed(&self, digest: &Digest) -> Result<Option<Placed>, ChainFault> {
        let row = self.store.get(TRANSACTIONS, &digest.0)?;
        row.map(|row| read(&row, "transaction")).transpose()
    }

    /// A subject's records in order.
    pub(crate) fn records(&self, subject: &Digest) -> Result<Vec<Record>, ChainFault> {
        let rows = self.store.rows(SUBJECTS, &subject.0, &[], usize::MAX)?;
        rows.iter().map(|(_, row)| read(row, "record")).collect()
    }

    /// Records of all subjects in the order of execution, after a cursor.
    pub(crate) fn records_after(&self, cursor: u64, limit: usize) -> Result<Vec<(u64, Record)>, ChainFault> {
        let Some(start) = cursor.checked_add(1) else { return Ok(Vec::new()) };
        let rows = self.store.rows(LOG, &[], &start.to_be_bytes(), limit)?;
        let record = |(key, row): &(Vec<u8>, Vec<u8>)| {
            let cursor = read(key, "cursor")?;
            let found = self.store.get(SUBJECTS, row)?.ok_or_else(|| ChainFault::Damaged("a record is missing".into()));
            Ok((cursor, read(&found?, "record")?))
        };
        rows.iter().map(record).collect()
    }

    /// The newest record's cursor, 0 without records.
    pub(crate) fn cursor(&self) -> Result<u64, ChainFault> {
        self.store.last(LOG)?.map_or(Ok(0), |(key, _)| read(&key, "cursor"))
    }

    /// The member of a key as of now.
    pub(crate) fn member(&self, key: &base_gm::sm2::PublicKey) -> Result<Option<Member>, ChainFault> {
        let row = self.state.get(&member_key(key))?;
        row.map(|row| read(&row, "member")).transpose()
    }

    /// The consensus log of a height, in the order of writing.
    pub(crate) fn votes<T: Decode>(&self, height: Height) -> Result<Vec<T>, ChainFault> {
        let rows = self.store.rows(VOTES, &height.to_be_bytes(), &[], usize::MAX)?;
        rows.iter().map(|(_, row)| read(row, "consensus log")).collect()
    }

    /// Appends to the consensus log of a height; on the disk when this returns.
    pub(crate) fn write_votes<T: Encode>(&self, height: Height, from: u32, records: &[T]) -> Result<(), ChainFault> {
        let mut batch = Batch::new();
        for (at, record) in (from..).zip(records) {
            batch.put(VOTES, [&height.to_be_bytes()[..], &at.to_be_bytes()].concat(), record.to_wire());
        }
        Ok(self.store.write(batch, Durability::Synced)?)
    }
}
