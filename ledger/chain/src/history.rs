//! What a node no longer has, or never had: where its blocks begin, pruning them, and forgetting a whole chain.

use base_types::{Digest, Height};
use base_wire::Encode;
use ledger_store::{Batch, Durability, Store};
use ledger_vm::notary::{Record, count_key, record_key};

use crate::{
    COLUMNS, Chain, ChainFault,
    check::{MAX_BLOCK_TRANSACTIONS, MAX_LIFE},
    ledger::{BLOCKS, Ledger, META, PLACES, Placed, TRANSACTIONS, VOTES, read},
    options::History,
};

/// The row of [`META`] with the height of the state that was taken over; absent where the genesis' was the first.
pub(crate) const BEGAN: &[u8] = b"began";
/// The row of [`META`] with the first height whose transactions' digests lie here; 1 without it.
pub(crate) const FIRST: &[u8] = b"first-block";
/// The row of [`META`] that stands while a state is being taken over: nothing but the votes counts then.
pub(crate) const PARTIAL: &[u8] = b"partial";

/// Rows of the state that one block prunes at most, about, and looks at. A full block writes some 23,000 branches among 10^7
/// keys, and to let them go takes more than twice as much: what they lie among is looked at, and their lists are read a few
/// times.
const STATE_WORK: usize = 65_536;
/// Blocks that one block prunes at most.
const BLOCKS_WORK: u64 = 64;
/// Heights after which whole tables of blocks are dropped.
const DROP_EVERY: Height = 64;
/// Transactions after which no further block is pruned.
const TRANSACTIONS_WORK: usize = 2 * MAX_BLOCK_TRANSACTIONS;
/// Rows that are removed at once.
const PAGE: usize = 4096;

/// The first height whose transactions must be known at the height after `last`: one that was executed below it has
/// expired by then.
pub(crate) fn first_needed(last: Height) -> Height {
    last.saturating_add(1).saturating_sub(MAX_LIFE).max(1)
}

/// Whether a state was being taken over when the program ended.
pub(crate) fn is_partial(store: &Store) -> Result<bool, ChainFault> {
    Ok(store.get(META, PARTIAL)?.is_some())
}

/// Removes everything but the votes, the genesis, and that the store is partial.
pub(crate) fn clear_all(store: &Store) -> Result<(), ChainFault> {
    for column in COLUMNS.into_iter().filter(|column| ![META, VOTES].contains(column)) {
        let mut from = Vec::new();
        loop {
            let page = store.rows(column, &[], &from, PAGE)?;
            let Some((last, _)) = page.last() else { break };
            // Each page begins behind the last, or it would scan all removals before it.
            from.clone_from(last);
            from.push(0);
            let mut batch = Batch::new();
            for (key, _) in page {
                batch.delete(column, key);
            }
            store.write(batch, Durability::Buffered)?;
        }
    }
    let mut batch = Batch::new();
    batch.delete(META, BEGAN);
    batch.delete(META, FIRST);
    Ok(store.write(batch, Durability::Buffered)?)
}

impl Ledger {
    fn height_row(&self, row: &[u8]) -> Result<Option<Height>, ChainFault> {
        self.store.get(META, row)?.map(|height| read(&height, "height")).transpose()
    }

    /// The height of the state that was taken over, `None` where every block was executed here.
    pub(crate) fn began(&self) -> Result<Option<Height>, ChainFault> {
        self.height_row(BEGAN)
    }

    /// The first height whose transactions' digests are here; of those before it, rows may or may not have gone.
    pub(crate) fn first_listed(&self) -> Result<Height, ChainFault> {
        Ok(self.height_row(FIRST)?.unwrap_or(1))
    }

    /// The first height whose block is whole here.
    pub(crate) fn first_whole(&self) -> Result<Height, ChainFault> {
        let after = self.began()?.map_or(1, |height| height.saturating_add(1));
        Ok(self.first_listed()?.max(after))
    }

    /// What stands for something of a block that is not here: nothing if the block is still to come.
    pub(crate) fn absent<T>(&self, height: Height) -> Result<Option<T>, ChainFault> {
        if height > 0 && height < self.first_whole()? {
            return Err(ChainFault::NotFound("block of that height any more"));
        }
        Ok(None)
    }

