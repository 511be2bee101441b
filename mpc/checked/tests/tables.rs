//! Sorts, moves, scans, differences and divisions on checked shares, against plain ones.

mod common;

use common::{input_of, three};
use mpc_checked::Checked;
use mpc_core::{Blame, Prg};
use mpc_share::{Arith, Carried, Replicated, Words};

fn words(seed: u8, count: usize) -> Vec<u64> {
    Prg::new(&[seed; 32]).words(count)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_sorted_by_bits_and_ties_keep_their_order() {
    // Seven bits take two digits.
    for (rows, width) in [(0, 2), (1, 3), (2, 1), (61, 7)] {
        let keys: Vec<u64> = words(1, rows).iter().map(|key| key % (1_u64 << width)).collect();
        let given = keys.clone();
        let out = three(31, move |mut ctx| {
            let keys = given.clone();
            async move {
                let mut party = Checked::setup(&mut ctx).await?;
                let numbers: Vec<u64> = (0..rows as u64).collect();
                let mut columns: Vec<Arith> = vec![input_of(&mut party, 2, &numbers).await?];
                for bit in (0..width).rev() {
                    let column: Vec<u64> = keys.iter().map(|key| key >> bit & 1).collect();
                    columns.push(input_of(&mut party, bit % 3, &column).await?);
                }
                let key: Vec<usize> = (1..=width).collect();
                let sorted = party.sort(columns, &key).await?;
                party.open(&sorted[0]).await
            }
        })
        .await;
        let mut due: Vec<u64> = (0..rows as u64).collect();
        due.sort_by_key(|row| keys[*row as usize]);
        assert!(out.iter().all(|seen| *seen == due), "{rows} rows");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_go_where_they_are_sent_and_nowhere_twice() {
    let out = three(32, |mut ctx| async move {
        let mut party = Checked::setup(&mut ctx).await?;
        let to: Arith = input_of(&mut party, 0, &[2, 0, 3, 1]).await?;
        let values: Arith = input_of(&mut party, 1, &[10, 11, 12, 13]).await?;
        let moved = party.scatter(vec![values.clone()], to).await?;
        let seen = party.open(&moved[0]).await?;
        let twice: Arith = party.constant(1, 4);
        let refused = party.scatter(vec![values.clone()], twice).await.err().map(|abort| abort.blame);
        let ended = party.open(&values).await.is_err();
        Ok((seen, refused, ended))
    })
    .await;
    for (seen, refused, ended) in out {
        assert_eq!(seen, [11, 13, 10, 12]);
        assert!(matches!(refused, Some(Blame::OneOf(..))) && ended);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn differences_signs_and_quotients() {
    let edges = [0, 1, 2, 14, 15, 16, 17, 1 << 32, (1 << 60) - 1, 1 << 63, u64::MAX];
    let divisors = [1, 2, 3, 15, 16, 1 << 31, (1 << 60) - 1, 1 << 60];
    let pairs: Vec<(u64, u64)> = edges.iter().flat_map(|x| divisors.iter().map(|y| (*x, *y))).collect();
    let (x, y): (Vec<u64>, Vec<u64>) = pairs.iter().copied().unzip();
    let given = (x.clone(), y.clone());
    let out = three(33, move |mut ctx| {
        let (x, y) = given.clone();
        async move {
            let mut party = Checked::setup(&mut ctx).await?;
            let integers: Arith = input_of(&mut party, 0, &y).await?;
            let (a, b): (Words, Words) = (input_of(&mut party, 1, &x).await?, input_of(&mut party, 2, &y).await?);
            let (difference, less) = party.sub_words(&a, &b).await?;
            let turned = party.negate_where(&b.spread(0), &a).await?;
            let quotient = party.divide(&a, &integers).await?;
            let bits = party.to_bits_many(&[&integers, &integers.range(0..3).to_shared()]).await?;
            let mut all = Vec::new();
            for words in [&difference, &less, &turned, &quotient, &bits[0], &bits[1]] {
                all.push(party.open(words).await?);
            }
            Ok(all)
        }
    })
    .await;
    let each = |op: fn(u64, u64) -> u64| pairs.iter().map(|(x, y)| op(*x, *y)).collect::<Vec<_>>();
    for seen in out {
        assert_eq!(seen[0], each(u64::wrapping_sub));
        assert_eq!(seen[1], each(|x, y| u64::from(x < y)));
        assert_eq!(seen[2], each(|x, y| if y & 1 == 1 { x.wrapping_neg() } else { x }));
        assert_eq!(seen[3], each(|x, y| x / y));
        assert_eq!(seen[4], y);
        assert_eq!(seen[5], y[..3]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn segments_carry_on_rows_that_count_come_first_and_the_first_largest_wins() {
    let minus = |number: u64| number.wrapping_neg();
    let values = [4, minus(9), 9, 0, minus(1), 9, 2];
    let same = [1, 1, 0, 1, 1, 0, 1];
    let out = three(34, move |mut ctx| async move {
        let mut party = Checked::setup(&mut ctx).await?;
        let x: Arith = input_of(&mut party, 0, &values).await?;
        let flags: Arith = input_of(&mut party, 1, &same).await?;
        let mut all = Vec::new();
        for what in [Carried::Sum, Carried::Max, Carried::First] {
            all.push(party.scan(what, &flags, &x).await?);
        }
        all.extend(party.compact(vec![x.clone(), flags.clone()], &flags).await?);
        // Seven columns of one row.
        let columns = x.pieces(1);
        let (largest, place) = party.argmax(&columns.iter().collect::<Vec<_>>()).await?;
        all.extend([largest, place]);
        let mut seen = Vec::new();
        for column in &all {
            seen.push(party.open(column).await?);
        }
        Ok(seen)
    })
    .await;
    for seen in out {
        assert_eq!(seen[0], [4, minus(5), 9, 9, 8, 9, 11]);
        assert_eq!(seen[1], [4, 4, 9, 9, 9, 9, 9]);
        assert_eq!(seen[2], [4, 4, 9, 9, 9, 9, 9]);
        assert_eq!(seen[3], [4, minus(9), 0, minus(1), 2, 9, 9]);
        assert_eq!(seen[4], [1, 1, 1, 1, 1, 0, 0]);
        assert_eq!((seen[5][0], seen[6][0]), (9, 2));
    }
}
