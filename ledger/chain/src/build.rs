//! Builds the block that this node proposes.

use base_types::{OrgId, TimeMs};
use ledger_light::{Block, Header, Transaction};
use ledger_vm::executed_key;

use crate::{
    ChainFault,
    check::{MAX_BLOCK_BYTES, MAX_BLOCK_TRANSACTIONS},
    ledger::{Ledger, Tip},
    pool::Pool,
};

impl Ledger {
    /// The block after `tip` with what waits in the pool.
    pub(crate) fn build(&self, tip: &Tip, pool: &mut Pool, me: &OrgId, now: TimeMs) -> Result<Block, ChainFault> {
        let height = tip.height.saturating_add(1);
        let mut transactions = Vec::new();
        for transaction in pool.choose(MAX_BLOCK_TRANSACTIONS, MAX_BLOCK_BYTES) {
            if self.may_execute(&transaction, height)? {
                transactions.push(transaction);
            }
        }
        let epoch = self.genesis.epoch.digest();
        let mut block = Block {
            header: Header {
                version: 1,
                chain: self.chain,
                height,
                parent: tip.digest,
                time: now.max(tip.time.saturating_add(1)),
                proposer: me.clone(),
                transactions_root: tip.root,
                state_root: tip.root,
                epoch,
                next_epoch: epoch,
            },
            transactions,
        };
        block.header.transactions_root = block.transactions_root();
        Ok(block)
    }

    fn may_execute(&self, transaction: &Transaction, height: u64) -> Result<bool, ChainFault> {
        let executed = self.state.get(&executed_key(&transaction.digest()))?.is_some();
        Ok(!executed && transaction.valid_until >= height)
    }
}
