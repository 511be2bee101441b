//! Integers modulo the order n of the curve, without branches: what signatures, nonces and secret keys are made of.

use zeroize::DefaultIsZeroes;

use super::limbs::{self, Limbs, add_mod, below, multiply_row, product, sub_mod, subtract_once};

/// The order n of GB/T 32918.5, a prime.
pub(crate) const ORDER: Limbs =
    [0x53bb_f409_39d5_4123, 0x7203_df6b_21c6_052b, 0xffff_ffff_ffff_ffff, 0xffff_fffe_ffff_ffff];

/// n - 2, the exponent that inverts.
const INVERTING: Limbs = [ORDER[0] - 2, ORDER[1], ORDER[2], ORDER[3]];

/// -1/n mod 2^64.
const CLEARING: u64 = 0x327f_9e88_7235_0975;

/// 2^512 mod n.
const SQUARED_RADIX: Limbs =
    [0x9011_92af_7c11_4f20, 0x3464_504a_de6f_a2fa, 0x620f_c84c_3aff_e0d4, 0x1eb5_e412_a22b_3d3b];

/// An integer in 0..n.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Scalar(Limbs);

impl DefaultIsZeroes for Scalar {}

impl Scalar {
    /// 1.
    pub(crate) const ONE: Self = Self([1, 0, 0, 0]);

    /// Reads an integer in 1..n, most significant byte first; nothing for others.
    pub(crate) fn from_be(bytes: &[u8; 32]) -> Option<Self> {
        let limbs = limbs::from_be(bytes);
        let scalar = Self(limbs);
        (below(&limbs, &ORDER) & !scalar.is_zero()).then_some(scalar)
    }

    /// An integer below 2^256 modulo n, most significant byte first: one subtraction is enough, as 2n is above 2^256.
    pub(crate) fn reduced(bytes: &[u8; 32]) -> Self {
        Self(subtract_once(&limbs::from_be(bytes), false, &ORDER))
    }

    /// The integer, most significant byte first.
    pub(crate) fn to_be(self) -> [u8; 32] {
        limbs::to_be(&self.0)
    }

    /// The integer.
    pub(crate) fn limbs(&self) -> &Limbs {
        &self.0
    }

    /// Whether this is 0.
    pub(crate) fn is_zero(&self) -> bool {
        (self.0[0] | self.0[1] | self.0[2] | self.0[3]) == 0
    }

    /// The sum modulo n.
    pub(crate) fn plus(&self, other: &Self) -> Self {
        Self(add_mod(&self.0, &other.0, &ORDER))
    }

    /// The difference modulo n.
    pub(crate) fn minus(&self, other: &Self) -> Self {
        Self(sub_mod(&self.0, &other.0, &ORDER))
    }

    /// `self·other / 2^256` modulo n (Montgomery's product). Not inlined into loops, where the compiler may turn the
    /// selection at its end into a branch.
    #[inline(never)]
    pub(crate) fn times_over_radix(&self, other: &Self) -> Self {
        let [t0, t1, t2, t3, t4, t5, t6, t7] = product(&self.0, &other.0);
        let ([_, r1, r2, r3], high) = clear(&[t0, t1, t2, t3]);
        let (r4, c) = t4.carrying_add(high, false);
        let ([_, r2, r3, r4], high) = clear(&[r1, r2, r3, r4]);
        let (r5, c) = t5.carrying_add(high, c);
        let ([_, r3, r4, r5], high) = clear(&[r2, r3, r4, r5]);
        let (r6, c) = t6.carrying_add(high, c);
        let ([_, r4, r5, r6], high) = clear(&[r3, r4, r5, r6]);
        let (r7, c) = t7.carrying_add(high, c);
        Self(subtract_once(&[r4, r5, r6, r7], c, &ORDER))
    }

    /// `2^256 / self` modulo n, by Fermat, always by the same operations: as a factor of [`Self::times_over_radix`] it
    /// divides by this scalar. For 0 it is 0.
    pub(crate) fn inverse_times_radix(&self) -> Self {
        let base = self.times_over_radix(&Self(SQUARED_RADIX));
        // 1 in Montgomery's form.
        let mut power = Self::ONE.times_over_radix(&Self(SQUARED_RADIX));
        for limb in INVERTING.iter().rev() {
            for bit in (0..64).rev() {
                power = power.times_over_radix(&power);
                // The exponent is public.
                if (limb >> bit) & 1 == 1 {
                    power = power.times_over_radix(&base);
                }
            }
        }
        power
    }
}

/// Adds the multiple of n that makes the lowest limb 0, and gives the fifth limb beside.
#[inline(always)]
fn clear(t: &Limbs) -> (Limbs, u64) {
    multiply_row(t, t[0].wrapping_mul(CLEARING), &ORDER)
}

#[cfg(test)]
mod tests {
    use super::{limbs::reference, *};

    fn scalar(label: &str, case: u64) -> Scalar {
        Scalar(reference::sample(label, case, &ORDER))
    }

    #[test]
    fn products_sums_and_inverses_agree_with_arithmetic_bit_by_bit() {
        let radix = Scalar(SQUARED_RADIX);
        for case in 0..200 {
            for other in 0..12 {
                let (a, b) = (scalar("a", case), scalar("b", other));
                // a·b/2^256, times 2^512/2^256, is a·b.
                let product = a.times_over_radix(&b).times_over_radix(&radix);
                assert_eq!(product.0, reference::mul_mod(&a.0, &b.0, &ORDER), "{case} times {other}");
                assert!(a.plus(&b).minus(&b) == a && a.minus(&b).plus(&b) == a);
                assert!(below(&a.plus(&b).0, &ORDER) && below(&a.minus(&b).0, &ORDER));
            }
            let a = scalar("a", case);
            let divided = a.inverse_times_radix().times_over_radix(&a);
            assert!(divided == if a.is_zero() { a } else { Scalar::ONE }, "{case}");
        }
    }

    #[test]
    fn scalars_are_read_from_one_to_the_order_less_one() {
        let (one, last) = (Scalar::ONE, Scalar::default().minus(&Scalar::ONE));
        for good in [one, last] {
            assert!(Scalar::from_be(&good.to_be()).is_some_and(|read| read == good));
        }
        for bad in [[0; 32], limbs::to_be(&ORDER), limbs::to_be(&limbs::add(&ORDER, &[1, 0, 0, 0]).0), [0xff; 32]] {
            assert!(Scalar::from_be(&bad).is_none());
        }
    }

    #[test]
    fn digests_at_and_above_the_order_are_reduced() {
        assert!(Scalar::reduced(&limbs::to_be(&ORDER)).is_zero());
        assert!(Scalar::reduced(&limbs::to_be(&limbs::add(&ORDER, &[1, 0, 0, 0]).0)) == Scalar::ONE);
        let (top, _) = limbs::sub(&[u64::MAX; 4], &ORDER);
        assert_eq!(Scalar::reduced(&[0xff; 32]).0, top);
        let below = Scalar::default().minus(&Scalar::ONE);
        assert!(Scalar::reduced(&below.to_be()) == below);
    }
}
