//! A vector of secrets as one party holds it, and what a party can do to it alone.

use std::marker::PhantomData;
use std::ops::Range;

use base_vector::wide::wide;
use zeroize::Zeroize;

use crate::{Bits64, Ring, Z64};

/// This party's two of three components of every secret in a vector: `own` is `x_i`, `next` is `x_{i+1}`.
pub struct Shared<R: Ring> {
    pub(crate) own: Vec<u64>,
    pub(crate) next: Vec<u64>,
    ring: PhantomData<fn() -> R>,
}

/// Secret integers modulo 2^64.
pub type Arith = Shared<Z64>;
/// Secret words of bits.
pub type Words = Shared<Bits64>;

/// A borrowed run of secrets, so that shifted and partial vectors are multiplied without a copy.
pub struct View<'a, R: Ring> {
    pub(crate) own: &'a [u64],
    pub(crate) next: &'a [u64],
    ring: PhantomData<fn() -> R>,
}

impl<R: Ring> Clone for View<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<R: Ring> Copy for View<'_, R> {}

impl<R: Ring> Drop for Shared<R> {
    fn drop(&mut self) {
        self.own.as_mut_slice().zeroize();
        self.next.as_mut_slice().zeroize();
    }
}

impl<R: Ring> Clone for Shared<R> {
    fn clone(&self) -> Self {
        Self::new(self.own.clone(), self.next.clone())
    }
}

pub(crate) fn zip(x: &[u64], y: &[u64], op: impl Fn(u64, u64) -> u64) -> Vec<u64> {
    x.iter().zip(y).map(|(x, y)| op(*x, *y)).collect()
}

impl<R: Ring> Shared<R> {
    pub(crate) fn new(own: Vec<u64>, next: Vec<u64>) -> Self {
        assert_eq!(own.len(), next.len(), "both components have one length");
        Self { own, next, ring: PhantomData }
    }

    /// A vector of the public value 0.
    pub fn zeros(len: usize) -> Self {
        Self::new(vec![0; len], vec![0; len])
    }

    /// An empty vector with room for `len` secrets: a vector that never grows leaves no copy behind.
    pub(crate) fn with_capacity(len: usize) -> Self {
        Self::new(Vec::with_capacity(len), Vec::with_capacity(len))
    }

    /// How many secrets.
    pub fn len(&self) -> usize {
        self.own.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.own.is_empty()
    }

    /// All of it, borrowed.
    pub fn view(&self) -> View<'_, R> {
        self.range(0..self.len())
    }

    /// A run of it, borrowed.
    pub fn range(&self, range: Range<usize>) -> View<'_, R> {
        View { own: &self.own[range.clone()], next: &self.next[range], ring: PhantomData }
    }

    /// Word by word: what acts on each component alone.
    pub(crate) fn each(&self, op: impl Fn(u64) -> u64) -> Self {
        let map = |words: &[u64]| words.iter().map(|x| op(*x)).collect();
        Self::new(map(&self.own), map(&self.next))
    }

    /// Word by word of two vectors: what acts on each component alone.
    pub(crate) fn both(&self, other: &Self, op: impl Fn(u64, u64) -> u64) -> Self {
        Self::new(zip(&self.own, &other.own, &op), zip(&self.next, &other.next, &op))
    }

    /// Element by element: the sum.
    #[must_use]
    pub fn add(&self, other: &Self) -> Self {
        self.view().plus(other.view())
    }

    /// Element by element: the difference.
    #[must_use]
    pub fn sub(&self, other: &Self) -> Self {
        self.view().minus(other.view())
    }

    /// Adds `other` to the run that starts at `at`.
    pub fn add_at(&mut self, at: usize, other: &Self) {
        for (mine, theirs) in [(&mut self.own, &other.own), (&mut self.next, &other.next)] {
            mine[at..].iter_mut().zip(theirs).for_each(|(x, y)| *x = R::add(*x, *y));
        }
    }

    /// Word by word, in place: what acts on each component and on that of an equally long vector alone.
    pub fn update(&mut self, other: View<'_, R>, op: impl Fn(u64, u64) -> u64) {
        for (mine, theirs) in [(&mut self.own, other.own), (&mut self.next, other.next)] {
            wide(|| mine.iter_mut().zip(theirs).for_each(|(x, y)| *x = op(*x, *y)));
        }
    }

    /// Element by element: the product with a public value.
    #[must_use]
    pub fn scale(&self, by: u64) -> Self {
        self.each(|x| R::mul(x, by))
    }

    /// One vector after the other.
    pub fn concat<'a>(parts: impl IntoIterator<Item = View<'a, R>>) -> Self {
        let parts: Vec<View<'a, R>> = parts.into_iter().collect();
        let mut out = Self::with_capacity(parts.iter().map(|part| part.len()).sum());
        for part in parts {
            out.own.extend_from_slice(part.own);
            out.next.extend_from_slice(part.next);
        }
        out
    }

    /// Pieces of `len` each; the inverse of [`Shared::concat`] of equally long parts. Nothing when `len` is 0.
    pub fn pieces(&self, len: usize) -> Vec<Self> {
        let whole = if len == 0 { 0 } else { self.len() / len };
        (0..whole).map(|piece| self.range(piece * len..(piece + 1) * len).to_shared()).collect()
    }

    /// The vector `times` times.
    #[must_use]
    pub fn repeat(&self, times: usize) -> Self {
        Self::new(self.own.repeat(times), self.next.repeat(times))
    }

    /// Moves the element at `j` to `to[j]`.
    #[must_use]
    pub fn permuted(&self, to: &[u32]) -> Self {
        Self::new(permuted(&self.own, to), permuted(&self.next, to))
    }
}

