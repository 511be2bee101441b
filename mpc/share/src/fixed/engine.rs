//! What fixed-point functions ask of an engine: a few operations on vectors of secrets, each in the engine's own way.

use std::future::Future;

use mpc_core::Abort;

use crate::interval::Overflow;
use crate::{Arith, Bits, Bits64, Rep3, Words, Z64};

/// A vector of secret integers modulo 2^64, and what a party does to it alone.
pub trait Column: Clone + Send + Sync + 'static {
    /// A vector of the public value 0.
    fn zeros(len: usize) -> Self;

    /// How many secrets.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Element by element: the sum.
    #[must_use]
    fn add(&self, other: &Self) -> Self;

    /// Element by element: the difference.
    #[must_use]
    fn sub(&self, other: &Self) -> Self;

    /// Element by element: the product with a public value.
    #[must_use]
    fn scale(&self, by: u64) -> Self;
}

/// A vector of secret words of 64 bits, and what a party does to it alone: whatever is linear in the bits.
pub trait Planes: Clone + Send + Sync + 'static {
    /// How many words.
    fn count(&self) -> usize;

    /// A linear map of all words, which may move bits from word to word.
    #[must_use]
    fn map(&self, op: impl Fn(&[u64]) -> Vec<u64>) -> Self;

    /// Bit by bit: exclusive or.
    #[must_use]
    fn xor(&self, other: &Self) -> Self;
}

/// Factors of a product, borrowed.
pub type Factors<'a, I> = (&'a I, &'a I);

