//! Eight messages at once with AVX2.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m256i, _mm_cvtsi32_si128, _mm256_add_epi32, _mm256_and_si256, _mm256_andnot_si256, _mm256_loadu_si256,
    _mm256_or_si256, _mm256_set1_epi32, _mm256_sll_epi32, _mm256_srl_epi32, _mm256_storeu_si256, _mm256_xor_si256,
};

use super::lanes::{IV, blocks, compress, digest, words};

const LANES: usize = 8;

/// The digests of 1 to 8 messages with equally many blocks. The caller has seen that the processor has AVX2.
pub(super) fn hash(messages: &[&[u8]]) -> Vec<[u8; 32]> {
    let mut state = IV.map(|word| [word; LANES]);
    let count = messages.first().map_or(0, |message| blocks(message.len()));
    for at in 0..count {
        let words = words::<LANES>(messages, at);
        // SAFETY: `Width::of_this_processor`, the only maker of the width that leads here, has found AVX2.
        unsafe { take_up(&mut state, &words) };
    }
    (0..messages.len()).map(|lane| digest(&state, lane)).collect()
}

#[target_feature(enable = "avx2")]
fn load(lanes: &[u32; LANES]) -> __m256i {
    // SAFETY: eight words of four bytes are the 32 bytes that are read; no alignment is asked for.
    unsafe { _mm256_loadu_si256(lanes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
fn store(lanes: &mut [u32; LANES], vector: __m256i) {
    // SAFETY: eight words of four bytes are the 32 bytes that are written; no alignment is asked for.
    unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), vector) }
}

#[target_feature(enable = "avx2")]
fn rotate<const N: i32>(a: __m256i) -> __m256i {
    let (left, right) = (_mm_cvtsi32_si128(N), _mm_cvtsi32_si128(32 - N));
    _mm256_or_si256(_mm256_sll_epi32(a, left), _mm256_srl_epi32(a, right))
}

#[target_feature(enable = "avx2")]
fn xor3(a: __m256i, b: __m256i, c: __m256i) -> __m256i {
    _mm256_xor_si256(_mm256_xor_si256(a, b), c)
}

#[target_feature(enable = "avx2")]
fn majority(a: __m256i, b: __m256i, c: __m256i) -> __m256i {
    _mm256_or_si256(_mm256_and_si256(a, b), _mm256_and_si256(c, _mm256_or_si256(a, b)))
}

/// `b` where `a` has a one, else `c`.
#[target_feature(enable = "avx2")]
fn pick(a: __m256i, b: __m256i, c: __m256i) -> __m256i {
    _mm256_or_si256(_mm256_and_si256(a, b), _mm256_andnot_si256(a, c))
}

#[target_feature(enable = "avx2")]
fn take_up(state: &mut [[u32; LANES]; 8], block: &[[u32; LANES]; 16]) {
    let mut vectors = [load(&state[0]); 8];
    for (vector, lanes) in vectors.iter_mut().zip(state.iter()) {
        *vector = load(lanes);
    }
    let mut loaded = [load(&block[0]); 16];
    for (vector, lanes) in loaded.iter_mut().zip(block) {
        *vector = load(lanes);
    }
    let chaining = &mut vectors;
    compress!(chaining, loaded, _mm256_add_epi32, _mm256_xor_si256, xor3, majority, pick, rotate, _mm256_set1_epi32);
    for (lanes, vector) in state.iter_mut().zip(vectors) {
        store(lanes, vector);
    }
}
