//! Programs on shares of three parties of which one may deviate: all is recorded, and proven before anything is opened.

use std::convert::Infallible;

use mpc_checked::Checked;
use mpc_core::{Abort, Context};
use mpc_share::fixed::Engine;
use mpc_share::{Arith, Carried, Replicated, Words, Z64};

use crate::eval::broken;
use crate::party::{Input, Party, key_bits};
use crate::ranges;
use crate::three::of_three;

/// Bits by which rows move at a time, as many as a pass of [`Replicated::sort`] takes.
pub(crate) const DIGIT: u32 = 5;

impl Party for Checked {
    type Wide = Infallible;

    async fn setup(ctx: &mut Context) -> Result<Self, Abort> {
        Self::setup(ctx).await
    }

    fn enter(&mut self, step: &'static str) {
        Self::enter(self, step);
    }

    async fn input(&mut self, counts: &[usize], mine: &[u64]) -> Result<Vec<Arith>, Abort> {
        Ok(Vec::from(Self::input::<Z64>(self, of_three(counts), mine).await?))
    }

    async fn check_inputs(&mut self, inputs: &[Input<'_, Arith>]) -> Result<(), Abort> {
        ranges::check(self, inputs).await
    }

    async fn equal(&mut self, x: &Arith, y: &Arith) -> Result<Words, Abort> {
        Self::equal(self, x, y).await
    }

    async fn keep(&mut self, truth: &Arith, x: &Arith) -> Result<Arith, Abort> {
        self.mul::<Z64>(truth, x).await
    }

    async fn argmax(&mut self, columns: &[&Arith]) -> Result<(Arith, Arith), Abort> {
        Replicated::argmax(self, columns).await
    }

    async fn scan(&mut self, what: Carried, same: &Arith, values: &Arith) -> Result<Arith, Abort> {
        Replicated::scan(self, what, same, values).await
    }

    /// Digit by digit, the lowest first. A digit's bits are made of the key when their turn comes: it moves with its row anyhow, and
    /// bits that are not needed yet would be moved, and proven to be, in every pass. They are bits whatever the key is, so what is opened of
    /// them is a random permutation.
    async fn sort(&mut self, mut columns: Vec<Arith>, by: usize, range: (i64, i64)) -> Result<Vec<Arith>, Abort> {
        let (width, bits) = (columns.len(), key_bits(range));
        for low in (0..bits).step_by(DIGIT as usize) {
            let key = columns.get(by).ok_or_else(|| broken("no such column"))?;
            let key = key.sub(&self.constant::<Z64>(range.0 as u64, key.len()));
            let key = Self::to_bits(self, &key).await?;
            let places = (low..bits.min(low + DIGIT)).rev();
            let digit: Vec<Words> = places.map(|place| Self::parities(&key, 1 << place)).collect();
            columns.extend(self.integers_of(&digit.iter().collect::<Vec<_>>()).await?);
            let digit: Vec<usize> = (width..columns.len()).collect();
            columns = Replicated::sort(self, columns, &digit).await?;
            columns.truncate(width);
        }
        Ok(columns)
    }

    async fn shuffle(&mut self, columns: Vec<Arith>) -> Result<Vec<Arith>, Abort> {
        Self::shuffle(self, columns).await
    }

    async fn compact(&mut self, columns: Vec<Arith>, valid: &Arith) -> Result<Vec<Arith>, Abort> {
        Replicated::compact(self, columns, valid).await
    }

    async fn reveal(&mut self, x: &Arith, to: usize) -> Result<Option<Vec<u64>>, Abort> {
        Self::reveal::<Z64>(self, x, to).await
    }
}
