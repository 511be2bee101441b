//! Opens links: on the connection that the pair of nodes has, dialled by the one that sorts first.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use base_types::OrgId;
use rustls::ServerConfig;
use tokio::{
    io::BufReader,
    net::{TcpListener, TcpStream},
    runtime::Handle,
    task::JoinHandle,
    time::{Instant, interval, sleep, timeout, timeout_at},
};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use super::{
    Link, LinkFault, READ_BYTES, Wire,
    connection::{Connection, Peer},
    door::Door,
    hello::Hello,
    lines::Lines,
};
use crate::{
    Handshakes,
    clock::Clock,
    tls::{
        NodeIdentity, Protocol, TlsFault, TrustRoots, check_again, client_config, peer_org, server_config, server_name,
    },
};

/// Handshakes under way at a time.
const MAX_HANDSHAKES: usize = 64;
/// Time for a handshake, and how long an open connection may give no sign of life while a link is asked for.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
const SWEEP_EVERY: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A node's end of all its data links. They end with it.
pub struct LinkHub {
    me: OrgId,
    identity: NodeIdentity,
    door: Door,
    peers: RwLock<BTreeMap<OrgId, String>>,
    lines: Arc<Lines>,
    /// One at a time dials a peer; the others find its connection.
    dialling: Mutex<BTreeMap<OrgId, Arc<tokio::sync::Mutex<()>>>>,
    /// Connections are driven here, whoever opens the first link on them.
    runtime: Handle,
    accepting: JoinHandle<()>,
}

