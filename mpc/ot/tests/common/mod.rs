//! Two parties over the in-memory network, links that change one frame, and the ideal functionalities.

#![allow(dead_code)]

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use mpc_block::Block;
use mpc_core::{Abort, Blame, Context, Transport, memory};
use mpc_ot::bits;

/// What happens to one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    None,
    /// This bit is flipped (modulo the frame's length).
    Flip(usize),
    /// The last byte is cut off.
    Truncate,
    /// One byte is added.
    Extend,
    /// The frame is sent twice.
    Repeat,
    /// The frame before is sent in its place.
    Replay,
}

/// A link that changes frame number `frame` of those it sends, and notes the lengths of all.
struct Changed {
    inner: Arc<dyn Transport>,
    frame: usize,
    change: Change,
    sent: AtomicUsize,
    before: Mutex<Vec<u8>>,
    lengths: Arc<Mutex<Vec<usize>>>,
}

#[async_trait]
impl Transport for Changed {
    async fn send(&self, to: usize, mut frame: Vec<u8>) -> Result<(), Abort> {
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        self.lengths.lock().unwrap().push(frame.len());
        let before = std::mem::replace(&mut *self.before.lock().unwrap(), frame.clone());
        if number == self.frame {
            match self.change {
                Change::None => (),
                Change::Flip(bit) => {
                    let bit = bit % (frame.len() * 8);
                    frame[bit / 8] ^= 1 << (bit % 8);
                }
                Change::Truncate => {
                    frame.pop();
                }
                Change::Extend => frame.push(0),
                Change::Repeat => self.inner.send(to, frame.clone()).await?,
                Change::Replay => frame = before,
            }
        }
        self.inner.send(to, frame).await
    }

    async fn recv(&self, from: usize, max_len: usize) -> Result<Vec<u8>, Abort> {
        self.inner.recv(from, max_len).await
    }
}

/// Lengths of the frames that each of the two parties sent.
pub type Lengths = [Vec<usize>; 2];

/// Runs party 0 and party 1; frame `frame` of party `culprit` suffers `change`.
pub async fn pair<A, B, FA, FB>(
    (culprit, frame, change): (usize, usize, Change),
    zero: impl FnOnce(Context) -> FA,
    one: impl FnOnce(Context) -> FB,
) -> (A, B, Lengths)
where
    A: Send + 'static,
    B: Send + 'static,
    FA: Future<Output = A> + Send + 'static,
    FB: Future<Output = B> + Send + 'static,
{
    let notes: [Arc<Mutex<Vec<usize>>>; 2] = Default::default();
    let transports = memory::network(2).into_iter().enumerate().map(|(me, inner)| {
        let change = if me == culprit { change } else { Change::None };
        let (sent, before, lengths) = (AtomicUsize::new(0), Mutex::default(), notes[me].clone());
        Arc::new(Changed { inner, frame, change, sent, before, lengths }) as Arc<dyn Transport>
    });
    let mut contexts = memory::contexts(transports.collect(), [21; 32]).into_iter();
    let (zero, one) = (zero(contexts.next().unwrap()), one(contexts.next().unwrap()));
    let (zero, one) = (tokio::spawn(zero), tokio::spawn(one));
    let out = (zero.await.expect("no panic"), one.await.expect("no panic"));
    let lengths = notes.map(|lengths| lengths.lock().unwrap().clone());
    (out.0, out.1, lengths)
}

/// An honest run.
pub const HONEST: (usize, usize, Change) = (0, usize::MAX, Change::None);

/// The ideal correlated transfer: what the receiver gets, from what the sender holds and the choices.
pub fn ideal_correlated(q: &[Block], delta: Block, choices: &[Block]) -> Vec<Block> {
    q.iter().enumerate().map(|(at, q)| if bits::get(choices, at) { *q ^ delta } else { *q }).collect()
}

/// The ideal transfer of one of two messages.
pub fn ideal_chosen(zeros: &[Block], ones: &[Block], choices: &[Block]) -> Vec<Block> {
    let one_of = |(at, (zero, one)): (usize, (&Block, &Block))| if bits::get(choices, at) { *one } else { *zero };
    zeros.iter().zip(ones).enumerate().map(one_of).collect()
}

/// An abort that a peer's behaviour caused, not this party.
pub fn is_blamed(outcome: &Result<(), Abort>) -> bool {
    outcome.as_ref().is_err_and(|abort| abort.blame != Blame::Local)
}

/// Bits to flip in a frame of `len` bytes: `count` of them, spread over header and payload.
pub fn spread(len: usize, count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |at| at * (len * 8 - 1) / (count - 1).max(1))
}