    /// A transaction that the block of a height has.
    ///
    /// # Errors
    /// [`ChainFault::NotFound`] when the block is kept no longer.
    pub(crate) fn placed_in(&self, height: Height, digest: &Digest) -> Result<Placed, ChainFault> {
        match self.placed(digest) {
            Ok(Some(placed)) => Ok(placed),
            Ok(None) => Err(self.lacking(height)?),
            Err(ChainFault::NotFound(_)) if height < self.first_whole()? => Err(self.lacking(height)?),
            Err(fault) => Err(fault),
        }
    }

    /// Why a transaction of a stored block is not here.
    pub(crate) fn lacking(&self, height: Height) -> Result<ChainFault, ChainFault> {
        Ok(if height < self.first_whole()? {
            ChainFault::NotFound("block of that height any more")
        } else {
            ChainFault::Damaged(format!("a transaction of block {height} is missing"))
        })
    }

    /// The digests of a block's transactions; none of one that is still to come.
    pub(crate) fn contents_so_far(&self, height: Height) -> Result<Vec<Digest>, ChainFault> {
        let contents = match self.contents(height)? {
            Some(contents) => Some(contents),
            None => self.absent(height)?,
        };
        Ok(contents.unwrap_or_default())
    }

    /// A subject's records as the newest state holds them.
    pub(crate) fn records_of_state(&self, subject: &Digest) -> Result<Vec<Record>, ChainFault> {
        let count = self.state.get(&count_key(subject))?;
        let count: u32 = count.map_or(Ok(0), |count| read(&count, "count"))?;
        let missing = || ChainFault::Damaged("a record is missing".into());
        let record = |seq| read(&self.state.get(&record_key(subject, seq))?.ok_or_else(missing)?, "record");
        (0..count).map(record).collect()
    }

    /// Puts into the batch of the block of `height` the removal of what a pruned node keeps no longer: a bounded piece of
    /// it, so that a node that begins to prune goes on block by block.
    pub(crate) fn prune(&self, height: Height, batch: &mut Batch) -> Result<(), ChainFault> {
        if self.options.history == History::All {
            return Ok(());
        }
        self.state.prune(STATE_WORK, batch)?;
        self.prune_blocks(height, batch)
    }

    /// Headers stay: they are small, and whoever verifies from the genesis needs them. Blocks and transactions lie in the
    /// order of heights: that they begin later is all that is written, and their tables go as wholes.
    fn prune_blocks(&self, height: Height, batch: &mut Batch) -> Result<(), ChainFault> {
        let Some(kept) = self.options.first_block(height) else { return Ok(()) };
        let first = self.first_listed()?;
        let end = kept.min(first.saturating_add(BLOCKS_WORK));
        let (mut at, mut removed) = (first, 0usize);
        while at < end && removed < TRANSACTIONS_WORK {
            for digest in self.contents(at)?.unwrap_or_default() {
                batch.delete(PLACES, digest.0);
                removed = removed.saturating_add(1);
            }
            at = at.saturating_add(1);
        }
        if at / DROP_EVERY != first / DROP_EVERY {
            // What storage says already: this batch may never be written.
            let last = [&first.saturating_sub(1).to_be_bytes()[..], &[0xffu8; 4]].concat();
            self.store.drop_tables(TRANSACTIONS, &last)?;
            self.store.drop_tables(BLOCKS, &last)?;
        }
        if at > first {
            batch.put(META, FIRST, at.to_wire());
        }
        Ok(())
    }
}

impl Chain {
    /// The first height whose block is whole here: 1 on a node that has everything since the genesis.
    ///
    /// # Errors
    /// [`ChainFault`] when storage cannot be read.
    pub fn first_block(&self) -> Result<Height, ChainFault> {
        self.stored(Ledger::first_whole)
    }

    /// The oldest height whose state can be read.
    ///
    /// # Errors
    /// [`ChainFault`] when storage cannot be read.
    pub fn first_state(&self) -> Result<Height, ChainFault> {
        self.stored(|ledger| Ok(ledger.state.oldest()?))
    }
}

#[cfg(test)]
mod tests {
    use base_gm::{sm2::SecretKey, sm3::sm3};
    use base_types::OrgId;
    use ledger_light::{BFT, Epoch, Genesis, Validator};

    use super::*;
    use crate::{Options, ledger::BARE};

    fn genesis() -> Genesis {
        let org = OrgId::new("audit").expect("name");
        let validators = vec![Validator { org, key: SecretKey::from_seed(b"audit").public() }];
        let epoch = Epoch { number: 0, engine: BFT, first_height: 1, validators, interval_ms: 50 };
        Genesis { name: "test".into(), time: 1, organisations: vec![], members: vec![], epoch }
    }

