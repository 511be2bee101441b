//! The rings on 64-bit words that the protocols are written for once: integers modulo 2^64, pairs of integers modulo 2^32, and
//! 64 independent bits.

/// A commutative ring on 64-bit words.
pub trait Ring: Copy + Send + Sync + 'static {
    /// Told apart in hashes.
    const NAME: &'static str;
    /// Sum.
    fn add(x: u64, y: u64) -> u64;
    /// Difference.
    fn sub(x: u64, y: u64) -> u64;
    /// Product.
    fn mul(x: u64, y: u64) -> u64;
}

/// Integers modulo 2^64; signed values are in two's complement.
#[derive(Clone, Copy)]
pub struct Z64;

/// Words of 64 bits: the sum is exclusive or, the product is and.
#[derive(Clone, Copy)]
pub struct Bits64;

/// Two integers modulo 2^32 a word, the first in the low half: what counts rows needs no more.
#[derive(Clone, Copy)]
pub(crate) struct Pairs32;

impl Ring for Z64 {
    const NAME: &'static str = "z64";
    fn add(x: u64, y: u64) -> u64 {
        x.wrapping_add(y)
    }
    fn sub(x: u64, y: u64) -> u64 {
        x.wrapping_sub(y)
    }
    fn mul(x: u64, y: u64) -> u64 {
        x.wrapping_mul(y)
    }
}

impl Ring for Bits64 {
    const NAME: &'static str = "bits64";
    fn add(x: u64, y: u64) -> u64 {
        x ^ y
    }
    fn sub(x: u64, y: u64) -> u64 {
        x ^ y
    }
    fn mul(x: u64, y: u64) -> u64 {
        x & y
    }
}

/// The high integer of a pair.
const HIGH: u64 = 0xffff_ffff_0000_0000;

impl Ring for Pairs32 {
    const NAME: &'static str = "pairs32";
    fn add(x: u64, y: u64) -> u64 {
        (x & HIGH).wrapping_add(y & HIGH) | (x.wrapping_add(y) & !HIGH)
    }
    fn sub(x: u64, y: u64) -> u64 {
        (x & HIGH).wrapping_sub(y & HIGH) | (x.wrapping_sub(y) & !HIGH)
    }
    fn mul(x: u64, y: u64) -> u64 {
        ((x >> 32).wrapping_mul(y >> 32) << 32) | (x.wrapping_mul(y) & !HIGH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_two_integers_that_do_not_meet() {
        let pair = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
        for (a, b) in [(0, 1), (u32::MAX, 1), (1 << 31, 1 << 31), (u32::MAX, u32::MAX), (12345, 67890)] {
            for (c, d) in [(5, 7), (u32::MAX, 2)] {
                let (x, y) = (pair(a, c), pair(b, d));
                assert_eq!(Pairs32::add(x, y), pair(a.wrapping_add(b), c.wrapping_add(d)));
                assert_eq!(Pairs32::sub(x, y), pair(a.wrapping_sub(b), c.wrapping_sub(d)));
                assert_eq!(Pairs32::mul(x, y), pair(a.wrapping_mul(b), c.wrapping_mul(d)));
            }
        }
    }
}
