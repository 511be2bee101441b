//! The ledger behind the notary's `Journal`.

use std::sync::Arc;

use async_trait::async_trait;
use base_gm::sm2::SecretKey;
use base_rt::Entropy;
use base_types::{
    Digest, Height, TimeMs,
    fault::{Code, Fault},
};
use base_wire::{Decode, Encode};
use ledger_chain::{Chain, ChainFault};
use ledger_light::Transaction;
use ledger_vm::notary::{Entry, Record};
use notary_desk::{Journal, Written};
use tokio::sync::{broadcast::error::RecvError, watch};

/// Blocks after which an unexecuted transaction lapses.
pub const LIFE: Height = ledger_chain::MAX_LIFE / 2;

/// Signs with the node's key and writes to the chain.
pub struct ChainJournal {
    chain: Chain,
    key: Arc<SecretKey>,
    entropy: Arc<dyn Entropy>,
    heights: watch::Receiver<Height>,
}

impl ChainJournal {
    /// A journal on a running chain; call inside a runtime.
    pub fn new(chain: Chain, key: Arc<SecretKey>, entropy: Arc<dyn Entropy>) -> Self {
        let (announce, heights) = watch::channel(chain.height());
        let mut blocks = chain.subscribe();
        tokio::spawn(async move {
            loop {
                match blocks.recv().await {
                    Ok(height) => announce.send_replace(height),
                    // Missed heights lie below the next one that comes.
                    Err(RecvError::Lagged(_)) => continue,
                    Err(RecvError::Closed) => return,
                };
            }
        });
        Self { chain, key, entropy, heights }
    }
}

fn told(step: &'static str) -> impl Fn(ChainFault) -> Fault {
    move |fault| fault.fault(step)
}

#[async_trait]
impl Journal for ChainJournal {
    async fn append(&self, entry: Entry) -> Result<Written, Fault> {
        let mut nonce = [0; 16];
        self.entropy.fill(&mut nonce);
        let chain = self.chain.genesis().digest();
        let until = self.chain.height().saturating_add(LIFE);
        let transaction = Transaction::sign(chain, &self.key, nonce, until, entry.to_wire());
        let digest = transaction.digest();
        let executed = self.chain.submit(transaction).await.map_err(told("write entry"))?;
        match executed.refusal {
            None => Ok(Written { transaction: digest, height: executed.height }),
            Some(why) => Err(Fault::new(Code::TransactionRefused, entry.kind.word(), why)),
        }
    }

    fn after(&self, cursor: u64, limit: usize) -> Result<Vec<(u64, Record, Entry)>, Fault> {
        let records = self.chain.records_after(cursor, limit).map_err(told("read entries"))?;
        let entry = |(place, record): (u64, Record)| {
            let placed = self.chain.transaction(&record.tx).map_err(told("read entries"))?;
            let payload = placed.map(|p| p.transaction.payload).unwrap_or_default();
            let entry = Entry::from_wire(&payload)
                .map_err(|e| Fault::new(Code::StorageDamaged, "read entries", format!("{}: {e}", record.tx)))?;
            Ok((place, record, entry))
        };
        records.into_iter().map(entry).collect()
    }

    fn heights(&self) -> watch::Receiver<Height> {
        self.heights.clone()
    }

    fn time(&self) -> Result<TimeMs, Fault> {
        Ok(self.chain.status().map_err(told("read the ledger"))?.time)
    }

    fn forgotten(&self) -> Result<Height, Fault> {
        self.chain.silent_until().map_err(told("read the ledger"))
    }

    fn chain(&self) -> Digest {
        self.chain.genesis().digest()
    }
}
