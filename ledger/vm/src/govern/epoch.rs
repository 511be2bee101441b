//! Which epoch is in force at the heights after a state, and what happens of itself at a block's beginning.

use base_types::{Digest, Height};
use base_wire::Encode;
use ledger_light::Epoch;

use super::{ChangeRecord, ChangeStatus, change_key, next_epoch_key, now_epoch_key, open_key};
use crate::{Change, StateView, Unavailable, native::read};

/// The epochs that a state knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epochs {
    /// In force at the state's height.
    pub now: Epoch,
    /// Scheduled to follow.
    pub next: Option<Epoch>,
}

impl Epochs {
    /// Reads them.
    ///
    /// # Errors
    /// [`Unavailable`] when the state cannot be read.
    pub fn read(view: &dyn StateView) -> Result<Self, Unavailable> {
        let now = read(view, &now_epoch_key())?.ok_or_else(|| Unavailable("the epoch in force is missing".into()))?;
        Ok(Self { now, next: read(view, &next_epoch_key())? })
    }

    /// The epoch in force at a height: of the two heights after the state, which are all that it can know of.
    pub fn at(&self, height: Height) -> &Epoch {
        self.next.as_ref().filter(|next| next.first_height <= height).unwrap_or(&self.now)
    }
}

/// What happens at the beginning of the block of `height`, before its transactions: a scheduled epoch begins, a change
/// whose deadline has passed lapses.
///
/// # Errors
/// [`Unavailable`] when the state cannot be read.
pub fn begin_block(view: &dyn StateView, height: Height) -> Result<Vec<Change>, Unavailable> {
    let mut changes = Vec::new();
    if let Some(next) = read::<Epoch>(view, &next_epoch_key())?
        && next.first_height <= height
    {
        changes.push((now_epoch_key(), Some(next.to_wire())));
        changes.push((next_epoch_key(), None));
        changes.push((open_key(), None));
    }
    if let Some(open) = read::<Digest>(view, &open_key())?
        && let Some(mut record) = read::<ChangeRecord>(view, &change_key(&open))?
        && let Some(why) = lapsed(&record, height)
    {
        record.status = ChangeStatus::Lapsed { why };
        changes.push((change_key(&open), Some(record.to_wire())));
        changes.push((open_key(), None));
    }
    Ok(changes)
}

fn lapsed(record: &ChangeRecord, height: Height) -> Option<String> {
    let ChangeRecord { change, yes, ready, status, .. } = record;
    if change.deadline >= height {
        return None;
    }
    match status {
        ChangeStatus::Voting => Some(format!("by height {} it had {} votes", change.deadline, yes.len())),
        ChangeStatus::Passed => {
            let late = change.validators.iter().map(|v| &v.org).filter(|org| !ready.contains(org));
            let late: Vec<_> = late.map(ToString::to_string).collect();
            let (have, of, by) = (ready.len(), change.validators.len(), change.deadline);
            Some(format!("by height {by} only {have} of its {of} validators were ready, not {}", late.join(", ")))
        }
        ChangeStatus::Scheduled { .. } | ChangeStatus::Lapsed { .. } => None,
    }
}
