//! What is stored: blocks, transactions and their outcomes, the records' indices; and reading it.

use std::sync::Arc;

use base_types::{Digest, Height, TimeMs};
use base_wire::{Decode, Encode, wire_struct};
use ledger_consensus::WalRecord;
use ledger_light::{Block, Certificate, Epoch, Genesis, Handover, Header, Member, Transaction};
use ledger_state::State;
use ledger_store::{Batch, Durability, Store};
use ledger_vm::{Machines, StateView, Unavailable, genesis_changes, govern::Epochs, member_key, notary::Record};

use crate::{
    ChainFault, Executed, Options,
    history::{PARTIAL, clear_all, is_partial},
    senders::Senders,
};

pub(crate) const META: &str = "chain-meta";
pub(crate) const HEADERS: &str = "chain-headers";
pub(crate) const BLOCKS: &str = "chain-blocks";
/// Height, place in the block → transaction and what became of it. In the order of writing: tables of later blocks follow
/// those of earlier ones and need not be merged.
pub(crate) const TRANSACTIONS: &str = "chain-transactions";
/// Digest → the key of its row in [`TRANSACTIONS`].
pub(crate) const PLACES: &str = "chain-places";
pub(crate) const SUBJECTS: &str = "chain-subjects";
pub(crate) const LOG: &str = "chain-log";
pub(crate) const HANDOVERS: &str = "chain-handovers";
pub(crate) const VOTES: &str = "chain-votes";

pub(crate) const GENESIS: &[u8] = b"genesis";

/// The columns that the chain's store must have, the state's included.
pub const COLUMNS: [&str; 17] = {
    let [nodes, latest, history, stale, roots, heights, meta, old] = State::COLUMNS;
    [
        nodes,
        latest,
        history,
        stale,
        roots,
        heights,
        meta,
        META,
        HEADERS,
        BLOCKS,
        TRANSACTIONS,
        SUBJECTS,
        LOG,
        HANDOVERS,
        VOTES,
        PLACES,
        old,
    ]
};

/// Bytes of a row of [`PLACES`] that says no more than at which height the transaction was executed; any other is longer.
pub(crate) const BARE: usize = size_of::<Height>();

/// A header as it is stored; the block's transactions lie under their digests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certified {
    /// The header.
    pub header: Header,
    /// Its certificate.
    pub certificate: Certificate,
    /// How many transactions its block has.
    pub transactions: u32,
}
wire_struct!(Certified { header, certificate, transactions });

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
    /// The epochs that the state after it knows.
    pub(crate) epochs: Epochs,
}

impl Tip {
    /// The height that follows.
    pub(crate) fn next(&self) -> Height {
        self.height.saturating_add(1)
    }
    /// The epoch in force at the height that follows.
    pub(crate) fn epoch(&self) -> &Epoch {
        self.epochs.at(self.next())
    }
    /// The epoch in force at the height after that.
    pub(crate) fn epoch_after(&self) -> &Epoch {
        self.epochs.at(self.next().saturating_add(1))
    }
}

/// The state after the block of a height, as machines read it: one state for all that they read, also while the next
/// block is being written.
pub(crate) struct View<'a> {
    pub(crate) state: &'a State,
    pub(crate) height: Height,
}

impl StateView for View<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Unavailable> {
        self.state.get_at(self.height, key).map_err(|e| Unavailable(e.to_string()))
    }
}

/// The stored chain; clones share it.
#[derive(Clone)]
pub(crate) struct Ledger {
    pub(crate) store: Store,
    pub(crate) state: State,
    pub(crate) genesis: Arc<Genesis>,
    /// The genesis digest.
    pub(crate) chain: Digest,
    /// What executes transactions.
    pub(crate) machines: Arc<Machines>,
    /// Who sends.
    pub(crate) senders: Arc<Senders>,
    pub(crate) options: Arc<Options>,
}

pub(crate) fn read<T: Decode>(bytes: &[u8], what: &str) -> Result<T, ChainFault> {
    T::from_wire(bytes).map_err(|e| ChainFault::Damaged(format!("{what}: {e}")))
}

/// The key of a transaction's row: all of a block's stand together, in their order.
pub(crate) fn transaction_row(height: Height, index: u32) -> [u8; 12] {
    let mut row = [0; 12];
    row[..8].copy_from_slice(&height.to_be_bytes());
    row[8..].copy_from_slice(&index.to_be_bytes());
    row
}

pub(crate) fn subject_row(subject: &Digest, seq: u32) -> Vec<u8> {
    [&subject.0[..], &seq.to_be_bytes()].concat()
}

/// Of a transaction no more is known than that it was executed.
pub(crate) fn bare() -> ChainFault {
    ChainFault::NotFound("contents of that transaction any more")
}

