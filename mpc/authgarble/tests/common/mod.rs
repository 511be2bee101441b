//! Parties over the in-memory network, ideal transfers, below which a party may cheat, and circuits with their inputs.

#![allow(dead_code)]

use std::sync::Arc;

use async_trait::async_trait;
use mpc_authgarble::{Correlation, Outputs, Session, Shape};
use mpc_block::Block;
use mpc_core::{Abort, Context, Prg, memory};
use mpc_garble::circuit::{Bit, Builder, Circuit, Limits};
use mpc_ot::bits;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use zeroize::Zeroizing;

/// The low bits of a number, the least significant first.
pub fn bits_of(value: u64, width: usize) -> Vec<bool> {
    (0..width).map(|at| value >> at & 1 == 1).collect()
}

/// The number that the bits are.
pub fn number(bits: &[bool]) -> u64 {
    bits.iter().rev().fold(0, |sum, bit| sum << 1 | u64::from(*bit))
}

pub fn random_bits(prg: &mut Prg, count: usize) -> Vec<bool> {
    (0..count).map(|_| prg.word() & 1 == 1).collect()
}

/// A circuit from what `build` makes of the inputs.
pub fn circuit(widths: &[u32], build: impl FnOnce(&mut Builder, &[Vec<Bit>]) -> Vec<Vec<Bit>>) -> Circuit {
    let mut b = Builder::new(widths, Limits::default()).unwrap();
    let inputs: Vec<Vec<Bit>> = (0..widths.len()).map(|input| b.input(input)).collect();
    for output in build(&mut b, &inputs) {
        b.output(&output);
    }
    b.finish().unwrap()
}

/// What an ideal transfer's holder sends: all keys, and its `Δ`.
type Keys = (Vec<Block>, Block);

/// The ideal functionality's end: the keys are random, the MACs are right unless the party cheats.
pub struct Ideal {
    peer: usize,
    delta: Block,
    prg: Prg,
    to: UnboundedSender<Keys>,
    from: UnboundedReceiver<Keys>,
    /// A bit that this party uses otherwise with this peer, counted over all.
    flip: Option<usize>,
    taken: usize,
}

#[async_trait]
impl Correlation for Ideal {
    async fn keys(&mut self, count: usize) -> Result<Zeroizing<Vec<Block>>, Abort> {
        let words = self.prg.words(2 * count);
        let keys: Vec<Block> = words
            .as_chunks::<2>()
            .0
            .iter()
            .map(|[x, y]| Block::from_u128(u128::from(*x) << 64 | u128::from(*y)))
            .collect();
        let gone = |_| Abort::network(self.peer, "the link is closed");
        self.to.send((keys.clone(), self.delta)).map_err(gone)?;
        Ok(Zeroizing::new(keys))
    }

    async fn macs(&mut self, choices: &[Block], count: usize) -> Result<Zeroizing<Vec<Block>>, Abort> {
        let gone = || Abort::network(self.peer, "the link is closed");
        let (keys, delta) = self.from.recv().await.ok_or_else(gone)?;
        if keys.len() != count {
            return Err(Abort::peer(self.peer, "another number of transfers"));
        }
        let bit = |at: usize| bits::get(choices, at) ^ (self.flip == Some(self.taken + at));
        let macs = keys.iter().enumerate().map(|(at, key)| *key ^ delta.masked(bit(at))).collect();
        self.taken += count;
        Ok(Zeroizing::new(macs))
    }
}

/// How a party cheats below the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cheat {
    /// With this peer it uses another `Δ`.
    Delta(usize),
    /// With this peer it uses another bit at this place.
    Bit(usize, usize),
}

/// One party's secret and its ends with all peers.
pub type Party = (Block, Vec<Option<Box<dyn Correlation>>>);

/// Ideal transfers among so many parties, of which one may cheat.
pub fn ideal(parties: usize, cheat: Option<(usize, Cheat)>) -> Vec<Party> {
    let delta = |me: usize| {
        let word = Prg::new(&[me as u8 + 70; 32]).word();
        Block::from_u128(u128::from(word) << 64 | u128::from(word.rotate_left(17))).with_lsb(me == 1)
    };
    let mut ends: Vec<Party> = (0..parties).map(|me| (delta(me), (0..parties).map(|_| None).collect())).collect();
    for low in 0..parties {
        for high in low + 1..parties {
            let (up, above) = unbounded_channel();
            let (down, below) = unbounded_channel();
            for (me, peer, to, from) in [(low, high, up, below), (high, low, down, above)] {
                let own = cheat.filter(|(party, _)| *party == me).map(|(_, cheat)| cheat);
                let moved = own == Some(Cheat::Delta(peer));
                let flip = own
                    .and_then(|own| if let Cheat::Bit(with, at) = own { (with == peer).then_some(at) } else { None });
                let delta = delta(me) ^ Block::from_u128(2).masked(moved);
                let prg = Prg::new(&[(me * 16 + peer) as u8; 32]);
                ends[me].1[peer] = Some(Box::new(Ideal { peer, delta, prg, to, from, flip, taken: 0 }));
            }
        }
    }
    ends
}

/// What every party ends with when it runs a shape over ideal transfers, below which one party may cheat; every party has its
/// own view of the shape.
pub async fn run(
    shapes: Vec<Arc<Shape>>,
    inputs: Vec<Vec<bool>>,
    cheat: Option<(usize, Cheat)>,
) -> Vec<Result<Outputs, Abort>> {
    let parties = shapes.len();
    let contexts = memory::contexts(memory::network(parties), [33; 32]).into_iter().zip(ideal(parties, cheat));
    let party = |(((mut ctx, (delta, ends)), shape), inputs): (((Context, Party), Arc<Shape>), Vec<bool>)| {
        tokio::spawn(async move {
            let mut session = Session::over(&mut ctx, delta, ends)?;
            drop(ctx);
            session.run(&shape, &inputs).await
        })
    };
    let tasks: Vec<_> = contexts.zip(shapes).zip(inputs).map(party).collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.expect("no panic"));
    }
    outcomes
}

/// The outputs as numbers.
pub fn numbers(outputs: &Outputs) -> Vec<Option<u64>> {
    outputs.iter().map(|bits| bits.as_ref().map(|bits| number(bits))).collect()
}

/// Every party receives every output.
pub fn everybody(parties: usize, outputs: usize) -> Vec<Vec<usize>> {
    vec![(0..parties).collect(); outputs]
}
