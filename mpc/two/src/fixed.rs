//! Fixed-point numbers between two parties: the functions of [`mpc_share::fixed`] over this engine's operations.
//!
//! [`Functions`](mpc_share::fixed::Functions) has the products, comparisons, reciprocal, division, roots, powers of e, logarithm and
//! logistic function with the precision of its table, which rests on [`Two::truncate_small`] as on the three-party truncation: the
//! floor or one unit more. Ranges exclude overflow in the same way, and an owner is held to the range that it declares.
//!
//! Rounds are of vectors that fit one slice (8,192 products), besides those that make transfers, which are made many at a time. Bytes
//! are those that a party sends an element over [`Network::Lan`](crate::Network::Lan), where a product takes 774 bytes (506 of them
//! make its transfers), the bits of an integer 3.6 KiB and the place of its first bit 1.5 KiB. Over
//! [`Network::Wan`](crate::Network::Wan) transfers are nearly free: about a third.
//!
//! | Function | Rounds, at most | About KiB an element |
//! |---|---|---|
//! | product, sum of `k` products | 2 | 0.8, `0.8 k` |
//! | comparison | 6 | 0.2 from party 0, 0.6 from party 1 |
//! | smaller and larger, magnitude | 7 | the same |
//! | reciprocal | 36 | 15 |
//! | division | 38 | 15 |
//! | square root | 46 | 21 |
//! | inverse square root | 44 | 20 |
//! | exp | 26 | 11 |
//! | log | 39 | 17 |
//! | sigmoid | 55 | 19 |

use mpc_core::Abort;
use mpc_share::Fixed;
use mpc_share::fixed::{Column, Engine, Factors, Planes};
use mpc_share::interval::{Overflow, Range};

use crate::shares::{Additive, BitShares, WORD};
use crate::two::Two;

impl Column for Additive {
    fn zeros(len: usize) -> Self {
        Self::of(vec![0; len])
    }

    fn len(&self) -> usize {
        self.words().len()
    }

    fn add(&self, other: &Self) -> Self {
        Self::add(self, other)
    }

    fn sub(&self, other: &Self) -> Self {
        Self::sub(self, other)
    }

    fn scale(&self, by: u64) -> Self {
        Self::scale(self, by)
    }
}

/// As words: 64 bits an element, of which there is a multiple of 64.
impl Planes for BitShares {
    fn count(&self) -> usize {
        self.words().len()
    }

    fn map(&self, op: impl Fn(&[u64]) -> Vec<u64>) -> Self {
        let words = op(self.words());
        let len = WORD * words.len();
        Self::of(words, len)
    }

    fn xor(&self, other: &Self) -> Self {
        Self::xor(self, other)
    }
}

impl Engine for Two {
    type Integers = Additive;
    type Words = BitShares;
    type Bits = BitShares;

    fn constant(&self, word: u64, len: usize) -> Additive {
        Self::constant(self, &vec![word; len])
    }

    fn plus_public(&self, x: Additive, word: u64) -> Additive {
        let word = if self.me() == 0 { word } else { 0 };
        Additive::of(x.words().iter().map(|x| x.wrapping_add(word)).collect())
    }

    fn refuse(&self, overflow: Overflow) -> Abort {
        Abort::local(overflow.to_string())
    }

    fn parities(words: &BitShares, mask: u64) -> BitShares {
        let parity = |word: &u64| u64::from((word & mask).count_ones() & 1);
        let packed = |words: &[u64]| words.iter().enumerate().fold(0, |all, (lane, word)| all | parity(word) << lane);
        BitShares::of(words.words().chunks(WORD).map(packed).collect(), words.words().len())
    }

    async fn mul_many(&mut self, pairs: &[Factors<'_, Additive>]) -> Result<Vec<Additive>, Abort> {
        let x = Additive::concat(pairs.iter().map(|(x, _)| *x));
        let y = Additive::concat(pairs.iter().map(|(_, y)| *y));
        let products = self.mul(&x, &y).await?;
        let mut at = 0;
        let piece = |(x, _): &Factors<'_, Additive>| {
            at += x.len();
            products.range(at - x.len()..at)
        };
        Ok(pairs.iter().map(piece).collect())
    }

