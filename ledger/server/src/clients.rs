//! The chain behind the ledger's gRPC interface for clients.

use async_trait::async_trait;
use base_types::{
    Digest, Height,
    fault::{Code, Fault},
};
use base_wire::{Decode, Encode};
use ledger_chain::{Chain, ChainFault};
use ledger_light::Transaction;
use ledger_rpc::{LedgerHandler, Submitted};

/// Answers clients from the chain.
pub struct Clients(pub Chain);

fn told(fault: ChainFault) -> Fault {
    fault.fault("ledger interface")
}

#[async_trait]
impl LedgerHandler for Clients {
    async fn submit(&self, transaction: Vec<u8>) -> Result<Submitted, Fault> {
        let transaction =
            Transaction::from_wire(&transaction).map_err(|e| Fault::new(Code::BadRequest, "submit", e.to_string()))?;
        let executed = self.0.submit(transaction).await.map_err(told)?;
        Ok(Submitted { height: executed.height, refusal: executed.refusal })
    }
    async fn status(&self) -> Result<Vec<u8>, Fault> {
        let status = self.0.status().map_err(told)?;
        Ok((status.chain, (status.height, status.state_root)).to_wire())
    }
    async fn block(&self, height: Height) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.0.block(height).map_err(told)?.map(|block| block.to_wire()))
    }
    async fn transaction(&self, digest: Digest) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.0.transaction(&digest).map_err(told)?.map(|placed| placed.to_wire()))
    }
    async fn records(&self, subject: Digest) -> Result<Vec<u8>, Fault> {
        Ok(self.0.records(&subject).map_err(told)?.to_wire())
    }
}
