//! What the engine asks of secret sharing: the operations on three-party shares that a star takes, for either tier.

use std::future::Future;

use mpc_checked::Checked;
use mpc_core::{Abort, Context};
use mpc_share::{Arith, Bits64, Rep3, View, Words, Z64};

/// Factors of products of integers, borrowed.
pub type Integers<'a> = (View<'a, Z64>, View<'a, Z64>);
/// Factors of conjunctions of words of bits, borrowed.
pub type Masks<'a> = (View<'a, Bits64>, View<'a, Bits64>);

/// A party of a three-party scheme over [`Arith`] and [`Words`]: all call the same methods in the same order with vectors of
/// the same lengths. Every method that sends ends with [`Abort`] when a peer is gone or misbehaves; nothing may be called
/// afterwards.
pub trait Scheme: Sized + Send + Sync + 'static {
    /// Whether a party may deviate: then what owners put in is checked on the shares before anything depends on it.
    const DEVIATES: bool;

    /// Forks the session and agrees on the streams' seeds. Three rounds.
    fn setup(ctx: &mut Context) -> impl Future<Output = Result<Self, Abort>> + Send;

    /// This party's number, from 0 to 2.
    fn me(&self) -> usize;

    /// Names the step that an abort from here on reports.
    fn enter(&mut self, step: &'static str);

    /// Shares every party's words: `counts` says how many each puts in, `mine` are this party's. One vector a party.
    fn input(&mut self, counts: [usize; 3], mine: &[u64]) -> impl Future<Output = Result<[Arith; 3], Abort>> + Send;

    /// One public integer, `len` times.
    fn integers(&self, word: u64, len: usize) -> Arith;

    /// One public word of bits, `len` times.
    fn words(&self, word: u64, len: usize) -> Words;

    /// The negation of bits that are integers 0 and 1: `1 - x`.
    fn not(&self, x: &Arith) -> Arith;

    /// Every bit turned over.
    fn complement(&self, x: &Words) -> Words;

    /// Element by element: the product.
    fn mul(&mut self, x: &Arith, y: &Arith) -> impl Future<Output = Result<Arith, Abort>> + Send;

    /// Several products of vectors in one round.
    fn mul_many(&mut self, pairs: &[Integers<'_>]) -> impl Future<Output = Result<Vec<Arith>, Abort>> + Send;

    /// Several conjunctions of vectors, bit by bit, in one round.
    fn and_many(&mut self, pairs: &[Masks<'_>]) -> impl Future<Output = Result<Vec<Words>, Abort>> + Send;

    /// Whether `x < y`, as integers 0 and 1, for signed numbers that are less than 2^63 apart.
    fn less(&mut self, x: &Arith, y: &Arith) -> impl Future<Output = Result<Arith, Abort>> + Send;

    /// Bit by bit: `x` where the mask is 1, else `y`.
    fn select(&mut self, mask: &Words, x: &Words, y: &Words) -> impl Future<Output = Result<Words, Abort>> + Send;

    /// `-x` modulo 2^64 where the mask is all ones, `x` where it is all zeros.
    fn negate_where(&mut self, mask: &Words, x: &Words) -> impl Future<Output = Result<Words, Abort>> + Send;

    /// `dividend / divisor` rounded down, the divisor from 1 to 2^60; for any other divisor the quotient is meaningless.
    fn divide(&mut self, dividend: &Words, divisor: &Arith) -> impl Future<Output = Result<Words, Abort>> + Send;

    /// Several vectors of integers, each to its bits.
    fn to_bits_many(&mut self, columns: &[&Arith]) -> impl Future<Output = Result<Vec<Words>, Abort>> + Send;

    /// Sorts rows stably by the columns of bits (integers 0 and 1) that `key` names, most significant first.
    fn sort(&mut self, columns: Vec<Arith>, key: &[usize]) -> impl Future<Output = Result<Vec<Arith>, Abort>> + Send;

    /// Puts rows into a uniformly random order that no party knows.
    fn shuffle(&mut self, columns: Vec<Arith>) -> impl Future<Output = Result<Vec<Arith>, Abort>> + Send;

    /// Opens integers to all; they must follow from public values, or be granted.
    fn open(&mut self, x: &Arith) -> impl Future<Output = Result<Vec<u64>, Abort>> + Send;

    /// Reveals words of bits to one party: `Some` there, `None` at the others.
    fn reveal(&mut self, x: &Words, to: usize) -> impl Future<Output = Result<Option<Vec<u64>>, Abort>> + Send;
}

/// The comparison of tier B: bits, packed, then integers.
async fn less_of_bits(party: &mut Rep3, x: &Arith, y: &Arith) -> Result<Arith, Abort> {
    let less = party.less_than(x, y).await?;
    party.to_integers(&less).await
}

/// The comparison of tier B+: words with the bit in place 0, then integers.
async fn less_of_words(party: &mut Checked, x: &Arith, y: &Arith) -> Result<Arith, Abort> {
    let less = Checked::less(party, x, y).await?;
    party.bit_to_integer(&less).await
}

/// Hands every method to the party's own of that name, and comparisons to `less`.
macro_rules! scheme {
    ($party:ty, $deviates:literal, $less:ident) => {
        impl Scheme for $party {
            const DEVIATES: bool = $deviates;

            async fn setup(ctx: &mut Context) -> Result<Self, Abort> {
                <$party>::setup(ctx).await
            }

            fn me(&self) -> usize {
                <$party>::me(self)
            }

            fn enter(&mut self, step: &'static str) {
                <$party>::enter(self, step);
            }

            async fn input(&mut self, counts: [usize; 3], mine: &[u64]) -> Result<[Arith; 3], Abort> {
                <$party>::input::<Z64>(self, counts, mine).await
            }

            fn integers(&self, word: u64, len: usize) -> Arith {
                self.constant::<Z64>(word, len)
            }

            fn words(&self, word: u64, len: usize) -> Words {
                self.constant::<Bits64>(word, len)
            }

            fn not(&self, x: &Arith) -> Arith {
                <$party>::not(self, x)
            }

            fn complement(&self, x: &Words) -> Words {
                <$party>::complement(self, x)
            }

            async fn mul(&mut self, x: &Arith, y: &Arith) -> Result<Arith, Abort> {
                <$party>::mul::<Z64>(self, x, y).await
            }

            async fn mul_many(&mut self, pairs: &[Integers<'_>]) -> Result<Vec<Arith>, Abort> {
                <$party>::mul_many::<Z64>(self, pairs).await
            }

            async fn and_many(&mut self, pairs: &[Masks<'_>]) -> Result<Vec<Words>, Abort> {
                <$party>::mul_many::<Bits64>(self, pairs).await
            }

            async fn less(&mut self, x: &Arith, y: &Arith) -> Result<Arith, Abort> {
                $less(self, x, y).await
            }

            async fn select(&mut self, mask: &Words, x: &Words, y: &Words) -> Result<Words, Abort> {
                <$party>::select(self, mask, x, y).await
            }

            async fn negate_where(&mut self, mask: &Words, x: &Words) -> Result<Words, Abort> {
                <$party>::negate_where(self, mask, x).await
            }

            async fn divide(&mut self, dividend: &Words, divisor: &Arith) -> Result<Words, Abort> {
                <$party>::divide(self, dividend, divisor).await
            }

            async fn to_bits_many(&mut self, columns: &[&Arith]) -> Result<Vec<Words>, Abort> {
                <$party>::to_bits_many(self, columns).await
            }

            async fn sort(&mut self, columns: Vec<Arith>, key: &[usize]) -> Result<Vec<Arith>, Abort> {
                <$party>::sort(self, columns, key).await
            }

            async fn shuffle(&mut self, columns: Vec<Arith>) -> Result<Vec<Arith>, Abort> {
                <$party>::shuffle(self, columns).await
            }

            async fn open(&mut self, x: &Arith) -> Result<Vec<u64>, Abort> {
                <$party>::open::<Z64>(self, x).await
            }

            async fn reveal(&mut self, x: &Words, to: usize) -> Result<Option<Vec<u64>>, Abort> {
                <$party>::reveal::<Bits64>(self, x, to).await
            }
        }
    };
}

scheme!(Rep3, false, less_of_bits);
scheme!(Checked, true, less_of_words);
