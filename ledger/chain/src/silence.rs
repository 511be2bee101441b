//! A validator that has lost its log says nothing at heights at which it may have signed already.

use base_types::{Digest, Height, OrgId};
use base_wire::Encode;
use ledger_consensus::WalRecord;
use ledger_light::Genesis;
use ledger_store::{Batch, Durability, Store};

use crate::{
    Chain, ChainFault,
    history::PARTIAL,
    ledger::{GENESIS, Ledger, META, VOTES, read},
    node::Node,
};

/// The row of [`META`] with the last height of silence, or none as long as that is not known.
const SILENT: &[u8] = b"silent";

/// Up to where a validator is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Silence {
    /// It remembers everything that it signed.
    None,
    /// It does not know yet how far the others are.
    Learning,
    /// This height is the last.
    Until(Height),
}

impl Silence {
    /// Whether it may vote at a height.
    pub(crate) fn allows(self, height: Height) -> bool {
        match self {
            Self::None => true,
            Self::Learning => false,
            Self::Until(last) => height > last,
        }
    }
}

/// Makes the validator that will be started on this store silent until it is past every height at which it could have
/// signed: for a store that is begun anew after a loss, or that comes from a backup.
///
/// # Errors
/// [`ChainFault`] when the disk fails.
pub fn keep_silent(store: &Store) -> Result<(), ChainFault> {
    let mut batch = Batch::new();
    batch.put(META, SILENT, None::<Height>.to_wire());
    // What a backup remembers of a Raft group is not all that its validator did: one that knows that it knows nothing
    // learns it from the others.
    for (row, _) in store.rows(VOTES, &WalRecord::KEPT.to_be_bytes(), &[], usize::MAX)? {
        batch.delete(VOTES, row);
    }
    Ok(store.write(batch, Durability::Synced)?)
}

/// The digest of the genesis that a store begins with, `None` for a store without a chain.
///
/// # Errors
/// [`ChainFault`] when the disk fails.
pub fn stored_chain(store: &Store) -> Result<Option<Digest>, ChainFault> {
    let row = store.get(META, GENESIS)?;
    row.map(|row| Ok(read::<Genesis>(&row, "genesis")?.digest())).transpose()
}

fn write_silence(last: Height, batch: &mut Batch) {
    batch.put(META, SILENT, Some(last).to_wire());
}

impl Ledger {
    /// What is written down of silence.
    pub(crate) fn silence(&self) -> Result<Silence, ChainFault> {
        let Some(row) = self.store.get(META, SILENT)? else { return Ok(Silence::None) };
        Ok(read::<Option<Height>>(&row, "silence")?.map_or(Silence::Learning, Silence::Until))
    }

    /// Writes down that all that is stored is about to be replaced by a later state, and that this node was at a height;
    /// answers with the silence that follows. The votes of the height after it are still remembered.
    pub(crate) fn begin_partial(&self, height: Height) -> Result<Silence, ChainFault> {
        let mut batch = Batch::new();
        batch.put(META, PARTIAL, height.to_wire());
        let silence = match self.silence()? {
            Silence::Learning => Silence::Learning,
            Silence::Until(last) => Silence::Until(last.max(height)),
            Silence::None => Silence::Until(height),
        };
        if let Silence::Until(last) = silence {
            write_silence(last, &mut batch);
        }
        self.store.write(batch, Durability::Synced)?;
        Ok(silence)
    }
}

impl Chain {
    /// The last height at which this node may have acted in a way that its ledger does not remember, since it was begun anew after
    /// a loss or came from a backup: 0 where it remembers everything, and the highest there is until the node has heard how far the
    /// others are. They were two heights below it then.
    ///
    /// # Errors
    /// [`ChainFault`] when storage cannot be read.
    pub fn silent_until(&self) -> Result<Height, ChainFault> {
        Ok(match self.stored(Ledger::silence)? {
            Silence::None => 0,
            Silence::Learning => Height::MAX,
            Silence::Until(last) => last,
        })
    }
}

impl Node {
    /// Ends the learning once more than two thirds of the validators have shown how far they are: each was asked for what
    /// follows and gave all that it had, which is stored here by now, certificates and all. What a peer merely says of its
    /// height counts for nothing, since one that lies could name any. Whatever this one signed before, a quorum had stored
    /// the block two heights below it or was about to, and one honest validator of that quorum is among those that were
    /// asked.
    pub(crate) fn learn_silence(&mut self) -> Result<(), ChainFault> {
        if self.silence != Silence::Learning || self.away {
            return Ok(());
        }
        let epoch = self.tip.epoch();
        let others: Vec<&OrgId> = epoch.validators.iter().map(|v| &v.org).filter(|org| **org != self.me).collect();
        let level = others.iter().filter(|org| self.peers.is_level(org)).count();
        // Where every validator is needed, all the others are asked; where there is no other, nobody can be contradicted.
        if level < epoch.quorum().min(others.len()) {
            return Ok(());
        }
        let last = if others.is_empty() { self.tip.height } else { self.tip.height.saturating_add(2) };
        let mut batch = Batch::new();
        write_silence(last, &mut batch);
        self.ledger.store.write(batch, Durability::Synced)?;
        tracing::warn!(last, "this validator may have signed up to this height, and is silent up to it");
        self.silence = Silence::Until(last);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_to_keep_silent_remembers_no_raft_group() {
        let folder = tempfile::tempdir().expect("folder");
        let store = Store::open(folder.path(), &crate::COLUMNS).expect("opened");
        let row = |height: Height| [&height.to_be_bytes()[..], &[0u8; 4]].concat();
        let mut batch = Batch::new();
        batch.put(VOTES, row(WalRecord::KEPT), vec![1u8]);
        batch.put(VOTES, row(7), vec![2u8]);
        store.write(batch, Durability::Synced).expect("written");
        keep_silent(&store).expect("written");
        let left = store.rows(VOTES, &[], &[], usize::MAX).expect("read");
        assert_eq!(left, [(row(7), vec![2u8])], "what was signed at a height stays");
    }

    #[test]
    fn silence_ends_after_its_last_height_and_not_before_that_is_known() {
        assert!(Silence::None.allows(1));
        assert!(!Silence::Learning.allows(u64::MAX));
        assert!(!Silence::Until(7).allows(7));
        assert!(Silence::Until(7).allows(8));
    }
}
