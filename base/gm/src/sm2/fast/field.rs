//! The field of the curve: integers modulo p = 2^256 - 2^224 - 2^96 + 2^64 - 1 in Montgomery's form, without branches.

use std::ops::{Add, Mul, Neg, Sub};

use zeroize::DefaultIsZeroes;

use super::limbs::{self, Limbs, add_mod, below, product, select, square, sub_mod, subtract_once};

/// The prime p of GB/T 32918.5.
pub(crate) const PRIME: Limbs =
    [0xffff_ffff_ffff_ffff, 0xffff_ffff_0000_0000, 0xffff_ffff_ffff_ffff, 0xffff_fffe_ffff_ffff];

/// 2^512 mod p, which brings an integer into Montgomery's form.
const SQUARED_RADIX: Limbs =
    [0x0000_0002_0000_0003, 0x0000_0002_ffff_ffff, 0x0000_0001_0000_0001, 0x0000_0004_0000_0002];

/// An element `a` of the field, held as `a·2^256 mod p`, which is always reduced: equal elements have equal limbs.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Field(Limbs);

impl DefaultIsZeroes for Field {}

impl Field {
    /// 0.
    pub(crate) const ZERO: Self = Self([0; 4]);
    /// 1.
    pub(crate) const ONE: Self = Self([0x0000_0000_0000_0001, 0x0000_0000_ffff_ffff, 0, 0x0000_0001_0000_0000]);

    /// The element with these limbs in Montgomery's form, for constants.
    pub(crate) const fn from_montgomery(limbs: Limbs) -> Self {
        Self(limbs)
    }

    /// The element that an integer below 2^256 stands for.
    pub(crate) fn from_limbs(limbs: &Limbs) -> Self {
        Self(reduce(product(limbs, &SQUARED_RADIX)))
    }

    /// Reads a reduced integer, most significant byte first; nothing for p and above.
    pub(crate) fn from_be(bytes: &[u8; 32]) -> Option<Self> {
        let limbs = limbs::from_be(bytes);
        below(&limbs, &PRIME).then(|| Self::from_limbs(&limbs))
    }

    /// The reduced integer, most significant byte first.
    pub(crate) fn to_be(self) -> [u8; 32] {
        let [l0, l1, l2, l3] = self.0;
        limbs::to_be(&reduce([l0, l1, l2, l3, 0, 0, 0, 0]))
    }

    /// Whether this is 0.
    #[inline(always)]
    pub(crate) fn is_zero(&self) -> bool {
        (self.0[0] | self.0[1] | self.0[2] | self.0[3]) == 0
    }

    /// Twice this.
    #[inline(always)]
    pub(crate) fn double(self) -> Self {
        self + self
    }

    /// The square.
    #[inline(always)]
    pub(crate) fn square(self) -> Self {
        Self(reduce(square(&self.0)))
    }

    /// `yes` where the mask is all ones, `no` where it is zero.
    #[inline(always)]
    pub(crate) fn select(mask: u64, yes: &Self, no: &Self) -> Self {
        Self(select(mask, &yes.0, &no.0))
    }

    /// Takes `other` in where the mask is all ones; for a sum over a table of which one entry is wanted.
    #[inline(always)]
    pub(crate) fn collect(&mut self, mask: u64, other: &Self) {
        for (limb, other) in self.0.iter_mut().zip(other.0) {
            *limb |= other & mask;
        }
    }

    /// The inverse, by Fermat: the power p - 2, whose bits are 31 ones, a zero, 128 ones, 32 zeros, 62 ones and `01`.
    /// The inverse of 0 is 0. The sequence of operations is always the same.
    pub(crate) fn invert(self) -> Self {
        let ones2 = self.squared(1) * self;
        let ones4 = ones2.squared(2) * ones2;
        let ones8 = ones4.squared(4) * ones4;
        let ones16 = ones8.squared(8) * ones8;
        let ones32 = ones16.squared(16) * ones16;
        let ones24 = ones16.squared(8) * ones8;
        let ones28 = ones24.squared(4) * ones4;
        let ones30 = ones28.squared(2) * ones2;
        let ones31 = ones30.squared(1) * self;
        let ones62 = ones31.squared(31) * ones31;
        let mut power = ones31.squared(33) * ones32;
        for _ in 0..3 {
            power = power.squared(32) * ones32;
        }
        (power.squared(94) * ones62).squared(2) * self
    }

    fn squared(mut self, times: usize) -> Self {
        for _ in 0..times {
            self = self.square_called();
        }
        self
    }

    /// Not inlined into loops: there the compiler may turn the selection at a reduction's end into a branch.
    #[inline(never)]
    fn square_called(self) -> Self {
        self.square()
    }
}

/// Inverts all values with one inversion (Montgomery's trick). None may be 0, or all become 0.
pub(crate) fn invert_all(values: &mut [Field]) {
    let mut before = Vec::with_capacity(values.len());
    let mut all = Field::ONE;
    for value in values.iter() {
        before.push(all);
        all = all * *value;
    }
    let mut inverse = all.invert();
    for (value, before) in values.iter_mut().zip(before).rev() {
        let own = inverse * before;
        inverse = inverse * *value;
        *value = own;
    }
}

impl Add for Field {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(add_mod(&self.0, &other.0, &PRIME))
    }
}

impl Sub for Field {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(sub_mod(&self.0, &other.0, &PRIME))
    }
}

impl Neg for Field {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self::ZERO - self
    }
}