impl<'a, R: Ring> View<'a, R> {
    pub(crate) fn new(own: &'a [u64], next: &'a [u64]) -> Self {
        assert_eq!(own.len(), next.len(), "both components have one length");
        Self { own, next, ring: PhantomData }
    }

    /// How many secrets.
    pub fn len(self) -> usize {
        self.own.len()
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.own.is_empty()
    }

    /// A run of it.
    #[must_use]
    pub fn range(self, range: Range<usize>) -> Self {
        Self { own: &self.own[range.clone()], next: &self.next[range], ring: PhantomData }
    }

    /// A copy.
    pub fn to_shared(self) -> Shared<R> {
        Shared::new(self.own.to_vec(), self.next.to_vec())
    }

    /// Element by element: the sum.
    pub fn plus(self, other: View<'a, R>) -> Shared<R> {
        Shared::new(zip(self.own, other.own, R::add), zip(self.next, other.next, R::add))
    }

    /// Element by element: the difference.
    pub fn minus(self, other: View<'a, R>) -> Shared<R> {
        Shared::new(zip(self.own, other.own, R::sub), zip(self.next, other.next, R::sub))
    }
}

impl Arith {
    /// Running sums, each including its own element.
    #[must_use]
    pub fn prefix_sums(&self) -> Self {
        let run = |words: &[u64]| {
            let add = |sum: &mut u64, x: &u64| {
                *sum = sum.wrapping_add(*x);
                Some(*sum)
            };
            words.iter().scan(0, add).collect()
        };
        Self::new(run(&self.own), run(&self.next))
    }
}

impl Words {
    /// Every word shifted towards its high end; zeros come in.
    #[must_use]
    pub fn shl(&self, by: u32) -> Self {
        self.each(|x| x << by)
    }

    /// Every word shifted towards its low end; zeros come in.
    #[must_use]
    pub fn shr(&self, by: u32) -> Self {
        self.each(|x| x >> by)
    }

    /// Bit `at` of every word, copied to all 64 places.
    #[must_use]
    pub fn spread(&self, at: u32) -> Self {
        self.each(|x| (x >> at & 1).wrapping_neg())
    }
}

pub(crate) fn permuted(words: &[u64], to: &[u32]) -> Vec<u64> {
    let mut out = vec![0; words.len()];
    for (word, place) in words.iter().zip(to) {
        out[*place as usize] = *word;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_steps_act_on_both_components() {
        let x = Arith::new(vec![1, 2, u64::MAX], vec![4, 5, 6]);
        let sums = x.prefix_sums();
        assert_eq!((sums.own.as_slice(), sums.next.as_slice()), (&[1, 3, 2][..], &[4, 9, 15][..]));
        assert_eq!(x.permuted(&[2, 0, 1]).next, [5, 6, 4]);
        assert_eq!(x.sub(&x).own, [0; 3]);
        assert_eq!(Shared::concat([x.view(), x.range(1..2)]).next, [4, 5, 6, 5]);
        assert_eq!(x.repeat(2).pieces(3)[1].own, x.own);
        let mut y = x.clone();
        y.add_at(1, &Arith::new(vec![7], vec![8]));
        assert_eq!((y.own[1], y.next[1], y.own[0]), (9, 13, 1));
        y.update(x.view(), |y, x| y ^ (x << 1));
        assert_eq!((y.own[0], y.next[2]), (3, 10));
        assert_eq!(View::<Z64>::new(&x.own, &x.next).minus(x.view()).next, [0; 3]);
    }

    #[test]
    fn a_spread_bit_is_a_mask() {
        let x = Words::new(vec![0b10, 1 << 63], vec![0, u64::MAX]);
        assert_eq!(x.spread(1).own, [u64::MAX, 0]);
        assert_eq!(x.spread(63).next, [0, u64::MAX]);
        assert_eq!(x.shl(1).own, [0b100, 0]);
        assert_eq!(x.shr(63).own, [0, 1]);
    }
}
