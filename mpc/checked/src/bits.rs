//! The check of recorded bit relations: from 64 products a word to one inner product over GF(2^128) with an entry a word.
//!
//! Equal places of 128 words are the coefficients of one element of GF(2^128), so one random weight an element tells whether
//! all of 128 relations hold: a false one is missed with probability 2^-128. The 64 places of a word are the points of
//! {0, 1}^6 of a polynomial over GF(2) of degree one in six variables; the prover gives the weighted sums of products on
//! {0, 1, infinity}^6 (as in [`crate::prove`], whose first round this is). Those on {0, 1}^6 are the claims themselves, so
//! 665 elements remain. Until the coin picks a point in GF(2^128)^6 all is exclusive or and conjunction of bits; afterwards
//! every word is one element.
//!
//! Of many words two make one element: which of the two is a seventh variable. They share a weight, but each has claims of its own.
//! 2059 elements are sent then, and half as many are proven, for half more conjunctions.

use base_vector::wide::wide;
use bytemuck::{must_cast_slice, must_cast_slice_mut};
use mpc_block::{Block, Unreduced, gf_dot, gf_mul_all, xor_into};
use mpc_core::Abort;
use zeroize::Zeroizing;

use crate::expand::{Room, bases, linear_weights, square_weights};
use crate::gf::{Gf, times_t};
use crate::link::Link;
use crate::planes::{GROUP, Images, LANES, Map, PLACES, Planes, Turner, WIDTH, room};
use crate::prove::{Claim, Vectors, prove, share};
use crate::record::{Queue, Records, Term};
use crate::wiped::{Wiped, reserve};

/// Variables of a word's polynomial.
const DIMS: u32 = 6;
/// Half of them: three are set to {0, 1, infinity} first, then the others for each of these points, in a cache's room.
const HALF: u32 = DIMS / 2;
/// Places that differ in the second half of the variables alone.
const INNER: usize = 1 << HALF;
/// Points of {0, 1, infinity}^3.
const SIDE: usize = 27;
/// Points of {0, 1, infinity}^6.
const POINTS: usize = SIDE * SIDE;
/// Groups whose planes lie side by side where points are computed: long rows, and a sum less for every row.
const SPAN: usize = 2;
/// Blocks of a plane of a span.
const WIDE: usize = SPAN * WIDTH;
/// Relations from which on two words make one element.
const MANY: usize = 1 << 16;

/// How many words make one element.
const fn sides_of(relations: usize) -> usize {
    if relations < MANY { 1 } else { 2 }
}

/// How many groups there are, with those that fill up whole spans on both sides.
const fn groups_of(relations: usize, sides: usize) -> usize {
    let groups = relations.div_ceil(GROUP);
    if sides == 1 { groups } else { groups.next_multiple_of(sides * SPAN) }
}

/// The group on a side whose words have weights number `at`: spans of both sides take turns.
const fn group_at(at: usize, side: usize, sides: usize) -> usize {
    (at / SPAN * sides + side) * SPAN + at % SPAN
}

