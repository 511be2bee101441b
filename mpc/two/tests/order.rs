//! The smaller, the larger and the largest, magnitudes, and sorted rows, against plain ones.

mod common;

use std::ops::RangeInclusive;

use common::{EDGES, LENGTHS, agreed, both, open, pairs, share, some};
use mpc_core::{Abort, Blame, Context};
use mpc_two::{Additive, BitShares, Network, Parameters, Two};

/// Pairs whose differences fit their words: a bit less of each.
fn halves(len: usize) -> (Vec<u64>, Vec<u64>) {
    let (x, y) = pairs(len);
    let half = |words: Vec<u64>| words.into_iter().map(|word| (word as i64 >> 1) as u64).collect();
    (half(x), half(y))
}

async fn compared(mut ctx: Context, len: usize) -> Result<Vec<Vec<u64>>, Abort> {
    let mut two = Two::setup(&mut ctx).await?;
    let (x, y) = halves(len);
    let (x, y) = (share(&mut two, &x).await?, share(&mut two, &y).await?);
    let third = two.constant(&vec![5; len]);
    let (largest, place) = two.argmax(&[&x, &y, &third]).await?;
    let all = [
        two.min(&x, &y).await?,
        two.max(&x, &y).await?,
        two.relu(&x).await?,
        two.abs(&x).await?,
        largest,
        place,
        two.argmax(&[&y]).await?.1,
    ];
    let mut out = Vec::new();
    for column in &all {
        out.push(open(&mut two, column).await?);
    }
    Ok(out)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn smaller_larger_and_largest_for_all_edges_and_lengths() {
    for len in LENGTHS {
        let out = agreed(both(|ctx| compared(ctx, len)).await);
        let (x, y) = halves(len);
        for at in 0..len {
            let (x, y) = (x[at] as i64, y[at] as i64);
            let due = [x.min(y), x.max(y), x.max(0), x.abs(), x.max(y).max(5)];
            assert_eq!([0, 1, 2, 3, 4].map(|which: usize| out[which][at] as i64), due, "{x} {y}");
            // The first column that has the largest value.
            let place = [x, y, 5].iter().position(|value| *value == due[4]);
            assert_eq!((Some(out[5][at] as usize), out[6][at]), (place, 0), "{x} {y}");
        }
    }
}

/// Rows of a key, the row's number and its square.
fn table(keys: &[i64]) -> [Vec<u64>; 3] {
    let numbers = 0..keys.len() as u64;
    [keys.iter().map(|key| *key as u64).collect(), numbers.clone().collect(), numbers.map(|row| row * row).collect()]
}

async fn sorted(
    mut ctx: Context,
    keys: Vec<i64>,
    range: RangeInclusive<i64>,
    network: Network,
) -> Result<Vec<Vec<u64>>, Abort> {
    let mut two = Two::setup_with(&mut ctx, Parameters { network }).await?;
    let mut columns = Vec::new();
    for column in table(&keys) {
        columns.push(share(&mut two, &column).await?);
    }
    let mut out = Vec::new();
    for column in two.sort(columns, 0, range).await? {
        out.push(open(&mut two, &column).await?);
    }
    Ok(out)
}

async fn check(keys: Vec<i64>, range: RangeInclusive<i64>, network: Network) {
    let out = agreed(both(|ctx| sorted(ctx, keys.clone(), range.clone(), network)).await);
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by_key(|row| keys[*row]);
    let due = table(&keys).map(|column| order.iter().map(|row| column[*row]).collect::<Vec<_>>());
    assert_eq!(out, due, "{range:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_come_into_order_and_equal_keys_keep_theirs() {
    let few = |len: usize| some(len, 9).iter().map(|word| (word % 7) as i64 - 3).collect::<Vec<_>>();
    for len in [0, 1, 2, 9, 65, 300] {
        check(few(len), -3..=3, Network::Lan).await;
    }
    check(vec![5; 40], 5..=5, Network::Lan).await;
    check(few(40), -3..=3, Network::Wan).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_every_width_are_sorted_up_to_their_edges() {
    let all: Vec<i64> = EDGES.into_iter().chain(some(60, 4).iter().map(|word| *word as i64)).collect();
    check(all.clone(), i64::MIN..=i64::MAX, Network::Lan).await;
    for bits in [1, 31, 32, 61, 62] {
        // With 63 bits and less, the number has no top bit.
        let most = (1_i64 << bits) - 1;
        let mut keys: Vec<i64> = all.iter().map(|key| key >> (63 - bits)).collect();
        keys.extend([most, -most - 1, 0, -1]);
        check(keys, -most - 1..=most, Network::Lan).await;
    }
    check(all.iter().map(|key| (*key).max(-1)).collect(), -1..=i64::MAX, Network::Lan).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_that_do_not_fit_are_told_and_end_nothing() {
    let program = |mut ctx: Context| async move {
        let mut two = Two::setup(&mut ctx).await?;
        let (short, long) = (Additive::zeros(2), Additive::zeros(3));
        let local = |outcome: Option<Abort>| assert!(outcome.is_some_and(|abort| abort.blame == Blame::Local));
        local(two.min(&short, &long).await.err());
        local(two.choose(&two.not(&BitShares::of(vec![0], 2)), &short, &long).await.err());
        local(two.argmax(&[]).await.err());
        local(two.argmax(&[&short, &long]).await.err());
        local(two.sort(vec![short.clone(), long.clone()], 0, 0..=1).await.err());
        local(two.sort(vec![short.clone()], 1, 0..=1).await.err());
        local(two.sort(vec![short.clone()], 0, RangeInclusive::new(1, 0)).await.err());
        local(two.shuffle(vec![short.clone(), long.clone()]).await.err());
        local(two.shuffle(vec![Additive::zeros((1 << 20) + 1)]).await.err());
        local(two.scatter(vec![short.clone()], &long).await.err());
        local(two.compact(vec![long], &BitShares::of(vec![0], 2)).await.err());
        open(&mut two, &short).await
    };
    assert_eq!(agreed(both(program).await), [0, 0]);
}
