//! Two parties over the in-memory network, and values at the edges.

#![allow(dead_code)]

use std::future::Future;
use std::time::Duration;

use mpc_core::{Abort, Context, memory};
use mpc_two::{Additive, BitShares, Two};

/// Lengths around the borders of words and slices.
pub const LENGTHS: [usize; 6] = [0, 1, 63, 64, 65, 1000];

/// Numbers where signs, carries and wraps change.
pub const EDGES: [i64; 12] =
    [0, 1, -1, 2, i64::MIN, i64::MAX, i64::MIN + 1, i64::MAX - 1, 1 << 32, -(1 << 32), 0x0123_4567_89ab_cdef, -77];

/// Runs the same program at both parties. A run that hangs fails the test.
pub async fn both<T, F>(program: impl Fn(Context) -> F) -> [T; 2]
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut contexts = memory::contexts(memory::network(2), [33; 32]).into_iter();
    let zero = tokio::spawn(program(contexts.next().unwrap()));
    let one = tokio::spawn(program(contexts.next().unwrap()));
    let both = async { [zero.await.expect("no panic"), one.await.expect("no panic")] };
    tokio::time::timeout(Duration::from_secs(60), both).await.expect("no party waits for ever")
}

/// What both parties know after a run that revealed to both.
pub fn agreed<T: PartialEq + std::fmt::Debug>(results: [Result<T, Abort>; 2]) -> T {
    let [zero, one] = results.map(|result| result.expect("an honest run"));
    assert_eq!(zero, one);
    zero
}

/// Shares of values of party 0.
pub async fn share(two: &mut Two, values: &[u64]) -> Result<Additive, Abort> {
    let mine = if two.me() == 0 { values } else { &[] };
    two.input(0, mine, values.len()).await
}

/// The values, at both parties.
pub async fn open(two: &mut Two, x: &Additive) -> Result<Vec<u64>, Abort> {
    let zero = two.reveal(0, x).await?;
    let one = two.reveal(1, x).await?;
    Ok(zero.or(one).unwrap_or_default())
}

/// The bits, at both parties.
pub async fn open_bits(two: &mut Two, x: &BitShares) -> Result<Vec<bool>, Abort> {
    let zero = two.reveal_bits(0, x).await?;
    let one = two.reveal_bits(1, x).await?;
    Ok(zero.or(one).unwrap_or_default())
}

/// Values without a pattern.
pub fn some(count: usize, seed: u64) -> Vec<u64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state ^ (state >> 29)
    };
    (0..count).map(|_| next()).collect()
}

/// `count` pairs: every pair of edges first, as far as there is room, then others.
pub fn pairs(count: usize) -> (Vec<u64>, Vec<u64>) {
    let edges = EDGES.iter().flat_map(|x| EDGES.iter().map(|y| (*x as u64, *y as u64)));
    let others = some(count, 1).into_iter().zip(some(count, 2));
    edges.chain(others).take(count).unzip()
}
