//! Sums of streams with AVX-512 and VAES: four streams at a time, two registers of each, added up before they are written.

use std::arch::x86_64::{
    __m512i, _mm512_aesenc_epi128, _mm512_aesenclast_epi128, _mm512_setzero_si512, _mm512_xor_si512,
};

use super::aes::RoundKeys;
use super::vaes::{Wide, add, broadcast, count, each, write};
use super::wide::LANES;
use crate::Block;
use crate::cast::raw_mut;
use crate::sums::rows_of;

/// Registers of each stream.
const REGISTERS: usize = 2;
/// Blocks in them.
const GROUP: usize = REGISTERS * LANES;
/// Streams that are encrypted together.
const STREAMS: usize = 4;
/// Rows that a group of so many streams decides by itself: all, and those by the two lowest bits.
const LOW_ROWS: usize = 3;
/// Most rows behind them.
const HIGH_ROWS: usize = 6;

type Registers = [__m512i; REGISTERS];

/// The ten rounds on every array, each under its own keys.
macro_rules! permute_each {
    ($(($keys:ident, $x:ident)),+) => {{
        $(each!($x, _mm512_xor_si512, &$keys.0[0]);)+
        for round in 1..10 {
            $(each!($x, _mm512_aesenc_epi128, &$keys.0[round]);)+
        }
        $(each!($x, _mm512_aesenclast_epi128, &$keys.0[10]);)+
    }};
}

/// As [`crate::cipher::Cipher::sum_streams`], for at least four streams.
#[target_feature(enable = "avx512f,vaes")]
pub(super) fn sum(ciphers: &[Wide], first: usize, position: u128, sums: &mut [Block]) {
    let rows = rows_of(ciphers.len());
    let len = sums.len() / rows;
    let zero = [_mm512_setzero_si512(); REGISTERS];
    for from in (0..len).step_by(GROUP) {
        let counters = count::<REGISTERS>(position.wrapping_add(from as u128));
        let (mut all, mut odd, mut second, mut high) = (zero, zero, zero, [zero; HIGH_ROWS]);
        for (number, four) in ciphers.as_chunks::<STREAMS>().0.iter().enumerate() {
            let [a, b, c, d] = if number == 0 && first > 0 { three(four, counters) } else { all_four(four, counters) };
            let (mut of_odd, mut of_second) = (b, c);
            add(&mut of_odd, &d);
            add(&mut of_second, &d);
            let mut of_all = of_odd;
            add(&mut of_all, &a);
            add(&mut of_all, &c);
            add(&mut all, &of_all);
            add(&mut odd, &of_odd);
            add(&mut second, &of_second);
            for (bit, high) in high.iter_mut().take(rows - LOW_ROWS).enumerate() {
                if number >> bit & 1 == 1 {
                    add(high, &of_all);
                }
            }
        }
        let made = [all, odd, second].into_iter().chain(high);
        for (row, made) in sums.chunks_exact_mut(len).zip(made) {
            put(&made, &mut row[from..]);
        }
    }
}

/// The next blocks of four streams.
#[inline]
#[target_feature(enable = "avx512f,vaes")]
fn all_four(ciphers: &[Wide; STREAMS], counters: Registers) -> [Registers; STREAMS] {
    let [of_a, of_b, of_c, of_d]: [&RoundKeys; STREAMS] = ciphers.each_ref().map(Wide::keys);
    let (mut a, mut b, mut c, mut d) = (counters, counters, counters, counters);
    permute_each!((of_a, a), (of_b, b), (of_c, c), (of_d, d));
    [a, b, c, d]
}

/// The next blocks of the last three of four streams; zero for the first.
#[inline]
#[target_feature(enable = "avx512f,vaes")]
fn three(ciphers: &[Wide; STREAMS], counters: Registers) -> [Registers; STREAMS] {
    let [_, of_b, of_c, of_d]: [&RoundKeys; STREAMS] = ciphers.each_ref().map(Wide::keys);
    let (mut b, mut c, mut d) = (counters, counters, counters);
    permute_each!((of_b, b), (of_c, c), (of_d, d));
    [[_mm512_setzero_si512(); REGISTERS], b, c, d]
}

/// Writes a group's sum, as far as the row goes.
#[inline]
#[target_feature(enable = "avx512f")]
fn put(made: &Registers, row: &mut [Block]) {
    match row.first_chunk_mut::<GROUP>() {
        Some(group) => write::<REGISTERS, true>(made, raw_mut(group)),
        None => write::<REGISTERS, false>(made, raw_mut(row)),
    }
}
