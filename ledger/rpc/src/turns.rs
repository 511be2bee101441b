//! Turns: of one organisation's calls few are read, answered and told at a time, over all its connections.
//!
//! What a call brings stays on the network, within its connection's window, until the call's turn comes, and the turn ends when
//! the answer has left. So who sends slowly, or reads no answers, holds up itself alone, and no more memory here than its turns
//! allow, however many calls it opens.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use base_types::OrgId;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{
    body::Body,
    codegen::{
        BoxFuture, Service,
        http::{Request, Response},
    },
    server::NamedService,
};

use crate::stream::ProvenPeer;

/// Batches of messages: an honest node sends one after the other.
const MESSAGES: usize = 4;
/// Questions between nodes.
pub(crate) const QUESTIONS: usize = 8;
/// Submissions, which are short and wait for their blocks.
const SUBMISSIONS: usize = 4096;
/// All else that clients ask.
const READS: usize = 256;
const LANES: [usize; 4] = [MESSAGES, QUESTIONS, SUBMISSIONS, READS];

/// Which of the lanes a call takes.
fn lane(path: &str) -> usize {
    match path.rsplit('/').next() {
        Some("Deliver") => 0,
        Some("Ask") => 1,
        Some("Submit") => 2,
        _ => 3,
    }
}

type Lanes = [Arc<Semaphore>; LANES.len()];

/// The turns of all organisations. Only those that a handshake proved get in, so their number is bounded.
#[derive(Clone, Default)]
pub(crate) struct Turns(Arc<Mutex<BTreeMap<OrgId, Lanes>>>);

impl Turns {
    fn of(&self, org: &OrgId, lane: usize) -> Option<Arc<Semaphore>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lanes = all.entry(org.clone()).or_insert_with(|| LANES.map(|calls| Arc::new(Semaphore::new(calls))));
        lanes.get(lane).cloned()
    }
}

/// A service whose calls wait for their turns.
#[derive(Clone)]
pub(crate) struct InTurn<S> {
    inner: S,
    turns: Turns,
}

impl<S> InTurn<S> {
    pub(crate) fn new(inner: S, turns: Turns) -> Self {
        Self { inner, turns }
    }
}

impl<S: NamedService> NamedService for InTurn<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<Request<Body>> for InTurn<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Response<Body>, Infallible>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let proven = request.extensions().get::<ProvenPeer>();
        let turns = proven.and_then(|peer| self.turns.of(&peer.0, lane(request.uri().path())));
        // Nothing of the request is read before this is waited for.
        let answer = self.inner.call(request);
        Box::pin(async move {
            let turn = match turns {
                Some(turns) => turns.acquire_owned().await.ok(),
                None => None,
            };
            let answer = answer.await;
            answer.map(|answer| answer.map(|body| Body::new(Told { body, _turn: turn })))
        })
    }
}

/// An answer on its way, which takes its call's turn with it.
struct Told {
    body: Body,
    _turn: Option<OwnedSemaphorePermit>,
}

impl HttpBody for Told {
    type Data = <Body as HttpBody>::Data;
    type Error = <Body as HttpBody>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
