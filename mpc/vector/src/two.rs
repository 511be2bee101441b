//! Programs on additive shares of two parties that follow the protocol, without a dealer.
//!
//! A truth value is an integer 0 or 1, so the lowest bits of its two shares are shares of it as a bit, without a message: where it
//! chooses, two transfers do what a product would take 128 for.

use std::convert::Infallible;
use std::ops::Range;

use mpc_core::{Abort, Context};
use mpc_share::Carried;
use mpc_two::{Additive, BitShares, Two};
use zeroize::Zeroizing;

use crate::party::{Elements, Party};

/// Bits of a word.
const WORD: usize = u64::BITS as usize;

impl Elements for Additive {
    fn picked(&self, places: &[usize]) -> Self {
        Self::of(places.iter().map(|place| self.words()[*place]).collect())
    }

    fn part(&self, range: Range<usize>) -> Self {
        self.range(range)
    }

    fn joined(parts: &[&Self]) -> Self {
        Self::concat(parts.iter().copied())
    }

    fn column_sums(&self, columns: usize) -> Self {
        let mut sums = vec![0_u64; columns];
        for row in self.words().chunks(columns.max(1)) {
            sums.iter_mut().zip(row).for_each(|(sum, word)| *sum = sum.wrapping_add(*word));
        }
        Self::of(sums)
    }
}

/// Truth values as bits.
fn bits(truth: &Additive) -> BitShares {
    let packed = |words: &[u64]| words.iter().enumerate().fold(0, |all, (lane, word)| all | (word & 1) << lane);
    BitShares::of(truth.words().chunks(WORD).map(packed).collect(), truth.words().len())
}

impl Party for Two {
    type Wide = Infallible;

    async fn setup(ctx: &mut Context) -> Result<Self, Abort> {
        Self::setup(ctx).await
    }

    /// The engine names each operation by itself.
    fn enter(&mut self, _: &'static str) {}

    async fn input(&mut self, counts: &[usize], mine: &[u64]) -> Result<Vec<Additive>, Abort> {
        let mut all = Vec::with_capacity(counts.len());
        for (owner, count) in counts.iter().copied().enumerate() {
            let values = if owner == self.me() { mine } else { &[] };
            all.push(match count {
                0 => Additive::zeros(0),
                count => Self::input(self, owner, values, count).await?,
            });
        }
        Ok(all)
    }

    /// `x - y` is 0 where one party's share of it is the other's turned.
    async fn equal(&mut self, x: &Additive, y: &Additive) -> Result<BitShares, Abort> {
        let apart = x.sub(y);
        let turned = self.me() == 1;
        let mine = apart.words().iter().map(|word| if turned { word.wrapping_neg() } else { *word });
        let mine: Zeroizing<Vec<u64>> = Zeroizing::new(mine.collect());
        Self::equal(self, &mine, u64::BITS).await
    }

    async fn keep(&mut self, truth: &Additive, x: &Additive) -> Result<Additive, Abort> {
        Self::select(self, &bits(truth), x).await
    }

    async fn argmax(&mut self, columns: &[&Additive]) -> Result<(Additive, Additive), Abort> {
        Self::argmax(self, columns).await
    }

    async fn scan(&mut self, what: Carried, same: &Additive, values: &Additive) -> Result<Additive, Abort> {
        Self::scan(self, what, &bits(same), values).await
    }

    async fn sort(&mut self, columns: Vec<Additive>, by: usize, range: (i64, i64)) -> Result<Vec<Additive>, Abort> {
        Self::sort(self, columns, by, range.0..=range.1).await
    }

    async fn shuffle(&mut self, columns: Vec<Additive>) -> Result<Vec<Additive>, Abort> {
        Self::shuffle(self, columns).await
    }

    async fn compact(&mut self, columns: Vec<Additive>, valid: &Additive) -> Result<Vec<Additive>, Abort> {
        Self::compact(self, columns, &bits(valid)).await
    }

    async fn reveal(&mut self, x: &Additive, to: usize) -> Result<Option<Vec<u64>>, Abort> {
        Self::reveal(self, to, x).await
    }
}
