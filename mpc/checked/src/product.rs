//! Products: computed as in the semi-honest engine, and recorded.
//!
//! Araki et al. (CCS 2016), the multiplication, in the form of ABY3 (Mohassel and Rindal, CCS 2018, section 3.2): party `i`
//! computes `z_i = x_i y_i + x_i y_{i+1} + x_{i+1} y_i + f_i - f_{i+1}`, where `f_i` comes from the stream of parties `i-1`
//! and `i`, and sends it to the party before. A sum of products costs one product. Long vectors are taken in parts, and
//! verified as soon as as much as a part is pending.

use std::ops::Range;

use base_vector::wide::wide;
use mpc_core::Abort;
use mpc_share::{Arith, Shared, View, Z64};
use zeroize::Zeroizing;

use crate::party::{Checkable, Checked};

/// Products, or rows moved, after which a check is due: its vectors then take some 16 MiB.
pub(crate) const LIMIT: usize = 1 << 17;

/// A sum of products of vectors, element by element.
type Sum<'a, R> = &'a [(View<'a, R>, View<'a, R>)];

/// A part of one sum: the sum's number and the elements.
type Part = (usize, Range<usize>);

/// What a party computes of products before it sends.
struct Locals {
    /// `sum of x_i y_{i+1} + x_{i+1} y_i`.
    cross: Zeroizing<Vec<u64>>,
    /// `sum of x_i y_i`.
    own: Zeroizing<Vec<u64>>,
    /// `sum of x_{i+1} y_{i+1}`.
    next: Zeroizing<Vec<u64>>,
}

