//! The checked engine against plain arithmetic: every operation, at the edges, and more products than one check takes.

mod common;

use common::{input_of, three};
use mpc_checked::Checked;
use mpc_core::{Blame, Prg, memory};
use mpc_share::{Arith, Bits64, Replicated, Words, Z64};

/// Values where carries and signs change.
fn edges() -> Vec<u64> {
    let mut out = vec![0, 1, 2, 3, 15, 16, 255, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 62, (1 << 63) - 1, 1 << 63];
    out.extend([(1 << 63) + 1, u64::MAX - 1, u64::MAX, 0x5555_5555_5555_5555, 0x0123_4567_89ab_cdef]);
    out
}

/// Every pair of edge values, as two vectors.
fn edge_pairs() -> (Vec<u64>, Vec<u64>) {
    edges().iter().flat_map(|x| edges().into_iter().map(|y| (*x, y))).unzip()
}

fn expect(x: &[u64], y: &[u64], op: impl Fn(u64, u64) -> u64) -> Vec<u64> {
    x.iter().zip(y).map(|(x, y)| op(*x, *y)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_party_inputs_in_one_round_and_only_the_receiver_learns() {
    let out = three(1, |mut ctx| async move {
        let mut party = Checked::setup(&mut ctx).await?;
        let mine = vec![party.me() as u64 + 10; party.me() + 1];
        let shared = party.input::<Z64>([1, 2, 3], &mine).await?;
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
async fn products_sums_and_choices_in_both_rings() {
    let (x, y) = edge_pairs();
    let given = (x.clone(), y.clone());
    let out = three(2, move |mut ctx| {
        let (x, y) = given.clone();
        async move {
            let mut party = Checked::setup(&mut ctx).await?;
            let (a, b): (Arith, Arith) = (input_of(&mut party, 0, &x).await?, input_of(&mut party, 1, &y).await?);
            let (v, w): (Words, Words) = (input_of(&mut party, 2, &x).await?, input_of(&mut party, 0, &y).await?);
            let product = party.mul(&a, &b).await?;
            let dot = party.dot_many(&[&[(a.view(), b.view()), (b.view(), b.view())]]).await?.remove(0);
            let and = party.and(&v, &w).await?;
            let linear = a.scale(7).sub(&b).add(&party.constant(5, a.len()));
            let mask = v.spread(0);
            let chosen = party.select(&mask, &v, &w).await?;
            let bit = party.bit_to_integer(&v).await?;
            let picked = party.select_integers(&party.not(&bit), &a, &b).await?;
            let mut all = Vec::new();
            for integers in [&product, &dot, &linear, &bit, &picked] {
                all.push(party.open(integers).await?);
            }
            for words in [&and, &party.complement(&v), &chosen] {
                all.push(party.open(words).await?);
            }
            Ok(all)
        }
    })
    .await;
    for seen in out {
        assert_eq!(seen[0], expect(&x, &y, |x, y| x.wrapping_mul(y)));
        assert_eq!(seen[1], expect(&x, &y, |x, y| x.wrapping_mul(y).wrapping_add(y.wrapping_mul(y))));
        assert_eq!(seen[2], expect(&x, &y, |x, y| x.wrapping_mul(7).wrapping_sub(y).wrapping_add(5)));
        assert_eq!(seen[3], expect(&x, &y, |x, _| x & 1));
        assert_eq!(seen[4], expect(&x, &y, |x, y| if x & 1 == 0 { x } else { y }));
        assert_eq!(seen[5], expect(&x, &y, |x, y| x & y));
        assert_eq!(seen[6], expect(&x, &y, |x, _| !x));
        assert_eq!(seen[7], expect(&x, &y, |x, y| if x & 1 == 1 { x } else { y }));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bits_comparisons_and_equality() {
    let (x, y) = edge_pairs();
    let given = (x.clone(), y.clone());
    let out = three(3, move |mut ctx| {
        let (x, y) = given.clone();
        async move {
            let mut party = Checked::setup(&mut ctx).await?;
            let (a, b): (Arith, Arith) = (input_of(&mut party, 0, &x).await?, input_of(&mut party, 1, &y).await?);
            let (v, w) = (party.to_bits(&a).await?, party.to_bits(&b).await?);
            let outs = [
                v.clone(),
                party.add_words(&v, &w).await?,
                party.negative(&a).await?,
                party.less(&a, &b).await?,
                party.less_words(&v, &w).await?,
                party.equal(&a, &b).await?,
                party.equal_words(&v, &w).await?,
            ];
            let mut all = Vec::new();
            for words in &outs {
                all.push(party.open(words).await?);
            }
            Ok(all)
        }
    })
    .await;
    for seen in out {
        assert_eq!(seen[0], x);
        assert_eq!(seen[1], expect(&x, &y, |x, y| x.wrapping_add(y)));
        assert_eq!(seen[2], expect(&x, &y, |x, _| x >> 63));
        assert_eq!(seen[3], expect(&x, &y, |x, y| x.wrapping_sub(y) >> 63));
        assert_eq!(seen[4], expect(&x, &y, |x, y| u64::from(x < y)));
        assert_eq!(seen[5], expect(&x, &y, |x, y| u64::from(x == y)));
        assert_eq!(seen[6], seen[5]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn products_of_matrices_of_any_shape() {
    let shapes = [[1, 1, 1], [1, 700, 1], [5, 1, 4], [3, 70, 9], [8, 3, 16], [43, 2, 3], [20, 20, 20], [2, 0, 3]];
    let random = |seed: u8, len: usize| Prg::new(&[seed; 32]).words(len);
    let out = three(4, move |mut ctx| async move {
        let mut party = Checked::setup(&mut ctx).await?;
        let mut all = Vec::new();
        for [rows, inner, columns] in shapes {
            let a: Arith = input_of(&mut party, 0, &random(1, rows * inner)).await?;
            let b: Arith = input_of(&mut party, 2, &random(2, inner * columns)).await?;
            let product = party.mat_mul(&a, &b, [rows, inner, columns]).await?;
            all.push(party.open(&product).await?);
        }
        let none = Arith::zeros(3);
        let refused = party.mat_mul(&none, &none, [2, 2, 2]).await.err().map(|abort| abort.blame);
        Ok((all, refused))
    })
    .await;
    for (seen, refused) in out {
        assert_eq!(refused, Some(Blame::Local));
        for ([rows, inner, columns], product) in shapes.into_iter().zip(seen) {
            let (a, b) = (random(1, rows * inner), random(2, inner * columns));
            let entry = |at: usize| {
                let (row, column) = (at / columns, at % columns);
                let term = |place: usize| a[row * inner + place].wrapping_mul(b[place * columns + column]);
                (0..inner).map(term).fold(0, u64::wrapping_add)
            };
            assert_eq!(product, (0..rows * columns).map(entry).collect::<Vec<_>>());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shuffle_keeps_rows_whole_and_changes_their_order() {
    let keys: Vec<u64> = (0..200).collect();
    let values: Vec<u64> = keys.iter().map(|key| key.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
    let given = (keys.clone(), values.clone());
    let out = three(5, move |mut ctx| {
        let (keys, values) = given.clone();
        async move {
            let mut party = Checked::setup(&mut ctx).await?;
            let columns: Vec<Arith> =
                vec![input_of(&mut party, 0, &keys).await?, input_of(&mut party, 1, &values).await?];
            let short = party.shuffle(vec![columns[0].range(0..1).to_shared()]).await?;
            let shuffled = party.shuffle(columns).await?;
            Ok([party.open(&shuffled[0]).await?, party.open(&shuffled[1]).await?, party.open(&short[0]).await?])
        }
    })
    .await;
    assert!(out[0] == out[1] && out[1] == out[2]);
    let [moved, along, short] = &out[0];
    assert!(moved.iter().zip(along).all(|(key, value)| values[*key as usize] == *value));
    let mut sorted = moved.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, keys);
    assert!(*moved != keys && *short == [0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_products_than_one_check_takes_are_right() {
    const COUNT: usize = (1 << 17) + (1 << 16) + 77;
    let random = |seed: u8| Prg::new(&[seed; 32]).words(COUNT);
    let out = three(6, move |mut ctx| async move {
        let mut party = Checked::setup(&mut ctx).await?;
        let (x, y) = (random(1), random(2));
        let (a, b): (Arith, Arith) = (input_of(&mut party, 0, &x).await?, input_of(&mut party, 1, &y).await?);
        let product = party.mul(&a, &b).await?;
        let three = party.dot_many(&[&[(a.view(), b.view()); 3]]).await?.remove(0);
        let (v, w): (Words, Words) = (input_of(&mut party, 0, &x).await?, input_of(&mut party, 1, &y).await?);
        let (and, less) = (party.mul(&v, &w).await?, party.less_words(&v, &w).await?);
        let words = [party.open(&and).await?, party.open(&less).await?];
        Ok((party.open(&product).await?, party.open(&three).await?, words))
    })
    .await;
    let (x, y) = (random(1), random(2));
    for (product, three, [and, less]) in out {
        assert!(less == expect(&x, &y, |x, y| u64::from(x < y)));
        assert!(product == expect(&x, &y, |x, y| x.wrapping_mul(y)));
        assert!(three == expect(&x, &y, |x, y| x.wrapping_mul(y).wrapping_mul(3)));
        assert!(and == expect(&x, &y, |x, y| x & y));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn products_at_the_edges_of_frames_and_checks_are_right() {
    for count in [(1 << 16) - 1, 1 << 16, (1 << 17) - 1, 1 << 17, (1 << 17) + 1] {
        let out = three(9, move |mut ctx| async move {
            let mut party = Checked::setup(&mut ctx).await?;
            let words = Prg::new(&[3; 32]).words(count);
            let a: Arith = input_of(&mut party, 0, &words).await?;
            let v: Words = input_of(&mut party, 1, &words).await?;
            let square = party.mul(&a, &a).await?;
            let pairs = [(v.view(), v.view()), (v.range(1..count), v.range(0..count - 1))];
            let (joined, apart) = (party.and_joined(&pairs).await?, party.and_many(&pairs).await?);
            let apart = [party.open(&apart[0]).await?, party.open(&apart[1]).await?];
            Ok((words, party.open(&square).await?, party.open(&joined).await?, apart))
        })
        .await;
        for (words, square, joined, [same, shifted]) in out {
            assert!(square == expect(&words, &words, |x, y| x.wrapping_mul(y)), "{count}");
            assert!(same == words && shifted == expect(&words[1..], &words, |x, y| x & y), "{count}");
            assert!(joined == [same, shifted].concat(), "{count}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn products_that_fill_a_check_are_proven_beside_moved_rows_sums_and_matrices() {
    const COUNT: usize = (1 << 17) + 1;
    const FEW: usize = 96;
    // The entries of the first are verified, of the second random sums.
    let shapes = [[8, 12, 8], [12, 8, 12]];
    let random = |seed: u8| Prg::new(&[seed; 32]).words(COUNT);
    let out = three(10, move |mut ctx| async move {
        let mut party = Checked::setup(&mut ctx).await?;
        let (x, y) = (random(1), random(2));
        let (a, b): (Arith, Arith) = (input_of(&mut party, 0, &x).await?, input_of(&mut party, 1, &y).await?);
        let (c, d) = (a.range(0..FEW), b.range(0..FEW));
        let moved = party.shuffle(vec![c.to_shared()]).await?.remove(0);
        let sums = party.dot_many(&[&[(c, d), (d, d)]]).await?.remove(0);
        let mut matrices = Vec::new();
        for shape in shapes {
            matrices.push(party.mat_mul(&c.to_shared(), &d.to_shared(), shape).await?);
        }
        // Nothing has been verified yet; the factors of what follows are lent to the check of all.
        let product = party.mul(&a, &b).await?;
        let mut seen = vec![party.open(&product).await?, party.open(&moved).await?, party.open(&sums).await?];
        for matrix in &matrices {
            seen.push(party.open(matrix).await?);
        }
        Ok(seen)
    })
    .await;
    let (x, y) = (random(1), random(2));
    for mut seen in out {
        seen[1].sort_unstable();
        let mut few = x[..FEW].to_vec();
        few.sort_unstable();
        assert!(seen[0] == expect(&x, &y, |x, y| x.wrapping_mul(y)) && seen[1] == few);
        assert!(seen[2] == expect(&x[..FEW], &y[..FEW], |x, y| x.wrapping_mul(y).wrapping_add(y.wrapping_mul(y))));
        for ([rows, inner, columns], matrix) in shapes.into_iter().zip(&seen[3..]) {
            let entry = |at: usize| {
                let (row, column) = (at / columns, at % columns);
                let term = |place: usize| x[row * inner + place].wrapping_mul(y[place * columns + column]);
                (0..inner).map(term).fold(0, u64::wrapping_add)
            };
            assert!(*matrix == (0..rows * columns).map(entry).collect::<Vec<_>>());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn honest_parties_never_abort_whatever_the_number_of_products() {
    for seed in 0..60 {
        let count = [0, 1, 2, 3, 7, 8, 9, 63, 64, 65, 511, 512, 513, 1023, 1024, 1025][seed as usize % 16];
        let out = three(seed, move |mut ctx| async move {
            let mut party = Checked::setup(&mut ctx).await?;
            let words = Prg::new(&[seed; 32]).words(count);
            let a = input_of::<Z64>(&mut party, seed as usize % 3, &words).await?;
            let v = input_of::<Bits64>(&mut party, (seed as usize + 1) % 3, &words).await?;
            let (square, and) = (party.mul(&a, &a).await?, party.mul(&v, &party.complement(&v)).await?);
            party.verify().await?;
            party.verify().await?;
            Ok((words, party.open(&square).await?, party.open(&and).await?))
        })
        .await;
        for (words, square, and) in out {
            assert_eq!(square, expect(&words, &words, |x, y| x.wrapping_mul(y)));
            assert!(and.len() == count && and.iter().all(|x| *x == 0));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_of_a_check_do_not_grow_with_the_products() {
    let cost = |count: usize| async move {
        let out = three(7, move |mut ctx| async move {
            let mut party = Checked::setup(&mut ctx).await?;
            let x: Arith = input_of(&mut party, 0, &vec![3; count]).await?;
            let v: Words = input_of(&mut party, 0, &vec![3; count]).await?;
            party.mul(&x, &x).await?;
            party.mul(&v, &v).await?;
            let before = (ctx.bytes_sent(), ctx.rounds());
            party.verify().await?;
            Ok((ctx.bytes_sent() - before.0, ctx.rounds() - before.1))
        });
        out.await[1]
    };
    let (few, many) = (cost(100).await, cost(100_000).await);
    // From 2^16 words on two make one element, for 22 KB more.
    assert!(few.0 < 20_000 && many.0 < 46_000, "{few:?} {many:?}");
    assert!(many.1 <= 50, "{many:?}");
}

#[tokio::test]
async fn a_wrong_number_of_inputs_or_parties_is_this_partys_fault_and_ends_the_session() {
    let out = three(8, |mut ctx| async move {
        let mut party = Checked::setup(&mut ctx).await?;
        let wrong = party.input::<Z64>([1, 1, 1], &[]).await.err();
        let after = party.input::<Z64>([0, 0, 0], &[]).await.err();
        assert!(after.is_some_and(|abort| abort.why.contains("ended")));
        Ok(wrong.map(|abort| abort.blame))
    })
    .await;
    assert_eq!(out, [Some(Blame::Local); 3]);
    let mut two = memory::contexts(memory::network(2), [0; 32]);
    assert_eq!(Checked::setup(&mut two[0]).await.err().map(|abort| abort.blame), Some(Blame::Local));
}
