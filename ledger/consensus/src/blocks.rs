//! The blocks proposed at a height, and what is known about each.

use std::collections::BTreeMap;

use base_types::Digest;
use malachite_core::ProposedValue;
use malachite_types::{Round, Validity};

use crate::context::{Address, BlockHeight, LedgerContext, Proposal, Value};

/// A block that was proposed.
pub(crate) struct Known {
    pub value: Value,
    /// The round in which it was first seen.
    pub round: Round,
    /// Who proposed it then.
    pub proposer: Address,
    /// False when it was first seen as proposed again after a polka.
    pub fresh: bool,
    /// `None` until it is checked.
    pub valid: Option<bool>,
}

impl Known {
    /// What the core is told once the block is checked.
    pub fn judged(&self, height: BlockHeight, valid: bool) -> ProposedValue<LedgerContext> {
        ProposedValue {
            height,
            round: self.round,
            valid_round: Round::Nil,
            proposer: self.proposer.clone(),
            value: self.value.clone(),
            validity: Validity::from_bool(valid),
        }
    }
}

/// Blocks by the digest of their header, one body each: the core admits few proposals a round, and so bounds this.
#[derive(Default)]
pub(crate) struct Blocks(BTreeMap<Digest, Known>);

impl Blocks {
    /// Notes a proposal that the core has accepted; true when its block must be checked. A second body under one header
    /// takes the place of the first only if the first was judged invalid: until then the answer to a check would be
    /// taken for the wrong body.
    pub fn propose(&mut self, proposal: &Proposal) -> bool {
        let Proposal { value, round, polka, proposer, .. } = proposal;
        let replace = match self.0.get(&value.id) {
            None => true,
            Some(known) => known.valid == Some(false) && known.value.body != value.body,
        };
        if replace {
            let (value, proposer) = (value.clone(), proposer.clone());
            self.0.insert(value.id, Known { value, round: *round, proposer, fresh: polka.is_nil(), valid: None });
        }
        replace
    }

    /// Notes a block of our own.
    pub fn built(&mut self, value: Value, round: Round, me: Address) {
        self.0.insert(value.id, Known { value, round, proposer: me, fresh: true, valid: Some(true) });
    }

    /// Notes the answer to a check; `None` when there is no such block or it has been judged before.
    pub fn judge(&mut self, id: &Digest, valid: bool) -> Option<&Known> {
        let known = self.0.get_mut(id).filter(|known| known.valid.is_none())?;
        known.valid = Some(valid);
        Some(known)
    }

    /// A block by the digest of its header.
    pub fn get(&self, id: &Digest) -> Option<&Known> {
        self.0.get(id)
    }

    /// Blocks that wait for their check.
    pub fn unchecked(&self) -> impl Iterator<Item = &Known> {
        self.0.values().filter(|known| known.valid.is_none())
    }
}

#[cfg(test)]
mod tests {
    use base_gm::sm2::SecretKey;
    use base_types::OrgId;
    use ledger_light::{Block, Header, Transaction};

    use super::*;

    /// Two blocks under one header: the second's transaction carries a signature of something else.
    fn two_bodies() -> [Value; 2] {
        let (key, zero) = (SecretKey::from_seed(b"sender"), Digest::default());
        let good = Transaction::sign(zero, &key, [0; 16], 9, vec![1]);
        let bad = Transaction { signature: key.sign(b"something else"), ..good.clone() };
        [good, bad].map(|transaction| {
            let transactions = vec![transaction];
            let header = Header {
                version: 1,
                chain: zero,
                height: 1,
                parent: zero,
                time: 1,
                proposer: OrgId::new("a").expect("a name"),
                transactions_root: ledger_light::merkle_root(&[transactions[0].digest()]),
                state_root: zero,
                epoch: zero,
                next_epoch: zero,
            };
            Value::new(Block { header, transactions }).expect("the root fits")
        })
    }

    fn proposal(value: &Value) -> Proposal {
        let proposer = Address(OrgId::new("a").expect("a name"));
        Proposal { height: BlockHeight(1), round: Round::new(0), value: value.clone(), polka: Round::Nil, proposer }
    }

    #[test]
    fn a_second_body_under_one_header_is_checked_only_when_the_first_is_invalid() {
        let [good, bad] = two_bodies();
        assert_eq!(good.id, bad.id);
        assert_ne!(good, bad);
        let mut blocks = Blocks::default();
        assert!(blocks.propose(&proposal(&bad)));
        assert!(!blocks.propose(&proposal(&good)), "the answer to the first check is still to come");
        assert!(blocks.judge(&bad.id, false).is_some());
        assert!(!blocks.propose(&proposal(&bad)), "once is enough");
        assert!(blocks.propose(&proposal(&good)));
        assert!(blocks.judge(&good.id, true).is_some_and(|known| known.value == good));
        assert!(!blocks.propose(&proposal(&bad)), "what is valid stays");
        assert!(blocks.get(&good.id).is_some_and(|known| known.value == good && known.valid == Some(true)));
    }
}
