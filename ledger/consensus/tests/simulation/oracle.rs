//! Watches what honest validators say: one vote a kind and round, one proposal a round, over all their lives.

use std::collections::BTreeMap;

use base_types::{Digest, Height, OrgId};
use base_wire::{Decode, Reader};

#[derive(Default)]
pub struct Oracle {
    votes: BTreeMap<(OrgId, Height, u32, bool), Option<Digest>>,
    proposals: BTreeMap<(OrgId, Height, u32), Vec<u8>>,
}

impl Oracle {
    /// Reads the formats on its own, so that a change of format shows here.
    pub fn watch(&mut self, bytes: &[u8]) {
        let mut input = Reader::new(&bytes[1..]);
        let mut head = || Some((Height::decode(&mut input).ok()?, u32::decode(&mut input).ok()?));
        let (height, round) = head().expect("every message starts with height and round");
        match bytes[0] {
            1 => {
                let precommit = bool::decode(&mut input).expect("a kind");
                let block = Option::<Digest>::decode(&mut input).expect("a block or none");
                let voter = OrgId::decode(&mut input).expect("a voter");
                let said = *self.votes.entry((voter.clone(), height, round, precommit)).or_insert(block);
                assert_eq!(said, block, "{voter} voted twice at {height}/{round}, precommit: {precommit}");
            }
            2 => {
                Option::<u32>::decode(&mut input).expect("a polka round or none");
                let proposer = OrgId::decode(&mut input).expect("a proposer");
                let said = self.proposals.entry((proposer.clone(), height, round)).or_insert_with(|| bytes.to_vec());
                assert_eq!(*said, bytes, "{proposer} proposed twice at {height}/{round}");
            }
            _ => {}
        }
    }
}