impl Mul for Field {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(reduce(product(&self.0, &other.0)))
    }
}

/// `t / 2^256 mod p` for t below p·2^256, by Montgomery's reduction in four steps.
///
/// As p = -1 mod 2^64, the multiple of p that clears the lowest limb m is m·p, which p's form makes a matter of shifts.
#[inline(always)]
fn reduce(t: [u64; 8]) -> Limbs {
    let [t0, t1, t2, t3, t4, t5, t6, t7] = t;
    let (r1, r2, r3, r4, c) = clear(t0, t1, t2, t3, t4, false);
    let (r2, r3, r4, r5, c) = clear(r1, r2, r3, r4, t5, c);
    let (r3, r4, r5, r6, c) = clear(r2, r3, r4, r5, t6, c);
    let (r4, r5, r6, r7, c) = clear(r3, r4, r5, r6, t7, c);
    subtract_once(&[r4, r5, r6, r7], c, &PRIME)
}

/// Adds m·p to `m + t1·2^64 + … + t4·2^256` and drops the lowest limb, now 0: the upper limbs grow by
/// m·(2^192 - 2^160 - 2^32 + 1). `carry` is the step before's, of the weight of t4; the carry
/// returned is of the next weight.
#[inline(always)]
fn clear(m: u64, t1: u64, t2: u64, t3: u64, t4: u64, carry: bool) -> (u64, u64, u64, u64, bool) {
    let (low, high) = (m << 32, m >> 32);
    let (d0, b) = m.borrowing_sub(low, false);
    let (d1, b) = 0u64.borrowing_sub(high, b);
    let (d2, b) = 0u64.borrowing_sub(low, b);
    // The whole is not negative: no borrow is left. Its top limb is below 2^64 - 1, so that the carry fits in.
    let (d3, _) = m.borrowing_sub(high, b);
    let d3 = d3.wrapping_add(u64::from(carry));
    let (t1, c) = t1.carrying_add(d0, false);
    let (t2, c) = t2.carrying_add(d1, c);
    let (t3, c) = t3.carrying_add(d2, c);
    let (t4, c) = t4.carrying_add(d3, c);
    (t1, t2, t3, t4, c)
}

#[cfg(test)]
mod tests {
    use super::{limbs::reference, *};

    fn integer(value: Field) -> Limbs {
        limbs::from_be(&value.to_be())
    }

    #[test]
    fn sums_products_and_squares_agree_with_arithmetic_bit_by_bit() {
        for case in 0..300 {
            for other in 0..12 {
                let (a, b) = (reference::sample("a", case, &PRIME), reference::sample("b", other, &PRIME));
                let (x, y) = (Field::from_limbs(&a), Field::from_limbs(&b));
                assert_eq!(integer(x * y), reference::mul_mod(&a, &b, &PRIME), "{case} times {other}");
                assert_eq!((integer(x), integer(x + y - y)), (a, a));
                assert_eq!(integer(x + y), integer(Field::ONE * y - (-x)));
            }
            let a = reference::sample("a", case, &PRIME);
            assert_eq!(integer(Field::from_limbs(&a).square()), reference::mul_mod(&a, &a, &PRIME));
            let two = Field::from_limbs(&[2, 0, 0, 0]);
            assert!(Field::from_limbs(&a).double() == two * Field::from_limbs(&a));
        }
    }

    #[test]
    fn whatever_the_limbs_the_reduction_is_exact_and_reduced() {
        // Limbs of zeros and ones reach every carry: 2^8 patterns for one factor, 3 for the other.
        for pattern in 0..256u32 {
            let limb = |i: u32| if pattern >> i & 1 == 1 { u64::MAX } else { u64::from(pattern >> (i + 4) & 1) };
            let a = [limb(0), limb(1), limb(2), limb(3) & PRIME[3]];
            for b in [[0, 0, 0, 1], [u64::MAX, 0, u64::MAX, 0], [u64::MAX - 1, PRIME[1], u64::MAX, PRIME[3]]] {
                let reduced = reduce(product(&a, &b));
                assert!(below(&reduced, &PRIME));
                let (a, _) = if below(&a, &PRIME) { (a, false) } else { limbs::sub(&a, &PRIME) };
                // reduced·2^256 = a·b.
                let back = reference::mul_mod(&reduced, &Field::ONE.0, &PRIME);
                assert_eq!(back, reference::mul_mod(&a, &b, &PRIME), "{pattern}");
            }
        }
    }

    #[test]
    fn inverses_invert_alone_and_all_at_once() {
        let values: Vec<Field> =
            (1..40).map(|case| Field::from_limbs(&reference::sample("inverse", case, &PRIME))).collect();
        let mut inverses = values.clone();
        invert_all(&mut inverses);
        for (value, inverse) in values.iter().zip(&inverses) {
            assert!(*value * *inverse == Field::ONE && value.invert() == *inverse);
        }
        assert!(Field::ZERO.invert().is_zero());
        invert_all(&mut []);
    }

    #[test]
    fn only_reduced_integers_are_read() {
        let last = limbs::sub(&PRIME, &[1, 0, 0, 0]).0;
        assert!(Field::from_be(&limbs::to_be(&last)).is_some_and(|x| x == -Field::ONE));
        assert!(Field::from_be(&limbs::to_be(&PRIME)).is_none());
        assert!(Field::from_be(&[0xff; 32]).is_none());
        assert!(Field::from_be(&[0; 32]).is_some_and(|x| x.is_zero()));
    }
}
