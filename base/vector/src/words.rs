//! Products of matrices of 64-bit words, modulo 2^64, a panel of columns at a time.

use crate::wide::wide;

#[cfg(target_arch = "x86_64")]
mod avx512;

/// Columns of a panel: two vectors of 512 bits.
pub const PANEL: usize = 16;
/// Rows computed together: with the panel's two vectors, eight independent sums.
const HEIGHT: usize = 4;
/// Lines of a panel that all rows are multiplied with before the next ones: half of a core's first cache.
const STRIP: usize = 128;

/// One row of a panel.
pub type Line = [u64; PANEL];

/// The rows of `left`, one after the other and each as long as `panel` has lines, times the panel: a line a row into `out`.
/// Time depends on the sizes alone.
pub fn panel_product(left: &[u64], panel: &[Line], out: &mut [Line]) {
    assert_eq!(left.len(), panel.len() * out.len(), "a row of the left matrix has a word for each line");
    #[cfg(target_arch = "x86_64")]
    if avx512::is_here() {
        return all(left, panel, out, avx512::tile);
    }
    wide(
        #[inline(always)]
        || all(left, panel, out, tile::<HEIGHT>),
    );
}

/// The same, four rows at a time by `four`, the last ones alone.
#[inline(always)]
fn all(left: &[u64], panel: &[Line], out: &mut [Line], four: impl Fn([&[u64]; HEIGHT], &[Line], &mut [Line; HEIGHT])) {
    let inner = panel.len();
    out.as_flattened_mut().fill(0);
    for (strip, lines) in panel.chunks(STRIP).enumerate() {
        let row_of = |row: usize| &left[row * inner + strip * STRIP..][..lines.len()];
        let (whole, rest) = out.as_chunks_mut::<HEIGHT>();
        let first = whole.len() * HEIGHT;
        for (at, sums) in whole.iter_mut().enumerate() {
            let row = at * HEIGHT;
            four([row_of(row), row_of(row + 1), row_of(row + 2), row_of(row + 3)], lines, sums);
        }
        for (at, sums) in rest.iter_mut().enumerate() {
            tile([row_of(first + at)], lines, std::array::from_mut(sums));
        }
    }
}

/// Adds the products of rows to `sums`, for whatever vectors the function it is inlined into may use.
#[inline(always)]
fn tile<const ROWS: usize>(rows: [&[u64]; ROWS], panel: &[Line], sums: &mut [Line; ROWS]) {
    let rows = rows.map(|row| &row[..panel.len()]);
    let mut all = *sums;
    for (place, line) in panel.iter().enumerate() {
        for (sums, row) in all.iter_mut().zip(&rows) {
            let factor = row[place];
            for (sum, value) in sums.iter_mut().zip(line) {
                *sum = factor.wrapping_mul(*value).wrapping_add(*sum);
            }
        }
    }
    *sums = all;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_gives_the_plain_product() {
        let word = |seed: usize| (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let sizes = [(0, 3), (1, 1), (4, 0), (4, 5), (7, 9), (33, 20), (6, STRIP), (9, STRIP + 1), (5, 3 * STRIP + 7)];
        for (rows, inner) in sizes {
            let left: Vec<u64> = (1..=rows * inner).map(word).collect();
            let panel: Vec<Line> = (0..inner).map(|row| std::array::from_fn(|at| word(7 + row * PANEL + at))).collect();
            let (mut out, mut plain, mut vectors) =
                (vec![[1; PANEL]; rows], vec![[2; PANEL]; rows], vec![[3; PANEL]; rows]);
            panel_product(&left, &panel, &mut out);
            all(&left, &panel, &mut plain, tile::<HEIGHT>);
            wide(
                #[inline(always)]
                || all(&left, &panel, &mut vectors, tile::<HEIGHT>),
            );
            let entry = |row: usize, at: usize| {
                (0..inner).fold(0u64, |sum, i| sum.wrapping_add(left[row * inner + i].wrapping_mul(panel[i][at])))
            };
            let due: Vec<Line> = (0..rows).map(|row| std::array::from_fn(|at| entry(row, at))).collect();
            assert!(out == due && plain == due && vectors == due, "{rows} {inner}");
        }
    }
}
