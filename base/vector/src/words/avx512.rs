//! Four rows of a product at once with AVX-512: two vectors of a panel's line times a word of each row.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_loadu_si512, _mm512_mullo_epi64, _mm512_set1_epi64, _mm512_storeu_si512,
};

use super::{HEIGHT, Line, PANEL};

/// Words of a vector.
const LANES: usize = 8;
/// Vectors of a line.
const VECTORS: usize = PANEL / LANES;

/// Whether this processor has what [`tile`] needs.
pub(super) fn is_here() -> bool {
    std::arch::is_x86_feature_detected!("avx512f") && std::arch::is_x86_feature_detected!("avx512dq")
}

/// Adds the products of four rows, each as long as `panel` has lines, to `sums`. The caller has asked [`is_here`].
pub(super) fn tile(rows: [&[u64]; HEIGHT], panel: &[Line], sums: &mut [Line; HEIGHT]) {
    // SAFETY: `panel_product`, the only program that leads here, has found the instructions that the function is compiled for.
    unsafe { add(rows, panel, sums) }
}

#[target_feature(enable = "avx512f,avx512dq")]
fn load(line: &Line) -> [__m512i; VECTORS] {
    let (halves, _) = line.as_chunks::<LANES>();
    // SAFETY: eight words are the 64 bytes that are read; no alignment is asked for.
    unsafe { [_mm512_loadu_si512(halves[0].as_ptr().cast()), _mm512_loadu_si512(halves[1].as_ptr().cast())] }
}

#[target_feature(enable = "avx512f,avx512dq")]
fn store(line: &mut Line, vectors: [__m512i; VECTORS]) {
    let (halves, _) = line.as_chunks_mut::<LANES>();
    for (half, vector) in halves.iter_mut().zip(vectors) {
        // SAFETY: eight words are the 64 bytes that are written; no alignment is asked for.
        unsafe { _mm512_storeu_si512(half.as_mut_ptr().cast(), vector) }
    }
}

#[target_feature(enable = "avx512f,avx512dq")]
fn add(rows: [&[u64]; HEIGHT], panel: &[Line], sums: &mut [Line; HEIGHT]) {
    let [a, b, c, d] = rows;
    let [out_a, out_b, out_c, out_d] = sums;
    let (mut of_a, mut of_b, mut of_c, mut of_d) = (load(out_a), load(out_b), load(out_c), load(out_d));
    for (line, ((a, b), (c, d))) in panel.iter().zip(a.iter().zip(b).zip(c.iter().zip(d))) {
        let line = load(line);
        of_a = more(of_a, *a, line);
        of_b = more(of_b, *b, line);
        of_c = more(of_c, *c, line);
        of_d = more(of_d, *d, line);
    }
    store(out_a, of_a);
    store(out_b, of_b);
    store(out_c, of_c);
    store(out_d, of_d);
}

/// `sums + factor·line`.
#[target_feature(enable = "avx512f,avx512dq")]
fn more(sums: [__m512i; VECTORS], factor: u64, line: [__m512i; VECTORS]) -> [__m512i; VECTORS] {
    let factor = _mm512_set1_epi64(factor as i64);
    [
        _mm512_add_epi64(sums[0], _mm512_mullo_epi64(factor, line[0])),
        _mm512_add_epi64(sums[1], _mm512_mullo_epi64(factor, line[1])),
    ]
}
