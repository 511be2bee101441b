//! Transposition of bit matrices with AVX-512 and GFNI, 128 rows of 512 bits at a time.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m512i, _mm512_gf2p8affine_epi64_epi8, _mm512_set1_epi64, _mm512_setzero_si512, _mm512_shuffle_i32x4,
    _mm512_unpackhi_epi8, _mm512_unpacklo_epi8,
};

use zeroize::Zeroizing;

use super::Gfni;
use super::wide::{LANES, load, store};
use crate::Block;

/// Columns that are turned together: a cache line of every row.
const STRIP: usize = 512;
/// Byte `i` is the bit of column `i`.
const COLUMNS: i64 = 0x8040_2010_0804_0201_u64 as i64;

/// A strip half turned. Entry `[k][t]` has four lanes; byte `p` of lane `l` holds rows `8k` to `8k + 7` of column
/// `128l + 16t + p`.
type Halfway = [[[Block; LANES]; 8]; 16];

impl Gfni {
    /// Turns 128 rows of equally many blocks as far as there are whole strips of 512 columns; tells how many columns were
    /// turned, from the first. `out` has as many blocks as `rows`.
    pub(crate) fn transpose(self, rows: &[Block], out: &mut [Block]) -> usize {
        let width = rows.len() / 128;
        let strips = out.as_chunks_mut::<STRIP>().0;
        let done = strips.len() * STRIP;
        if strips.is_empty() {
            return 0;
        }
        let mut halfway = Zeroizing::new([[[Block::ZERO; LANES]; 8]; 16]);
        for (at, strip) in strips.iter_mut().enumerate() {
            let from = &rows[at * LANES..];
            // SAFETY: a `Gfni` is the proof that the processor has AVX-512F, AVX-512BW and GFNI.
            unsafe {
                columns_of_bytes(from, width, &mut halfway);
                bytes_of_columns(&halfway, strip);
            }
        }
        done
    }
}

/// Turns squares of eight by eight bits.
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn columns_of_bytes(rows: &[Block], width: usize, halfway: &mut Halfway) {
    let columns = _mm512_set1_epi64(COLUMNS);
    for (k, eight) in halfway.iter_mut().enumerate() {
        let mut x = [_mm512_setzero_si512(); 8];
        for (at, x) in x.iter_mut().enumerate() {
            // The affine product takes bit 0 from the last row of a matrix, so the last row comes first.
            let row = 8 * k + 7 - at;
            if let Some(four) = rows.get(row * width..).and_then(|rest| rest.first_chunk::<LANES>()) {
                *x = load(four);
            }
        }
        let x = interleave(&interleave(&interleave(&x)));
        for (to, x) in eight.iter_mut().zip(&x) {
            store(to, _mm512_gf2p8affine_epi64_epi8::<0>(columns, *x));
        }
    }
}

/// Turns squares of sixteen by sixteen bytes, and puts four columns that follow each other into a register.
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn bytes_of_columns(halfway: &Halfway, out: &mut [Block; STRIP]) {
    for t in 0..8 {
        let mut x = [_mm512_setzero_si512(); 16];
        for (x, eight) in x.iter_mut().zip(halfway) {
            *x = load(&eight[t]);
        }
        let x = interleave(&interleave(&interleave(&interleave(&x))));
        for (quarter, four) in x.as_chunks::<4>().0.iter().enumerate() {
            for (lane, columns) in by_lane(four).iter().enumerate() {
                let at = 128 * lane + 16 * t + 4 * quarter;
                if let Some(to) = out.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<LANES>()) {
                    store(to, *columns);
                }
            }
        }
    }
}

/// In every lane takes bytes from register `i` and register `i + N/2` by turns, for registers `2i` and `2i + 1`. With the
/// number of a byte's register written before its number in the lane, this rotates the bits of the whole number by one:
/// as often as a register's number has bits, and the two have changed places.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn interleave<const N: usize>(x: &[__m512i; N]) -> [__m512i; N] {
    let mut y = [_mm512_setzero_si512(); N];
    let (front, back) = x.split_at(N / 2);
    for ((two, a), b) in y.as_chunks_mut::<2>().0.iter_mut().zip(front).zip(back) {
        *two = [_mm512_unpacklo_epi8(*a, *b), _mm512_unpackhi_epi8(*a, *b)];
    }
    y
}

/// Register `l` of the result has lane `l` of each of the four.
#[inline]
#[target_feature(enable = "avx512f")]
fn by_lane([a, b, c, d]: &[__m512i; 4]) -> [__m512i; 4] {
    let (ab_front, ab_back) = (_mm512_shuffle_i32x4::<0x44>(*a, *b), _mm512_shuffle_i32x4::<0xee>(*a, *b));
    let (cd_front, cd_back) = (_mm512_shuffle_i32x4::<0x44>(*c, *d), _mm512_shuffle_i32x4::<0xee>(*c, *d));
    [
        _mm512_shuffle_i32x4::<0x88>(ab_front, cd_front),
        _mm512_shuffle_i32x4::<0xdd>(ab_front, cd_front),
        _mm512_shuffle_i32x4::<0x88>(ab_back, cd_back),
        _mm512_shuffle_i32x4::<0xdd>(ab_back, cd_back),
    ]
}
