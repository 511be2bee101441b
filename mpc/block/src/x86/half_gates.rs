//! AND gates of half gates with AVX-512 and VAES: labels become tables in registers, so a gate costs little but its encryptions.
//!
//! Four gates are a register; those of their labels that are hashed are eight registers at a time. A gate alone, as in a chain of
//! gates that each need the one before, has its labels in the lanes of one register.

use std::arch::x86_64::{
    __m128i, __m512i, _mm_and_si128, _mm_shuffle_epi32, _mm_slli_epi32, _mm_srai_epi32, _mm_xor_si128,
    _mm512_aesenc_epi128, _mm512_aesenclast_epi128, _mm512_castsi128_si512, _mm512_extracti32x4_epi32,
    _mm512_inserti32x4, _mm512_permutex2var_epi64, _mm512_setr_epi64, _mm512_setzero_si512, _mm512_shuffle_epi32,
    _mm512_slli_epi32, _mm512_srai_epi32, _mm512_ternarylogic_epi64, _mm512_xor_si512,
};

use bytemuck::must_cast;

use super::aes::RoundKeys;
use super::vaes::{add, broadcast, count, each, permute, read, write, write_at};
use super::wide::LANES;
use crate::Block;
use crate::cast::{Bytes, raw, raw_mut};
use crate::half_gates::{RIGHT, Table};

/// Registers of gates that the garbler works on together: four labels a gate are hashed.
const GARBLED: usize = 2;
/// Registers of gates that the evaluator works on together: two labels a gate are hashed.
const EVALUATED: usize = 4;
/// `a ⊕ b ⊕ c`.
const SUM: i32 = 0x96;
/// `a ⊕ (b ∧ c)`.
const ADD_WHERE: i32 = 0x78;

/// As [`crate::Tmmo::garble`], which has checked the lengths.
#[target_feature(enable = "avx512f,vaes")]
pub(super) fn garble(
    keys: &RoundKeys,
    delta: Block,
    first: u64,
    [left, right]: [&[Block]; 2],
    tables: &mut [Table],
    out: &mut [Block],
) {
    const GROUP: usize = GARBLED * LANES;
    let mut at = 0;
    while at < out.len() {
        let end = (at + GROUP).min(out.len());
        let inputs = [&left[at..end], &right[at..end]];
        let (first, tables, out) = (first + at as u64, &mut tables[at..end], &mut out[at..end]);
        match end - at {
            1 => garble_one(keys, delta, first, inputs, tables, out),
            2..=LANES => garble_group::<1, false>(keys, delta, first, inputs, tables, out),
            GROUP => garble_group::<GARBLED, true>(keys, delta, first, inputs, tables, out),
            _ => garble_group::<GARBLED, false>(keys, delta, first, inputs, tables, out),
        }
        at = end;
    }
}

/// As [`crate::Tmmo::evaluate`], which has checked the lengths.
#[target_feature(enable = "avx512f,vaes")]
pub(super) fn evaluate(
    keys: &RoundKeys,
    first: u64,
    [left, right]: [&[Block]; 2],
    tables: &[Table],
    out: &mut [Block],
) {
    const GROUP: usize = EVALUATED * LANES;
    let mut at = 0;
    while at < out.len() {
        let end = (at + GROUP).min(out.len());
        let inputs = [&left[at..end], &right[at..end]];
        let (first, tables, out) = (first + at as u64, &tables[at..end], &mut out[at..end]);
        match end - at {
            1 => evaluate_one(keys, first, inputs, tables, out),
            2..=LANES => evaluate_group::<1, false>(keys, first, inputs, tables, out),
            GROUP => evaluate_group::<EVALUATED, true>(keys, first, inputs, tables, out),
            _ => evaluate_group::<EVALUATED, false>(keys, first, inputs, tables, out),
        }
        at = end;
    }
}