    fn ledger(folder: &std::path::Path, keep: u64) -> Ledger {
        let store = Store::open(folder, &COLUMNS).expect("store");
        let options = Options { history: History::Pruned { keep }, ..Options::default() };
        Ledger::open(store, genesis(), options).expect("opened")
    }

    fn digest(height: Height) -> Digest {
        sm3(&height.to_be_bytes())
    }

    /// Rows of blocks with one transaction each, of which no more is known than that it was executed.
    fn fill(ledger: &Ledger, heights: std::ops::RangeInclusive<Height>) {
        let mut batch = Batch::new();
        for height in heights {
            batch.put(BLOCKS, height.to_be_bytes(), vec![digest(height)].to_wire());
            batch.put(PLACES, digest(height).0, height.to_wire());
        }
        ledger.store.write(batch, Durability::Buffered).expect("written");
    }

    fn pruned(ledger: &Ledger, height: Height) -> usize {
        let mut batch = Batch::new();
        ledger.prune(height, &mut batch).expect("pruned");
        let size = batch.len();
        ledger.store.write(batch, Durability::Buffered).expect("written");
        size
    }

    #[test]
    fn blocks_are_pruned_piece_by_piece_and_no_transaction_is_forgotten_while_it_could_be_executed_again() {
        let folder = tempfile::tempdir().expect("folder");
        let newest = MAX_LIFE + 1500;
        {
            let ledger = ledger(folder.path(), 10);
            fill(&ledger, 1..=newest);
            assert!(pruned(&ledger, newest) <= 3 * BLOCKS_WORK as usize + 1, "one block does a piece of it");
            assert_eq!(ledger.first_whole(), Ok(BLOCKS_WORK + 1));
        }
        // It goes on where it was, also after a new start.
        let ledger = ledger(folder.path(), 10);
        while pruned(&ledger, newest) > 0 {}
        assert!(ledger.store.get(BLOCKS, &9u64.to_be_bytes()).expect("read").is_some(), "no removal was written");
        let first = ledger.first_whole().expect("read");
        assert_eq!(first, newest + 1 - (MAX_LIFE + 1000));
        assert!(first <= first_needed(newest));
        for height in 1..=newest {
            let kept = height >= first;
            assert_eq!(ledger.is_placed(&digest(height)), Ok(kept), "{height}");
            assert_eq!(ledger.contents(height).expect("read").is_some(), kept, "{height}");
        }
        assert_eq!(ledger.block(5), Err(ChainFault::NotFound("block of that height any more")));
        assert_eq!(ledger.block(newest + 1), Ok(None), "one to come is none that was pruned");
    }

    #[test]
    fn a_transaction_of_which_only_the_digest_is_known_counts_as_executed() {
        let folder = tempfile::tempdir().expect("folder");
        let ledger = ledger(folder.path(), 10);
        fill(&ledger, 7..=7);
        assert_eq!(7u64.to_wire().len(), BARE);
        assert_eq!(ledger.is_placed(&digest(7)), Ok(true));
        assert!(matches!(ledger.placed(&digest(7)), Err(ChainFault::NotFound(_))));
        assert_eq!(ledger.placed(&digest(8)).map(|placed| placed.is_none()), Ok(true));
    }

    #[test]
    fn a_store_whose_taking_over_was_cut_off_begins_anew_and_keeps_its_votes() {
        let folder = tempfile::tempdir().expect("folder");
        {
            let ledger = ledger(folder.path(), 10);
            fill(&ledger, 1..=9);
            let mut batch = Batch::new();
            batch.put(META, PARTIAL, 9u64.to_wire());
            batch.put(META, BEGAN, 9u64.to_wire());
            batch.put(VOTES, 10u64.to_be_bytes(), vec![1u8]);
            // What a state that is half there looks like.
            batch.put(ledger_state::State::COLUMNS[6], *b"unfinished", 9u64.to_wire());
            ledger.store.write(batch, Durability::Synced).expect("written");
        }
        let ledger = ledger(folder.path(), 10);
        assert_eq!(ledger.tip().map(|tip| tip.height), Ok(0));
        assert_eq!(ledger.is_placed(&digest(3)), Ok(false));
        assert_eq!(ledger.began(), Ok(None));
        assert!(!is_partial(&ledger.store).expect("read"));
        assert!(ledger.store.get(VOTES, &10u64.to_be_bytes()).expect("read").is_some());
    }
}
