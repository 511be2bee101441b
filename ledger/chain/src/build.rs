//! Builds the block that this node proposes.

use base_types::{Digest, OrgId, TimeMs};
use ledger_light::{Block, Header};
use ledger_vm::gas_of;

use crate::{
    ChainFault,
    check::{MAX_BLOCK_BYTES, MAX_BLOCK_GAS, MAX_BLOCK_TRANSACTIONS},
    ledger::{Ledger, Tip},
    pool::Pool,
};

impl Ledger {
    /// The block after `tip` with what waits in the pool.
    pub(crate) fn build(&self, tip: &Tip, pool: &mut Pool, me: &OrgId, now: TimeMs) -> Result<Block, ChainFault> {
        let height = tip.next();
        let (mut transactions, mut gas) = (Vec::new(), 0u64);
        for (digest, transaction) in pool.choose(MAX_BLOCK_TRANSACTIONS, MAX_BLOCK_BYTES) {
            // It may have come again after its block was executed.
            if self.is_placed(&digest)? {
                pool.remove(&digest);
                continue;
            }
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
        Ok(block)
    }
}
