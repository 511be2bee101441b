//! Any number of parties over the in-memory network, with links that change one frame, and elements to intersect.

#![allow(dead_code)]

use std::future::Future;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use mpc_block::{Block, BlockPrg};
use mpc_core::{Abort, Blame, Context, Transport, memory};

/// What happens to a frame.
pub type Change = Arc<dyn Fn(&mut Vec<u8>) + Send + Sync>;

/// The frame that is changed: number `frame` from party `from` to party `to`.
#[derive(Clone)]
pub struct Lie {
    pub from: usize,
    pub to: usize,
    pub frame: usize,
    pub change: Change,
}

impl Lie {
    pub fn new(
        (from, to, frame): (usize, usize, usize),
        change: impl Fn(&mut Vec<u8>) + Send + Sync + 'static,
    ) -> Option<Self> {
        Some(Self { from, to, frame, change: Arc::new(change) })
    }
}

/// Frames in the order sent: from, to, bytes.
pub type Frames = Vec<(usize, usize, Vec<u8>)>;

struct Link {
    me: usize,
    inner: Arc<dyn Transport>,
    lie: Option<Lie>,
    log: Arc<Mutex<Frames>>,
}

#[async_trait]
impl Transport for Link {
    async fn send(&self, to: usize, mut frame: Vec<u8>) -> Result<(), Abort> {
        let number = {
            let mut log = self.log.lock().unwrap();
            let number = log.iter().filter(|(from, other, _)| (*from, *other) == (self.me, to)).count();
            log.push((self.me, to, frame.clone()));
            number
        };
        if let Some(lie) = self.lie.as_ref().filter(|lie| (lie.from, lie.to, lie.frame) == (self.me, to, number)) {
            (lie.change)(&mut frame);
        }
        self.inner.send(to, frame).await
    }

    async fn recv(&self, from: usize, max_len: usize) -> Result<Vec<u8>, Abort> {
        self.inner.recv(from, max_len).await
    }
}

/// Runs a party a number in a session of this seed, one of them lying if at all; what each ended with, and the frames.
pub async fn session<T, F>(
    parties: usize,
    seed: u8,
    lie: Option<Lie>,
    party: impl Fn(Context) -> F,
) -> (Vec<Result<T, Abort>>, Frames)
where
    T: Send + 'static,
    F: Future<Output = Result<T, Abort>> + Send + 'static,
{
    let log = Arc::<Mutex<Frames>>::default();
    let transports = memory::network(parties).into_iter().enumerate();
    let transports = transports
        .map(|(me, inner)| Arc::new(Link { me, inner, lie: lie.clone(), log: log.clone() }) as Arc<dyn Transport>);
    let contexts = memory::contexts(transports.collect(), [seed; 32]);
    let running: Vec<_> = contexts.into_iter().map(|context| tokio::spawn(party(context))).collect();
    let mut outcomes = Vec::with_capacity(parties);
    for one in running {
        outcomes.push(one.await.expect("no panic"));
    }
    let frames = std::mem::take(&mut *log.lock().unwrap());
    (outcomes, frames)
}

/// How many frames each party sent to each other one.
pub fn counts(frames: &[(usize, usize, Vec<u8>)], parties: usize) -> Vec<(usize, usize, usize)> {
    let pairs = (0..parties).flat_map(|from| (0..parties).map(move |to| (from, to)));
    let count =
        |(from, to): (usize, usize)| (from, to, frames.iter().filter(|frame| (frame.0, frame.1) == (from, to)).count());
    pairs.map(count).filter(|(_, _, count)| *count > 0).collect()
}

/// `count` elements of one stream, from number `first` on: streams never meet.
pub fn elements(stream: u64, first: u64, count: usize) -> Vec<Block> {
    let mut prg = BlockPrg::new(Block::from_u128(u128::from(stream) + 1));
    prg.seek(first);
    let mut out = vec![Block::ZERO; count];
    prg.fill(&mut out);
    out
}

/// Whether the outcome blames somebody else.
pub fn blames<T>(outcome: &Result<T, Abort>) -> bool {
    outcome.as_ref().is_err_and(|abort| abort.blame != Blame::Local)
}

/// Why a run ended without a result.
pub fn why<T>(outcome: Result<T, Abort>) -> Abort {
    outcome.err().expect("an abort")
}
