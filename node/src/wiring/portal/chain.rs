//! The ledger as pages show it: status, blocks, transactions.

use base_types::{
    Digest, Height,
    fault::{Code, Fault},
};
use base_wire::Decode;
use futures::{StreamExt, stream::BoxStream};
use ledger_light::{Block, Certificate, RAFT, Transaction};
use ledger_vm::notary::Entry;
use portal_api::views::{BlockList, BlockSummary, BlockView, ChainView, Tip, TransactionSummary, TransactionView};

use super::{NodeDesk, told};

fn summary(block: &Block) -> BlockSummary {
    let header = &block.header;
    BlockSummary {
        height: header.height,
        digest: header.digest().to_string(),
        time: header.time,
        proposer: header.proposer.to_string(),
        transactions: u32::try_from(block.transactions.len()).unwrap_or(u32::MAX),
    }
}

fn none(what: impl ToString) -> Fault {
    Fault::new(Code::NotFound, "look at the ledger", what.to_string())
}

/// A consensus engine's name.
pub(crate) fn engine_word(engine: u8) -> &'static str {
    if engine == RAFT { "Raft" } else { "BFT" }
}

impl NodeDesk {
    fn stored(&self, height: Height) -> Result<(Block, Certificate), Fault> {
        let stored = self.chain.block(height).map_err(told("read block"))?;
        stored.ok_or_else(|| none(format!("no block {height}")))
    }

    pub(super) fn chain_view(&self) -> Result<ChainView, Fault> {
        let status = self.chain.status().map_err(told("chain status"))?;
        let genesis = self.chain.genesis();
        let transactions = self.chain.transactions().map_err(told("chain status"))?;
        Ok(ChainView {
            name: genesis.name.clone(),
            genesis: genesis.digest().to_string(),
            height: status.height,
            time: status.time,
            transactions,
            epoch: status.epoch.number,
            engine: engine_word(status.epoch.engine).to_owned(),
            validators: status.epoch.validators.iter().map(|v| v.org.to_string()).collect(),
            quorum: u32::try_from(status.epoch.quorum()).unwrap_or(u32::MAX),
        })
    }

    pub(super) fn block_list(&self, before: Option<Height>, limit: u32) -> Result<BlockList, Fault> {
        let height = self.chain.height();
        let top = before.map_or(height, |b| b.saturating_sub(1).min(height));
        let heights = (1..=top).rev().take(limit.min(100) as usize);
        let blocks = heights.map(|h| self.stored(h).map(|(b, _)| summary(&b))).collect::<Result<_, _>>()?;
        Ok(BlockList { height, blocks })
    }

    pub(super) fn block_view(&self, height: Height) -> Result<BlockView, Fault> {
        let (block, certificate) = self.stored(height)?;
        let epoch = self.chain.epoch_of(height).map_err(told("read block"))?;
        let signer = |(place, _): &(u16, _)| epoch.validators.get(usize::from(*place)).map(|v| v.org.to_string());
        let entries = block.transactions.iter().map(|t| self.transaction_summary(t)).collect::<Result<_, _>>()?;
        Ok(BlockView {
            summary: summary(&block),
            parent: block.header.parent.to_string(),
            state_root: block.header.state_root.to_string(),
            transactions_root: block.header.transactions_root.to_string(),
            round: certificate.round,
            signers: certificate.signatures.iter().filter_map(signer).collect(),
            entries,
        })
    }

    fn transaction_summary(&self, transaction: &Transaction) -> Result<TransactionSummary, Fault> {
        let digest = transaction.digest();
        let placed = self.chain.transaction(&digest).map_err(told("read transaction"))?;
        let member = self.chain.member(&transaction.sender).map_err(told("read member"))?;
        let entry = Entry::from_wire(&transaction.payload).ok();
        Ok(TransactionSummary {
            digest: digest.to_string(),
            sender: member.map_or_else(|| transaction.sender.to_hex(), |m| m.id.to_string()),
            kind: entry.as_ref().map(|e| e.kind.word().to_owned()).unwrap_or_default(),
            subject: entry.map(|e| e.subject.to_string()).unwrap_or_default(),
            refusal: placed.and_then(|p| p.executed.refusal),
        })
    }

    pub(super) fn transaction_view(&self, digest: &Digest) -> Result<TransactionView, Fault> {
        let placed = self.chain.transaction(digest).map_err(told("read transaction"))?;
        let placed = placed.ok_or_else(|| none(format!("no transaction {digest}")))?;
        let (executed, transaction) = (placed.executed, placed.transaction);
        let time = self.stored(executed.height)?.0.header.time;
        Ok(TransactionView {
            summary: self.transaction_summary(&transaction)?,
            height: executed.height,
            index: executed.index,
            time,
            sender_key: transaction.sender.to_hex(),
            valid_until: transaction.valid_until,
            payload_bytes: transaction.payload.len() as u64,
            signature: hex::encode(transaction.signature.to_bytes()),
        })
    }

    pub(super) fn tips(&self) -> BoxStream<'static, Tip> {
        let heights = self.journal.heights();
        let stream = futures::stream::unfold(heights, |mut heights| async move {
            heights.changed().await.ok()?;
            let height = *heights.borrow_and_update();
            Some((Tip { height }, heights))
        });
        stream.boxed()
    }
}