    async fn dot(&mut self, pairs: &[Factors<'_, Additive>]) -> Result<Additive, Abort> {
        let mut products = self.mul_many(pairs).await?.into_iter();
        let first = products.next().unwrap_or_else(|| Additive::zeros(0));
        Ok(products.fold(first, |sum, product| sum.add(&product)))
    }

    async fn matmul(&mut self, x: &Additive, y: &Additive, size: [usize; 3]) -> Result<Additive, Abort> {
        Self::matmul(self, x, y, size).await
    }

    async fn truncate(&mut self, x: &Additive, by: u32) -> Result<Additive, Abort> {
        self.truncate_small(x, by).await
    }

    async fn less(&mut self, x: &Additive, y: &Additive) -> Result<BitShares, Abort> {
        Self::less(self, x, y).await
    }

    async fn select(&mut self, bits: &BitShares, x: &Additive) -> Result<Additive, Abort> {
        Self::select(self, bits, x).await
    }

    /// One round: every vector is filled up to whole words.
    async fn integers_of(&mut self, columns: &[&BitShares]) -> Result<Vec<Additive>, Abort> {
        let words: Vec<u64> = columns.iter().flat_map(|bits| bits.words()).copied().collect();
        let len = WORD * words.len();
        let all = self.to_arith(&BitShares::of(words, len)).await?;
        let mut at = 0;
        let piece = |bits: &&BitShares| {
            let from = at;
            at += WORD * bits.words().len();
            all.range(from..from + bits.len())
        };
        Ok(columns.iter().map(piece).collect())
    }

    async fn to_bits(&mut self, x: &Additive) -> Result<BitShares, Abort> {
        Self::to_bits(self, x).await
    }

    async fn and(&mut self, x: &BitShares, y: &BitShares) -> Result<BitShares, Abort> {
        Self::and(self, x, y).await
    }
}

impl Two {
    /// Shares `len` numbers of party `owner`, which the other party passes as an empty slice: as [`Two::input`], with the range
    /// that all of them are in.
    ///
    /// # Errors
    /// [`Abort`] with blame on this party when one of its numbers is outside the range, else as all operations.
    pub async fn input_fixed(
        &mut self,
        owner: usize,
        mine: &[i64],
        len: usize,
        frac: u32,
        range: Range,
    ) -> Result<Fixed<Additive>, Abort> {
        if !mine.iter().all(|number| range.contains(*number)) {
            return Err(Abort::local("a number is outside its declared range"));
        }
        let words: Vec<u64> = mine.iter().map(|number| *number as u64).collect();
        Ok(Fixed::new(self.input(owner, &words, len).await?, frac, range))
    }

    /// Public numbers, given as their integers.
    ///
    /// # Errors
    /// [`Abort`] with blame on this party when one does not fit.
    pub fn public_fixed(&self, numbers: &[i64], frac: u32) -> Result<Fixed<Additive>, Abort> {
        let (lo, hi) = (numbers.iter().min().copied().unwrap_or(0), numbers.iter().max().copied().unwrap_or(0));
        let range = Range::new(lo, hi).map_err(|overflow| self.refuse(overflow))?;
        let words: Vec<u64> = numbers.iter().map(|number| *number as u64).collect();
        Ok(Fixed::new(Self::constant(self, &words), frac, range))
    }

    /// Tells party `to` the numbers, as their integers; the other party gets `None`. One message.
    ///
    /// # Errors
    /// As all operations.
    pub async fn reveal_fixed(&mut self, to: usize, x: &Fixed<Additive>) -> Result<Option<Vec<i64>>, Abort> {
        let words = self.reveal(to, x.raw()).await?;
        Ok(words.map(|words| words.into_iter().map(|word| word as i64).collect()))
    }
}
