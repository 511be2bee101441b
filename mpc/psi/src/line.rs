//! One peer over one fork of a session: what a two-party protocol sends, receives and blames.
//!
//! Every message carries a checksum, so that one that was changed on its way, or in memory, ends the run instead of
//! changing what the sets seem to be. It is no defence against the peer, which chooses its messages.

use mpc_block::{Block, gf_dot};
use mpc_core::{Abort, Context};

/// Blocks that are summed up at a time.
const TILE: usize = 1024;
/// Length of a checksum.
const SUM_BYTES: usize = 16;

/// This party's end of a two-party fork. The parties take turns: a message goes one way.
pub(crate) struct Line {
    ctx: Context,
    peer: usize,
    /// Powers of the point that messages are evaluated at as polynomials over GF(2^128), from the power 0 to [`TILE`].
    powers: Vec<Block>,
    sent: u64,
    received: u64,
}

impl Line {
    /// Forks the session for this party and `peer`; the fork's identifier binds `parameters`, which name the roles.
    pub(crate) fn open(ctx: &mut Context, peer: usize, label: &str, parameters: &[u8]) -> Self {
        let ctx = ctx.fork_bound(label, parameters);
        let point = halves(&ctx.digest("heqi/mpc/psi/checksum/1", &[]))[0];
        let powers =
            std::iter::successors(Some(Block::ONE), |power| Some(power.gf_mul(point))).take(TILE + 1).collect();
        Self { ctx, peer, powers, sent: 0, received: 0 }
    }

    /// The fork, for a protocol that runs within this one between two messages.
    pub(crate) fn ctx(&mut self) -> &mut Context {
        &mut self.ctx
    }

    /// The peer's number.
    pub(crate) fn peer(&self) -> usize {
        self.peer
    }

    /// The identifier of the fork.
    pub(crate) fn id(&self) -> [u8; 32] {
        self.ctx.id()
    }

    /// Names the step that an abort from here on reports.
    pub(crate) fn enter(&mut self, step: &'static str) {
        self.ctx.enter(step);
    }

    /// Tells the transport that a phase begins here.
    pub(crate) fn phase(&self, phase: &'static str) {
        self.ctx.phase(phase);
    }

    /// Sends one message; an empty one is not sent.
    pub(crate) async fn send(&mut self, mut message: Vec<u8>) -> Result<(), Abort> {
        if message.is_empty() {
            return Ok(());
        }
        let sum = checksum(&self.powers, self.sent, &message);
        self.sent += 1;
        message.extend_from_slice(&sum.to_bytes());
        self.ctx.round(vec![(self.peer, message)], &[]).await.map(|_| ())
    }

    /// Waits for a message of exactly `due` bytes; of none, for nothing.
    pub(crate) async fn receive(&mut self, due: usize) -> Result<Vec<u8>, Abort> {
        if due == 0 {
            return Ok(Vec::new());
        }
        let got = self.ctx.round(Vec::new(), &[(self.peer, due + SUM_BYTES)]).await?;
        let mut message = got.into_iter().next().unwrap_or_default();
        let sum = message.split_off(due.min(message.len()));
        if sum != checksum(&self.powers, self.received, &message).to_bytes() {
            return Err(self.blame("a message with a wrong checksum"));
        }
        self.received += 1;
        Ok(message)
    }

    /// An abort that holds the peer responsible.
    pub(crate) fn blame(&self, why: impl Into<String>) -> Abort {
        self.ctx.name(Abort::peer(self.peer, why))
    }

    /// An abort for a reason of this party's own.
    pub(crate) fn fail(&self, why: impl Into<String>) -> Abort {
        self.ctx.name(Abort::local(why))
    }

    /// The first half of a digest that is bound to the fork.
    pub(crate) fn digest_block(&self, domain: &str) -> Block {
        halves(&self.ctx.digest(domain, &[]))[0]
    }

    /// A block of this party's own randomness.
    pub(crate) fn random_block(&self) -> Block {
        let mut bytes = [0; 16];
        self.ctx.random(&mut bytes);
        Block::from_bytes(bytes)
    }

    /// 32 bytes of this party's own randomness.
    pub(crate) fn random_bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.ctx.random(&mut bytes);
        bytes
    }
}

/// Number, length and bytes of a message as a polynomial at the point whose powers are given.
fn checksum(powers: &[Block], number: u64, message: &[u8]) -> Block {
    let (powers, shift) = (&powers[..TILE], powers[TILE]);
    let mut sum = Block::from_u128((u128::from(number) << 64) | message.len() as u128);
    let mut tile = Vec::with_capacity(TILE);
    for chunk in message.chunks(TILE * 16) {
        let (whole, rest) = chunk.as_chunks::<16>();
        tile.clear();
        tile.extend(whole.iter().map(|bytes| Block::from_bytes(*bytes)));
        if !rest.is_empty() {
            let mut last = [0; 16];
            last[..rest.len()].copy_from_slice(rest);
            tile.push(Block::from_bytes(last));
        }
        sum = sum.gf_mul(shift) ^ gf_dot(&tile, powers);
    }
    sum
}

/// An empty message with memory for `bytes` bytes and its checksum.
pub(crate) fn message(bytes: usize) -> Vec<u8> {
    Vec::with_capacity(bytes + SUM_BYTES)
}

/// A digest as two blocks.
pub(crate) fn halves(digest: &[u8; 32]) -> [Block; 2] {
    let (chunks, _) = digest.as_chunks::<16>();
    [Block::from_bytes(chunks[0]), Block::from_bytes(chunks[1])]
}

/// Numbers in the canonical form that forks bind.
pub(crate) fn encode_numbers(numbers: &[usize]) -> Vec<u8> {
    numbers.iter().flat_map(|number| (*number as u64).to_be_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use mpc_core::memory;

    use super::*;

    #[test]
    fn a_checksum_sees_number_length_and_every_bit() {
        let mut contexts = memory::contexts(memory::network(2), [1; 32]);
        let line = Line::open(&mut contexts[0], 1, "x", &[]);
        let message: Vec<u8> = (0..40_000_u32).map(|at| (at * at) as u8).collect();
        let sum = checksum(&line.powers, 3, &message);
        assert!(sum != checksum(&line.powers, 4, &message));
        assert!(sum != checksum(&line.powers, 3, &[&message[..], &[0]].concat()));
        for bit in (0..message.len() * 8).step_by(997) {
            let mut changed = message.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(sum != checksum(&line.powers, 3, &changed), "{bit}");
        }
    }

    #[tokio::test]
    async fn messages_arrive_and_nothing_is_sent_for_an_empty_one() {
        let mut contexts = memory::contexts(memory::network(2), [1; 32]).into_iter();
        let (mut zero, mut one) = (contexts.next().unwrap(), contexts.next().unwrap());
        let (mut left, mut right) = (Line::open(&mut zero, 1, "x", &[7]), Line::open(&mut one, 0, "x", &[7]));
        for message in [vec![], vec![1], vec![2; 70_000]] {
            left.send(message.clone()).await.unwrap();
            assert_eq!(right.receive(message.len()).await.unwrap(), message);
        }
        assert_eq!(zero.bytes_sent(), 70_001 + 2 * SUM_BYTES as u64);
    }
}
