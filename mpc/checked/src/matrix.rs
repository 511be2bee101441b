//! Products of matrices, verified at the cost of one product: random sums of rows and columns leave inner products.
//!
//! Freivalds ("Probabilistic Machines Can Use Less Running Time", IFIP 1977), for replicated shares over the integers modulo
//! 2^64: with random bits for the rows and random words for the columns, a wrong product gives a wrong sum with probability
//! at least 1/4 (the word that is wrong may be 2^63, so each choice misses with 1/2). All of 128 sums are right with
//! probability at most (3/4)^128 < 2^-53. Each is an inner product of as many terms as the matrices have inner places, and is
//! verified like other sums of products. Where the result has no more entries than that, its entries themselves are.

use base_vector::wide::wide;
use mpc_block::Block;
use mpc_core::Abort;
use mpc_share::Arith;
use zeroize::Zeroizing;

use crate::party::Checked;
use crate::record::Records;
use crate::stream::Stream;
use crate::wiped::{reserve, wipe};

/// Random sums of a product.
const SUMS: usize = 128;
/// Inner places that are taken at a time, so that their rows stay in the cache.
const STRIP: usize = 64;

/// Rows, inner places and columns.
#[derive(Clone, Copy)]
struct Shape {
    rows: usize,
    inner: usize,
    columns: usize,
}

/// A product that is still to be verified: factors, `z_i - f_i` and `z_{i+1} - f_{i+1}`, and `f_i`.
struct Product {
    shape: Shape,
    a: [Vec<u64>; 2],
    b: [Vec<u64>; 2],
    u: [Vec<u64>; 2],
    f: Vec<u64>,
}

/// Products of matrices that are still to be verified.
#[derive(Default)]
pub(crate) struct Matrices {
    products: Vec<Product>,
}

impl Drop for Product {
    fn drop(&mut self) {
        self.a.iter_mut().chain(&mut self.b).chain(&mut self.u).for_each(wipe);
        wipe(&mut self.f);
    }
}

/// Adds the product of two matrices, row by row.
fn add_product(out: &mut [u64], a: &[u64], b: &[u64], shape: Shape) {
    for strip in (0..shape.inner).step_by(STRIP) {
        let places = strip..shape.inner.min(strip + STRIP);
        for (out, a) in out.chunks_exact_mut(shape.columns).zip(a.chunks_exact(shape.inner)) {
            wide(
                #[inline(always)]
                || {
                    for place in places.clone() {
                        let (by, row) = (a[place], &b[place * shape.columns..(place + 1) * shape.columns]);
                        out.iter_mut().zip(row).for_each(|(sum, x)| *sum = sum.wrapping_add(by.wrapping_mul(*x)));
                    }
                },
            );
        }
    }
}

/// For each of the sums: the sum of the rows whose bit is set. The bits are public.
fn chosen_rows(bits: &[Block], matrix: &[u64], columns: usize) -> Zeroizing<Vec<u64>> {
    let mut out = Zeroizing::new(vec![0_u64; SUMS * columns]);
    for (bits, row) in bits.iter().zip(matrix.chunks_exact(columns)) {
        for (_, sum) in (0..).zip(out.chunks_exact_mut(columns)).filter(|(sum, _)| bits.bit(*sum)) {
            wide(|| sum.iter_mut().zip(row).for_each(|(sum, x)| *sum = sum.wrapping_add(*x)));
        }
    }
    out
}

/// For each of the sums `t`: the inner product of row `t` of the first with column `t` of the second.
fn diagonal(rows: &[u64], columns: &[u64]) -> Zeroizing<Vec<u64>> {
    let len = rows.len() / SUMS;
    let entry = |(sum, row): (usize, &[u64])| {
        let column = columns.iter().skip(sum).step_by(SUMS);
        row.iter().zip(column).fold(0_u64, |total, (x, y)| total.wrapping_add(x.wrapping_mul(*y)))
    };
    Zeroizing::new(rows.chunks_exact(len).enumerate().map(entry).collect())
}

impl Product {
    /// Records what is to be verified: every entry, or random sums where those are fewer.
    fn reduce(&self, coin: &mut Stream, records: &mut Records) {
        if self.shape.rows * self.shape.columns <= SUMS { self.entries(records) } else { self.sums(coin, records) }
    }

