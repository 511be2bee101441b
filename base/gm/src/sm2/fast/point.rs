//! Points of the curve y² = x³ - 3x + b, and their addition for public data: the time depends on the points.

use zeroize::DefaultIsZeroes;

use super::{
    field::{Field, invert_all},
    limbs::{self, halves, joined},
};

/// b of GB/T 32918.5.
pub(crate) const B: Field = Field::from_montgomery([
    0x90d2_3063_2bc0_dd42,
    0x71cf_379a_e9b5_37ab,
    0x5279_8150_5ea5_1c3c,
    0x240f_e188_ba20_e2c8,
]);

/// A point other than infinity, by its coordinates.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Affine {
    /// The first coordinate.
    pub(crate) x: Field,
    /// The second coordinate, never 0: the order of the curve is odd.
    pub(crate) y: Field,
}

impl DefaultIsZeroes for Affine {}

impl Affine {
    /// The generator G of GB/T 32918.5.
    pub(crate) const GENERATOR: Self = Self {
        x: Field::from_montgomery([
            0x6132_8990_f418_029e,
            0x3e79_81ed_dca6_c050,
            0xd6a1_ed99_ac24_c3c3,
            0x9116_7a5e_e1c1_3b05,
        ]),
        y: Field::from_montgomery([
            0xc135_4e59_3c2d_0ddd,
            0xc1f5_e578_8d32_95fa,
            0x8d4c_fb06_6e2a_48f8,
            0x63cd_65d4_81d7_35bd,
        ]),
    };

    /// Reads `x‖y` and checks that both are reduced and that the point is on the curve.
    pub(crate) fn from_bytes(bytes: &[u8; 64]) -> Option<Self> {
        let (x, y) = halves(bytes);
        let point = Self { x: Field::from_be(&x)?, y: Field::from_be(&y)? };
        point.is_on_curve().then_some(point)
    }

    /// Reads `x‖y` that was checked before.
    pub(crate) fn from_checked(bytes: &[u8; 64]) -> Self {
        let (x, y) = halves(bytes);
        Self { x: Field::from_limbs(&limbs::from_be(&x)), y: Field::from_limbs(&limbs::from_be(&y)) }
    }

    /// `x‖y`.
    pub(crate) fn to_bytes(self) -> [u8; 64] {
        joined(&self.x.to_be(), &self.y.to_be())
    }

    fn is_on_curve(&self) -> bool {
        let three = Field::ONE.double() + Field::ONE;
        self.y.square() == (self.x.square() - three) * self.x + B
    }
}

/// A point as (X, Y, Z) with x = X/Z² and y = Y/Z³ (Jacobian coordinates); infinity is where Z is 0.
#[derive(Clone, Copy)]
pub(crate) struct Jacobian {
    /// x·Z².
    pub(crate) x: Field,
    /// y·Z³.
    pub(crate) y: Field,
    /// 0 at infinity.
    pub(crate) z: Field,
}

impl From<&Affine> for Jacobian {
    fn from(point: &Affine) -> Self {
        Self { x: point.x, y: point.y, z: Field::ONE }
    }
}

impl Jacobian {
    /// The neutral point.
    pub(crate) const INFINITY: Self = Self { x: Field::ONE, y: Field::ONE, z: Field::ZERO };

    /// Whether this is infinity.
    #[inline(always)]
    pub(crate) fn is_infinity(&self) -> bool {
        self.z.is_zero()
    }

    /// Twice this point; infinity stays infinity ("dbl-2001-b" of the Explicit-Formulas Database, for a = -3).
    pub(crate) fn double(&self) -> Self {
        let delta = self.z.square();
        let gamma = self.y.square();
        let beta = self.x * gamma;
        let product = (self.x - delta) * (self.x + delta);
        let alpha = product.double() + product;
        let beta4 = beta.double().double();
        let x = alpha.square() - beta4.double();
        let z = (self.y + self.z).square() - gamma - delta;
        let gamma8 = gamma.square().double().double().double();
        Self { x, y: alpha * (beta4 - x) - gamma8, z }
    }

