//! Randomness as an argument: the operating system's source and a seeded one for tests and simulation.

use std::sync::Mutex;

use base_gm::sm3;

/// Where a component draws random bytes.
pub trait Entropy: Send + Sync {
    /// Overwrites `out` with random bytes.
    fn fill(&self, out: &mut [u8]);
}

/// The operating system's source. Should it fail, the process aborts with a message: nothing here may go on with bytes
/// that are not random, and no caller could do better.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, out: &mut [u8]) {
        if let Err(why) = getrandom::fill(out) {
            eprintln!("the operating system's random source failed: {why}");
            std::process::abort();
        }
    }
}

/// Bytes that follow from a seed: SM3 over the seed and a counter. For tests and simulation only: whoever knows the seed
/// knows every byte.
pub struct SeededEntropy {
    seed: Vec<u8>,
    state: Mutex<Counter>,
}

#[derive(Default)]
struct Counter {
    next: u64,
    /// The unused end of the last block.
    left: Vec<u8>,
}

impl SeededEntropy {
    /// A source named by its seed.
    pub fn new(seed: &[u8]) -> Self {
        Self { seed: seed.to_vec(), state: Mutex::default() }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, out: &mut [u8]) {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for byte in out {
            if state.left.is_empty() {
                let block = sm3::tagged("heqi/seeded/1", &[&self.seed, &state.next.to_be_bytes()]);
                state.left = block.0.into_iter().rev().collect();
                state.next += 1;
            }
            *byte = state.left.pop().unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(source: &dyn Entropy, cuts: &[usize]) -> Vec<u8> {
        let mut all = Vec::new();
        for cut in cuts {
            let mut piece = vec![0; *cut];
            source.fill(&mut piece);
            all.extend(piece);
        }
        all
    }

    #[test]
    fn a_seed_names_one_stream_however_it_is_cut() {
        let whole = drawn(&SeededEntropy::new(b"a"), &[100]);
        assert_eq!(whole, drawn(&SeededEntropy::new(b"a"), &[1, 31, 0, 33, 35]));
        assert_ne!(whole, drawn(&SeededEntropy::new(b"b"), &[100]));
        assert_ne!(whole[..32], whole[32..64]);
    }

    #[test]
    fn the_systems_bytes_differ() {
        assert_ne!(drawn(&OsEntropy, &[32]), drawn(&OsEntropy, &[32]));
    }
}
