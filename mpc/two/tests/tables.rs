//! Shuffles, rows that move to secret places, compaction and scans, against plain ones.

mod common;

use common::{LENGTHS, agreed, both, open, share, some};
use mpc_core::{Abort, Blame, Context};
use mpc_share::Carried;
use mpc_two::{BitShares, Network, Parameters, Two};

async fn shuffled(mut ctx: Context, rows: u64, network: Network) -> Result<Vec<Vec<u64>>, Abort> {
    let mut two = Two::setup_with(&mut ctx, Parameters { network }).await?;
    let numbers: Vec<u64> = (0..rows).collect();
    let squares: Vec<u64> = numbers.iter().map(|row| row * row).collect();
    let columns = vec![share(&mut two, &numbers).await?, share(&mut two, &squares).await?];
    let mut out = Vec::new();
    for column in two.shuffle(columns).await? {
        out.push(open(&mut two, &column).await?);
    }
    assert!(two.shuffle(Vec::new()).await?.is_empty());
    Ok(out)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shuffle_keeps_rows_whole() {
    for (rows, network) in
        [(0, Network::Lan), (1, Network::Lan), (2, Network::Lan), (500, Network::Lan), (99, Network::Wan)]
    {
        let columns = agreed(both(|ctx| shuffled(ctx, rows, network)).await);
        assert!(columns[0].iter().zip(&columns[1]).all(|(x, square)| x * x == *square));
        let mut first = columns[0].clone();
        first.sort_unstable();
        assert_eq!(first, (0..rows).collect::<Vec<_>>());
        assert!(rows < 99 || columns[0] != first, "the order is another one");
    }
}

async fn many_orders(mut ctx: Context) -> Result<Vec<Vec<u64>>, Abort> {
    let mut two = Two::setup(&mut ctx).await?;
    let numbers = share(&mut two, &[0, 1, 2, 3, 4]).await?;
    let mut out = Vec::new();
    for _ in 0..90 {
        for column in two.shuffle(vec![numbers.clone()]).await? {
            out.push(open(&mut two, &column).await?);
        }
    }
    Ok(out)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_comes_to_every_place() {
    let mut seen = [[0; 5]; 5];
    for order in agreed(both(many_orders).await) {
        order.iter().enumerate().for_each(|(place, row)| seen[place][*row as usize] += 1);
    }
    // Eighteen are due; that a row comes to a place less than four times is chance once in ten thousand.
    assert!(seen.iter().flatten().all(|times| (4..40).contains(times)), "{seen:?}");
}

async fn moved(mut ctx: Context, to: Vec<u64>) -> Result<Vec<u64>, Abort> {
    let mut two = Two::setup(&mut ctx).await?;
    let numbers = share(&mut two, &(0..to.len() as u64).collect::<Vec<_>>()).await?;
    let to = share(&mut two, &to).await?;
    let mut columns = two.scatter(vec![numbers], &to).await?;
    let only = columns.pop().ok_or_else(|| Abort::local("no column"))?;
    open(&mut two, &only).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_move_to_the_places_that_they_are_told() {
    for len in [1, 2, 64, 300_u64] {
        let to: Vec<u64> = (0..len).map(|row| row * 7 % len).collect();
        let out = agreed(both(|ctx| moved(ctx, to.clone())).await);
        assert!(to.iter().enumerate().all(|(row, place)| out[*place as usize] == row as u64));
    }
    for to in [vec![0, 0, 1], vec![0, 1, 3], vec![u64::MAX, 0, 1]] {
        for outcome in both(|ctx| moved(ctx, to.clone())).await {
            assert!(outcome.is_err_and(|abort| matches!(abort.blame, Blame::Peer(_))));
        }
    }
}

/// Random bits of `len` elements, as this party's shares of them and in the clear.
fn bits(me: usize, len: usize, seed: u64) -> (BitShares, Vec<bool>) {
    let of = |seed: u64| BitShares::of(some(len.div_ceil(64), seed), len);
    let (zero, one) = (of(seed), of(seed + 1));
    let plain = zero.xor(&one);
    (if me == 0 { zero } else { one }, (0..len).map(|at| plain.get(at)).collect())
}

async fn compacted(mut ctx: Context, len: usize) -> Result<Vec<u64>, Abort> {
    let mut two = Two::setup(&mut ctx).await?;
    let values = share(&mut two, &some(len, 7)).await?;
    let (valid, _) = bits(two.me(), len, 50);
    let mut columns = two.compact(vec![values], &valid).await?;
    let only = columns.pop().ok_or_else(|| Abort::local("no column"))?;
    open(&mut two, &only).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_count_come_first_and_all_keep_their_order() {
    for len in LENGTHS {
        let out = agreed(both(|ctx| compacted(ctx, len)).await);
        let (values, valid) = (some(len, 7), bits(0, len, 50).1);
        let (first, last): (Vec<_>, Vec<_>) = values.into_iter().zip(valid).partition(|(_, valid)| *valid);
        assert_eq!(out, first.into_iter().chain(last).map(|(value, _)| value).collect::<Vec<_>>());
    }
}

/// Values whose differences fit their words.
fn values(len: usize) -> Vec<u64> {
    some(len, 12).iter().map(|word| (*word as i64 >> 1) as u64).collect()
}

async fn scanned(mut ctx: Context, len: usize) -> Result<[Vec<u64>; 3], Abort> {
    let mut two = Two::setup(&mut ctx).await?;
    let shared = share(&mut two, &values(len)).await?;
    let (same, _) = bits(two.me(), len, 60);
    let mut out: [Vec<u64>; 3] = Default::default();
    for (out, what) in out.iter_mut().zip([Carried::Sum, Carried::Max, Carried::First]) {
        let scanned = two.scan(what, &same, &shared).await?;
        *out = open(&mut two, &scanned).await?;
    }
    Ok(out)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scans_carry_along_their_segments_alone() {
    for len in [0, 1, 2, 3, 64, 65, 200] {
        let out = agreed(both(|ctx| scanned(ctx, len)).await);
        let (values, same) = (values(len), bits(0, len, 60).1);
        let mut carried = [0_u64; 3];
        for at in 0..len {
            let value = values[at];
            carried = if at > 0 && same[at] {
                let [sum, most, first] = carried;
                [sum.wrapping_add(value), (most as i64).max(value as i64) as u64, first]
            } else {
                [value; 3]
            };
            assert_eq!([0, 1, 2].map(|which: usize| out[which][at]), carried, "{at} of {len}");
        }
    }
}
