//! AES with AES-NI, a block a register and eight registers at a time; and the key expansion.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m128i, _mm_aesenc_si128, _mm_aesenclast_si128, _mm_aeskeygenassist_si128, _mm_set_epi64x, _mm_setzero_si128,
    _mm_shuffle_epi32, _mm_slli_si128, _mm_xor_si128,
};

use bytemuck::must_cast;
use zeroize::Zeroize;

use super::AesNi;
use crate::Block;
use crate::cast::Bytes;
use crate::cipher::{Cipher, Mode, Tweaks};

/// Blocks that are worked on together.
const GROUP: usize = 8;
/// Families that are worked on together: with two children each, as many blocks are under way.
const FAMILIES: usize = GROUP / 2;

/// The eleven round keys of AES-128; wiped when dropped.
pub(super) struct RoundKeys(pub(super) [Block; 11]);

impl RoundKeys {
    /// The key expansion (FIPS 197, 5.2).
    pub(super) fn new(_: AesNi, key: Block) -> Self {
        // SAFETY: an `AesNi` is the proof that the processor has AES-NI.
        Self(unsafe { expand_key(key) })
    }
}

impl Drop for RoundKeys {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[target_feature(enable = "aes")]
fn expand_key(key: Block) -> [Block; 11] {
    let k0 = must_cast::<Block, __m128i>(key);
    let k1 = next_key::<0x01>(k0);
    let k2 = next_key::<0x02>(k1);
    let k3 = next_key::<0x04>(k2);
    let k4 = next_key::<0x08>(k3);
    let k5 = next_key::<0x10>(k4);
    let k6 = next_key::<0x20>(k5);
    let k7 = next_key::<0x40>(k6);
    let k8 = next_key::<0x80>(k7);
    let k9 = next_key::<0x1b>(k8);
    let k10 = next_key::<0x36>(k9);
    must_cast([k0, k1, k2, k3, k4, k5, k6, k7, k8, k9, k10])
}

/// The round key after `key`, with the round's constant.
#[inline]
#[target_feature(enable = "aes")]
fn next_key<const CONSTANT: i32>(key: __m128i) -> __m128i {
    let word = _mm_shuffle_epi32::<0xff>(_mm_aeskeygenassist_si128::<CONSTANT>(key));
    // Each word takes in all words before it.
    let two = _mm_xor_si128(key, _mm_slli_si128::<4>(key));
    let four = _mm_xor_si128(two, _mm_slli_si128::<8>(two));
    _mm_xor_si128(four, word)
}

/// AES-128 under one key.
pub(crate) struct Narrow(RoundKeys);

impl Narrow {
    pub(crate) fn new(aes_ni: AesNi, key: Block) -> Self {
        Self(RoundKeys::new(aes_ni, key))
    }
}

/// Applies an operation with a round key to every register. Macros, so that registers stay registers.
macro_rules! each {
    ($x:ident, $operation:ident, $key:expr) => {{
        let key = must_cast::<Block, __m128i>(*$key);
        for x in &mut $x {
            *x = $operation(*x, key);
        }
    }};
}

/// The ten rounds (FIPS 197, 5.1) on every register.
macro_rules! permute {
    ($keys:ident, $x:ident) => {{
        let [first, middle @ .., last] = &$keys.0;
        each!($x, _mm_xor_si128, first);
        for key in middle {
            each!($x, _mm_aesenc_si128, key);
        }
        each!($x, _mm_aesenclast_si128, last);
    }};
}

/// Does the same with eight blocks at a time, then with each that is left; `$at` is the place of the first of them.
macro_rules! in_groups {
    ($blocks:ident, |$group:ident, $at:ident| $step:expr) => {{
        let (full, rest) = $blocks.as_chunks_mut::<GROUP>();
        let done = full.len() * GROUP;
        for (place, $group) in full.iter_mut().enumerate() {
            let $at = place * GROUP;
            $step;
        }
        for (place, $group) in rest.as_chunks_mut::<1>().0.iter_mut().enumerate() {
            let $at = done + place;
            $step;
        }
    }};
}

impl Cipher for Narrow {
    fn encrypt(&self, blocks: &mut [Bytes]) {
        // SAFETY: a `Narrow` is made with an `AesNi`, the proof that the processor has AES-NI.
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

    fn expand([left, right]: [&Self; 2], parents: &[Bytes], children: &mut [Bytes]) {
        // SAFETY: as above.
        unsafe { expand([&left.0, &right.0], parents, children) };
    }
}

#[inline]
#[target_feature(enable = "aes")]
fn read<const N: usize>(blocks: &[Bytes; N]) -> [__m128i; N] {
    let mut x = [_mm_setzero_si128(); N];
    for (x, block) in x.iter_mut().zip(blocks) {
        *x = must_cast(*block);
    }
    x
}

#[inline]
#[target_feature(enable = "aes")]
fn write<const N: usize>(x: &[__m128i; N], blocks: &mut [Bytes; N]) {
    for (x, block) in x.iter().zip(blocks) {
        *block = must_cast(*x);
    }
}

/// `first`, `first + 1` and so on.
#[inline]
#[target_feature(enable = "aes")]
fn count<const N: usize>(first: u128) -> [__m128i; N] {
    let mut x = [_mm_setzero_si128(); N];
    for (at, x) in x.iter_mut().enumerate() {
        let count = first.wrapping_add(at as u128);
        *x = _mm_set_epi64x((count >> 64) as i64, count as i64);
    }
    x
}

#[inline]
#[target_feature(enable = "aes")]
fn add<const N: usize>(x: &mut [__m128i; N], y: &[__m128i; N]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x = _mm_xor_si128(*x, *y);
    }
}

#[target_feature(enable = "aes")]
fn encrypt(keys: &RoundKeys, blocks: &mut [Bytes]) {
    in_groups!(blocks, |group, _at| encrypt_group(keys, group));
}

#[target_feature(enable = "aes")]
fn stream(keys: &RoundKeys, first: u128, mode: Mode, out: &mut [Bytes]) {
    in_groups!(out, |group, at| stream_group(keys, first.wrapping_add(at as u128), mode, group));
}

#[target_feature(enable = "aes")]
fn hash(keys: &RoundKeys, xs: &mut [Bytes], tweaks: Tweaks<'_>) {
    in_groups!(xs, |group, at| hash_group(keys, group, tweaks, at));
}

#[inline]
#[target_feature(enable = "aes")]
fn encrypt_group<const N: usize>(keys: &RoundKeys, blocks: &mut [Bytes; N]) {
    let mut x = read(blocks);
    permute!(keys, x);
    write(&x, blocks);
}

#[inline]
#[target_feature(enable = "aes")]
fn stream_group<const N: usize>(keys: &RoundKeys, first: u128, mode: Mode, out: &mut [Bytes; N]) {
    let mut x = count::<N>(first);
    permute!(keys, x);
    if mode == Mode::Add {
        add(&mut x, &read(out));
    }
    write(&x, out);
}

#[inline]
#[target_feature(enable = "aes")]
fn hash_group<const N: usize>(keys: &RoundKeys, xs: &mut [Bytes; N], tweaks: Tweaks<'_>, at: usize) {
    let mut x = read(xs);
    permute!(keys, x);
    let inner = x;
    match tweaks {
        Tweaks::From(first) => add(&mut x, &count::<N>(first.wrapping_add(at as u128))),
        Tweaks::Each(each) => {
            if let Some(tweaks) = each.get(at..).and_then(|rest| rest.first_chunk::<N>()) {
                add(&mut x, &read(tweaks));
            }
        }
    }
    permute!(keys, x);
    add(&mut x, &inner);
    write(&x, xs);
}

#[target_feature(enable = "aes")]
fn expand(keys: [&RoundKeys; 2], parents: &[Bytes], children: &mut [Bytes]) {
    let (full, rest) = parents.as_chunks::<FAMILIES>();
    let (families, _) = children.as_chunks_mut::<2>();
    let (full_families, last) = families.split_at_mut(full.len() * FAMILIES);
    for (parents, families) in full.iter().zip(full_families.as_chunks_mut::<FAMILIES>().0) {
        expand_group(keys, parents, families);
    }
    for (parent, family) in rest.as_chunks::<1>().0.iter().zip(last.as_chunks_mut::<1>().0) {
        expand_group(keys, parent, family);
    }
}

#[inline]
#[target_feature(enable = "aes")]
fn expand_group<const N: usize>([left, right]: [&RoundKeys; 2], parents: &[Bytes; N], families: &mut [[Bytes; 2]; N]) {
    let x = read(parents);
    let (mut l, mut r) = (x, x);
    permute!(left, l);
    permute!(right, r);
    add(&mut l, &x);
    add(&mut r, &x);
    for ((family, l), r) in families.iter_mut().zip(&l).zip(&r) {
        *family = [must_cast(*l), must_cast(*r)];
    }
}
