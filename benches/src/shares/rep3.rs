//! The semi-honest three-party engine.

use anyhow::Context as _;
use mpc_core::Context;
use mpc_share::fixed::Functions;
use mpc_share::{Arith, Fixed, Rep3, Z64};

use super::{Ended, FRAC, Operation, Task, timed};

/// The sign of a word: turned over, signed numbers are in the order of unsigned ones.
const SIGN: u64 = 1 << 63;

/// One party's run.
///
/// # Errors
/// What the engine fails with.
pub async fn party(mut ctx: Context, task: &Task) -> anyhow::Result<Ended> {
    let mut engine = Rep3::setup(&mut ctx).await?;
    let [x, y, _] = engine.input::<Z64>(task.counts(), task.input(engine.me())).await?;
    let (runs, n, range) = (task.runs, task.n, task.range()?);
    let fixed = |x: &Arith| Fixed::new(x.clone(), FRAC, range);
    let (works, result) = match task.operation {
        Operation::Mul => timed(&mut ctx, runs, async || engine.mul(&x, &y).await).await?,
        Operation::FixedMul => {
            let (x, y) = (fixed(&x), fixed(&y));
            let (works, product) = timed(&mut ctx, runs, async || engine.fixed_mul(&x, &y).await).await?;
            (works, product.raw().clone())
        }
        Operation::Less => {
            let (works, bits) = timed(&mut ctx, runs, async || engine.less_than(&x, &y).await).await?;
            let revealed = engine.reveal_bits(&bits, 0).await?;
            return Ok(Ended { works, revealed });
        }
        Operation::Dot => timed(&mut ctx, runs, async || engine.matmul(&x, &y, [n; 3]).await).await?,
        Operation::FixedDot => {
            let (x, y) = (fixed(&x), fixed(&y));
            let (works, product) = timed(&mut ctx, runs, async || engine.fixed_matmul(&x, &y, [n; 3]).await).await?;
            (works, product.raw().clone())
        }
        Operation::Sigmoid => {
            let x = fixed(&x);
            let (works, result) = timed(&mut ctx, runs, async || engine.fixed_sigmoid(&x).await).await?;
            (works, result.raw().clone())
        }
        Operation::Sort => {
            let sort = async || {
                let bits = engine.to_bits(x.view()).await?;
                let keys = bits.add(&engine.constant(SIGN, bits.len()));
                engine.sort_by_words(vec![x.clone()], &[(&keys, u64::BITS)]).await
            };
            let (works, mut columns) = timed(&mut ctx, runs, sort).await?;
            (works, columns.pop().context("no column")?)
        }
    };
    let revealed = engine.reveal(&result, 0).await?;
    Ok(Ended { works, revealed })
}
