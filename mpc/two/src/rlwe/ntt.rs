//! The negacyclic number-theoretic transform of 8,192 coefficients modulo each prime.
//!
//! Decimation in time forwards and in frequency backwards with roots in bit-reversed order, so no reordering (Longa and
//! Naehrig, CANS 2016, Algorithms 1 and 2), with lazy butterflies (Harvey 2014). Times depend on nothing but the
//! length.

use std::sync::OnceLock;

use super::modulus::{Modulus, Shoup};
use super::scale::Scale;
use super::{LIMBS, N};

/// The largest primes below 2^62 that are 1 modulo 16,384, and a primitive root of unity of order 16,384 for each.
pub(super) const PRIMES: [(u64, u64); LIMBS] = [
    ((1 << 62) - 65_535, 0x1a78_d634_355f_76dd),
    ((1 << 62) - 98_303, 0x24ae_4d59_4be8_8230),
    ((1 << 62) - 933_887, 0x08c1_12c2_a02e_4647),
];

/// What is computed once for a prime.
pub(super) struct Table {
    pub(super) modulus: Modulus,
    pub(super) scale: Scale,
    forward: Vec<Shoup>,
    backward: Vec<Shoup>,
    /// `1/N`.
    shrink: Shoup,
}

/// The tables of all primes.
pub(super) fn tables() -> &'static [Table; LIMBS] {
    static TABLES: OnceLock<[Table; LIMBS]> = OnceLock::new();
    TABLES.get_or_init(|| std::array::from_fn(Table::new))
}

/// The powers of `root` in bit-reversed order.
fn powers(modulus: &Modulus, root: u64) -> Vec<Shoup> {
    let mut out = vec![modulus.shoup(1); N];
    let mut power = 1;
    for at in 0..N {
        out[at.reverse_bits() >> (usize::BITS - N.ilog2())] = modulus.shoup(power);
        power = modulus.mul(power, root);
    }
    out
}

impl Table {
    fn new(limb: usize) -> Self {
        let (p, root) = PRIMES[limb];
        let modulus = Modulus::new(p);
        let (forward, backward) = (powers(&modulus, root), powers(&modulus, modulus.inverse(root)));
        let shrink = modulus.shoup(modulus.inverse(N as u64));
        Self { modulus, scale: Scale::new(&modulus, limb), forward, backward, shrink }
    }

    /// Coefficients to values, in place: `N` residues.
    pub(super) fn forward(&self, residues: &mut [u64]) {
        self.levels(residues, N);
    }

    /// [`Self::forward`] of a polynomial that is zero but at the first `width` places of each of `rows` equal parts;
    /// both are powers of two. Between the parts only those places count; within a part the levels above `width` meet
    /// zeros, so they copy.
    pub(super) fn forward_sparse(&self, residues: &mut [u64], rows: usize, width: usize) {
        let (part, mut half, mut groups) = (N / rows, N, 1);
        while half > part {
            half /= 2;
            for (block, root) in residues.chunks_exact_mut(2 * half).zip(&self.forward[groups..2 * groups]) {
                let (xs, ys) = block.split_at_mut(half);
                for (xs, ys) in xs.chunks_exact_mut(part).zip(ys.chunks_exact_mut(part)) {
                    forward_butterflies(&self.modulus, &mut xs[..width], &mut ys[..width], *root);
                }
            }
            groups *= 2;
        }
        for block in residues.chunks_exact_mut(part) {
            let mut known = width;
            while known < part {
                block.copy_within(..known, known);
                known *= 2;
            }
        }
        self.levels(residues, width);
    }

    /// The levels on parts of `len` coefficients and smaller ones.
    fn levels(&self, residues: &mut [u64], len: usize) {
        let (mut half, mut groups) = (len, N / len);
        while half > 1 {
            half /= 2;
            let roots = &self.forward[groups..2 * groups];
            // Short inner loops are unrolled when the compiler knows their length.
            match half {
                1 => forward_level(&self.modulus, residues, roots, 1),
                2 => forward_level(&self.modulus, residues, roots, 2),
                4 => forward_level(&self.modulus, residues, roots, 4),
                _ => forward_level(&self.modulus, residues, roots, half),
            }
            groups *= 2;
        }
        residues.iter_mut().for_each(|x| *x = self.modulus.once(self.modulus.twice(*x)));
    }

    /// Values to coefficients, in place: `N` residues.
    pub(super) fn backward(&self, residues: &mut [u64]) {
        let (mut half, mut groups) = (1, N / 2);
        while half < N {
            let roots = &self.backward[groups..2 * groups];
            match half {
                1 => backward_level(&self.modulus, residues, roots, 1),
                2 => backward_level(&self.modulus, residues, roots, 2),
                4 => backward_level(&self.modulus, residues, roots, 4),
                _ => backward_level(&self.modulus, residues, roots, half),
            }
            half *= 2;
            groups /= 2;
        }
        residues.iter_mut().for_each(|x| *x = self.modulus.mul_by(*x, self.shrink));
    }
}

