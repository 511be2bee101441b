//! Sixteen messages at once with AVX-512.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m512i, _mm512_add_epi32, _mm512_loadu_si512, _mm512_rol_epi32, _mm512_set1_epi32, _mm512_storeu_si512,
    _mm512_ternarylogic_epi32, _mm512_xor_si512,
};

use super::lanes::{IV, blocks, compress, digest, words};

const LANES: usize = 16;

/// The digests of 1 to 16 messages with equally many blocks. The caller has seen that the processor has AVX-512F.
pub(super) fn hash(messages: &[&[u8]]) -> Vec<[u8; 32]> {
    let mut state = IV.map(|word| [word; LANES]);
    let count = messages.first().map_or(0, |message| blocks(message.len()));
    for at in 0..count {
        let words = words::<LANES>(messages, at);
        // SAFETY: `Width::of_this_processor`, the only maker of the width that leads here, has found AVX-512F.
        unsafe { take_up(&mut state, &words) };
    }
    (0..messages.len()).map(|lane| digest(&state, lane)).collect()
}

#[target_feature(enable = "avx512f")]
fn load(lanes: &[u32; LANES]) -> __m512i {
    // SAFETY: sixteen words of four bytes are the 64 bytes that are read; no alignment is asked for.
    unsafe { _mm512_loadu_si512(lanes.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f")]
fn store(lanes: &mut [u32; LANES], vector: __m512i) {
    // SAFETY: sixteen words of four bytes are the 64 bytes that are written; no alignment is asked for.
    unsafe { _mm512_storeu_si512(lanes.as_mut_ptr().cast(), vector) }
}

#[target_feature(enable = "avx512f")]
fn xor3(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32::<0x96>(a, b, c)
}

#[target_feature(enable = "avx512f")]
fn majority(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32::<0xe8>(a, b, c)
}

/// `b` where `a` has a one, else `c`.
#[target_feature(enable = "avx512f")]
fn pick(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32::<0xca>(a, b, c)
}

#[target_feature(enable = "avx512f")]
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
    compress!(
        chaining,
        loaded,
        _mm512_add_epi32,
        _mm512_xor_si512,
        xor3,
        majority,
        pick,
        _mm512_rol_epi32,
        _mm512_set1_epi32
    );
    for (lanes, vector) in state.iter_mut().zip(vectors) {
        store(lanes, vector);
    }
}
