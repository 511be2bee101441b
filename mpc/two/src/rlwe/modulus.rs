//! Arithmetic modulo a prime just below 2^62, without branches and divisions on secret values.

/// A factor below the prime with its quotient `⌊value·2^64/p⌋` (Shoup's trick; Harvey, "Faster arithmetic for
/// number-theoretic transforms", Journal of Symbolic Computation 60, 2014).
#[derive(Clone, Copy)]
pub(super) struct Shoup {
    value: u64,
    quotient: u64,
}

/// A prime between 2^61 and 2^62.
#[derive(Clone, Copy)]
pub(super) struct Modulus {
    p: u64,
    /// `⌊2^64/p⌋`.
    reciprocal: u64,
    /// `2^64 mod p`.
    wrap: Shoup,
}

/// The high word of a product.
#[inline]
pub(super) const fn high(x: u64, y: u64) -> u64 {
    ((x as u128 * y as u128) >> 64) as u64
}

impl Modulus {
    pub(super) const fn new(p: u64) -> Self {
        let wrap = ((1_u128 << 64) % p as u128) as u64;
        let reciprocal = ((1_u128 << 64) / p as u128) as u64;
        Self { p, reciprocal, wrap: Self::factor(p, wrap) }
    }

    const fn factor(p: u64, value: u64) -> Shoup {
        Shoup { value, quotient: (((value as u128) << 64) / p as u128) as u64 }
    }

    /// The prime.
    #[inline]
    pub(super) const fn p(&self) -> u64 {
        self.p
    }

    /// A public factor, below the prime.
    pub(super) const fn shoup(&self, value: u64) -> Shoup {
        Self::factor(self.p, value)
    }

    /// `x·by` below `2p`, for any `x`.
    #[inline]
    pub(super) const fn mul_lazy(&self, x: u64, by: Shoup) -> u64 {
        x.wrapping_mul(by.value).wrapping_sub(high(x, by.quotient).wrapping_mul(self.p))
    }

    /// `x·by`, for any `x`.
    #[inline]
    pub(super) fn mul_by(&self, x: u64, by: Shoup) -> u64 {
        self.once(self.mul_lazy(x, by))
    }

    /// `x` where it is below `p`, else `x − p`; below `p` for `x` below `2p`.
    #[inline]
    pub(super) fn once(&self, x: u64) -> u64 {
        x.min(x.wrapping_sub(self.p))
    }

    /// `x` where it is below `2p`, else `x − 2p`; below `2p` for `x` below `4p`.
    #[inline]
    pub(super) fn twice(&self, x: u64) -> u64 {
        x.min(x.wrapping_sub(2 * self.p))
    }

    /// Any word modulo the prime.
    #[inline]
    pub(super) fn reduce(&self, x: u64) -> u64 {
        self.once(self.rest(x))
    }

    /// Any word modulo the prime, below `2p`.
    #[inline]
    const fn rest(&self, x: u64) -> u64 {
        x.wrapping_sub(high(x, self.reciprocal).wrapping_mul(self.p))
    }

    /// Any two words modulo the prime.
    #[inline]
    pub(super) fn reduce_wide(&self, x: u128) -> u64 {
        let sum = self.mul_lazy((x >> 64) as u64, self.wrap) + self.rest(x as u64);
        self.once(self.twice(sum))
    }

    /// The product of two residues.
    #[inline]
    pub(super) fn mul(&self, x: u64, y: u64) -> u64 {
        self.reduce_wide(u128::from(x) * u128::from(y))
    }

    /// The sum of two residues.
    #[inline]
    pub(super) fn add(&self, x: u64, y: u64) -> u64 {
        self.once(x + y)
    }

    /// The difference of two residues.
    #[inline]
    pub(super) fn sub(&self, x: u64, y: u64) -> u64 {
        self.once(x + self.p - y)
    }

    /// The residue of a signed word.
    #[inline]
    pub(super) fn signed(&self, x: u64) -> u64 {
        self.sub(self.reduce(x), self.wrap.value & (x >> 63).wrapping_neg())
    }

    /// A public residue to a public power.
    pub(super) fn pow(&self, base: u64, mut exponent: u64) -> u64 {
        let (mut square, mut power) = (base, 1);
        while exponent > 0 {
            if exponent & 1 == 1 {
                power = self.mul(power, square);
            }
            square = self.mul(square, square);
            exponent >>= 1;
        }
        power
    }

    /// The inverse of a public residue that is not 0.
    pub(super) fn inverse(&self, x: u64) -> u64 {
        self.pow(x, self.p - 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: u64 = (1 << 62) - 65535;

    #[test]
    fn all_reductions_agree_with_division() {
        let modulus = Modulus::new(P);
        let words = [0, 1, P - 1, P, P + 1, 2 * P - 1, 2 * P, 4 * P - 1, u64::MAX, 1 << 63, 0x0123_4567_89ab_cdef];
        for x in words {
            assert_eq!(modulus.reduce(x), x % P);
            assert_eq!(u128::from(modulus.signed(x)), (i128::from(x as i64)).rem_euclid(i128::from(P)) as u128);
            for y in words {
                let wide = u128::from(x) << 64 | u128::from(y);
                assert_eq!(u128::from(modulus.reduce_wide(wide)), wide % u128::from(P), "{x} {y}");
                let (a, b) = (u128::from(x % P), u128::from(y % P));
                let p = u128::from(P);
                assert_eq!(u128::from(modulus.mul(x % P, y % P)), a * b % p);
                assert_eq!(u128::from(modulus.add(x % P, y % P)), (a + b) % p);
                assert_eq!(u128::from(modulus.sub(x % P, y % P)), (a + p - b) % p);
                assert_eq!(u128::from(modulus.mul_by(x, modulus.shoup(y % P))), u128::from(x) * b % p);
            }
        }
        assert_eq!(modulus.mul(modulus.inverse(12345), 12345), 1);
    }
}
