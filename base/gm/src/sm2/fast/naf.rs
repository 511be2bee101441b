//! Multiplication of a point without a table, for public scalars: the signed form in which few digits are not 0.

use super::{
    limbs::Limbs,
    point::{Affine, Jacobian, Prepared},
    scalar::Scalar,
};

/// Bits of a window: digits are odd and below 2^4 in size, and at least four zeros follow each.
const WINDOW: usize = 5;

/// One digit per bit, and one for the carry that may be left.
const DIGITS: usize = 257;

/// `k·P` by 256 doublings and about 43 additions, in a time that depends on both.
pub(crate) fn multiple(k: &Scalar, point: &Affine) -> Jacobian {
    let table = odd_multiples(point);
    let mut sum = Jacobian::INFINITY;
    for digit in digits(k.limbs()).into_iter().rev() {
        sum = sum.double();
        if digit == 0 {
            continue;
        }
        if let Some(entry) = table.get(usize::from(digit.unsigned_abs()) / 2) {
            sum = if digit < 0 { sum.add_prepared(&entry.opposite()) } else { sum.add_prepared(entry) };
        }
    }
    sum
}

/// P, 3P, … 15P.
fn odd_multiples(point: &Affine) -> [Prepared; 1 << (WINDOW - 2)] {
    let mut odd = Jacobian::from(point);
    let twice = Prepared::new(odd.double());
    let mut table = [Prepared::new(odd); 1 << (WINDOW - 2)];
    for entry in table.iter_mut().skip(1) {
        odd = odd.add_prepared(&twice);
        *entry = Prepared::new(odd);
    }
    table
}

/// The digits, least first, 0 or odd.
fn digits(value: &Limbs) -> [i8; DIGITS] {
    let mut digits = [0; DIGITS];
    let (mut at, mut carry) = (0, 0);
    while at < 256 {
        if bits(value, at, 1) == carry {
            at += 1;
            continue;
        }
        let taken = WINDOW.min(256 - at);
        let word = bits(value, at, taken) + carry;
        carry = word >> (WINDOW - 1);
        digits[at] = word as i8 - ((carry as i8) << WINDOW);
        at += taken;
    }
    digits[256] = carry as i8;
    digits
}

/// `count` bits of `value` from bit `at` on, for a count of 1..=8 and `at + count` up to 256.
fn bits(value: &Limbs, at: usize, count: usize) -> u8 {
    let (limb, shift) = (at / 64, at % 64);
    let high = value.get(limb + 1).copied().unwrap_or(0);
    let pair = u128::from(value[limb]) | (u128::from(high) << 64);
    (pair >> shift) as u8 & (u8::MAX >> (8 - count))
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            comb::Comb,
            limbs::{add, reference, sub, to_be},
            point::tests::{bytes, library},
            scalar::ORDER,
        },
        *,
    };

    #[test]
    fn digits_are_odd_apart_and_add_up_to_the_value() {
        let top = [u64::MAX; 4];
        for case in 0..200 {
            let value = if case == 199 { top } else { reference::sample("naf", case, &top) };
            let digits = digits(&value);
            let total = digits.iter().rev().fold([0; 4], |acc: Limbs, digit| {
                let twice = add(&acc, &acc).0;
                let size = [u64::from(digit.unsigned_abs()), 0, 0, 0];
                if *digit < 0 { sub(&twice, &size).0 } else { add(&twice, &size).0 }
            });
            assert_eq!(total, value, "{case}");
            let used: Vec<usize> = (0..DIGITS).filter(|at| digits[*at] != 0).collect();
            assert!(used.iter().all(|at| digits[*at] % 2 != 0 && digits[*at].unsigned_abs() < 16));
            assert!(used.windows(2).all(|pair| pair[1] - pair[0] >= WINDOW), "{case}");
        }
    }

    #[test]
    fn multiples_are_those_of_the_table_for_the_generator_and_for_other_points() {
        let other = Affine::from_checked(&library(977).unwrap());
        for point in [Affine::GENERATOR, Affine::GENERATOR.opposite(), other] {
            let comb = Comb::new(&point, 7);
            for case in 0..40 {
                let k = Scalar::reduced(&to_be(&reference::sample("multiple", case, &ORDER)));
                let table = comb.add_multiple(&k, Jacobian::INFINITY);
                assert_eq!(bytes(&multiple(&k, &point)), bytes(&table), "{case}");
            }
        }
        assert!(multiple(&Scalar::default(), &Affine::GENERATOR).is_infinity());
        for k in 1..40u64 {
            let scalar = Scalar::reduced(&to_be(&[k, 0, 0, 0]));
            assert_eq!(bytes(&multiple(&scalar, &other)), library(977 * k));
        }
    }
}