    /// Records every entry as a sum of products.
    fn entries(&self, records: &mut Records) {
        let Shape { rows, inner, columns } = self.shape;
        for (w, (u, (a, b))) in records.w.iter_mut().zip(self.u.iter().zip(self.a.iter().zip(&self.b))) {
            let mut products = Zeroizing::new(vec![0_u64; rows * columns]);
            add_product(&mut products, a, b, self.shape);
            reserve(w, u.len());
            w.extend(u.iter().zip(products.iter()).map(|(u, own)| u.wrapping_sub(*own)));
        }
        reserve(&mut records.f, self.f.len());
        records.f.extend_from_slice(&self.f);
        records.products(rows * columns, inner);
        let mut left = [(); 2].map(|()| Zeroizing::new(Vec::<u64>::with_capacity(rows * columns)));
        let mut right = [(); 2].map(|()| Zeroizing::new(Vec::<u64>::with_capacity(rows * columns)));
        for place in 0..inner {
            for ((left, a), (right, b)) in left.iter_mut().zip(&self.a).zip(right.iter_mut().zip(&self.b)) {
                left.clear();
                right.clear();
                for row in 0..rows {
                    left.extend(std::iter::repeat_n(a[row * inner + place], columns));
                    right.extend_from_slice(&b[place * columns..(place + 1) * columns]);
                }
            }
            records.term([&left[0], &left[1]], [&right[0], &right[1]]);
        }
    }

    /// Draws the sums and records what remains.
    fn sums(&self, coin: &mut Stream, records: &mut Records) {
        let Shape { rows, inner, columns } = self.shape;
        let bits = coin.blocks(rows);
        let by = coin.words(columns * SUMS);
        let left = [&self.a[0], &self.a[1]].map(|a| chosen_rows(&bits, a, inner));
        let right = [&self.b[0], &self.b[1]].map(|b| {
            let mut out = Zeroizing::new(vec![0; inner * SUMS]);
            add_product(&mut out, b, &by, Shape { rows: inner, inner: columns, columns: SUMS });
            out
        });
        for ((w, u), (left, right)) in records.w.iter_mut().zip(&self.u).zip(left.iter().zip(&right)) {
            let sums = diagonal(&chosen_rows(&bits, u, columns), &by);
            let products = diagonal(left, right);
            reserve(w, SUMS);
            w.extend(sums.iter().zip(products.iter()).map(|(u, own)| u.wrapping_sub(*own)));
        }
        reserve(&mut records.f, SUMS);
        records.f.extend_from_slice(&diagonal(&chosen_rows(&bits, &self.f, columns), &by));
        records.products(SUMS, inner);
        for place in 0..inner {
            let column = |left: &Zeroizing<Vec<u64>>| -> Zeroizing<Vec<u64>> {
                Zeroizing::new(left.iter().skip(place).step_by(inner).copied().collect())
            };
            let (own, next) = (column(&left[0]), column(&left[1]));
            let [y_own, y_next] = [&right[0], &right[1]].map(|right| &right[place * SUMS..(place + 1) * SUMS]);
            records.term([&own, &next], [y_own, y_next]);
        }
    }
}

impl Matrices {
    /// Words that are held.
    pub(crate) fn entries(&self) -> usize {
        self.products.iter().map(|product| product.a[0].len() + product.b[0].len() + product.f.len()).sum()
    }

    /// What all parties know: the shapes.
    pub(crate) fn shapes(&self) -> Vec<u8> {
        let shape = |product: &Product| {
            let Shape { rows, inner, columns } = product.shape;
            [rows as u64, inner as u64, columns as u64]
        };
        self.products.iter().flat_map(shape).flat_map(u64::to_le_bytes).collect()
    }

    /// Turns all products into sums of products, by a coin tossed after they were sent.
    pub(crate) fn reduce(&self, coin: &mut Stream, records: &mut Records) {
        self.products.iter().for_each(|product| product.reduce(coin, records));
    }
}

