//! The two rings that the protocols are written for once: integers modulo 2^64, and 64 independent bits.

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
