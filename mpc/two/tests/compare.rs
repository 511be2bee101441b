//! Comparisons and operations on bits against plain ones.

mod common;

use common::{LENGTHS, agreed, both, open_bits, pairs, share, some};
use mpc_core::{Abort, Context};
use mpc_two::{BitShares, Network, Parameters, Two};

async fn ordered(mut ctx: Context, len: usize) -> Result<(Vec<bool>, Vec<bool>, Vec<bool>), Abort> {
    let mut two = Two::setup(&mut ctx).await?;
    let (x, y) = pairs(len);
    let (x, y) = (share(&mut two, &x).await?, share(&mut two, &y).await?);
    let negative = two.negative(&x).await?;
    let near = two.less(&x, &y).await?;
    let any = two.less_any(&x, &y).await?;
    Ok((open_bits(&mut two, &negative).await?, open_bits(&mut two, &near).await?, open_bits(&mut two, &any).await?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signed_comparisons_are_right_for_all_edges_and_lengths() {
    for len in LENGTHS {
        let (negative, near, any) = agreed(both(|ctx| ordered(ctx, len)).await);
        let (x, y) = pairs(len);
        assert_eq!((negative.len(), near.len(), any.len()), (len, len, len));
        let answers = negative.into_iter().zip(near).zip(any);
        for ((x, y), ((negative, near), any)) in x.into_iter().zip(y).zip(answers) {
            let (x, y) = (x as i64, y as i64);
            assert_eq!(negative, x < 0, "{x}");
            assert_eq!(any, x < y, "{x} {y}");
            // The cheap one is the sign of the difference, which is right where that does not overflow.
            assert_eq!(near, x.wrapping_sub(y) < 0, "{x} {y}");
            assert!(x.checked_sub(y).is_none() || near == (x < y), "{x} {y}");
        }
    }
}

/// Values of party `me`; every third one is the same at both, and the others differ in one bit at least half of the
/// time.
fn private(me: usize, len: usize) -> Vec<u64> {
    let other = |at: usize| if me == 0 { 0 } else { 1 << (7 * at % 64) };
    let value = |(at, word): (usize, u64)| if at.is_multiple_of(3) { word } else { word ^ other(at) };
    some(len, 5).into_iter().enumerate().map(value).collect()
}

async fn matched(
    mut ctx: Context,
    len: usize,
    parameters: Parameters,
    widths: &'static [u32],
) -> Result<Vec<Vec<bool>>, Abort> {
    let mut two = Two::setup_with(&mut ctx, parameters).await?;
    let mut out = Vec::new();
    for bits in widths {
        let equal = two.equal(&private(two.me(), len), *bits).await?;
        out.push(open_bits(&mut two, &equal).await?);
    }
    Ok(out)
}

async fn equality_is_right(len: usize, parameters: Parameters, widths: &'static [u32]) {
    let out = agreed(both(|ctx| matched(ctx, len, parameters, widths)).await);
    let (zero, one) = (private(0, len), private(1, len));
    for (bits, equal) in widths.iter().zip(out) {
        let due: Vec<bool> = zero.iter().zip(&one).map(|(x, y)| (x ^ y) << (64 - bits) == 0).collect();
        assert_eq!(equal, due, "{bits} bits, {len} values");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn private_equality_is_right_for_all_lengths_and_widths() {
    for len in LENGTHS {
        equality_is_right(len, Parameters::default(), &[1, 3, 4, 5, 8, 33, 61, 64]).await;
    }
    equality_is_right(130, Parameters { network: Network::Wan }, &[64]).await;
}

async fn logic(mut ctx: Context, len: usize) -> Result<Vec<Vec<bool>>, Abort> {
    let mut two = Two::setup(&mut ctx).await?;
    let words = |seed: u64| some(len.div_ceil(64), seed);
    let (x, y) = (BitShares::of(words(20 + two.me() as u64), len), BitShares::of(words(30 + two.me() as u64), len));
    let both = two.and(&x, &y).await?;
    let neither = two.and(&two.not(&x), &two.not(&y)).await?;
    let mut out = Vec::new();
    for bits in [&x, &y, &both, &neither, &x.xor(&y)] {
        out.push(open_bits(&mut two, bits).await?);
    }
    Ok(out)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn and_not_and_exclusive_or_follow_their_tables() {
    for len in LENGTHS {
        let out = agreed(both(|ctx| logic(ctx, len)).await);
        assert!(out.iter().all(|bits| bits.len() == len));
        let table = |at: usize| {
            let (x, y) = (out[0][at], out[1][at]);
            [out[2][at], out[3][at], out[4][at]] == [x && y, !x && !y, x != y]
        };
        assert!((0..len).all(table), "{len}");
    }
}
