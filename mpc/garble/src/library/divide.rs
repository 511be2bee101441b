//! Quotient and remainder, by subtracting and restoring.
//!
//! Long division, one quotient bit a step. In the first steps the running remainder is short: it is compared with as
//! many low bits of the divisor, and one bit tells whether the divisor has a higher one. That halves the AND gates: `n²
//! + 3n − 3`.

use crate::circuit::{Bit, Builder};

impl Builder {
    /// Quotient and remainder of unsigned numbers. Divided by 0 the quotient is all ones and the remainder `x`.
    pub fn divide(&mut self, x: &[Bit], y: &[Bit]) -> (Vec<Bit>, Vec<Bit>) {
        let width = x.len();
        let mut quotient = vec![Bit::ZERO; width];
        if !self.alike(x, y) {
            return (quotient.clone(), quotient);
        }
        // Whether the divisor has a bit at a place or above.
        let mut above = vec![Bit::ZERO; width + 1];
        for place in (1..width).rev() {
            above[place] = self.or(above[place + 1], y[place]);
        }
        let mut rest: Vec<Bit> = Vec::with_capacity(width);
        for place in (0..width).rev() {
            rest.insert(0, x[place]);
            let (less, borrow) = self.sub_borrow(&rest, &y[..rest.len()]);
            let fits = self.and(!borrow, !above[rest.len()]);
            quotient[place] = fits;
            rest = self.select(fits, &less, &rest);
        }
        (quotient, rest)
    }

    /// Quotient and remainder in two's complement, the quotient towards 0 and the remainder with the sign of `x`. The
    /// least number divided by −1 is itself; divided by 0, the quotient is 1 for a negative `x`, else −1, and the
    /// remainder `x`.
    pub fn divide_signed(&mut self, x: &[Bit], y: &[Bit]) -> (Vec<Bit>, Vec<Bit>) {
        let sign = |word: &[Bit]| word.last().copied().unwrap_or(Bit::ZERO);
        let (x_sign, y_sign) = (sign(x), sign(y));
        let (x, y) = (self.negate_where(x_sign, x), self.negate_where(y_sign, y));
        let (quotient, rest) = self.divide(&x, &y);
        let turned = self.xor(x_sign, y_sign);
        (self.negate_where(turned, &quotient), self.negate_where(x_sign, &rest))
    }
}
