//! One party's shares: words that add up to the secrets, and bits whose exclusive or they are.

use std::ops::Range;

use zeroize::Zeroize;

use crate::bits::clear_tail;

/// Bits of a word.
pub(crate) const WORD: usize = 64;

/// One party's additive shares of a vector modulo 2^64, wiped when dropped.
#[derive(Clone)]
pub struct Additive {
    words: Vec<u64>,
}

/// One party's exclusive-or shares of a vector of bits, 64 a word: element `i` is bit `i % 64` of word `i / 64`. Wiped
/// when dropped.
#[derive(Clone)]
pub struct BitShares {
    words: Vec<u64>,
    len: usize,
}

impl Drop for Additive {
    fn drop(&mut self) {
        self.words.zeroize();
    }
}

impl Drop for BitShares {
    fn drop(&mut self) {
        self.words.zeroize();
    }
}

impl Additive {
    /// The words are this party's shares, such as another protocol left them; the peer's are what they add up to the
    /// secrets with.
    pub fn of(words: Vec<u64>) -> Self {
        Self { words }
    }

    /// This party's shares.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// A vector of the public value 0.
    pub fn zeros(len: usize) -> Self {
        Self::of(vec![0; len])
    }

    /// How many secrets.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    fn zip(&self, other: &Self, op: impl Fn(u64, u64) -> u64) -> Self {
        assert_eq!(self.len(), other.len(), "vectors of one length");
        Self::of(self.words.iter().zip(&other.words).map(|(x, y)| op(*x, *y)).collect())
    }

    /// Element by element: the sum.
    ///
    /// # Panics
    /// When the lengths differ; so do all operations of two vectors here.
    #[must_use]
    pub fn add(&self, other: &Self) -> Self {
        self.zip(other, u64::wrapping_add)
    }

    /// Element by element: the difference.
    #[must_use]
    pub fn sub(&self, other: &Self) -> Self {
        self.zip(other, u64::wrapping_sub)
    }

    /// Element by element: the product with a public value.
    #[must_use]
    pub fn scale(&self, by: u64) -> Self {
        Self::of(self.words.iter().map(|x| x.wrapping_mul(by)).collect())
    }

    /// The sum of all elements, a vector of length 1.
    #[must_use]
    pub fn sum(&self) -> Self {
        Self::of(vec![self.words.iter().fold(0, |sum, x| sum.wrapping_add(*x))])
    }

    /// A run of elements.
    #[must_use]
    pub fn range(&self, range: Range<usize>) -> Self {
        Self::of(self.words[range].to_vec())
    }

    /// Running sums, each including its own element.
    #[must_use]
    pub fn prefix_sums(&self) -> Self {
        let add = |sum: &mut u64, x: &u64| {
            *sum = sum.wrapping_add(*x);
            Some(*sum)
        };
        Self::of(self.words.iter().scan(0, add).collect())
    }

    /// The last element, as often as there are elements.
    pub(crate) fn last_repeated(&self) -> Self {
        Self::of(vec![self.words.last().copied().unwrap_or_default(); self.len()])
    }

    /// The elements at the places.
    pub(crate) fn picked(&self, places: impl Iterator<Item = usize>) -> Self {
        Self::of(places.map(|place| self.words[place]).collect())
    }

    /// One vector after the other.
    pub fn concat<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Self {
        let parts: Vec<&[u64]> = parts.into_iter().map(Self::words).collect();
        Self::of(parts.concat())
    }
}

impl BitShares {
    /// The words are this party's shares of `len` bits; bits behind the last are cleared.
    ///
    /// # Panics
    /// When there are not as many words as `len` bits take.
    pub fn of(mut words: Vec<u64>, len: usize) -> Self {
        assert_eq!(words.len(), len.div_ceil(WORD), "64 bits a word");
        clear_tail(&mut words, len);
        Self { words, len }
    }

    /// This party's shares, 64 a word.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// How many secrets.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// This party's share of element `at`.
    ///
    /// # Panics
    /// When there is no such element.
    pub fn get(&self, at: usize) -> bool {
        assert!(at < self.len, "element {at} of {}", self.len);
        (self.words[at / WORD] >> (at % WORD)) & 1 == 1
    }

    /// The elements at the places.
    pub(crate) fn picked(&self, places: impl ExactSizeIterator<Item = usize>) -> Self {
        let len = places.len();
        let mut words = vec![0; len.div_ceil(WORD)];
        for (at, place) in places.enumerate() {
            words[at / WORD] |= u64::from(self.get(place)) << (at % WORD);
        }
        Self { words, len }
    }

    /// Element by element: exclusive or.
    ///
    /// # Panics
    /// When the lengths differ.
    #[must_use]
    pub fn xor(&self, other: &Self) -> Self {
        assert_eq!(self.len, other.len, "vectors of one length");
        Self { words: self.words.iter().zip(&other.words).map(|(x, y)| x ^ y).collect(), len: self.len }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_steps_are_those_of_the_ring() {
        let (x, y) = (Additive::of(vec![1, u64::MAX, 1 << 63]), Additive::of(vec![5, 2, 1 << 63]));
        assert_eq!(x.add(&y).words(), [6, 1, 0]);
        assert_eq!(x.sub(&y).words(), [u64::MAX - 3, u64::MAX - 2, 0]);
        assert_eq!(x.scale(2).words(), [2, u64::MAX - 1, 0]);
        assert_eq!(x.sum().words(), [1 << 63]);
        assert_eq!(Additive::concat([&x.range(1..2), &y]).words(), [u64::MAX, 5, 2, 1 << 63]);
        let all = Additive::of(vec![7, u64::MAX, 3]);
        assert_eq!((all.prefix_sums().words(), all.last_repeated().words()), (&[7, 6, 9][..], &[3, 3, 3][..]));
        assert_eq!(all.picked([2, 0].into_iter()).words(), [3, 7]);
        assert!(Additive::zeros(0).is_empty() && Additive::zeros(0).sum().words() == [0]);
    }

    #[test]
    fn bits_behind_the_last_are_cleared() {
        let bits = BitShares::of(vec![u64::MAX, u64::MAX], 65);
        assert_eq!((bits.words(), bits.len(), bits.get(64)), (&[u64::MAX, 1][..], 65, true));
        assert_eq!(bits.xor(&bits).words(), [0, 0]);
        assert_eq!(BitShares::of(vec![0b100], 3).picked([2, 1, 2].into_iter()).words(), [0b101]);
        assert!(BitShares::of(Vec::new(), 0).is_empty());
    }
}
