//! The check of recorded integer relations: from equations modulo 2^64 to one inner product modulo a random prime.
//!
//! The integers modulo 2^64 have zero divisors and no large set of points whose differences are units, so a polynomial
//! argument over them is unsound (or pays for an extension ring of degree 47). Here instead:
//!
//! 1. a coin picks 48 random subset sums ([`crate::tally`]): `S_t = A_t + B_t` modulo 2^64, where `S_t` is a sum of products
//!    `x_i y_{i+1} + x_{i+1} y_i`, `A_t` one of `w_i`, `B_t` one of `f_{i+1}`;
//! 2. the prover shares the integers `Q_t` with `S_t = A_t + B_t + 2^64 Q_t` *over the integers*, where components are
//!    numbers from 0 to 2^64 - 1. The mask has 191 bits, `Q_t` less than 2^96: what is sent hides it to 2^-95;
//! 3. a coin picks a prime `p` between 2^56 and 2^57 and weights. A false equation over the integers has a difference below
//!    2^257, which at most four such primes divide, of more than 2^50: it stays false modulo `p` except with 2^-48;
//! 4. the 48 equations modulo `p`, weighted and added, are one inner product of the recorded factors: [`crate::prove`].
//!
//! A false product stays undetected with probability below 2^-46: the subsets miss it with 2^-48, the prime with 2^-48, the 48
//! weights with 2^-56, and the proof of an inner product of 2^n terms with (2n + 4)/2^56 (a variable has degree two, the last step
//! another two), less than 2^-49 for up to 2^32 terms: in all less than 2.6·2^-48.

use std::ops::Range;

use base_vector::wide::wide;
use mpc_core::{Abort, words};
use zeroize::Zeroizing;

use crate::field::Field;
use crate::link::Link;
use crate::prime::Prime;
use crate::prove::{Claim, Vectors, prove};
use crate::record::{Hop, Job, Records, Term};
use crate::shuffle::placed;
use crate::stream::Stream;
use crate::tally::{BITS, BUCKETS, GROUPS, Row, STRIP, SUMS, Strip, Tally};
use crate::wiped::{extended, reserve};

/// Words of a mask or a masked quotient.
const WORDS: usize = 3;
/// Relations whose random words are drawn and that are weighed at a time; even, since a block of a stream has two words.
const PART: usize = 512;
/// Added to quotients, which are at least -2, so that they are not negative.
const SHIFT: i128 = 2;

/// Which sums each relation belongs to: the groups' bits of a random word. The words are drawn as they are asked for, in the order of
/// the relations, and the same ones again after [`Subsets::again`].
struct Subsets {
    coin: Stream,
    drawn: Vec<u64>,
    used: usize,
}

impl Subsets {
    /// From a coin of which nothing has been drawn.
    fn new(coin: Stream) -> Self {
        Self { coin, drawn: Vec::with_capacity(2 * PART), used: 0 }
    }

    /// The words of the next relations, of which there are at most [`PART`].
    fn take(&mut self, relations: usize) -> &[u64] {
        if self.drawn.len() - self.used < relations {
            self.drawn.drain(..self.used);
            self.used = 0;
            self.coin.fill(extended(&mut self.drawn, PART));
        }
        self.used += relations;
        &self.drawn[self.used - relations..self.used]
    }

    fn again(&mut self) {
        self.coin.rewind();
        self.drawn.clear();
        self.used = 0;
    }
}

/// What each relation weighs in the one inner product: the sum of its subsets' weights.
struct Weights<'a> {
    prime: &'a Prime,
    subsets: Subsets,
    /// For each value of a group's bits the sum of their weights, raised.
    tables: [[u64; BUCKETS]; GROUPS],
    raised: [u64; PART],
}

