//! What the three-party engines have in common: a few operations that each has its own way of, and once what follows from them.

use std::future::Future;

use mpc_core::Abort;

use crate::{Arith, Bits64, Carried, Rep3, View, Words, Z64, divide, order, scan, sort};

/// Factors of products of integers, borrowed.
pub type Integers<'a> = (View<'a, Z64>, View<'a, Z64>);
/// Factors of conjunctions of words of bits, borrowed.
pub type Masks<'a> = (View<'a, Bits64>, View<'a, Bits64>);

/// A party of replicated sharing over [`Arith`] and [`Words`], in any engine: all call the same methods in the same order with
/// vectors of the same lengths. Every method that sends ends with [`Abort`] when a peer is gone or misbehaves; nothing may be
/// called afterwards. Rounds are those of [`Rep3`]; an engine that checks adds those of its checks.
pub trait Replicated: Sized + Send + Sync + 'static {
    /// One public integer, `len` times.
    fn integers(&self, word: u64, len: usize) -> Arith;

    /// One public word of bits, `len` times.
    fn words(&self, word: u64, len: usize) -> Words;

    /// Several products of vectors in one round.
    fn mul_many(&mut self, pairs: &[Integers<'_>]) -> impl Future<Output = Result<Vec<Arith>, Abort>> + Send;

    /// Several conjunctions of vectors, bit by bit, in one round.
    fn and_many(&mut self, pairs: &[Masks<'_>]) -> impl Future<Output = Result<Vec<Words>, Abort>> + Send;

    /// As [`Replicated::and_many`], all conjunctions in one vector, one after the other: which spares a copy of each.
    fn and_joined(&mut self, pairs: &[Masks<'_>]) -> impl Future<Output = Result<Words, Abort>> + Send;

    /// The sum of products of vectors, element by element. One round.
    fn dot(&mut self, pairs: &[Integers<'_>]) -> impl Future<Output = Result<Arith, Abort>> + Send;

    /// The exclusive or of conjunctions of vectors, bit by bit. One round.
    fn dot_words(&mut self, pairs: &[Masks<'_>]) -> impl Future<Output = Result<Words, Abort>> + Send;

    /// The bits of integers. Seven rounds, or eight.
    fn to_bits(&mut self, x: &Arith) -> impl Future<Output = Result<Words, Abort>> + Send;

    /// `x - y` modulo 2^64, and in bit 0 of the second vector whether `x < y` as unsigned numbers. Seven rounds.
    fn sub_words(&mut self, x: &Words, y: &Words) -> impl Future<Output = Result<(Words, Words), Abort>> + Send;

    /// Whether `x < y`, as integers 0 and 1, for signed numbers that are less than 2^63 apart. Nine rounds.
    fn less_integers(&mut self, x: &Arith, y: &Arith) -> impl Future<Output = Result<Arith, Abort>> + Send;

    /// Moves row `j` of equally long columns to the secret place `to[j]`; ends with [`Abort`] too when `to` is no permutation.
    /// Four rounds.
    fn scatter(&mut self, columns: Vec<Arith>, to: Arith) -> impl Future<Output = Result<Vec<Arith>, Abort>> + Send;

    /// The negation of bits that are integers 0 and 1: `1 - x`.
    fn not(&self, x: &Arith) -> Arith {
        self.integers(1, x.len()).sub(x)
    }

    /// Every bit turned over.
    fn complement(&self, x: &Words) -> Words {
        x.add(&self.words(u64::MAX, x.len()))
    }

    /// Bit by bit: the conjunction. One round.
    fn and(&mut self, x: &Words, y: &Words) -> impl Future<Output = Result<Words, Abort>> + Send {
        let pair = [(x.view(), y.view())];
        async move { Ok(self.and_many(&pair).await?.pop().unwrap_or_else(|| Words::zeros(0))) }
    }

    /// Bit by bit: `x` where the mask is 1, else `y`. One round.
    fn select(&mut self, mask: &Words, x: &Words, y: &Words) -> impl Future<Output = Result<Words, Abort>> + Send {
        let differ = x.add(y);
        async move { Ok(self.and(mask, &differ).await?.add(y)) }
    }

    /// `-x` modulo 2^64 where the mask is all ones, `x` where it is all zeros. Seven rounds.
    fn negate_where(&mut self, mask: &Words, x: &Words) -> impl Future<Output = Result<Words, Abort>> + Send {
        let turned = x.add(mask);
        async move { Ok(self.sub_words(&turned, mask).await?.0) }
    }

    /// Several vectors of integers at once, each to its bits. As many rounds as for one.
    fn to_bits_many(&mut self, columns: &[&Arith]) -> impl Future<Output = Result<Vec<Words>, Abort>> + Send {
        let all = Arith::concat(columns.iter().map(|column| column.view()));
        async move {
            let bits = self.to_bits(&all).await?;
            let mut at = 0;
            let piece = |column: &&Arith| {
                at += column.len();
                bits.range(at - column.len()..at).to_shared()
            };
            Ok(columns.iter().map(piece).collect())
        }
    }

    /// `dividend / divisor`, rounded down. The divisor is an integer between 1 and 2^60. For any other divisor (0 too) the
    /// quotient is meaningless, and nothing is learnt from it. 136 rounds, whatever the length of the vectors.
    fn divide(&mut self, dividend: &Words, divisor: &Arith) -> impl Future<Output = Result<Words, Abort>> + Send {
        divide::divide(self, dividend, divisor)
    }

    /// Sorts the rows of equally long columns by the columns named in `key`, most significant first; rows with equal keys keep
    /// their order. Nine rounds for every five bits.
    ///
    /// The named columns must hold integers 0 and 1: where a party may deviate, a caller whose columns follow from inputs proves
    /// that before. With others the destinations are no permutation, and what is opened of them may tell something.
    fn sort(&mut self, columns: Vec<Arith>, key: &[usize]) -> impl Future<Output = Result<Vec<Arith>, Abort>> + Send {
        sort::sort(self, columns, key)
    }

    /// Moves the rows whose `valid` is 1 (an integer 0 or 1) before the others; both keep their order. Five rounds. What is said of a
    /// sort's key holds of `valid`.
    fn compact(
        &mut self,
        columns: Vec<Arith>,
        valid: &Arith,
    ) -> impl Future<Output = Result<Vec<Arith>, Abort>> + Send {
        sort::compact(self, columns, valid)
    }

    /// For every element: what is carried from the start of its segment to it, itself included. `same` is an integer 0 or
    /// 1 for every element: whether it belongs to the segment of the element before it (the first one's is not looked at). Two rounds
    /// for each doubling of the length, for [`Carried::Max`] 22.
    fn scan(
        &mut self,
        what: Carried,
        same: &Arith,
        values: &Arith,
    ) -> impl Future<Output = Result<Arith, Abort>> + Send {
        scan::scan(self, what, same, values)
    }

    /// Of equally long columns, row by row: the largest value and the number of the first column that has it, by a tournament; ends
    /// with [`Abort`] on this party's account when there is no column. Ten rounds a level, `log2` of the number of columns levels.
    fn argmax(&mut self, columns: &[&Arith]) -> impl Future<Output = Result<(Arith, Arith), Abort>> + Send {
        order::argmax(self, columns)
    }
}

impl Replicated for Rep3 {
    fn integers(&self, word: u64, len: usize) -> Arith {
        self.constant::<Z64>(word, len)
    }

    fn words(&self, word: u64, len: usize) -> Words {
        self.constant::<Bits64>(word, len)
    }

    async fn mul_many(&mut self, pairs: &[Integers<'_>]) -> Result<Vec<Arith>, Abort> {
        Self::mul_many::<Z64>(self, pairs).await
    }

    async fn and_many(&mut self, pairs: &[Masks<'_>]) -> Result<Vec<Words>, Abort> {
        Self::mul_many::<Bits64>(self, pairs).await
    }

    async fn and_joined(&mut self, pairs: &[Masks<'_>]) -> Result<Words, Abort> {
        let sums: Vec<_> = pairs.chunks(1).collect();
        self.dot_joined::<Bits64>(&sums).await
    }

    async fn dot(&mut self, pairs: &[Integers<'_>]) -> Result<Arith, Abort> {
        let mut out = self.dot_many::<Z64>(&[pairs]).await?;
        Ok(out.pop().unwrap_or_else(|| Arith::zeros(0)))
    }

    async fn dot_words(&mut self, pairs: &[Masks<'_>]) -> Result<Words, Abort> {
        let mut out = self.dot_many::<Bits64>(&[pairs]).await?;
        Ok(out.pop().unwrap_or_else(|| Words::zeros(0)))
    }

    async fn to_bits(&mut self, x: &Arith) -> Result<Words, Abort> {
        Self::to_bits(self, x.view()).await
    }

    async fn sub_words(&mut self, x: &Words, y: &Words) -> Result<(Words, Words), Abort> {
        Self::sub_words(self, x, y).await
    }

    async fn less_integers(&mut self, x: &Arith, y: &Arith) -> Result<Arith, Abort> {
        let less = self.less_than(x, y).await?;
        self.to_integers(&less).await
    }

    async fn scatter(&mut self, columns: Vec<Arith>, to: Arith) -> Result<Vec<Arith>, Abort> {
        Self::scatter::<Z64>(self, columns, to).await
    }
}
