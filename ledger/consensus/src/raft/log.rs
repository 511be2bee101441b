//! The group's log in memory, as the core reads it; each change to it is written to the engine's log as well.

use ::raft::{
    Error, GetEntriesContext, RaftState, Result as CoreResult, Storage, StorageError,
    eraftpb::{ConfState, Entry, HardState, Snapshot},
};

use super::{
    record::{Base, Kept},
    wire::{Data, entry_of, snapshot_of},
};

/// The log after its base, and the little that the core keeps beside it.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    base: Base,
    /// Contiguous from the one after the base.
    entries: Vec<Entry>,
    pub hard: HardState,
    conf: ConfState,
}

impl Log {
    /// An empty log of a group of so many, before whose first entry `base` stands.
    pub fn new(base: Base, members: u64) -> Self {
        let mut conf = ConfState::default();
        conf.set_voters((1..=members).collect());
        Self { base, entries: Vec::new(), hard: HardState::default(), conf }
    }

    /// Takes a record in; false when it fits nowhere.
    pub fn replay(&mut self, kept: Kept) -> bool {
        match kept {
            Kept::Base(base) => self.restore(base),
            Kept::Hard { term, vote, commit } => {
                (self.hard.term, self.hard.vote, self.hard.commit) = (term, vote, commit);
            }
            Kept::Slot { index, term, data } => return self.put(entry_of(index, term, data)),
        }
        true
    }

    /// After the last record: a crash between two of them leaves a commit index that the log does not reach, or a term
    /// below the base's. Commitment is learned again.
    pub fn settle(&mut self) {
        self.hard.commit = self.hard.commit.clamp(self.base.index, self.last());
        let term = self.entries.last().map_or(self.base.term, |entry| entry.term);
        if self.hard.term < term {
            self.hard.term = term;
            self.hard.vote = 0;
        }
    }

    pub fn base(&self) -> Base {
        self.base
    }

    /// Index of the last entry.
    pub fn last(&self) -> u64 {
        self.base.index.saturating_add(self.entries.len() as u64)
    }

    pub fn conf(&self) -> &ConfState {
        &self.conf
    }

    /// Bytes of the entries after an index.
    pub fn bytes_after(&self, index: u64) -> usize {
        let after = self.entries.iter().rev().take_while(|entry| entry.index > index);
        after.map(|entry| entry.data.len()).fold(0, usize::saturating_add)
    }

    fn place(&self, index: u64) -> Option<usize> {
        usize::try_from(index.checked_sub(self.base.index)?.checked_sub(1)?).ok()
    }

    pub fn get(&self, index: u64) -> Option<&Entry> {
        self.entries.get(self.place(index)?)
    }

    /// Puts an entry in place of those from its index on; false when it would leave a gap.
    pub fn put(&mut self, entry: Entry) -> bool {
        let Some(place) = self.place(entry.index).filter(|place| *place <= self.entries.len()) else { return false };
        self.entries.truncate(place);
        self.entries.push(entry);
        true
    }

    /// Begins anew after a snapshot.
    pub fn restore(&mut self, base: Base) {
        self.entries.clear();
        self.base = base;
    }

    /// Drops the entries up to an index, up to which `height` was accepted last.
    pub fn compact(&mut self, index: u64, height: u64) {
        let Some(place) = self.place(index).filter(|place| *place < self.entries.len()) else { return };
        if let Some(last) = self.entries.drain(..=place).next_back() {
            self.base = Base { index, term: last.term, height };
        }
    }

    /// Everything, in the order in which it can be replayed.
    pub fn records(&self) -> Vec<Kept> {
        let HardState { term, vote, commit, .. } = self.hard;
        let slots = self.entries.iter().map(slot);
        [Kept::Hard { term, vote, commit }, Kept::Base(self.base)].into_iter().chain(slots).collect()
    }
}

/// The record of an entry.
pub(crate) fn slot(entry: &Entry) -> Kept {
    Kept::Slot { index: entry.index, term: entry.term, data: Data(entry.data.to_vec()) }
}

