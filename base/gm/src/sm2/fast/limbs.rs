//! Integers of 256 bits as four 64-bit limbs, the least first, with carries and masks in place of branches.

use std::hint::black_box;

/// An integer below 2^256, least limb first.
pub(crate) type Limbs = [u64; 4];

/// All ones for true, zero for false.
#[inline(always)]
pub(crate) fn mask(bit: bool) -> u64 {
    0u64.wrapping_sub(u64::from(bit))
}

/// [`mask`] for a secret bit: the compiler cannot see that it has only two values, and so does not branch on it.
#[inline(always)]
pub(crate) fn secret_mask(bit: bool) -> u64 {
    black_box(mask(bit))
}

/// `yes` where the mask is all ones, `no` where it is zero.
#[inline(always)]
pub(crate) fn select(mask: u64, yes: &Limbs, no: &Limbs) -> Limbs {
    let pick = |yes: u64, no: u64| no ^ (mask & (yes ^ no));
    [pick(yes[0], no[0]), pick(yes[1], no[1]), pick(yes[2], no[2]), pick(yes[3], no[3])]
}

/// The sum and its carry.
#[inline(always)]
pub(crate) fn add(a: &Limbs, b: &Limbs) -> (Limbs, bool) {
    let (r0, c) = a[0].carrying_add(b[0], false);
    let (r1, c) = a[1].carrying_add(b[1], c);
    let (r2, c) = a[2].carrying_add(b[2], c);
    let (r3, c) = a[3].carrying_add(b[3], c);
    ([r0, r1, r2, r3], c)
}

/// The difference modulo 2^256 and its borrow.
#[inline(always)]
pub(crate) fn sub(a: &Limbs, b: &Limbs) -> (Limbs, bool) {
    let (r0, c) = a[0].borrowing_sub(b[0], false);
    let (r1, c) = a[1].borrowing_sub(b[1], c);
    let (r2, c) = a[2].borrowing_sub(b[2], c);
    let (r3, c) = a[3].borrowing_sub(b[3], c);
    ([r0, r1, r2, r3], c)
}

/// Takes the modulus off once if `carry·2^256 + value`, which is below twice the modulus, reaches it.
#[inline(always)]
pub(crate) fn subtract_once(value: &Limbs, carry: bool, modulus: &Limbs) -> Limbs {
    let (less, borrow) = sub(value, modulus);
    select(mask(borrow & !carry), value, &less)
}

/// `a + b` modulo the modulus, for a and b below it.
#[inline(always)]
pub(crate) fn add_mod(a: &Limbs, b: &Limbs, modulus: &Limbs) -> Limbs {
    let (sum, carry) = add(a, b);
    subtract_once(&sum, carry, modulus)
}

/// `a - b` modulo the modulus, for a and b below it.
#[inline(always)]
pub(crate) fn sub_mod(a: &Limbs, b: &Limbs, modulus: &Limbs) -> Limbs {
    let (difference, borrow) = sub(a, b);
    let back = mask(borrow);
    add(&difference, &[modulus[0] & back, modulus[1] & back, modulus[2] & back, modulus[3] & back]).0
}

/// Whether `a < b`.
#[inline(always)]
pub(crate) fn below(a: &Limbs, b: &Limbs) -> bool {
    sub(a, b).1
}

/// `acc + a·b` and its fifth limb.
#[inline(always)]
pub(crate) fn multiply_row(acc: &Limbs, a: u64, b: &Limbs) -> (Limbs, u64) {
    let (r0, c) = a.carrying_mul_add(b[0], acc[0], 0);
    let (r1, c) = a.carrying_mul_add(b[1], acc[1], c);
    let (r2, c) = a.carrying_mul_add(b[2], acc[2], c);
    let (r3, c) = a.carrying_mul_add(b[3], acc[3], c);
    ([r0, r1, r2, r3], c)
}

/// The product of 512 bits.
#[inline(always)]
pub(crate) fn product(a: &Limbs, b: &Limbs) -> [u64; 8] {
    let ([t0, r1, r2, r3], r4) = multiply_row(&[0; 4], a[0], b);
    let ([t1, r1, r2, r3], r4) = multiply_row(&[r1, r2, r3, r4], a[1], b);
    let ([t2, r1, r2, r3], r4) = multiply_row(&[r1, r2, r3, r4], a[2], b);
    let ([t3, t4, t5, t6], t7) = multiply_row(&[r1, r2, r3, r4], a[3], b);
    [t0, t1, t2, t3, t4, t5, t6, t7]
}

