//! What the tests share: bits and lanes, random circuits, an ideal transfer, and two parties over links that may lie.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use mpc_block::Block;
use mpc_core::{Abort, Prg, Transport, memory};
use mpc_garble::circuit::{Bit, Builder, Circuit, Limits};
use mpc_garble::semi_honest::{Outputs, Shape, evaluate, garble};
use mpc_garble::transfer::{LabelReceiver, LabelSender};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use zeroize::Zeroizing;

/// A stream of test data.
pub fn prg(seed: u8) -> Prg {
    Prg::new(&[seed; 32])
}

/// The low bits of a number, the least significant first.
pub fn bits(value: u64, width: usize) -> Vec<bool> {
    (0..width).map(|at| value >> at & 1 == 1).collect()
}

/// The number that the bits are.
pub fn number(bits: &[bool]) -> u64 {
    bits.iter().rev().fold(0, |sum, bit| sum << 1 | u64::from(*bit))
}

/// The bits of a byte string.
pub fn byte_bits(bytes: &[u8]) -> Vec<bool> {
    bytes.iter().flat_map(|byte| bits((*byte).into(), 8)).collect()
}

/// The byte string that the bits are.
pub fn bit_bytes(bits: &[bool]) -> Vec<u8> {
    bits.chunks(8).map(|byte| number(byte) as u8).collect()
}

pub fn random_bits(prg: &mut Prg, count: usize) -> Vec<bool> {
    (0..count).map(|_| prg.word() & 1 == 1).collect()
}

/// 64 evaluations' bits as lanes: bit `l` of word `i` is bit `i` of evaluation `l`.
pub fn lanes(cases: &[Vec<bool>]) -> Vec<u64> {
    let bit = |at: usize| cases.iter().enumerate().fold(0, |word, (lane, case)| word | u64::from(case[at]) << lane);
    (0..cases[0].len()).map(bit).collect()
}

/// One evaluation's bits.
pub fn lane(words: &[u64], at: usize) -> Vec<bool> {
    words.iter().map(|word| word >> at & 1 == 1).collect()
}

/// A circuit of one output from what `build` makes of the inputs.
pub fn circuit(widths: &[u32], build: impl FnOnce(&mut Builder, &[Vec<Bit>]) -> Vec<Bit>) -> Circuit {
    let mut b = Builder::new(widths, Limits::default()).unwrap();
    let inputs: Vec<Vec<Bit>> = (0..widths.len()).map(|input| b.input(input)).collect();
    let out = build(&mut b, &inputs);
    b.output(&out);
    b.finish().unwrap()
}

/// Gates of all kinds over random wires, their inverses and the constants; two outputs, one of them with constants.
pub fn random_circuit(prg: &mut Prg, widths: &[u32], gates: usize) -> Circuit {
    let mut b = Builder::new(widths, Limits::default()).unwrap();
    let mut wires: Vec<Bit> = (0..widths.len()).flat_map(|input| b.input(input)).collect();
    let mut made = vec![Bit::ZERO, Bit::ONE];
    for _ in 0..gates {
        let mut draw = || {
            let near = wires.len() as u64 - prg.below(1 + wires.len().min(24) as u64);
            let bit = wires.get(near as usize).copied().unwrap_or(Bit::ONE);
            if prg.below(3) == 0 { !bit } else { bit }
        };
        let (x, y) = (draw(), draw());
        let bit = match prg.below(3) {
            0 => b.xor(x, y),
            1 => b.and(x, y),
            _ => b.or(x, y),
        };
        wires.push(bit);
        made.push(bit);
    }
    b.output(&made[made.len() - 8..]);
    b.output(&[Bit::ONE, made[2], Bit::ZERO, !made[3]]);
    b.finish().unwrap()
}

/// A transfer as it should be: the pairs go to a trusted third, which gives the receiver what it chooses.
pub fn ideal() -> (IdealSender, IdealReceiver) {
    let (sender, receiver) = unbounded_channel();
    (IdealSender(sender), IdealReceiver(receiver))
}

pub struct IdealSender(UnboundedSender<Vec<[Block; 2]>>);
pub struct IdealReceiver(UnboundedReceiver<Vec<[Block; 2]>>);

