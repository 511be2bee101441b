//! The listening side: peers and clients over mutual TLS, clients also on loopback without it.

use std::{future::Future, sync::Arc, time::Duration};

use base_rt::tls::TrustRoots;
use futures::FutureExt;
use rustls::ServerConfig;
use tokio::{net::TcpListener, time::sleep};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;

use crate::{
    MAX_MESSAGE_BYTES, MAX_REQUEST_BYTES, RpcFault,
    connect::{CONNECTION_WINDOW, KEEP_ALIVE, STREAM_WINDOW},
    incoming::incoming,
    ledger::{LedgerHandler, LedgerService},
    operator::OperatorHandler,
    peer::{PeerHandler, PeerService},
    turns::{InTurn, Turns},
    wire::{ledger_server, peer_server},
};

/// Calls under way on one connection.
const MAX_CALLS: u32 = 256;
/// How long open calls may take after the end was announced.
const GRACE: Duration = Duration::from_secs(2);

fn settings() -> Server {
    Server::builder()
        .tcp_nodelay(true)
        .max_concurrent_streams(MAX_CALLS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .http2_keepalive_timeout(Some(KEEP_ALIVE))
}

fn ledger_service(
    handler: Arc<dyn LedgerHandler>,
    operator: Option<Arc<dyn OperatorHandler>>,
) -> ledger_server::LedgerServer<LedgerService> {
    ledger_server::LedgerServer::new(LedgerService(handler, operator))
        .max_decoding_message_size(MAX_REQUEST_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES)
}

/// Runs `serving` until it ends, or until some time after `shutdown` although calls are still open.
async fn until<E: std::fmt::Display>(
    serving: impl Future<Output = Result<(), E>>,
    shutdown: impl Future<Output = ()>,
) -> Result<(), RpcFault> {
    let overdue = async {
        shutdown.await;
        sleep(GRACE).await;
    };
    tokio::select! {
        ended = serving => ended.map_err(|why| RpcFault::Server(why.to_string())),
        () = overdue => Ok(()),
    }
}

/// The server for other nodes.
pub struct PeerServer;

impl PeerServer {
    /// Serves peers, and clients where `ledger` is given, until `shutdown` completes. `tls` is made by
    /// `base_rt::tls::server_config` for the control plane.
    ///
    /// # Errors
    /// [`RpcFault::Server`].
    pub async fn serve(
        listener: TcpListener,
        tls: Arc<ServerConfig>,
        roots: Arc<TrustRoots>,
        handler: Arc<dyn PeerHandler>,
        ledger: Option<Arc<dyn LedgerHandler>>,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<(), RpcFault> {
        let shutdown = shutdown.shared();
        let (accepting, streams) = incoming(listener, tls, roots);
        let turns = Turns::default();
        let peers = peer_server::PeerServer::new(PeerService::new(handler))
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
            .max_encoding_message_size(MAX_MESSAGE_BYTES);
        let serving = settings()
            .add_service(InTurn::new(peers, turns.clone()))
            .add_optional_service(ledger.map(|handler| InTurn::new(ledger_service(handler, None), turns)))
            .serve_with_incoming_shutdown(streams, shutdown.clone());
        let ended = until(serving, shutdown).await;
        drop(accepting);
        ended
    }
}

/// The server for clients on the same machine.
pub struct LedgerServer;

impl LedgerServer {
    /// Serves clients without TLS until `shutdown` completes; only on a loopback address.
    ///
    /// # Errors
    /// [`RpcFault::Server`], also when others than this machine could connect.
    pub async fn serve(
        listener: TcpListener,
        handler: Arc<dyn LedgerHandler>,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<(), RpcFault> {
        Self::serve_with(listener, handler, None, shutdown).await
    }

    /// As [`LedgerServer::serve`], and the node's operator too where one is given.
    ///
    /// # Errors
    /// As [`LedgerServer::serve`].
    pub async fn serve_with(
        listener: TcpListener,
        handler: Arc<dyn LedgerHandler>,
        operator: Option<Arc<dyn OperatorHandler>>,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<(), RpcFault> {
        let address = listener.local_addr().map_err(|why| RpcFault::Server(why.to_string()))?;
        if !address.ip().is_loopback() {
            return Err(RpcFault::Server(format!("{address} is no loopback address, and there is no TLS here")));
        }
        let shutdown = shutdown.shared();
        let serving = settings()
            .add_service(ledger_service(handler, operator))
            .serve_with_incoming_shutdown(TcpListenerStream::new(listener), shutdown.clone());
        until(serving, shutdown).await
    }
}