/// The square of 512 bits: every mixed product is computed once and doubled.
#[inline(always)]
pub(crate) fn square(a: &Limbs) -> [u64; 8] {
    let (t1, c) = a[0].carrying_mul(a[1], 0);
    let (t2, c) = a[0].carrying_mul(a[2], c);
    let (t3, t4) = a[0].carrying_mul(a[3], c);
    let (t3, c) = a[1].carrying_mul_add(a[2], t3, 0);
    let (t4, t5) = a[1].carrying_mul_add(a[3], t4, c);
    let (t5, t6) = a[2].carrying_mul_add(a[3], t5, 0);
    let doubled = |high: u64, low: u64| (high << 1) | (low >> 63);
    let (d7, d6, d5, d4) = (t6 >> 63, doubled(t6, t5), doubled(t5, t4), doubled(t4, t3));
    let (d3, d2, d1) = (doubled(t3, t2), doubled(t2, t1), t1 << 1);
    let (t0, h0) = a[0].carrying_mul(a[0], 0);
    let (l1, h1) = a[1].carrying_mul(a[1], 0);
    let (l2, h2) = a[2].carrying_mul(a[2], 0);
    let (l3, h3) = a[3].carrying_mul(a[3], 0);
    let (t1, c) = d1.carrying_add(h0, false);
    let (t2, c) = d2.carrying_add(l1, c);
    let (t3, c) = d3.carrying_add(h1, c);
    let (t4, c) = d4.carrying_add(l2, c);
    let (t5, c) = d5.carrying_add(h2, c);
    let (t6, c) = d6.carrying_add(l3, c);
    let (t7, _) = d7.carrying_add(h3, c);
    [t0, t1, t2, t3, t4, t5, t6, t7]
}

/// Reads 32 bytes, the most significant first.
pub(crate) fn from_be(bytes: &[u8; 32]) -> Limbs {
    let mut limbs = [0; 4];
    for (limb, chunk) in limbs.iter_mut().rev().zip(bytes.as_chunks::<8>().0) {
        *limb = u64::from_be_bytes(*chunk);
    }
    limbs
}

/// Writes 32 bytes, the most significant first.
pub(crate) fn to_be(limbs: &Limbs) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (limb, chunk) in limbs.iter().rev().zip(bytes.as_chunks_mut::<8>().0) {
        *chunk = limb.to_be_bytes();
    }
    bytes
}

/// The two halves of 64 bytes.
pub(crate) fn halves(bytes: &[u8; 64]) -> ([u8; 32], [u8; 32]) {
    let (mut first, mut second) = ([0; 32], [0; 32]);
    first.copy_from_slice(&bytes[..32]);
    second.copy_from_slice(&bytes[32..]);
    (first, second)
}

/// 64 bytes from two halves.
pub(crate) fn joined(first: &[u8; 32], second: &[u8; 32]) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(first);
    bytes[32..].copy_from_slice(second);
    bytes
}

/// The signed digits of `value` in base 2^window, least first, each in -2^(window-1)..=2^(window-1) (Booth's recoding).
/// They are as many as 257 bits need, and are computed without a branch. The window is 2..=16 bits.
#[inline(always)]
pub(crate) fn signed_digits(value: &Limbs, window: usize) -> impl Iterator<Item = i32> + use<> {
    let [v0, v1, v2, v3] = *value;
    // Doubled, so that the digit's lowest bit is the highest of the digit before, which it carries into this one.
    let doubled = [v0 << 1, (v1 << 1) | (v0 >> 63), (v2 << 1) | (v1 >> 63), (v3 << 1) | (v2 >> 63), v3 >> 63];
    (0..windows(window)).map(move |index| {
        let (limb, shift) = (index * window / 64, index * window % 64);
        let high = doubled.get(limb + 1).copied().unwrap_or(0);
        let pair = u128::from(doubled[limb]) | (u128::from(high) << 64);
        let bits = ((pair >> shift) as u32) & ((2u32 << window) - 1);
        ((bits + 1) >> 1) as i32 - ((bits >> window) << window) as i32
    })
}

