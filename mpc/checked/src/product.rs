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

use crate::link::Link;
use crate::party::{Checkable, Checked};
use crate::record::{Records, Term};
use crate::wiped::{Wiped, extended};

/// Products, or rows moved, after which a check is due. The records of as many integers take 7 MiB, in which they are proven too;
/// those of words and their proof's vectors 10 MiB.
pub(crate) const LIMIT: usize = 1 << 17;
/// Relations that are computed at a time, so that they stay in the cache; even, since a block of the streams has two words.
const STRIP: usize = 512;

/// A sum of products of vectors, element by element.
type Sum<'a, R> = &'a [(View<'a, R>, View<'a, R>)];

/// A part of one sum: the sum's number and the elements.
type Part = (usize, Range<usize>);

/// A part's relations among those of the round, and its terms.
struct Slot<'a> {
    relations: Range<usize>,
    terms: Vec<Term<'a>>,
}

impl Checked {
    /// Element by element: the product of two vectors. One round, one word an element and party.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn mul<R: Checkable>(&mut self, x: &Shared<R>, y: &Shared<R>) -> Result<Shared<R>, Abort> {
        self.product(x.view(), y.view()).await
    }

    /// As [`Checked::mul`], of borrowed vectors.
    pub(crate) async fn product<R: Checkable>(&mut self, x: View<'_, R>, y: View<'_, R>) -> Result<Shared<R>, Abort> {
        self.mul_joined(&[(x, y)]).await
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
        let outcome = self.sums(&sums, false).await;
        self.end(outcome)
    }

    /// As [`Checked::mul_many`], all products in one vector, one after the other.
    pub(crate) async fn mul_joined<R: Checkable>(
        &mut self,
        pairs: &[(View<'_, R>, View<'_, R>)],
    ) -> Result<Shared<R>, Abort> {
        let sums: Vec<_> = pairs.chunks(1).collect();
        self.begin()?;
        let outcome = self.sums(&sums, true).await;
        let mut out = self.end(outcome)?;
        Ok(out.pop().unwrap_or_else(|| Shared::zeros(0)))
    }

    /// Several sums of products of vectors of integers, element by element, in one round: each sum costs as many bytes as one
    /// product, and its products are verified like others.
    ///
    /// # Errors
    /// As [`Checked::mul`].
    pub async fn dot_many(&mut self, sums: &[&[(View<'_, Z64>, View<'_, Z64>)]]) -> Result<Vec<Arith>, Abort> {
        self.begin()?;
        let outcome = self.sums(sums, false).await;
        self.end(outcome)
    }

    /// The sums, each in a vector of its own, or `joined` in one.
    async fn sums<R: Checkable>(&mut self, sums: &[Sum<'_, R>], joined: bool) -> Result<Vec<Shared<R>>, Abort> {
        let lens: Vec<usize> = sums.iter().map(|sum| checked_len(sum)).collect();
        let rooms = if joined { vec![lens.iter().sum::<usize>()] } else { lens };
        let room = |room: &usize| [(); 2].map(|()| Wiped::new(Vec::with_capacity(*room)));
        let mut out: Vec<[Wiped<u64>; 2]> = rooms.iter().map(room).collect();
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
        let shared = |[mut own, mut next]: [Wiped<u64>; 2]| {
            Shared::from_parts(std::mem::take(&mut *own), std::mem::take(&mut *next))
        };
        Ok(out.into_iter().map(shared).collect())
    }

    /// Computes parts of sums in one round, appends them to the sums, or to the one vector that there is for all, and records them.
    /// The parts come in order.
    async fn parts<R: Checkable>(
        &mut self,
        sums: &[Sum<'_, R>],
        parts: &[Part],
        out: &mut [[Wiped<u64>; 2]],
    ) -> Result<(), Abort> {
        let Self { link, integers, words, .. } = self;
        let records = if R::BITS { words } else { integers };
        let slots = slots(sums, parts);
        let lent = record(records, &slots);
        let total = slots.last().map_or(0, |slot| slot.relations.end);
        let place = match (&*out, parts) {
            ([_], _) => Some(0),
            (_, [(number, _)]) => Some(*number),
            _ => None,
        };
        if let Some(place) = place {
            let [own, next] = &mut out[place];
            round::<R>(link, records, &slots, total, [&mut **own, &mut **next]).await?;
        } else {
            let [mut own, mut next] = [(); 2].map(|()| Wiped::<u64>::new(Vec::with_capacity(total)));
            round::<R>(link, records, &slots, total, [&mut *own, &mut *next]).await?;
            for ((number, _), slot) in parts.iter().zip(&slots) {
                out[*number][0].extend_from_slice(&own[slot.relations.clone()]);
                out[*number][1].extend_from_slice(&next[slot.relations.clone()]);
            }
        }
        match (lent.is_empty(), R::BITS) {
            (true, _) => self.verify_when_full().await,
            (false, true) => self.verify_with([&[], &lent]).await,
            (false, false) => self.verify_with([&lent, &[]]).await,
        }
    }
}

/// The parts, one after the other, with their factors.
fn slots<'a, R: Checkable>(sums: &[Sum<'a, R>], parts: &[Part]) -> Vec<Slot<'a>> {
    let mut start = 0;
    let slot = |(number, range): &Part| {
        let relations = start..start + range.len();
        start = relations.end;
        Slot { relations, terms: sums[*number].iter().map(|(x, y)| [cut(*x, range), cut(*y, range)]).collect() }
    };
    parts.iter().map(slot).collect()
}

