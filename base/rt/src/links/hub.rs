//! Opens links: dials the peers that sort later, accepts those that sort earlier.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use base_types::OrgId;
use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinHandle,
    time::{Instant, interval, sleep, timeout, timeout_at},
};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use super::{
    Link, LinkFault,
    hello::{self, Hello},
    inbox::Inbox,
};
use crate::{
    clock::Clock,
    tls::{NodeIdentity, Protocol, TlsFault, TrustRoots, client_config, peer_org, server_config, server_name},
};

/// Handshakes under way at a time.
const MAX_HANDSHAKES: usize = 64;
/// Time for a handshake and the hello together.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
const SWEEP_EVERY: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A node's end of all its data links.
pub struct LinkHub {
    me: OrgId,
    identity: NodeIdentity,
    roots: Arc<TrustRoots>,
    clock: Arc<dyn Clock>,
    peers: RwLock<BTreeMap<OrgId, String>>,
    inbox: Arc<Inbox>,
    accepting: JoinHandle<()>,
}

impl LinkHub {
    /// Accepts links on `listener` until the hub is dropped; `peers` says where the others listen (`host:port`). Called
    /// inside a tokio runtime.
    ///
    /// # Errors
    /// [`TlsFault`] when the identity does not fit.
    pub fn start(
        listener: TcpListener,
        identity: NodeIdentity,
        roots: Arc<TrustRoots>,
        clock: Arc<dyn Clock>,
        peers: BTreeMap<OrgId, String>,
    ) -> Result<Arc<Self>, TlsFault> {
        let config = server_config(&identity, roots.clone(), clock.clone(), Protocol::Links)?;
        let inbox = Arc::new(Inbox::default());
        let me = identity.org.clone();
        let accepting = tokio::spawn(accept(listener, config, me.clone(), inbox.clone()));
        Ok(Arc::new(Self { me, identity, roots, clock, peers: RwLock::new(peers), inbox, accepting }))
    }

    /// Sets where a peer listens.
    pub fn set_peer(&self, peer: OrgId, address: String) {
        self.peers.write().unwrap_or_else(PoisonError::into_inner).insert(peer, address);
    }

    /// Opens the link of that session and label with `peer`; done when the peer has opened it too.
    ///
    /// # Errors
    /// [`LinkFault`]; `Silent` when that takes longer than `patience`.
    pub async fn open(
        &self,
        session: [u8; 32],
        label: &str,
        peer: &OrgId,
        patience: Duration,
    ) -> Result<Link, LinkFault> {
        let hello = Hello::new(session, label)?;
        let deadline = Instant::now() + patience;
        match self.me.cmp(peer) {
            std::cmp::Ordering::Less => self.dial(peer, &hello, deadline).await,
            std::cmp::Ordering::Greater => self.await_inbound(peer, &hello, deadline).await,
            std::cmp::Ordering::Equal => Err(LinkFault::Other("a node opens no link to itself".into())),
        }
    }

    async fn await_inbound(&self, peer: &OrgId, hello: &Hello, deadline: Instant) -> Result<Link, LinkFault> {
        loop {
            let mut link = self.inbox.claim(peer, hello, deadline).await?;
            // One whose peer has given up meanwhile is passed over.
            if link.is_quiet().await && link.send(&hello.to_frame()).await.is_ok() {
                return Ok(link);
            }
        }
    }

