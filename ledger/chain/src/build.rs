//! Builds the block that this node proposes.

use base_types::{Digest, OrgId, TimeMs};
use ledger_light::{Block, Header, Transaction};
use ledger_vm::gas_of;

use crate::{
    check::{MAX_BLOCK_BYTES, MAX_BLOCK_GAS, MAX_BLOCK_TRANSACTIONS},
    ledger::{Ledger, Tip},
    pool::Pool,
};

impl Ledger {
    /// The block after `tip` with what waits in the pool.
    pub(crate) fn build(&self, tip: &Tip, pool: &mut Pool, me: &OrgId, now: TimeMs) -> Block {
        let height = tip.next();
        let (mut transactions, mut gas) = (Vec::<Transaction>::new(), 0u64);
        for (_, transaction) in pool.choose(MAX_BLOCK_TRANSACTIONS, MAX_BLOCK_BYTES) {
            if transaction.valid_until < height {
                continue;
            }
            gas = gas.saturating_add(gas_of(&transaction.payload));
            // What no longer fits waits, and everything behind it, so that each sender's order is kept.
            if gas > MAX_BLOCK_GAS {
                break;
            }
            transactions.push(transaction);
        }
        if let Some(last) = transactions.last() {
            pool.served(last.sender);
        }
        let mut block = Block {
            header: Header {
                version: 1,
                chain: self.chain,
                height,
                parent: tip.digest,
                time: now.max(tip.time.saturating_add(1)),
                proposer: me.clone(),
                transactions_root: Digest::default(),
                state_root: tip.root,
                epoch: tip.epoch().digest(),
                next_epoch: tip.epoch_after().digest(),
            },
            transactions,
        };
        block.header.transactions_root = block.transactions_root();
        block
    }
}

#[cfg(test)]
mod tests {
    use base_gm::sm2::SecretKey;
    use ledger_light::{BFT, Epoch, Genesis, Validator};
    use ledger_store::Store;
    use ledger_vm::{Command, MAX_GAS, NativeContract};

    use super::*;
    use crate::{COLUMNS, Options};

    #[test]
    fn whoever_finds_no_room_in_a_block_is_first_in_the_next() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), &COLUMNS).expect("a store");
        let me = OrgId::new("audit").expect("a name");
        let validators = vec![Validator { org: me.clone(), key: SecretKey::from_seed(b"audit").public() }];
        let epoch = Epoch { number: 0, engine: BFT, first_height: 1, validators, interval_ms: 50 };
        let genesis = Genesis { name: "test".into(), time: 1, organisations: vec![], members: vec![], epoch };
        let ledger = Ledger::open(store, genesis, Options::default()).expect("opened");
        let tip = ledger.tip().expect("a tip");

        let to = NativeContract::Government.address();
        let payload = Command::Call { to, input: Vec::new(), gas: MAX_GAS }.to_payload();
        let room = MAX_BLOCK_GAS / MAX_GAS;
        let mut pool = Pool::default();
        for seed in 0..=room {
            let key = SecretKey::from_seed(&seed.to_be_bytes());
            let transaction = Transaction::sign(ledger.chain, &key, [0; 16], 9, payload.clone());
            let digest = transaction.digest();
            let looked = pool.now();
            assert_eq!(pool.add(transaction, digest, me.clone(), looked, false), Ok(true));
        }
        let first = ledger.build(&tip, &mut pool, &me, 2).transactions;
        assert_eq!(first.len() as u64, room, "one has no room");
        // Nobody decided on that block, so the others wait too.
        let second = ledger.build(&tip, &mut pool, &me, 3).transactions;
        let next = second.first().expect("a transaction");
        assert!(first.iter().all(|transaction| transaction.sender != next.sender));
    }
}
