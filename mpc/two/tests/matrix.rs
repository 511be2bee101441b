//! Products of shared matrices against plain ones.

mod common;

use common::{EDGES, agreed, both, open, share, some};
use mpc_core::{Abort, Context};
use mpc_two::{Network, Parameters, Two};

/// Entries with the edges among them.
fn entries(count: usize, seed: u64) -> Vec<u64> {
    let mut words = some(count, seed);
    for (word, edge) in words.iter_mut().step_by(3).zip(EDGES.iter().cycle()) {
        *word = *edge as u64;
    }
    words
}

fn plain(x: &[u64], y: &[u64], [n, m, k]: [usize; 3]) -> Vec<u64> {
    let entry = |at: usize| {
        let (row, column) = (at / k, at % k);
        (0..m).fold(0_u64, |sum, j| sum.wrapping_add(x[row * m + j].wrapping_mul(y[j * k + column])))
    };
    (0..n * k).map(entry).collect()
}

async fn product(
    mut ctx: Context,
    shapes: &'static [[usize; 3]],
    parameters: Parameters,
) -> Result<Vec<Vec<u64>>, Abort> {
    let mut two = Two::setup_with(&mut ctx, parameters).await?;
    let mut out = Vec::new();
    for [n, m, k] in shapes {
        let x = share(&mut two, &entries(n * m, 1)).await?;
        let y = share(&mut two, &entries(m * k, 2)).await?;
        let product = two.matmul(&x, &y, [*n, *m, *k]).await?;
        out.push(open(&mut two, &product).await?);
    }
    Ok(out)
}

async fn products_are_right(shapes: &'static [[usize; 3]], parameters: Parameters) {
    let out = agreed(both(|ctx| product(ctx, shapes, parameters)).await);
    for (shape, out) in shapes.iter().zip(out) {
        let [n, m, k] = *shape;
        assert!(out == plain(&entries(n * m, 1), &entries(m * k, 2), *shape), "{shape:?} {parameters:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_matrices_are_multiplied_by_transfers() {
    products_are_right(&[[1, 1, 1], [3, 5, 2], [2, 0, 3], [0, 4, 4], [4, 4, 0], [1, 1024, 1]], Parameters::default())
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn larger_matrices_of_all_proportions_are_multiplied_by_ring_lwe() {
    products_are_right(&[[16, 16, 16], [1, 1, 1025], [1, 40, 300], [300, 40, 1], [70, 50, 60]], Parameters::default())
        .await;
    products_are_right(&[[1, 20_000, 1], [2, 9000, 3]], Parameters::default()).await;
    products_are_right(&[[33, 17, 65]], Parameters { network: Network::Wan }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_product_of_two_vectors_is_the_sum_of_products() {
    let program = |mut ctx: Context| async move {
        let mut two = Two::setup(&mut ctx).await?;
        let mut out = Vec::new();
        for len in [0, 1, 1000, 3000] {
            let (x, y) = (share(&mut two, &entries(len, 5)).await?, share(&mut two, &entries(len, 6)).await?);
            let dot = two.dot(&x, &y).await?;
            out.extend(open(&mut two, &dot).await?);
        }
        Ok::<_, Abort>(out)
    };
    let due = [0, 1, 1000, 3000].map(|len| plain(&entries(len, 5), &entries(len, 6), [1, len, 1])[0]);
    assert_eq!(agreed(both(program).await), due);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bytes_of_a_product_are_told_before_it() {
    const SHAPES: [[usize; 3]; 3] = [[40, 33, 20], [1, 5000, 1], [300, 2, 7]];
    let program = |mut ctx: Context| async move {
        let mut two = Two::setup(&mut ctx).await?;
        let mut sent = Vec::new();
        for [n, m, k] in [SHAPES[0]].into_iter().chain(SHAPES) {
            let x = share(&mut two, &entries(n * m, 1)).await?;
            let y = share(&mut two, &entries(m * k, 2)).await?;
            let before = ctx.bytes_sent();
            two.matmul(&x, &y, [n, m, k]).await?;
            sent.push(ctx.bytes_sent() - before);
        }
        Ok::<_, Abort>(sent)
    };
    let [zero, one] = both(program).await.map(|sent| sent.expect("an honest run"));
    assert_eq!(zero, one);
    // The first product brings the keys.
    for (sent, shape) in zero[1..].iter().zip(SHAPES) {
        let told = Two::matmul_bytes(shape);
        assert!(sent.abs_diff(told) <= told / 50, "{shape:?}: {sent}, not {told}");
    }
    assert!(zero[0] > zero[1] + 190_000);
}