/// Up to four gates a register; with `FULL` all registers are full.
#[inline]
#[target_feature(enable = "avx512f,vaes")]
fn garble_group<const N: usize, const FULL: bool>(
    keys: &RoundKeys,
    delta: Block,
    first: u64,
    [left, right]: [&[Block]; 2],
    tables: &mut [Table],
    out: &mut [Block],
) {
    let delta = broadcast(&delta);
    let (a, b) = (read::<N, FULL>(raw(left)), read::<N, FULL>(raw(right)));
    let (mut a0, mut a1, mut b0, mut b1) = (a, a, b, b);
    add(&mut a1, &[delta; N]);
    add(&mut b1, &[delta; N]);
    permute!(keys, a0, a1, b0, b1);
    let (of_a0, of_a1, of_b0, of_b1) = (a0, a1, b0, b1);
    let (of_left, of_right) = (count::<N>(first.into()), count::<N>(u128::from(first) | RIGHT));
    add(&mut a0, &of_left);
    add(&mut a1, &of_left);
    add(&mut b0, &of_right);
    add(&mut b1, &of_right);
    permute!(keys, a0, a1, b0, b1);
    // The halves of the tables need the sums, the labels only the hashes of both labels for 0.
    add(&mut a0, &of_a0);
    add(&mut b0, &of_b0);
    let mut made = [_mm512_setzero_si512(); N];
    let tables = blocks_of(tables);
    let hashed = a0.iter().zip(a1.iter().zip(&of_a1)).zip(b0.iter().zip(b1.iter().zip(&of_b1)));
    for (at, ((out, (a, b)), ((a0, a1), (b0, b1)))) in made.iter_mut().zip(a.iter().zip(&b)).zip(hashed).enumerate() {
        let both_a = _mm512_ternarylogic_epi64::<SUM>(*a0, *a1.0, *a1.1);
        let both_b = _mm512_ternarylogic_epi64::<SUM>(*b0, *b1.0, *b1.1);
        let (where_a, where_b) = (lowest(*a), lowest(*b));
        let garbler_half = _mm512_ternarylogic_epi64::<ADD_WHERE>(both_a, delta, where_b);
        let evaluator_half = _mm512_xor_si512(both_b, *a);
        let zero = _mm512_ternarylogic_epi64::<ADD_WHERE>(_mm512_xor_si512(*a0, *b0), garbler_half, where_a);
        *out = _mm512_ternarylogic_epi64::<ADD_WHERE>(zero, both_b, where_b);
        let family = tables.get_mut(at * 2 * LANES..).unwrap_or_default();
        let [front, back] = by_turns(garbler_half, evaluator_half);
        write_at::<FULL>(family, 0, front);
        write_at::<FULL>(family, LANES, back);
    }
    write::<N, FULL>(&made, raw_mut(out));
}

/// Up to four gates a register; with `FULL` all registers are full.
#[inline]
#[target_feature(enable = "avx512f,vaes")]
fn evaluate_group<const N: usize, const FULL: bool>(
    keys: &RoundKeys,
    first: u64,
    [left, right]: [&[Block]; 2],
    tables: &[Table],
    out: &mut [Block],
) {
    let (a, b) = (read::<N, FULL>(raw(left)), read::<N, FULL>(raw(right)));
    let (mut from_a, mut from_b) = (a, b);
    permute!(keys, from_a, from_b);
    let (of_a, of_b) = (from_a, from_b);
    add(&mut from_a, &count::<N>(first.into()));
    add(&mut from_b, &count::<N>(u128::from(first) | RIGHT));
    permute!(keys, from_a, from_b);
    add(&mut from_a, &of_a);
    add(&mut from_b, &of_b);
    let mut made = [_mm512_setzero_si512(); N];
    let (tables, _) = tables.as_flattened().as_chunks::<16>();
    let hashed = from_a.iter().zip(&from_b);
    for (at, ((out, (a, b)), (from_a, from_b))) in made.iter_mut().zip(a.iter().zip(&b)).zip(hashed).enumerate() {
        let family: &[Bytes] = tables.get(at * 2 * LANES..).unwrap_or_default();
        let front = read::<1, FULL>(family);
        let back = read::<1, FULL>(family.get(LANES..).unwrap_or_default());
        let [garbler_half, evaluator_half] = apart(front[0], back[0]);
        let sum = _mm512_xor_si512(*from_a, *from_b);
        let sum = _mm512_ternarylogic_epi64::<ADD_WHERE>(sum, garbler_half, lowest(*a));
        *out = _mm512_ternarylogic_epi64::<ADD_WHERE>(sum, _mm512_xor_si512(evaluator_half, *a), lowest(*b));
    }
    write::<N, FULL>(&made, raw_mut(out));
}

