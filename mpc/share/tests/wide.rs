//! Integers modulo 2^128 against plain ones.

mod common;

use common::{three, words};
use mpc_core::Abort;
use mpc_share::{Rep3, Wide};

async fn input(party: &mut Rep3, words: &[u128]) -> Result<Wide, Abort> {
    let mine = if party.me() == 1 { words } else { &[] };
    let [_, shared, _] = party.input_wide([0, words.len(), 0], mine).await?;
    Ok(shared)
}

fn values(seed: u8) -> Vec<u128> {
    let mut out = vec![0, 1, 2, u128::MAX, 1 << 63, 1 << 64, (1 << 64) - 1, 1 << 125, (1 << 126) - 1];
    out.extend((0..126).flat_map(|place| [1u128 << place, (1u128 << place).wrapping_neg()]));
    let random = words(seed, 200);
    // A quarter of the range, so that differences are within it.
    out.extend(
        random
            .as_chunks::<2>()
            .0
            .iter()
            .map(|[low, high]| ((i128::from(*high as i64) << 64 | i128::from(*low)) >> 2) as u128),
    );
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wide_integers_are_added_multiplied_compared_and_cut() {
    let (x, mut y) = (values(1), values(2));
    y.rotate_left(17);
    let given = (x.clone(), y.clone());
    let out = three(31, move |mut party| {
        let (x, y) = given.clone();
        async move {
            let (a, b) = (input(&mut party, &x).await?, input(&mut party, &y).await?);
            let product = party.dot_wide(&[(&a, &b), (&b, &b)]).await?;
            let linear = a.scale(1 << 70).sub(&b).add(&party.public_wide(&vec![5; x.len()]));
            let less = party.less_wide(&a, &b).await?;
            let mut all = Vec::new();
            for wide in [&product, &linear] {
                all.push(party.reveal_wide(wide, 2).await?);
            }
            for by in [1, 40, 64] {
                let cut = party.truncate_wide(&a, by).await?;
                all.push(party.reveal_wide(&cut, 2).await?);
            }
            Ok((all, party.open_bits(&less).await?))
        }
    })
    .await;
    assert!(out[0].0.iter().all(Option::is_none) && out[0].1 == out[2].1);
    let (all, less) = &out[2];
    let all: Vec<&Vec<u128>> = all.iter().map(|seen| seen.as_ref().unwrap()).collect();
    for (at, (x, y)) in x.iter().zip(&y).enumerate() {
        assert_eq!(all[0][at], x.wrapping_mul(*y).wrapping_add(y.wrapping_mul(*y)));
        assert_eq!(all[1][at], x.wrapping_mul(1 << 70).wrapping_sub(*y).wrapping_add(5));
        assert_eq!(less[at], u64::from((*x as i128) < *y as i128), "{x} {y}");
        for (cut, by) in all[2..].iter().zip([1, 40, 64]) {
            let floor = (*x as i128) >> by;
            assert!([floor, floor + 1].contains(&(cut[at] as i128)), "{x} by {by}");
        }
    }
}
