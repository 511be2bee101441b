//! Carry-less products with PCLMULQDQ, and with VPCLMULQDQ four at a time.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m128i, __m512i, _mm_clmulepi64_si128, _mm_setzero_si128, _mm_xor_si128, _mm512_clmulepi64_epi128,
    _mm512_setzero_si512, _mm512_ternarylogic_epi64, _mm512_xor_si512,
};

use bytemuck::must_cast;

use super::wide::{LANES, load, store};
use super::{Clmul, Vclmul};
use crate::Block;

impl Clmul {
    /// Low, middle and high part of `a·b`: the products of the halves, the middle one being the sum of the mixed two.
    #[inline]
    pub(crate) fn product(self, a: Block, b: Block) -> [u128; 3] {
        // SAFETY: a `Clmul` is the proof that the processor has PCLMULQDQ.
        let parts = unsafe { product(a, b) };
        parts.map(must_cast)
    }

    /// The sums of the parts of all `a[i]·b[i]`; the shorter decides.
    pub(crate) fn dot(self, a: &[Block], b: &[Block]) -> [u128; 3] {
        // SAFETY: as above.
        let sums = unsafe { dot(a, b) };
        sums.map(must_cast)
    }
}

impl Vclmul {
    /// The sums of the parts of all `a[i]·b[i]`; the slices have one length.
    pub(crate) fn dot(self, a: &[Block], b: &[Block]) -> [u128; 3] {
        let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
        // SAFETY: a `Vclmul` is the proof that the processor has AVX-512F and VPCLMULQDQ.
        let mut sum = unsafe { dot_fours(a, b) };
        let rest = self.clmul().dot(a_rest, b_rest);
        sum.iter_mut().zip(rest).for_each(|(sum, rest)| *sum ^= rest);
        sum
    }
}

#[inline]
#[target_feature(enable = "pclmulqdq")]
fn product(a: Block, b: Block) -> [__m128i; 3] {
    let (a, b) = (must_cast::<Block, __m128i>(a), must_cast::<Block, __m128i>(b));
    let mixed = _mm_xor_si128(_mm_clmulepi64_si128::<0x01>(a, b), _mm_clmulepi64_si128::<0x10>(a, b));
    [_mm_clmulepi64_si128::<0x00>(a, b), mixed, _mm_clmulepi64_si128::<0x11>(a, b)]
}

#[target_feature(enable = "pclmulqdq")]
fn dot(a: &[Block], b: &[Block]) -> [__m128i; 3] {
    let mut sum = [_mm_setzero_si128(); 3];
    for (a, b) in a.iter().zip(b) {
        let [low, middle, high] = product(*a, *b);
        sum = [_mm_xor_si128(sum[0], low), _mm_xor_si128(sum[1], middle), _mm_xor_si128(sum[2], high)];
    }
    sum
}

#[target_feature(enable = "avx512f,vpclmulqdq")]
fn dot_fours(a: &[[Block; LANES]], b: &[[Block; LANES]]) -> [u128; 3] {
    let zero = _mm512_setzero_si512();
    let (mut low, mut middle, mut high) = (zero, zero, zero);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (load(a), load(b));
        low = _mm512_xor_si512(low, _mm512_clmulepi64_epi128::<0x00>(a, b));
        let (one, other) = (_mm512_clmulepi64_epi128::<0x01>(a, b), _mm512_clmulepi64_epi128::<0x10>(a, b));
        middle = _mm512_ternarylogic_epi64::<0x96>(middle, one, other);
        high = _mm512_xor_si512(high, _mm512_clmulepi64_epi128::<0x11>(a, b));
    }
    [sum_of_lanes(low), sum_of_lanes(middle), sum_of_lanes(high)]
}

#[inline]
#[target_feature(enable = "avx512f")]
fn sum_of_lanes(register: __m512i) -> u128 {
    let mut lanes = [0_u128; LANES];
    store(&mut lanes, register);
    lanes[0] ^ lanes[1] ^ lanes[2] ^ lanes[3]
}
