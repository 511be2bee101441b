//! The generator's connections to all validators, kept open, and what it asks over them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use base_rt::{
    SystemClock,
    tls::{Protocol, client_config},
};
use base_types::{
    Digest, Height,
    fault::{Code, Fault},
};
use base_wire::{Decode, Encode};
use ledger_chain::{Certified, Executed, Placed};
use ledger_light::{Genesis, Handover, Transaction};
use ledger_rpc::{LedgerClient, ReadCall, StateAt};
use ledger_vm::Address;

use crate::{
    token,
    world::{VALIDATORS, World, org, roots},
};

/// A node that failed is asked nothing for so long, while another can be.
const SHUNNED_MS: u64 = 2000;
/// Failures that are told before the rest is only counted.
const TOLD: usize = 10;

struct Node {
    connections: Vec<LedgerClient>,
    turn: AtomicUsize,
    /// Until when it is avoided, in milliseconds since the beginning.
    shunned: AtomicU64,
}

/// The connections.
pub struct Clients {
    nodes: Vec<Node>,
    began: Instant,
    failures: AtomicUsize,
}

impl Clients {
    /// Connections to every validator, so many each; a connection carries 256 calls at a time. Inside a tokio runtime;
    /// they are made on first use.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn connect(world: &World, each: usize) -> anyhow::Result<Arc<Self>> {
        let roots = roots(&world.genesis)?;
        let mut nodes = Vec::new();
        for (at, address) in world.addresses.iter().enumerate() {
            let clock = Arc::new(SystemClock);
            let tls = client_config(&world.identity, roots.clone(), clock, Protocol::Control, &org(at)?)?;
            let connection = || LedgerClient::secure(address.clone(), tls.clone());
            let connections = (0..each.max(1)).map(|_| connection()).collect();
            nodes.push(Node { connections, turn: AtomicUsize::new(0), shunned: AtomicU64::new(0) });
        }
        Ok(Arc::new(Self { nodes, began: Instant::now(), failures: AtomicUsize::new(0) }))
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// A validator's next connection.
    pub fn node(&self, at: usize) -> &LedgerClient {
        let node = &self.nodes[at % self.nodes.len()];
        &node.connections[node.turn.fetch_add(1, Relaxed) % node.connections.len()]
    }

    /// A connection for the `index`-th call and its validator: each in turn, but those that failed a moment ago.
    pub fn pick(&self, index: usize) -> (usize, &LedgerClient) {
        let now = self.now_ms();
        let mut order = (0..self.nodes.len()).map(|step| (index + step) % self.nodes.len());
        let well = order.find(|at| self.nodes[*at].shunned.load(Relaxed) <= now);
        let at = well.unwrap_or(index % self.nodes.len());
        (at, self.node(at))
    }

    /// Notes that a validator failed, and tells the first few times why.
    pub fn failed(&self, at: usize, why: &str) {
        self.nodes[at].shunned.store(self.now_ms() + SHUNNED_MS, Relaxed);
        if self.failures.fetch_add(1, Relaxed) < TOLD {
            eprintln!("validator {at}: {why}");
        }
    }

    /// Height and state root of a validator.
    ///
    /// # Errors
    /// The node's fault, or an answer that cannot be read.
    pub async fn status(&self, at: usize) -> anyhow::Result<(Height, Digest)> {
        let (_, newest) = <(Digest, (Height, Digest))>::from_wire(&self.node(at).status().await?)?;
        Ok(newest)
    }

    /// The height of the first validator.
    ///
    /// # Errors
    /// As [`Clients::status`].
    pub async fn height(&self) -> anyhow::Result<Height> {
        Ok(self.status(0).await?.0)
    }

    /// Sends one transaction of the set-up through a validator; it must be executed and not be refused.
    ///
    /// # Errors
    /// When it is not.
    pub async fn submit(&self, at: usize, transaction: &Transaction) -> anyhow::Result<Executed> {
        let submitted = self.node(at).submit(transaction.to_wire()).await?;
        if let Some(why) = submitted.refusal {
            bail!("a transaction is refused: {why}");
        }
        Ok(Executed::from_wire(&submitted.outcome)?)
    }

    /// A transaction and what became of it, as a validator has it.
    ///
    /// # Errors
    /// The node's fault, or an answer that cannot be read.
    pub async fn transaction(&self, at: usize, digest: &Digest) -> anyhow::Result<Option<Placed>> {
        let found = self.node(at).transaction(digest).await?;
        Ok(found.map(|bytes| Placed::from_wire(&bytes)).transpose()?)
    }

    /// A header and its certificate, as a validator has them.
    ///
    /// # Errors
    /// The node's fault, an answer that cannot be read, or no such header.
    pub async fn header(&self, at: usize, height: Height) -> anyhow::Result<Certified> {
        let found = self.node(at).header(height).await?;
        let bytes = found.with_context(|| format!("validator {at} has no header {height}"))?;
        Ok(Certified::from_wire(&bytes)?)
    }

    /// The genesis and the handovers to later epochs.
    ///
    /// # Errors
    /// The node's fault, or an answer that cannot be read.
    pub async fn epochs(&self, at: usize) -> anyhow::Result<(Genesis, Vec<Handover>)> {
        Ok(<(Genesis, Vec<Handover>)>::from_wire(&self.node(at).epochs().await?)?)
    }

    /// What a validator says that an address holds of the token.
    ///
    /// # Errors
    /// The node's fault, the contract's refusal, or an answer that cannot be read.
    pub async fn balance(&self, at: usize, token: Address, holder: &Address, state: StateAt) -> anyhow::Result<u64> {
        let call = ReadCall { at: state, to: token.0, input: token::balance_of(holder), gas: token::GAS, from: None };
        read_balance(&self.node(at).call(call).await?)
    }

    /// Waits until all validators rest at one height, and compares their states' roots.
    ///
    /// # Errors
    /// When the roots differ, or they do not come to rest within two minutes.
    pub async fn settled(&self) -> anyhow::Result<(Height, Digest)> {
        let mut last = None;
        for _ in 0..100 {
            let mut all: Vec<(Height, Digest)> = Vec::new();
            for at in 0..VALIDATORS {
                all.extend(self.status(at).await.ok());
            }
            let first = all.first().copied().unwrap_or_default();
            if all.len() == VALIDATORS && all.iter().all(|one| one.0 == first.0) {
                if all.iter().any(|one| one.1 != first.1) {
                    bail!("the validators' states differ at height {}: {all:?}", first.0);
                }
                if last == Some(first) {
                    return Ok(first);
                }
                last = Some(first);
            }
            tokio::time::sleep(Duration::from_millis(1200)).await;
        }
        bail!("the validators do not come to rest at one height")
    }
}

/// The number that a call of `balanceOf` was answered with.
///
/// # Errors
/// The contract's refusal, or an answer that cannot be read.
pub fn read_balance(answer: &[u8]) -> anyhow::Result<u64> {
    let (refusal, (_, output)) = <(Option<String>, (u64, Vec<u8>))>::from_wire(answer)?;
    if let Some(why) = refusal {
        bail!("a balance is not told: {why}");
    }
    token::number(&output)
}

/// Whether sending the same transaction again, through another validator, may help.
pub fn may_help(fault: &Fault) -> bool {
    !matches!(fault.code, Code::TransactionRefused | Code::BadRequest)
}
