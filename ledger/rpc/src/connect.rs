//! Channels: HTTP/2 over TCP and, between nodes, our TLS; made on first use and made again when broken.

use std::{io, sync::Arc, time::Duration};

use base_rt::tls::{TrustRoots, peer_node, server_name};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, TlsStream};
use tonic::transport::{Channel, Endpoint};

use crate::stream::{NodeStream, Refusal};

/// Time for TCP and TLS together.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// How often an idle connection is asked for a sign of life, and how long that may take.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// Bytes under way without acknowledgement, a stream and a connection.
pub(crate) const STREAM_WINDOW: u32 = 4 << 20;
pub(crate) const CONNECTION_WINDOW: u32 = 16 << 20;

fn settings(endpoint: Endpoint) -> Endpoint {
    endpoint
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
}

/// A channel to the node at `address` (`host:port`); `tls` says who that has to be. Inside a tokio runtime.
pub(crate) fn secure(
    address: String,
    tls: Arc<ClientConfig>,
    roots: Option<Arc<TrustRoots>>,
    refusal: Refusal,
) -> Channel {
    let connector = TlsConnector::from(tls);
    // The address in the URI is never used: the connector knows where to go.
    settings(Endpoint::from_static("http://node.invalid")).connect_with_connector_lazy(tower::service_fn(move |_| {
        let (address, connector) = (address.clone(), connector.clone());
        let (roots, refusal) = (roots.clone(), refusal.clone());
        async move {
            let stream = timeout(CONNECT_TIME, connect(&address, &connector, roots, &refusal)).await;
            stream.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map(TokioIo::new)
        }
    }))
}

async fn connect(
    address: &str,
    connector: &TlsConnector,
    roots: Option<Arc<TrustRoots>>,
    refusal: &Refusal,
) -> io::Result<NodeStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let stream = connector.connect(server_name(), stream).await.inspect_err(|error| refusal.note(error))?;
    let peer = peer_node(stream.get_ref().1.peer_certificates()).ok_or(io::ErrorKind::InvalidData)?;
    Ok(NodeStream::new(TlsStream::from(stream), peer, refusal.clone(), roots))
}

/// A channel without TLS, for a node on this machine.
pub(crate) fn plain(address: &str) -> Result<Channel, tonic::transport::Error> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))?;
    Ok(settings(endpoint).tcp_nodelay(true).connect_timeout(CONNECT_TIME).connect_lazy())
}
