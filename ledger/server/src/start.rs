//! Starts the parts of a ledger node and ties them together.

use std::{collections::BTreeMap, future::Future, sync::Arc};

use base_rt::{
    Clock, Entropy,
    tls::{NodeIdentity, Protocol, TrustRoots, server_config},
};
use base_types::{
    Digest, OrgId,
    fault::{Code, Fault},
};
use ledger_chain::{Chain, Options};
use ledger_light::Genesis;
use ledger_rpc::{LedgerServer, OperatorHandler, PeerClient, PeerServer};
use ledger_store::Store;
use ledger_vm::govern::Addresses;
use tokio::{net::TcpListener, sync::watch};

use crate::{
    Clients,
    follow::Follower,
    operator::Operator,
    peers::{Door, Peers},
};

/// Told where a peer is, when it says that it has moved.
pub type Moved = Arc<dyn Fn(&OrgId, &Addresses) + Send + Sync>;

/// What a ledger node is made of.
pub struct Parts {
    /// Opened with `ledger_chain::COLUMNS`.
    pub store: Store,
    /// The chain's first state.
    pub genesis: Genesis,
    /// This node.
    pub identity: NodeIdentity,
    /// Whom it trusts; follows the chain from now on.
    pub roots: Arc<TrustRoots>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Control addresses of the peers known so far.
    pub peers: BTreeMap<OrgId, String>,
    /// Where this node is to be found, if the others are to be told by the ledger.
    pub announce: Option<Addresses>,
    /// Waiting times, and how much of the past is kept.
    pub options: Options,
    /// Told where a peer is, when it says that it has moved.
    pub moved: Moved,
}

/// A running ledger node.
pub struct Server {
    /// Its chain.
    pub chain: Chain,
    /// Its way to the peers.
    pub peers: Arc<PeerClient>,
}

fn internal(step: &'static str) -> impl Fn(Box<dyn std::error::Error>) -> Fault {
    move |e| Fault::new(Code::Internal, step, e.to_string())
}

/// Starts a node: peers are served on `control` over mutual TLS, clients there too and, where `clients` is given, on a
/// loopback address without TLS. Ends when `stopped` says so; the chain is stopped by its owner.
///
/// # Errors
/// [`Fault`] when a part cannot start.
pub fn start(
    parts: Parts,
    control: TcpListener,
    clients: Option<TcpListener>,
    stopped: watch::Receiver<bool>,
) -> Result<Server, Fault> {
    start_with(parts, control, clients, None, stopped)
}

/// As [`start`]; on the loopback address, who shows the token of this SM3 hash may ask for backups and add disks.
///
/// # Errors
/// As [`start`].
pub fn start_with(
    parts: Parts,
    control: TcpListener,
    clients: Option<TcpListener>,
    token: Option<Digest>,
    stopped: watch::Receiver<bool>,
) -> Result<Server, Fault> {
    let Parts { store, genesis, identity, roots, clock, entropy, peers, announce, options, moved } = parts;
    let client = PeerClient::new(identity.clone(), roots.clone(), clock.clone(), peers)
        .map_err(|e| internal("control plane")(e.into()))?;
    let tls = server_config(&identity, roots.clone(), clock.clone(), Protocol::Control)
        .map_err(|e| internal("control plane")(e.into()))?;
    let chain = Chain::start(ledger_chain::Parts {
        store,
        genesis,
        me: identity.org.clone(),
        key: identity.key.clone(),
        net: Arc::new(Peers(client.clone())),
        clock,
        options,
    })
    .map_err(|e| e.fault("start ledger"))?;
    let door = Arc::new(Door::new(client.clone()));
    let _ = door.chain.set(chain.clone());
    let handler = Arc::new(Clients(chain.clone()));
    tokio::spawn(ended(PeerServer::serve(
        control,
        tls,
        roots.clone(),
        door,
        Some(handler.clone()),
        end(stopped.clone()),
    )));
    if let Some(listener) = clients {
        let operator =
            token.map(|token| Arc::new(Operator { chain: chain.clone(), token }) as Arc<dyn OperatorHandler>);
        tokio::spawn(ended(LedgerServer::serve_with(listener, handler, operator, end(stopped.clone()))));
    }
    let follower = Follower {
        chain: chain.clone(),
        me: identity.org,
        key: identity.key,
        roots,
        peers: client.clone(),
        entropy,
        announce,
        moved,
        known: Default::default(),
    };
    tokio::spawn(follower.run(end(stopped)));
    Ok(Server { chain, peers: client })
}

fn end(mut stopped: watch::Receiver<bool>) -> impl Future<Output = ()> + Send {
    async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    }
}

async fn ended(serving: impl Future<Output = Result<(), ledger_rpc::RpcFault>>) {
    if let Err(why) = serving.await {
        tracing::error!(%why, "a listener of the ledger ended");
    }
}