/// Records the factors of a round; gives them where they are but lent, since a check is due after it.
fn record<'a>(records: &mut Records, slots: &[Slot<'a>]) -> Vec<Term<'a>> {
    let entries: usize = slots.iter().map(|slot| slot.relations.len() * slot.terms.len()).sum();
    if records.entries() + entries >= LIMIT {
        slots.iter().for_each(|slot| records.lend(slot.relations.len(), slot.terms.len()));
        return slots.iter().flat_map(|slot| slot.terms.iter().copied()).collect();
    }
    for slot in slots {
        records.products(slot.relations.len(), slot.terms.len());
        slot.terms.iter().for_each(|[x, y]| records.term(*x, *y));
    }
    Vec::new()
}

/// Computes what has been recorded last, `total` relations, in one pass over strips that the cache holds, which are sent meanwhile;
/// appends both components of the sums.
async fn round<R: Checkable>(
    link: &mut Link,
    records: &mut Records,
    slots: &[Slot<'_>],
    total: usize,
    [mine, theirs]: [&mut Vec<u64>; 2],
) -> Result<(), Abort> {
    records.relate(total, R::BITS);
    let (before, after, come) = (link.before(), link.after(), theirs.len());
    let Link { ctx, own, next, .. } = link;
    let Records { w: [w_own, w_next], f, .. } = records;
    let (first, mut unused) = (w_next.len(), Wiped::<u64>::zeros(STRIP));
    let make = |at: usize, piece: &mut [u64]| {
        for (strip, mine) in piece.chunks_mut(STRIP).enumerate() {
            let (start, len) = (at + strip * STRIP, mine.len());
            let (f, w_next) = (extended(f, len), extended(w_next, len));
            let w_own = if R::BITS { &mut unused[..len] } else { extended(w_own, len) };
            own.fill(f);
            next.fill(w_next);
            wide(
                #[inline(always)]
                || {
                    mine.copy_from_slice(f);
                    w_next.iter_mut().for_each(|f| *f = R::sub(0, *f));
                    w_own.copy_from_slice(w_next);
                    add_slots::<R>([&mut *mine, &mut *w_own, &mut *w_next], start, slots);
                    mine.iter_mut().zip(w_own.iter()).for_each(|(z, w)| *z = R::add(*z, *w));
                },
            );
        }
    };
    ctx.stream((before, total, mine), (after, total, &mut *theirs), make).await?;
    let (w_next, theirs) = (&mut w_next[first..], &theirs[come..]);
    wide(|| w_next.iter_mut().zip(theirs).for_each(|(w, z)| *w = R::add(*w, *z)));
    Ok(())
}

/// Adds the products of all terms that fall into a strip that begins at `at`: own ones to `z_i`, mixed ones to `w_i`; those of
/// next components are taken from `w_{i+1}`, which still lacks `z_{i+1}`.
#[inline(always)]
fn add_slots<R: Checkable>([z, w, w_next]: [&mut [u64]; 3], at: usize, slots: &[Slot<'_>]) {
    let end = at + z.len();
    for Slot { relations, terms } in slots {
        let (from, to) = (relations.start.max(at), relations.end.min(end));
        if from >= to {
            continue;
        }
        for [x, y] in terms {
            let places = from - relations.start..to - relations.start;
            let [x0, x1, y0, y1] = [x[0], x[1], y[0], y[1]].map(|factors| &factors[places.clone()]);
            let (z, w, w_next) = (&mut z[from - at..], &mut w[from - at..], &mut w_next[from - at..]);
            // Three loops, since few slices meet in each: compilers make vectors of them.
            let own = z.iter_mut().zip(x0.iter().zip(y0));
            own.for_each(|(z, (x0, y0))| *z = R::add(*z, R::mul(*x0, *y0)));
            let mixed = w.iter_mut().zip(x0.iter().zip(y1).zip(x1.iter().zip(y0)));
            mixed.for_each(|(w, ((a, b), (c, d)))| *w = R::add(*w, R::add(R::mul(*a, *b), R::mul(*c, *d))));
            let next = w_next.iter_mut().zip(x1.iter().zip(y1));
            next.for_each(|(w, (x1, y1))| *w = R::sub(*w, R::mul(*x1, *y1)));
        }
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
