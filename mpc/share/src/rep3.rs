//! A party of the three-party engine: its streams, public constants, and the one interactive step, the product.
//!
//! Araki et al. (CCS 2016), the multiplication, in the form of ABY3 (Mohassel and Rindal, CCS 2018, section 3.2): from
//! `x_i, x_{i+1}, y_i, y_{i+1}` party `i` computes `z_i = x_i y_i + x_i y_{i+1} + x_{i+1} y_i + a_i`, where the `a_i`
//! are a pseudorandom sharing of zero, and sends `z_i` to the party before. A sum of products costs one product.

use mpc_core::{Abort, Context, Prg};

use crate::{Ring, Shared, View, seeds};

/// One party's state: its context and the two streams it has in common with its neighbours.
///
/// All parties call the same methods in the same order with vectors of the same lengths; every draw from a stream is
/// then made by both of its holders.
pub struct Rep3 {
    pub(crate) ctx: Context,
    pub(crate) own: Prg,
    pub(crate) next: Prg,
}

impl Rep3 {
    /// Forks the session and agrees on the streams' seeds: three rounds.
    ///
    /// # Errors
    /// [`Abort`] when there are not three parties, or a peer is gone or misbehaves.
    pub async fn setup(ctx: &mut Context) -> Result<Self, Abort> {
        if ctx.parties() != 3 {
            return Err(ctx.name(Abort::local(format!("replicated sharing has 3 parties, not {}", ctx.parties()))));
        }
        let mut fork = ctx.fork("rep3");
        let seeds = seeds::agree(&mut fork).await?;
        Ok(Self { ctx: fork, own: Prg::new(seeds.own.expose()), next: Prg::new(seeds.next.expose()) })
    }

    /// This party's number.
    pub fn me(&self) -> usize {
        self.ctx.me()
    }

    pub(crate) fn after(&self) -> usize {
        (self.me() + 1) % 3
    }

    pub(crate) fn before(&self) -> usize {
        (self.me() + 2) % 3
    }

    /// Names the step that an abort from here on reports.
    pub fn enter(&mut self, step: &'static str) {
        self.ctx.enter(step);
    }

    /// A vector of public values: component 0 carries them.
    pub fn public<R: Ring>(&self, words: &[u64]) -> Shared<R> {
        let zero = || vec![0; words.len()];
        match self.me() {
            0 => Shared::new(words.to_vec(), zero()),
            2 => Shared::new(zero(), words.to_vec()),
            _ => Shared::zeros(words.len()),
        }
    }

    /// One public value, `len` times.
    pub fn constant<R: Ring>(&self, word: u64, len: usize) -> Shared<R> {
        self.public(&vec![word; len])
    }

    /// The negation of bits that are integers 0 and 1: `1 - x`.
    pub fn not(&self, x: &Shared<crate::Z64>) -> Shared<crate::Z64> {
        self.constant(1, x.len()).sub(x)
    }

    /// Pseudorandom words that are one additive share of zero.
    fn zero_share<R: Ring>(&mut self, len: usize) -> Vec<u64> {
        let mut out = self.own.words(len);
        let other = self.next.words(len);
        out.iter_mut().zip(other).for_each(|(x, y)| *x = R::sub(*x, y));
        out
    }

    /// Element by element: the product of two vectors. One round, one word an element and party.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn mul<R: Ring>(&mut self, x: &Shared<R>, y: &Shared<R>) -> Result<Shared<R>, Abort> {
        let mut out = self.mul_many(&[(x.view(), y.view())]).await?;
        Ok(out.pop().unwrap_or_else(|| Shared::zeros(0)))
    }

    /// Several products of vectors in one round.
    ///
    /// # Errors
    /// As [`Rep3::mul`].
    pub async fn mul_many<R: Ring>(&mut self, pairs: &[(View<'_, R>, View<'_, R>)]) -> Result<Vec<Shared<R>>, Abort> {
        let sums: Vec<_> = pairs.chunks(1).collect();
        self.dot_many(&sums).await
    }

    /// Several sums of products of vectors, element by element, in one round: each sum costs as much as one product.
    ///
    /// # Errors
    /// As [`Rep3::mul`].
    pub async fn dot_many<R: Ring>(&mut self, sums: &[&[(View<'_, R>, View<'_, R>)]]) -> Result<Vec<Shared<R>>, Abort> {
        let lens: Vec<usize> = sums.iter().map(|sum| sum.first().map_or(0, |(x, _)| x.len())).collect();
        let total = lens.iter().sum();
        let mut mine = self.zero_share::<R>(total);
        let mut rest = mine.as_mut_slice();
        for (sum, len) in sums.iter().zip(&lens) {
            let (part, tail) = rest.split_at_mut(*len);
            rest = tail;
            for (x, y) in *sum {
                accumulate(part, *x, *y);
            }
        }
        let theirs = self.ctx.exchange(self.before(), &mine, self.after(), total).await?;
        let mut at = 0;
        let piece = |len: &usize| {
            at += len;
            Shared::new(mine[at - len..at].to_vec(), theirs[at - len..at].to_vec())
        };
        Ok(lens.iter().map(piece).collect())
    }
}

/// Adds this party's share of the product to `out`.
fn accumulate<R: Ring>(out: &mut [u64], x: View<'_, R>, y: View<'_, R>) {
    assert!(x.len() == out.len() && y.len() == out.len(), "factors have one length");
    let factors = x.own.iter().zip(x.next).zip(y.own.iter().zip(y.next));
    for (out, ((x0, x1), (y0, y1))) in out.iter_mut().zip(factors) {
        *out = R::add(*out, R::add(R::mul(*x0, R::add(*y0, *y1)), R::mul(*x1, *y0)));
    }
}
