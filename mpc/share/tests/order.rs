//! Shuffles and sorts: rows stay whole, equal keys keep their order, and different sessions shuffle differently.

mod common;

use common::{input, three};
use mpc_core::Prg;
use mpc_share::{Arith, Rep3, Replicated};

async fn table(party: &mut Rep3, columns: &[Vec<u64>]) -> Result<Vec<Arith>, mpc_core::Abort> {
    let mut out = Vec::new();
    for column in columns {
        out.push(input(party, column).await?);
    }
    Ok(out)
}

async fn opened(party: &mut Rep3, columns: &[Arith]) -> Result<Vec<Vec<u64>>, mpc_core::Abort> {
    let mut out = Vec::new();
    for column in columns {
        out.push(party.open(column).await?);
    }
    Ok(out)
}

async fn shuffled(seed: u8, rows: u64) -> Vec<Vec<u64>> {
    let mut out = three(seed, move |mut party| async move {
        let columns: Vec<Vec<u64>> = vec![(0..rows).collect(), (0..rows).map(|row| row * row).collect()];
        let columns = table(&mut party, &columns).await?;
        let columns = party.shuffle(columns).await?;
        opened(&mut party, &columns).await
    })
    .await;
    assert!(out[0] == out[1] && out[1] == out[2]);
    out.remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shuffle_keeps_rows_whole_and_differs_between_sessions() {
    for rows in [0, 1, 2, 300] {
        let columns = shuffled(7, rows).await;
        let mut first = columns[0].clone();
        assert!(columns[0].iter().zip(&columns[1]).all(|(x, square)| x * x == *square));
        first.sort_unstable();
        assert_eq!(first, (0..rows).collect::<Vec<_>>());
    }
    let (one, two) = (shuffled(7, 300).await, shuffled(8, 300).await);
    assert_ne!(one, two);
    assert_ne!(one[0], (0..300).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sort_is_stable_for_every_number_of_bits() {
    for (bits, rows) in [(1u32, 40u64), (4, 1), (5, 100), (6, 257), (11, 400)] {
        let mut prg = Prg::new(&[bits as u8; 32]);
        // Few values, so that many rows have equal keys.
        let keys: Vec<u64> = (0..rows).map(|_| prg.below(1 << bits) & prg.below(1 << bits)).collect();
        let mut columns: Vec<Vec<u64>> = vec![(0..rows).collect()];
        columns.extend((0..bits).rev().map(|bit| keys.iter().map(|key| key >> bit & 1).collect()));
        let out = three(9, move |mut party| {
            let columns = columns.clone();
            async move {
                let columns = table(&mut party, &columns).await?;
                let key: Vec<usize> = (1..=bits as usize).collect();
                let sorted = party.sort(columns, &key).await?;
                opened(&mut party, &sorted).await
            }
        })
        .await;
        let mut expect: Vec<u64> = (0..rows).collect();
        expect.sort_by_key(|row| keys[*row as usize]);
        assert_eq!(out[0][0], expect, "{bits} bits");
        assert_eq!(out[0][1], expect.iter().map(|row| keys[*row as usize] >> (bits - 1)).collect::<Vec<_>>());
        assert_eq!(out[1], out[2]);
    }
}
