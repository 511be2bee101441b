//! The receiver of the extension: set-up, then correlated and random transfers.

use std::collections::VecDeque;

use mpc_block::{Block, Tmmo};
use mpc_core::{Abort, Context, Frame};
use zeroize::Zeroizing;

use super::check::{ANSWER_BYTES, CHALLENGE_BYTES};
use super::chunk::correction_bytes;
use super::receiving::{Received, Receiving};
use super::sender::hash_key;
use super::{Parameters, leaf, tree};
use crate::base;
use crate::link::{Link, ended};
use crate::place::Place;

/// The party that has choice bits. It exists once a session: it cannot be copied, and an abort ends it.
pub struct Receiver {
    state: Option<(Link, Receiving)>,
    hash: Tmmo,
}

impl Receiver {
    /// Forks the session with party `peer`, which calls [`super::Sender::setup`] with equal parameters: 2 messages.
    ///
    /// # Errors
    /// [`Abort`] when the peer is gone or its message is not what the protocol allows.
    pub async fn setup(ctx: &mut Context, peer: usize, parameters: Parameters) -> Result<Self, Abort> {
        let me = ctx.me();
        let (fork, place) = Place::open(ctx, "softspoken", peer, me, &parameters.encode());
        let mut link = Link::new(fork, peer);
        link.enter("base transfers");
        let request = link.round(Vec::new(), base::REQUEST_BYTES).await?;
        // In the base transfers the roles are exchanged: the holder of `Δ` chooses.
        let (keys, mut message) = base::answer(&place.reversed(), &request, &mut |out: &mut [u8]| link.random(out))
            .map_err(|fault| link.blame(fault.to_string()))?;
        let roots: Zeroizing<Vec<Block>> =
            Zeroizing::new((0..parameters.trees()).map(|_| link.random_block()).collect());
        let (leaves, sums) = tree::grow(&parameters, &roots, &keys);
        let (seeds, proof) = leaf::prove(&parameters, &place, &leaves);
        message.extend_from_slice(&sums);
        message.extend_from_slice(&proof);
        link.round(message, 0).await?;
        link.enter("extension");
        let hash = Tmmo::new(hash_key(&place));
        Ok(Self { state: Some((link, Receiving::new(parameters, place, &seeds))), hash })
    }

    /// `count` correlated transfers with random choices: `sink` gets the choices (packed) and `t` of each transfer, part by
    /// part, in order; a part that others follow has a multiple of 128. A malicious sender does not learn the choices.
    ///
    /// # Errors
    /// [`Abort`] when the peer is gone; every later call fails then too.
    pub async fn correlated<F>(&mut self, count: usize, mut sink: F) -> Result<(), Abort>
    where
        F: FnMut(&[Block], &[Block]) + Send,
    {
        let mut deliver = |received: Received<'_>| sink(received.choices, received.keys);
        stream(&mut self.state, count, &mut deliver).await
    }

    /// `count` random transfers: `sink` gets the choices (packed) and the chosen key of each transfer, part by part, in
    /// order, as [`Self::correlated`].
    ///
    /// # Errors
    /// As [`Self::correlated`].
    pub async fn random<F>(&mut self, count: usize, mut sink: F) -> Result<(), Abort>
    where
        F: FnMut(&[Block], &[Block]) + Send,
    {
        let Self { state, hash } = self;
        let mut deliver = |received: Received<'_>| {
            let Received { first, choices, keys } = received;
            hash.hash_all(keys, u128::from(first));
            sink(choices, keys);
        };
        stream(state, count, &mut deliver).await
    }

    /// One exchange with the sender outside the chunks. An abort ends the state.
    pub(super) async fn exchange(&mut self, message: Vec<u8>, due: usize) -> Result<Vec<u8>, Abort> {
        let (mut link, receiving) = self.state.take().ok_or_else(ended)?;
        let got = link.round(message, due).await?;
        self.state = Some((link, receiving));
        Ok(got)
    }
}

/// Runs the chunks of `count` transfers. The state is taken out for the time, so an abort or a cancelled call destroys it.
async fn stream<F>(state: &mut Option<(Link, Receiving)>, count: usize, deliver: &mut F) -> Result<(), Abort>
where
    F: FnMut(Received<'_>) + Send,
{
    let (mut link, mut receiving) = state.take().ok_or_else(ended)?;
    run(&mut link, &mut receiving, count, deliver).await?;
    *state = Some((link, receiving));
    Ok(())
}

/// Step `s` sends the corrections of chunk `s` and the answer for chunk `s − window`, and waits for the challenge of chunk
/// `s + 1 − window`, which the sender sent at once when it had the corrections.
async fn run<F>(link: &mut Link, receiving: &mut Receiving, count: usize, deliver: &mut F) -> Result<(), Abort>
where
    F: FnMut(Received<'_>) + Send,
{
    let parameters = receiving.parameters;
    let chunks = parameters.chunks(count);
    let window = parameters.window().min(chunks);
    let mut pending = VecDeque::with_capacity(window + 1);
    let mut challenge = Block::ZERO;
    for step in 0..chunks + window {
        let transfers = parameters.count_of(step, count);
        let corrections = if step < chunks { correction_bytes(&parameters, transfers) } else { 0 };
        let mut message = Frame::with_capacity(corrections + ANSWER_BYTES);
        if step < chunks {
            pending.push_back(receiving.correct(transfers, &mut message));
        }
        let answered = if step < window { None } else { pending.pop_front() };
        if let Some(chunk) = &answered {
            message.extend_from_slice(&receiving.answer(chunk, challenge));
        }
        let more = step + 1 >= window && step + 1 < chunks + window;
        link.send(message).await?;
        let got = link.receive(if more { CHALLENGE_BYTES } else { 0 }).await?;
        if let Some(bytes) = got.payload().first_chunk::<CHALLENGE_BYTES>() {
            challenge = Block::from_bytes(*bytes);
        }
        if let Some(chunk) = answered {
            receiving.finish(chunk, deliver);
        }
    }
    Ok(())
}
