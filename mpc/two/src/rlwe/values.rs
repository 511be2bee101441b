//! Polynomials as values: element by element, modulo every prime. Everything here is reduced before and after.

use zeroize::Zeroizing;

use super::modulus::Modulus;
use super::ntt::tables;
use super::{N, POLY};

/// Values that are summed up in a core's first cache.
const TILE: usize = 512;
/// Products of residues that fit 128 bits beside a residue: `15·2^124 + 2^62 < 2^128`.
const LAZY: usize = 15;

/// `to = op(to, x, y)` at every place.
#[inline]
fn each(to: &mut [u64], x: &[u64], y: &[u64], op: impl Fn(&Modulus, u64, u64, u64) -> u64) {
    let (to, x, y) = (to.chunks_exact_mut(N), x.chunks_exact(N), y.chunks_exact(N));
    for (((to, x), y), table) in to.zip(x).zip(y).zip(tables()) {
        for ((to, x), y) in to.iter_mut().zip(x).zip(y) {
            *to = op(&table.modulus, *to, *x, *y);
        }
    }
}

/// `to + x·y`.
pub(super) fn add_product(to: &mut [u64], x: &[u64], y: &[u64]) {
    each(to, x, y, |modulus, to, x, y| modulus.add(to, modulus.mul(x, y)));
}

/// `to − x·y`.
pub(super) fn subtract_product(to: &mut [u64], x: &[u64], y: &[u64]) {
    each(to, x, y, |modulus, to, x, y| modulus.sub(to, modulus.mul(x, y)));
}

/// `to + x`.
pub(super) fn add(to: &mut [u64], x: &[u64]) {
    each(to, x, x, |modulus, to, x, _| modulus.add(to, x));
}

/// `x·y`; here `x` may be any words.
pub(super) fn multiply(to: &mut [u64], x: &[u64], y: &[u64]) {
    each(to, x, y, |modulus, _, x, y| modulus.mul(x, y));
}

/// The sums of the products of as many pairs of polynomials as there are, of the left ones with two lists of others.
pub(super) fn dots(left: &[u64], rights: [&[u64]; 2], outs: [&mut [u64]; 2]) {
    let [one, other] = outs;
    let places = (0..POLY).step_by(TILE);
    for (first, (one, other)) in places.zip(one.chunks_exact_mut(TILE).zip(other.chunks_exact_mut(TILE))) {
        let modulus = &tables()[first / N].modulus;
        let mut sums = Zeroizing::new([[0_u128; 2]; TILE]);
        let [right, beside] = rights.map(|list| list.chunks(LAZY * POLY));
        for (left, (right, beside)) in left.chunks(LAZY * POLY).zip(right.zip(beside)) {
            let pairs = right.chunks_exact(POLY).zip(beside.chunks_exact(POLY));
            for (left, (right, beside)) in left.chunks_exact(POLY).zip(pairs) {
                let tile = first..first + TILE;
                add_products(&mut sums, &left[tile.clone()], &right[tile.clone()], &beside[tile]);
            }
            sums.as_flattened_mut().iter_mut().for_each(|sum| *sum = u128::from(modulus.reduce_wide(*sum)));
        }
        for ((one, other), sums) in one.iter_mut().zip(other).zip(sums.iter()) {
            (*one, *other) = (sums[0] as u64, sums[1] as u64);
        }
    }
}

#[inline]
fn add_products(sums: &mut [[u128; 2]; TILE], left: &[u64], right: &[u64], beside: &[u64]) {
    for (((sums, x), y), z) in sums.iter_mut().zip(left).zip(right).zip(beside) {
        sums[0] += u128::from(*x) * u128::from(*y);
        sums[1] += u128::from(*x) * u128::from(*z);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_of_many_largest_products_does_not_overflow() {
        let largest: Vec<u64> = tables().iter().flat_map(|table| vec![table.modulus.p() - 1; N]).collect();
        let many = largest.repeat(2 * LAZY + 3);
        let (mut out, mut due, mut other) = (vec![0; POLY], vec![0; POLY], vec![0; POLY]);
        let small = vec![2; many.len()];
        dots(&many, [&many, &small], [&mut out, &mut other]);
        for _ in 0..2 * LAZY + 3 {
            add_product(&mut due, &largest, &largest);
        }
        assert!(out == due && out.iter().all(|x| *x == 2 * LAZY as u64 + 3));
        add(&mut other, &due);
        add(&mut other, &due);
        assert!(other.iter().all(|x| *x == 0));
        subtract_product(&mut due, &largest, &largest);
        add(&mut due, &largest);
        assert!(due.iter().all(|x| *x == 2 * LAZY as u64 + 1));
        multiply(&mut out, &due, &largest);
        add(&mut out, &due);
        assert!(out.iter().all(|x| *x == 0));
    }
}
