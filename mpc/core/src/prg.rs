//! Pseudorandom words from a 32-byte seed: AES-128 in counter mode.

use aes::Aes128;
use ctr::Ctr64LE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use zeroize::Zeroizing;

use crate::words;

/// A stream of pseudorandom words. Two parties with one seed that draw in one order draw the same words.
pub struct Prg {
    stream: Ctr64LE<Aes128>,
}

impl Prg {
    /// Starts the stream of a seed: 16 bytes of key, 16 bytes of nonce.
    pub fn new(seed: &[u8; 32]) -> Self {
        let (mut key, mut nonce) = (Zeroizing::new([0; 16]), [0; 16]);
        key.copy_from_slice(&seed[..16]);
        nonce.copy_from_slice(&seed[16..]);
        Self { stream: Ctr64LE::new(&(*key).into(), &nonce.into()) }
    }

    /// Fills `out` with the next bytes.
    pub fn fill(&mut self, out: &mut [u8]) {
        self.stream.write_keystream(out);
    }

    /// The next `count` words.
    pub fn words(&mut self, count: usize) -> Vec<u64> {
        const BLOCK: usize = 4096;
        let mut block = Zeroizing::new([0; BLOCK]);
        let mut out = Vec::with_capacity(count);
        while out.len() < count {
            let bytes = words::bytes(count - out.len()).min(BLOCK);
            self.fill(&mut block[..bytes]);
            out.extend(block[..bytes].as_chunks::<8>().0.iter().map(|chunk| u64::from_le_bytes(*chunk)));
        }
        out
    }

    /// The next word.
    pub fn word(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// A uniform number below `bound`, which is not 0 (Lemire 2019, "Fast random integer generation in an interval").
    pub fn below(&mut self, bound: u64) -> u64 {
        loop {
            let product = u128::from(self.word()) * u128::from(bound);
            let low = product as u64;
            if low >= bound || low >= bound.wrapping_neg() % bound {
                return (product >> 64) as u64;
            }
        }
    }

    /// A uniform permutation of `0..count` (Fisher–Yates).
    pub fn permutation(&mut self, count: u32) -> Vec<u32> {
        let mut out: Vec<u32> = (0..count).collect();
        for last in (1..out.len()).rev() {
            let chosen = self.below(last as u64 + 1) as usize;
            out.swap(last, chosen);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_stream_however_it_is_drawn() {
        let (mut x, mut y) = (Prg::new(&[7; 32]), Prg::new(&[7; 32]));
        let all = x.words(1000);
        let mut parts = y.words(1);
        parts.extend(y.words(998));
        parts.push(y.word());
        assert_eq!(all, parts);
        assert_ne!(all, Prg::new(&[8; 32]).words(1000));
    }

    #[test]
    fn the_stream_is_aes_128_in_counter_mode() {
        // FIPS 197, appendix C.1, with the counter block as the plaintext.
        let key = std::array::from_fn(|i| i as u8);
        let block: [u8; 16] = std::array::from_fn(|i| (i * 0x11) as u8);
        let mut seed = [0; 32];
        seed[..16].copy_from_slice(&key as &[u8; 16]);
        seed[16..].copy_from_slice(&block);
        let mut out = [0; 16];
        Prg::new(&seed).fill(&mut out);
        assert_eq!(out[..4], [0x69, 0xc4, 0xe0, 0xd8]);
        assert_eq!(out[12..], [0x70, 0xb4, 0xc5, 0x5a]);
    }

    #[test]
    fn permutations_are_permutations_and_differ() {
        let mut prg = Prg::new(&[1; 32]);
        let first = prg.permutation(500);
        let mut sorted = first.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..500).collect::<Vec<_>>());
        assert_ne!(first, prg.permutation(500));
        assert!(prg.permutation(0).is_empty());
        let mut seen = [0; 3];
        for _ in 0..3000 {
            seen[prg.below(3) as usize] += 1;
        }
        assert!(seen.iter().all(|count| (800..1200).contains(count)), "{seen:?}");
    }
}
