//! Fixed-point functions of the checked engine: truncation at its edges, and the precision of every function.

mod common;

use common::{input_of, three};
use mpc_checked::Checked;
use mpc_core::Abort;
use mpc_share::fixed::{Engine, Functions};
use mpc_share::interval::Range;
use mpc_share::{Arith, Fixed};

const FRAC: u32 = 20;
const ONE: i64 = 1 << FRAC;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_truncation_rounds_down_at_all_edges() {
    let most = 1_i64 << 62;
    let numbers = [0, 1, -1, 2, 8191, 8192, -8192, -8193, most - 1, -most, 1 << 61, -(1 << 61) - 1, 123_456_789_123];
    let out = three(61, move |mut ctx| async move {
        let mut party = Checked::setup(&mut ctx).await?;
        let x: Arith = input_of(&mut party, 0, &numbers.map(|number| number as u64)).await?;
        let mut seen = Vec::new();
        for by in [1, 13, 32] {
            let cut = party.truncate(&x, by).await?;
            seen.push(party.open(&cut).await?);
        }
        Ok(seen)
    })
    .await;
    for (by, seen) in [1, 13, 32].into_iter().zip(&out[2]) {
        assert!(numbers.iter().zip(seen).all(|(number, cut)| *cut as i64 == number >> by), "{by}: {seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vector_that_is_cut_in_parts_keeps_its_order() {
    // Two parts, and a few elements more.
    let len = 8195_u64;
    let out = three(63, move |mut ctx| async move {
        let mut party = Checked::setup(&mut ctx).await?;
        let numbers: Vec<u64> = (0..len).map(|number| (number << 40) + 5).collect();
        let x: Arith = input_of(&mut party, 2, &numbers).await?;
        let cut = party.truncate(&x, 32).await?;
        party.open(&cut).await
    })
    .await;
    assert!(out.iter().all(|seen| seen.iter().copied().eq((0..len).map(|number| number << 8))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn functions_keep_their_precision() {
    let numbers = [ONE / 4, ONE / 4 + 1, ONE - 1, ONE, ONE + 1, 2 * ONE, 3 * ONE + 7, 9 * ONE];
    let out = three(62, move |mut ctx| async move {
        let mut party = Checked::setup(&mut ctx).await?;
        let raw: Arith = input_of(&mut party, 1, &numbers.map(|number| number as u64)).await?;
        let range = Range::new(ONE / 4, 9 * ONE).map_err(|overflow| Abort::local(overflow.to_string()))?;
        let x = Fixed::new(raw, FRAC, range);
        let two = Fixed::new(Engine::constant(&party, 2 << FRAC, numbers.len()), FRAC, range);
        let results = [
            party.fixed_mul(&x, &x).await?,
            party.fixed_reciprocal(&x).await?,
            party.fixed_divide(&two, &x).await?,
            party.fixed_sqrt(&x).await?,
            party.fixed_inverse_sqrt(&x).await?,
            party.fixed_exp(&x).await?,
            party.fixed_ln(&x).await?,
            party.fixed_sigmoid(&x).await?,
            party.fixed_min_max(&x, &two).await?.0,
        ];
        let mut seen = Vec::new();
        for result in &results {
            seen.push((party.open(result.raw()).await?, result.range()));
        }
        Ok(seen)
    })
    .await;
    for (at, number) in numbers.iter().enumerate() {
        let x = *number as f64 / ONE as f64;
        let sigmoid = 1.0 / (1.0 + (-x).exp());
        let due = [x * x, 1.0 / x, 2.0 / x, x.sqrt(), 1.0 / x.sqrt(), x.exp(), x.ln(), sigmoid, x.min(2.0)];
        for (which, ((seen, range), due)) in out[0].iter().zip(due).enumerate() {
            let (seen, due) = (seen[at] as i64, due * ONE as f64);
            // A division by a quarter is right to ten units.
            let units = if which == 2 { 10.0 } else { 2.0 };
            let error = (seen as f64 - due).abs();
            assert!(error <= units + due.abs() / f64::from(1 << 24), "function {which} of {x}: {seen}, not {due}");
            assert!(range.contains(seen));
        }
    }
}
