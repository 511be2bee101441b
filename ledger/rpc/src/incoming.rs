//! Inbound TLS streams: handshakes run side by side, so that a slow or hostile one delays nobody.

use std::{io, sync::Arc, time::Duration};

use base_rt::{
    Handshakes,
    tls::{TrustRoots, fault_of, peer_node},
};
use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, TlsStream};
use tokio_stream::wrappers::ReceiverStream;

use crate::stream::{NodeStream, Places};

const MAX_HANDSHAKES: usize = 64;
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);

/// Stops accepting when dropped.
pub(crate) struct Accepting(JoinHandle<()>);

impl Drop for Accepting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The streams of `listener` whose handshake succeeded.
pub(crate) fn incoming(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    roots: Arc<TrustRoots>,
) -> (Accepting, ReceiverStream<io::Result<NodeStream>>) {
    let (ready, streams) = mpsc::channel(MAX_HANDSHAKES);
    let accepting = tokio::spawn(accept(listener, TlsAcceptor::from(tls), roots, ready));
    (Accepting(accepting), ReceiverStream::new(streams))
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    roots: Arc<TrustRoots>,
    ready: mpsc::Sender<io::Result<NodeStream>>,
) {
    let (mut handshakes, places) = (Handshakes::new(MAX_HANDSHAKES), Places::default());
    while !ready.is_closed() {
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(why) => {
                // Out of descriptors, usually; at once it would fail again.
                tracing::warn!(%why, "a connection could not be accepted");
                sleep(PAUSE).await;
                continue;
            }
        };
        let (acceptor, roots, ready, places) = (acceptor.clone(), Arc::clone(&roots), ready.clone(), places.clone());
        let handshake = tokio::spawn(async move {
            let greeted = timeout(HANDSHAKE_TIME, greet(stream, &acceptor, roots, &places)).await;
            match greeted.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
                // It waits for the server no longer as a handshake. A closed channel means that the server has stopped: the
                // stream goes with it.
                Ok(stream) => drop(tokio::spawn(async move { ready.send(Ok(stream)).await })),
                Err(error) => {
                    let why = fault_of(&error).map_or_else(|| error.to_string(), |(_, why)| why);
                    tracing::warn!(%from, %why, "a connection was refused");
                }
            }
        });
        if handshakes.begin(handshake.abort_handle()) {
            tracing::warn!(%from, "too many handshakes at a time; the oldest is given up");
        }
    }
}

async fn greet(
    stream: TcpStream,
    acceptor: &TlsAcceptor,
    roots: Arc<TrustRoots>,
    places: &Places,
) -> io::Result<NodeStream> {
    stream.set_nodelay(true)?;
    let stream = acceptor.accept(stream).await?;
    let peer = peer_node(stream.get_ref().1.peer_certificates()).ok_or(io::ErrorKind::InvalidData)?;
    NodeStream::inbound(TlsStream::from(stream), peer, roots, places)
}