    /// Dials again while the peer is not there yet, or not there any more.
    async fn dial(&self, peer: &OrgId, hello: &Hello, deadline: Instant) -> Result<Link, LinkFault> {
        let config = client_config(&self.identity, self.roots.clone(), self.clock.clone(), Protocol::Links, peer)
            .map_err(|fault| LinkFault::Other(fault.to_string()))?;
        let connector = TlsConnector::from(config);
        let mut pause = FIRST_PAUSE;
        loop {
            let fault = match timeout_at(deadline, self.dial_once(peer, hello, &connector, deadline)).await {
                Ok(Ok(link)) => return Ok(link),
                Ok(Err(fault @ (LinkFault::Silent | LinkFault::Gone))) => fault,
                Ok(Err(fault)) => return Err(fault),
                Err(_) => return Err(LinkFault::Silent),
            };
            if Instant::now() + pause >= deadline {
                return Err(fault);
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn dial_once(
        &self,
        peer: &OrgId,
        hello: &Hello,
        connector: &TlsConnector,
        deadline: Instant,
    ) -> Result<Link, LinkFault> {
        let address = self.peers.read().unwrap_or_else(PoisonError::into_inner).get(peer).cloned();
        let address = address.ok_or_else(|| LinkFault::Other(format!("no address of {peer} is known")))?;
        let stream = TcpStream::connect(&address).await.map_err(|error| LinkFault::from(&error))?;
        stream.set_nodelay(true).map_err(|error| LinkFault::from(&error))?;
        let stream = timeout(HANDSHAKE_TIME, connector.connect(server_name(), stream))
            .await
            .map_err(|_| LinkFault::Silent)?
            .map_err(|error| LinkFault::from(&error))?;
        let mut link = Link::new(TlsStream::from(stream));
        let frame = hello.to_frame();
        // A refusal of our certificate arrives while we send or while we wait: either way the reading side knows it.
        let sent = link.send(&frame).await;
        let left = deadline.saturating_duration_since(Instant::now());
        let answer = link.recv(hello::MAX_BYTES, left).await?;
        sent?;
        if answer != frame {
            return Err(LinkFault::Garbage("the answer to the hello names another link".into()));
        }
        Ok(link)
    }
}

impl Drop for LinkHub {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, config: Arc<ServerConfig>, me: OrgId, inbox: Arc<Inbox>) {
    let acceptor = TlsAcceptor::from(config);
    let handshakes = Arc::new(Semaphore::new(MAX_HANDSHAKES));
    let mut sweep = interval(SWEEP_EVERY);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = sweep.tick() => {
                inbox.sweep();
                continue;
            }
        };
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(why) => {
                // Out of descriptors, usually; at once it would fail again.
                tracing::warn!(%why, "a link could not be accepted");
                sleep(FIRST_PAUSE).await;
                continue;
            }
        };
        let Ok(permit) = handshakes.clone().try_acquire_owned() else {
            tracing::warn!(%from, "too many handshakes at a time; one more is dropped");
            continue;
        };
        let (acceptor, me, inbox) = (acceptor.clone(), me.clone(), inbox.clone());
        tokio::spawn(async move {
            match timeout(HANDSHAKE_TIME, greet(stream, &acceptor, &me)).await {
                Ok(Ok((peer, hello, link))) => inbox.put(peer, hello, link),
                Ok(Err(fault)) => refused(from, &fault),
                Err(_) => refused(from, &LinkFault::Silent),
            }
            drop(permit);
        });
    }
}

fn refused(from: SocketAddr, fault: &LinkFault) {
    tracing::warn!(%from, %fault, "an inbound link was refused");
}

/// Handshake and hello of an inbound stream.
async fn greet(stream: TcpStream, acceptor: &TlsAcceptor, me: &OrgId) -> Result<(OrgId, Hello, Link), LinkFault> {
    stream.set_nodelay(true).map_err(|error| LinkFault::from(&error))?;
    let stream = acceptor.accept(stream).await.map_err(|error| LinkFault::from(&error))?;
    let peer = peer_org(stream.get_ref().1.peer_certificates())
        .ok_or_else(|| LinkFault::Other("the peer cannot be named".into()))?;
    if peer >= *me {
        return Err(LinkFault::Garbage(format!("{peer} dials where it should wait to be dialled")));
    }
    let mut link = Link::new(TlsStream::from(stream));
    let frame = link.recv(hello::MAX_BYTES, HANDSHAKE_TIME).await?;
    Ok((peer, Hello::read(&frame)?, link))
}
