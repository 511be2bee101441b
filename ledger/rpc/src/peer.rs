//! Messages and questions between nodes: the handler's side as a trait, the caller's side with a queue a peer.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use async_trait::async_trait;
use base_rt::{
    clock::Clock,
    tls::{NodeIdentity, Protocol, TlsFault, TrustRoots, client_config},
};
use base_types::OrgId;
use tokio::{sync::OwnedMutexGuard, task::JoinHandle, time::timeout};
use tonic::{Code, Request, Response, Status, transport::Channel};

use crate::{
    MAX_BODY_BYTES, MAX_CHANNEL_BYTES, MAX_MESSAGE_BYTES, RpcFault, connect,
    queue::Queue,
    stream::{ProvenPeer, Refusal},
    taken::{Runs, Taken},
    way::{FIRST_PAUSE, LONGEST_PAUSE, Way},
    wire,
};

type Client = wire::peer_client::PeerClient<Channel>;

/// Time for a batch to be taken over by the peer.
const DELIVERY_TIME: Duration = Duration::from_secs(20);

/// What a node does with its peers' messages. `from` is the organisation that the handshake proved.
#[async_trait]
pub trait PeerHandler: Send + Sync + 'static {
    /// Takes a message over. Messages of one peer come in their order and none twice, as long as this process runs; the
    /// next one waits for this call, which is carried to its end also when the peer has gone.
    async fn deliver(&self, from: &OrgId, channel: &str, body: Vec<u8>);

    /// Answers a question, or tells why not.
    async fn ask(&self, from: &OrgId, channel: &str, body: Vec<u8>) -> Result<Vec<u8>, String>;
}

pub(crate) struct PeerService {
    handler: Arc<dyn PeerHandler>,
    taken: Taken,
}

impl PeerService {
    pub(crate) fn new(handler: Arc<dyn PeerHandler>) -> Self {
        Self { handler, taken: Taken::default() }
    }
}

fn sender<T>(request: &Request<T>) -> Result<OrgId, Status> {
    let proven = request.extensions().get::<ProvenPeer>();
    proven.map(|peer| peer.0.clone()).ok_or_else(|| Status::unauthenticated("the sender is not proven"))
}

fn check(frame: &wire::Frame) -> Result<(), Status> {
    if frame.channel.len() > MAX_CHANNEL_BYTES {
        return Err(Status::invalid_argument("the channel's name is too long"));
    }
    if frame.run == 0 || frame.number == 0 {
        return Err(Status::invalid_argument("the message has no identifier"));
    }
    Ok(())
}

/// Hands over what is new of a batch; meanwhile `runs` keeps other batches of the sender waiting.
async fn hand_over(
    handler: Arc<dyn PeerHandler>,
    mut runs: OwnedMutexGuard<Runs>,
    from: OrgId,
    frames: Vec<wire::Frame>,
) {
    for wire::Frame { channel, body, run, number } in frames {
        if runs.take(run, number) {
            handler.deliver(&from, &channel, body).await;
        } else {
            tracing::debug!(%from, %channel, run, number, "a message came again, or after a later one, and was dropped");
        }
    }
}

#[async_trait]
impl wire::peer_server::Peer for PeerService {
    async fn deliver(&self, request: Request<wire::Frames>) -> Result<Response<wire::Ack>, Status> {
        let from = sender(&request)?;
        let frames = request.into_inner().frames;
        frames.iter().try_for_each(check)?;
        let runs = self.taken.of(&from).await;
        // A task of its own: a caller that gives up ends this call, and must not end it in the midst of a message.
        let handing = tokio::spawn(hand_over(self.handler.clone(), runs, from, frames));
        handing.await.map_err(|_| Status::internal("a message was not taken over"))?;
        Ok(Response::new(wire::Ack {}))
    }

    async fn ask(&self, request: Request<wire::Frame>) -> Result<Response<wire::Frame>, Status> {
        let from = sender(&request)?;
        let question = request.into_inner();
        check(&question)?;
        let wire::Frame { channel, body, run, number } = question;
        let body = self.handler.ask(&from, &channel, body).await.map_err(|why| {
            tracing::debug!(%from, %channel, run, number, %why, "a question was refused");
            Status::failed_precondition(why)
        })?;
        Ok(Response::new(wire::Frame { channel, body, run, number }))
    }
}

struct Peer {
    client: Client,
    queue: Arc<Queue>,
    way: Arc<Way>,
    refusal: Refusal,
    sending: JoinHandle<()>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.sending.abort();
    }
}

/// A node's way to its peers: one connection and one sending task each, so that a dead peer holds up nobody else.
pub struct PeerClient {
    identity: NodeIdentity,
    roots: Arc<TrustRoots>,
    clock: Arc<dyn Clock>,
    peers: RwLock<BTreeMap<OrgId, Arc<Peer>>>,
}

impl PeerClient {
    /// Knows the peers at these addresses (`host:port`); connects when there is something to say. Called inside a tokio
    /// runtime.
    ///
    /// # Errors
    /// [`TlsFault`] when the identity does not fit.
    pub fn new(
        identity: NodeIdentity,
        roots: Arc<TrustRoots>,
        clock: Arc<dyn Clock>,
        addresses: BTreeMap<OrgId, String>,
    ) -> Result<Arc<Self>, TlsFault> {
        let client = Self { identity, roots, clock, peers: RwLock::default() };
        for (org, address) in addresses {
            client.set_peer(org, address)?;
        }
        Ok(Arc::new(client))
    }

