//! The sender's end: two keys a transfer.

use base_vector::wide::wide;
use mpc_block::{Block, Tmmo};
use mpc_core::{Abort, Context};
use mpc_ot::{silent, softspoken};
use zeroize::Zeroizing;

use super::{PART, key};
use crate::parameters::{Network, Parameters};

/// The keys for choice 0 and choice 1.
pub(crate) type Pair = [u64; 2];

/// Correlated transfers, and the hash that makes random ones of them.
struct Silent {
    inner: silent::Sender,
    hash: Tmmo,
    next: u128,
}

enum Source {
    Extension(Box<softspoken::Sender>),
    Silent(Box<Silent>),
}

/// The party that has both keys.
pub(crate) struct Sender {
    source: Source,
    quantum: usize,
    stock: Zeroizing<Vec<Pair>>,
    /// Transfers of the stock that were handed out.
    taken: usize,
}

impl Sender {
    /// Forks the session with party `peer`, which calls [`super::Receiver::setup`].
    pub(crate) async fn setup(
        ctx: &mut Context,
        peer: usize,
        parameters: &Parameters,
        hash_key: Block,
    ) -> Result<Self, Abort> {
        let mut delta = Zeroizing::new([0_u8; 16]);
        ctx.random(&mut delta[..]);
        let delta = Zeroizing::new(Block::from_bytes(*delta));
        let source = match parameters.network {
            Network::Lan => {
                let inner = softspoken::Sender::setup(ctx, peer, parameters.extension(), *delta).await?;
                Source::Extension(Box::new(inner))
            }
            Network::Wan => {
                let inner = silent::Sender::setup(ctx, peer, parameters.silent(), *delta).await?;
                Source::Silent(Box::new(Silent { inner, hash: Tmmo::new(hash_key), next: 0 }))
            }
        };
        Ok(Self { source, quantum: parameters.quantum(), stock: Zeroizing::new(Vec::new()), taken: 0 })
    }

    /// Sees to it that `count` transfers can be taken.
    pub(crate) async fn reserve(&mut self, count: usize) -> Result<(), Abort> {
        let Self { source, quantum, stock, taken } = self;
        let left = stock.len() - *taken;
        if left >= count {
            return Ok(());
        }
        let make = (count - left).next_multiple_of(*quantum);
        if stock.capacity() < left + make {
            // A vector that grew would leave a copy behind.
            let mut larger = Zeroizing::new(Vec::with_capacity(left + make));
            larger.extend_from_slice(&stock[*taken..]);
            *stock = larger;
        } else {
            stock.copy_within(*taken.., 0);
            stock.truncate(left);
        }
        *taken = 0;
        match source {
            Source::Extension(inner) => {
                let sink = |zeros: &[Block], ones: &[Block]| {
                    let pairs = zeros.iter().zip(ones).map(|(zero, one)| [key(*zero), key(*one)]);
                    wide(|| stock.extend(pairs));
                };
                inner.random(make, sink).await
            }
            Source::Silent(silent) => {
                let Silent { inner, hash, next } = &mut **silent;
                let delta = inner.delta();
                let sink = |blocks: &[Block]| {
                    blocks.chunks(PART).for_each(|part| hash_pairs(hash, next, delta, part, stock));
                };
                inner.correlated(make, sink).await
            }
        }
    }

    /// The next `count` transfers, which were reserved.
    pub(crate) fn take(&mut self, count: usize) -> &[Pair] {
        let first = self.taken;
        self.taken += count;
        &self.stock[first..self.taken]
    }
}

/// Hashes both messages of each of at most [`PART`] transfers under their number.
fn hash_pairs(hash: &Tmmo, next: &mut u128, delta: Block, part: &[Block], out: &mut Vec<Pair>) {
    let mut zeros = Zeroizing::new([Block::ZERO; PART]);
    let mut ones = Zeroizing::new([Block::ZERO; PART]);
    let (zeros, ones) = (&mut zeros[..part.len()], &mut ones[..part.len()]);
    for ((zero, one), block) in zeros.iter_mut().zip(ones.iter_mut()).zip(part) {
        (*zero, *one) = (*block, *block ^ delta);
    }
    hash.hash_all(zeros, *next);
    hash.hash_all(ones, *next);
    *next += part.len() as u128;
    out.extend(zeros.iter().zip(ones.iter()).map(|(zero, one)| [key(*zero), key(*one)]));
}