impl LinkHub {
    /// Accepts links on `listener` until the hub is dropped; `peers` says where the others listen (`host:port`). Called
    /// inside a tokio runtime, which drives all connections.
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
        let door = Door { inbox: Arc::default(), roots, clock };
        let (me, lines, runtime) = (identity.org.clone(), Arc::<Lines>::default(), Handle::current());
        let accepting = tokio::spawn(accept(listener, config, me.clone(), door.clone(), lines.clone()));
        let (peers, dialling) = (RwLock::new(peers), Mutex::default());
        Ok(Arc::new(Self { me, identity, door, peers, lines, dialling, runtime, accepting }))
    }

    /// Sets where a peer listens; links that are open stay where they are.
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
            std::cmp::Ordering::Less => self.ask(peer, &hello, deadline).await,
            std::cmp::Ordering::Greater => self.await_inbound(peer, &hello, deadline).await,
            std::cmp::Ordering::Equal => Err(LinkFault::Other("a node opens no link to itself".into())),
        }
    }

    async fn await_inbound(&self, peer: &OrgId, hello: &Hello, deadline: Instant) -> Result<Link, LinkFault> {
        loop {
            let link = self.door.inbox.claim(peer, hello, deadline).await?;
            // One whose peer has given up meanwhile is passed over.
            if link.accept(hello) {
                return Ok(link);
            }
        }
    }

    /// Asks again while the peer is not there yet, or not there any more.
    async fn ask(&self, peer: &OrgId, hello: &Hello, deadline: Instant) -> Result<Link, LinkFault> {
        let mut pause = FIRST_PAUSE;
        loop {
            let fault = match timeout_at(deadline, self.ask_once(peer, hello)).await {
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

    async fn ask_once(&self, peer: &OrgId, hello: &Hello) -> Result<Link, LinkFault> {
        let connection = self.connection(peer).await?;
        let link = connection.open(hello)?;
        match link.accepted(hello, HANDSHAKE_TIME).await {
            Ok(()) => Ok(link),
            Err(fault) => {
                // It may be dead, or this node's certificate no longer good enough for it: another one shows.
                connection.retire();
                Err(fault)
            }
        }
    }

    /// The pair's connection; dialled where there is none that fits.
    async fn connection(&self, peer: &OrgId) -> Result<Arc<Connection>, LinkFault> {
        let dialling = {
            let mut dialling = self.dialling.lock().unwrap_or_else(PoisonError::into_inner);
            dialling.entry(peer.clone()).or_default().clone()
        };
        let _turn = dialling.lock().await;
        let address = self.peers.read().unwrap_or_else(PoisonError::into_inner).get(peer).cloned();
        let address = address.ok_or_else(|| LinkFault::Other(format!("no address of {peer} is known")))?;
        if let Some(connection) = self.lines.current(peer) {
            let Door { roots, clock, .. } = &self.door;
            let trusted = check_again(&connection.peer().certificate, roots, &**clock).is_ok();
            if trusted && connection.peer().address.as_ref() == Some(&address) {
                return Ok(connection);
            }
            connection.retire();
        }
        let connection = self.dial(peer, address).await?;
        if self.lines.add(&connection) {
            return Ok(connection);
        }
        connection.close();
        Err(LinkFault::Gone)
    }

    async fn dial(&self, peer: &OrgId, address: String) -> Result<Arc<Connection>, LinkFault> {
        let Door { roots, clock, .. } = &self.door;
        let config = client_config(&self.identity, roots.clone(), clock.clone(), Protocol::Links, peer)
            .map_err(|fault| LinkFault::Other(fault.to_string()))?;
        let (connector, at) = (TlsConnector::from(config), address.clone());
        // The socket belongs to the runtime that drives it.
        let dialled = self.runtime.spawn(async move { timeout(HANDSHAKE_TIME, shake_hands(&connector, &at)).await });
        let ended = |why: tokio::task::JoinError| LinkFault::Other(format!("dialling was broken off: {why}"));
        let (wire, certificate) = dialled.await.map_err(ended)?.map_err(|_| LinkFault::Silent)??;
        let peer = Peer { org: peer.clone(), certificate, address: Some(address) };
        Ok(Connection::start(&self.runtime, wire, peer, None))
    }

    /// How many connections and streams there are.
    #[cfg(test)]
    pub(super) fn count(&self) -> (usize, usize) {
        self.lines.count()
    }
}

impl Drop for LinkHub {
    fn drop(&mut self) {
        self.accepting.abort();
        self.lines.close();
    }
}

type Shown = rustls::pki_types::CertificateDer<'static>;

/// What the peer showed in a finished handshake.
fn shown(certificates: Option<&[Shown]>) -> Result<Shown, LinkFault> {
    let unnamed = || LinkFault::Other("the peer cannot be named".into());
    certificates.and_then(<[Shown]>::first).cloned().ok_or_else(unnamed)
}

/// An outbound connection.
async fn shake_hands(connector: &TlsConnector, address: &str) -> Result<(Wire, Shown), LinkFault> {
    let stream = TcpStream::connect(address).await.map_err(|error| LinkFault::from(&error))?;
    stream.set_nodelay(true).map_err(|error| LinkFault::from(&error))?;
    let stream = BufReader::with_capacity(READ_BYTES, stream);
    let stream = connector.connect(server_name(), stream).await.map_err(|error| LinkFault::from(&error))?;
    let certificate = shown(stream.get_ref().1.peer_certificates())?;
    Ok((TlsStream::from(stream), certificate))
}

async fn accept(listener: TcpListener, config: Arc<ServerConfig>, me: OrgId, door: Door, lines: Arc<Lines>) {
    let acceptor = TlsAcceptor::from(config);
    let mut handshakes = Handshakes::new(MAX_HANDSHAKES);
    let mut sweep = interval(SWEEP_EVERY);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = sweep.tick() => {
                door.inbox.sweep();
                lines.sweep();
                continue;
            }
        };
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(why) => {
                // Out of descriptors, usually; at once it would fail again.
                tracing::warn!(%why, "a connection could not be accepted");
                sleep(FIRST_PAUSE).await;
                continue;
            }
        };
        let (acceptor, me, door, lines) = (acceptor.clone(), me.clone(), door.clone(), lines.clone());
        let handshake = tokio::spawn(async move {
            match timeout(HANDSHAKE_TIME, greet(stream, &acceptor, &me)).await {
                Ok(Ok((wire, peer))) => admit(wire, peer, door, &lines),
                Ok(Err(fault)) => refused(from, &fault),
                Err(_) => refused(from, &LinkFault::Silent),
            }
        });
        if handshakes.begin(handshake.abort_handle()) {
            tracing::warn!(%from, "too many handshakes at a time; the oldest is given up");
        }
    }
}

fn refused(from: SocketAddr, fault: &LinkFault) {
    tracing::warn!(%from, %fault, "an inbound connection was refused");
}

/// Handshake of an inbound connection.
async fn greet(stream: TcpStream, acceptor: &TlsAcceptor, me: &OrgId) -> Result<(Wire, Peer), LinkFault> {
    stream.set_nodelay(true).map_err(|error| LinkFault::from(&error))?;
    let stream = BufReader::with_capacity(READ_BYTES, stream);
    let stream = acceptor.accept(stream).await.map_err(|error| LinkFault::from(&error))?;
    let certificates = stream.get_ref().1.peer_certificates();
    let org = peer_org(certificates).ok_or_else(|| LinkFault::Other("the peer cannot be named".into()))?;
    if org >= *me {
        return Err(LinkFault::Garbage(format!("{org} dials where it should wait to be dialled")));
    }
    let peer = Peer { org, certificate: shown(certificates)?, address: None };
    Ok((TlsStream::from(stream), peer))
}

/// Lets an inbound connection live, if its peer has not too many.
fn admit(wire: Wire, peer: Peer, door: Door, lines: &Lines) {
    let connection = Connection::start(&Handle::current(), wire, peer, Some(door));
    if !lines.add(&connection) {
        tracing::warn!(peer = %connection.peer().org, "too many connections of one node; one more is closed");
        connection.close();
    }
}
