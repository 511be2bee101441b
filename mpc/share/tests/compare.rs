//! Comparisons, bits and what follows from them, against plain arithmetic, for every length around a word of bits.

mod common;

use common::{input, three, words};
use mpc_share::{Arith, Bits, Replicated, Words};

/// Values where signs, carries and lengths of blocks change; any two differ by less than 2^63.
fn edges() -> Vec<u64> {
    let mut out =
        vec![0_u64, 1, 2, 3, 4, 255, 256, 1 << 31, 1 << 32, (1 << 32) - 1, (1 << 62) - 1, 0x1555_5555_5555_5555];
    out.extend((0..62).map(|place| 1 << place));
    out.extend(out.clone().iter().map(|x| x.wrapping_neg()));
    out
}

fn pairs(values: &[u64]) -> (Vec<u64>, Vec<u64>) {
    values.iter().flat_map(|x| values.iter().map(|y| (*x, *y))).unzip()
}

fn expect<T>(x: &[u64], y: &[u64], f: impl Fn(u64, u64) -> T) -> Vec<T> {
    x.iter().zip(y).map(|(x, y)| f(*x, *y)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn integers_are_compared_as_signed_ones() {
    let (x, y) = pairs(&edges());
    for len in [0, 1, 2, 63, 64, 65, 127, 129, x.len()] {
        let (x, y) = (x[x.len() - len..].to_vec(), y[y.len() - len..].to_vec());
        let given = (x.clone(), y.clone());
        let out = three(11, move |mut party| {
            let (x, y) = given.clone();
            async move {
                let (a, b): (Arith, Arith) = (input(&mut party, &x).await?, input(&mut party, &y).await?);
                let bits = [party.less_than(&a, &b).await?, party.equal(&a, &b).await?, party.zero(a.view()).await?];
                let values =
                    [party.min(&a, &b).await?, party.max(&a, &b).await?, party.abs(&a).await?, party.relu(&a).await?];
                let mut all = Vec::new();
                for bits in &bits {
                    all.push(party.open_bits(bits).await?);
                }
                for values in &values {
                    all.push(party.open(values).await?);
                }
                Ok(all)
            }
        })
        .await;
        let signed = |x: u64| x as i64;
        for seen in out {
            assert_eq!(seen[0], expect(&x, &y, |x, y| u64::from(signed(x) < signed(y))));
            assert_eq!(seen[1], expect(&x, &y, |x, y| u64::from(x == y)));
            assert_eq!(seen[2], expect(&x, &y, |x, _| u64::from(x == 0)));
            assert_eq!(seen[3], expect(&x, &y, |x, y| signed(x).min(signed(y)) as u64));
            assert_eq!(seen[4], expect(&x, &y, |x, y| signed(x).max(signed(y)) as u64));
            assert_eq!(seen[5], expect(&x, &y, |x, _| signed(x).wrapping_abs() as u64));
            assert_eq!(seen[6], expect(&x, &y, |x, _| signed(x).max(0) as u64));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_are_compared_and_converted_for_every_length() {
    let mut all = edges();
    all.extend([u64::MAX, 1 << 63, (1 << 63) - 1, 1 << 62]);
    all.extend(words(3, 40));
    let (x, y) = pairs(&all);
    for len in [0, 1, 3, 64, 65, x.len()] {
        let (x, y) = (x[x.len() - len..].to_vec(), y[y.len() - len..].to_vec());
        let given = (x.clone(), y.clone());
        let out = three(12, move |mut party| {
            let (x, y) = given.clone();
            async move {
                let (v, w): (Words, Words) = (input(&mut party, &x).await?, input(&mut party, &y).await?);
                let less = party.less_words(&v, &w).await?;
                let equal = party.equal_words(&v, &w).await?;
                let seventh = Bits::of_words(&v, 7);
                let both = party.and_bits(&[(&less, &seventh)]).await?.remove(0);
                let turned = party.not_bits(&less).xor(&equal);
                let arith = party.from_bits(&v).await?;
                let found = party.ones_from_first(&v).await?;
                let numbers = party.to_integers(&less).await?;
                let (there, back) = (party.to_bits(arith.view()).await?, less.to_words());
                let mut all = Vec::new();
                for bits in [&less, &equal, &both, &turned] {
                    all.push(party.open_bits(bits).await?);
                }
                for values in [&arith, &numbers] {
                    all.push(party.open(values).await?);
                }
                for values in [&found, &there, &back] {
                    all.push(party.open(values).await?);
                }
                Ok(all)
            }
        })
        .await;
        for seen in out {
            let less = expect(&x, &y, |x, y| u64::from(x < y));
            assert_eq!(seen[0], less);
            assert_eq!(seen[1], expect(&x, &y, |x, y| u64::from(x == y)));
            assert_eq!(seen[2], expect(&x, &y, |x, y| u64::from(x < y) & x >> 7 & 1));
            assert_eq!(seen[3], expect(&x, &y, |x, y| u64::from(x > y)));
            assert_eq!(seen[4], x);
            assert_eq!(seen[5], less);
            assert_eq!(seen[6], expect(&x, &y, |x, _| u64::MAX.checked_shr(x.leading_zeros()).unwrap_or(0)));
            assert_eq!(seen[7], x);
            assert_eq!(seen[8], less);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_largest_column_wins() {
    for columns in [1usize, 2, 3, 5, 8] {
        let rows = 33;
        // Few values, so that columns tie.
        let table: Vec<Vec<u64>> = (0..columns)
            .map(|column| words(column as u8 + 40, rows).iter().map(|word| (word % 5).wrapping_sub(2)).collect())
            .collect();
        let given = table.clone();
        let out = three(13, move |mut party| {
            let table = given.clone();
            async move {
                let mut shared: Vec<Arith> = Vec::new();
                for column in &table {
                    shared.push(input(&mut party, column).await?);
                }
                let (largest, place) = party.argmax(&shared.iter().collect::<Vec<_>>()).await?;
                Ok((party.open(&largest).await?, party.open(&place).await?))
            }
        })
        .await;
        for row in 0..rows {
            let values: Vec<i64> = table.iter().map(|column| column[row] as i64).collect();
            let largest = values.iter().max().unwrap();
            let place = values.iter().position(|value| value == largest).unwrap();
            assert_eq!((out[0].0[row], out[0].1[row]), (*largest as u64, place as u64));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_integer_is_within_one_unit() {
    let limit = 1i64 << 62;
    let mut x: Vec<i64> = vec![0, 1, -1, 2, -2, limit - 1, -limit, limit - 2, 1 - limit];
    x.extend((0..62).flat_map(|place| [1 << place, -(1 << place), (1 << place) - 1]));
    x.extend(words(9, 3000).iter().map(|word| (*word as i64) >> 1));
    let given: Vec<u64> = x.iter().map(|x| *x as u64).collect();
    for by in [1, 2, 13, 20, 31, 32] {
        let given = given.clone();
        let out = three(14, move |mut party| {
            let given = given.clone();
            async move {
                let shared: Arith = input(&mut party, &given).await?;
                let cut = party.truncate(&shared, by).await?;
                party.open(&cut).await
            }
        })
        .await;
        for (x, cut) in x.iter().zip(&out[0]) {
            let floor = x >> by;
            assert!([floor, floor + 1].contains(&(*cut as i64)), "{x} by {by}: {cut}");
        }
    }
}