/// Verifies all records and the lent factors behind them. The parties have agreed on their shapes.
///
/// # Errors
/// [`Abort`] when a relation does not hold, or a peer is gone or misbehaves.
pub(crate) async fn verify(link: &mut Link, records: &mut Records, lent: &[Term<'_>]) -> Result<(), Abort> {
    let sides = sides_of(records.relations());
    let mut coin = link.coin("words").await?;
    let weights = coin.blocks(groups_of(records.relations(), sides) / sides * WIDTH);
    let dims = DIMS + u32::from(sides > 1);
    let bases = bases(dims);
    let products = Zeroizing::new(without(&products(records, lent, &weights, sides), &bases));
    let shares = share(link, &Gf, &products).await?;
    let claims = claims(records, &weights, sides);
    let mut coin = link.coin("places").await?;
    let point = coin.blocks(dims as usize);
    let by = square_weights(&Gf, &point);
    let (by_rest, by_bases) = (without(&by, &bases), bases.iter().map(|row| by[*row]).collect::<Vec<Block>>());
    let value = |at: usize| gf_dot(&by_rest, &shares[at]) ^ gf_dot(&by_bases, &claims[at]);
    let claim = Claim { ahead: value(0), behind: value(1) };
    let mut vectors = vectors(records, &weights, &Map::new(&linear_weights(&Gf, &point)), sides);
    prove(link, &Gf, &mut vectors, claim).await?;
    records.room = [std::mem::take(&mut vectors.a), std::mem::take(&mut vectors.y)];
    records.room.iter_mut().flatten().for_each(Vec::clear);
    Ok(())
}

/// All entries but those of some rows, which ascend.
fn without(all: &[Block], rows: &[usize]) -> Vec<Block> {
    let rest = all.iter().enumerate().filter(|(at, _)| rows.binary_search(at).is_err());
    rest.map(|(_, entry)| *entry).collect()
}

/// A pair of components as planes: of one group, and of a span, place by place the groups side by side.
struct Turned {
    group: [Planes; 2],
    span: [Wiped<Block>; 2],
}

impl Turned {
    fn new() -> Self {
        Self { group: [room(), room()], span: [(); 2].map(|()| Wiped::zeros(PLACES * WIDE)) }
    }

    /// Turns a group's words into planes, which take the words' place, and puts them into the span.
    fn turn(&mut self, turner: &mut Turner, pair: &mut [Vec<u64>; 2], group: usize) {
        let range = group * GROUP..(group + 1) * GROUP;
        let [first, second] = &mut self.group;
        let [own, next] = pair.each_mut().map(|words| &mut words[range.clone()]);
        turner.turn(own, next, [&mut *first, &mut *second]);
        for (words, (planes, span)) in [own, next].into_iter().zip(self.group.iter().zip(&mut self.span)) {
            words.copy_from_slice(must_cast_slice::<Block, u64>(planes));
            let places = span.as_chunks_mut::<WIDTH>().0.iter_mut().skip(group % SPAN).step_by(SPAN);
            places.zip(planes.as_chunks::<WIDTH>().0).for_each(|(place, plane)| *place = *plane);
        }
    }

    /// Adds another span.
    fn add(&mut self, other: &Self) {
        self.span.iter_mut().zip(&other.span).for_each(|(span, other)| xor_into(span, other));
    }
}

/// The rows at {0, 1, infinity}^3 of those at {0, 1}^3, each `len` blocks long.
fn expand<'a>(room: &'a mut Room<Block>, rows: &[Block], len: usize) -> &'a [Block] {
    room.expand(&Gf, rows.chunks_exact(len), len)
}

/// The sums of two conjunctions.
fn conjunctions(own: [&[Block]; 2], next: [&[Block]; 2], out: &mut [Block]) {
    let ([a, b], [c, d]) = (own.map(must_cast_slice::<Block, u64>), next.map(must_cast_slice::<Block, u64>));
    let out = must_cast_slice_mut::<Block, u64>(out);
    wide(|| {
        for (out, ((a, b), (c, d))) in out.iter_mut().zip(a.iter().zip(b).zip(c.iter().zip(d))) {
            *out = (a & b) ^ (c & d);
        }
    });
}

/// Room in which the planes of a span are expanded and multiplied, used again and again and wiped once at its end.
struct Points {
    outer: [Room<Block>; 4],
    inner: [Room<Block>; 4],
    product: Wiped<Block>,
}

impl Points {
    fn new() -> Self {
        let outer = [(); 4].map(|()| Room::new(HALF, INNER * WIDE));
        let inner = [(); 4].map(|()| Room::new(HALF, WIDE));
        Self { outer, inner, product: Wiped::zeros(SIDE * WIDE) }
    }

    /// Adds the weighted products of a span at all points; where there are fewer weights than blocks, of its first blocks alone.
    fn add(&mut self, [x, y]: &[Turned; 2], weights: &[Block], sums: &mut [Unreduced]) {
        let (x, y) = (&x.span, &y.span);
        let [first, second, third, fourth] = &mut self.outer;
        let (a, b) = (expand(first, &x[0], INNER * WIDE), expand(second, &y[1], INNER * WIDE));
        let (c, d) = (expand(third, &x[1], INNER * WIDE), expand(fourth, &y[0], INNER * WIDE));
        for (point, sums) in sums.chunks_exact_mut(SIDE).enumerate() {
            let part = point * INNER * WIDE..(point + 1) * INNER * WIDE;
            let [first, second, third, fourth] = &mut self.inner;
            let own = [expand(first, &a[part.clone()], WIDE), expand(second, &b[part.clone()], WIDE)];
            let next = [expand(third, &c[part.clone()], WIDE), expand(fourth, &d[part], WIDE)];
            conjunctions(own, next, &mut self.product);
            let rows = self.product.chunks_exact(WIDE);
            sums.iter_mut().zip(rows).for_each(|(sum, product)| sum.add_dot(weights, product));
        }
    }
}

