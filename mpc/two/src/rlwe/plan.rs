//! How two matrices are cut into blocks that fill a polynomial: public arithmetic on their shape alone.
//!
//! A block of `n × m` and one of `m × k` with `n·m·k ≤ N` are the polynomials with `x[i][j]` at `i·m·k + m − 1 − j` and
//! `y[j][l]` at `l·m + j`; the coefficient `i·m·k + l·m + m − 1` of their product is entry `[i][l]` of the blocks'
//! product (Iron, NeurIPS 2022). What wraps around `X^N + 1` lands below place `m − 1`, where no entry
//! lies.

use std::ops::Range;

use super::{LIMBS, N, POLY};
use crate::parameters::Network;

/// Ciphertexts of one message take no more words than this, unless one column of blocks always does: 64 MiB.
const MESSAGE_WORDS: usize = 8 << 20;

/// Words by which a message is too long, and time in tenths of a transform: the first decides.
pub(super) type Cost = (usize, u128);

/// Shape of the matrices and of their blocks: rows of the left, the inner dimension, columns of the right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Plan {
    pub(super) whole: [usize; 3],
    pub(super) block: [usize; 3],
}

/// Numbers of blocks in each dimension.
fn counts(whole: [usize; 3], block: [usize; 3]) -> [usize; 3] {
    std::array::from_fn(|at| whole[at].div_ceil(block[at]))
}

/// What a block's ciphertext costs to move, in transforms of one polynomial modulo one prime.
const fn transport(network: Network) -> u128 {
    match network {
        Network::Lan => 2,
        Network::Wan => 140,
    }
}

impl Plan {
    /// The cheapest blocks for the shape, no dimension of which is 0, of those whose messages are short enough.
    pub(super) fn new(whole: [usize; 3], network: Network) -> (Self, Cost) {
        let mut best = (Self { whole, block: [N, 1, 1] }, (usize::MAX, u128::MAX));
        for inner in (0..=N.ilog2()).map(|power| 1_usize << power) {
            for columns in (0..=(N / inner).ilog2()).map(|power| 1_usize << power) {
                let plan = Self { whole, block: [N / inner / columns, inner, columns] };
                let cost = plan.cost(network);
                if cost < best.1 {
                    best = (plan, cost);
                }
            }
        }
        best
    }

    /// Three sparse transforms a block of the left in every slab, three a ciphertext of the right and twelve an answer,
    /// with what goes along.
    fn cost(&self, network: Network) -> Cost {
        let [rows, inner, columns] = counts(self.whole, self.block).map(|count| count as u128);
        let slabs = columns.div_ceil(self.slab() as u128);
        let (moved, products) = (transport(network), rows * inner * columns);
        let levels = 1 + u128::from(self.block[1].ilog2());
        let left = 30 * rows * inner * slabs * levels / u128::from(N.ilog2());
        let time = left + (60 + 10 * moved) * inner * columns + (180 + 10 * moved) * rows * columns + 6 * products;
        (self.heaviest().saturating_sub(MESSAGE_WORDS), time)
    }

    /// Words of the longest message of one column of blocks, rounded up.
    fn heaviest(&self) -> usize {
        let [rows, inner, _] = self.counts();
        POLY * inner.max(2 * rows)
    }

    /// Numbers of blocks: in a column of the left, in a row of it, in a row of the right.
    pub(super) fn counts(&self) -> [usize; 3] {
        counts(self.whole, self.block)
    }

    /// Columns of blocks that are worked on in one go.
    pub(super) fn slab(&self) -> usize {
        (MESSAGE_WORDS / self.heaviest()).clamp(1, self.counts()[2].max(1))
    }

    /// Words that each party sends: ciphertexts of the right, answers for every block of the result, and its coefficients.
    pub(super) fn words(&self) -> usize {
        let ([rows, inner, columns], [n, _, k]) = (self.counts(), self.whole);
        POLY * columns * (inner + rows) + LIMBS * n * k
    }

    /// What block `at` of dimension `of` covers.
    pub(super) fn range(&self, of: usize, at: usize) -> Range<usize> {
        let from = at * self.block[of];
        from..(from + self.block[of]).min(self.whole[of])
    }

    /// The coefficient of the left's entry in row `i` and column `j` of a block.
    pub(super) fn left(&self, i: usize, j: usize) -> usize {
        let [_, m, k] = self.block;
        i * m * k + m - 1 - j
    }

    /// The coefficient of the right's entry in row `j` and column `l` of a block.
    pub(super) fn right(&self, j: usize, l: usize) -> usize {
        l * self.block[1] + j
    }

    /// The coefficient of the product's entry in row `i` and column `l` of a block.
    pub(super) fn product(&self, i: usize, l: usize) -> usize {
        let [_, m, k] = self.block;
        i * m * k + l * m + m - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_multiply_as_polynomials_do() {
        for block in [[16, 8, 64], [1, N, 1], [N, 1, 1], [1, 1, N], [2, N / 2, 1], [1, N / 2, 2]] {
            let plan = Plan { whole: block, block };
            let [n, m, k] = block;
            // Every product of two entries lands on an entry's place only where it belongs there.
            for (i, l) in [(0, 0), (n - 1, k - 1), (n / 2, k / 2)] {
                let place = plan.product(i, l);
                assert!(place < N);
                for (row, column) in [(0, 0), (n - 1, k - 1), (i, l), (i, 0), (0, l)] {
                    for (j, other) in [(0, 0), (m - 1, m - 1), (m - 1, 0), (0, m - 1), (m / 2, m / 2)] {
                        let lands = (plan.left(row, j) + plan.right(other, column)) % N;
                        assert_eq!(
                            lands == place,
                            (row, column) == (i, l) && j == other,
                            "{block:?} {i} {l} {j} {other}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_plan_covers_the_matrices_with_messages_that_are_short_enough() {
        for network in [Network::Lan, Network::Wan] {
            for whole in [[256, 256, 256], [1, 1000, 1], [3000, 5, 1], [1, 1, 1], [1024, 1024, 1024], [7, 100_000, 3]] {
                let (plan, cost) = Plan::new(whole, network);
                assert_eq!(plan.block.iter().product::<usize>(), N);
                assert!(cost.0 == 0 && cost.1 > 0);
                for (of, size) in whole.into_iter().enumerate() {
                    let covered: usize = (0..plan.counts()[of]).map(|at| plan.range(of, at).len()).sum();
                    assert_eq!(covered, size);
                }
                let columns = plan.counts()[2];
                assert!((1..=columns).contains(&plan.slab()) && plan.slab() * plan.heaviest() <= MESSAGE_WORDS);
            }
        }
    }
}
