//! Products of matrices of 64-bit words, modulo 2^64, a panel of columns at a time.

use crate::wide::wide;

/// Columns of a panel: two vectors of 512 bits.
pub const PANEL: usize = 16;
/// Rows computed together: with the panel's two vectors, eight independent sums.
const HEIGHT: usize = 4;

/// One row of a panel.
pub type Line = [u64; PANEL];

/// The rows of `left`, one after the other and each as long as `panel` has lines, times the panel: a line a row into `out`.
/// Time depends on the sizes alone.
pub fn panel_product(left: &[u64], panel: &[Line], out: &mut [Line]) {
    assert_eq!(left.len(), panel.len() * out.len(), "a row of the left matrix has a word for each line");
    wide(|| all(left, panel, out));
}

/// The same, for whatever vectors the function it is inlined into may use.
#[inline(always)]
fn all(left: &[u64], panel: &[Line], out: &mut [Line]) {
    let inner = panel.len();
    let row_of = |row: usize| &left[row * inner..(row + 1) * inner];
    let (whole, rest) = out.as_chunks_mut::<HEIGHT>();
    let first = whole.len() * HEIGHT;
    for (at, lines) in whole.iter_mut().enumerate() {
        let row = at * HEIGHT;
        *lines = tile([row_of(row), row_of(row + 1), row_of(row + 2), row_of(row + 3)], panel);
    }
    for (at, line) in rest.iter_mut().enumerate() {
        [*line] = tile([row_of(first + at)], panel);
    }
}

#[inline(always)]
fn tile<const ROWS: usize>(rows: [&[u64]; ROWS], panel: &[Line]) -> [Line; ROWS] {
    let rows = rows.map(|row| &row[..panel.len()]);
    let mut sums = [[0; PANEL]; ROWS];
    for (place, line) in panel.iter().enumerate() {
        for (sums, row) in sums.iter_mut().zip(&rows) {
            let factor = row[place];
            for (sum, value) in sums.iter_mut().zip(line) {
                *sum = factor.wrapping_mul(*value).wrapping_add(*sum);
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_gives_the_plain_product() {
        let word = |seed: usize| (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for (rows, inner) in [(0, 3), (1, 1), (4, 0), (4, 5), (7, 9), (33, 20)] {
            let left: Vec<u64> = (1..=rows * inner).map(word).collect();
            let panel: Vec<Line> = (0..inner).map(|row| std::array::from_fn(|at| word(7 + row * PANEL + at))).collect();
            let (mut out, mut plain) = (vec![[1; PANEL]; rows], vec![[2; PANEL]; rows]);
            panel_product(&left, &panel, &mut out);
            all(&left, &panel, &mut plain);
            let entry = |row: usize, at: usize| {
                (0..inner).fold(0u64, |sum, i| sum.wrapping_add(left[row * inner + i].wrapping_mul(panel[i][at])))
            };
            let due: Vec<Line> = (0..rows).map(|row| std::array::from_fn(|at| entry(row, at))).collect();
            assert!(out == due && plain == due, "{rows} {inner}");
        }
    }
}
