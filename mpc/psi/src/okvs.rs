//! Oblivious key-value store: keys and values become a table of blocks that tells nothing but the values at the keys.
//!
//! The construction of Raghuraman and Rindal, "Blazing Fast PSI from Improved OKVS and Subfield VOLE" (CCS 2022, eprint
//! 2022/320), with row weight 3. The value at a key is the sum of three slots of a sparse part, at places that a hash
//! of the key decides, and of a product of the dense part with coefficients of the key in GF(2^128). A table is cut
//! into bins that fit the cache, up to 2^10 of them (`shape`); keys go to bins by a hash (`partition`).
//!
//! 1. **Peeling** (`peel`): a slot that one key alone uses can be set last, so the key is put aside, and so on.
//! 2. **Core** (`two_core`): what cannot be peeled (nothing, but for one bin in 2^13) is solved by elimination with the
//!    dense part.
//! 3. **Back substitution** (`encode`): slots that no key decides are random; then the keys set aside take theirs in
//!    reverse.
//!
//! *Oblivious*: with uniform values a table is uniform whatever the keys are, except with probability 2^-40 (a bin that
//! cannot be solved). *Linear*: decoding is a linear map over GF(2^128) of the table. *Places in memory* follow the
//! keys of the party that encodes or decodes, as in every hash table: an observer of this party's cache is not
//! withstood.
//!
//! ```
//! use mpc_block::{Block, BlockPrg};
//! use mpc_psi::{Mode, okvs::Okvs};
//!
//! let (mut keys, mut values) = (vec![Block::ZERO; 500], vec![Block::ZERO; 500]);
//! BlockPrg::new(Block::from_u128(1)).fill(&mut keys);
//! BlockPrg::new(Block::from_u128(2)).fill(&mut values);
//! let okvs = Okvs::new(500, Mode::Fast, Block::from_u128(3))?;
//! let table = okvs.encode(&keys, &values, Block::from_u128(4))?;
//! let mut decoded = vec![Block::ZERO; 500];
//! okvs.decode(&table, &keys, &mut decoded);
//! assert!(decoded == values && table.len() == okvs.slots());
//! # Ok::<(), mpc_psi::okvs::EncodeFault>(())
//! ```

mod encode;
mod partition;
mod peel;
mod rows;
mod shape;
#[cfg(test)]
mod tests;
mod two_core;

use mpc_block::{Aes, Block, BlockPrg};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::Mode;
use rows::Family;
use shape::Shape;

pub(crate) use encode::Encoder;
pub(crate) use partition::Partition;
pub(crate) use rows::hash_keys;
pub use shape::MAX_KEYS;
pub(crate) use shape::load_bound;

/// Families of rows of a bin: where a bin cannot be solved with the first, the next one is tried.
pub(crate) const ATTEMPTS: u8 = 4;

/// Why a table cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EncodeFault {
    /// There are more keys than the store, or any store, is made for.
    #[error("more keys than the store is made for")]
    TooManyKeys,
    /// There are not as many values as keys.
    #[error("not as many values as keys")]
    Lengths,
    /// A bin cannot be solved: two keys are equal, or the seed is one in 2^40. Another seed will do then.
    #[error("no table under this seed")]
    Unlucky,
}

/// The public map from keys to rows; it knows no table.
pub struct Okvs {
    shape: Shape,
    bins: Aes,
    families: Vec<Family>,
}

impl Okvs {
    /// The store for up to `count` keys, whose rows `seed` decides. The seed is public and fixed only when the keys
    /// are: keys that are chosen for a seed can be made to fail. Keys are outputs of a hash.
    ///
    /// # Errors
    /// [`EncodeFault::TooManyKeys`] beyond [`MAX_KEYS`].
    pub fn new(count: usize, mode: Mode, seed: Block) -> Result<Self, EncodeFault> {
        let shape = Shape::new(count, mode).ok_or(EncodeFault::TooManyKeys)?;
        let mut prg = BlockPrg::new(seed);
        let bins = Aes::new(prg.next());
        let families = (0..ATTEMPTS).map(|_| Family::new(&mut prg, &shape)).collect();
        Ok(Self { shape, bins, families })
    }

    /// Blocks of a table.
    pub fn slots(&self) -> usize {
        self.shape.slots()
    }

    /// Bins of a table; they lie one after the other, each of [`Self::width`] blocks.
    pub(crate) fn bins(&self) -> usize {
        self.shape.bins
    }

    /// Blocks of a bin.
    pub(crate) fn width(&self) -> usize {
        self.shape.width()
    }

    fn family(&self, attempt: u8) -> &Family {
        &self.families[usize::from(attempt % ATTEMPTS)]
    }

    /// A table that holds `values[i]` at `keys[i]`. Slots that the keys do not decide are filled from `fill`, a fresh
    /// secret seed. The keys are distinct.
    ///
    /// # Errors
    /// [`EncodeFault`]; of distinct keys under a fresh seed, with probability at most 2^-40.
    pub fn encode(&self, keys: &[Block], values: &[Block], fill: Block) -> Result<Vec<Block>, EncodeFault> {
        if keys.len() != values.len() {
            return Err(EncodeFault::Lengths);
        }
        let partition = Partition::new(self, keys);
        let mut table = vec![Block::ZERO; self.slots()];
        BlockPrg::new(fill).fill(&mut table);
        let mut encoder = Encoder::new(self, &partition)?;
        let mut own = Zeroizing::new(Vec::<Block>::new());
        for (bin, slots) in table.chunks_exact_mut(self.width()).enumerate() {
            own.clear();
            own.extend(partition.index(bin).iter().map(|at| values[*at as usize]));
            encoder.bin(bin, 0, &own, slots)?;
        }
        Ok(table)
    }

    /// `out[i]` becomes the value of `keys[i]` in `table`.
    ///
    /// # Panics
    /// When the table has not [`Self::slots`] blocks, or `out` not as many as `keys`.
    pub fn decode(&self, table: &[Block], keys: &[Block], out: &mut [Block]) {
        assert_eq!(table.len(), self.slots(), "the table of another store");
        assert_eq!(keys.len(), out.len(), "a place a key");
        if self.bins() == 1 {
            return self.decode_bin(0, table, keys, out);
        }
        let partition = Partition::new(self, keys);
        let mut decoded = Zeroizing::new(vec![Block::ZERO; partition.longest()]);
        for (bin, slots) in table.chunks_exact(self.width()).enumerate() {
            let own = partition.keys(bin);
            self.decode_bin(0, slots, own, &mut decoded[..own.len()]);
            for (at, value) in partition.index(bin).iter().zip(decoded.iter()) {
                out[*at as usize] = *value;
            }
        }
    }

    /// The values of keys that belong to one bin, whose slots are given, with the rows of `attempt`. One place a key.
    pub(crate) fn decode_bin(&self, attempt: u8, slots: &[Block], keys: &[Block], out: &mut [Block]) {
        let (sparse, dense) = slots.split_at(self.shape.sparse);
        self.family(attempt).decode(sparse, dense, keys, out);
    }
}