    /// The sum, whatever the two points are: equal, opposite, or this one infinity.
    #[inline]
    pub(crate) fn add_affine(&self, other: &Affine) -> Self {
        if self.is_infinity() {
            return other.into();
        }
        let squared = self.z.square();
        let h = other.x * squared - self.x;
        let r = other.y * (squared * self.z) - self.y;
        if h.is_zero() {
            return if r.is_zero() { self.double() } else { Self::INFINITY };
        }
        Self::chord(h, r, self.x, self.y, self.z * h)
    }

    /// The sum with a point that has its powers of Z beside, whatever the two points are.
    #[inline]
    pub(crate) fn add_prepared(&self, other: &Prepared) -> Self {
        if self.is_infinity() {
            return other.point;
        }
        if other.point.is_infinity() {
            return *self;
        }
        let squared = self.z.square();
        let (x, y) = (self.x * other.squared, self.y * other.cubed);
        let h = other.point.x * squared - x;
        let r = other.point.y * (squared * self.z) - y;
        if h.is_zero() {
            return if r.is_zero() { self.double() } else { Self::INFINITY };
        }
        Self::chord(h, r, x, y, self.z * other.point.z * h)
    }

    /// The third point of a chord: x and y are one end's coordinates times the common Z² and Z³, h and r the
    /// differences to the other end's, and z is the common Z times h.
    #[inline(always)]
    fn chord(h: Field, r: Field, x: Field, y: Field, z: Field) -> Self {
        let h2 = h.square();
        let h3 = h2 * h;
        let v = x * h2;
        let x = r.square() - h3 - v.double();
        Self { x, y: r * (v - x) - y * h3, z }
    }
}

/// A point of a table with the powers of Z that every addition needs.
#[derive(Clone, Copy)]
pub(crate) struct Prepared {
    point: Jacobian,
    squared: Field,
    cubed: Field,
}

impl Prepared {
    /// Computes the powers.
    pub(crate) fn new(point: Jacobian) -> Self {
        let squared = point.z.square();
        Self { point, squared, cubed: squared * point.z }
    }

    /// The opposite point.
    pub(crate) fn opposite(&self) -> Self {
        Self { point: Jacobian { y: -self.point.y, ..self.point }, ..*self }
    }
}