impl<'a> Weights<'a> {
    /// From the sums' weights, which are elements.
    fn new(prime: &'a Prime, mut subsets: Subsets, weights: &[u64]) -> Self {
        let raised: Vec<u64> = weights.iter().map(|weight| prime.raised(*weight)).collect();
        let table = |group: usize| -> [u64; BUCKETS] {
            let bits = |value: usize| (0..BITS).filter(move |bit| value >> bit & 1 == 1);
            std::array::from_fn(|value| bits(value).fold(0, |sum, bit| prime.add(sum, raised[BITS * group + bit])))
        };
        subsets.again();
        Self { prime, subsets, tables: std::array::from_fn(table), raised: [0; PART] }
    }

    /// The weights of the next relations, of which there are at most [`PART`]; raised, and below p.
    fn take(&mut self, relations: usize) -> &[u64] {
        let Self { prime, subsets, tables, raised } = self;
        for (raised, word) in raised.iter_mut().zip(subsets.take(relations)) {
            let chosen = tables.iter().zip(word.to_le_bytes());
            *raised = prime.settle(chosen.map(|(table, at)| table[usize::from(at) % BUCKETS]).sum());
        }
        &raised[..relations]
    }
}

/// Verifies all records, some of whose factors are lent. The parties have agreed on their shapes.
///
/// # Errors
/// [`Abort`] when a relation does not hold, or a peer is gone or misbehaves.
pub(crate) async fn verify(link: &mut Link, records: &mut Records, lent: &[Term<'_>]) -> Result<(), Abort> {
    let mut subsets = Subsets::new(link.coin("subsets").await?);
    let sums = tally(records, lent, &mut subsets).sums();
    let masks = link.own.words(WORDS * SUMS);
    let masks = Zeroizing::new(masks);
    let ahead = link.next.words(WORDS * SUMS);
    let out: Vec<u64> =
        sums.iter().zip(masks.as_chunks::<WORDS>().0).flat_map(|(sum, mask)| masked(sum, mask)).collect();
    let behind = words::decode(&link.pass_on(words::encode(&out)).await?);
    let mut coin = link.coin("prime").await?;
    let prime = Prime::draw_prime(&mut coin);
    let weights = prime.draw_all(&mut coin, SUMS);
    let claim = claim(&prime, &weights, &sums, &ahead, &behind);
    let mut vectors = vectors(&prime, records, lent, Weights::new(&prime, subsets, &weights));
    prove(link, &prime, &mut vectors, claim).await?;
    (records.x, records.y) = (std::mem::take(&mut vectors.a), std::mem::take(&mut vectors.y));
    Ok(())
}

fn tally(records: &Records, lent: &[Term<'_>], subsets: &mut Subsets) -> Tally {
    let (mut tally, mut strip) = (Tally::new(), Strip::new());
    let (mut relation, mut held, mut lent) = (0, 0, lent);
    for job in &records.jobs {
        match job {
            Job::Products { relations, terms, lent: is_lent } => {
                let factors = if *is_lent {
                    split_off(&mut lent, *terms).to_vec()
                } else {
                    held += relations * terms;
                    of_records(records, held - relations * terms, *relations, *terms)
                };
                for start in (0..*relations).step_by(STRIP) {
                    let places = start..(start + STRIP).min(*relations);
                    strip.begin();
                    factors.iter().for_each(|factors| add_products(&mut strip, factors, places.clone()));
                    let words = subsets.take(places.len());
                    tally.add(strip.rows(beside(records, relation + places.start..relation + places.end)), words);
                }
                relation += relations;
            }
            Job::Hop(hop) => {
                for (at, moved) in moved(hop).chunks(STRIP).enumerate() {
                    let from = relation + at * STRIP;
                    strip.begin();
                    strip.add_words(moved);
                    tally.add(strip.rows(beside(records, from..from + moved.len())), subsets.take(moved.len()));
                }
                relation += hop.source[0].len();
            }
        }
    }
    tally
}

/// What relations have beside their products.
fn beside(records: &Records, places: Range<usize>) -> [&[u64]; 3] {
    [&records.w[0], &records.w[1], &records.f].map(|words| &words[places.clone()])
}

/// Takes so many terms off the front.
fn split_off<'a, 'b>(terms: &mut &'b [Term<'a>], count: usize) -> &'b [Term<'a>] {
    let (front, rest) = terms.split_at(count);
    *terms = rest;
    front
}

