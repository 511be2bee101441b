//! Four blocks to a register of 512 bits and back.
#![allow(unsafe_code)]

use std::arch::x86_64::{__m512i, _mm512_loadu_si512, _mm512_storeu_si512};

use bytemuck::Pod;

/// Blocks in a register.
pub(super) const LANES: usize = 4;

/// The register of four blocks, or of what else has 16 bytes.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn load<T: Pod>(four: &[T; LANES]) -> __m512i {
    const { assert!(size_of::<T>() == 16, "four are a register") };
    // SAFETY: four times 16 bytes are the 64 bytes that are read; no alignment is asked for.
    unsafe { _mm512_loadu_si512(four.as_ptr().cast()) }
}

/// Writes a register to four blocks, or to what else has 16 bytes and any bits.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn store<T: Pod>(four: &mut [T; LANES], register: __m512i) {
    const { assert!(size_of::<T>() == 16, "four are a register") };
    // SAFETY: four times 16 bytes are the 64 bytes that are written, any bits are a `T`, and no alignment is asked for.
    unsafe { _mm512_storeu_si512(four.as_mut_ptr().cast(), register) }
}