/// One gate.
#[inline]
#[target_feature(enable = "avx512f,vaes")]
fn garble_one(
    keys: &RoundKeys,
    delta: Block,
    first: u64,
    inputs: [&[Block]; 2],
    tables: &mut [Table],
    out: &mut [Block],
) {
    let ([[a], [b]], [table], [out]) = (inputs, tables, out) else { return };
    let (a, b, delta) = (must_cast::<Block, __m128i>(*a), must_cast(*b), must_cast(delta));
    let [a0, a1, b0, b1] = hashes(keys, first, [a, _mm_xor_si128(a, delta), b, _mm_xor_si128(b, delta)]);
    let (where_a, where_b) = (lowest_of_one(a), lowest_of_one(b));
    let both_b = _mm_xor_si128(b0, b1);
    let garbler_half = _mm_xor_si128(_mm_xor_si128(a0, a1), _mm_and_si128(delta, where_b));
    let from_left = _mm_xor_si128(a0, _mm_and_si128(garbler_half, where_a));
    let from_right = _mm_xor_si128(b0, _mm_and_si128(both_b, where_b));
    *out = must_cast(_mm_xor_si128(from_left, from_right));
    *table = must_cast([garbler_half, _mm_xor_si128(both_b, a)]);
}

/// One gate.
#[inline]
#[target_feature(enable = "avx512f,vaes")]
fn evaluate_one(keys: &RoundKeys, first: u64, inputs: [&[Block]; 2], tables: &[Table], out: &mut [Block]) {
    let ([[a], [b]], [table], [out]) = (inputs, tables, out) else { return };
    let (a, b) = (must_cast::<Block, __m128i>(*a), must_cast::<Block, __m128i>(*b));
    let [garbler_half, evaluator_half] = must_cast::<Table, [__m128i; 2]>(*table);
    let [from_a, _, from_b, _] = hashes(keys, first, [a, a, b, b]);
    let from_left = _mm_xor_si128(from_a, _mm_and_si128(garbler_half, lowest_of_one(a)));
    let from_right = _mm_xor_si128(from_b, _mm_and_si128(_mm_xor_si128(evaluator_half, a), lowest_of_one(b)));
    *out = must_cast(_mm_xor_si128(from_left, from_right));
}

/// The hashes of two labels of a gate's left input and of two of its right one.
#[inline]
#[target_feature(enable = "avx512f,vaes")]
fn hashes(keys: &RoundKeys, first: u64, [a, b, c, d]: [__m128i; 4]) -> [__m128i; 4] {
    let x = _mm512_inserti32x4::<1>(_mm512_castsi128_si512(a), b);
    let x = _mm512_inserti32x4::<3>(_mm512_inserti32x4::<2>(x, c), d);
    let mut x = [x];
    permute!(keys, x);
    let inner = x;
    let first = first as i64;
    add(&mut x, &[_mm512_setr_epi64(first, 0, first, 0, first, 1, first, 1)]);
    permute!(keys, x);
    add(&mut x, &inner);
    let [x] = x;
    [
        _mm512_extracti32x4_epi32::<0>(x),
        _mm512_extracti32x4_epi32::<1>(x),
        _mm512_extracti32x4_epi32::<2>(x),
        _mm512_extracti32x4_epi32::<3>(x),
    ]
}

/// All ones in the lanes whose lowest bit is 1, else zero.
#[inline]
#[target_feature(enable = "avx512f")]
fn lowest(x: __m512i) -> __m512i {
    _mm512_srai_epi32::<31>(_mm512_slli_epi32::<31>(_mm512_shuffle_epi32::<0x00>(x)))
}

/// All ones where the lowest bit is 1, else zero.
#[inline]
#[target_feature(enable = "avx512f")]
fn lowest_of_one(x: __m128i) -> __m128i {
    _mm_srai_epi32::<31>(_mm_slli_epi32::<31>(_mm_shuffle_epi32::<0x00>(x)))
}

/// The lanes of both by turns: those of the first two, then those of the last two.
#[inline]
#[target_feature(enable = "avx512f")]
fn by_turns(x: __m512i, y: __m512i) -> [__m512i; 2] {
    let (front, back) = (_mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15));
    [_mm512_permutex2var_epi64(x, front, y), _mm512_permutex2var_epi64(x, back, y)]
}

/// What [`by_turns`] was made of.
#[inline]
#[target_feature(enable = "avx512f")]
fn apart(front: __m512i, back: __m512i) -> [__m512i; 2] {
    let (even, odd) = (_mm512_setr_epi64(0, 1, 4, 5, 8, 9, 12, 13), _mm512_setr_epi64(2, 3, 6, 7, 10, 11, 14, 15));
    [_mm512_permutex2var_epi64(front, even, back), _mm512_permutex2var_epi64(front, odd, back)]
}

/// Tables as their halves.
#[inline]
fn blocks_of(tables: &mut [Table]) -> &mut [Bytes] {
    tables.as_flattened_mut().as_chunks_mut::<16>().0
}