/// How many digits [`signed_digits`] gives.
pub(crate) const fn windows(window: usize) -> usize {
    257usize.div_ceil(window)
}

#[cfg(test)]
pub(crate) mod reference {
    //! Arithmetic by doubling and adding, one bit at a time: slow, and nothing like what it checks.

    use super::{Limbs, add, below, sub};

    /// `a·b` modulo `modulus`.
    pub(crate) fn mul_mod(a: &Limbs, b: &Limbs, modulus: &Limbs) -> Limbs {
        let plus = |x: &Limbs, y: &Limbs| {
            let (sum, carry) = add(x, y);
            if carry || !below(&sum, modulus) { sub(&sum, modulus).0 } else { sum }
        };
        (0..256).rev().fold([0; 4], |acc, bit| {
            let twice = plus(&acc, &acc);
            if b[bit / 64] >> (bit % 64) & 1 == 1 { plus(&twice, a) } else { twice }
        })
    }

    /// The n-th integer below `modulus` of a fixed sequence that includes the corners.
    pub(crate) fn sample(label: &str, case: u64, modulus: &Limbs) -> Limbs {
        let digest = |n: u64| super::from_be(&crate::sm3::tagged(label, &[&case.to_be_bytes(), &n.to_be_bytes()]).0);
        match case {
            0 => [0; 4],
            1 => [1, 0, 0, 0],
            2 => sub(modulus, &[1, 0, 0, 0]).0,
            3 => sub(modulus, &[2, 0, 0, 0]).0,
            4 => [u64::MAX, u64::MAX, u64::MAX, 0],
            5 => [0, 0, 0, 1 << 63],
            6 => [0, u64::MAX, 0, u64::MAX >> 1],
            _ => (0..).map(digest).find(|value| below(value, modulus)).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOP: Limbs = [u64::MAX, u64::MAX, u64::MAX, u64::MAX];

    #[test]
    fn squares_are_products_with_oneself_and_carries_reach_the_top() {
        for case in 0..500 {
            let a = reference::sample("limbs", case, &TOP);
            assert_eq!(square(&a), product(&a, &a), "{case}");
        }
        // (2^256 - 1)^2 = 2^512 - 2^257 + 1.
        let m = u64::MAX;
        assert_eq!(square(&TOP), [1, 0, 0, 0, m - 1, m, m, m]);
        assert_eq!(product(&TOP, &[2, 0, 0, 0]), [m - 1, m, m, m, 1, 0, 0, 0]);
    }

    #[test]
    fn bytes_and_limbs_are_one_value() {
        let bytes: [u8; 32] = std::array::from_fn(|i| i as u8);
        assert_eq!(from_be(&bytes)[3], 0x0001_0203_0405_0607);
        assert_eq!(to_be(&from_be(&bytes)), bytes);
        let whole: [u8; 64] = std::array::from_fn(|i| i as u8);
        let (first, second) = halves(&whole);
        assert_eq!((first, joined(&first, &second)), (bytes, whole));
    }

    #[test]
    fn signed_digits_stay_in_range_and_add_up_to_the_value() {
        for window in 2..=10 {
            for case in 0..60 {
                let value = reference::sample("digits", case, &TOP);
                let half = 1i32 << (window - 1);
                // From the top: twice per bit, plus the digit, modulo 2^256.
                let digits: Vec<i32> = signed_digits(&value, window).collect();
                assert_eq!(digits.len(), windows(window));
                let total = digits.iter().rev().fold([0; 4], |acc: Limbs, digit| {
                    assert!((-half..=half).contains(digit), "{digit}");
                    let raised = (0..window).fold(acc, |acc, _| add(&acc, &acc).0);
                    let size = [u64::from(digit.unsigned_abs()), 0, 0, 0];
                    if *digit < 0 { sub(&raised, &size).0 } else { add(&raised, &size).0 }
                });
                assert_eq!(total, value, "window {window}, case {case}");
                assert!(digits.last().is_some_and(|top| *top >= 0), "no carry is left over");
            }
        }
    }
}
