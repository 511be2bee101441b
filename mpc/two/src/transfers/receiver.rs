//! The receiver's end: a random choice and the key that it names, a transfer.

use base_vector::wide::wide;
use mpc_block::{Block, Tmmo};
use mpc_core::{Abort, Context};
use mpc_ot::{silent, softspoken};
use zeroize::Zeroizing;

use super::{PART, key};
use crate::parameters::{Network, Parameters};
use crate::shares::WORD;

/// Correlated transfers, and the hash that makes random ones of them.
struct Silent {
    inner: silent::Receiver,
    hash: Tmmo,
    next: u128,
}

enum Source {
    Extension(Box<softspoken::Receiver>),
    Silent(Box<Silent>),
}

/// What was made and not yet overwritten.
struct Stock {
    keys: Zeroizing<Vec<u64>>,
    /// 64 choices a word.
    choices: Zeroizing<Vec<u64>>,
}

/// The party that has a choice and one key.
pub(crate) struct Receiver {
    source: Source,
    quantum: usize,
    stock: Stock,
    /// Transfers of the stock that were handed out.
    taken: usize,
}

impl Receiver {
    /// Forks the session with party `peer`, which calls [`super::Sender::setup`].
    pub(crate) async fn setup(
        ctx: &mut Context,
        peer: usize,
        parameters: &Parameters,
        hash_key: Block,
    ) -> Result<Self, Abort> {
        let source = match parameters.network {
            Network::Lan => {
                let inner = softspoken::Receiver::setup(ctx, peer, parameters.extension()).await?;
                Source::Extension(Box::new(inner))
            }
            Network::Wan => {
                let inner = silent::Receiver::setup(ctx, peer, parameters.silent()).await?;
                Source::Silent(Box::new(Silent { inner, hash: Tmmo::new(hash_key), next: 0 }))
            }
        };
        Ok(Self { source, quantum: parameters.quantum(), stock: Stock::with_capacity(0), taken: 0 })
    }

    /// Sees to it that `count` transfers can be taken.
    pub(crate) async fn reserve(&mut self, count: usize) -> Result<(), Abort> {
        let Self { source, quantum, stock, taken } = self;
        let left = stock.keys.len() - *taken;
        if left >= count {
            return Ok(());
        }
        let make = (count - left).next_multiple_of(*quantum);
        stock.keep_from(*taken, make);
        *taken = 0;
        match source {
            Source::Extension(inner) => inner.random(make, |choices, keys| stock.enter(choices, keys)).await,
            Source::Silent(silent) => {
                let Silent { inner, hash, next } = &mut **silent;
                let sink = |blocks: &[Block]| {
                    blocks.chunks(PART).for_each(|part| stock.enter_correlated(hash, next, part));
                };
                inner.correlated(make, sink).await
            }
        }
    }

    /// The next `count` transfers, which were reserved: keys, and choices 64 a word.
    pub(crate) fn take(&mut self, count: usize) -> (&[u64], &[u64]) {
        let first = self.taken;
        self.taken += count;
        (&self.stock.keys[first..self.taken], &self.stock.choices[first / WORD..self.taken / WORD])
    }
}

impl Stock {
    fn with_capacity(count: usize) -> Self {
        let memory = |len| Zeroizing::new(Vec::with_capacity(len));
        Self { keys: memory(count), choices: memory(count / WORD) }
    }

    /// Gives up the first `taken` and makes room for `more` behind the rest.
    fn keep_from(&mut self, taken: usize, more: usize) {
        let left = self.keys.len() - taken;
        if self.keys.capacity() < left + more {
            // A vector that grew would leave a copy behind.
            let mut larger = Self::with_capacity(left + more);
            larger.keys.extend_from_slice(&self.keys[taken..]);
            larger.choices.extend_from_slice(&self.choices[taken / WORD..]);
            *self = larger;
        } else {
            self.keys.copy_within(taken.., 0);
            self.keys.truncate(left);
            self.choices.copy_within(taken / WORD.., 0);
            self.choices.truncate(left / WORD);
        }
    }

    /// Appends transfers of the extension; their number is a multiple of a block's bits.
    fn enter(&mut self, choices: &[Block], keys: &[Block]) {
        wide(|| self.keys.extend(keys.iter().map(|block| key(*block))));
        for block in choices {
            let bits = block.to_u128();
            self.choices.extend_from_slice(&[bits as u64, (bits >> WORD) as u64]);
        }
    }

    /// Appends at most [`PART`] silent transfers: the choice is a block's lowest bit, the key its hash under its
    /// number.
    fn enter_correlated(&mut self, hash: &Tmmo, next: &mut u128, part: &[Block]) {
        let bit = |word: u64, (at, block): (usize, &Block)| word | u64::from(block.lsb()) << at;
        self.choices.extend(part.chunks(WORD).map(|word| word.iter().enumerate().fold(0, bit)));
        let mut keys = Zeroizing::new([Block::ZERO; PART]);
        let keys = &mut keys[..part.len()];
        keys.copy_from_slice(part);
        hash.hash_all(keys, *next);
        *next += part.len() as u128;
        self.keys.extend(keys.iter().map(|block| key(*block)));
    }
}
