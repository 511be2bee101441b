//! AES with AVX-512 and VAES: four blocks a register, eight registers at a time.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m512i, _mm_loadu_si128, _mm_set_epi64x, _mm512_add_epi64, _mm512_aesenc_epi128, _mm512_aesenclast_epi128,
    _mm512_broadcast_i32x4, _mm512_cmplt_epu64_mask, _mm512_mask_add_epi64, _mm512_mask_storeu_epi64,
    _mm512_maskz_loadu_epi64, _mm512_permutex2var_epi64, _mm512_set1_epi64, _mm512_setr_epi64, _mm512_setzero_si512,
    _mm512_xor_si512,
};

use super::aes::RoundKeys;
use super::wide::{LANES, load, store};
use super::{Vaes, half_gates, sums};
use crate::Block;
use crate::cast::Bytes;
use crate::cipher::{Cipher, Mode, Tweaks};
use crate::half_gates::Table;

/// Registers that are worked on together: as many as hide the time that one round takes.
const REGISTERS: usize = 8;
/// Blocks in them.
const GROUP: usize = REGISTERS * LANES;
/// Parents that are worked on together: with two children each, as many blocks are under way.
const PARENTS: usize = GROUP / 2;

/// AES-128 under one key.
pub(crate) struct Wide(RoundKeys);

impl Wide {
    pub(crate) fn new(vaes: Vaes, key: Block) -> Self {
        Self(RoundKeys::new(vaes.aes_ni(), key))
    }

    pub(super) fn keys(&self) -> &RoundKeys {
        &self.0
    }
}

/// Applies an operation with a round key to every register. Macros, so that registers stay registers.
macro_rules! each {
    ($x:ident, $operation:ident, $key:expr) => {{
        let key = broadcast($key);
        for x in &mut $x {
            *x = $operation(*x, key);
        }
    }};
}

/// The ten rounds (FIPS 197, 5.1) on every register, of all arrays at the same time.
macro_rules! permute {
    ($keys:ident, $($x:ident),+) => {{
        let [first, middle @ .., last] = &$keys.0;
        $(each!($x, _mm512_xor_si512, first);)+
        for key in middle {
            $(each!($x, _mm512_aesenc_epi128, key);)+
        }
        $(each!($x, _mm512_aesenclast_epi128, last);)+
    }};
}

pub(super) use each;
pub(super) use permute;

/// Calls a step for 32 blocks at a time, then once for what is left, in as many registers as that needs; `$at` is the place
/// of the first of the blocks. A step has two parameters: its registers, and whether all of them are full.
macro_rules! in_groups {
    ($blocks:ident, |$group:ident, $at:ident| $step:ident($($argument:expr),*)) => {{
        let (full, $group) = $blocks.as_chunks_mut::<GROUP>();
        let $at = full.len() * GROUP;
        match $group.len() {
            0 => {}
            1..=4 => $step::<1, false>($($argument),*),
            5..=16 => $step::<4, false>($($argument),*),
            _ => $step::<REGISTERS, false>($($argument),*),
        }
        for (place, $group) in full.iter_mut().enumerate() {
            let $at = place * GROUP;
            $step::<REGISTERS, true>($($argument),*);
        }
    }};
}

impl Cipher for Wide {
    fn encrypt(&self, blocks: &mut [Bytes]) {
        // SAFETY: a `Wide` is made with a `Vaes`, the proof that the processor has AVX-512F and VAES.
        unsafe { encrypt(&self.0, blocks) };
    }

    fn stream(&self, first: u128, mode: Mode, out: &mut [Bytes]) {
        // SAFETY: as above.
        unsafe { stream(&self.0, first, mode, out) };
    }

    fn hash(&self, xs: &mut [Bytes], tweaks: Tweaks<'_>) {
        // SAFETY: as above.
        unsafe { hash(&self.0, xs, tweaks) };
    }

    fn garble(&self, delta: Block, first: u64, inputs: [&[Block]; 2], tables: &mut [Table], out: &mut [Block]) {
        // SAFETY: as above.
        unsafe { half_gates::garble(&self.0, delta, first, inputs, tables, out) };
    }

    fn evaluate(&self, first: u64, inputs: [&[Block]; 2], tables: &[Table], out: &mut [Block]) {
        // SAFETY: as above.
        unsafe { half_gates::evaluate(&self.0, first, inputs, tables, out) };
    }

