//! Programs on replicated shares of three parties that follow the protocol, wide integers among them.

use std::ops::Range;

use mpc_core::{Abort, Context};
use mpc_share::{Arith, Bits, Carried, Rep3, Replicated, Wide, Z64};

use crate::eval::{Values, broken};
use crate::form::Form;
use crate::party::{Elements, Party, key_bits};
use crate::step::Op;

impl Elements for Arith {
    fn picked(&self, places: &[usize]) -> Self {
        Self::picked(self, places)
    }

    fn part(&self, range: Range<usize>) -> Self {
        self.range(range).to_shared()
    }

    fn joined(parts: &[&Self]) -> Self {
        Self::concat(parts.iter().map(|part| part.view()))
    }

    fn column_sums(&self, columns: usize) -> Self {
        Self::column_sums(self, columns)
    }
}

/// Counts of three parties.
pub(crate) fn of_three(counts: &[usize]) -> [usize; 3] {
    std::array::from_fn(|party| counts.get(party).copied().unwrap_or(0))
}

impl Party for Rep3 {
    type Wide = Wide;

    async fn setup(ctx: &mut Context) -> Result<Self, Abort> {
        Self::setup(ctx).await
    }

    fn enter(&mut self, step: &'static str) {
        Self::enter(self, step);
    }

    async fn input(&mut self, counts: &[usize], mine: &[u64]) -> Result<Vec<Arith>, Abort> {
        Ok(Vec::from(Self::input::<Z64>(self, of_three(counts), mine).await?))
    }

    async fn equal(&mut self, x: &Arith, y: &Arith) -> Result<Bits, Abort> {
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

    async fn sort(&mut self, columns: Vec<Arith>, by: usize, range: (i64, i64)) -> Result<Vec<Arith>, Abort> {
        let key = columns.get(by).cloned().ok_or_else(|| broken("no such column"))?;
        // From zero on, so that the order of the words is that of the numbers.
        let key = self.plus_public::<Z64>(key, (range.0 as u64).wrapping_neg());
        let key = Self::to_bits(self, key.view()).await?;
        self.sort_by_words(columns, &[(&key, key_bits(range))]).await
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

    async fn input_wide(&mut self, inputs: &[(usize, usize)], mine: &[u128]) -> Result<Vec<Wide>, Abort> {
        let mut counts = [0; 3];
        for (owner, len) in inputs {
            *counts.get_mut(*owner).ok_or_else(|| broken("an input without its owner"))? += len;
        }
        let all = Self::input_wide(self, counts, mine).await?;
        let (mut taken, mut parts) = ([0; 3], Vec::with_capacity(inputs.len()));
        for (owner, len) in inputs {
            let places: Vec<usize> = (taken[*owner]..taken[*owner] + len).collect();
            taken[*owner] += len;
            parts.push(all[*owner].picked(&places));
        }
        Ok(parts)
    }

    async fn wide(&mut self, values: &Values<'_, Self>, op: Op, form: &Form) -> Result<Wide, Abort> {
        wide(self, values, op, form).await
    }

    async fn less_wide(&mut self, x: &Wide, y: &Wide) -> Result<Bits, Abort> {
        Self::less_wide(self, x, y).await
    }

    async fn reveal_wide(&mut self, x: &Wide, to: usize) -> Result<Option<Vec<u128>>, Abort> {
        Self::reveal_wide(self, x, to).await
    }
}

/// A step whose value is of wide integers.
async fn wide(party: &mut Rep3, values: &Values<'_, Rep3>, op: Op, form: &Form) -> Result<Wide, Abort> {
    match op {
        Op::Public(number) => Ok(party.public_wide(&[number as u128])),
        Op::Pick(x, pick) => Ok(values.wide(x)?.picked(&crate::places::picked(&values.form(x)?, pick, form))),
        Op::Add(x, y) => Ok(values.wide(x)?.add(values.wide(y)?)),
        Op::Sub(x, y) => Ok(values.wide(x)?.sub(values.wide(y)?)),
        Op::Mul(x, y) => party.dot_wide(&[(values.wide(x)?, values.wide(y)?)]).await,
        Op::Dot(x, y) => {
            let products = party.dot_wide(&[(values.wide(x)?, values.wide(y)?)]).await?;
            Ok(products.column_sums(form.columns))
        }
        Op::Sum(x) => Ok(values.wide(x)?.column_sums(form.columns)),
        Op::Cut(x, by) => party.truncate_wide(values.wide(x)?, by).await,
        _ => Err(broken(op.name())),
    }
}
