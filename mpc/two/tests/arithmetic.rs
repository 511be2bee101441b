//! Products, conversions and divisions of shared words against plain arithmetic.

mod common;

use common::{EDGES, LENGTHS, agreed, both, open, open_bits, pairs, share, some};
use mpc_core::{Abort, Context};
use mpc_two::{Additive, BitShares, Network, Parameters, Rounding, Two};

fn wan() -> Parameters {
    Parameters { network: Network::Wan }
}

async fn products(mut ctx: Context, parameters: Parameters) -> Result<Vec<Vec<u64>>, Abort> {
    let mut two = Two::setup_with(&mut ctx, parameters).await?;
    let mut out = Vec::new();
    for len in LENGTHS {
        let (x, y) = pairs(len);
        let (x, y) = (share(&mut two, &x).await?, share(&mut two, &y).await?);
        let product = two.mul(&x, &y).await?;
        out.push(open(&mut two, &product).await?);
    }
    Ok(out)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn products_are_those_of_the_ring_for_all_edges_and_lengths() {
    for parameters in [Parameters::default(), wan()] {
        let out = agreed(both(|ctx| products(ctx, parameters)).await);
        for (len, product) in LENGTHS.into_iter().zip(out) {
            let (x, y) = pairs(len);
            let due: Vec<u64> = x.iter().zip(&y).map(|(x, y)| x.wrapping_mul(*y)).collect();
            assert_eq!(product, due, "{len} {parameters:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vector_longer_than_a_slice_is_multiplied_whole() {
    const LEN: usize = (1 << 14) + 65;
    let program = |mut ctx: Context| async move {
        let mut two = Two::setup(&mut ctx).await?;
        let (x, y) = (share(&mut two, &some(LEN, 3)).await?, share(&mut two, &some(LEN, 4)).await?);
        let product = two.mul(&x, &y).await?;
        let negative = two.less(&x, &Additive::zeros(LEN)).await?;
        Ok::<_, Abort>((open(&mut two, &product).await?, open_bits(&mut two, &negative).await?))
    };
    let (product, negative) = agreed(both(program).await);
    let (x, y) = (some(LEN, 3), some(LEN, 4));
    assert!(product == x.iter().zip(&y).map(|(x, y)| x.wrapping_mul(*y)).collect::<Vec<_>>());
    assert!(negative == x.iter().map(|x| (*x as i64) < 0).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_owners_share_and_constants_local_steps_and_reveals_fit() {
    let program = |mut ctx: Context| async move {
        let mut two = Two::setup(&mut ctx).await?;
        let of = |owner: usize, values: &'static [u64]| if two.me() == owner { values } else { &[] };
        let (mine, theirs) = (of(0, &[1, 2, u64::MAX]), of(1, &[10, 20, 30]));
        let x = two.input(0, mine, 3).await?;
        let y = two.input(1, theirs, 3).await?;
        let mixed = x.scale(2).add(&y).sub(&two.constant(&[5, 5, 5]));
        let all = Additive::concat([&mixed, &mixed.sum(), &x.range(1..2)]);
        let only_one = two.reveal(1, &y).await?;
        assert_eq!(only_one, (two.me() == 1).then(|| vec![10, 20, 30]));
        open(&mut two, &all).await
    };
    assert_eq!(agreed(both(program).await), [7, 19, 23, 49, 2]);
}

async fn conversions(mut ctx: Context, len: usize) -> Result<(Vec<u64>, Vec<u64>, Vec<bool>), Abort> {
    let mut two = Two::setup(&mut ctx).await?;
    let words = some(len.div_ceil(64), 10 + two.me() as u64);
    let bits = BitShares::of(words, len);
    let x = share(&mut two, &pairs(len).0).await?;
    let numbers = two.to_arith(&bits).await?;
    let chosen = two.select(&bits, &x).await?;
    let back = two.to_bits(&x).await?;
    assert_eq!(back.len(), 64 * len);
    Ok((open(&mut two, &numbers).await?, open(&mut two, &chosen).await?, open_bits(&mut two, &back).await?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bits_become_numbers_choose_words_and_come_out_of_words() {
    for len in LENGTHS {
        let (numbers, chosen, back) = agreed(both(|ctx| conversions(ctx, len)).await);
        let bits = BitShares::of(some(len.div_ceil(64), 10), len).xor(&BitShares::of(some(len.div_ceil(64), 11), len));
        let x = pairs(len).0;
        let due: Vec<u64> = (0..len).map(|at| u64::from(bits.get(at))).collect();
        assert_eq!(numbers, due, "{len}");
        let due: Vec<u64> = x.iter().enumerate().map(|(at, x)| if bits.get(at) { *x } else { 0 }).collect();
        assert_eq!(chosen, due, "{len}");
        let word = |bits: &[bool]| bits.iter().rev().fold(0, |word, bit| word << 1 | u64::from(*bit));
        assert_eq!(back.chunks(64).map(word).collect::<Vec<u64>>(), x, "{len}");
    }
}

fn dividends() -> Vec<u64> {
    EDGES.iter().map(|x| *x as u64).chain(some(100, 8)).collect()
}

async fn quotients(mut ctx: Context, by: u32, rounding: Rounding) -> Result<Vec<u64>, Abort> {
    let mut two = Two::setup(&mut ctx).await?;
    let x = share(&mut two, &dividends()).await?;
    let quotient = two.truncate(&x, by, rounding).await?;
    open(&mut two, &quotient).await
}

async fn small_quotients(mut ctx: Context, by: u32) -> Result<Vec<u64>, Abort> {
    let mut two = Two::setup(&mut ctx).await?;
    let x: Vec<u64> = dividends().iter().map(|x| (*x as i64 >> 1) as u64).collect();
    let x = share(&mut two, &x).await?;
    let quotient = two.truncate_small(&x, by).await?;
    assert!(two.truncate_small(&x, 63).await.is_err());
    open(&mut two, &quotient).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn divisions_of_small_numbers_are_at_most_one_unit_off_for_all_edges() {
    for by in [1, 13, 32, 61, 62] {
        let near = agreed(both(|ctx| small_quotients(ctx, by)).await);
        for (x, near) in dividends().into_iter().zip(near) {
            let off = (near as i64).wrapping_sub((x as i64 >> 1) >> by);
            assert!(off == 0 || off == 1, "{x} by {by}: {off}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn divisions_round_down_or_are_at_most_one_unit_off_for_all_edges() {
    for by in [1, 4, 13, 32, 62, 63] {
        let exact = agreed(both(|ctx| quotients(ctx, by, Rounding::Floor)).await);
        let near = agreed(both(|ctx| quotients(ctx, by, Rounding::Near)).await);
        for (x, (exact, near)) in dividends().into_iter().zip(exact.into_iter().zip(near)) {
            let floor = (x as i64) >> by;
            assert_eq!(exact as i64, floor, "{x} by {by}");
            let off = (near as i64).wrapping_sub(floor);
            assert!(off == 0 || off == 1, "{x} by {by}: {off}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fixed_point_products_are_at_most_one_unit_off() {
    const POINT: u32 = 18;
    let number = |word: &u64| (*word as i64) >> 34;
    let x: Vec<u64> = some(300, 1).iter().map(|word| number(word) as u64).collect();
    let y: Vec<u64> = some(300, 2).iter().map(|word| number(word) as u64).collect();
    let (left, right) = (x.clone(), y.clone());
    let program = move |mut ctx: Context| {
        let (x, y) = (left.clone(), right.clone());
        async move {
            let mut two = Two::setup(&mut ctx).await?;
            let (x, y) = (share(&mut two, &x).await?, share(&mut two, &y).await?);
            let product = two.mul_fixed(&x, &y, POINT).await?;
            open(&mut two, &product).await
        }
    };
    for (at, product) in agreed(both(program).await).into_iter().enumerate() {
        let exact = (x[at] as i64) * (y[at] as i64);
        let error = ((product as i64) << POINT) - exact;
        assert!(error.abs() <= 1 << POINT, "{at}: {error}");
    }
}
