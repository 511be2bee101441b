//! Frames on the product's own links: mutual TLS 1.3 between nodes, directly or through a shaped network.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use async_trait::async_trait;
use base_gm::{
    cert::{Subject, issue, self_signed_ca},
    sm2::SecretKey,
};
use base_rt::{
    Clock, SystemClock,
    links::{LinkFault, LinkHub, LinkReceiver, LinkSender},
    tls::{NODE_NAME, NodeIdentity, TrustRoots},
};
use base_types::OrgId;
use mpc_core::{Abort, Transport};
use tokio::sync::Mutex;

use super::shaper::Shaper;

const DAY_MS: u64 = 86_400_000;
/// How long a peer may be silent, and opening a link may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// What one party brings to its runtime.
pub struct Seat {
    me: usize,
    identity: NodeIdentity,
    roots: Arc<TrustRoots>,
    listener: TcpListener,
    peers: BTreeMap<OrgId, String>,
}

fn org(party: usize) -> anyhow::Result<OrgId> {
    OrgId::new(&format!("party{party}")).context("a party's name")
}

/// Identities, listeners and addresses for `parties`; with `shaped`, every address is a shaper's before the party.
///
/// # Errors
/// When the system gives no sockets or no certificate can be made.
pub fn seats(parties: usize, shaped: bool) -> anyhow::Result<(Vec<Seat>, Vec<Shaper>)> {
    let now = SystemClock.now_ms();
    let (from, until) = (now - DAY_MS, now + DAY_MS);
    let (mut members, mut authorities) = (Vec::new(), BTreeMap::new());
    let (mut shapers, mut peers) = (Vec::new(), BTreeMap::new());
    for party in 0..parties {
        let org = org(party)?;
        let (ca_key, key) = (SecretKey::from_seed(&[party as u8, 1]), SecretKey::from_seed(&[party as u8, 2]));
        let ca = self_signed_ca(&org, &ca_key, from, until)?;
        let subject = Subject { org: org.clone(), name: NODE_NAME.into() };
        let certificate = issue(&ca, &ca_key, &subject, &key.public(), from, until)?;
        authorities.insert(org.clone(), ca);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let own = listener.local_addr()?;
        peers.insert(org.clone(), address(own, shaped, &mut shapers)?);
        members.push((NodeIdentity { org, certificate, key: Arc::new(key) }, listener));
    }
    let roots = Arc::new(TrustRoots::new(authorities));
    let seat = |(me, (identity, listener)): (usize, (NodeIdentity, TcpListener))| Seat {
        me,
        identity,
        roots: roots.clone(),
        listener,
        peers: peers.clone(),
    };
    Ok((members.into_iter().enumerate().map(seat).collect(), shapers))
}

fn address(own: SocketAddr, shaped: bool, shapers: &mut Vec<Shaper>) -> anyhow::Result<String> {
    if !shaped {
        return Ok(own.to_string());
    }
    let shaper = Shaper::before(own)?;
    let address = shaper.address().to_string();
    shapers.push(shaper);
    Ok(address)
}

struct Wire {
    sending: Mutex<LinkSender>,
    receiving: Mutex<LinkReceiver>,
}

/// A party's links to all others.
pub struct Links {
    wires: Vec<Option<Wire>>,
    _hub: Arc<LinkHub>,
}

impl Links {
    /// Opens them, within the runtime that drives them.
    ///
    /// # Errors
    /// When a link does not open.
    pub async fn open(seat: Seat, session: [u8; 32], parties: usize) -> anyhow::Result<Self> {
        let Seat { me, identity, roots, listener, peers } = seat;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let hub = LinkHub::start(listener, identity, roots, Arc::new(SystemClock), peers)?;
        let mut wires = Vec::with_capacity(parties);
        for party in 0..parties {
            if party == me {
                wires.push(None);
                continue;
            }
            let link = hub.open(session, "bench", &org(party)?, PATIENCE).await;
            let (sender, receiver) = link.map_err(|fault| anyhow::anyhow!("a link to party {party}: {fault}"))?.split();
            wires.push(Some(Wire { sending: Mutex::new(sender), receiving: Mutex::new(receiver) }));
        }
        Ok(Self { wires, _hub: hub })
    }

    fn wire(&self, peer: usize) -> Result<&Wire, Abort> {
        let wire = self.wires.get(peer).and_then(Option::as_ref);
        wire.ok_or_else(|| Abort::local(format!("there is no link to party {peer}")))
    }
}

fn abort(peer: usize, fault: LinkFault) -> Abort {
    match fault {
        LinkFault::Garbage(why) => Abort::peer(peer, why),
        fault => Abort::network(peer, fault.to_string()),
    }
}

#[async_trait]
impl Transport for Links {
    async fn send(&self, to: usize, frame: Vec<u8>) -> Result<(), Abort> {
        let mut link = self.wire(to)?.sending.lock().await;
        link.send(&frame).await.map_err(|fault| abort(to, fault))
    }

    async fn recv(&self, from: usize, max_len: usize) -> Result<Vec<u8>, Abort> {
        let mut link = self.wire(from)?.receiving.lock().await;
        link.recv(max_len, PATIENCE).await.map_err(|fault| abort(from, fault))
    }
}
