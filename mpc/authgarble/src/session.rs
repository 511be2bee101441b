//! One party's state of a session: its secret, its transfers with every peer, and the runs over them.

use futures::future::try_join_all;
use mpc_block::{Block, Tmmo};
use mpc_core::{Abort, Context};
use mpc_ot::softspoken::Parameters;
use zeroize::Zeroizing;

use crate::correlation::{Correlation, extension};
use crate::garbler::Job;
use crate::net::{Net, halves};
use crate::online::online;
use crate::prepare::{Prepared, leaky_triples, prepare};
use crate::shape::{MOST_PARTIES, Outputs, Shape};

/// The party that evaluates; all others garble.
pub(crate) const EVALUATOR: usize = 0;
/// The garbler from whose labels the evaluator reads the masked values. The lowest bit of its `Δ` is 1, those of all others are 0, so
/// that of the sum of all is 1.
pub(crate) const LEAD: usize = 1;

/// One party of a session of 2 to [`MOST_PARTIES`]. An abort, also of a call that was cancelled, ends it.
pub struct Session {
    state: Option<State>,
}

struct State {
    ctx: Context,
    ends: Vec<Option<Box<dyn Correlation>>>,
    hash: Tmmo,
    delta: Zeroizing<Block>,
    /// Leaky triples and AND gates of all runs so far: what the hash's tweaks count.
    triples: u64,
    gates: u64,
}

/// A run that is prepared and waits for its inputs. It serves once.
pub struct Ready<'a> {
    net: Net,
    shape: &'a Shape,
    prepared: Prepared,
    first: u64,
    /// The session that prepared it.
    session: [u8; 32],
}

fn ended() -> Abort {
    Abort::local("this session of garbled circuits has ended with an abort")
}

/// A fork of the session that all parties have, with the same number for each.
fn fork(ctx: &mut Context) -> Result<Context, Abort> {
    let parties = ctx.parties();
    let fork = ctx.fork_bound("authgarble", &(parties as u64).to_be_bytes());
    if (2..=MOST_PARTIES).contains(&parties) {
        return Ok(fork);
    }
    Err(fork.name(Abort::local(format!("{parties} parties where 2 to {MOST_PARTIES} can be"))))
}

impl Session {
    /// Forks the session with all parties and sets up the transfers of every pair, in both directions.
    ///
    /// # Errors
    /// [`Abort`] when there are fewer than 2 or more than [`MOST_PARTIES`] parties, or a peer is gone or misbehaves.
    pub async fn setup(ctx: &mut Context, parameters: Parameters) -> Result<Self, Abort> {
        let mut fork = fork(ctx)?;
        fork.phase("base transfers");
        let (me, parties) = (fork.me(), fork.parties());
        let mut bytes = Zeroizing::new([0_u8; 16]);
        fork.random(&mut *bytes);
        let delta = Block::from_bytes(*bytes).with_lsb(me == LEAD);
        let mut work = Vec::with_capacity(parties - 1);
        for (low, high) in (0..parties).flat_map(|low| (low + 1..parties).map(move |high| (low, high))) {
            let pair = fork.fork_bound("pair", &[low as u8, high as u8]);
            if low == me || high == me {
                work.push(extension(pair, low + high - me, parameters, delta));
            }
        }
        // The pairs of one party come in the order of its peers.
        let mut ends: Vec<Option<Box<dyn Correlation>>> = try_join_all(work).await?.into_iter().map(Some).collect();
        ends.insert(me, None);
        Ok(Self::new(fork, delta, ends))
    }

    /// A session over transfers from elsewhere: one end a peer at the peer's place, `None` at this party's own, all made with
    /// `delta`, which is secret and used for nothing else. Its lowest bit is 1 at party 1 and 0 at all others.
    ///
    /// # Errors
    /// [`Abort`] when the number of parties, that of the ends or the lowest bit is another.
    pub fn over(ctx: &mut Context, delta: Block, ends: Vec<Option<Box<dyn Correlation>>>) -> Result<Self, Abort> {
        let fork = fork(ctx)?;
        let me = fork.me();
        let fits = |(party, end): (usize, &Option<Box<dyn Correlation>>)| end.is_some() == (party != me);
        if ends.len() != fork.parties() || !ends.iter().enumerate().all(fits) || delta.lsb() != (me == LEAD) {
            return Err(fork.name(Abort::local("transfers that do not belong to this party")));
        }
        Ok(Self::new(fork, delta, ends))
    }

    fn new(ctx: Context, delta: Block, ends: Vec<Option<Box<dyn Correlation>>>) -> Self {
        let [key, _] = halves(&ctx.digest("heqi/mpc/authgarble/hash-key/1", &[]));
        let (hash, delta) = (Tmmo::new(key), Zeroizing::new(delta));
        Self { state: Some(State { ctx, ends, hash, delta, triples: 0, gates: 0 }) }
    }

    /// Does all of a run that needs no inputs; what it costs is told by [`Shape::estimate`].
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or cheats, or the shape is that of other parties; every later call fails then too.
    pub async fn prepare<'a>(&mut self, shape: &'a Shape) -> Result<Ready<'a>, Abort> {
        let mut state = self.state.take().ok_or_else(ended)?;
        let mut net = Net::new(state.ctx.fork_bound("run", &shape.encode()));
        shape.check_parties(net.parties()).map_err(|abort| state.ctx.name(abort))?;
        net.phase("triples");
        let State { ends, hash, delta, triples, gates, .. } = &mut state;
        let prepared = prepare(&mut net, &shape.plan, ends, hash, **delta, *triples).await?;
        let first = *gates;
        *triples += leaky_triples(shape.plan.ands);
        *gates += shape.plan.ands as u64;
        let session = state.ctx.id();
        self.state = Some(state);
        Ok(Ready { net, shape, prepared, first, session })
    }

    /// Runs what is prepared. `inputs` are the bits of this party's inputs one after the other, each input's least significant bit
    /// first.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or cheats, or `inputs` has another length than the shape says; every later call fails then
    /// too.
    pub async fn evaluate(&mut self, ready: Ready<'_>, inputs: &[bool]) -> Result<Outputs, Abort> {
        let state = self.state.take().ok_or_else(ended)?;
        let Ready { mut net, shape, prepared, first, session } = ready;
        if session != state.ctx.id() {
            return Err(state.ctx.name(Abort::local("a run that another session prepared")));
        }
        let (me, parties) = (net.me(), net.parties());
        shape.check_inputs(me, inputs).map_err(|abort| state.ctx.name(abort))?;
        let job = Job { plan: &shape.plan, prepared: &prepared, hash: &state.hash, me, parties, first };
        let outputs = online(&mut net, shape, job, *state.delta, inputs).await?;
        self.state = Some(state);
        Ok(outputs)
    }

    /// [`Session::prepare`], then [`Session::evaluate`].
    ///
    /// # Errors
    /// As those.
    pub async fn run(&mut self, shape: &Shape, inputs: &[bool]) -> Result<Outputs, Abort> {
        let ready = self.prepare(shape).await?;
        self.evaluate(ready, inputs).await
    }
}
