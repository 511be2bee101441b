//! The engine's frames over the parties' data links, each stream counted and digested for its evidence.

use std::{
    sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use base_gm::sm3::Tree;
use base_rt::links::{Link, LinkFault, LinkReceiver, LinkSender};
use base_types::{Digest, OrgId};
use mpc_core::{Abort, Blame, Passing, Transport};
use notary_terms::Stream;
use tokio::sync::Mutex;

use crate::{
    flows::{Count, Direction, Flows},
    halt::Halt,
    session::Links,
};

/// What one end saw of one direction.
struct Meter {
    hash: Tree,
    frames: u64,
    bytes: u64,
}

impl Meter {
    fn new(salt: &Digest) -> Self {
        Self { hash: Tree::new(&salt.0), frames: 0, bytes: 0 }
    }

    fn count(&mut self, frame: &[u8], step: &Count) {
        step.add(frame.len());
        self.frames += 1;
        self.bytes += frame.len() as u64;
        self.hash.update(&(frame.len() as u64).to_be_bytes());
        self.hash.update(frame);
    }
}

/// The counters of the step under way.
struct Counts {
    sent: Arc<Count>,
    received: Arc<Count>,
}

impl Counts {
    fn of(flows: &Flows, step: &str, peer: &OrgId) -> Self {
        Self { sent: flows.count(step, peer, Direction::Sent), received: flows.count(step, peer, Direction::Received) }
    }
}

struct Wire {
    org: OrgId,
    counts: StdMutex<Counts>,
    /// `None` once it is closed, like the receiver; what has passed stays counted.
    sender: Mutex<(Option<LinkSender>, Meter)>,
    receiver: Mutex<(Option<LinkReceiver>, Meter)>,
}

impl Wire {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a run's links share.
#[derive(Clone)]
pub(crate) struct Terms {
    /// How long a party may be silent.
    pub(crate) silence: Duration,
    /// Counts by step.
    pub(crate) flows: Arc<Flows>,
    /// Ends every wait.
    pub(crate) halt: Arc<Halt>,
}

/// One party's links to the others, by place.
pub(crate) struct Wires {
    me: OrgId,
    wires: Vec<Option<Wire>>,
    terms: Terms,
}

fn stream_salt(session: &Digest, from: &OrgId, to: &OrgId) -> Digest {
    base_gm::sm3::tagged("heqi/stream-salt/1", &[&session.0, from.as_str().as_bytes(), to.as_str().as_bytes()])
}

impl Wires {
    /// Takes over the links, at the step `step`; the place of `me` holds none.
    pub(crate) fn new(me: &OrgId, session: &Digest, links: Links, step: &str, terms: Terms) -> Arc<Self> {
        let wire = |org: OrgId, link: Link| {
            let (sender, receiver) = link.split();
            let sent = Meter::new(&stream_salt(session, me, &org));
            let received = Meter::new(&stream_salt(session, &org, me));
            let counts = StdMutex::new(Counts::of(&terms.flows, step, &org));
            let (sender, receiver) = (Mutex::new((Some(sender), sent)), Mutex::new((Some(receiver), received)));
            Wire { org, counts, sender, receiver }
        };
        let wires = links.into_iter().map(|(org, link)| link.map(|link| wire(org, link))).collect();
        Arc::new(Self { me: me.clone(), wires, terms })
    }

    /// What passes from now on belongs to this step: one of the run's, or a phase of the engine below it.
    pub(crate) fn step(&self, step: &str) {
        for wire in self.wires.iter().flatten() {
            *wire.counts() = Counts::of(&self.terms.flows, step, &wire.org);
        }
    }

    fn go_on(&self) -> Result<(), Abort> {
        self.terms.halt.by().map_or(Ok(()), |by| Err(called_off(by)))
    }

    fn wire(&self, place: usize) -> Result<&Wire, Abort> {
        self.wires.get(place).and_then(Option::as_ref).ok_or_else(|| abort(Blame::Local, "no link to that party"))
    }

    /// Closes all links: a peer that has not noticed that one broke hears of it.
    pub(crate) async fn close(&self) {
        for wire in self.wires.iter().flatten() {
            wire.sender.lock().await.0 = None;
            wire.receiver.lock().await.0 = None;
        }
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

fn called_off(by: &OrgId) -> Abort {
    abort(Blame::Local, format!("{by} called the job off"))
}

#[async_trait]
impl Transport for Wires {
    async fn send(&self, to: usize, frame: Vec<u8>) -> Result<(), Abort> {
        let frame = Passing::new(frame);
        let wire = self.go_on().and_then(|()| self.wire(to))?;
        let mut sender = wire.sender.lock().await;
        let (link, meter) = &mut *sender;
        let link = link.as_mut().ok_or_else(|| blame(to, &LinkFault::Gone))?;
        let count = wire.counts().sent.clone();
        meter.count(&frame, &count);
        tokio::select! {
            biased;
            sent = link.send(&frame) => sent.map_err(|f| blame(to, &f)),
            by = self.terms.halt.called_off() => Err(called_off(by)),
        }
    }

    async fn recv(&self, from: usize, max_len: usize) -> Result<Vec<u8>, Abort> {
        let wire = self.go_on().and_then(|()| self.wire(from))?;
        let mut receiver = wire.receiver.lock().await;
        let (link, meter) = &mut *receiver;
        let link = link.as_mut().ok_or_else(|| blame(from, &LinkFault::Gone))?;
        let frame = tokio::select! {
            biased;
            frame = link.recv(max_len, self.terms.silence) => frame.map_err(|f| blame(from, &f)),
            by = self.terms.halt.called_off() => Err(called_off(by)),
        }?;
        let count = wire.counts().received.clone();
        meter.count(&frame, &count);
        Ok(frame)
    }

    fn enter(&self, phase: &'static str) {
        self.step(phase);
    }
}