impl Checked {
    /// The product of a matrix of `rows × inner` integers with one of `inner × columns`, all row by row. One round, one word
    /// an entry of the result.
    ///
    /// # Errors
    /// [`Abort`] with blame on this party when a matrix has another length; else when a peer is gone or misbehaves.
    pub async fn mat_mul(&mut self, a: &Arith, b: &Arith, [rows, inner, columns]: [usize; 3]) -> Result<Arith, Abort> {
        if a.len() != rows * inner || b.len() != inner * columns {
            let why =
                format!("{} and {} entries are no {rows}×{inner} and {inner}×{columns} matrices", a.len(), b.len());
            return Err(self.link.ctx.name(Abort::local(why)));
        }
        if rows * inner * columns == 0 {
            return Ok(Arith::zeros(rows * columns));
        }
        self.begin()?;
        let outcome = self.multiply(a, b, Shape { rows, inner, columns }).await;
        self.end(outcome)
    }

    async fn multiply(&mut self, a: &Arith, b: &Arith, shape: Shape) -> Result<Arith, Abort> {
        let ((a_own, a_next), (b_own, b_next)) = (a.parts(), b.parts());
        let total = shape.rows * shape.columns;
        let both: Vec<u64> = b_own.iter().zip(b_next).map(|(own, next)| own.wrapping_add(*next)).collect();
        let both = Zeroizing::new(both);
        let link = &mut self.link;
        let (f, f_next) = (Zeroizing::new(link.own.words(total)), Zeroizing::new(link.next.words(total)));
        let mut u = Zeroizing::new(f_next.iter().map(|f| f.wrapping_neg()).collect::<Vec<u64>>());
        add_product(&mut u, a_own, &both, shape);
        add_product(&mut u, a_next, b_own, shape);
        let mine: Vec<u64> = u.iter().zip(f.iter()).map(|(u, f)| u.wrapping_add(*f)).collect();
        let (before, after) = (link.before(), link.after());
        let mut theirs = vec![0; total];
        link.ctx.pass(Some((before, &mine[..])), Some((after, &mut theirs[..]))).await?;
        let u_next = theirs.iter().zip(f_next.iter()).map(|(z, f)| z.wrapping_sub(*f)).collect();
        self.matrices.products.push(Product {
            shape,
            a: [a_own.to_vec(), a_next.to_vec()],
            b: [b_own.to_vec(), b_next.to_vec()],
            u: [u.to_vec(), u_next],
            f: f.to_vec(),
        });
        self.verify_when_full().await?;
        Ok(Arith::from_parts(mine, theirs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_a_product_are_products_of_sums() {
        let mut stream = Stream::new(&[9; 32]);
        let shape = Shape { rows: 5, inner: 70, columns: 3 };
        let (a, b) = (stream.words(350), stream.words(210));
        let mut product = vec![0; 15];
        add_product(&mut product, &a, &b, shape);
        let due = (0..70).fold(0_u64, |sum, at| sum.wrapping_add(a[70 + at].wrapping_mul(b[3 * at + 2])));
        assert_eq!(product[5], due);
        let (bits, by) = (stream.blocks(5), stream.words(3 * SUMS));
        let mut right = vec![0; 70 * SUMS];
        add_product(&mut right, &b, &by, Shape { rows: 70, inner: 3, columns: SUMS });
        let sums = diagonal(&chosen_rows(&bits, &product, 3), &by);
        assert!(*sums == *diagonal(&chosen_rows(&bits, &a, 70), &right));
    }

    #[test]
    fn a_result_of_few_entries_is_recorded_as_it_is() {
        for ([rows, inner, columns], relations, terms) in
            [([1, 1000, 1], 1, 1000), ([8, 5, 16], 128, 5), ([129, 5, 1], SUMS, 5), ([3, 2, 50], SUMS, 2)]
        {
            let pair = |len: usize| [vec![1; len], vec![2; len]];
            let product = Product {
                shape: Shape { rows, inner, columns },
                a: pair(rows * inner),
                b: pair(inner * columns),
                u: pair(rows * columns),
                f: vec![3; rows * columns],
            };
            let mut records = Records::default();
            product.reduce(&mut Stream::new(&[9; 32]), &mut records);
            assert_eq!((records.relations(), records.entries()), (relations, relations * terms));
            assert!(records.w.iter().all(|w| w.len() == relations));
            assert!(records.x.iter().chain(&records.y).all(|factors| factors.len() == relations * terms));
        }
    }
}
