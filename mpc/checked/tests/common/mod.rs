//! Three parties over the in-memory network, and links that change one frame of one party.

#![allow(dead_code)]

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use mpc_checked::{Checkable, Checked};
use mpc_core::{Abort, Blame, Context, Transport, memory};
use mpc_share::Shared;

/// Bytes of a frame before its payload.
pub const HEADER: usize = 8;

/// What happens to one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    None,
    /// This bit is flipped (modulo the frame's length).
    Flip(usize),
    /// These two words of the payload change places.
    Swap(usize, usize),
    /// All words of the payload are one more.
    More,
    /// The payload is zeros.
    Zero,
    /// The last byte is cut off.
    Truncate,
    /// One byte is added.
    Extend,
    /// The frame is sent twice.
    Repeat,
    /// The frame before is sent in its place; where the two are equal, a byte is added.
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

fn apply(change: Change, frame: &mut Vec<u8>, before: Vec<u8>) {
    match change {
        Change::None | Change::Repeat => (),
        Change::Flip(bit) => {
            let bit = bit % (frame.len() * 8);
            frame[bit / 8] ^= 1 << (bit % 8);
        }
        Change::Swap(one, other) => {
            (0..8).for_each(|byte| frame.swap(HEADER + 8 * one + byte, HEADER + 8 * other + byte));
        }
        Change::More => {
            for word in frame[HEADER..].as_chunks_mut::<8>().0 {
                *word = u64::from_le_bytes(*word).wrapping_add(1).to_le_bytes();
            }
        }
        Change::Zero => frame[HEADER..].fill(0),
        Change::Truncate => {
            frame.pop();
        }
        Change::Extend => frame.push(0),
        Change::Replay if *frame == before => frame.push(0),
        Change::Replay => *frame = before,
    }
}

#[async_trait]
impl Transport for Changed {
    async fn send(&self, to: usize, mut frame: Vec<u8>) -> Result<(), Abort> {
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        self.lengths.lock().unwrap().push(frame.len());
        let before = std::mem::replace(&mut *self.before.lock().unwrap(), frame.clone());
        if number == self.frame {
            if self.change == Change::Repeat {
                self.inner.send(to, frame.clone()).await?;
            }
            apply(self.change, &mut frame, before);
        }
        self.inner.send(to, frame).await
    }

    async fn recv(&self, from: usize, max_len: usize) -> Result<Vec<u8>, Abort> {
        self.inner.recv(from, max_len).await
    }
}

/// Which party's which frame suffers what.
pub type At = (usize, usize, Change);

/// An honest run.
pub const HONEST: At = (0, usize::MAX, Change::None);

/// Runs the three parties with one frame changed. The outcomes and the lengths of the frames sent are in the order of the
/// parties.
pub async fn changed<T, F, Fut>(
    seed: u8,
    (culprit, frame, change): At,
    party: F,
) -> (Vec<Result<T, Abort>>, Vec<Vec<usize>>)
where
    T: Send + 'static,
    F: Fn(Context) -> Fut,
    Fut: Future<Output = Result<T, Abort>> + Send + 'static,
{
    let notes: [Arc<Mutex<Vec<usize>>>; 3] = Default::default();
    let transports = memory::network(3).into_iter().enumerate().map(|(me, inner)| {
        let change = if me == culprit { change } else { Change::None };
        let (sent, before, lengths) = (AtomicUsize::new(0), Mutex::default(), notes[me].clone());
        Arc::new(Changed { inner, frame, change, sent, before, lengths }) as Arc<dyn Transport>
    });
    let contexts = memory::contexts(transports.collect(), [seed; 32]);
    let tasks: Vec<_> = contexts.into_iter().map(|ctx| tokio::spawn(party(ctx))).collect();
    let mut out = Vec::new();
    for task in tasks {
        out.push(task.await.expect("a party does not panic"));
    }
    let lengths = notes.iter().map(|lengths| lengths.lock().unwrap().clone()).collect();
    (out, lengths)
}

/// Runs three honest parties; the answers are in the order of the parties.
pub async fn three<T, F, Fut>(seed: u8, party: F) -> Vec<T>
where
    T: Send + 'static,
    F: Fn(Context) -> Fut,
    Fut: Future<Output = Result<T, Abort>> + Send + 'static,
{
    let (out, _) = changed(seed, HONEST, party).await;
    out.into_iter().map(|outcome| outcome.expect("honest parties finish")).collect()
}

/// The words of one party, shared.
pub async fn input_of<R: Checkable>(party: &mut Checked, owner: usize, words: &[u64]) -> Result<Shared<R>, Abort> {
    let mut counts = [0; 3];
    counts[owner] = words.len();
    let mine = if party.me() == owner { words } else { &[] };
    let mut all = party.input(counts, mine).await?;
    Ok(std::mem::replace(&mut all[owner], Shared::zeros(0)))
}

/// An abort that a peer's behaviour caused, not this party.
pub fn is_blamed<T>(outcome: &Result<T, Abort>) -> bool {
    outcome.as_ref().is_err_and(|abort| abort.blame != Blame::Local)
}