    fn sum_streams(ciphers: &[Self], first: usize, position: u128, sums: &mut [Block]) {
        if ciphers.len() < 4 {
            return crate::sums::sum_streams(ciphers, first, position, sums);
        }
        // SAFETY: as above; there is a `Wide`.
        unsafe { sums::sum(ciphers, first, position, sums) };
    }

    fn expand([left, right]: [&Self; 2], parents: &[Bytes], children: &mut [Bytes]) {
        // SAFETY: as above.
        unsafe { expand([&left.0, &right.0], parents, children) };
    }
}

#[target_feature(enable = "avx512f,vaes")]
fn encrypt(keys: &RoundKeys, blocks: &mut [Bytes]) {
    in_groups!(blocks, |group, _at| encrypt_group(keys, group));
}

#[target_feature(enable = "avx512f,vaes")]
fn stream(keys: &RoundKeys, first: u128, mode: Mode, out: &mut [Bytes]) {
    in_groups!(out, |group, at| stream_group(keys, first.wrapping_add(at as u128), mode, group));
}

#[target_feature(enable = "avx512f,vaes")]
fn hash(keys: &RoundKeys, xs: &mut [Bytes], tweaks: Tweaks<'_>) {
    in_groups!(xs, |group, at| hash_group(keys, group, tweaks, at));
}

#[target_feature(enable = "avx512f,vaes")]
fn expand(keys: [&RoundKeys; 2], parents: &[Bytes], children: &mut [Bytes]) {
    let (full, rest) = parents.as_chunks::<PARENTS>();
    let (families, last) = children.as_chunks_mut::<GROUP>();
    for (parents, family) in full.iter().zip(families) {
        expand_group::<{ REGISTERS / 2 }, true>(keys, parents, family);
    }
    match rest.len() {
        0 => {}
        1..=4 => expand_group::<1, false>(keys, rest, last),
        _ => expand_group::<{ REGISTERS / 2 }, false>(keys, rest, last),
    }
}

#[inline]
#[target_feature(enable = "avx512f,vaes")]
fn encrypt_group<const N: usize, const FULL: bool>(keys: &RoundKeys, blocks: &mut [Bytes]) {
    let mut x = read::<N, FULL>(blocks);
    permute!(keys, x);
    write::<N, FULL>(&x, blocks);
}

#[inline]
#[target_feature(enable = "avx512f,vaes")]
fn stream_group<const N: usize, const FULL: bool>(keys: &RoundKeys, first: u128, mode: Mode, out: &mut [Bytes]) {
    let mut x = count::<N>(first);
    permute!(keys, x);
    if mode == Mode::Add {
        add(&mut x, &read::<N, FULL>(out));
    }
    write::<N, FULL>(&x, out);
}

#[inline]
#[target_feature(enable = "avx512f,vaes")]
fn hash_group<const N: usize, const FULL: bool>(keys: &RoundKeys, xs: &mut [Bytes], tweaks: Tweaks<'_>, at: usize) {
    let mut x = read::<N, FULL>(xs);
    permute!(keys, x);
    let inner = x;
    match tweaks {
        Tweaks::From(first) => add(&mut x, &count::<N>(first.wrapping_add(at as u128))),
        Tweaks::Each(each) => add(&mut x, &read::<N, FULL>(each.get(at..).unwrap_or_default())),
    }
    permute!(keys, x);
    add(&mut x, &inner);
    write::<N, FULL>(&x, xs);
}

/// Both children of `N` registers of parents, so that twice as many registers are under way.
#[inline]
#[target_feature(enable = "avx512f,vaes")]
fn expand_group<const N: usize, const FULL: bool>(keys: [&RoundKeys; 2], parents: &[Bytes], children: &mut [Bytes]) {
    let x = read::<N, FULL>(parents);
    let (mut l, mut r) = (x, x);
    let [[left_first, left @ .., left_last], [right_first, right @ .., right_last]] = [&keys[0].0, &keys[1].0];
    each!(l, _mm512_xor_si512, left_first);
    each!(r, _mm512_xor_si512, right_first);
    for (left, right) in left.iter().zip(right) {
        each!(l, _mm512_aesenc_epi128, left);
        each!(r, _mm512_aesenc_epi128, right);
    }
    each!(l, _mm512_aesenclast_epi128, left_last);
    each!(r, _mm512_aesenclast_epi128, right_last);
    add(&mut l, &x);
    add(&mut r, &x);
    // Two words a block: the first two blocks of either side by turns, then the last two.
    let (front, back) = (_mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15));
    for (l, r) in l.iter_mut().zip(&mut r) {
        let (left, right) = (*l, *r);
        *l = _mm512_permutex2var_epi64(left, front, right);
        *r = _mm512_permutex2var_epi64(left, back, right);
    }
    for (at, (front, back)) in l.iter().zip(&r).enumerate() {
        let family = children.get_mut(at * 2 * LANES..).unwrap_or_default();
        write_at::<FULL>(family, 0, *front);
        write_at::<FULL>(family, LANES, *back);
    }
}

