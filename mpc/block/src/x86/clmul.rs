//! Carry-less products with PCLMULQDQ, and with VPCLMULQDQ four at a time.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m128i, __m512i, _mm_clmulepi64_si128, _mm_setzero_si128, _mm_xor_si128, _mm512_broadcast_i32x4,
    _mm512_clmulepi64_epi128, _mm512_set1_epi64, _mm512_setzero_si512, _mm512_ternarylogic_epi64,
    _mm512_unpackhi_epi64, _mm512_unpacklo_epi64, _mm512_xor_si512,
};

use bytemuck::must_cast;

use super::wide::{LANES, load, store};
use super::{Clmul, Vclmul};
use crate::Block;
use crate::gf::MOST_ROWS;

/// x^7 + x^2 + x + 1, which x^128 is.
const FOLD: i64 = 0x87;

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

    /// Adds up `by[0]` times the first row and `by[e]` times row `e - 1` of the rest, into the first, as far as whole registers
    /// go; says how far. There are at most [`MOST_ROWS`] rows, all as long as the first.
    pub(crate) fn combine(self, first: &mut [Block], rest: &[Block], by: &[Block]) -> usize {
        // SAFETY: as above.
        unsafe { combine(first, rest, by) }
    }

    /// Multiplies element by element as far as whole registers go; says how far.
    pub(crate) fn mul_all(self, to: &mut [Block], by: &[Block]) -> usize {
        let (to, by) = (to.as_chunks_mut::<LANES>().0, by.as_chunks::<LANES>().0);
        // SAFETY: as above.
        unsafe { mul_fours(to, by) };
        LANES * to.len().min(by.len())
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

#[target_feature(enable = "avx512f,vpclmulqdq")]
fn combine(first: &mut [Block], rest: &[Block], by: &[Block]) -> usize {
    let len = first.len();
    let mut factors = [_mm512_setzero_si512(); MOST_ROWS];
    for (factor, by) in factors.iter_mut().zip(by) {
        *factor = _mm512_broadcast_i32x4(must_cast::<Block, __m128i>(*by));
    }
    let fours = first.as_chunks_mut::<LANES>().0;
    let whole = fours.len();
    for (at, four) in fours.iter_mut().enumerate() {
        let mut sum = add_products([_mm512_setzero_si512(); 3], load(four), factors[0]);
        for (row, factor) in rest.chunks_exact(len).zip(&factors[1..]) {
            sum = add_products(sum, load(&row.as_chunks::<LANES>().0[at]), *factor);
        }
        store(four, reduce(sum));
    }
    LANES * whole
}

#[target_feature(enable = "avx512f,vpclmulqdq")]
fn mul_fours(to: &mut [[Block; LANES]], by: &[[Block; LANES]]) {
    for (to, by) in to.iter_mut().zip(by) {
        let parts = add_products([_mm512_setzero_si512(); 3], load(to), load(by));
        store(to, reduce(parts));
    }
}

/// Adds the parts of four products.
#[inline]
#[target_feature(enable = "avx512f,vpclmulqdq")]
fn add_products([low, middle, high]: [__m512i; 3], a: __m512i, b: __m512i) -> [__m512i; 3] {
    let (one, other) = (_mm512_clmulepi64_epi128::<0x01>(a, b), _mm512_clmulepi64_epi128::<0x10>(a, b));
    [
        _mm512_xor_si512(low, _mm512_clmulepi64_epi128::<0x00>(a, b)),
        _mm512_ternarylogic_epi64::<0x96>(middle, one, other),
        _mm512_xor_si512(high, _mm512_clmulepi64_epi128::<0x11>(a, b)),
    ]
}

/// Takes four polynomials modulo x^128 + x^7 + x^2 + x + 1: first the words above x^192, then those above x^128.
#[inline]
#[target_feature(enable = "avx512f,vpclmulqdq")]
fn reduce([low, middle, high]: [__m512i; 3]) -> __m512i {
    let (zero, fold) = (_mm512_setzero_si512(), _mm512_set1_epi64(FOLD));
    let high = _mm512_xor_si512(high, _mm512_unpackhi_epi64(middle, zero));
    let top = _mm512_clmulepi64_epi128::<0x01>(high, fold);
    // What the top word's fold carries beyond x^128 is added to the word below it.
    let high = _mm512_xor_si512(high, _mm512_unpackhi_epi64(top, zero));
    let upper = _mm512_unpacklo_epi64(zero, _mm512_xor_si512(middle, top));
    _mm512_ternarylogic_epi64::<0x96>(low, upper, _mm512_clmulepi64_epi128::<0x00>(high, fold))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn sum_of_lanes(register: __m512i) -> u128 {
    let mut lanes = [0_u128; LANES];
    store(&mut lanes, register);
    lanes[0] ^ lanes[1] ^ lanes[2] ^ lanes[3]
}
