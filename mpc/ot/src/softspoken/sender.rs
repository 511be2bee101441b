//! The sender of the extension: set-up, then correlated and random transfers.

use std::collections::VecDeque;

use mpc_block::{Block, Tmmo, xor_each};
use mpc_core::{Abort, Context};
use zeroize::Zeroizing;

use super::check::ANSWER_BYTES;
use super::chunk::{correction_bytes, room};
use super::sending::{Sending, Sent};
use super::{Parameters, leaf, tree};
use crate::base;
use crate::link::{Link, ended};
use crate::place::{Place, first_half};

/// Transfers whose keys are hashed while they are in the first-level cache.
const HASHED: usize = 512;

/// The party that has both messages of every transfer, and `Δ`. It exists once a session: it cannot be copied, and an abort ends it.
pub struct Sender {
    state: Option<(Link, Sending)>,
    hash: Tmmo,
    delta: Zeroizing<Block>,
}

/// The public key of the transfers' hash: the session decides it.
pub(super) fn hash_key(place: &Place) -> Block {
    first_half(&place.digest("heqi/mpc/ot/softspoken/hash-key/1", &[]))
}

impl Sender {
    /// Forks the session with party `peer`, which calls [`super::Receiver::setup`] with equal parameters: 2 messages.
    /// `delta` is fresh, uniform and secret; a caller that needs a fixed bit of it may set that bit.
    ///
    /// # Errors
    /// [`Abort`] when the peer is gone, its message is not what the protocol allows, or its trees are inconsistent.
    pub async fn setup(ctx: &mut Context, peer: usize, parameters: Parameters, delta: Block) -> Result<Self, Abort> {
        let me = ctx.me();
        let (fork, place) = Place::open(ctx, "softspoken", me, peer, &parameters.encode());
        let mut link = Link::new(fork, peer);
        link.enter("base transfers");
        let (base, request) = base::Receiver::start(place.reversed(), !delta, &mut |out: &mut [u8]| link.random(out));
        let due = base::ANSWER_BYTES + tree::SUMS_BYTES + leaf::proof_bytes(&parameters);
        let got = link.round(request, due).await?;
        let (answer, rest) = got.split_at(base::ANSWER_BYTES);
        let (sums, proof) = rest.split_at(tree::SUMS_BYTES);
        let keys = base.finish(answer).map_err(|fault| link.blame(fault.to_string()))?;
        link.enter("trees");
        let leaves = tree::rebuild(&parameters, delta, &keys, sums);
        let seeds = leaf::verify(&parameters, &place, delta, &leaves, proof)
            .ok_or_else(|| link.blame("the trees of the extension are inconsistent"))?;
        link.enter("extension");
        let hash = Tmmo::new(hash_key(&place));
        let sending = Sending::new(parameters, place, delta, &seeds);
        Ok(Self { state: Some((link, sending)), hash, delta: Zeroizing::new(delta) })
    }

    /// `Δ`, the difference of the two messages of every correlated transfer.
    pub fn delta(&self) -> Block {
        *self.delta
    }

    /// `count` correlated transfers: `sink` gets `q` of each, part by part, in order, each after its check. The message for
    /// choice 0 is `q`, the one for choice 1 is `q ⊕ Δ`.
    ///
    /// # Errors
    /// [`Abort`] when the peer is gone or cheats; every later call fails then too.
    pub async fn correlated<F>(&mut self, count: usize, mut sink: F) -> Result<(), Abort>
    where
        F: FnMut(&[Block]) + Send,
    {
        let mut deliver = |sent: Sent<'_>| sink(sent.keys);
        stream(&mut self.state, count, &mut deliver).await
    }

    /// `count` random transfers: `sink` gets the keys for choice 0 and those for choice 1, part by part, in order, each
    /// after its check.
    ///
    /// # Errors
    /// As [`Self::correlated`].
    pub async fn random<F>(&mut self, count: usize, mut sink: F) -> Result<(), Abort>
    where
        F: FnMut(&[Block], &[Block]) + Send,
    {
        let Self { state, hash, delta } = self;
        let delta = **delta;
        let mut ones: Zeroizing<Vec<Block>> = Zeroizing::new(Vec::new());
        let mut deliver = |sent: Sent<'_>| {
            let (first, zeros) = (u128::from(sent.first), sent.keys);
            let ones = room(&mut ones, zeros.len());
            for (part, (zeros, ones)) in zeros.chunks_mut(HASHED).zip(ones.chunks_mut(HASHED)).enumerate() {
                let first = first + (part * HASHED) as u128;
                xor_each(ones, zeros, delta);
                hash.hash_all(zeros, first);
                hash.hash_all(ones, first);
            }
            sink(zeros, ones);
        };
        stream(state, count, &mut deliver).await
    }

    /// One exchange with the receiver outside the chunks. An abort ends the state.
    pub(super) async fn exchange(&mut self, message: Vec<u8>, due: usize) -> Result<Vec<u8>, Abort> {
        let (mut link, sending) = self.state.take().ok_or_else(ended)?;
        let got = link.round(message, due).await?;
        self.state = Some((link, sending));
        Ok(got)
    }

    /// Ends the state and holds the receiver responsible.
    pub(super) fn end(&mut self, why: &str) -> Abort {
        self.state.take().map_or_else(ended, |(link, _)| link.blame(why))
    }
}

/// Runs the chunks of `count` transfers. The state is taken out for the time, so an abort or a cancelled call destroys it.
async fn stream<F>(state: &mut Option<(Link, Sending)>, count: usize, deliver: &mut F) -> Result<(), Abort>
where
    F: FnMut(Sent<'_>) + Send,
{
    let (mut link, mut sending) = state.take().ok_or_else(ended)?;
    run(&mut link, &mut sending, count, deliver).await?;
    *state = Some((link, sending));
    Ok(())
}

/// Step `s` waits for the corrections of chunk `s` and the answer for chunk `s − window`. The challenge goes out before anything is
/// computed; chunk `s − window` is delivered when its answer has passed.
async fn run<F>(link: &mut Link, sending: &mut Sending, count: usize, deliver: &mut F) -> Result<(), Abort>
where
    F: FnMut(Sent<'_>) + Send,
{
    let parameters = sending.parameters;
    let chunks = parameters.chunks(count);
    let window = parameters.window().min(chunks);
    let mut pending = VecDeque::with_capacity(window + 1);
    for step in 0..chunks + window {
        let transfers = parameters.count_of(step, count);
        let corrections = if step < chunks { correction_bytes(&parameters, transfers) } else { 0 };
        let answer = if step < window { 0 } else { ANSWER_BYTES };
        let message = link.receive(corrections + answer).await?;
        let (corrections, answer) = message.payload().split_at(corrections);
        let mut challenge = None;
        if step < chunks {
            let drawn = link.random_block();
            link.round(drawn.to_bytes().to_vec(), 0).await?;
            challenge = Some(drawn);
        }
        let checked = if step < window { None } else { pending.pop_front() };
        if let Some(chunk) = checked {
            if !sending.passes(&chunk, answer) {
                return Err(link.blame("the corrections of the extension are inconsistent"));
            }
            sending.finish(chunk, deliver);
        }
        if let Some(challenge) = challenge {
            pending.push_back(sending.columns(transfers, corrections, challenge));
        }
    }
    Ok(())
}
