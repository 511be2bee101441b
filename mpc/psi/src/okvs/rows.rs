//! Rows: which slots a key uses. One family of rows is one choice of hash functions.

use mpc_block::{Aes, Block, BlockPrg, gf_dot, xor_into};
use zeroize::Zeroizing;

use super::shape::Shape;

/// Keys that are hashed together: what they need stays in the first-level cache.
const TILE: usize = 64;
/// Most slots of the dense part.
const DENSE: usize = 8;

/// The hash functions of one family: AES under public keys, with the input added (Matyas, Meyer and Oseas).
pub(super) struct Family {
    sparse: Aes,
    dense: Vec<Aes>,
    slots: u32,
}

/// `out[i]` becomes the hash of `keys[i]`.
pub(crate) fn hash_keys(cipher: &Aes, keys: &[Block], out: &mut [Block]) {
    out.copy_from_slice(keys);
    cipher.encrypt_all(out);
    xor_into(out, keys);
}

/// A number below `bound` from 32 bits, uniform but for `bound / 2^32`.
pub(super) fn scaled(word: u32, bound: u32) -> u32 {
    ((u64::from(word) * u64::from(bound)) >> 32) as u32
}

/// Three different numbers below `slots`, in no order: every set of three is as likely as any other.
fn places(hash: Block, slots: u32) -> [u32; 3] {
    let bits = hash.to_u128();
    let first = scaled(bits as u32, slots);
    let mut second = scaled((bits >> 32) as u32, slots - 1);
    second += u32::from(second >= first);
    let mut third = scaled((bits >> 64) as u32, slots - 2);
    third += u32::from(third >= first.min(second));
    third += u32::from(third >= first.max(second));
    [first, second, third]
}

impl Family {
    pub(super) fn new(prg: &mut BlockPrg, shape: &Shape) -> Self {
        let sparse = Aes::new(prg.next());
        let dense = (0..shape.dense).map(|_| Aes::new(prg.next())).collect();
        Self { sparse, dense, slots: shape.sparse as u32 }
    }

    /// The places in the sparse part, for every key.
    pub(super) fn places(&self, keys: &[Block], out: &mut Vec<[u32; 3]>) {
        out.clear();
        let mut hashes = Zeroizing::new([Block::ZERO; TILE]);
        for keys in keys.chunks(TILE) {
            let hashes = &mut hashes[..keys.len()];
            hash_keys(&self.sparse, keys, hashes);
            out.extend(hashes.iter().map(|hash| places(*hash, self.slots)));
        }
    }

    /// The coefficients of the dense part, `self.dense.len()` a key, key by key. At most [`TILE`] keys.
    fn coefficients(&self, keys: &[Block], out: &mut [Block; TILE * DENSE]) {
        let mut hashes = Zeroizing::new([Block::ZERO; TILE]);
        let hashes = &mut hashes[..keys.len()];
        for (at, cipher) in self.dense.iter().enumerate() {
            hash_keys(cipher, keys, hashes);
            for (row, hash) in out.chunks_exact_mut(self.dense.len()).zip(hashes.iter()) {
                row[at] = *hash;
            }
        }
    }

    /// The coefficients of a single key.
    pub(super) fn coefficients_of(&self, key: Block) -> Vec<Block> {
        self.dense.iter().map(|cipher| cipher.encrypt(key) ^ key).collect()
    }

    /// Adds to every place of `out` the product of the dense part with the coefficients of its key.
    pub(super) fn add_dense(&self, dense: &[Block], keys: &[Block], out: &mut [Block]) {
        let mut rows = Zeroizing::new([Block::ZERO; TILE * DENSE]);
        for (keys, out) in keys.chunks(TILE).zip(out.chunks_mut(TILE)) {
            self.coefficients(keys, &mut rows);
            for (out, row) in out.iter_mut().zip(rows.chunks_exact(self.dense.len())) {
                *out ^= gf_dot(row, dense);
            }
        }
    }

    /// The values of the keys in the slots of their bin.
    pub(super) fn decode(&self, sparse: &[Block], dense: &[Block], keys: &[Block], out: &mut [Block]) {
        let mut hashes = Zeroizing::new([Block::ZERO; TILE]);
        for (keys, out) in keys.chunks(TILE).zip(out.chunks_mut(TILE)) {
            let hashes = &mut hashes[..keys.len()];
            hash_keys(&self.sparse, keys, hashes);
            for (out, hash) in out.iter_mut().zip(hashes.iter()) {
                let [first, second, third] = places(*hash, self.slots);
                *out = sparse[first as usize] ^ sparse[second as usize] ^ sparse[third as usize];
            }
        }
        self.add_dense(dense, keys, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_different_in_range_and_cover_all_sets_of_three() {
        let mut prg = BlockPrg::new(Block::from_u128(5));
        let mut seen = [0; 32];
        for _ in 0..10_000 {
            let [a, b, c] = places(prg.next(), 5);
            assert!(a < 5 && b < 5 && c < 5 && a != b && b != c && a != c);
            seen[(1 << a | 1 << b | 1 << c) as usize] += 1;
        }
        let sets: Vec<i32> = seen.into_iter().filter(|count| *count > 0).collect();
        assert_eq!(sets.len(), 10);
        assert!(sets.iter().all(|count| (850..1150).contains(count)), "{sets:?}");
        for hash in [Block::ZERO, Block::ONES] {
            assert!(places(hash, 3).iter().sum::<u32>() == 3);
        }
    }

    #[test]
    fn coefficients_in_tiles_are_those_of_single_keys() {
        let shape = Shape { bins: 1, capacity: 200, sparse: 400, dense: 8 };
        let family = Family::new(&mut BlockPrg::new(Block::from_u128(6)), &shape);
        let mut keys = vec![Block::ZERO; 150];
        BlockPrg::new(Block::from_u128(7)).fill(&mut keys);
        let dense: Vec<Block> = (1..9).map(Block::from_u128).collect();
        let mut out = keys.clone();
        family.add_dense(&dense, &keys, &mut out);
        for (key, out) in keys.iter().zip(out) {
            assert!(out == *key ^ gf_dot(&family.coefficients_of(*key), &dense));
        }
    }
}