impl Checked {
    /// Element by element: the product of two vectors. One round, one word an element and party.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn mul<R: Checkable>(&mut self, x: &Shared<R>, y: &Shared<R>) -> Result<Shared<R>, Abort> {
        let mut out = self.mul_many(&[(x.view(), y.view())]).await?;
        Ok(out.pop().unwrap_or_else(|| Shared::zeros(0)))
    }

    /// Several products of vectors in one round.
    ///
    /// # Errors
    /// As [`Checked::mul`].
    pub async fn mul_many<R: Checkable>(
        &mut self,
        pairs: &[(View<'_, R>, View<'_, R>)],
    ) -> Result<Vec<Shared<R>>, Abort> {
        let sums: Vec<_> = pairs.chunks(1).collect();
        self.begin()?;
        let outcome = self.sums(&sums).await;
        self.end(outcome)
    }

    /// Several sums of products of vectors of integers, element by element, in one round: each sum costs as many bytes as one
    /// product, and its products are verified like others.
    ///
    /// # Errors
    /// As [`Checked::mul`].
    pub async fn dot_many(&mut self, sums: &[&[(View<'_, Z64>, View<'_, Z64>)]]) -> Result<Vec<Arith>, Abort> {
        self.begin()?;
        let outcome = self.sums(sums).await;
        self.end(outcome)
    }

    async fn sums<R: Checkable>(&mut self, sums: &[Sum<'_, R>]) -> Result<Vec<Shared<R>>, Abort> {
        let mut out: Vec<[Vec<u64>; 2]> = sums.iter().map(|_| [Vec::new(), Vec::new()]).collect();
        let (mut parts, mut entries) = (Vec::new(), 0);
        for (number, sum) in sums.iter().enumerate() {
            let len = checked_len(sum);
            let step = (LIMIT / sum.len().max(1)).max(1);
            for start in (0..len).step_by(step) {
                let range = start..len.min(start + step);
                entries += range.len() * sum.len();
                parts.push((number, range));
                if entries >= LIMIT {
                    self.parts(sums, &parts, &mut out).await?;
                    (parts, entries) = (Vec::new(), 0);
                }
            }
        }
        if !parts.is_empty() {
            self.parts(sums, &parts, &mut out).await?;
        }
        Ok(out.into_iter().map(|[own, next]| Shared::from_parts(own, next)).collect())
    }

    /// Computes parts of sums in one round and records them.
    async fn parts<R: Checkable>(
        &mut self,
        sums: &[Sum<'_, R>],
        parts: &[Part],
        out: &mut [[Vec<u64>; 2]],
    ) -> Result<(), Abort> {
        let locals = locals(sums, parts);
        let total = locals.own.len();
        let link = &mut self.link;
        let (f, f_next) = (Zeroizing::new(link.own.words(total)), Zeroizing::new(link.next.words(total)));
        let w = locals.cross.iter().zip(f_next.iter()).map(|(cross, f)| R::sub(*cross, *f));
        let w: Zeroizing<Vec<u64>> = Zeroizing::new(w.collect());
        let masked = w.iter().zip(f.iter()).zip(locals.own.iter());
        let mine: Vec<u64> = masked.map(|((w, f), own)| R::add(R::add(*w, *f), *own)).collect();
        let mine = Zeroizing::new(mine);
        let (before, after) = (link.before(), link.after());
        let theirs = Zeroizing::new(link.ctx.exchange(before, &mine, after, total).await?);
        let known = f_next.iter().zip(locals.next.iter());
        let w_next = theirs.iter().zip(known).map(|(z, (f, next))| R::sub(R::sub(*z, *f), *next));
        let records = self.records::<R>();
        records.w[0].extend_from_slice(&w);
        records.w[1].extend(w_next);
        records.f.extend_from_slice(&f);
        let mut at = 0;
        for (number, range) in parts {
            let sum = sums[*number];
            records.products(range.len(), sum.len());
            for (x, y) in sum {
                records.term(cut(*x, range), cut(*y, range));
            }
            let end = at + range.len();
            out[*number][0].extend_from_slice(&mine[at..end]);
            out[*number][1].extend_from_slice(&theirs[at..end]);
            at = end;
        }
        self.verify_when_full().await
    }
}

/// How long a sum's factors are.
fn checked_len<R: Checkable>(sum: Sum<'_, R>) -> usize {
    let len = sum.first().map_or(0, |(x, _)| x.len());
    assert!(sum.iter().all(|(x, y)| x.len() == len && y.len() == len), "factors have one length");
    len
}

/// A run of both components.
fn cut<'a, R: Checkable>(x: View<'a, R>, range: &Range<usize>) -> [&'a [u64]; 2] {
    let (own, next) = x.parts();
    [&own[range.clone()], &next[range.clone()]]
}

fn locals<R: Checkable>(sums: &[Sum<'_, R>], parts: &[Part]) -> Locals {
    let total = parts.iter().map(|(_, range)| range.len()).sum();
    let zeros = || Zeroizing::new(vec![0; total]);
    let mut out = Locals { cross: zeros(), own: zeros(), next: zeros() };
    let mut at = 0;
    for (number, range) in parts {
        let to = at..at + range.len();
        for (x, y) in sums[*number] {
            let (x, y) = (cut(*x, range), cut(*y, range));
            let Locals { cross, own, next } = &mut out;
            add_products::<R>([&mut cross[to.clone()], &mut own[to.clone()], &mut next[to.clone()]], x, y);
        }
        at = to.end;
    }
    out
}

/// Adds the products of one term: crosswise, of own components, of next ones.
fn add_products<R: Checkable>([cross, own, next]: [&mut [u64]; 3], x: [&[u64]; 2], y: [&[u64]; 2]) {
    wide(|| {
        let factors = x[0].iter().zip(x[1]).zip(y[0].iter().zip(y[1]));
        let sums = cross.iter_mut().zip(own.iter_mut()).zip(next.iter_mut());
        for (((cross, own), next), ((x0, x1), (y0, y1))) in sums.zip(factors) {
            *cross = R::add(*cross, R::add(R::mul(*x0, *y1), R::mul(*x1, *y0)));
            *own = R::add(*own, R::mul(*x0, *y0));
            *next = R::add(*next, R::mul(*x1, *y1));
        }
    });
}
