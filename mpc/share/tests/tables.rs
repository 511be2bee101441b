//! Matrices, scans, moves, compaction and sorts by key words, against plain ones.

mod common;

use common::{input, three, words};
use mpc_core::Abort;
use mpc_share::{Arith, Carried, Rep3, Replicated, Words};

async fn opened(party: &mut Rep3, columns: &[Arith]) -> Result<Vec<Vec<u64>>, Abort> {
    let mut out = Vec::new();
    for column in columns {
        out.push(party.open(column).await?);
    }
    Ok(out)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn products_of_matrices_of_every_shape() {
    for [n, m, k] in [[1, 1, 1], [2, 3, 4], [5, 1, 17], [33, 20, 9], [4, 0, 3], [0, 2, 2], [64, 70, 65]] {
        let (x, y) = (words(1, n * m), words(2, m * k));
        let given = (x.clone(), y.clone());
        let out = three(21, move |mut party| {
            let (x, y) = given.clone();
            async move {
                let (a, b): (Arith, Arith) = (input(&mut party, &x).await?, input(&mut party, &y).await?);
                let product = party.matmul(&a, &b, [n, m, k]).await?;
                party.open(&product).await
            }
        })
        .await;
        let entry = |at: usize| {
            let (row, column) = (at / k, at % k);
            (0..m).fold(0u64, |sum, i| sum.wrapping_add(x[row * m + i].wrapping_mul(y[i * k + column])))
        };
        assert_eq!(out[2], (0..n * k).map(entry).collect::<Vec<_>>(), "{n} {m} {k}");
    }
}

fn scanned(what: Carried, same: &[u64], values: &[u64]) -> Vec<u64> {
    let mut carried = 0u64;
    let mut out = Vec::new();
    for (at, (same, value)) in same.iter().zip(values).enumerate() {
        let goes_on = at > 0 && *same == 1;
        carried = match (goes_on, what) {
            (false, _) => *value,
            (true, Carried::Sum) => carried.wrapping_add(*value),
            (true, Carried::Max) => (carried as i64).max(*value as i64) as u64,
            (true, Carried::First) => carried,
        };
        out.push(carried);
    }
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_segment_carries_for_every_length() {
    for len in [1, 2, 3, 7, 8, 100, 257] {
        for what in [Carried::Sum, Carried::Max, Carried::First] {
            let same: Vec<u64> = words(5, len).iter().map(|word| u64::from(word % 4 != 0)).collect();
            let values: Vec<u64> = words(6, len).iter().map(|word| (word % 1000).wrapping_sub(500)).collect();
            let given = (same.clone(), values.clone());
            let out = three(22, move |mut party| {
                let (same, values) = given.clone();
                async move {
                    let (same, values) = (input(&mut party, &same).await?, input(&mut party, &values).await?);
                    let out = party.scan(what, &same, &values).await?;
                    party.open(&out).await
                }
            })
            .await;
            assert_eq!(out[1], scanned(what, &same, &values), "{what:?} of {len}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn valid_rows_come_first_and_rows_go_where_they_are_sent() {
    let rows = 77u64;
    let valid: Vec<u64> = words(7, rows as usize).iter().map(|word| word & 1).collect();
    let from: Vec<u64> = (0..rows).map(|row| row * 10 % rows).collect();
    let given = (valid.clone(), from.clone());
    let out = three(23, move |mut party| {
        let (valid, from) = given.clone();
        async move {
            let (valid, from): (Arith, Arith) = (input(&mut party, &valid).await?, input(&mut party, &from).await?);
            let numbers: Arith = input(&mut party, &(0..rows).collect::<Vec<_>>()).await?;
            let compact = party.compact(vec![numbers.clone(), valid.clone()], &valid).await?;
            let gathered = party.gather(vec![numbers], from).await?;
            let mut all = opened(&mut party, &compact).await?;
            all.extend(opened(&mut party, &gathered).await?);
            let twice: Arith = party.public(&[0, 0, 1]);
            let refused = party.scatter(vec![twice.clone()], twice.clone()).await.is_err();
            Ok((all, refused && party.open(&twice).await.is_err()))
        }
    })
    .await;
    let mut expect: Vec<u64> = (0..rows).collect();
    expect.sort_by_key(|row| 1 - valid[*row as usize]);
    for (all, refused) in out {
        assert_eq!(all[0], expect);
        assert_eq!(all[1].iter().filter(|valid| **valid == 1).count(), valid.iter().sum::<u64>() as usize);
        assert_eq!(all[2], from);
        assert!(refused);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_sorted_by_several_words_and_ties_keep_their_order() {
    for (rows, bits) in
        [(0, [3, 3]), (1, [5, 0]), (2, [64, 1]), (99, [2, 4]), (300, [1, 7]), (128, [64, 3]), (100, [64, 40])]
    {
        let mask = |bits: u32| u64::MAX.checked_shr(64 - bits).unwrap_or(0);
        let keys = [words(31, rows), words(32, rows)];
        let values: Vec<u64> = (0..rows as u64).map(|row| row * row).collect();
        let given = (keys.clone(), values.clone());
        let out = three(24, move |mut party| {
            let (keys, values) = given.clone();
            async move {
                let high: Words = input(&mut party, &keys[0]).await?;
                let low: Words = input(&mut party, &keys[1]).await?;
                let values: Arith = input(&mut party, &values).await?;
                let keys = [(&high, bits[0]), (&low, bits[1])];
                let order = party.sorted_order(&keys).await?;
                let mut all = party.sort_by_words(vec![values], &keys).await?;
                all.push(order);
                opened(&mut party, &all).await
            }
        })
        .await;
        let mut expect: Vec<u64> = (0..rows as u64).collect();
        expect.sort_by_key(|row| (keys[0][*row as usize] & mask(bits[0]), keys[1][*row as usize] & mask(bits[1])));
        for all in out {
            assert_eq!(all[1], expect, "{rows} rows");
            assert_eq!(all[0], expect.iter().map(|row| row * row).collect::<Vec<_>>());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_with_equal_wide_keys_keep_their_order() {
    for (rows, bits, values) in [(700, 64, 5), (400, 60, 1 << 40), (200, 64, 1), (64, 16, 3)] {
        let key: Vec<u64> = words(33, rows).iter().map(|word| word % values).collect();
        let given = key.clone();
        let out = three(25, move |mut party| {
            let key = given.clone();
            async move {
                let places: Arith = party.public(&(0..key.len() as u64).collect::<Vec<_>>());
                let key: Words = input(&mut party, &key).await?;
                let sorted = party.sort_by_words(vec![places], &[(&key, bits)]).await?;
                opened(&mut party, &sorted).await
            }
        })
        .await;
        let mut expect: Vec<u64> = (0..rows as u64).collect();
        expect.sort_by_key(|row| key[*row as usize]);
        assert!(out.iter().all(|all| all[0] == expect), "{rows} rows of {bits} bits");
    }
}
