//! The two-party engine.

use anyhow::{Context as _, bail};
use mpc_core::Context;
use mpc_two::{Parameters, Two};

use super::{Ended, FRAC, Operation, Task, timed};

/// One party's run.
///
/// # Errors
/// What the engine fails with; also for the logistic function.
pub async fn party(mut ctx: Context, task: &Task, parameters: Parameters) -> anyhow::Result<Ended> {
    let mut engine = Two::setup_with(&mut ctx, parameters).await?;
    let (me, [x_len, y_len, _]) = (engine.me(), task.counts());
    let own = |party: usize| if party == me { task.input(party) } else { &[] };
    let x = engine.input(0, own(0), x_len).await?;
    let y = engine.input(1, own(1), y_len).await?;
    let (runs, shape) = (task.runs, [task.n; 3]);
    let (works, result) = match task.operation {
        Operation::Mul => timed(&mut ctx, runs, async || engine.mul(&x, &y).await).await?,
        Operation::FixedMul => timed(&mut ctx, runs, async || engine.mul_fixed(&x, &y, FRAC).await).await?,
        Operation::Less => {
            let (works, bits) = timed(&mut ctx, runs, async || engine.less(&x, &y).await).await?;
            let revealed = engine.reveal_bits(0, &bits).await?;
            let revealed = revealed.map(|bits| bits.into_iter().map(u64::from).collect());
            return Ok(Ended { works, revealed });
        }
        Operation::Dot => timed(&mut ctx, runs, async || engine.matmul(&x, &y, shape).await).await?,
        Operation::FixedDot => timed(&mut ctx, runs, async || engine.matmul_fixed(&x, &y, shape, FRAC).await).await?,
        Operation::Sigmoid => bail!("the logistic function is not measured between two"),
        Operation::Sort => {
            let sort = async || engine.sort(vec![x.clone()], 0, i64::MIN..=i64::MAX).await;
            let (works, mut columns) = timed(&mut ctx, runs, sort).await?;
            (works, columns.pop().context("no column")?)
        }
    };
    let revealed = engine.reveal(0, &result).await?;
    Ok(Ended { works, revealed })
}