/// A block in all four lanes.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn broadcast(block: &Block) -> __m512i {
    // SAFETY: a block has the 16 bytes that are read; no alignment is asked for.
    _mm512_broadcast_i32x4(unsafe { _mm_loadu_si128(std::ptr::from_ref(block).cast()) })
}

/// `first`, `first + 1` and so on, modulo 2^128.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn count<const N: usize>(first: u128) -> [__m512i; N] {
    let base = _mm512_broadcast_i32x4(_mm_set_epi64x((first >> 64) as i64, first as i64));
    let mut x = [base; N];
    for (at, x) in x.iter_mut().enumerate() {
        let at = (at * LANES) as i64;
        *x = _mm512_add_epi64(base, _mm512_setr_epi64(at, 0, at + 1, 0, at + 2, 0, at + 3, 0));
    }
    if (first as u64).checked_add((N * LANES) as u64).is_none() {
        for x in &mut x {
            // A low word below the first one has wrapped and carries into the high word beside it.
            let carry = _mm512_cmplt_epu64_mask(*x, base) << 1;
            *x = _mm512_mask_add_epi64(*x, carry, *x, _mm512_set1_epi64(1));
        }
    }
    x
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn add<const N: usize>(x: &mut [__m512i; N], y: &[__m512i; N]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x = _mm512_xor_si512(*x, *y);
    }
}

/// Fills the registers, with zeros where the blocks end. With `FULL` there are four blocks a register.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn read<const N: usize, const FULL: bool>(blocks: &[Bytes]) -> [__m512i; N] {
    let mut x = [_mm512_setzero_si512(); N];
    if FULL {
        if let Some(fours) = blocks.as_chunks::<LANES>().0.first_chunk::<N>() {
            for (x, four) in x.iter_mut().zip(fours) {
                *x = load(four);
            }
        }
    } else {
        for (at, x) in x.iter_mut().enumerate() {
            *x = load_part(blocks.get(at * LANES..).unwrap_or_default());
        }
    }
    x
}

/// Writes the registers as far as the blocks go. With `FULL` there are four blocks a register.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn write<const N: usize, const FULL: bool>(x: &[__m512i; N], blocks: &mut [Bytes]) {
    if FULL {
        if let Some(fours) = blocks.as_chunks_mut::<LANES>().0.first_chunk_mut::<N>() {
            for (x, four) in x.iter().zip(fours) {
                store(four, *x);
            }
        }
    } else {
        for (at, x) in x.iter().enumerate() {
            write_at::<false>(blocks, at * LANES, *x);
        }
    }
}

/// Writes a register to place `at` and behind, as far as the blocks go. With `FULL` there are four.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn write_at<const FULL: bool>(blocks: &mut [Bytes], at: usize, x: __m512i) {
    let blocks = blocks.get_mut(at..).unwrap_or_default();
    if FULL {
        if let Some(four) = blocks.first_chunk_mut::<LANES>() {
            store(four, x);
        }
    } else {
        // SAFETY: the mask names the words of the first blocks, at most four; no other is written, no alignment asked for.
        unsafe { _mm512_mask_storeu_epi64(blocks.as_mut_ptr().cast(), words(blocks.len()), x) };
    }
}

/// The register of up to four blocks, zeros behind them.
#[inline]
#[target_feature(enable = "avx512f")]
fn load_part(blocks: &[Bytes]) -> __m512i {
    // SAFETY: the mask names the words of the first blocks, at most four; no other is read, and no alignment asked for.
    unsafe { _mm512_maskz_loadu_epi64(words(blocks.len()), blocks.as_ptr().cast()) }
}

/// The mask of the words of so many blocks, two each; of four blocks if there are more.
#[inline]
fn words(blocks: usize) -> u8 {
    ((1_u32 << (2 * blocks.min(LANES))) - 1) as u8
}
