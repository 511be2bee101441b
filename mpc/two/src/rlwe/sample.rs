//! Random polynomials: uniform ones from a public seed, small ones from a secret one.

use mpc_block::{Block, BlockPrg};
use mpc_core::Prg;
use zeroize::Zeroizing;

use super::ntt::{forward, tables};
use super::{N, POLY};

/// The residues of a secret polynomial.
pub(super) type Poly = Zeroizing<Vec<u64>>;

/// Bits that the primes fit in.
const LOW: u64 = u64::MAX >> 2;
/// Bits on each side of a centred binomial error: variance 10.5, as wide as the standard's 3.2.
const ETA: u32 = 21;

/// A stream of polynomials.
pub(super) struct Sampler {
    prg: BlockPrg,
    blocks: Zeroizing<Vec<Block>>,
}

impl Sampler {
    pub(super) fn new(seed: Block) -> Self {
        Self { prg: BlockPrg::new(seed), blocks: Zeroizing::new(vec![Block::ZERO; N / 2]) }
    }

    /// A stream of secrets: a seed that nobody else learns.
    pub(super) fn secret(prg: &mut Prg) -> Self {
        let (low, high) = (prg.word(), prg.word());
        Self::new(Block::from_u128(u128::from(high) << 64 | u128::from(low)))
    }

    /// Fills `N` words.
    fn fill(&mut self, out: &mut [u64]) {
        self.prg.fill(&mut self.blocks);
        for (pair, block) in out.as_chunks_mut::<2>().0.iter_mut().zip(self.blocks.iter()) {
            let bits = block.to_u128();
            *pair = [bits as u64, (bits >> 64) as u64];
        }
    }

    /// Two random words.
    pub(super) fn pair(&mut self) -> [u64; 2] {
        let bits = self.prg.next().to_u128();
        [bits as u64, (bits >> 64) as u64]
    }

    /// Three random numbers of 128 bits.
    pub(super) fn triple(&mut self) -> [u128; 3] {
        let mut blocks = Zeroizing::new([Block::ZERO; 3]);
        self.prg.fill(&mut blocks[..]);
        blocks.map(Block::to_u128)
    }

    /// A uniform polynomial, public: residues by rejection.
    pub(super) fn uniform(&mut self, out: &mut [u64]) {
        for (residues, table) in out.chunks_exact_mut(N).zip(tables()) {
            self.fill(residues);
            for word in residues {
                *word &= LOW;
                while *word >= table.modulus.p() {
                    *word = self.prg.next().to_u128() as u64 & LOW;
                }
            }
        }
    }

    /// The values of a polynomial with uniform coefficients −1, 0 and 1.
    pub(super) fn ternary(&mut self) -> Poly {
        let mut small = Zeroizing::new(Vec::<i8>::with_capacity(N));
        while small.len() < N {
            for word in self.pair() {
                // Two bits are a coefficient, unless both are set: which are dropped says nothing about the others.
                let drawn = (0..u64::BITS).step_by(2).map(|at| (word >> at & 3) as i8).filter(|two| *two < 3);
                let missing = N - small.len();
                small.extend(drawn.take(missing).map(|two| two - 1));
            }
        }
        let mut poly = Zeroizing::new(vec![0_u64; POLY]);
        add_small(&mut poly, &small);
        forward(&mut poly);
        poly
    }

    /// Adds centred binomial errors to the coefficients of a polynomial.
    pub(super) fn add_error(&mut self, poly: &mut [u64]) {
        let mut words = Zeroizing::new(vec![0_u64; N]);
        self.fill(&mut words);
        let ones = |word: u64| (word & ((1 << ETA) - 1)).count_ones() as i8;
        let errors: Vec<i8> = words.iter().map(|word| ones(*word) - ones(word >> ETA)).collect();
        add_small(poly, &Zeroizing::new(errors));
    }
}

/// Adds small signed coefficients modulo every prime.
fn add_small(poly: &mut [u64], small: &[i8]) {
    for (residues, table) in poly.chunks_exact_mut(N).zip(tables()) {
        for (residue, small) in residues.iter_mut().zip(small) {
            *residue = table.modulus.add(*residue, table.modulus.signed(i64::from(*small) as u64));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rlwe::ntt::backward;

    /// The coefficients as signed numbers; all primes agree.
    fn centred(poly: &[u64]) -> Vec<i64> {
        let of = |limb: usize, at: usize| {
            let (p, residue) = (tables()[limb].modulus.p(), poly[limb * N + at]);
            if residue > p / 2 { -((p - residue) as i64) } else { residue as i64 }
        };
        assert!((0..N).all(|at| of(0, at) == of(1, at) && of(1, at) == of(2, at)));
        (0..N).map(|at| of(0, at)).collect()
    }

    #[test]
    fn small_polynomials_have_the_distributions_that_they_should() {
        let mut sampler = Sampler::new(Block::from_u128(5));
        let mut ternary = sampler.ternary();
        backward(&mut ternary);
        let ternary = centred(&ternary);
        for value in -1..=1 {
            let count = ternary.iter().filter(|x| **x == value).count();
            assert!((2500..2960).contains(&count), "{count} times {value}");
        }
        let mut errors = vec![0; POLY];
        sampler.add_error(&mut errors);
        let errors = centred(&errors);
        let squares: i64 = errors.iter().map(|x| x * x).sum();
        assert!((9 * N as i64..12 * N as i64).contains(&squares), "{squares}");
        assert!(errors.iter().sum::<i64>().abs() < 2000);
    }

    #[test]
    fn uniform_polynomials_are_reduced_and_follow_from_the_seed() {
        let drawn = |seed| {
            let mut out = vec![0; POLY];
            Sampler::new(Block::from_u128(seed)).uniform(&mut out);
            out
        };
        let poly = drawn(1);
        assert!(poly.chunks_exact(N).zip(tables()).all(|(part, table)| part.iter().all(|x| *x < table.modulus.p())));
        assert!(poly == drawn(1) && poly != drawn(2));
    }
}