/// Butterflies `(x, y) → (x + w·y, x − w·y)`; all stay below `4p`.
#[inline(always)]
fn forward_butterflies(modulus: &Modulus, xs: &mut [u64], ys: &mut [u64], root: Shoup) {
    for (x, y) in xs.iter_mut().zip(ys) {
        let (sum, term) = (modulus.twice(*x), modulus.mul_lazy(*y, root));
        (*x, *y) = (sum + term, sum + 2 * modulus.p() - term);
    }
}

/// One level of the transform, a root a block.
#[inline(always)]
fn forward_level(modulus: &Modulus, residues: &mut [u64], roots: &[Shoup], half: usize) {
    for (block, root) in residues.chunks_exact_mut(2 * half).zip(roots) {
        let (xs, ys) = block.split_at_mut(half);
        forward_butterflies(modulus, xs, ys, *root);
    }
}

/// One level of butterflies `(x, y) → (x + y, w·(x − y))`; all stay below `2p`.
#[inline(always)]
fn backward_level(modulus: &Modulus, residues: &mut [u64], roots: &[Shoup], half: usize) {
    for (block, root) in residues.chunks_exact_mut(2 * half).zip(roots) {
        let (xs, ys) = block.split_at_mut(half);
        for (x, y) in xs.iter_mut().zip(ys) {
            let (sum, difference) = (modulus.twice(*x + *y), *x + 2 * modulus.p() - *y);
            (*x, *y) = (sum, modulus.mul_lazy(difference, *root));
        }
    }
}

/// Coefficients to values modulo every prime.
pub(super) fn forward(poly: &mut [u64]) {
    poly.chunks_exact_mut(N).zip(tables()).for_each(|(residues, table)| table.forward(residues));
}

/// [`Table::forward_sparse`] modulo every prime.
pub(super) fn forward_sparse(poly: &mut [u64], rows: usize, width: usize) {
    let limbs = poly.chunks_exact_mut(N).zip(tables());
    limbs.for_each(|(residues, table)| table.forward_sparse(residues, rows, width));
}

/// Values to coefficients modulo every prime.
pub(super) fn backward(poly: &mut [u64]) {
    poly.chunks_exact_mut(N).zip(tables()).for_each(|(residues, table)| table.backward(residues));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roots_have_order_twice_the_dimension() {
        for (table, (p, root)) in tables().iter().zip(PRIMES) {
            assert_eq!(table.modulus.pow(root, N as u64), p - 1);
        }
    }

    #[test]
    fn products_of_values_are_negacyclic_products_of_coefficients() {
        for table in tables() {
            let modulus = &table.modulus;
            let (p, mut state) = (modulus.p(), 7_u64);
            let mut some = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                modulus.reduce(state)
            };
            let x: Vec<u64> = (0..N).map(|_| some()).collect();
            // Three terms are enough to see signs and places.
            let terms = [(0, some()), (1, p - 1), (N - 3, some())];
            let mut due = vec![0; N];
            for (at, x) in x.iter().enumerate() {
                for (shift, factor) in terms {
                    let (place, product) = ((at + shift) % N, modulus.mul(*x, factor));
                    let wraps = at + shift >= N;
                    due[place] =
                        if wraps { modulus.sub(due[place], product) } else { modulus.add(due[place], product) };
                }
            }
            let (mut left, mut right) = (x.clone(), vec![0; N]);
            terms.iter().for_each(|(shift, factor)| right[*shift] = *factor);
            table.forward(&mut left);
            table.forward(&mut right);
            assert!(left.iter().chain(&right).all(|x| *x < p));
            left.iter_mut().zip(&right).for_each(|(x, y)| *x = modulus.mul(*x, *y));
            table.backward(&mut left);
            assert!(left == due);
        }
    }

    #[test]
    fn the_sparse_transform_is_the_transform() {
        for (rows, width) in [(1, N), (N, 1), (1, 1), (16, 8), (2, N / 2), (64, 128), (8, 1)] {
            for table in tables() {
                let part = N / rows;
                let value = |at: usize| {
                    if at % part < width {
                        table.modulus.reduce((at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
                    } else {
                        0
                    }
                };
                let mut sparse: Vec<u64> = (0..N).map(value).collect();
                let mut full = sparse.clone();
                table.forward_sparse(&mut sparse, rows, width);
                table.forward(&mut full);
                assert!(sparse == full, "{rows} {width}");
            }
        }
    }
}
