//! The three-party engine against plain arithmetic: inputs, products, bits, comparisons, division, revealing.

mod common;

use common::{input, three};
use mpc_share::{Arith, Rep3, Replicated, Words};

/// Values where carries, signs and lengths of digits change.
fn edges() -> Vec<u64> {
    let mut out = vec![0, 1, 2, 3, 15, 16, 17, 255, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 62, (1 << 63) - 1, 1 << 63];
    out.extend([(1 << 63) + 1, u64::MAX - 1, u64::MAX, 0x5555_5555_5555_5555, 0x0123_4567_89ab_cdef]);
    out
}

/// Every pair of edge values, as two vectors.
fn edge_pairs() -> (Vec<u64>, Vec<u64>) {
    edges().iter().flat_map(|x| edges().into_iter().map(|y| (*x, y))).unzip()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_party_inputs_in_one_round_and_only_the_receiver_learns() {
    let out = three(1, |mut party| async move {
        let mine = vec![party.me() as u64 + 10; party.me() + 1];
        let shared = party.input::<mpc_share::Z64>([1, 2, 3], &mine).await?;
        let mut seen = Vec::new();
        for (owner, vector) in shared.iter().enumerate() {
            seen.push(party.reveal(vector, (owner + 1) % 3).await?);
        }
        Ok(seen)
    })
    .await;
    for (me, seen) in out.iter().enumerate() {
        for (owner, words) in seen.iter().enumerate() {
            let due = (me == (owner + 1) % 3).then(|| vec![owner as u64 + 10; owner + 1]);
            assert_eq!(*words, due, "party {me}, owner {owner}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn products_sums_and_public_values_in_both_rings() {
    let (x, y) = edge_pairs();
    let given = (x.clone(), y.clone());
    let out = three(2, move |mut party| {
        let (x, y) = given.clone();
        async move {
            let (a, b): (Arith, Arith) = (input(&mut party, &x).await?, input(&mut party, &y).await?);
            let (v, w): (Words, Words) = (input(&mut party, &x).await?, input(&mut party, &y).await?);
            let product = party.mul(&a, &b).await?;
            let dot = party.dot_many(&[&[(a.view(), b.view()), (b.view(), b.view())]]).await?.remove(0);
            let and = party.mul(&v, &w).await?;
            let linear = a.scale(7).sub(&b).add(&party.constant(5, a.len()));
            let not = party.complement(&v);
            let mut all = Vec::new();
            for arith in [&product, &dot, &linear] {
                all.push(party.open(arith).await?);
            }
            for words in [&and, &not] {
                all.push(party.open(words).await?);
            }
            Ok(all)
        }
    })
    .await;
    let expect = |f: &dyn Fn(u64, u64) -> u64| -> Vec<u64> { x.iter().zip(&y).map(|(x, y)| f(*x, *y)).collect() };
    for seen in out {
        assert_eq!(seen[0], expect(&|x, y| x.wrapping_mul(y)));
        assert_eq!(seen[1], expect(&|x, y| x.wrapping_mul(y).wrapping_add(y.wrapping_mul(y))));
        assert_eq!(seen[2], expect(&|x, y| x.wrapping_mul(7).wrapping_sub(y).wrapping_add(5)));
        assert_eq!(seen[3], expect(&|x, y| x & y));
        assert_eq!(seen[4], expect(&|x, _| !x));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bits_of_integers_sums_differences_and_comparisons() {
    let (x, y) = edge_pairs();
    let given = (x.clone(), y.clone());
    let out = three(3, move |mut party| {
        let (x, y) = given.clone();
        async move {
            let (a, b): (Arith, Arith) = (input(&mut party, &x).await?, input(&mut party, &y).await?);
            let both = party.to_bits_many(&[&a, &b]).await?;
            let (v, w) = (&both[0], &both[1]);
            let (difference, less) = party.sub_words(v, w).await?;
            let mask = less.spread(0);
            let outs = [
                v.clone(),
                party.add_words(v, w).await?,
                difference,
                less,
                party.less_signed(v, w).await?,
                party.select(&mask, v, w).await?,
                party.negate_where(&mask, v).await?,
            ];
            let mut all = Vec::new();
            for words in &outs {
                all.push(party.open(words).await?);
            }
            Ok(all)
        }
    })
    .await;
    let expect = |f: &dyn Fn(u64, u64) -> u64| -> Vec<u64> { x.iter().zip(&y).map(|(x, y)| f(*x, *y)).collect() };
    for seen in out {
        assert_eq!(seen[0], x);
        assert_eq!(seen[1], expect(&|x, y| x.wrapping_add(y)));
        assert_eq!(seen[2], expect(&|x, y| x.wrapping_sub(y)));
        assert_eq!(seen[3], expect(&|x, y| u64::from(x < y)));
        assert_eq!(seen[4], expect(&|x, y| u64::from((x as i64) < y as i64)));
        assert_eq!(seen[5], expect(&|x, y| x.min(y)));
        assert_eq!(seen[6], expect(&|x, y| if x < y { x.wrapping_neg() } else { x }));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quotients_are_exact_for_every_dividend_and_a_zero_divisor_does_no_harm() {
    let divisors = [1u64, 2, 3, 7, 10, 15, 16, 17, 318, 1629, (1 << 32) + 1, (1 << 60) - 1, 1 << 60, 0];
    let (x, y): (Vec<u64>, Vec<u64>) = edges().iter().flat_map(|x| divisors.map(|y| (*x, y))).unzip();
    let given = (x.clone(), y.clone());
    let out = three(4, move |mut party| {
        let (x, y) = given.clone();
        async move {
            let dividend: Words = input(&mut party, &x).await?;
            let divisor: Arith = input(&mut party, &y).await?;
            let quotient = party.divide(&dividend, &divisor).await?;
            party.open(&quotient).await
        }
    })
    .await;
    for ((x, y), seen) in x.iter().zip(&y).zip(&out[0]).filter(|((_, y), _)| **y != 0) {
        assert_eq!(*seen, x / y, "{x} / {y}");
    }
    assert!(out[0] == out[1] && out[1] == out[2]);
}

#[tokio::test]
async fn a_wrong_number_of_inputs_or_parties_is_this_partys_fault() {
    let out = three(6, |mut party: Rep3| async move {
        let wrong = party.input::<mpc_share::Z64>([1, 1, 1], &[]).await.err();
        Ok(wrong.map(|abort| abort.blame))
    })
    .await;
    assert_eq!(out, [Some(mpc_core::Blame::Local); 3]);
    let mut two = mpc_core::memory::contexts(mpc_core::memory::network(2), [0; 32]);
    assert_eq!(Rep3::setup(&mut two[0]).await.err().map(|abort| abort.blame), Some(mpc_core::Blame::Local));
}
