//! The verification equation of GB/T 32918.2, 7.1, on public data and without an inversion.

use std::sync::LazyLock;

use super::{
    comb::Comb,
    field::{Field, PRIME},
    limbs::{add, below},
    naf,
    point::{Affine, Jacobian},
    scalar::{ORDER, Scalar},
};

/// The generator's window: 29 rows of 256 points, 475 KB for all keys together.
const GENERATOR_WINDOW: usize = 9;

static GENERATOR: LazyLock<Comb> = LazyLock::new(|| Comb::new(&Affine::GENERATOR, GENERATOR_WINDOW));

/// A public key in the form in which it is at hand.
pub(crate) enum Key<'a> {
    /// With its table.
    Table(&'a Comb),
    /// As a checked point.
    Point(Affine),
}

/// Whether (r, s), both in 1..n, is the key's signature over the digest e.
pub(crate) fn accepts(key: &Key<'_>, digest: &[u8; 32], r: &Scalar, s: &Scalar) -> bool {
    // B5: t = r + s; 0 would take the key out of the equation.
    let t = r.plus(s);
    if t.is_zero() {
        return false;
    }
    // B6: s·G + t·P.
    let of_key = match key {
        Key::Table(comb) => comb.add_multiple(&t, Jacobian::INFINITY),
        Key::Point(point) => naf::multiple(&t, point),
    };
    let sum = GENERATOR.add_multiple(s, of_key);
    // B7: r = e + x modulo n, that is x = r - e modulo n.
    x_is(&sum, &r.minus(&Scalar::reduced(digest)))
}

/// Whether the point is not infinity and its x modulo n is `wanted`. As n < p < 2n, x is `wanted` or, where that is
/// still below p, `wanted + n`; either is compared as `X = x·Z²`.
fn x_is(point: &Jacobian, wanted: &Scalar) -> bool {
    if point.is_infinity() {
        return false;
    }
    let squared = point.z.square();
    if Field::from_limbs(wanted.limbs()) * squared == point.x {
        return true;
    }
    let (raised, carry) = add(wanted.limbs(), &ORDER);
    !carry && below(&raised, &PRIME) && Field::from_limbs(&raised) * squared == point.x
}

#[cfg(test)]
mod tests {
    use super::{super::limbs::to_be, *};

    const ONE: Scalar = Scalar::ONE;

    fn small(k: u64) -> Scalar {
        Scalar::reduced(&to_be(&[k, 0, 0, 0]))
    }

    /// A triple of Jacobian coordinates with the given x and Z; x_is looks at no y.
    fn at(x: &Field, z: u64) -> Jacobian {
        let z = Field::from_limbs(&[z, 0, 0, 0]);
        Jacobian { x: *x * z.square(), y: Field::ONE, z }
    }

    #[test]
    fn an_x_at_or_above_the_order_is_compared_modulo_the_order() {
        for offset in [0, 1, 5, 1 << 40] {
            let (x, _) = add(&ORDER, &[offset, 0, 0, 0]);
            assert!(below(&x, &PRIME));
            for z in [1, 2, 12345] {
                let (above, same) = (at(&Field::from_limbs(&x), z), at(&Field::from_limbs(&[offset, 0, 0, 0]), z));
                assert!(x_is(&above, &small(offset)) && x_is(&same, &small(offset)));
                assert!(!x_is(&above, &small(offset + 1)) && !x_is(&same, &small(offset + 1)));
            }
        }
        // The largest x is p - 1; one more would be p, which is 0 in the field but not modulo n.
        let (largest, _) = super::super::limbs::sub(&PRIME, &ORDER);
        let wanted = Scalar::reduced(&to_be(&largest)).minus(&ONE);
        assert!(x_is(&at(&-Field::ONE, 7), &wanted));
        assert!(!x_is(&at(&Field::ZERO, 7), &wanted.plus(&ONE)));
        // Raising n - 1 leaves 256 bits; what is left over must not be compared.
        let last = Scalar::default().minus(&ONE);
        let (wrapped, carry) = add(last.limbs(), &ORDER);
        assert!(carry && !x_is(&at(&Field::from_limbs(&wrapped), 3), &last));
        assert!(x_is(&at(&Field::from_limbs(last.limbs()), 3), &last));
    }

    #[test]
    fn infinity_has_no_x() {
        let mut infinity = Jacobian::INFINITY;
        assert!(!x_is(&infinity, &Scalar::default()));
        infinity.x = Field::ZERO;
        assert!(!x_is(&infinity, &Scalar::default()) && !x_is(&infinity, &ONE));
    }

    /// For P = ±G everything is known: s·G + (r + s)·P is (s ± (r + s))·G.
    #[test]
    fn sums_that_meet_in_equal_opposite_and_infinite_points_are_judged_right() {
        let x_of = |k: u64| {
            let point = super::super::point::tests::library(k).unwrap();
            Affine::from_checked(&point).x.to_be()
        };
        for (point, opposite) in [(Affine::GENERATOR, false), (Affine::GENERATOR.opposite(), true)] {
            let comb = Comb::new(&point, 7);
            for r in 0..30u64 {
                for s in 1..30u64 {
                    // s·G + (r + s)·G, or s·G - (r + s)·G = -r·G; r = 0 is no signature, and there the sum is infinity.
                    let k = if opposite { r } else { r + 2 * s };
                    let e = if k == 0 { Scalar::default() } else { small(r).minus(&Scalar::reduced(&x_of(k))) };
                    for key in [Key::Table(&comb), Key::Point(point)] {
                        let good = accepts(&key, &e.to_be(), &small(r), &small(s));
                        assert_eq!(good, k != 0, "{r} {s} {opposite}");
                        assert!(!accepts(&key, &e.plus(&ONE).to_be(), &small(r), &small(s)));
                    }
                }
            }
        }
    }

    #[test]
    fn r_plus_s_equal_to_the_order_and_digests_above_it_are_judged_right() {
        let comb = Comb::new(&Affine::GENERATOR, 7);
        let x = Affine::GENERATOR.x.to_be();
        for key in [Key::Table(&comb), Key::Point(Affine::GENERATOR)] {
            // With t = 0 the equation would hold for s = 1, e = r - x(G): only step B5 refuses.
            let r = Scalar::default().minus(&ONE);
            let e = r.minus(&Scalar::reduced(&x));
            assert!(!accepts(&key, &e.to_be(), &r, &ONE));
            // e = n + d and e = d are one digest: r = x(3G) + d, s = 3 - (r + s), that is r + 2s = 3.
            let three = super::super::point::tests::library(3).unwrap();
            for d in 0..4u64 {
                let r = Scalar::reduced(&Affine::from_checked(&three).x.to_be()).plus(&small(d));
                let half = half_of(&small(3).minus(&r));
                let (raised, carry) = add(&[d, 0, 0, 0], &ORDER);
                assert!(!carry && accepts(&key, &to_be(&raised), &r, &half));
                assert!(accepts(&key, &small(d).to_be(), &r, &half));
                assert!(!accepts(&key, &small(d + 1).to_be(), &r, &half));
            }
        }
    }

    fn half_of(value: &Scalar) -> Scalar {
        small(2).inverse_times_radix().times_over_radix(value)
    }
}
