//! Words: sums, differences, comparisons, choices and products.
//!
//! Carries by one AND gate a bit, `c' = ((x ⊕ c) ∧ (y ⊕ c)) ⊕ c` (Boyar, Peralta and Pochuev, "On the multiplicative
//! complexity of Boolean functions over the basis (∧, ⊕, 1)", Theoretical Computer Science 235(1), 2000), rippling:
//! garbling has no rounds, so what counts is the number of AND gates.

use crate::circuit::{Bit, Builder};

/// The low `width` bits of a constant.
pub fn constant(value: u64, width: usize) -> Vec<Bit> {
    (0..width).map(|at| Bit::constant(at < 64 && value >> at & 1 == 1)).collect()
}

fn inverse(x: &[Bit]) -> Vec<Bit> {
    x.iter().map(|bit| !*bit).collect()
}

impl Builder {
    /// Bit by bit: the exclusive or.
    pub fn xor_words(&mut self, x: &[Bit], y: &[Bit]) -> Vec<Bit> {
        self.alike(x, y);
        x.iter().zip(y).map(|(x, y)| self.xor(*x, *y)).collect()
    }

    /// `x + y + carry`, and the carry out.
    fn ripple(&mut self, x: &[Bit], y: &[Bit], mut carry: Bit) -> (Vec<Bit>, Bit) {
        if !self.alike(x, y) {
            return (vec![Bit::ZERO; x.len()], Bit::ZERO);
        }
        let mut sum = Vec::with_capacity(x.len());
        for (x, y) in x.iter().zip(y) {
            let (left, right) = (self.xor(*x, carry), self.xor(*y, carry));
            sum.push(self.xor(left, *y));
            let both = self.and(left, right);
            carry = self.xor(both, carry);
        }
        (sum, carry)
    }

    /// `x + y` modulo `2^n`.
    pub fn add(&mut self, x: &[Bit], y: &[Bit]) -> Vec<Bit> {
        self.ripple(x, y, Bit::ZERO).0
    }

    /// `x + y` modulo `2^n`, and the carry out.
    pub fn add_carry(&mut self, x: &[Bit], y: &[Bit]) -> (Vec<Bit>, Bit) {
        self.ripple(x, y, Bit::ZERO)
    }

    /// `x − y` modulo `2^n`.
    pub fn sub(&mut self, x: &[Bit], y: &[Bit]) -> Vec<Bit> {
        self.sub_borrow(x, y).0
    }

    /// `x − y` modulo `2^n`, and whether `x < y` as unsigned numbers.
    pub fn sub_borrow(&mut self, x: &[Bit], y: &[Bit]) -> (Vec<Bit>, Bit) {
        let (difference, carry) = self.ripple(x, &inverse(y), Bit::ONE);
        (difference, !carry)
    }

    /// `−x` modulo `2^n` where `choice` is 1, else `x`.
    pub fn negate_where(&mut self, choice: Bit, x: &[Bit]) -> Vec<Bit> {
        let turned: Vec<Bit> = x.iter().map(|bit| self.xor(*bit, choice)).collect();
        self.ripple(&turned, &vec![Bit::ZERO; x.len()], choice).0
    }

    /// Whether `x < y` as unsigned numbers.
    pub fn less(&mut self, x: &[Bit], y: &[Bit]) -> Bit {
        self.sub_borrow(x, y).1
    }

    /// Whether `x < y` as numbers in two's complement.
    pub fn less_signed(&mut self, x: &[Bit], y: &[Bit]) -> Bit {
        let (mut x, mut y) = (x.to_vec(), y.to_vec());
        // With the sign turned over the order of signed numbers is that of unsigned ones.
        for sign in [x.last_mut(), y.last_mut()].into_iter().flatten() {
            *sign = !*sign;
        }
        self.less(&x, &y)
    }

    /// Whether all bits are 1; true of no bit.
    pub fn all(&mut self, bits: &[Bit]) -> Bit {
        let mut layer = bits.to_vec();
        while layer.len() > 1 {
            let both = |pair: &[Bit]| match pair {
                [x, y] => self.and(*x, *y),
                _ => pair.first().copied().unwrap_or(Bit::ONE),
            };
            layer = layer.chunks(2).map(both).collect();
        }
        layer.first().copied().unwrap_or(Bit::ONE)
    }

    /// Whether `x = y`.
    pub fn equal(&mut self, x: &[Bit], y: &[Bit]) -> Bit {
        let differ = self.xor_words(x, y);
        self.all(&inverse(&differ))
    }

    /// `x` where `choice` is 1, else `y`.
    pub fn select(&mut self, choice: Bit, x: &[Bit], y: &[Bit]) -> Vec<Bit> {
        self.alike(x, y);
        let pick = |(x, y): (&Bit, &Bit)| {
            let differ = self.xor(*x, *y);
            let moved = self.and(choice, differ);
            self.xor(moved, *y)
        };
        x.iter().zip(y).map(pick).collect()
    }

    /// The low `width` bits of the product of unsigned numbers (of numbers in two's complement too, when `width` is no
    /// more than that of each).
    pub fn multiply(&mut self, x: &[Bit], y: &[Bit], width: usize) -> Vec<Bit> {
        let mut sum = vec![Bit::ZERO; width];
        for (shift, by) in y.iter().enumerate().take(width) {
            let end = width.min(shift + x.len());
            let row: Vec<Bit> = x[..end - shift].iter().map(|bit| self.and(*bit, *by)).collect();
            let (added, carry) = self.add_carry(&sum[shift..end], &row);
            sum[shift..end].copy_from_slice(&added);
            if let Some(above) = sum.get_mut(end) {
                *above = carry;
            }
        }
        sum
    }
}