impl Ledger {
    /// Opens the chain in a store; an empty one gets the genesis state, and so does one in which a state was being taken
    /// over.
    pub(crate) fn open(store: Store, genesis: Genesis, options: Options) -> Result<Self, ChainFault> {
        let chain = genesis.digest();
        let known = store.get(META, GENESIS)?;
        if let Some(known) = &known
            && read::<Genesis>(known, "genesis")?.digest() != chain
        {
            return Err(ChainFault::OtherGenesis);
        }
        let partial = is_partial(&store)?;
        if partial {
            clear_all(&store)?;
        }
        let state = State::open_with(store.clone(), options.state())?;
        if known.is_none() || partial {
            let mut batch = Batch::new();
            state.apply(0, genesis_changes(&genesis), &mut batch)?;
            batch.put(META, GENESIS, genesis.to_wire());
            batch.delete(META, PARTIAL);
            store.write(batch, Durability::Synced)?;
        }
        let machines = Arc::new(Machines::new()?);
        let (genesis, options, senders) = (Arc::new(genesis), Arc::new(options), Arc::default());
        Ok(Self { store, state, genesis, chain, machines, senders, options })
    }

    /// The newest block. All that is said of it is read as of its height, whatever is written meanwhile.
    pub(crate) fn tip(&self) -> Result<Tip, ChainFault> {
        let (height, root) = self.state.latest()?.ok_or_else(|| ChainFault::Damaged("there is no state".into()))?;
        let epochs = Epochs::read(&View { state: &self.state, height })?;
        if height == 0 {
            return Ok(Tip { height, digest: self.chain, time: self.genesis.time, root, transactions: 0, epochs });
        }
        let newest = self.header(height)?.ok_or_else(|| ChainFault::Damaged(format!("block {height} is missing")))?;
        let (digest, time) = (newest.header.digest(), newest.header.time);
        Ok(Tip { height, digest, time, root, transactions: newest.transactions as usize, epochs })
    }

    /// A header and its certificate.
    pub(crate) fn header(&self, height: Height) -> Result<Option<Certified>, ChainFault> {
        let row = self.store.get(HEADERS, &height.to_be_bytes())?;
        row.map(|row| read(&row, "header")).transpose()
    }

    /// The digests of a block's transactions, in order.
    pub(crate) fn contents(&self, height: Height) -> Result<Option<Vec<Digest>>, ChainFault> {
        if height < self.first_listed()? {
            return Ok(None);
        }
        let row = self.store.get(BLOCKS, &height.to_be_bytes())?;
        row.map(|row| read(&row, "block")).transpose()
    }

    /// A block and its certificate.
    pub(crate) fn block(&self, height: Height) -> Result<Option<(Block, Certificate)>, ChainFault> {
        let Some(Certified { header, certificate, transactions }) = self.header(height)? else {
            return self.absent(height);
        };
        // Some of its rows may still be there.
        if height < self.first_listed()? {
            return self.absent(height);
        }
        let rows = self.store.rows(TRANSACTIONS, &height.to_be_bytes(), &[], usize::MAX)?;
        if rows.len() != transactions as usize {
            return Err(self.lacking(height)?);
        }
        let transaction = |(_, row): &(Vec<u8>, Vec<u8>)| Ok(read::<Placed>(row, "transaction")?.transaction);
        let transactions = rows.iter().map(transaction).collect::<Result<_, ChainFault>>()?;
        Ok(Some((Block { header, transactions }, certificate)))
    }

    /// An executed transaction.
    ///
    /// # Errors
    /// [`ChainFault::NotFound`] for one that was executed, but of which nothing else is known here.
    pub(crate) fn placed(&self, digest: &Digest) -> Result<Option<Placed>, ChainFault> {
        let Some(place) = self.store.get(PLACES, &digest.0)? else { return Ok(None) };
        if place.len() == BARE {
            return Err(bare());
        }
        match self.store.get(TRANSACTIONS, &place)? {
            Some(row) => read(&row, "transaction").map(Some),
            // Its block may have been pruned between the two looks.
            None if self.store.get(PLACES, &digest.0)?.is_none() => Ok(None),
            None => Err(ChainFault::Damaged("a transaction is missing".into())),
        }
    }

    /// Whether a transaction was executed.
    pub(crate) fn is_placed(&self, digest: &Digest) -> Result<bool, ChainFault> {
        Ok(self.store.get(PLACES, &digest.0)?.is_some())
    }

    /// The handovers from the genesis' epoch to the newest, in order.
    pub(crate) fn handovers(&self) -> Result<Vec<Handover>, ChainFault> {
        let rows = self.store.rows(HANDOVERS, &[], &[], usize::MAX)?;
        rows.iter().map(|(_, row)| read(row, "handover")).collect()
    }

    /// A subject's records in order.
    pub(crate) fn records(&self, subject: &Digest) -> Result<Vec<Record>, ChainFault> {
        if self.began()?.is_some() {
            // The index begins later than the state does.
            return self.records_of_state(subject);
        }
        let rows = self.store.rows(SUBJECTS, &subject.0, &[], usize::MAX)?;
        rows.iter().map(|(_, row)| read(row, "record")).collect()
    }