/// A party of an engine: all parties call the same methods in the same order with vectors of the same lengths. Every method that
/// sends ends with [`Abort`] when a peer is gone or misbehaves; nothing may be called afterwards.
pub trait Engine: Sized + Send + Sync + 'static {
    /// Secret integers modulo 2^64; signed ones are in two's complement.
    type Integers: Column;
    /// Secret words of bits, such as the bits of integers.
    type Words: Planes;
    /// Single secret bits.
    type Bits: Clone + Send + Sync + 'static;

    /// One public integer, `len` times.
    fn constant(&self, word: u64, len: usize) -> Self::Integers;

    /// Adds one public integer to every element.
    fn plus_public(&self, x: Self::Integers, word: u64) -> Self::Integers;

    /// A refused operation as an abort of this party.
    fn refuse(&self, overflow: Overflow) -> Abort;

    /// For every word: whether an odd number of the bits of `mask` is set.
    fn parities(words: &Self::Words, mask: u64) -> Self::Bits;

    /// Several products of vectors in one round.
    fn mul_many(
        &mut self,
        pairs: &[Factors<'_, Self::Integers>],
    ) -> impl Future<Output = Result<Vec<Self::Integers>, Abort>> + Send;

    /// The sum of products of vectors, element by element. One round.
    fn dot(
        &mut self,
        pairs: &[Factors<'_, Self::Integers>],
    ) -> impl Future<Output = Result<Self::Integers, Abort>> + Send;

    /// The product of an `n × m` and an `m × k` matrix, both row by row, for `[n, m, k]`.
    fn matmul(
        &mut self,
        x: &Self::Integers,
        y: &Self::Integers,
        size: [usize; 3],
    ) -> impl Future<Output = Result<Self::Integers, Abort>> + Send;

    /// `x / 2^by`, rounded down or one unit more, for signed integers from -2^62 to 2^62 - 1 and `by` from 1 to
    /// [`crate::MOST_PLACES`].
    fn truncate(&mut self, x: &Self::Integers, by: u32) -> impl Future<Output = Result<Self::Integers, Abort>> + Send;

    /// Whether `x < y`, as signed integers whose difference is one of 64 bits too.
    fn less(
        &mut self,
        x: &Self::Integers,
        y: &Self::Integers,
    ) -> impl Future<Output = Result<Self::Bits, Abort>> + Send;

    /// `x` where the bit is 1, else 0.
    fn select(
        &mut self,
        bits: &Self::Bits,
        x: &Self::Integers,
    ) -> impl Future<Output = Result<Self::Integers, Abort>> + Send;

    /// Several vectors of bits as integers 0 and 1, at once.
    fn integers_of(
        &mut self,
        columns: &[&Self::Bits],
    ) -> impl Future<Output = Result<Vec<Self::Integers>, Abort>> + Send;

    /// The bits of integers, a word each.
    fn to_bits(&mut self, x: &Self::Integers) -> impl Future<Output = Result<Self::Words, Abort>> + Send;

    /// Bit by bit: the conjunction. One round.
    fn and(&mut self, x: &Self::Words, y: &Self::Words) -> impl Future<Output = Result<Self::Words, Abort>> + Send;

    /// Element by element: the product. One round.
    fn product(
        &mut self,
        x: &Self::Integers,
        y: &Self::Integers,
    ) -> impl Future<Output = Result<Self::Integers, Abort>> + Send {
        let pair = [(x, y)];
        async move {
            let mut products = self.mul_many(&pair).await?;
            Ok(products.pop().unwrap_or_else(|| Self::Integers::zeros(0)))
        }
    }
}

impl Column for Arith {
    fn zeros(len: usize) -> Self {
        Self::zeros(len)
    }

    fn len(&self) -> usize {
        self.own.len()
    }

    fn add(&self, other: &Self) -> Self {
        self.view().plus(other.view())
    }

    fn sub(&self, other: &Self) -> Self {
        self.view().minus(other.view())
    }

    fn scale(&self, by: u64) -> Self {
        self.each(|x| x.wrapping_mul(by))
    }
}

impl Planes for Words {
    fn count(&self) -> usize {
        self.own.len()
    }

    fn map(&self, op: impl Fn(&[u64]) -> Vec<u64>) -> Self {
        Self::new(op(&self.own), op(&self.next))
    }

    fn xor(&self, other: &Self) -> Self {
        self.view().plus(other.view())
    }
}

impl Engine for Rep3 {
    type Integers = Arith;
    type Words = Words;
    type Bits = Bits;

    fn constant(&self, word: u64, len: usize) -> Arith {
        Self::constant::<Z64>(self, word, len)
    }

    fn plus_public(&self, x: Arith, word: u64) -> Arith {
        Self::plus_public::<Z64>(self, x, word)
    }

    fn refuse(&self, overflow: Overflow) -> Abort {
        Self::refuse(self, overflow)
    }

    fn parities(words: &Words, mask: u64) -> Bits {
        if mask.is_power_of_two() { Bits::of_words(words, mask.trailing_zeros()) } else { Bits::parities(words, mask) }
    }

    async fn mul_many(&mut self, pairs: &[Factors<'_, Arith>]) -> Result<Vec<Arith>, Abort> {
        let views: Vec<_> = pairs.iter().map(|(x, y)| (x.view(), y.view())).collect();
        Self::mul_many::<Z64>(self, &views).await
    }

    async fn dot(&mut self, pairs: &[Factors<'_, Arith>]) -> Result<Arith, Abort> {
        let views: Vec<_> = pairs.iter().map(|(x, y)| (x.view(), y.view())).collect();
        let mut sums = self.dot_many::<Z64>(&[&views]).await?;
        Ok(sums.pop().unwrap_or_else(|| Arith::zeros(0)))
    }

    async fn matmul(&mut self, x: &Arith, y: &Arith, size: [usize; 3]) -> Result<Arith, Abort> {
        Self::matmul(self, x, y, size).await
    }

    async fn truncate(&mut self, x: &Arith, by: u32) -> Result<Arith, Abort> {
        Self::truncate(self, x, by).await
    }

    async fn less(&mut self, x: &Arith, y: &Arith) -> Result<Bits, Abort> {
        self.less_than(x, y).await
    }

    async fn select(&mut self, bits: &Bits, x: &Arith) -> Result<Arith, Abort> {
        let keep = self.to_integers(bits).await?;
        self.mul(&keep, x).await
    }

    async fn integers_of(&mut self, columns: &[&Bits]) -> Result<Vec<Arith>, Abort> {
        self.to_integers_many(columns).await
    }

    async fn to_bits(&mut self, x: &Arith) -> Result<Words, Abort> {
        Self::to_bits(self, x.view()).await
    }

    async fn and(&mut self, x: &Words, y: &Words) -> Result<Words, Abort> {
        self.mul::<Bits64>(x, y).await
    }
}
