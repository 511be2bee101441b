//! Multiplication of the generator by a secret scalar: the operations and the memory read are the same for all.

use std::{hint::black_box, sync::LazyLock};

use zeroize::{DefaultIsZeroes, Zeroizing};

use super::{
    comb::Comb,
    field::Field,
    limbs::{secret_mask, signed_digits},
    point::{Affine, B},
    scalar::Scalar,
};

/// Small rows, as every entry of a row is read for every digit: 52 rows of 16 points, 53 KB.
const WINDOW: usize = 5;

static TABLE: LazyLock<Comb> = LazyLock::new(|| Comb::new(&Affine::GENERATOR, WINDOW));

/// A point as (X, Y, Z) with x = X/Z and y = Y/Z.
#[derive(Clone, Copy, Default)]
struct Projective {
    x: Field,
    y: Field,
    z: Field,
}

impl DefaultIsZeroes for Projective {}

impl Projective {
    const INFINITY: Self = Self { x: Field::ZERO, y: Field::ONE, z: Field::ZERO };

    /// The sum by the complete formulas for a = -3 with an affine point (Renes, Costello, Batina, "Complete addition
    /// formulas for prime order elliptic curves", algorithm 5): no pair of points is an exception to branch on.
    #[inline(never)]
    fn add(&self, other: &Affine) -> Self {
        let xx = self.x * other.x;
        let yy = self.y * other.y;
        let xy = (self.x + self.y) * (other.x + other.y) - (xx + yy);
        let yz = other.y * self.z + self.y;
        let xz = other.x * self.z + self.x;

        let bz = xz - B * self.z;
        let bz3 = bz.double() + bz;
        let (minus, plus) = (yy - bz3, yy + bz3);

        let z3 = self.z.double() + self.z;
        let bxz = B * xz - (z3 + xx);
        let bxz3 = bxz.double() + bxz;
        let xx3 = xx.double() + xx - z3;

        Self { x: plus * xy - yz * bxz3, y: plus * minus + xx3 * bxz3, z: minus * yz + xy * xx3 }
    }

    #[inline(always)]
    fn select(mask: u64, yes: &Self, no: &Self) -> Self {
        Self {
            x: Field::select(mask, &yes.x, &no.x),
            y: Field::select(mask, &yes.y, &no.y),
            z: Field::select(mask, &yes.z, &no.z),
        }
    }
}

/// `k·G` for k in 1..n. What the scalar could be learnt from is wiped; for k = 0 the result is no point.
pub(crate) fn generator_times(k: &Scalar) -> Affine {
    let table = &*TABLE;
    let mut sum = Zeroizing::new(Projective::INFINITY);
    let mut entry = Zeroizing::new(Affine::default());
    for (digit, row) in signed_digits(k.limbs(), table.window()).zip(table.rows()) {
        let digit = black_box(digit);
        // Two's complement: -1 for a negative digit, 0 for others.
        let sign = digit >> 31;
        let size = ((digit ^ sign) - sign) as u32;
        *entry = pick(row, size);
        let opposite = -entry.y;
        entry.y = Field::select(secret_mask(sign != 0), &opposite, &entry.y);
        // The digit 0 has no entry: what was picked is not a point, and its sum is dropped.
        let added = sum.add(&entry);
        *sum = Projective::select(secret_mask(size != 0), &added, &sum);
    }
    let inverse = Zeroizing::new(sum.z.invert());
    Affine { x: sum.x * *inverse, y: sum.y * *inverse }
}

/// The size-th entry, counted from 1, by reading all of them.
#[inline(always)]
fn pick(row: &[Affine], size: u32) -> Affine {
    let mut picked = Affine::default();
    for (number, entry) in (1u32..).zip(row) {
        let wanted = secret_mask(number == size);
        picked.x.collect(wanted, &entry.x);
        picked.y.collect(wanted, &entry.y);
    }
    picked
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            limbs::{reference, to_be},
            point::{Jacobian, normalise, tests::library},
            scalar::ORDER,
        },
        *,
    };

    fn affine(point: &Projective) -> Option<[u8; 64]> {
        let inverse = point.z.invert();
        (!point.z.is_zero()).then(|| Affine { x: point.x * inverse, y: point.y * inverse }.to_bytes())
    }

    #[test]
    fn the_complete_formulas_have_no_exception() {
        let generator = Jacobian::from(&Affine::GENERATOR);
        let step = |point: &Jacobian| Some(point.add_affine(&Affine::GENERATOR));
        let all: Vec<Jacobian> = std::iter::successors(Some(generator), step).take(9).collect();
        for (i, left) in (1u64..).zip(normalise(&all)) {
            // The same point with Z = 1 and, as a sum, with another Z.
            let one = Projective { x: left.x, y: left.y, z: Field::ONE };
            for (j, right) in (1u64..).zip(normalise(&all)) {
                let sum = one.add(&right);
                assert_eq!(affine(&sum), library(i + j), "{i} + {j}");
                let less = sum.add(&right.opposite());
                assert_eq!(affine(&less), library(i), "{i} + {j} - {j}");
                assert_eq!(affine(&one.add(&right.opposite())).is_none(), i == j);
                assert_eq!(affine(&less.add(&left)), library(2 * i), "doubling {i}");
                assert!(affine(&less.add(&left.opposite())).is_none(), "{i} - {i}");
            }
            assert_eq!(affine(&Projective::INFINITY.add(&left)), library(i));
        }
    }

    #[test]
    fn secret_multiples_are_those_of_the_public_table() {
        let comb = Comb::new(&Affine::GENERATOR, 7);
        for case in 1..200 {
            let k = Scalar::reduced(&to_be(&reference::sample("secret", case, &ORDER)));
            let expected = normalise(&[comb.add_multiple(&k, Jacobian::INFINITY)]);
            assert!(expected[0] == generator_times(&k), "{case}");
        }
        for k in 1..200 {
            assert_eq!(Some(generator_times(&Scalar::reduced(&to_be(&[k, 0, 0, 0]))).to_bytes()), library(k));
        }
    }
}
