//! Links that change one frame of one party in one way: what a protocol does with it is the test of that protocol.
//! [`crate::sweep`] makes every change in turn.
//!
//! A party behind such links is honest; to its peers it looks like one that is not, or like one whose frames come from
//! elsewhere. Whatever the change, each party should end with the right result or with an abort, and never wait for ever: so a
//! party that [`Mutation::Stall`]s or [`Mutation::Close`]s ends its peers' waits as the contract of [`Transport`] says, without
//! a clock.
//!
//! ```
//! use mpc_core::{memory, mutate};
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let change = mutate::Change { party: 0, frame: 1, mutation: mutate::Mutation::Flip(64) };
//! let (links, tape) = mutate::links(memory::network(2), Some(change));
//! let mut both = memory::contexts(links, [5; 32]);
//! both[0].exchange(1, &[7], 1, 0).await?;
//! both[0].exchange(1, &[7], 1, 0).await?;
//! assert_eq!(both[1].exchange(0, &[], 0, 1).await?, [7]);
//! assert_eq!(both[1].exchange(0, &[], 0, 1).await?, [6]);
//! assert_eq!(tape.frames(0).len(), 2);
//! # Ok::<(), mpc_core::Abort>(())
//! # }).unwrap();
//! ```

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;

use crate::{Abort, Transport};

/// Bytes at the front of a frame that say which fork and which number it belongs to; the rest is the message.
pub const HEADER: usize = 8;

/// What happens to a frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mutation {
    /// This bit is flipped, counted from the frame's first byte, modulo the frame's bits.
    Flip(usize),
    /// The last byte is cut off.
    Truncate,
    /// One byte is added.
    Extend,
    /// The message becomes that of the frame sent before to the same party (its own when it is the first), under the right
    /// header.
    Replay,
    /// The frame is sent twice.
    Repeat,
    /// Every bit of the message is 0.
    Zero,
    /// Every bit of the message is 1: out of most ranges.
    Ones,
    /// The frame is another one as it stands, such as one of the same place in another session.
    Foreign(Vec<u8>),
    /// The message is that of another frame, under the right header.
    Transplant(Vec<u8>),
    /// The frame is what this party received last, from whomever: a peer's own words, or another party's in this one's name.
    Reflect,
    /// As [`Self::Reflect`], under the right header.
    Impersonate,
    /// From this frame on the party says nothing more; its peers' waits for it end.
    Stall,
    /// From this frame on the party's links are closed to both sides.
    Close,
}

impl Mutation {
    /// Whether a link can do it that neither knows nor changes what frames hold: lengths, headers, doubles, frames of
    /// elsewhere and silence, which every protocol notices whatever its tier.
    pub fn is_of_links(&self) -> bool {
        match self {
            Self::Flip(bit) => *bit < 8 * HEADER,
            Self::Truncate | Self::Extend | Self::Repeat | Self::Foreign(_) | Self::Stall | Self::Close => true,
            Self::Replay | Self::Zero | Self::Ones | Self::Transplant(_) | Self::Reflect | Self::Impersonate => false,
        }
    }
}

/// Which frame changes: the one of number `frame`, from 0, of all that party `party` sends, to whomever.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// The sender.
    pub party: usize,
    /// The number of the frame.
    pub frame: usize,
    /// What happens to it.
    pub mutation: Mutation,
}

/// What every party handed to its links, before any change.
#[derive(Clone)]
pub struct Tape(Arc<Shared>);

impl Tape {
    /// The frames that a party has sent so far, each with its receiver, in order.
    pub fn frames(&self, party: usize) -> Vec<(usize, Vec<u8>)> {
        self.0.ends.get(party).map(|end| lock(&end.sent).clone()).unwrap_or_default()
    }

    /// Ends the waits of a party's peers for more than it has sent so far: it says nothing more.
    pub fn silence(&self, party: usize) {
        if let Some(end) = self.0.ends.get(party) {
            end.silent.send_replace(true);
        }
    }
}

#[derive(Default)]
struct End {
    sent: Mutex<Vec<(usize, Vec<u8>)>>,
    received: Mutex<Vec<u8>>,
    silent: watch::Sender<bool>,
}

struct Shared {
    ends: Vec<End>,
}

struct Changed {
    inner: Arc<dyn Transport>,
    me: usize,
    change: Option<Change>,
    shared: Arc<Shared>,
}

