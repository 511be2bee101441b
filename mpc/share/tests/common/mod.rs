//! Runs one closure a party over the in-memory network.

#![allow(dead_code)]

pub mod series;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use mpc_core::{Abort, Prg, Transport, memory};
use mpc_share::{Rep3, Ring, Shared};

/// Fractional bits of fixed-point numbers.
pub const FRAC: u32 = 20;

/// Runs the three parties at once; the answers are in the order of the parties.
pub async fn three<T, F, Fut>(seed: u8, party: F) -> Vec<T>
where
    T: Send + 'static,
    F: Fn(Rep3) -> Fut,
    Fut: Future<Output = Result<T, Abort>> + Send + 'static,
{
    over(memory::network(3), seed, party).await.into_iter().map(Result::unwrap).collect()
}

/// As [`three`], over given links; a party may end with an abort.
pub async fn over<T, F, Fut>(links: Vec<Arc<dyn Transport>>, seed: u8, party: F) -> Vec<Result<T, Abort>>
where
    T: Send + 'static,
    F: Fn(Rep3) -> Fut,
    Fut: Future<Output = Result<T, Abort>> + Send + 'static,
{
    let mut tasks = Vec::new();
    let setups = memory::contexts(links, [seed; 32])
        .into_iter()
        .map(|mut ctx| tokio::spawn(async move { Rep3::setup(&mut ctx).await }));
    let setups: Vec<_> = setups.collect();
    for setup in setups {
        tasks.push(tokio::spawn(party(setup.await.unwrap().unwrap())));
    }
    let mut out = Vec::new();
    for task in tasks {
        out.push(task.await.expect("no panic"));
    }
    out
}

/// Party 0's words, shared.
pub async fn input<R: Ring>(party: &mut Rep3, words: &[u64]) -> Result<Shared<R>, Abort> {
    let mine = if party.me() == 0 { words } else { &[] };
    let [shared, _, _] = party.input([words.len(), 0, 0], mine).await?;
    Ok(shared)
}

/// Pseudorandom words.
pub fn words(seed: u8, count: usize) -> Vec<u64> {
    Prg::new(&[seed; 32]).words(count)
}

/// What happens to one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// This bit is flipped (modulo the frame's length).
    Flip(usize),
    /// The last byte is cut off.
    Truncate,
    /// One byte is added.
    Extend,
    /// The frame is sent twice.
    Repeat,
}

/// A link that changes frame number `frame` of those it sends and counts all.
pub struct Changed {
    /// The link itself.
    pub inner: Arc<dyn Transport>,
    /// The frame.
    pub frame: usize,
    /// The change.
    pub change: Change,
    /// How many were sent.
    pub sent: Arc<AtomicUsize>,
}

#[async_trait]
impl Transport for Changed {
    async fn send(&self, to: usize, mut frame: Vec<u8>) -> Result<(), Abort> {
        if self.sent.fetch_add(1, Ordering::Relaxed) == self.frame {
            match self.change {
                Change::Flip(bit) => {
                    let bit = bit % (frame.len() * 8);
                    frame[bit / 8] ^= 1 << (bit % 8);
                }
                Change::Truncate => {
                    frame.pop();
                }
                Change::Extend => frame.push(0),
                Change::Repeat => self.inner.send(to, frame.clone()).await?,
            }
        }
        self.inner.send(to, frame).await
    }

    async fn recv(&self, from: usize, max_len: usize) -> Result<Vec<u8>, Abort> {
        self.inner.recv(from, max_len).await
    }
}
