//! Whether an entry of the log holds a block that belongs to the epoch: every log decides this alike, without a state.

use base_types::{Digest, OrgId};
use base_wire::Decode;
use ledger_light::{Block, Epoch};

/// What every block of an epoch has.
pub(crate) struct Form {
    chain: Digest,
    epoch: Digest,
    members: Vec<OrgId>,
}

impl Form {
    pub fn new(chain: Digest, epoch: &Epoch) -> Self {
        let members = epoch.validators.iter().map(|v| v.org.clone()).collect();
        Self { chain, epoch: epoch.digest(), members }
    }

    /// The validators, in the epoch's order.
    pub fn members(&self) -> &[OrgId] {
        &self.members
    }

    /// Whether a block is of this chain and epoch and whole, and some validator's.
    pub fn fits(&self, block: &Block) -> bool {
        let header = &block.header;
        header.chain == self.chain
            && header.epoch == self.epoch
            && self.members.contains(&header.proposer)
            && header.transactions_root == block.transactions_root()
    }

    /// The block of an entry; `None` when it is none of this epoch.
    pub fn read(&self, data: &[u8]) -> Option<Block> {
        Block::from_wire(data).ok().filter(|block| self.fits(block))
    }
}

#[cfg(test)]
mod tests {
    use base_gm::sm2::SecretKey;
    use base_wire::Encode;
    use ledger_light::{Header, Validator, merkle_root};

    use super::*;

    #[test]
    fn only_a_whole_block_of_this_chain_and_epoch_by_a_validator_counts() {
        let org = |name: &str| OrgId::new(name).expect("a name");
        let key = SecretKey::from_seed(b"a").public();
        let validators = vec![Validator { org: org("a"), key }];
        let epoch = Epoch { number: 3, engine: 2, first_height: 5, validators, interval_ms: 100 };
        let form = Form::new(Digest([1; 32]), &epoch);
        let header = Header {
            version: 1,
            chain: Digest([1; 32]),
            height: 5,
            parent: Digest::default(),
            time: 1,
            proposer: org("a"),
            transactions_root: merkle_root(&[]),
            state_root: Digest::default(),
            epoch: epoch.digest(),
            next_epoch: epoch.digest(),
        };
        let block = Block { header, transactions: Vec::new() };
        assert_eq!(form.read(&block.to_wire()), Some(block.clone()));
        let spoilt: [fn(&mut Header); 4] = [
            |h| h.chain = Digest([2; 32]),
            |h| h.epoch = Digest([2; 32]),
            |h| h.transactions_root = Digest([2; 32]),
            |h| h.proposer = OrgId::new("b").expect("a name"),
        ];
        for spoil in spoilt {
            let mut other = block.clone();
            spoil(&mut other.header);
            assert_eq!(form.read(&other.to_wire()), None);
        }
        assert_eq!(form.read(&[]), None);
        assert_eq!(form.read(&block.to_wire()[1..]), None);
    }
}
