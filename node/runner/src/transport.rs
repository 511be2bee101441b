//! The engine's frames over the parties' data links, each stream counted and digested for its evidence.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use base_gm::sm3::Sm3Stream;
use base_rt::links::{Link, LinkFault, LinkReceiver, LinkSender};
use base_types::{Digest, OrgId};
use mpc_core::{Abort, Blame, Transport};
use notary_terms::Stream;
use tokio::sync::Mutex;

/// What one end saw of one direction.
struct Meter {
    hash: Sm3Stream,
    frames: u64,
    bytes: u64,
}

impl Meter {
    fn new(salt: &Digest) -> Self {
        let mut hash = Sm3Stream::new();
        hash.update(&salt.0);
        Self { hash, frames: 0, bytes: 0 }
    }

    fn count(&mut self, frame: &[u8]) {
        self.frames += 1;
        self.bytes += frame.len() as u64;
        self.hash.update(&(frame.len() as u64).to_be_bytes());
        self.hash.update(frame);
    }
}

struct Wire {
    org: OrgId,
    sender: Mutex<(LinkSender, Meter)>,
    receiver: Mutex<(LinkReceiver, Meter)>,
}

/// One party's links to the others, by place.
pub(crate) struct Wires {
    me: OrgId,
    wires: Vec<Option<Wire>>,
    silence: Duration,
}

fn stream_salt(session: &Digest, from: &OrgId, to: &OrgId) -> Digest {
    base_gm::sm3::tagged("heqi/stream-salt/1", &[&session.0, from.as_str().as_bytes(), to.as_str().as_bytes()])
}

impl Wires {
    /// Takes over the links; the place of `me` holds none.
    pub(crate) fn new(me: &OrgId, session: &Digest, links: Vec<(OrgId, Option<Link>)>, silence: Duration) -> Arc<Self> {
        let wire = |org: OrgId, link: Link| {
            let (sender, receiver) = link.split();
            let sent = Meter::new(&stream_salt(session, me, &org));
            let received = Meter::new(&stream_salt(session, &org, me));
            Wire { org, sender: Mutex::new((sender, sent)), receiver: Mutex::new((receiver, received)) }
        };
        let wires = links.into_iter().map(|(org, link)| link.map(|link| wire(org, link))).collect();
        Arc::new(Self { me: me.clone(), wires, silence })
    }

    fn wire(&self, place: usize) -> Result<&Wire, Abort> {
        self.wires.get(place).and_then(Option::as_ref).ok_or_else(|| abort(Blame::Local, "no link to that party"))
    }

    /// What this party saw of every stream, sorted by sender and receiver.
    pub(crate) async fn streams(&self) -> Vec<Stream> {
        let mut streams = Vec::new();
        for wire in self.wires.iter().flatten() {
            let sender = wire.sender.lock().await;
            streams.push(stream(&self.me, &wire.org, &sender.1));
            drop(sender);
            let receiver = wire.receiver.lock().await;
            streams.push(stream(&wire.org, &self.me, &receiver.1));
        }
        streams.sort_by(|a, b| (&a.from, &a.to).cmp(&(&b.from, &b.to)));
        streams
    }
}

fn stream(from: &OrgId, to: &OrgId, meter: &Meter) -> Stream {
    let digest = meter.hash.clone().finish();
    Stream { from: from.clone(), to: to.clone(), frames: meter.frames, bytes: meter.bytes, digest }
}

fn abort(blame: Blame, why: impl Into<String>) -> Abort {
    // The step is the protocol's to name.
    Abort { blame, step: String::new(), why: why.into() }
}

fn blame(place: usize, fault: &LinkFault) -> Abort {
    match fault {
        LinkFault::Garbage(_) => abort(Blame::Peer(place), fault.to_string()),
        _ => abort(Blame::Network(place), fault.to_string()),
    }
}

#[async_trait]
impl Transport for Wires {
    async fn send(&self, to: usize, frame: Vec<u8>) -> Result<(), Abort> {
        let mut sender = self.wire(to)?.sender.lock().await;
        let (link, meter) = &mut *sender;
        meter.count(&frame);
        link.send(&frame).await.map_err(|f| blame(to, &f))
    }

    async fn recv(&self, from: usize, max_len: usize) -> Result<Vec<u8>, Abort> {
        let mut receiver = self.wire(from)?.receiver.lock().await;
        let (link, meter) = &mut *receiver;
        let frame = link.recv(max_len, self.silence).await.map_err(|f| blame(from, &f))?;
        meter.count(&frame);
        Ok(frame)
    }
}
