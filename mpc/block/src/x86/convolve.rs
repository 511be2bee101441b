//! Convolution over blocks with AVX-512: the blocks in reach stay in eight registers, four blocks each.
#![allow(unsafe_code)]

use std::arch::x86_64::{__m512i, _mm512_setzero_si512, _mm512_shuffle_i64x2, _mm512_ternarylogic_epi64};

use super::Gfni;
use super::wide::{LANES, load, store};
use crate::Block;
use crate::convolve::taken;

/// Registers that a block of the first of them reaches.
const REGISTERS: usize = 8;
/// `a ⊕ (b ∧ c)`.
const ADD_WHERE: i32 = 0x78;

/// For each four bits a register whose lanes are all ones where a bit is set.
static MASKS: [[Block; LANES]; 16] = {
    let mut masks = [[Block::ZERO; LANES]; 16];
    let mut at = 0;
    while at < 16 * LANES {
        if (at / LANES) >> (at % LANES) & 1 == 1 {
            masks[at / LANES][at % LANES] = Block::ONES;
        }
        at += 1;
    }
    masks
};

impl Gfni {
    /// As [`crate::convolve`], whose lengths have been checked.
    pub(crate) fn convolve(self, blocks: &mut [Block], taps: &[u32]) {
        // SAFETY: a `Gfni` is the proof that the processor has AVX-512F.
        unsafe { convolve(blocks, taps) };
    }
}

#[target_feature(enable = "avx512f")]
fn convolve(blocks: &mut [Block], taps: &[u32]) {
    let (groups, _) = blocks.as_chunks_mut::<LANES>();
    let mut reach = [_mm512_setzero_si512(); REGISTERS];
    for (register, group) in reach[1..].iter_mut().zip(groups.iter()) {
        *register = load(group);
    }
    let (fours, _) = taps.as_chunks::<LANES>();
    for (at, four) in fours.iter().enumerate() {
        reach.copy_within(1.., 0);
        // The last taps' blocks reach the last group.
        let Some(next) = groups.get(at + REGISTERS - 1) else { break };
        reach[REGISTERS - 1] = load(next);
        push::<0>(&mut reach, four[0]);
        push::<1>(&mut reach, four[1]);
        push::<2>(&mut reach, four[2]);
        push::<3>(&mut reach, four[3]);
        store(&mut groups[at], reach[0]);
    }
    for (register, group) in reach[1..].iter().zip(groups.iter_mut().skip(fours.len())) {
        store(group, *register);
    }
}

/// Adds block `LANE` of the first register to those behind it.
#[inline]
#[target_feature(enable = "avx512f")]
fn push<const LANE: usize>(reach: &mut [__m512i; REGISTERS], taps: u32) {
    let source = match LANE {
        0 => _mm512_shuffle_i64x2::<0x00>(reach[0], reach[0]),
        1 => _mm512_shuffle_i64x2::<0x55>(reach[0], reach[0]),
        2 => _mm512_shuffle_i64x2::<0xaa>(reach[0], reach[0]),
        _ => _mm512_shuffle_i64x2::<0xff>(reach[0], reach[0]),
    };
    let places = u64::from(taken(taps)) << (LANE + 1);
    for (at, register) in reach.iter_mut().enumerate() {
        let mask = load(&MASKS[(places >> (4 * at) & 15) as usize]);
        *register = _mm512_ternarylogic_epi64::<ADD_WHERE>(*register, source, mask);
    }
}
