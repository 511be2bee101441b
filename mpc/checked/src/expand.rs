//! Polynomials of degree one in each of a few variables: from their values at 0 and 1 to those at 0, 1 and infinity.
//!
//! A product of two of them has degree two in each variable, so its values on {0, 1, infinity}^d determine it; the value at
//! infinity is the leading coefficient (Toom and Karatsuba). Over bits this takes exclusive ors alone.

use zeroize::{Zeroize, Zeroizing};

use crate::field::Field;

/// Room for rows that are expanded, used again and again, and wiped once at its end.
pub(crate) struct Room<E: Zeroize> {
    from: Zeroizing<Vec<E>>,
    to: Zeroizing<Vec<E>>,
    dims: u32,
}

impl<E: Copy + Default + Zeroize> Room<E> {
    /// Room for polynomials of `dims` variables, in rows of at most `len` entries.
    pub(crate) fn new(dims: u32, len: usize) -> Self {
        let room = || Zeroizing::new(vec![E::default(); 3_usize.pow(dims) * len]);
        Self { from: room(), to: room(), dims }
    }

    /// Takes rows that stand for the points of {0, 1}^dims, each `len` entries long, and gives those for {0, 1, infinity}^dims.
    /// The digits of a row's number are its point's coordinates, the first variable the most significant; infinity is 2.
    pub(crate) fn expand<'a, F>(&mut self, field: &F, rows: impl Iterator<Item = &'a [E]>, len: usize) -> &[E]
    where
        F: Field<Element = E>,
        E: 'a,
    {
        for (to, row) in self.from.chunks_exact_mut(len).zip(rows) {
            to.copy_from_slice(row);
        }
        let mut count = len << self.dims;
        for level in 0..self.dims {
            let (inner, grown) = (len << (self.dims - 1 - level), count / 2 * 3);
            let groups = self.from[..count].chunks_exact(2 * inner);
            for (from, to) in groups.zip(self.to[..grown].chunks_exact_mut(3 * inner)) {
                let (low, high) = from.split_at(inner);
                let (same, infinity) = to.split_at_mut(2 * inner);
                same.copy_from_slice(from);
                field.difference(level, high, low, infinity);
            }
            std::mem::swap(&mut self.from, &mut self.to);
            count = grown;
        }
        &self.from[..count]
    }
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

/// Wipes a vector's elements before it is given back.
pub(crate) fn wipe<E: Zeroize>(vector: &mut Vec<E>) {
    vector.zeroize();
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
            assert_eq!(bases.len(), size);
            assert!(bases.iter().zip(&x).all(|(row, x)| field.reduced(wide[0][*row]) == *x));
        }
    }

    #[test]
    fn a_products_values_determine_it_in_both_fields() {
        products_follow(&Gf);
        products_follow(&Prime::draw_prime(&mut Stream::new(&[6; 32])));
    }
}