/// The affine coordinates of points none of which is infinity, with one inversion for all.
pub(crate) fn normalise(points: &[Jacobian]) -> Vec<Affine> {
    let mut inverses: Vec<Field> = points.iter().map(|point| point.z).collect();
    invert_all(&mut inverses);
    let affine = |(point, inverse): (&Jacobian, &Field)| {
        let squared = inverse.square();
        Affine { x: point.x * squared, y: point.y * (squared * *inverse) }
    };
    points.iter().zip(&inverses).map(affine).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    impl Affine {
        /// The opposite point.
        pub(crate) fn opposite(&self) -> Self {
            Self { x: self.x, y: -self.y }
        }
    }

    /// `x‖y`, or nothing for infinity.
    pub(crate) fn bytes(point: &Jacobian) -> Option<[u8; 64]> {
        (!point.is_infinity()).then(|| normalise(&[*point])[0].to_bytes())
    }

    /// k·G by the library, for k from 1.
    pub(crate) fn library(k: u64) -> Option<[u8; 64]> {
        let mut secret = [0; 32];
        secret[24..].copy_from_slice(&k.to_be_bytes());
        let public = ::sm2::SecretKey::from_slice(&secret).unwrap().public_key().to_sec1_bytes();
        Some(public[1..].try_into().unwrap())
    }

    /// G, 2G, … with Z other than 1 from 2G on.
    fn multiples() -> Vec<Jacobian> {
        let step = |point: &Jacobian| Some(point.add_affine(&Affine::GENERATOR));
        std::iter::successors(Some(Jacobian::from(&Affine::GENERATOR)), step).take(12).collect()
    }

    #[test]
    fn the_generator_is_on_the_curve_and_its_multiples_are_the_librarys() {
        assert!(Affine::from_bytes(&Affine::GENERATOR.to_bytes()).is_some_and(|g| g == Affine::GENERATOR));
        for (k, point) in (1..).zip(multiples()) {
            assert_eq!(bytes(&point), library(k), "{k}");
            assert_eq!(bytes(&point.double()), library(2 * k), "{k} doubled");
        }
    }

    #[test]
    fn sums_are_right_for_equal_opposite_and_infinite_points() {
        let all = multiples();
        let affine = normalise(&all);
        for (i, a) in (1u64..).zip(&all) {
            for (j, (b, flat)) in (1u64..).zip(all.iter().zip(&affine)) {
                let prepared = Prepared::new(*b);
                assert_eq!(bytes(&a.add_affine(flat)), library(i + j), "{i} + {j}");
                assert_eq!(bytes(&a.add_prepared(&prepared)), library(i + j), "{i} + {j}");
                // Minus: infinity for i = j, an opposite point for i < j.
                let (less, less_prepared) = (a.add_affine(&flat.opposite()), a.add_prepared(&prepared.opposite()));
                assert_eq!(bytes(&less), bytes(&less_prepared));
                assert_eq!(bytes(&less), if i > j { library(i - j) } else { bytes(&less) }, "{i} - {j}");
                assert_eq!(less.is_infinity(), i == j);
                assert_eq!(bytes(&less.add_affine(flat)), library(i), "{i} - {j} + {j}");
            }
            let infinity = Prepared::new(Jacobian::INFINITY);
            assert_eq!(bytes(&a.add_prepared(&infinity)), library(i));
            assert_eq!(bytes(&Jacobian::INFINITY.add_prepared(&Prepared::new(*a))), library(i));
        }
        assert!(Jacobian::INFINITY.double().is_infinity());
        assert!(Jacobian::INFINITY.add_prepared(&Prepared::new(Jacobian::INFINITY)).is_infinity());
        assert_eq!(bytes(&Jacobian::INFINITY.add_affine(&Affine::GENERATOR)), library(1));
    }

    #[test]
    fn points_off_the_curve_and_unreduced_coordinates_are_refused() {
        let good = Affine::GENERATOR.to_bytes();
        for bit in 0..512 {
            let mut bad = good;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(Affine::from_bytes(&bad).is_none(), "{bit}");
        }
        // (0, √b) is on the curve where b is a square; p in its place is the same number in another spelling.
        let mut bad = good;
        bad[..32].copy_from_slice(&limbs::to_be(&super::super::field::PRIME));
        assert!(Affine::from_bytes(&bad).is_none());
        assert!(Affine::from_bytes(&[0; 64]).is_none() && Affine::from_bytes(&[0xff; 64]).is_none());
        // x + p fits in 256 bits for small x, which must not pass for x.
        let small = small_x();
        let (x, y) = halves(&small.to_bytes());
        let (raised, carry) = limbs::add(&limbs::from_be(&x), &super::super::field::PRIME);
        assert!(!carry && Affine::from_bytes(&joined(&x, &y)).is_some());
        assert!(Affine::from_bytes(&joined(&limbs::to_be(&raised), &y)).is_none());
    }

    /// A point whose x is a small integer: y by the power (p + 1)/4, as p = 3 mod 4.
    fn small_x() -> Affine {
        let (quarter, _) = limbs::add(&super::super::field::PRIME, &[1, 0, 0, 0]);
        let root = |square: Field| {
            (2..256).rev().fold(Field::ONE, |power, bit| {
                let power = power.square();
                if quarter[bit / 64] >> (bit % 64) & 1 == 1 { power * square } else { power }
            })
        };
        let three = Field::from_limbs(&[3, 0, 0, 0]);
        let at = |x: u64| {
            let x = Field::from_limbs(&[x, 0, 0, 0]);
            Affine { x, y: root((x.square() - three) * x + B) }
        };
        (0..).map(at).find(Affine::is_on_curve).unwrap()
    }
}
