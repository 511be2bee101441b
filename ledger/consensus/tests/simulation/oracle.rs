//! Watches what honest validators say: one vote a kind and round, one proposal a round, one seal a height, one vote in
//! an election, over all their lives.

use std::collections::{BTreeMap, BTreeSet};

use base_types::{Digest, Height, OrgId};
use base_wire::{Decode, Reader};

/// Tags of Raft's seals, of its answers to requests for votes, and of a leader's beats.
const SEAL: u8 = 23;
const ANSWER: u8 = 17;
const BEAT: u8 = 20;

#[derive(Default)]
pub struct Oracle {
    votes: BTreeMap<(OrgId, Height, u32, bool), Option<Digest>>,
    proposals: BTreeMap<(OrgId, Height, u32), Vec<u8>>,
    seals: BTreeMap<(OrgId, Height), Digest>,
    /// Whom a member of a Raft group elected in an epoch's term.
    elected: BTreeMap<(OrgId, u64, u64), OrgId>,
    /// Who beat last as a leader, and the terms in which anybody did.
    pub leader: Option<OrgId>,
    pub terms: BTreeSet<u64>,
}

impl Oracle {
    /// Reads the formats on its own, so that a change of format shows here.
    pub fn watch(&mut self, from: &OrgId, bytes: &[u8]) {
        let mut input = Reader::new(&bytes[1..]);
        if bytes[0] == SEAL {
            let height = Height::decode(&mut input).expect("a height");
            let block = Digest::decode(&mut input).expect("a block");
            let said = *self.seals.entry((from.clone(), height)).or_insert(block);
            return assert_eq!(said, block, "{from} sealed twice at {height}");
        }
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

    /// A message from one member of a Raft group to another, in an epoch: who gives a vote has given it for the term.
    pub fn watch_one(&mut self, from: &OrgId, to: &OrgId, epoch: u64, bytes: &[u8]) {
        let mut input = Reader::new(&bytes[1..]);
        Height::decode(&mut input).expect("every message starts with the height");
        if bytes[0] == BEAT {
            self.leader = Some(from.clone());
            self.terms.insert(u64::decode(&mut input).expect("a term"));
        }
        if bytes[0] != ANSWER || bool::decode(&mut input).expect("asked before the vote, or for it") {
            return;
        }
        let term = u64::decode(&mut input).expect("a term");
        if !bool::decode(&mut input).expect("refused or not") {
            let given = self.elected.entry((from.clone(), epoch, term)).or_insert_with(|| to.clone());
            assert_eq!(*given, *to, "{from} elected two members in term {term}");
        }
    }
}
