//! A block: 128 bits that are a label, a seed, a row of a bit matrix or an element of GF(2^128).

use std::hint::black_box;
use std::ops::{BitAnd, BitAndAssign, BitXor, BitXorAssign, Not};

use subtle::ConstantTimeEq;
use zeroize::DefaultIsZeroes;

/// 128 bits. Bit `i` of the block is bit `i` of the integer; the bytes are the integer's in little-endian order.
///
/// A block does not print. It is copied freely, so its owner wipes it (`Zeroize`). `==` may stop early and is for public
/// values; [`Block::ct_eq`] is for secret ones.
#[derive(Clone, Copy, Default, PartialEq, Eq, bytemuck::Zeroable, bytemuck::Pod)]
#[repr(transparent)]
pub struct Block(u128);

/// All ones where `bit`, else zero. The compiler does not see that the word is 0 or 1, so it makes no branch of the mask.
#[inline]
const fn mask(bit: bool) -> u128 {
    let half = black_box(bit as u64).wrapping_neg();
    ((half as u128) << 64) | half as u128
}

impl Block {
    /// No bit set; zero of the field.
    pub const ZERO: Self = Self(0);
    /// Bit 0 set; one of the field.
    pub const ONE: Self = Self(1);
    /// Every bit set.
    pub const ONES: Self = Self(u128::MAX);

    /// The block with the bits of an integer.
    #[inline]
    pub const fn from_u128(bits: u128) -> Self {
        Self(bits)
    }

    /// The bits as an integer.
    #[inline]
    pub const fn to_u128(self) -> u128 {
        self.0
    }

    /// The block of 16 bytes in little-endian order.
    #[inline]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_le_bytes(bytes))
    }

    /// The 16 bytes in little-endian order.
    #[inline]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_le_bytes()
    }

    /// Bit 0.
    #[inline]
    pub const fn lsb(self) -> bool {
        self.0 & 1 == 1
    }

    /// The block with bit 0 replaced.
    #[inline]
    pub const fn with_lsb(self, bit: bool) -> Self {
        Self((self.0 & !1) | bit as u128)
    }

    /// Bit `at`, which is public and counts modulo 128.
    #[inline]
    pub const fn bit(self, at: u32) -> bool {
        self.0.wrapping_shr(at) & 1 == 1
    }

    /// The block where `bit`, else zero; by mask.
    #[inline]
    pub const fn masked(self, bit: bool) -> Self {
        Self(self.0 & mask(bit))
    }

    /// `one` where `bit`, else `zero`; by mask.
    #[inline]
    pub const fn select(bit: bool, zero: Self, one: Self) -> Self {
        Self(zero.0 ^ ((zero.0 ^ one.0) & mask(bit)))
    }

    /// Whether all bits are equal, in constant time.
    #[inline]
    #[must_use]
    pub fn ct_eq(self, other: Self) -> bool {
        ConstantTimeEq::ct_eq(&self.0, &other.0).into()
    }
}

impl DefaultIsZeroes for Block {}

impl BitXor for Block {
    type Output = Self;

    #[inline]
    fn bitxor(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }
}

impl BitXorAssign for Block {
    #[inline]
    fn bitxor_assign(&mut self, other: Self) {
        self.0 ^= other.0;
    }
}

impl BitAnd for Block {
    type Output = Self;

    #[inline]
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitAndAssign for Block {
    #[inline]
    fn bitand_assign(&mut self, other: Self) {
        self.0 &= other.0;
    }
}

impl Not for Block {
    type Output = Self;

    #[inline]
    fn not(self) -> Self {
        Self(!self.0)
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroize;

    use super::*;

    const X: Block = Block::from_u128(0x0123_4567_89ab_cdef_1032_5476_98ba_dcfe);
    const Y: Block = Block::from_u128(0xffff_0000_ffff_0000_aaaa_5555_aaaa_5555);

    #[test]
    fn bits_and_bytes_are_those_of_the_integer() {
        assert_eq!(Block::ONE.to_bytes(), [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert!(Block::from_bytes(X.to_bytes()) == X);
        for at in 0..128 {
            assert_eq!(X.bit(at), (X.to_u128() >> at) & 1 == 1, "{at}");
            assert!(Block::from_u128(1 << at).bit(at) && !Block::from_u128(!(1 << at)).bit(at), "{at}");
        }
        assert!(!X.lsb() && X.with_lsb(true).lsb() && !X.with_lsb(true).with_lsb(false).lsb());
        assert!(X.with_lsb(true) == X ^ Block::ONE && X.with_lsb(false) == X);
    }

    #[test]
    fn masks_choose_all_bits_or_none() {
        assert!(X.masked(true) == X && X.masked(false) == Block::ZERO);
        assert!(Block::ONES.masked(true) == Block::ONES);
        assert!(Block::select(false, X, Y) == X && Block::select(true, X, Y) == Y);
        const CHOSEN: Block = Block::select(true, X, Y);
        assert!(CHOSEN == Y);
    }

    #[test]
    fn operators_are_those_of_the_integer() {
        let (x, y) = (X.to_u128(), Y.to_u128());
        assert!((X ^ Y).to_u128() == x ^ y && (X & Y).to_u128() == x & y && (!X).to_u128() == !x);
        let (mut sum, mut product) = (X, X);
        sum ^= Y;
        product &= Y;
        assert!(sum == X ^ Y && product == X & Y);
    }

    #[test]
    fn equality_sees_every_bit_and_wiping_clears_them() {
        assert!(X.ct_eq(X) && Block::ZERO.ct_eq(Block::ZERO));
        assert!((0..128).all(|at| !X.ct_eq(X ^ Block::from_u128(1 << at))));
        let mut wiped = [X, Y];
        wiped.zeroize();
        assert!(wiped == [Block::ZERO; 2]);
    }
}
