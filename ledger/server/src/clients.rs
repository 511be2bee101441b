//! The chain behind the ledger's gRPC interface for clients.

use std::collections::VecDeque;

use async_trait::async_trait;
use base_gm::sm2::PublicKey;
use base_types::{
    Digest, Height,
    fault::{Code, Fault},
};
use base_wire::{Decode, Encode};
use futures::{StreamExt, stream};
use ledger_chain::{At, Chain, ChainFault, Executed};
use ledger_light::Transaction;
use ledger_rpc::{Happening, Happenings, LedgerHandler, ReadCall, StateAt, Submitted, Subscription};
use ledger_vm::Address;
use tokio::sync::{Semaphore, watch};

/// Happenings that are read from the store at once.
const PAGE: usize = 256;

/// Reads that run at once, away from the runtime's own threads; the others wait for their turn.
static READS: Semaphore = Semaphore::const_new(8);

/// Gas of a call that is run on the spot: it ends within a few milliseconds whatever it does.
const SHORT: u64 = 1_000_000;

/// Runs what may take long without holding up the runtime.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> Result<T, ChainFault> + Send + 'static) -> Result<T, Fault> {
    let failed = |why: String| Fault::new(Code::Internal, "ledger interface", why);
    let _turn = READS.acquire().await.map_err(|e| failed(e.to_string()))?;
    tokio::task::spawn_blocking(work).await.map_err(|e| failed(e.to_string()))?.map_err(told)
}

/// Answers clients from the chain.
#[derive(Clone)]
pub struct Clients(pub Chain);

fn told(fault: ChainFault) -> Fault {
    fault.fault("ledger interface")
}

fn at(state: StateAt) -> At {
    match state {
        StateAt::Latest => At::Latest,
        StateAt::Height(height) => At::Height(height),
        StateAt::Root(root) => At::Root(root),
    }
}

#[async_trait]
impl LedgerHandler for Clients {
    async fn submit(&self, transaction: Vec<u8>) -> Result<Submitted, Fault> {
        let transaction =
            Transaction::from_wire(&transaction).map_err(|e| Fault::new(Code::BadRequest, "submit", e.to_string()))?;
        let executed = self.0.submit(transaction).await.map_err(told)?;
        let outcome = executed.to_wire();
        Ok(Submitted { height: executed.height, refusal: executed.refusal, outcome })
    }
    async fn status(&self) -> Result<Vec<u8>, Fault> {
        let status = self.0.status().map_err(told)?;
        Ok((status.chain, (status.height, status.state_root)).to_wire())
    }
    async fn block(&self, height: Height) -> Result<Option<Vec<u8>>, Fault> {
        let chain = self.0.clone();
        apart(move || Ok(chain.block(height)?.map(|block| block.to_wire()))).await
    }
    async fn transaction(&self, digest: Digest) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.0.transaction(&digest).map_err(told)?.map(|placed| placed.to_wire()))
    }
    async fn records(&self, subject: Digest) -> Result<Vec<u8>, Fault> {
        let chain = self.0.clone();
        apart(move || Ok(chain.records(&subject)?.to_wire())).await
    }
    async fn header(&self, height: Height) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.0.header(height).map_err(told)?.map(|certified| certified.to_wire()))
    }
    async fn epochs(&self) -> Result<Vec<u8>, Fault> {
        Ok((self.0.genesis().clone(), self.0.handovers().map_err(told)?).to_wire())
    }
    async fn call(&self, call: ReadCall) -> Result<Vec<u8>, Fault> {
        let ReadCall { at: state, to, input, gas, from } = call;
        let bad = |e: base_gm::GmError| Fault::new(Code::BadRequest, "call", e.to_string());
        let from = from.map(|key| PublicKey::from_bytes(&key)).transpose().map_err(bad)?;
        let chain = self.0.clone();
        let run = move || chain.call(at(state), from.as_ref(), Address(to), &input, gas);
        let outcome = if gas <= SHORT { run().map_err(told)? } else { apart(run).await? };
        Ok((outcome.refusal, (outcome.gas, outcome.output)).to_wire())
    }
    async fn value(&self, state: StateAt, key: Vec<u8>, proof: bool) -> Result<Vec<u8>, Fault> {
        if proof {
            return Ok(self.0.proven(at(state), &key).map_err(told)?.to_wire());
        }
        Ok(self.0.value(at(state), &key).map_err(told)?.to_wire())
    }
    fn events(&self, subscription: Subscription) -> Happenings {
        let feed = Feed { chain: self.0.clone(), subscription, heights: self.0.heights(), ready: VecDeque::new() };
        let told = stream::unfold(Some(feed), |feed| async move {
            let mut feed = feed?;
            match feed.next().await {
                Ok(Some(happening)) => Some((Ok(happening), Some(feed))),
                Ok(None) => None,
                // What cannot be read ends the stream; the client may begin again at its cursor.
                Err(fault) => Some((Err(fault), None)),
            }
        });
        told.boxed()
    }
}

/// One subscriber's way through what happened. It holds nothing but its cursor: a slow reader slows down nobody.
struct Feed {
    chain: Chain,
    subscription: Subscription,
    heights: watch::Receiver<Height>,
    ready: VecDeque<Happening>,
}

impl Feed {
    async fn next(&mut self) -> Result<Option<Happening>, Fault> {
        loop {
            if let Some(happening) = self.ready.pop_front() {
                return Ok(Some(happening));
            }
            let newest = *self.heights.borrow_and_update();
            if let Some(fault) = self.chain.fault() {
                return Err(told(fault));
            }
            self.fill(newest).await?;
            if !self.ready.is_empty() {
                continue;
            }
            // Where a whole page had nothing for this subscriber it is another one's turn to read.
            let all = self.subscription.after.0 >= newest;
            if all && (!self.subscription.follow || self.heights.changed().await.is_err()) {
                return Ok(None);
            }
        }
    }

    /// Reads the next page and moves the cursor past it. A subscriber may ask for the whole past, and as many may as there
    /// are calls on a connection: that is work for the threads of reads, not for those that the chain needs.
    async fn fill(&mut self, newest: Height) -> Result<(), Fault> {
        if self.subscription.after.0 > newest {
            return Ok(());
        }
        let (chain, cursor) = (self.chain.clone(), self.subscription.after);
        let (page, after) = apart(move || chain.executed_after(cursor, newest, PAGE)).await?;
        self.subscription.after = after;
        let contract = self.subscription.contract.map(Address);
        let wanted = |executed: &Executed| {
            contract.is_none_or(|contract| executed.events.iter().any(|event| event.contract == contract))
        };
        let kept = page.into_iter().filter(|(_, executed)| wanted(executed));
        self.ready.extend(kept.map(|(transaction, executed)| Happening {
            cursor: (executed.height, executed.index.saturating_add(1)),
            transaction,
            outcome: executed.to_wire(),
        }));
        Ok(())
    }
}