/// The weighted sums of what this party proves, at all points. Afterwards all factors, lent ones too, stand as planes in the records,
/// group after group.
fn products(records: &mut Records, lent: &[Term<'_>], weights: &[Block], sides: usize) -> Zeroizing<Vec<Block>> {
    let (Records { x, y, .. }, mut queue) = (records, Queue::new(lent));
    let len = weights.len() / WIDTH * sides * GROUP;
    x.iter_mut().chain(&mut *y).for_each(|words| reserve(words, len - words.len()));
    let (mut turner, mut points) = (Turner::new(), Points::new());
    let mut planes: Vec<[Turned; 2]> = (0..sides).map(|_| [Turned::new(), Turned::new()]).collect();
    let count = if sides == 1 { POINTS } else { 3 * POINTS };
    let mut sums: Vec<Unreduced> = (0..count).map(|_| Unreduced::new()).collect();
    for (span, weights) in weights.chunks(WIDE).enumerate() {
        for (side, [x_planes, y_planes]) in planes.iter_mut().enumerate() {
            for at in span * SPAN..span * SPAN + weights.len() / WIDTH {
                let group = group_at(at, side, sides);
                queue.fill(x, y, (group + 1) * GROUP);
                x_planes.turn(&mut turner, x, group);
                y_planes.turn(&mut turner, y, group);
            }
        }
        planes.iter().zip(sums.chunks_exact_mut(POINTS)).for_each(|(side, sums)| points.add(side, weights, sums));
        if let [zero, one] = &mut planes[..] {
            // What stands at infinity is the difference.
            zero.iter_mut().zip(&*one).for_each(|(zero, one)| zero.add(one));
            points.add(zero, weights, &mut sums[2 * POINTS..]);
        }
    }
    Zeroizing::new(sums.into_iter().map(Unreduced::reduce).collect())
}

/// This party's shares of the weighted sums at {0, 1}^6, or at {0, 1}^7, that the party after and the party before prove: of
/// `w_{i+1}` and of `f_i`.
fn claims(records: &Records, weights: &[Block], sides: usize) -> [Vec<Block>; 2] {
    let mut sums = [(); 2].map(|()| (0..sides * PLACES).map(|_| Unreduced::new()).collect::<Vec<_>>());
    let (mut turner, mut both) = (Turner::new(), [room(), room()]);
    for (at, weights) in weights.chunks_exact(WIDTH).enumerate() {
        for side in 0..sides {
            let [start, end] = [0, 1].map(|more| records.relations().min((group_at(at, side, sides) + more) * GROUP));
            let [next, f] = &mut both;
            turner.turn(&records.w[1][start..end], &records.f[start..end], [next, f]);
            for (sums, planes) in sums.iter_mut().zip(&both) {
                let sums = sums[side * PLACES..].iter_mut();
                sums.zip(planes.chunks_exact(WIDTH)).for_each(|(sum, plane)| sum.add_dot(weights, plane));
            }
        }
    }
    sums.map(|sums| sums.into_iter().map(Unreduced::reduce).collect())
}

/// The factors at the point that the map stands for, the first of them times its weight; from the planes that [`products`] left, in
/// the room of those before.
fn vectors(records: &mut Records, weights: &[Block], map: &Map, sides: usize) -> Vectors<Gf> {
    let [mut a, mut y] = std::mem::take(&mut records.room);
    a.iter_mut().chain(&mut y).for_each(|room| reserve(room, weights.len() * LANES));
    let (mut images, mut by) = (Images::new(), Vec::with_capacity(GROUP));
    let mut planes = Planes::zeros(sides * PLACES * WIDTH);
    for (at, weights) in weights.chunks_exact(WIDTH).enumerate() {
        by.clear();
        by.extend(weights.iter().flat_map(|weight| powers(*weight)));
        for (a, words) in a.iter_mut().zip(&records.x) {
            gather(words, at, sides, &mut planes);
            let elements = map.apply(&planes, &mut images);
            gf_mul_all(elements, &by);
            a.extend_from_slice(elements);
        }
        for (y, words) in y.iter_mut().zip(&records.y) {
            gather(words, at, sides, &mut planes);
            y.extend_from_slice(map.apply(&planes, &mut images));
        }
    }
    Vectors { a, y }
}

/// The planes of the groups that have weights number `at`, one side after the other.
fn gather(words: &[u64], at: usize, sides: usize, planes: &mut [Block]) {
    for (side, planes) in planes.chunks_exact_mut(PLACES * WIDTH).enumerate() {
        let start = group_at(at, side, sides) * GROUP;
        must_cast_slice_mut::<Block, u64>(planes).copy_from_slice(&words[start..start + GROUP]);
    }
}

/// A block's weight times `t^lane`, for every lane.
fn powers(weight: Block) -> impl Iterator<Item = Block> {
    std::iter::successors(Some(weight), |power| Some(times_t(*power))).take(LANES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::Stream;

    /// Of `relations` random ones: the sums at all points, at a random point, and the claims, against each other.
    fn check(relations: usize, sides: usize) {
        let mut stream = Stream::new(&[2; 32]);
        let [x, y] = [(); 2].map(|()| [(); 2].map(|()| stream.words(relations)));
        let mut records = Records::default();
        records.f.resize(relations, 0);
        records.w[1].extend((0..relations).map(|at| (x[0][at] & y[1][at]) ^ (x[1][at] & y[0][at])));
        let (held, end) = (relations / 3, relations - relations / 7);
        let term = |from: usize, to: usize| [&x, &y].map(|pair| pair.each_ref().map(|words| &words[from..to]));
        let [x_held, y_held] = term(0, held);
        records.term(x_held, y_held);
        let weights = stream.blocks(groups_of(relations, sides) / sides * WIDTH);
        let sums = products(&mut records, &[term(held, end), term(end, relations)], &weights, sides);
        let dims = DIMS + u32::from(sides > 1);
        let (bases, claims) = (bases(dims), claims(&records, &weights, sides));
        assert_eq!((claims[0].len(), sums.len()), (bases.len(), 3_usize.pow(dims)));
        assert!(bases.iter().zip(&claims[0]).all(|(row, claim)| sums[*row] == *claim), "{relations} relations");
        assert!(claims[1].iter().all(|claim| *claim == Block::ZERO));
        let point = stream.blocks(dims as usize);
        let proven = vectors(&mut records, &weights, &Map::new(&linear_weights(&Gf, &point)), sides);
        let due = gf_dot(&proven.a[0], &proven.y[1]) ^ gf_dot(&proven.a[1], &proven.y[0]);
        assert!(gf_dot(&square_weights(&Gf, &point), &sums) == due, "{relations} relations, {sides} a word");
    }

    #[test]
    fn elements_have_the_inner_product_that_the_sums_of_bits_tell() {
        for relations in [1, GROUP, GROUP + 1, 2 * GROUP + 3, 3 * GROUP + 500] {
            check(relations, 1);
            check(relations, 2);
        }
        check(5 * GROUP - 1, 2);
    }

    #[test]
    fn every_group_has_one_place() {
        for (groups, sides) in [(7, 1), (8, 2), (64, 2)] {
            let places = (0..groups / sides).flat_map(|at| (0..sides).map(move |side| group_at(at, side, sides)));
            let mut all: Vec<usize> = places.collect();
            all.sort_unstable();
            assert!(all.into_iter().eq(0..groups));
        }
        assert_eq!((groups_of(1, 1), groups_of(MANY, 2), groups_of(MANY + 1, 2)), (1, 64, 68));
        assert_eq!((sides_of(MANY - 1), sides_of(MANY)), (1, 2));
        assert!(without(&[Block::ZERO, Block::ONE, Block::ONES], &[0, 2]) == [Block::ONE]);
    }
}