impl Storage for Log {
    fn initial_state(&self) -> CoreResult<RaftState> {
        Ok(RaftState::new(self.hard.clone(), self.conf.clone()))
    }

    fn entries(
        &self,
        low: u64,
        high: u64,
        _max_size: impl Into<Option<u64>>,
        _context: GetEntriesContext,
    ) -> CoreResult<Vec<Entry>> {
        let Some(from) = self.place(low) else { return Err(Error::Store(StorageError::Compacted)) };
        let range = self.place(high).and_then(|to| self.entries.get(from..to));
        range.map(<[Entry]>::to_vec).ok_or(Error::Store(StorageError::Unavailable))
    }

    fn term(&self, index: u64) -> CoreResult<u64> {
        if index == self.base.index {
            return Ok(self.base.term);
        }
        if index < self.base.index {
            return Err(Error::Store(StorageError::Compacted));
        }
        self.get(index).map(|entry| entry.term).ok_or(Error::Store(StorageError::Unavailable))
    }

    fn first_index(&self) -> CoreResult<u64> {
        Ok(self.base.index.saturating_add(1))
    }

    fn last_index(&self) -> CoreResult<u64> {
        Ok(self.last())
    }

    fn snapshot(&self, _request_index: u64, _to: u64) -> CoreResult<Snapshot> {
        let Base { index, term, height } = self.base;
        if index == 0 {
            return Err(Error::Store(StorageError::SnapshotTemporarilyUnavailable));
        }
        Ok(snapshot_of(index, term, height, &self.conf))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(n: u64) -> Log {
        let mut log = Log::new(Base { index: 0, term: 0, height: 4 }, 4);
        for index in 1..=n {
            assert!(log.put(entry_of(index, 1, Data(vec![0; 10]))));
        }
        log
    }

    fn range(log: &Log, low: u64, high: u64) -> CoreResult<Vec<u64>> {
        let entries = log.entries(low, high, None, GetEntriesContext::empty(false))?;
        Ok(entries.iter().map(|entry| entry.index).collect())
    }

    #[test]
    fn an_entry_replaces_those_from_its_index_on_and_leaves_no_gap() {
        let mut log = log(5);
        assert!(!log.put(entry_of(7, 2, Data(Vec::new()))));
        assert!(log.put(entry_of(3, 2, Data(Vec::new()))));
        assert_eq!((log.last(), log.term(3)), (3, Ok(2)));
        assert_eq!(range(&log, 1, 4), Ok(vec![1, 2, 3]));
        assert_eq!(range(&log, 1, 5), Err(Error::Store(StorageError::Unavailable)));
    }

    #[test]
    fn a_compacted_log_knows_its_base_and_replays_to_the_same() {
        let mut log = log(5);
        log.hard.term = 3;
        log.hard.commit = 4;
        log.compact(3, 6);
        assert_eq!((log.base(), log.first_index()), (Base { index: 3, term: 1, height: 6 }, Ok(4)));
        assert_eq!(log.term(3), Ok(1));
        assert_eq!(log.term(2), Err(Error::Store(StorageError::Compacted)));
        assert_eq!(range(&log, 3, 5), Err(Error::Store(StorageError::Compacted)));
        assert_eq!((log.bytes_after(4), log.bytes_after(0)), (10, 20));
        let mut again = Log::new(Base::default(), 4);
        assert!(log.records().into_iter().all(|kept| again.replay(kept)));
        again.settle();
        assert_eq!(again.records(), log.records());
        assert!(!again.put(entry_of(3, 9, Data(Vec::new()))), "what is dropped stays dropped");
    }

    #[test]
    fn a_log_cut_between_two_records_is_settled() {
        let mut log = log(2);
        assert!(log.replay(Kept::Hard { term: 1, vote: 2, commit: 9 }));
        log.settle();
        assert_eq!((log.hard.commit, log.hard.vote), (2, 2));
        assert!(log.replay(Kept::Base(Base { index: 8, term: 5, height: 9 })));
        log.settle();
        assert_eq!((log.hard.commit, log.hard.term, log.hard.vote), (8, 5, 0));
    }
}
