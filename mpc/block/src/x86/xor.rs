//! Sums of slices with AVX-512, four blocks an instruction.
#![allow(unsafe_code)]

use std::arch::x86_64::{_mm512_ternarylogic_epi64, _mm512_xor_si512};

use super::Gfni;
use super::wide::{LANES, load, store};
use crate::Block;
use crate::cast::xor_portable;

impl Gfni {
    /// `to[i] ^= from[i]`; the shorter decides.
    pub(crate) fn xor(self, to: &mut [Block], from: &[Block]) {
        // SAFETY: a `Gfni` is the proof that the processor has AVX-512F.
        unsafe { xor(to, from) };
    }

    /// `to[i] = a[i] ^ (b[i] & mask)`; the shortest decides.
    pub(crate) fn xor_where(self, mask: Block, to: &mut [Block], a: &[Block], b: &[Block]) {
        // SAFETY: as above.
        unsafe { xor_where(mask, to, a, b) };
    }
}

#[target_feature(enable = "avx512f")]
fn xor(to: &mut [Block], from: &[Block]) {
    let len = to.len().min(from.len());
    let (fours, rest) = to[..len].as_chunks_mut::<LANES>();
    let (from_fours, from_rest) = from[..len].as_chunks::<LANES>();
    for (to, from) in fours.iter_mut().zip(from_fours) {
        let sum = _mm512_xor_si512(load(to), load(from));
        store(to, sum);
    }
    xor_portable(rest, from_rest);
}

#[target_feature(enable = "avx512f")]
fn xor_where(mask: Block, to: &mut [Block], a: &[Block], b: &[Block]) {
    /// `a ⊕ (b ∧ c)`.
    const ADD_WHERE: i32 = 0x78;
    let len = to.len().min(a.len()).min(b.len());
    let (fours, rest) = to[..len].as_chunks_mut::<LANES>();
    let ((a_fours, a_rest), (b_fours, b_rest)) = (a[..len].as_chunks::<LANES>(), b[..len].as_chunks::<LANES>());
    let everywhere = load(&[mask; LANES]);
    for (to, (a, b)) in fours.iter_mut().zip(a_fours.iter().zip(b_fours)) {
        let sum = _mm512_ternarylogic_epi64::<ADD_WHERE>(load(a), load(b), everywhere);
        store(to, sum);
    }
    for (to, (a, b)) in rest.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *to = *a ^ (*b & mask);
    }
}
