//! The check of recorded bit relations: from 64 products a word to one inner product over GF(2^128) with an entry a word.
//!
//! Equal places of 128 words are the coefficients of one element of GF(2^128), so one random weight an element tells whether
//! all of 128 relations hold: a false one is missed with probability 2^-128. The 64 places of a word are the points of
//! {0, 1}^6 of a polynomial over GF(2) of degree one in six variables; the prover gives the weighted sums of products on
//! {0, 1, infinity}^6 (as in [`crate::prove`], whose first round this is). Those on {0, 1}^6 are the claims themselves, so
//! 665 elements remain. Until the coin picks a point in GF(2^128)^6 all is exclusive or and conjunction of bits; afterwards
//! every word is one element.

use base_vector::wide::wide;
use bytemuck::{must_cast_slice, must_cast_slice_mut};
use mpc_block::{Block, Unreduced, gf_mul_all};
use mpc_core::Abort;
use zeroize::Zeroizing;

use crate::expand::{Room, bases, linear_weights, square_weights};
use crate::field::Field;
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

/// Verifies all records and the lent factors behind them. The parties have agreed on their shapes.
///
/// # Errors
/// [`Abort`] when a relation does not hold, or a peer is gone or misbehaves.
pub(crate) async fn verify(link: &mut Link, records: &mut Records, lent: &[Term<'_>]) -> Result<(), Abort> {
    let groups = records.relations().div_ceil(GROUP);
    let mut coin = link.coin("words").await?;
    let weights = coin.blocks(groups * WIDTH);
    let bases = bases(DIMS);
    let mut products = products(records, lent, &weights);
    // From the last place to the first, so that the numbers of those before stay right.
    bases.iter().rev().for_each(|row| {
        products.remove(*row);
    });
    let mut shares = share(link, &Gf, &products).await?;
    for (shares, claims) in shares.iter_mut().zip(claims(records, &weights)) {
        bases.iter().zip(claims.iter()).for_each(|(row, claim)| shares.insert(*row, *claim));
    }
    let mut coin = link.coin("places").await?;
    let point = coin.blocks(DIMS as usize);
    let by = square_weights(&Gf, &point);
    let [ahead, behind] = shares.map(|shares| Gf.inner(&by, &shares));
    let mut vectors = vectors(records, &weights, &Map::new(&linear_weights(&Gf, &point)));
    prove(link, &Gf, &mut vectors, Claim { ahead, behind }).await?;
    records.room = [std::mem::take(&mut vectors.a), std::mem::take(&mut vectors.y)];
    records.room.iter_mut().flatten().for_each(Vec::clear);
    Ok(())
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
    fn add(&mut self, [x, y]: [&[Wiped<Block>; 2]; 2], weights: &[Block], sums: &mut [Unreduced]) {
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
fn products(records: &mut Records, lent: &[Term<'_>], weights: &[Block]) -> Zeroizing<Vec<Block>> {
    let (Records { x, y, .. }, mut queue) = (records, Queue::new(lent));
    x.iter_mut().chain(&mut *y).for_each(|words| reserve(words, weights.len() / WIDTH * GROUP - words.len()));
    let (mut turner, mut points) = (Turner::new(), Points::new());
    let (mut x_planes, mut y_planes) = (Turned::new(), Turned::new());
    let mut sums: Vec<Unreduced> = (0..POINTS).map(|_| Unreduced::new()).collect();
    for (span, weights) in weights.chunks(WIDE).enumerate() {
        for group in span * SPAN..span * SPAN + weights.len() / WIDTH {
            queue.fill(x, y, (group + 1) * GROUP);
            x_planes.turn(&mut turner, x, group);
            y_planes.turn(&mut turner, y, group);
        }
        points.add([&x_planes.span, &y_planes.span], weights, &mut sums);
    }
    Zeroizing::new(sums.into_iter().map(Unreduced::reduce).collect())
}

/// This party's shares of the weighted sums at {0, 1}^6 that the party after and the party before prove: of `w_{i+1}` and
/// of `f_i`.
fn claims(records: &Records, weights: &[Block]) -> [Vec<Block>; 2] {
    let mut sums = [(); 2].map(|()| (0..PLACES).map(|_| Unreduced::new()).collect::<Vec<_>>());
    let (mut turner, mut both) = (Turner::new(), [room(), room()]);
    for (at, weights) in weights.chunks_exact(WIDTH).enumerate() {
        let range = at * GROUP..records.relations().min((at + 1) * GROUP);
        let [next, f] = &mut both;
        turner.turn(&records.w[1][range.clone()], &records.f[range], [next, f]);
        for (sums, planes) in sums.iter_mut().zip(&both) {
            sums.iter_mut().zip(planes.chunks_exact(WIDTH)).for_each(|(sum, plane)| sum.add_dot(weights, plane));
        }
    }
    sums.map(|sums| sums.into_iter().map(Unreduced::reduce).collect())
}

/// The factors at the point that the map stands for, the first of them times its weight; from the planes that [`products`] left, in
/// the room of those before.
fn vectors(records: &mut Records, weights: &[Block], map: &Map) -> Vectors<Gf> {
    let [mut a, mut y] = std::mem::take(&mut records.room);
    a.iter_mut().chain(&mut y).for_each(|room| reserve(room, weights.len() * LANES));
    let (mut planes, mut images, mut by) = (room(), Images::new(), Vec::with_capacity(GROUP));
    for (at, weights) in weights.chunks_exact(WIDTH).enumerate() {
        let range = at * GROUP..(at + 1) * GROUP;
        by.clear();
        by.extend(weights.iter().flat_map(|weight| powers(*weight)));
        for (a, words) in a.iter_mut().zip(&records.x) {
            must_cast_slice_mut::<Block, u64>(&mut planes).copy_from_slice(&words[range.clone()]);
            let elements = map.apply(&planes, &mut images);
            gf_mul_all(elements, &by);
            a.extend_from_slice(elements);
        }
        for (y, words) in y.iter_mut().zip(&records.y) {
            must_cast_slice_mut::<Block, u64>(&mut planes).copy_from_slice(&words[range.clone()]);
            y.extend_from_slice(map.apply(&planes, &mut images));
        }
    }
    Vectors { a, y }
}

/// A block's weight times `t^lane`, for every lane.
fn powers(weight: Block) -> impl Iterator<Item = Block> {
    std::iter::successors(Some(weight), |power| Some(times_t(*power))).take(LANES)
}