/// The terms of a job whose recorded factors begin at `start`.
fn of_records(records: &Records, start: usize, relations: usize, terms: usize) -> Vec<Term<'_>> {
    let factors = |from: usize| {
        [&records.x, &records.y].map(|pair| pair.each_ref().map(|factors| &factors[from..from + relations]))
    };
    (0..terms).map(|term| factors(start + term * relations)).collect()
}

/// Adds one term's cross products of some relations.
fn add_products(strip: &mut Strip, [x, y]: &Term<'_>, places: Range<usize>) {
    strip.add_products(&x[0][places.clone()], &y[1][places.clone()]);
    strip.add_products(&x[1][places.clone()], &y[0][places]);
}

/// What a mover proves to have moved: component `i` at the first, `i+2` at the second; nothing at the third party.
fn moved(hop: &Hop) -> Zeroizing<Vec<u64>> {
    match hop.source.get(hop.side) {
        Some(source) => placed(source, hop.rows, &hop.to),
        None => Zeroizing::new(vec![0; hop.source[0].len()]),
    }
}

/// `Q + mask` as three words, where `S = A + B + 2^64·Q`.
fn masked(Row(sum): &Row, mask: &[u64; WORDS]) -> [u64; WORDS] {
    let low = u128::from(sum[0]) + (u128::from(sum[1]) << 32);
    let high = u128::from(sum[2]) + (u128::from(sum[3]) << 32);
    let (a, b) = (sum[4], (low as u64).wrapping_sub(sum[4]));
    let quotient = ((low as i128 - i128::from(a) - i128::from(b)) >> 64) + high as i128 + SHIFT;
    let (low, carry) = (u128::from(mask[0]) | u128::from(mask[1]) << 64).overflowing_add(quotient as u128);
    [low as u64, (low >> 64) as u64, (mask[2] >> 1) + u64::from(carry)]
}

/// This party's shares of the weighted sums of `A + B + 2^64·Q` that its neighbours prove.
fn claim(prime: &Prime, weights: &[u64], sums: &[Row], ahead: &[u64], behind: &[u64]) -> Claim<u64> {
    let shares = |words: &[u64], share: &dyn Fn(&Row, &[u64; WORDS]) -> u64| {
        let each = sums.iter().zip(words.as_chunks::<WORDS>().0).map(|(sum, words)| share(sum, words));
        prime.inner(weights, &each.collect::<Vec<u64>>())
    };
    // Of the party after: A - 2^64·(mask + shift). Of the party before: B + 2^64·(Q + shift + mask).
    let minus = |Row(sum): &Row, mask: &[u64; WORDS]| {
        let mask = prime.add(prime.number(&[0, mask[0], mask[1], mask[2] >> 1]), prime.number(&[0, SHIFT as u64]));
        prime.sub(prime.number(&[sum[5]]), mask)
    };
    let plus = |Row(sum): &Row, masked: &[u64; WORDS]| prime.number(&[sum[6], masked[0], masked[1], masked[2]]);
    Claim { ahead: shares(ahead, &minus), behind: shares(behind, &plus) }
}