#[async_trait]
impl LabelSender for IdealSender {
    async fn send(&mut self, pairs: &[[Block; 2]]) -> Result<(), Abort> {
        self.0.send(pairs.to_vec()).map_err(|_| Abort::network(1, "closed"))
    }
}

#[async_trait]
impl LabelReceiver for IdealReceiver {
    async fn receive(&mut self, choices: &[bool]) -> Result<Zeroizing<Vec<Block>>, Abort> {
        let pairs = self.0.recv().await.ok_or_else(|| Abort::network(0, "closed"))?;
        let choose = |(pair, choice): (&[Block; 2], &bool)| Block::select(*choice, pair[0], pair[1]);
        Ok(Zeroizing::new(pairs.iter().zip(choices).map(choose).collect()))
    }
}

/// What happens to one frame.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Lie {
    Truncate,
    Extend,
    /// The frame before is sent once more in its place.
    Repeat,
    Flip(usize),
}

/// All frames that a party sent, as they were before the lie.
pub type Frames = Arc<Mutex<Vec<Vec<u8>>>>;

/// A party's links: the frame numbered `at` is changed. Waits end after a while, as real links' do.
struct Lying {
    inner: Arc<dyn Transport>,
    lie: Option<(Lie, usize)>,
    sent: AtomicUsize,
    frames: Frames,
}

#[async_trait]
impl Transport for Lying {
    async fn send(&self, to: usize, mut frame: Vec<u8>) -> Result<(), Abort> {
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        let before = kept(&self.frames).last().cloned();
        self.frames.lock().unwrap_or_else(PoisonError::into_inner).push(frame.clone());
        if let Some((lie, at)) = self.lie
            && at == number
        {
            match lie {
                Lie::Truncate => frame.truncate(frame.len() - 1),
                Lie::Extend => frame.push(0),
                Lie::Repeat => frame = before.unwrap_or_default(),
                Lie::Flip(bit) => frame[bit / 8] ^= 1 << (bit % 8),
            }
        }
        self.inner.send(to, frame).await
    }

    async fn recv(&self, from: usize, max_len: usize) -> Result<Vec<u8>, Abort> {
        let wait = tokio::time::timeout(Duration::from_secs(20), self.inner.recv(from, max_len));
        wait.await.unwrap_or_else(|_| Err(Abort::network(from, "silent")))
    }
}

/// The frames so far.
pub fn kept(frames: &Frames) -> Vec<Vec<u8>> {
    frames.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// The links of two parties, of which `liar` lies, and what each sends.
pub fn links(liar: usize, lie: Option<(Lie, usize)>) -> (Vec<Arc<dyn Transport>>, [Frames; 2]) {
    let frames = [Frames::default(), Frames::default()];
    let link = |(me, inner): (usize, Arc<dyn Transport>)| {
        let (lie, frames) = (lie.filter(|_| me == liar), frames[me].clone());
        Arc::new(Lying { inner, lie, sent: AtomicUsize::new(0), frames }) as Arc<dyn Transport>
    };
    (memory::network(2).into_iter().enumerate().map(link).collect(), frames)
}

/// What each of the two parties gets: party 0 garbles.
pub type Ended = [Result<Outputs, Abort>; 2];

/// Runs both parties over these links with an ideal transfer; each has its own view of the shape.
pub async fn run(shapes: [Arc<Shape>; 2], inputs: [Vec<bool>; 2], links: Vec<Arc<dyn Transport>>, seed: u8) -> Ended {
    let mut contexts = memory::contexts(links, [seed; 32]).into_iter();
    let (mut zero, mut one) = (contexts.next().unwrap(), contexts.next().unwrap());
    let (mut sender, mut receiver) = ideal();
    let ([garbler_shape, evaluator_shape], [garbler_bits, evaluator_bits]) = (shapes, inputs);
    let garbler = tokio::spawn(async move { garble(&mut zero, &garbler_shape, 1, &garbler_bits, &mut sender).await });
    let evaluator =
        tokio::spawn(async move { evaluate(&mut one, &evaluator_shape, 0, &evaluator_bits, &mut receiver).await });
    [garbler.await.unwrap(), evaluator.await.unwrap()]
}