    /// Records of all subjects in the order of execution, after a cursor.
    pub(crate) fn records_after(&self, cursor: u64, limit: usize) -> Result<Vec<(u64, Record)>, ChainFault> {
        if self.began()?.is_some() {
            return Err(ChainFault::NotFound("records of all subjects: it was not here from the beginning"));
        }
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

    /// Puts these records in place of all that the consensus log keeps beyond a height; on the disk when this returns.
    pub(crate) fn keep_votes(&self, records: &[WalRecord]) -> Result<(), ChainFault> {
        let (kept, mut batch) = (WalRecord::KEPT.to_be_bytes(), Batch::new());
        let row = |at: u32| [&kept[..], &at.to_be_bytes()].concat();
        for (old, _) in self.store.rows(VOTES, &kept, &[], usize::MAX)?.iter().skip(records.len()) {
            batch.delete(VOTES, old.clone());
        }
        for (at, record) in (0u32..).zip(records) {
            batch.put(VOTES, row(at), record.to_wire());
        }
        Ok(self.store.write(batch, Durability::Synced)?)
    }

    /// Writes records of the consensus log, each with its height and its place there; on the disk when this returns.
    pub(crate) fn write_votes(&self, records: &[(Height, u32, &WalRecord)]) -> Result<(), ChainFault> {
        let mut batch = Batch::new();
        for (height, at, record) in records {
            batch.put(VOTES, [&height.to_be_bytes()[..], &at.to_be_bytes()].concat(), record.to_wire());
        }
        Ok(self.store.write(batch, Durability::Synced)?)
    }
}

#[cfg(test)]
mod tests {
    use base_types::OrgId;
    use ledger_light::BFT;
    use ledger_vm::govern::{next_epoch_key, now_epoch_key};

    use super::*;

    fn epoch(number: u64) -> Epoch {
        Epoch { number, engine: BFT, first_height: number + 1, validators: vec![], interval_ms: 50 }
    }

    /// The block of a height that begins the epoch of its number.
    fn write(ledger: &Ledger, height: Height) {
        let (time, proposer) = (height, OrgId::new("a").expect("a name"));
        let [parent, transactions_root, state_root, epoch, next_epoch] = [Digest::default(); 5];
        let chain = ledger.chain;
        let header = Header {
            version: 1,
            chain,
            height,
            parent,
            time,
            proposer,
            transactions_root,
            state_root,
            epoch,
            next_epoch,
        };
        let certificate = Certificate { height, round: 0, block: header.digest(), signatures: vec![] };
        let (now, next) = (self::epoch(height).to_wire(), self::epoch(height + 1).to_wire());
        let mut batch = Batch::new();
        let changes = vec![(now_epoch_key(), Some(now)), (next_epoch_key(), Some(next))];
        ledger.state.apply(height, changes, &mut batch).expect("applied");
        batch.put(HEADERS, height.to_be_bytes(), Certified { header, certificate, transactions: 0 }.to_wire());
        ledger.store.write(batch, Durability::Buffered).expect("written");
    }

    #[test]
    fn the_newest_block_is_read_as_of_its_height_while_the_next_is_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), &COLUMNS).expect("a store");
        let genesis = Genesis { name: "test".into(), time: 1, organisations: vec![], members: vec![], epoch: epoch(0) };
        let ledger = Ledger::open(store, genesis, Options::default()).expect("opened");
        // It writes until enough was read: on a busy machine this thread may have to wait meanwhile.
        let (writer, reading) = (ledger.clone(), Arc::new(()));
        let (wanted, mut reading) = (Arc::downgrade(&reading), Some(reading));
        let more = move |height: &Height| *height <= 2000 || wanted.strong_count() > 0;
        let writing = std::thread::spawn(move || (1..).take_while(more).for_each(|height| write(&writer, height)));
        let mut seen = 0;
        while !writing.is_finished() {
            let tip = ledger.tip().expect("a tip");
            assert_eq!(tip.epochs.now.number, tip.height);
            assert_eq!(tip.epochs.next.map_or(tip.height + 1, |next| next.number), tip.height + 1);
            seen += u64::from(tip.height > seen);
            if seen > 10 {
                drop(reading.take());
            }
        }
        writing.join().expect("written");
        assert!(seen > 10, "{seen} looks fell between two blocks");
    }

    #[test]
    fn columns_whose_tables_are_moved_are_the_chains() {
        assert!(ledger_store::MOVED.iter().all(|(name, _)| COLUMNS.contains(name)));
        let [nodes, .., old] = State::COLUMNS;
        assert!([nodes, old, BLOCKS, TRANSACTIONS].iter().all(|name| ledger_store::MOVED.iter().any(|m| m.0 == *name)));
    }
}
