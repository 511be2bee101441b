//! Messages of the next height that come early: kept, but few from each peer.

use std::collections::BTreeMap;

use base_types::OrgId;

use crate::wire::{MAX_SIGNATURES, Message};

/// Votes kept from one peer: two a round, for more rounds than a height takes.
const MAX_VOTES: u32 = 24;
/// Proposals kept from one peer; each carries a block.
const MAX_PROPOSALS: u32 = 2;
/// Messages of a height that the core keeps at most.
pub(crate) const QUEUE: usize = MAX_SIGNATURES * (MAX_VOTES + MAX_PROPOSALS) as usize;
/// Heights for which the core keeps messages: the present one, before its first round, and the next.
pub(crate) const HEIGHTS: usize = 2;

/// Counts the early messages of each peer.
#[derive(Default)]
pub(crate) struct Early(BTreeMap<OrgId, (u32, u32)>);

impl Early {
    /// Whether to keep this message.
    pub fn admit(&mut self, from: &OrgId, message: &Message) -> bool {
        if self.0.len() >= MAX_SIGNATURES && !self.0.contains_key(from) {
            return false;
        }
        let (votes, proposals) = self.0.entry(from.clone()).or_default();
        let (count, max) = match message {
            Message::Vote(_) => (votes, MAX_VOTES),
            Message::Proposal(_) => (proposals, MAX_PROPOSALS),
            // Of no use before the height starts: they are sent again.
            Message::Polka(_) | Message::Round(_) => return false,
        };
        let admitted = *count < max;
        *count += u32::from(admitted);
        admitted
    }
    /// A new height has started.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
