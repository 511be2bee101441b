//! The check of recorded bit relations: from 64 products a word to one inner product over GF(2^128) with an entry a word.
//!
//! Equal places of 128 words are the coefficients of one element of GF(2^128), so one random weight an element tells whether
//! all of 128 relations hold: a false one is missed with probability 2^-128. The 64 places of a word are the points of
//! {0, 1}^6 of a polynomial over GF(2) of degree one in six variables; the prover gives the weighted sums of products on
//! {0, 1, infinity}^6 (as in [`crate::prove`], whose first round this is). Those on {0, 1}^6 are the claims themselves, so
//! 665 elements remain. Until the coin picks a point in GF(2^128)^6 all is exclusive or and conjunction of bits; afterwards
//! every word is one element.

use mpc_block::{Block, Unreduced};
use mpc_core::Abort;
use zeroize::Zeroizing;

use crate::expand::{Room, bases, linear_weights, square_weights};
use crate::field::Field;
use crate::gf::{Gf, times_t};
use crate::link::Link;
use crate::planes::{GROUP, LANES, Map, PLACES, Planes, WIDTH, planes};
use crate::prove::{Claim, Vectors, prove, share};
use crate::record::Records;

/// Variables of a word's polynomial.
const DIMS: u32 = 6;
/// Points of {0, 1, infinity}^6.
const POINTS: usize = 729;

/// Verifies all records. The parties have agreed on their shapes.
///
/// # Errors
/// [`Abort`] when a relation does not hold, or a peer is gone or misbehaves.
pub(crate) async fn verify(link: &mut Link, records: &Records) -> Result<(), Abort> {
    let groups = records.relations().div_ceil(GROUP);
    let mut coin = link.coin("words").await?;
    let weights = coin.blocks(groups * WIDTH);
    let bases = bases(DIMS);
    let mut products = products(records, &weights);
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
    let vectors = vectors(records, &weights, &Map::new(&linear_weights(&Gf, &point)));
    prove(link, &Gf, vectors, Claim { ahead, behind }).await
}

/// A group's planes of a pair of components.
fn group(pair: &[Vec<u64>; 2], at: usize) -> [Planes; 2] {
    let part = |vector: &Vec<u64>| at * GROUP..vector.len().min((at + 1) * GROUP);
    planes(&pair[0][part(&pair[0])], &pair[1][part(&pair[1])])
}

/// The weighted sums of what this party proves, at all points.
fn products(records: &Records, weights: &[Block]) -> Zeroizing<Vec<Block>> {
    let mut sums: Vec<Unreduced> = (0..POINTS).map(|_| Unreduced::new()).collect();
    let mut product = Zeroizing::new([Block::ZERO; WIDTH]);
    let mut rooms = [(); 4].map(|()| Room::new(DIMS, WIDTH));
    for (at, weights) in weights.chunks_exact(WIDTH).enumerate() {
        let ([x_own, x_next], [y_own, y_next]) = (group(&records.x, at), group(&records.y, at));
        let [first, second, third, fourth] = &mut rooms;
        let x_own = first.expand(&Gf, x_own.chunks_exact(WIDTH), WIDTH);
        let x_next = second.expand(&Gf, x_next.chunks_exact(WIDTH), WIDTH);
        let y_own = third.expand(&Gf, y_own.chunks_exact(WIDTH), WIDTH);
        let y_next = fourth.expand(&Gf, y_next.chunks_exact(WIDTH), WIDTH);
        let points = x_own.as_chunks::<WIDTH>().0.iter().zip(y_next.as_chunks::<WIDTH>().0);
        let others = x_next.as_chunks::<WIDTH>().0.iter().zip(y_own.as_chunks::<WIDTH>().0);
        for (sum, ((a, b), (c, d))) in sums.iter_mut().zip(points.zip(others)) {
            *product = std::array::from_fn(|k| (a[k] & b[k]) ^ (c[k] & d[k]));
            sum.add_dot(weights, &product[..]);
        }
    }
    Zeroizing::new(sums.into_iter().map(Unreduced::reduce).collect())
}

/// This party's shares of the weighted sums at {0, 1}^6 that the party after and the party before prove: of `w_{i+1}` and
/// of `f_i`.
fn claims(records: &Records, weights: &[Block]) -> [Vec<Block>; 2] {
    let mut sums = [(); 2].map(|()| (0..PLACES).map(|_| Unreduced::new()).collect::<Vec<_>>());
    for (at, weights) in weights.chunks_exact(WIDTH).enumerate() {
        let range = at * GROUP..records.relations().min((at + 1) * GROUP);
        let both = planes(&records.w[1][range.clone()], &records.f[range]);
        for (sums, planes) in sums.iter_mut().zip(&both) {
            sums.iter_mut().zip(planes.chunks_exact(WIDTH)).for_each(|(sum, plane)| sum.add_dot(weights, plane));
        }
    }
    sums.map(|sums| sums.into_iter().map(Unreduced::reduce).collect())
}

/// The factors at the point that the map stands for, the first of them times its weight.
fn vectors(records: &Records, weights: &[Block], map: &Map) -> Vectors<Gf> {
    let room = || Vec::with_capacity(weights.len() * LANES);
    let mut out = Vectors::<Gf> { a: [room(), room()], y: [room(), room()] };
    for (at, weights) in weights.chunks_exact(WIDTH).enumerate() {
        for (side, planes) in group(&records.x, at).iter().enumerate() {
            let elements = map.apply(planes);
            for (lanes, weight) in elements.chunks_exact(LANES).zip(weights) {
                let powers = std::iter::successors(Some(*weight), |power| Some(times_t(*power)));
                out.a[side].extend(lanes.iter().zip(powers).map(|(x, power)| x.gf_mul(power)));
            }
        }
        for (side, planes) in group(&records.y, at).iter().enumerate() {
            out.y[side].extend_from_slice(&map.apply(planes));
        }
    }
    out
}
