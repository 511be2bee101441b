//! Two parties over the in-memory network, links that change one frame, and values at the edges.

#![allow(dead_code)]

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mpc_core::{Abort, Context, Transport, memory};
use mpc_two::{Additive, BitShares, Two};

/// Lengths around the borders of words and slices.
pub const LENGTHS: [usize; 6] = [0, 1, 63, 64, 65, 1000];

/// Numbers where signs, carries and wraps change.
pub const EDGES: [i64; 12] =
    [0, 1, -1, 2, i64::MIN, i64::MAX, i64::MIN + 1, i64::MAX - 1, 1 << 32, -(1 << 32), 0x0123_4567_89ab_cdef, -77];

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
    /// The frame before is sent in its place.
    Replay,
    /// Every byte behind the header is this one.
    Fill(u8),
}

/// A link that changes frame number `frame` of those it sends.
struct Changed {
    inner: Arc<dyn Transport>,
    frame: usize,
    change: Change,
    sent: Arc<AtomicUsize>,
    before: Mutex<Vec<u8>>,
}

#[async_trait]
impl Transport for Changed {
    async fn send(&self, to: usize, mut frame: Vec<u8>) -> Result<(), Abort> {
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
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
                Change::Replay => frame = before,
                Change::Fill(byte) => frame[8..].fill(byte),
            }
        }
        self.inner.send(to, frame).await
    }

    async fn recv(&self, from: usize, max_len: usize) -> Result<Vec<u8>, Abort> {
        self.inner.recv(from, max_len).await
    }
}

/// An honest run.
pub const HONEST: (usize, usize, Change) = (0, usize::MAX, Change::None);

/// Runs the same program at both parties while frame `frame` of party `culprit` suffers `change`; also returns how many
/// frames each party sent. A run that hangs fails the test.
pub async fn changed<T, F>(
    (culprit, frame, change): (usize, usize, Change),
    program: impl Fn(Context) -> F,
) -> ([T; 2], [usize; 2])
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let counts: [Arc<AtomicUsize>; 2] = Default::default();
    let transports = memory::network(2).into_iter().enumerate().map(|(me, inner)| {
        let change = if me == culprit { change } else { Change::None };
        let (sent, before) = (counts[me].clone(), Mutex::default());
        Arc::new(Changed { inner, frame, change, sent, before }) as Arc<dyn Transport>
    });
    let mut contexts = memory::contexts(transports.collect(), [33; 32]).into_iter();
    let zero = tokio::spawn(program(contexts.next().unwrap()));
    let one = tokio::spawn(program(contexts.next().unwrap()));
    let both = async { [zero.await.expect("no panic"), one.await.expect("no panic")] };
    let ended = tokio::time::timeout(Duration::from_secs(60), both).await.expect("no party waits for ever");
    (ended, counts.map(|count| count.load(Ordering::Relaxed)))
}

/// Runs the same program at both parties.
pub async fn both<T, F>(program: impl Fn(Context) -> F) -> [T; 2]
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    changed(HONEST, program).await.0
}

/// What both parties know after a run that revealed to both.
pub fn agreed<T: PartialEq + std::fmt::Debug>(results: [Result<T, Abort>; 2]) -> T {
    let [zero, one] = results.map(|result| result.expect("an honest run"));
    assert_eq!(zero, one);
    zero
}

/// Shares of values of party 0.
pub async fn share(two: &mut Two, values: &[u64]) -> Result<Additive, Abort> {
    let mine = if two.me() == 0 { values } else { &[] };
    two.input(0, mine, values.len()).await
}

/// The values, at both parties.
pub async fn open(two: &mut Two, x: &Additive) -> Result<Vec<u64>, Abort> {
    let zero = two.reveal(0, x).await?;
    let one = two.reveal(1, x).await?;
    Ok(zero.or(one).unwrap_or_default())
}

/// The bits, at both parties.
pub async fn open_bits(two: &mut Two, x: &BitShares) -> Result<Vec<bool>, Abort> {
    let zero = two.reveal_bits(0, x).await?;
    let one = two.reveal_bits(1, x).await?;
    Ok(zero.or(one).unwrap_or_default())
}

/// Values without a pattern.
pub fn some(count: usize, seed: u64) -> Vec<u64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state ^ (state >> 29)
    };
    (0..count).map(|_| next()).collect()
}

/// `count` pairs: every pair of edges first, as far as there is room, then others.
pub fn pairs(count: usize) -> (Vec<u64>, Vec<u64>) {
    let edges = EDGES.iter().flat_map(|x| EDGES.iter().map(|y| (*x as u64, *y as u64)));
    let others = some(count, 1).into_iter().zip(some(count, 2));
    edges.chain(others).take(count).unzip()
}
