//! A digest of long streams: leaves are hashed side by side, many times faster than SM3 over all bytes.
//!
//! The bytes are cut every [`LEAF_BYTES`]; each leaf (the last may be shorter, and there is none of nothing) has the SM3 of
//! its bytes. The digest is the SM3 of: the domain's length (64-bit, big-endian), the domain, the salt, the leaves'
//! digests in order, and the number of all bytes (64-bit, big-endian). Two streams of one digest are one stream, or show a
//! collision of SM3; without the salt nobody can compare it with a guess.

use base_types::Digest;
use zeroize::Zeroizing;

use super::Sm3Stream;

/// Bytes of a leaf.
pub const LEAF_BYTES: usize = 4096;
/// Leaves hashed at a time: as many as the widest processors take.
const BATCH_BYTES: usize = 16 * LEAF_BYTES;
const DOMAIN: &[u8] = b"heqi/sm3-tree/1";

/// A salted digest of bytes that arrive in pieces; how they are cut makes no difference. Holds at most 64 KiB, which are wiped when it
/// is dropped.
#[derive(Clone)]
pub struct Tree {
    root: Sm3Stream,
    pending: Zeroizing<Vec<u8>>,
    total: u64,
}

impl Tree {
    /// Starts with nothing.
    pub fn new(salt: &[u8; 32]) -> Self {
        let mut root = Sm3Stream::new();
        root.update(&(DOMAIN.len() as u64).to_be_bytes());
        root.update(DOMAIN);
        root.update(salt);
        Self { root, pending: Zeroizing::new(Vec::new()), total: 0 }
    }

    /// Takes the next piece.
    pub fn update(&mut self, mut bytes: &[u8]) {
        self.total += bytes.len() as u64;
        if !self.pending.is_empty() {
            let (head, rest) = bytes.split_at(bytes.len().min(BATCH_BYTES - self.pending.len()));
            self.keep(head);
            bytes = rest;
            if self.pending.len() < BATCH_BYTES {
                return;
            }
            leaves(&mut self.root, &self.pending);
            self.pending.clear();
        }
        let whole = bytes.len() - bytes.len() % BATCH_BYTES;
        let (whole, rest) = bytes.split_at(whole);
        whole.chunks(BATCH_BYTES).for_each(|batch| leaves(&mut self.root, batch));
        self.keep(rest);
    }

    /// Keeps bytes that fill no batch yet, in memory that never grows, so that no copy stays behind.
    fn keep(&mut self, bytes: &[u8]) {
        if self.pending.capacity() < BATCH_BYTES && !bytes.is_empty() {
            let mut whole = Zeroizing::new(Vec::<u8>::with_capacity(BATCH_BYTES));
            whole.extend_from_slice(&self.pending[..]);
            self.pending = whole;
        }
        self.pending.extend_from_slice(bytes);
    }

    /// The digest of all pieces.
    pub fn finish(mut self) -> Digest {
        leaves(&mut self.root, &self.pending);
        self.root.update(&self.total.to_be_bytes());
        self.root.finish()
    }
}

fn leaves(root: &mut Sm3Stream, bytes: &[u8]) {
    let leaves: Vec<&[u8]> = bytes.chunks(LEAF_BYTES).collect();
    base_vector::sm3::digests(&leaves).iter().for_each(|digest| root.update(digest));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sm3::sm3;

    /// The definition, word by word.
    fn spelled(salt: &[u8; 32], bytes: &[u8]) -> Digest {
        let mut all = 15u64.to_be_bytes().to_vec();
        all.extend_from_slice(b"heqi/sm3-tree/1");
        all.extend_from_slice(salt);
        bytes.chunks(4096).for_each(|leaf| all.extend_from_slice(&sm3(leaf).0));
        all.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        sm3(&all)
    }

    fn sample(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i * 7 + i / 251) as u8).collect()
    }

    #[test]
    fn the_digest_is_the_defined_one_however_the_bytes_are_cut() {
        let salt = [9; 32];
        for len in [0, 1, 4095, 4096, 4097, 65_535, 65_536, 65_537, 3 * 65_536 + 4096 + 5] {
            let bytes = sample(len);
            for piece in [1 << 20, 65_536, 70_001, 4096, 1013] {
                let mut tree = Tree::new(&salt);
                bytes.chunks(piece).for_each(|part| tree.update(part));
                assert_eq!(tree.finish(), spelled(&salt, &bytes), "{len} bytes by {piece}");
            }
        }
    }

    #[test]
    fn salt_length_and_every_leaf_count() {
        let bytes = sample(10_000);
        let digest = |salt: u8, bytes: &[u8]| {
            let mut tree = Tree::new(&[salt; 32]);
            tree.update(bytes);
            tree.finish()
        };
        let mut all = vec![digest(1, &bytes), digest(2, &bytes), digest(1, &bytes[..9_999]), digest(1, &bytes[..8192])];
        for at in [0, 4096, 9_999] {
            let mut other = bytes.clone();
            other[at] ^= 1;
            all.push(digest(1, &other));
        }
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 7);
    }
}