    /// Adds a peer or changes its address. What waits for the old address is dropped. A node has no peer in itself: its own
    /// organisation is passed over.
    ///
    /// # Errors
    /// [`TlsFault`].
    pub fn set_peer(&self, org: OrgId, address: String) -> Result<(), TlsFault> {
        if org == self.identity.org {
            return Ok(());
        }
        let tls = client_config(&self.identity, self.roots.clone(), self.clock.clone(), Protocol::Control, &org)?;
        let refusal = Refusal::default();
        let client = Client::new(connect::secure(address, tls, Some(self.roots.clone()), refusal.clone()))
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
            .max_encoding_message_size(MAX_MESSAGE_BYTES);
        let (queue, way) = (Arc::new(Queue::new()), Arc::new(Way::default()));
        let sending = send_all(org.clone(), client.clone(), (queue.clone(), way.clone()), refusal.clone());
        let sending = tokio::spawn(sending);
        let peer = Arc::new(Peer { client, queue, way, refusal, sending });
        self.peers.write().unwrap_or_else(PoisonError::into_inner).insert(org, peer);
        Ok(())
    }

    fn peer(&self, org: &OrgId) -> Option<Arc<Peer>> {
        self.peers.read().unwrap_or_else(PoisonError::into_inner).get(org).cloned()
    }

    /// The peers' organisations.
    pub fn peers(&self) -> Vec<OrgId> {
        self.peers.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Queues a message and returns at once. It arrives in order and once, unless the peer stays away until newer messages
    /// push it out; a peer that was restarted before it acknowledged takes it again. A message that cannot be sent at all
    /// is logged and dropped.
    pub fn deliver(&self, to: &OrgId, channel: &str, body: Vec<u8>) {
        match self.peer(to) {
            Some(peer) if fits(channel, &body) => peer.queue.push(channel, body),
            Some(_) => tracing::error!(%to, channel, bytes = body.len(), "a message is too long and was dropped"),
            None => tracing::warn!(%to, channel, "a message for an unknown peer was dropped"),
        }
    }

    /// Queues a message for every peer.
    pub fn broadcast(&self, channel: &str, body: &[u8]) {
        for org in self.peers() {
            self.deliver(&org, channel, body.to_vec());
        }
    }

    /// A peer has spoken, so it is there: what waits for it is tried again at once, however long it was gone.
    pub fn heard(&self, from: &OrgId) {
        if let Some(peer) = self.peer(from) {
            peer.way.heard();
        }
    }

    /// Whether a peer is known to be gone: the last message to it did not arrive, and it has not been heard since.
    pub fn is_away(&self, peer: &OrgId) -> bool {
        self.peer(peer).is_some_and(|peer| peer.way.is_away())
    }

    /// How many messages for `to` were pushed out by newer ones.
    pub fn dropped(&self, to: &OrgId) -> u64 {
        self.peer(to).map_or(0, |peer| peer.queue.dropped())
    }

    /// Asks a peer and waits at most `patience`. Questions pass the queue by.
    ///
    /// # Errors
    /// [`RpcFault`].
    pub async fn ask(&self, to: &OrgId, channel: &str, body: Vec<u8>, patience: Duration) -> Result<Vec<u8>, RpcFault> {
        let peer = self.peer(to).ok_or_else(|| RpcFault::UnknownPeer(to.clone()))?;
        if !fits(channel, &body) {
            return Err(RpcFault::TooLong);
        }
        let request = peer.queue.numbered(channel, body);
        let mut client = peer.client.clone();
        let answer = timeout(patience, client.ask(request)).await.map_err(|_| RpcFault::Silent)?;
        match answer {
            Ok(answer) => {
                // It is there, and takes this node's certificate, perhaps since a moment ago.
                peer.way.heard();
                Ok(answer.into_inner().body)
            }
            Err(status) => Err(RpcFault::of_status(&status, peer.refusal.get())),
        }
    }
}

fn fits(channel: &str, body: &[u8]) -> bool {
    channel.len() <= MAX_CHANNEL_BYTES && body.len() <= MAX_BODY_BYTES
}

/// Sends a peer's queue, one batch after the other, and pauses ever longer while the peer is away and says nothing.
async fn send_all(org: OrgId, mut client: Client, (queue, way): (Arc<Queue>, Arc<Way>), refusal: Refusal) {
    let mut pause = FIRST_PAUSE;
    loop {
        let frames = queue.next_batch().await;
        let sent = timeout(DELIVERY_TIME, client.deliver(wire::Frames { frames: frames.clone() })).await;
        let status = match sent {
            Ok(Ok(_)) => {
                way.tried(true);
                pause = FIRST_PAUSE;
                continue;
            }
            Ok(Err(status)) => status,
            Err(_) => Status::deadline_exceeded("no answer"),
        };
        if matches!(status.code(), Code::InvalidArgument | Code::OutOfRange | Code::Unimplemented) {
            let (run, first) = frames.first().map_or((0, 0), |frame| (frame.run, frame.number));
            let (count, why) = (frames.len(), status.message());
            tracing::error!(peer = %org, run, first, count, why, "a peer does not take messages like these");
            continue;
        }
        if pause == FIRST_PAUSE {
            let fault = RpcFault::of_status(&status, refusal.get());
            tracing::warn!(peer = %org, %fault, "a peer does not take messages; trying again");
        }
        way.tried(false);
        queue.put_back(frames);
        way.rest(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
