//! Products of matrices: every entry is a sum of products, so it costs one word whatever the inner length is.
//!
//! Araki et al. (CCS 2016) for sums of products; the work is local: `x_i (y_i + y_{i+1}) + x_{i+1} y_i` is one product of matrices of
//! twice the inner length, computed a panel of columns at a time.

use base_vector::words::{Line, PANEL, panel_product};
use mpc_core::Abort;
use zeroize::Zeroizing;

use crate::{Arith, Rep3};

/// `left` (rows of `inner` words) times `right` (`inner` rows of `columns` words), modulo 2^64.
fn product(left: &[u64], right: &[u64], inner: usize, columns: usize) -> Vec<u64> {
    let rows = left.len().checked_div(inner).unwrap_or(0);
    let mut out = vec![0; rows * columns];
    let mut panel = Zeroizing::new(vec![[0; PANEL]; inner]);
    let mut lines: Zeroizing<Vec<Line>> = Zeroizing::new(vec![[0; PANEL]; rows]);
    for first in (0..columns).step_by(PANEL) {
        let width = PANEL.min(columns - first);
        for (line, row) in panel.iter_mut().zip(right.chunks(columns)) {
            line[..width].copy_from_slice(&row[first..first + width]);
        }
        panel_product(left, &panel, &mut lines);
        for (row, line) in out.chunks_mut(columns).zip(lines.iter()) {
            row[first..first + width].copy_from_slice(&line[..width]);
        }
    }
    out
}

impl Rep3 {
    /// The product of an `n × m` and an `m × k` matrix, both row by row, for `[n, m, k]`. One round, `n k` words a party;
    /// no entry is scaled or cut.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn matmul(&mut self, x: &Arith, y: &Arith, [n, m, k]: [usize; 3]) -> Result<Arith, Abort> {
        assert!(x.len() == n * m && y.len() == m * k, "matrices have the sizes they are said to have");
        let mut left = Zeroizing::new(Vec::with_capacity(2 * n * m));
        if m > 0 {
            for (own, next) in x.own.chunks(m).zip(x.next.chunks(m)) {
                left.extend_from_slice(own);
                left.extend_from_slice(next);
            }
        }
        let mut right = Zeroizing::new(Vec::with_capacity(2 * m * k));
        right.extend(y.own.iter().zip(&y.next).map(|(own, next)| own.wrapping_add(*next)));
        right.extend_from_slice(&y.own);
        let mut local = Zeroizing::new(product(&left, &right, 2 * m, k));
        local.resize(n * k, 0);
        self.spread_sums(&local).await
    }

    /// Additive shares of integers, masked and made replicated ones. One round.
    async fn spread_sums(&mut self, local: &[u64]) -> Result<Arith, Abort> {
        let (to, from) = (self.before(), self.after());
        let total = local.len();
        let mut out = Arith::with_capacity(total);
        self.alive()?;
        let Self { ctx, own, next, .. } = self;
        let make = |at: usize, piece: &mut [u64]| {
            own.fill(piece);
            next.each(piece, |word, other| *word = word.wrapping_sub(other));
            piece.iter_mut().zip(&local[at..]).for_each(|(word, sum)| *word = word.wrapping_add(*sum));
        };
        let result = ctx.stream((to, total, &mut out.own), (from, total, &mut out.next), make).await;
        self.noted(result)?;
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::product;

    #[test]
    fn tiles_cover_every_size() {
        let word = |seed: usize| (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for (n, m, k) in [(1, 1, 1), (4, 3, 16), (5, 7, 17), (9, 2, 33), (3, 0, 2), (0, 4, 4), (8, 40, 31)] {
            let (x, y): (Vec<u64>, Vec<u64>) = ((1..=n * m).map(word).collect(), (7..7 + m * k).map(word).collect());
            let entry = |at: usize| {
                let (row, column) = (at / k, at % k);
                (0..m).fold(0u64, |sum, i| sum.wrapping_add(x[row * m + i].wrapping_mul(y[i * k + column])))
            };
            if m > 0 {
                assert_eq!(product(&x, &y, m, k), (0..n * k).map(entry).collect::<Vec<_>>(), "{n} {m} {k}");
            }
        }
    }
}
