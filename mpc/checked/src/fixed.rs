//! Fixed-point numbers that stand a malicious party: the functions of [`mpc_share::fixed`] over this engine's operations.
//!
//! All that they are made of is recorded, and proven before an opening. What costs more than in the semi-honest engine is the
//! truncation: the bits of the integer, of which those that stay become integers again, two products each. So it rounds down, in ten
//! rounds, and cutting off 30 places of an element takes 0.6 KiB from a party. Long vectors are cut part by part, since the bits of
//! an element take some kilobytes of memory on their way.

use mpc_core::Abort;
use mpc_share::fixed::{Engine, Factors};
use mpc_share::interval::Overflow;
use mpc_share::{Arith, Bits64, Words, Z64};

use crate::party::Checked;
use crate::words::each;

/// Places of an integer from -2^62 to 2^62 - 1 to which 2^62 is added.
const PLACES: u32 = 63;
/// Elements that are cut at a time: their bits are more than are verified at once, so more would spare no round.
const PART: usize = 1 << 12;

impl Engine for Checked {
    type Integers = Arith;
    type Words = Words;
    /// The bit in place 0, zeros elsewhere.
    type Bits = Words;

    fn constant(&self, word: u64, len: usize) -> Arith {
        Self::constant::<Z64>(self, word, len)
    }

    fn plus_public(&self, x: Arith, word: u64) -> Arith {
        x.add(&Self::constant::<Z64>(self, word, x.len()))
    }

    fn refuse(&self, overflow: Overflow) -> Abort {
        self.link.ctx.name(Abort::local(overflow.to_string()))
    }

    fn parities(words: &Words, mask: u64) -> Words {
        each(words, |word| u64::from((word & mask).count_ones() & 1))
    }

    async fn mul_many(&mut self, pairs: &[Factors<'_, Arith>]) -> Result<Vec<Arith>, Abort> {
        let views: Vec<_> = pairs.iter().map(|(x, y)| (x.view(), y.view())).collect();
        Self::mul_many::<Z64>(self, &views).await
    }

    async fn dot(&mut self, pairs: &[Factors<'_, Arith>]) -> Result<Arith, Abort> {
        let views: Vec<_> = pairs.iter().map(|(x, y)| (x.view(), y.view())).collect();
        let mut sums = self.dot_many(&[&views]).await?;
        Ok(sums.pop().unwrap_or_else(|| Arith::zeros(0)))
    }

    async fn matmul(&mut self, x: &Arith, y: &Arith, size: [usize; 3]) -> Result<Arith, Abort> {
        self.mat_mul(x, y, size).await
    }

    async fn truncate(&mut self, x: &Arith, by: u32) -> Result<Arith, Abort> {
        let mut cut = Vec::with_capacity(x.len().div_ceil(PART));
        for start in (0..x.len()).step_by(PART) {
            let part = x.range(start..x.len().min(start + PART)).to_shared();
            cut.push(self.truncated(&part, by).await?);
        }
        match cut.as_slice() {
            [only] => Ok(only.clone()),
            parts => Ok(Arith::concat(parts.iter().map(Arith::view))),
        }
    }

    async fn less(&mut self, x: &Arith, y: &Arith) -> Result<Words, Abort> {
        Self::less(self, x, y).await
    }

    async fn select(&mut self, bits: &Words, x: &Arith) -> Result<Arith, Abort> {
        let keep = self.bit_to_integer(bits).await?;
        self.mul::<Z64>(&keep, x).await
    }

    async fn integers_of(&mut self, columns: &[&Words]) -> Result<Vec<Arith>, Abort> {
        let bits = Words::concat(columns.iter().map(|bits| bits.view()));
        let all = self.bit_to_integer(&bits).await?;
        let mut at = 0;
        let piece = |bits: &&Words| {
            at += bits.len();
            all.range(at - bits.len()..at).to_shared()
        };
        Ok(columns.iter().map(piece).collect())
    }

    async fn to_bits(&mut self, x: &Arith) -> Result<Words, Abort> {
        Self::to_bits(self, x).await
    }

    async fn and(&mut self, x: &Words, y: &Words) -> Result<Words, Abort> {
        self.mul::<Bits64>(x, y).await
    }
}

impl Checked {
    /// [`Engine::truncate`] of a part.
    async fn truncated(&mut self, x: &Arith, by: u32) -> Result<Arith, Abort> {
        let len = x.len();
        let lifted = x.add(&Self::constant::<Z64>(self, 1 << (PLACES - 1), len));
        let bits = Self::to_bits(self, &lifted).await?;
        let places: Vec<Words> = (by..PLACES).map(|place| each(&bits, |word| word >> place & 1)).collect();
        let all = Words::concat(places.iter().map(Words::view));
        let integers = self.bit_to_integer(&all).await?.pieces(len);
        let cut = integers.iter().zip(0..).fold(Arith::zeros(len), |sum, (bit, place)| sum.add(&bit.scale(1 << place)));
        Ok(cut.sub(&Self::constant::<Z64>(self, 1 << (PLACES - 1 - by), len)))
    }
}
