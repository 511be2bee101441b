//! Keys dealt out to the bins of a table, each with the index it had.

use mpc_block::Block;
use zeroize::{Zeroize, Zeroizing};

use super::Okvs;
use super::rows::{hash_keys, scaled};

/// Keys hashed together.
const TILE: usize = 256;

/// Keys in the order of their bins.
pub(crate) struct Partition {
    keys: Zeroizing<Vec<Block>>,
    index: Zeroizing<Vec<u32>>,
    starts: Vec<usize>,
}

impl Partition {
    /// Deals `keys` out to the bins of `okvs`, in order within a bin. There are fewer than 2^32 keys.
    pub(crate) fn new(okvs: &Okvs, keys: &[Block]) -> Self {
        if okvs.bins() == 1 {
            let index: Vec<u32> = (0..keys.len() as u32).collect();
            let starts = vec![0, keys.len()];
            return Self { keys: Zeroizing::new(keys.to_vec()), index: Zeroizing::new(index), starts };
        }
        let bins = bins_of(okvs, keys);
        let mut starts = vec![0_usize; okvs.bins() + 1];
        bins.iter().for_each(|bin| starts[*bin as usize + 1] += 1);
        (0..okvs.bins()).for_each(|bin| starts[bin + 1] += starts[bin]);
        let mut next = starts.clone();
        let mut sorted = Zeroizing::new(vec![Block::ZERO; keys.len()]);
        let mut index = Zeroizing::new(vec![0_u32; keys.len()]);
        for (at, (key, bin)) in keys.iter().zip(bins.iter()).enumerate() {
            let place = &mut next[*bin as usize];
            sorted[*place] = *key;
            index[*place] = at as u32;
            *place += 1;
        }
        next.zeroize();
        Self { keys: sorted, index, starts }
    }

    /// The keys of a bin.
    pub(crate) fn keys(&self, bin: usize) -> &[Block] {
        &self.keys[self.starts[bin]..self.starts[bin + 1]]
    }

    /// The indices that they had.
    pub(crate) fn index(&self, bin: usize) -> &[u32] {
        &self.index[self.starts[bin]..self.starts[bin + 1]]
    }

    /// The places of a bin's keys in the order of the bins.
    pub(crate) fn range(&self, bin: usize) -> std::ops::Range<usize> {
        self.starts[bin]..self.starts[bin + 1]
    }

    /// Keys of the fullest bin.
    pub(crate) fn longest(&self) -> usize {
        self.starts.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0)
    }
}

impl Drop for Partition {
    fn drop(&mut self) {
        self.starts.zeroize();
    }
}

fn bins_of(okvs: &Okvs, keys: &[Block]) -> Zeroizing<Vec<u32>> {
    let mut out = Zeroizing::new(Vec::<u32>::with_capacity(keys.len()));
    let mut hashes = Zeroizing::new([Block::ZERO; TILE]);
    let bins = okvs.bins() as u32;
    for keys in keys.chunks(TILE) {
        let hashes = &mut hashes[..keys.len()];
        hash_keys(&okvs.bins, keys, hashes);
        out.extend(hashes.iter().map(|hash| scaled(hash.to_u128() as u32, bins)));
    }
    out
}
