//! Sums of slices with AVX-512, four blocks an instruction.
#![allow(unsafe_code)]

use std::arch::x86_64::_mm512_xor_si512;

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
