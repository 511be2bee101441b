//! Transposition of bit matrices with 128 rows.

use bytemuck::must_cast_slice_mut;

use crate::Block;
use crate::path::BitsPath;

/// Rows of a matrix, and bits of a block.
const SIDE: usize = 128;

/// Turns a matrix of 128 rows of `n` bits, `n` a multiple of 128. Row `r` is `rows[r·n/128..(r + 1)·n/128]`, its bit `c`
/// is bit `c % 128` of its block `c / 128`. Afterwards bit `r` of `out[c]` is bit `c` of row `r`. Both slices have `n` blocks.
///
/// # Panics
/// When the slices have not one length that is a multiple of 128.
pub fn transpose(rows: &[Block], out: &mut [Block]) {
    transpose_by(BitsPath::best(), rows, out);
}

/// [`transpose`] in one way of computing.
pub(crate) fn transpose_by(path: BitsPath, rows: &[Block], out: &mut [Block]) {
    assert!(rows.len() == out.len() && rows.len().is_multiple_of(SIDE), "128 rows of n bits become n blocks");
    let width = rows.len() / SIDE;
    let done = match path {
        BitsPath::Portable => 0,
        #[cfg(target_arch = "x86_64")]
        BitsPath::Wide(gfni) => gfni.transpose(rows, out),
    };
    for (at, square) in out.as_chunks_mut::<SIDE>().0.iter_mut().enumerate().skip(done / SIDE) {
        for (to, row) in square.iter_mut().zip(rows.chunks_exact(width)) {
            *to = row[at];
        }
        transpose_square(square);
    }
}

/// Turns a matrix of 128 rows and 128 columns in place: bit `c` of block `r` becomes bit `r` of block `c`.
///
/// Squares within squares are exchanged, seven times (Eklundh, "A Fast Computer Method for Matrix Transposing", IEEE
/// Transactions on Computers C-21(7), 1972).
pub fn transpose_square(square: &mut [Block; 128]) {
    let words: &mut [u64] = must_cast_slice_mut(&mut square[..]);
    let (upper, lower) = words.split_at_mut(SIDE);
    for (above, below) in upper.as_chunks_mut::<2>().0.iter_mut().zip(lower.as_chunks_mut::<2>().0) {
        std::mem::swap(&mut above[1], &mut below[0]);
    }
    exchange::<32>(words, 0x0000_0000_ffff_ffff);
    exchange::<16>(words, 0x0000_ffff_0000_ffff);
    exchange::<8>(words, 0x00ff_00ff_00ff_00ff);
    exchange::<4>(words, 0x0f0f_0f0f_0f0f_0f0f);
    exchange::<2>(words, 0x3333_3333_3333_3333);
    exchange::<1>(words, 0x5555_5555_5555_5555);
}

/// In every square of `2·WIDTH` bits exchanges the upper right quarter with the lower left one; `mask` are the columns of
/// the left quarters. A row is two words.
#[inline]
fn exchange<const WIDTH: usize>(words: &mut [u64], mask: u64) {
    for band in words.chunks_exact_mut(4 * WIDTH) {
        let (upper, lower) = band.split_at_mut(2 * WIDTH);
        for (above, below) in upper.iter_mut().zip(lower) {
            let differ = ((*above >> WIDTH) ^ *below) & mask;
            *below ^= differ;
            *above ^= differ << WIDTH;
        }
    }
}
