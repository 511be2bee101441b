//! Blocks in the order of their values: dealt out by their leading bits, then sorted bucket by bucket.
//!
//! The values are outputs of hashes, so buckets are even and small, and nothing beyond the cache is sorted.

use mpc_block::Block;
use zeroize::Zeroize;

/// A value and the index it had.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) value: Block,
    pub(crate) index: u32,
}

/// Entries in the order of their values (as integers), equal ones in that of their indices; wiped when dropped.
pub(crate) struct Sorted {
    entries: Vec<Entry>,
    starts: Vec<u32>,
}

/// Leading bits by which `count` values are dealt out: 8 to 16 values a bucket, or all in one where there are few.
pub(crate) fn bits_for(count: usize) -> u32 {
    count.max(1).ilog2().saturating_sub(3).min(24)
}

/// The leading `bits` bits of a value.
pub(crate) fn bucket(value: Block, bits: u32) -> usize {
    value.to_u128().checked_shr(128 - bits).unwrap_or(0) as usize
}

impl Sorted {
    /// Sorts fewer than 2^32 values, dealt out by `bits` leading bits, at most 24.
    pub(crate) fn new(values: impl Iterator<Item = Block> + Clone, bits: u32) -> Self {
        let mut starts = vec![0_u32; (1 << bits) + 1];
        let mut count = 0;
        for value in values.clone() {
            starts[bucket(value, bits) + 1] += 1;
            count += 1;
        }
        (0..1 << bits).for_each(|at| starts[at + 1] += starts[at]);
        let mut next = starts.clone();
        let mut entries = vec![Entry { value: Block::ZERO, index: 0 }; count];
        for (index, value) in (0..).zip(values) {
            let place = &mut next[bucket(value, bits)];
            entries[*place as usize] = Entry { value, index };
            *place += 1;
        }
        next.zeroize();
        for pair in starts.windows(2) {
            let key = |entry: &Entry| (entry.value.to_u128(), entry.index);
            entries[pair[0] as usize..pair[1] as usize].sort_unstable_by_key(key);
        }
        Self { entries, starts }
    }

    /// All entries.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How many buckets there are.
    pub(crate) fn buckets(&self) -> usize {
        self.starts.len() - 1
    }

    /// The entries of one bucket.
    pub(crate) fn bucket(&self, at: usize) -> &[Entry] {
        &self.entries[self.starts[at] as usize..self.starts[at + 1] as usize]
    }
}

impl Drop for Sorted {
    fn drop(&mut self) {
        self.entries.iter_mut().for_each(|entry| entry.value.zeroize());
        self.starts.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use mpc_block::BlockPrg;

    use super::*;

    #[test]
    fn values_come_in_order_with_their_indices_whatever_the_buckets() {
        for (count, bits) in [(0, 0), (1, 0), (1, 5), (15, bits_for(15)), (1000, bits_for(1000)), (1000, 0), (500, 12)]
        {
            let mut values = vec![Block::ZERO; count];
            BlockPrg::new(Block::from_u128(1)).fill(&mut values);
            if count > 20 {
                values[20] = values[3];
            }
            let sorted = Sorted::new(values.iter().copied(), bits);
            let mut due: Vec<(u128, u32)> = values.iter().map(|value| value.to_u128()).zip(0..).collect();
            due.sort_unstable();
            let got: Vec<(u128, u32)> =
                sorted.entries().iter().map(|entry| (entry.value.to_u128(), entry.index)).collect();
            assert_eq!(got, due);
            let sum: usize = (0..sorted.buckets()).map(|at| sorted.bucket(at).len()).sum();
            assert_eq!((sorted.buckets(), sum), (1 << bits, count));
            let inside = |at: usize| sorted.bucket(at).iter().all(|entry| bucket(entry.value, bits) == at);
            assert!((0..sorted.buckets()).all(inside));
        }
    }

    #[test]
    fn buckets_hold_8_to_16_values() {
        assert_eq!([0, 1, 15, 16, 1 << 20, (1 << 21) - 1, 1 << 26].map(bits_for), [0, 0, 0, 1, 17, 17, 23]);
        assert_eq!((bucket(Block::ONES, 0), bucket(Block::ONES, 7), bucket(Block::ONE, 7)), (0, 127, 0));
    }
}
