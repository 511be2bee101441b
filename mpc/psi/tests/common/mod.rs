//! Two parties over the in-memory network, links that change one frame, sets with a known intersection, buckets in memory.

#![allow(dead_code)]

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use mpc_block::{Block, BlockPrg};
use mpc_core::{Abort, Blame, Context, Prg, Transport, memory};
use mpc_psi::partitioned::{Plan, Spill, Writer};

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

/// An honest run.
pub const HONEST: (usize, usize, Change) = (0, usize::MAX, Change::None);

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
    let mut contexts = memory::contexts(transports.collect(), [23; 32]).into_iter();
    let (zero, one) = (zero(contexts.next().unwrap()), one(contexts.next().unwrap()));
    let (zero, one) = (tokio::spawn(zero), tokio::spawn(one));
    let out = (zero.await.expect("no panic"), one.await.expect("no panic"));
    let lengths = notes.map(|lengths| lengths.lock().unwrap().clone());
    (out.0, out.1, lengths)
}

/// Whether an abort blames a peer or the network, not this party.
pub fn is_blamed<T>(outcome: &Result<T, Abort>) -> bool {
    outcome.as_ref().is_err_and(|abort| abort.blame != Blame::Local)
}

/// Pseudorandom blocks.
pub fn noise(seed: u128, count: usize) -> Vec<Block> {
    let mut out = vec![Block::ZERO; count];
    BlockPrg::new(Block::from_u128(seed)).fill(&mut out);
    out
}

/// Sets of the given sizes that share `common` elements, at indices of their own in each; those indices, ascending.
pub fn sets(sizes: [usize; 2], common: usize) -> ([Vec<Block>; 2], [Vec<usize>; 2]) {
    let shared = noise(1, common);
    let place = |side: usize| {
        let count = sizes[side];
        let all = [shared.clone(), noise(2 + side as u128, count - common)].concat();
        let places = Prg::new(&[side as u8 + 1; 32]).permutation(count as u32);
        let mut set = vec![Block::ZERO; count];
        all.iter().zip(&places).for_each(|(block, place)| set[*place as usize] = *block);
        let mut indices: Vec<usize> = places[..common].iter().map(|place| *place as usize).collect();
        indices.sort_unstable();
        (set, indices)
    };
    let ((left, left_indices), (right, right_indices)) = (place(0), place(1));
    ([left, right], [left_indices, right_indices])
}

/// Storage for buckets in memory.
#[derive(Clone, Default)]
pub struct Stored {
    pub runs: BTreeMap<usize, Vec<u8>>,
    /// How often a bucket was read.
    pub loads: usize,
    /// Nothing more has room.
    pub full: bool,
}

impl Spill for Stored {
    fn append(&mut self, bucket: usize, bytes: &[u8]) -> Result<(), String> {
        if self.full {
            return Err("no space left".into());
        }
        self.runs.entry(bucket).or_default().extend_from_slice(bytes);
        Ok(())
    }

    fn load(&mut self, bucket: usize) -> Result<Vec<u8>, String> {
        self.loads += 1;
        Ok(self.runs.get(&bucket).cloned().unwrap_or_default())
    }
}

/// Elements dealt out to buckets, each with its place as its row.
pub fn spilled(plan: &Plan, elements: &[Block]) -> Stored {
    let mut stored = Stored::default();
    let mut writer = Writer::new(plan, &mut stored);
    elements.iter().zip(0..).for_each(|(element, row)| writer.push(*element, row).unwrap());
    writer.finish().unwrap();
    stored
}
