//! What a Raft group must never forget, as records of the engine's log.

use base_types::Height;
use base_wire::{wire_enum, wire_struct};

use super::wire::Data;

/// Where a log begins: its entries up to here are dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Base {
    /// The last dropped entry, or 0.
    pub index: u64,
    /// Its term.
    pub term: u64,
    /// The height accepted last among the dropped entries, or the one before the epoch.
    pub height: Height,
}
wire_struct!(Base { index, term, height });

/// One thing to be remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kept {
    /// The log begins anew here; nothing before is of use.
    Base(Base),
    /// Term, vote in it, and how far the log was known to be committed.
    Hard { term: u64, vote: u64, commit: u64 },
    /// An entry of the log; it takes the place of those from its index on.
    Slot { index: u64, term: u64, data: Data },
}
wire_enum!(Kept { 1 => Base(base), 2 => Hard { term, vote, commit }, 3 => Slot { index, term, data } });

#[cfg(test)]
mod tests {
    use base_types::Digest;
    use base_wire::{Decode, Encode};

    use super::*;
    use crate::WalRecord;

    #[test]
    fn records_of_a_group_come_back_and_outlive_heights() {
        let slot = Kept::Slot { index: 4, term: 2, data: Data(vec![1, 2, 3]) };
        let hard = Kept::Hard { term: 2, vote: 1, commit: 3 };
        let base = Kept::Base(Base { index: 3, term: 1, height: 9 });
        for kept in [slot, hard, base] {
            let record = WalRecord::kept(7, kept.clone());
            assert_eq!(record.height(), WalRecord::KEPT);
            assert_eq!(WalRecord::from_wire(&record.to_wire()), Ok(record.clone()));
            assert_eq!(record.as_kept(), Some((7, &kept)));
            assert_eq!(record.as_seal(), None);
        }
    }

    #[test]
    fn a_seal_belongs_to_its_height() {
        let record = WalRecord::seal(12, Digest([3; 32]));
        assert_eq!(record.height(), 12);
        assert_eq!(WalRecord::from_wire(&record.to_wire()), Ok(record.clone()));
        assert_eq!(record.as_seal(), Some(Digest([3; 32])));
        assert_eq!(record.as_kept(), None);
    }
}
