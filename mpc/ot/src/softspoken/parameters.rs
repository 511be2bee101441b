//! Parameters of the extension: one value, hashed into the session, so the two sides cannot disagree.

use super::COLUMNS;
use crate::bits::BLOCK_BITS;

/// How `Δ` is cut, how many transfers go into a chunk, and how many chunks may be under way unchecked.
///
/// | `field_bits` `k` | bytes on the wire a transfer | AES calls a random transfer, receiver | sender |
/// |---|---|---|---|
/// | 1 | 15.9 | 4 | 5 |
/// | 2 | 7.9 | 4 | 5.5 |
/// | 4 | 3.9 | 6 | 7.75 |
/// | 8 | 1.9 | 34 | 35.9 |
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parameters {
    field_bits: usize,
    chunk: usize,
    window: usize,
}

impl Parameters {
    /// Most transfers in a chunk: 2^20, so that a chunk's columns take 16 MiB.
    pub const MAX_CHUNK: usize = 1 << 20;
    /// Most chunks under way.
    pub const MAX_WINDOW: usize = 16;

    /// `field_bits` is 1, 2, 4 or 8; `chunk` a multiple of 128 up to [`Self::MAX_CHUNK`]; `window` from 1 to
    /// [`Self::MAX_WINDOW`]. `None` for anything else. A party keeps `window + 1` chunks of `16 · chunk` bytes.
    pub const fn new(field_bits: usize, chunk: usize, window: usize) -> Option<Self> {
        let field = matches!(field_bits, 1 | 2 | 4 | 8);
        let chunk_fits = chunk > 0 && chunk.is_multiple_of(BLOCK_BITS) && chunk <= Self::MAX_CHUNK;
        if field && chunk_fits && window > 0 && window <= Self::MAX_WINDOW {
            Some(Self { field_bits, chunk, window })
        } else {
            None
        }
    }

    /// Bits of one element of `Δ`.
    pub const fn field_bits(&self) -> usize {
        self.field_bits
    }

    /// Transfers of a full chunk.
    pub const fn chunk(&self) -> usize {
        self.chunk
    }

    /// Chunks that may be under way before the first of them is checked.
    pub const fn window(&self) -> usize {
        self.window
    }

    /// Trees: elements of `Δ`.
    pub(super) const fn trees(&self) -> usize {
        COLUMNS / self.field_bits
    }

    /// Leaves of a tree.
    pub(super) const fn leaves(&self) -> usize {
        1 << self.field_bits
    }

    /// Chunks that `count` transfers take.
    pub(super) const fn chunks(&self, count: usize) -> usize {
        count.div_ceil(self.chunk)
    }

    /// Transfers of chunk `at` when there are `count` in all; 0 behind the last.
    pub(super) fn count_of(&self, at: usize, count: usize) -> usize {
        count.saturating_sub(at.saturating_mul(self.chunk)).min(self.chunk)
    }

    /// The canonical encoding that the fork's identifier binds.
    pub(super) fn encode(&self) -> Vec<u8> {
        let Self { field_bits, chunk, window } = *self;
        [field_bits, chunk, window].iter().flat_map(|word| (*word as u64).to_be_bytes()).collect()
    }
}

impl Default for Parameters {
    /// `k = 4`, chunks of 2^16 less the 128 transfers that are given up, so that their columns are whole tiles; two chunks under way.
    fn default() -> Self {
        Self { field_bits: 4, chunk: (1 << 16) - BLOCK_BITS, window: 2 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_parameters_that_fit_are_made_and_chunks_add_up() {
        assert!(Parameters::new(4, 65_408, 2) == Some(Parameters::default()));
        for (field_bits, chunk, window) in
            [(0, 128, 1), (3, 128, 1), (16, 128, 1), (4, 0, 1), (4, 100, 1), (4, 1 << 21, 1), (4, 128, 0), (4, 128, 17)]
        {
            assert!(Parameters::new(field_bits, chunk, window).is_none());
        }
        let parameters = Parameters::new(2, 256, 1).unwrap();
        for count in [0, 1, 255, 256, 257, 1000] {
            let chunks = parameters.chunks(count);
            let sum: usize = (0..chunks).map(|at| parameters.count_of(at, count)).sum();
            assert_eq!((sum, parameters.count_of(chunks, count)), (count, 0));
        }
        assert_eq!((parameters.trees(), parameters.leaves()), (64, 4));
    }
}