/// Wraps the links of all parties, those of party `i` at place `i`, and changes one frame where one is named.
pub fn links(inner: Vec<Arc<dyn Transport>>, change: Option<Change>) -> (Vec<Arc<dyn Transport>>, Tape) {
    let shared = Arc::new(Shared { ends: inner.iter().map(|_| End::default()).collect() });
    let wrap = |(me, inner)| {
        let change = change.clone().filter(|change| change.party == me);
        Arc::new(Changed { inner, me, change, shared: shared.clone() }) as Arc<dyn Transport>
    };
    (inner.into_iter().enumerate().map(wrap).collect(), Tape(shared.clone()))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The header of one frame and the message of another.
fn under(header: &[u8], other: &[u8]) -> Vec<u8> {
    let front = &header[..HEADER.min(header.len())];
    [front, other.get(HEADER..).unwrap_or_default()].concat()
}

impl Changed {
    fn end(&self) -> &End {
        &self.shared.ends[self.me]
    }

    /// Notes a frame; its number, and the one sent before to the same party.
    fn note(&self, to: usize, frame: &[u8]) -> (usize, Option<Vec<u8>>) {
        let mut sent = lock(&self.end().sent);
        let before = sent.iter().rev().find(|(other, _)| *other == to).map(|(_, frame)| frame.clone());
        sent.push((to, frame.to_vec()));
        (sent.len() - 1, before)
    }

    /// The frames that go out in place of one.
    fn mutated(&self, mutation: &Mutation, mut frame: Vec<u8>, before: Option<Vec<u8>>) -> Vec<Vec<u8>> {
        let message = HEADER.min(frame.len());
        match mutation {
            Mutation::Flip(bit) => {
                let bit = bit % (frame.len() * 8).max(1);
                frame.iter_mut().skip(bit / 8).take(1).for_each(|byte| *byte ^= 1 << (bit % 8));
            }
            Mutation::Truncate => {
                frame.pop();
            }
            Mutation::Extend => frame.push(0),
            Mutation::Replay => frame = under(&frame, &before.unwrap_or_else(|| frame.clone())),
            Mutation::Repeat => return vec![frame.clone(), frame],
            Mutation::Zero => frame[message..].fill(0),
            Mutation::Ones => frame[message..].fill(0xff),
            Mutation::Foreign(other) => frame = other.clone(),
            Mutation::Transplant(other) => frame = under(&frame, other),
            Mutation::Reflect => frame = lock(&self.end().received).clone(),
            Mutation::Impersonate => frame = under(&frame, &lock(&self.end().received)),
            Mutation::Stall | Mutation::Close => return Vec::new(),
        }
        vec![frame]
    }

    /// Whether the party has fallen silent with this frame or before; tells its peers.
    fn silenced(&self, number: usize) -> bool {
        let ends = |mutation: &Mutation| matches!(mutation, Mutation::Stall | Mutation::Close);
        let silent = self.change.as_ref().is_some_and(|change| number >= change.frame && ends(&change.mutation));
        if silent {
            self.end().silent.send_replace(true);
        }
        silent
    }

    fn closed(&self) -> bool {
        let closes = self.change.as_ref().is_some_and(|change| change.mutation == Mutation::Close);
        closes && *self.end().silent.borrow()
    }
}

#[async_trait]
impl Transport for Changed {
    async fn send(&self, to: usize, frame: Vec<u8>) -> Result<(), Abort> {
        let (number, before) = self.note(to, &frame);
        if self.silenced(number) {
            return if self.closed() { Err(Abort::network(to, "the link is closed")) } else { Ok(()) };
        }
        let frames = match &self.change {
            Some(change) if change.frame == number => self.mutated(&change.mutation, frame, before),
            _ => vec![frame],
        };
        for frame in frames {
            self.inner.send(to, frame).await?;
        }
        Ok(())
    }

    async fn recv(&self, from: usize, max_len: usize) -> Result<Vec<u8>, Abort> {
        if self.closed() {
            return Err(Abort::network(from, "the link is closed"));
        }
        let Some(peer) = self.shared.ends.get(from) else {
            return self.inner.recv(from, max_len).await;
        };
        let mut silent = peer.silent.subscribe();
        let silence = async {
            // The sender lives as long as the links do, so this ends with silence only.
            let _ = silent.wait_for(|silent| *silent).await.is_ok();
        };
        let frame = tokio::select! {
            biased;
            // What has come is received before silence counts, however much this task has done already.
            frame = tokio::task::unconstrained(self.inner.recv(from, max_len)) => frame?,
            () = silence => return Err(Abort::network(from, "no frame has come for too long")),
        };
        lock(&self.end().received).clone_from(&frame);
        Ok(frame)
    }
}

#[cfg(test)]
mod tests;
