//! Polynomials of degree one in each of a few variables: from their values at 0 and 1 to those at 0, 1 and infinity.
//!
//! A product of two of them has degree two in each variable, so its values on {0, 1, infinity}^d determine it; the value at
//! infinity is the leading coefficient (Toom and Karatsuba). Over bits this takes exclusive ors alone.

use base_vector::wide::wide;
use zeroize::DefaultIsZeroes;

use crate::field::Field;
use crate::wiped::Wiped;

/// A row that stands for a point with a coordinate at infinity: the difference of two rows.
struct Step {
    low: usize,
    high: usize,
    infinity: usize,
    level: u32,
}

/// Room for rows that are expanded, used again and again, and wiped once at its end. The rows of {0, 1}^dims are put where they
/// belong among those of {0, 1, infinity}^dims, so that nothing is moved while the others are computed.
pub(crate) struct Room<E: DefaultIsZeroes> {
    rows: Wiped<E>,
    bases: Vec<usize>,
    steps: Vec<Step>,
    count: usize,
}

impl<E: DefaultIsZeroes> Room<E> {
    /// Room for polynomials of `dims` variables, in rows of at most `len` entries.
    pub(crate) fn new(dims: u32, len: usize) -> Self {
        let count = 3_usize.pow(dims);
        Self { rows: Wiped::zeros(count * len), bases: bases(dims), steps: steps(dims), count }
    }

    /// Takes rows that stand for the points of {0, 1}^dims, each `len` entries long, and gives those for {0, 1, infinity}^dims.
    /// The digits of a row's number are its point's coordinates, the first variable the most significant; infinity is 2.
    pub(crate) fn expand<'a, F>(&mut self, field: &F, rows: impl Iterator<Item = &'a [E]>, len: usize) -> &[E]
    where
        F: Field<Element = E>,
        E: 'a,
    {
        for (base, row) in self.bases.iter().zip(rows) {
            self.rows[base * len..(base + 1) * len].copy_from_slice(row);
        }
        let (all, steps) = (&mut self.rows[..self.count * len], &self.steps);
        wide(
            #[inline(always)]
            || {
                for step in steps {
                    let (known, infinity) = all.split_at_mut(step.infinity * len);
                    let (low, high) = (&known[step.low * len..][..len], &known[step.high * len..][..len]);
                    field.difference(step.level, high, low, &mut infinity[..len]);
                }
            },
        );
        &self.rows[..self.count * len]
    }
}

/// How the rows at infinity follow, variable by variable.
fn steps(dims: u32) -> Vec<Step> {
    let (mut known, mut steps) = (bases(dims), Vec::new());
    for level in 0..dims {
        let stride = 3_usize.pow(dims - 1 - level);
        let lows: Vec<usize> = known.iter().copied().filter(|row| row / stride % 3 == 0).collect();
        for low in lows {
            let (high, infinity) = (low + stride, low + 2 * stride);
            known.push(infinity);
            steps.push(Step { low, high, infinity, level });
        }
    }
    steps
}

/// Numbers of the rows that {0, 1}^dims has among those of {0, 1, infinity}^dims, in order.
pub(crate) fn bases(dims: u32) -> Vec<usize> {
    (0..dims).rev().fold(vec![0], |rows, variable| {
        let step = 3_usize.pow(variable);
        rows.into_iter().flat_map(|row| [row, row + step]).collect()
    })
}

/// What the values at {0, 1}^d count for in the polynomial's value at `point`.
pub(crate) fn linear_weights<F: Field>(field: &F, point: &[F::Element]) -> Vec<F::Element> {
    weights(field, point, |r| vec![field.sub(field.one(), r), r])
}

/// What the values at {0, 1, infinity}^d of a polynomial of degree two in each variable count for in its value at `point`.
pub(crate) fn square_weights<F: Field>(field: &F, point: &[F::Element]) -> Vec<F::Element> {
    weights(field, point, |r| vec![field.sub(field.one(), r), r, field.sub(field.mul(r, r), r)])
}

fn weights<F: Field>(
    field: &F,
    point: &[F::Element],
    factors: impl Fn(F::Element) -> Vec<F::Element>,
) -> Vec<F::Element> {
    point.iter().fold(vec![field.one()], |so_far, r| {
        let factors = factors(*r);
        let times =
            |weight: F::Element| factors.iter().map(move |factor| field.mul(weight, *factor)).collect::<Vec<_>>();
        so_far.into_iter().flat_map(times).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gf::Gf;
    use crate::prime::Prime;
    use crate::stream::Stream;

    fn products_follow<F: Field>(field: &F) {
        let mut stream = Stream::new(&[5; 32]);
        for dims in 0..4 {
            let size = 1 << dims;
            let (x, y) = (field.draw_all(&mut stream, size), field.draw_all(&mut stream, size));
            let point = field.draw_all(&mut stream, dims as usize);
            let wide = [&x, &y].map(|row| Room::new(dims, 1).expand(field, row.chunks(1), 1).to_vec());
            let values: Vec<_> = wide[0]
                .iter()
                .zip(wide[1].iter())
                .map(|(x, y)| field.mul(field.reduced(*x), field.reduced(*y)))
                .collect();
            let linear = linear_weights(field, &point);
            let due = field.mul(field.inner(&linear, &x), field.inner(&linear, &y));
            assert!(field.inner(&square_weights(field, &point), &values) == due);
            let bases = bases(dims);
            assert_eq!((bases.len(), bases.len() + steps(dims).len()), (size, 3_usize.pow(dims)));
            assert!(bases.iter().zip(&x).all(|(row, x)| field.reduced(wide[0][*row]) == *x));
        }
    }

    #[test]
    fn a_products_values_determine_it_in_both_fields() {
        products_follow(&Gf);
        products_follow(&Prime::draw_prime(&mut Stream::new(&[6; 32])));
    }
}