/// The factors of all terms modulo `p`, the first of them times its relation's raised weight: in the records' own memory, the lent
/// ones and those of hops behind the recorded ones.
fn vectors(prime: &Prime, records: &mut Records, lent: &[Term<'_>], mut weights: Weights<'_>) -> Vectors<Prime> {
    let (entries, products) = (records.entries(), records.x[0].len());
    let mut out = Vectors::<Prime> { a: std::mem::take(&mut records.x), y: std::mem::take(&mut records.y) };
    out.y.iter_mut().for_each(|y| wide(|| y.iter_mut().for_each(|y| *y = prime.narrow(*y))));
    out.a.iter_mut().chain(&mut out.y).for_each(|vector| reserve(vector, entries - products));
    let (mut term, mut lent) = (0, lent);
    for job in &records.jobs {
        match job {
            Job::Products { relations, terms, lent: true } => {
                let terms = split_off(&mut lent, *terms);
                for start in (0..*relations).step_by(PART) {
                    let weights = weights.take(PART.min(relations - start));
                    terms.iter().for_each(|factors| append(prime, &mut out, factors, start, weights));
                }
            }
            Job::Products { relations, terms, lent: false } => {
                for start in (0..*relations).step_by(PART) {
                    let weights = weights.take(PART.min(relations - start));
                    for from in (0..*terms).map(|at| term + at * relations + start) {
                        out.a.iter_mut().for_each(|a| weigh(prime, &mut a[from..from + weights.len()], weights));
                    }
                }
                term += relations * terms;
            }
            Job::Hop(hop) => add_hop(prime, &mut out, hop, &of_hop(hop, &mut weights)),
        }
    }
    out
}

/// Words times raised weights, below 2p.
fn weigh(prime: &Prime, words: &mut [u64], weights: &[u64]) {
    for (word, weight) in words.iter_mut().zip(weights) {
        *word = prime.shrink(u128::from(*word) * u128::from(*weight));
    }
}

/// Appends a term's lent factors of the relations from `start` on, as many as there are weights.
fn append(prime: &Prime, out: &mut Vectors<Prime>, [x, y]: &Term<'_>, start: usize, weights: &[u64]) {
    let places = start..start + weights.len();
    for (a, words) in out.a.iter_mut().zip(x) {
        let a = extended(a, weights.len());
        a.copy_from_slice(&words[places.clone()]);
        weigh(prime, a, weights);
    }
    for (y, words) in out.y.iter_mut().zip(y) {
        let (y, words) = (extended(y, weights.len()), &words[places.clone()]);
        wide(|| y.iter_mut().zip(words).for_each(|(y, word)| *y = prime.narrow(*word)));
    }
}

/// The weights of a hop's relations, below 2p.
fn of_hop(hop: &Hop, weights: &mut Weights<'_>) -> Vec<u64> {
    let (all, prime) = (hop.source[0].len(), weights.prime);
    let mut out = Vec::with_capacity(all);
    while out.len() < all {
        let raised = weights.take(PART.min(all - out.len()));
        out.extend(raised.iter().map(|raised| prime.shrink(u128::from(*raised))));
    }
    out
}

/// A hop's source stands unweighted; the second factors are the weights of where the rows went, a number that both movers
/// know, so that it is component `i+1` of a sharing.
fn add_hop(prime: &Prime, out: &mut Vectors<Prime>, hop: &Hop, weights: &[u64]) {
    for side in 0..2 {
        out.a[side].extend(hop.source[side].iter().map(|x| prime.narrow(*x)));
        if side + hop.side == 1 {
            let column = |weights: &[u64]| hop.to.iter().map(|to| weights[*to as usize]).collect::<Vec<u64>>();
            out.y[side].extend(weights.chunks(hop.rows).flat_map(column));
        } else {
            out.y[side].resize(out.a[side].len(), 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_words_are_those_of_the_coin_in_whatever_pieces_they_are_taken_and_again() {
        let mut subsets = Subsets::new(Stream::new(&[6; 32]));
        let due = Stream::new(&[6; 32]).words(4 * PART);
        for pieces in [[1, 64, PART, 63, PART, 5], [PART, PART, 1, 1, PART - 1, 7]] {
            let mut taken = Vec::new();
            pieces.iter().for_each(|relations| taken.extend_from_slice(subsets.take(*relations)));
            assert!(taken == due[..taken.len()] && taken.len() == pieces.iter().sum::<usize>());
            subsets.again();
        }
    }
}
