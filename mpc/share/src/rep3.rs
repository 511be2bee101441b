//! A party of the three-party engine: its streams, public constants, and the one interactive step, the product.
//!
//! Araki et al. (CCS 2016), the multiplication, in the form of ABY3 (Mohassel and Rindal, CCS 2018, section 3.2): from
//! `x_i, x_{i+1}, y_i, y_{i+1}` party `i` computes `z_i = x_i y_i + x_i y_{i+1} + x_{i+1} y_i + a_i`, where the `a_i`
//! are a pseudorandom sharing of zero, and sends `z_i` to the party before. A sum of products costs one product.

use base_vector::wide::wide;
use mpc_core::{Abort, Context};

use crate::stream::Stream;
use crate::{Ring, Shared, View, seeds};

/// One party's state: its context and the two streams it has in common with its neighbours.
///
/// All parties call the same methods in the same order with vectors of the same lengths; every draw from a stream is
/// then made by both of its holders.
pub struct Rep3 {
    pub(crate) ctx: Context,
    pub(crate) own: Stream,
    pub(crate) next: Stream,
    ended: bool,
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
        Ok(Self {
            ctx: fork,
            own: Stream::new(seeds.own.expose()),
            next: Stream::new(seeds.next.expose()),
            ended: false,
        })
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

    /// An abort is final: whatever comes after it is refused.
    pub(crate) fn alive(&self) -> Result<(), Abort> {
        if self.ended { Err(self.ctx.name(Abort::local("the session has ended with an abort"))) } else { Ok(()) }
    }

    /// Ends the session where the result is an abort.
    pub(crate) fn noted<T>(&mut self, result: Result<T, Abort>) -> Result<T, Abort> {
        self.ended |= result.is_err();
        result
    }

    /// One round of words: see [`Context::pass`].
    pub(crate) async fn pass(
        &mut self,
        out: Option<(usize, &[u64])>,
        into: Option<(usize, &mut [u64])>,
    ) -> Result<(), Abort> {
        self.alive()?;
        let result = self.ctx.pass(out, into).await;
        self.noted(result)
    }

    /// One round of messages: see [`Context::round`].
    pub(crate) async fn round(
        &mut self,
        out: Vec<(usize, Vec<u8>)>,
        expect: &[(usize, usize)],
    ) -> Result<Vec<Vec<u8>>, Abort> {
        self.alive()?;
        let result = self.ctx.round(out, expect).await;
        self.noted(result)
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

    /// Adds one public value to every element.
    pub fn plus_public<R: Ring>(&self, mut x: Shared<R>, word: u64) -> Shared<R> {
        match self.me() {
            0 => x.own.iter_mut().for_each(|x| *x = R::add(*x, word)),
            2 => x.next.iter_mut().for_each(|x| *x = R::add(*x, word)),
            _ => (),
        }
        x
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
        let lens: Vec<usize> = sums.iter().map(|sum| checked_len(sum)).collect();
        let out = self.dot_joined(sums).await?;
        if lens.len() == 1 {
            return Ok(vec![out]);
        }
        let mut at = 0;
        let piece = |len: &usize| {
            at += len;
            out.range(at - len..at).to_shared()
        };
        Ok(lens.iter().map(piece).collect())
    }

    /// As [`Rep3::dot_many`], all sums in one vector, one after the other.
    pub(crate) async fn dot_joined<R: Ring>(
        &mut self,
        sums: &[&[(View<'_, R>, View<'_, R>)]],
    ) -> Result<Shared<R>, Abort> {
        let total = sums.iter().map(|sum| checked_len(sum)).sum();
        let (to, from) = (self.before(), self.after());
        let mut out = Shared::<R>::with_capacity(total);
        self.alive()?;
        let Self { ctx, own, next, .. } = self;
        // A pseudorandom share of zero, then the products: in one pass over a piece that the cache holds.
        let make = |at: usize, piece: &mut [u64]| {
            own.fill(piece);
            next.each(piece, |word, other| *word = R::sub(*word, other));
            add_products(sums, at, piece);
        };
        let result = ctx.stream((to, total, &mut out.own), (from, total, &mut out.next), make).await;
        self.noted(result)?;
        Ok(out)
    }
}

/// How long a sum's factors are.
fn checked_len<R: Ring>(sum: &[(View<'_, R>, View<'_, R>)]) -> usize {
    let len = sum.first().map_or(0, |(x, _)| x.len());
    assert!(sum.iter().all(|(x, y)| x.len() == len && y.len() == len), "factors have one length");
    len
}

/// Adds this party's share of a piece of the sums, which stand one after the other; the piece begins at `at`.
fn add_products<R: Ring>(sums: &[&[(View<'_, R>, View<'_, R>)]], at: usize, piece: &mut [u64]) {
    let mut start = 0;
    for sum in sums {
        let len = sum.first().map_or(0, |(x, _)| x.len());
        let (from, to) = (at.max(start), (at + piece.len()).min(start + len));
        if from < to {
            let (out, range) = (&mut piece[from - at..to - at], from - start..to - start);
            for (x, y) in *sum {
                accumulate(out, x.range(range.clone()), y.range(range.clone()));
            }
        }
        start += len;
    }
}

/// Adds this party's share of the product to `out`.
fn accumulate<R: Ring>(out: &mut [u64], x: View<'_, R>, y: View<'_, R>) {
    let factors = x.own.iter().zip(x.next).zip(y.own.iter().zip(y.next));
    wide(
        #[inline(always)]
        || {
            for (out, ((x0, x1), (y0, y1))) in out.iter_mut().zip(factors) {
                *out = R::add(*out, R::add(R::mul(*x0, R::add(*y0, *y1)), R::mul(*x1, *y0)));
            }
        },
    );
}
