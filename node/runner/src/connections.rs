//! The connections of a run, one after another: where a run may go on after a link has broken, it does so over fresh links.
//!
//! Every connection has a session of its own, so nothing random is used twice. The parties meet again under the first session's
//! name; a link that breaks while they do is tried again. Waiting for that is bounded over the whole run, and a job that is called
//! off ends it at once.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base_rt::clock::Clock;
use base_types::{
    Digest,
    fault::{Code, Fault},
};
use mpc_core::Context;
use notary_terms::{Connection, MAX_RESUMES, TransferBody};
use tokio::time::{sleep, timeout};

use crate::{
    Minutes,
    session::{Links, Meeting},
    transport::{Terms, Wires},
};

/// How many times the patience with a silent party all waiting together may last: the other side may notice that the link broke
/// only when it loses patience itself.
const WAITS: u32 = 2;
/// The pause before the first connection after a break; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The step to which what passes belongs when a run goes on.
const STEP: &str = "match keys";

/// A run's connections so far.
pub(crate) struct Connections {
    meeting: Meeting,
    terms: Terms,
    clock: Arc<dyn Clock>,
    /// The first session.
    session: Digest,
    state: Mutex<State>,
}

struct State {
    first: Arc<Wires>,
    /// Later ones, by rising number.
    later: Vec<(u32, Digest, Arc<Wires>)>,
    /// How long the run may still wait for a peer to come back, over all connections.
    left: Duration,
}

impl State {
    /// The number, session and links that are in use; `first` is the first session.
    fn last(&self, first: Digest) -> (u32, Digest, Arc<Wires>) {
        self.later.last().cloned().unwrap_or_else(|| (0, first, self.first.clone()))
    }
}

impl Connections {
    /// Opens the first one.
    pub(crate) async fn open(meeting: Meeting, terms: Terms, clock: Arc<dyn Clock>) -> Result<Arc<Self>, Fault> {
        let (session, links) = meeting.first(terms.silence).await?;
        let first = Wires::new(&meeting.me, &session, links, "open links", terms.clone());
        let state = Mutex::new(State { first, later: Vec::new(), left: terms.silence.saturating_mul(WAITS) });
        Ok(Arc::new(Self { meeting, terms, clock, session, state }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first session's digest.
    pub(crate) fn session(&self) -> &Digest {
        &self.session
    }

    /// How often the run has gone on over another connection.
    pub(crate) fn resumed(&self) -> u32 {
        self.state().last(self.session).0
    }

    /// The engine's view of the session that is in use.
    pub(crate) fn context(&self) -> Result<Context, Fault> {
        let Meeting { nodes, me, .. } = &self.meeting;
        let place = nodes.iter().position(|node| node == me);
        let place = place
            .ok_or_else(|| Fault::new(Code::NotAllowed, "join", "this node does not compute in the job").at(me))?;
        let entropy = self.meeting.entropy.clone();
        let fill = Box::new(move |out: &mut [u8]| entropy.fill(out));
        let (_, session, wires) = self.state().last(self.session);
        Ok(Context::new(session.0, place, nodes.len(), wires, fill))
    }

    /// What this party saw of every stream.
    pub(crate) async fn transfers(&self) -> TransferBody {
        let (first, later) = {
            let state = self.state();
            (state.first.clone(), state.later.clone())
        };
        let mut body = TransferBody { streams: first.streams().await, later: Vec::new() };
        for (number, _, wires) in later {
            body.later.push(Connection { number, streams: wires.streams().await });
        }
        body
    }

    /// Opens links again after `broken` has ended what went over the last ones; the engine's view of a session that is fresh.
    ///
    /// # Errors
    /// `broken` where no connection would mend it, where there were as many as there may be, and where the peer does not come
    /// back; what is wrong with a peer that does; and that the job was called off meanwhile.
    pub(crate) async fn again(&self, broken: Fault) -> Result<Context, Fault> {
        let (number, wires, left) = {
            let state = self.state();
            let (number, _, wires) = state.last(self.session);
            (number, wires, state.left)
        };
        if !mends(&broken) || number >= MAX_RESUMES {
            return Err(broken);
        }
        wires.close().await;
        let begun = self.clock.now_ms();
        let meeting = async { Ok(timeout(left, self.meet(number + 1, left)).await) };
        let met = self.terms.halt.unless("open links again", meeting).await?;
        let waited = Duration::from_millis(self.clock.now_ms().saturating_sub(begun));
        match met {
            Ok(Ok((number, session, links))) => {
                let wires = Wires::new(&self.meeting.me, &session, links, STEP, self.terms.clone());
                let mut state = self.state();
                state.left = state.left.saturating_sub(waited);
                state.later.push((number, session, wires));
            }
            Ok(Err(fault)) if !mends(&fault) => return Err(fault),
            // That it broke tells more than that it could not be mended.
            _ => return Err(broken),
        }
        self.context()
    }

    /// Meets the peers again, as often as it takes.
    async fn meet(&self, number: u32, patience: Duration) -> Result<(u32, Digest, Links), Fault> {
        let mut pause = FIRST_PAUSE.saturating_mul(1 << (number - 1).min(MAX_RESUMES));
        loop {
            sleep(pause).await;
            match self.meeting.again(&self.session, number, patience).await {
                Err(fault) if mends(&fault) => pause = pause.saturating_mul(2),
                met => return met,
            }
        }
    }
}

/// Whether another connection may mend what ended one: a link that broke, not a party that is wrong.
fn mends(fault: &Fault) -> bool {
    matches!(fault.code, Code::PeerGone | Code::PeerSilent)
}

/// Those who are told which step of the run is under way.
pub(crate) struct Stepping<'a> {
    pub(crate) minutes: &'a dyn Minutes,
    pub(crate) connections: &'a Arc<Connections>,
}

impl Stepping<'_> {
    pub(crate) fn progress(&self, step: &str) {
        self.wires().step(step);
        self.minutes.progress(step);
    }

    /// The links that are in use.
    pub(crate) fn wires(&self) -> Arc<Wires> {
        self.connections.state().last(self.connections.session).2
    }
}
