//! The three-party engine that stands a malicious party. A run includes the check of all that it computed.

use anyhow::bail;
use mpc_checked::Checked;
use mpc_core::Context;
use mpc_share::Z64;

use super::{Ended, Operation, Task, timed};

/// One party's run.
///
/// # Errors
/// What the engine fails with; also for operations other than products and comparisons of integers.
pub async fn party(mut ctx: Context, task: &Task) -> anyhow::Result<Ended> {
    let mut engine = Checked::setup(&mut ctx).await?;
    let [x, y, _] = engine.input::<Z64>(task.counts(), task.input(engine.me())).await?;
    match task.operation {
        Operation::Mul => {
            let work = async || {
                let product = engine.mul(&x, &y).await?;
                engine.verify().await.map(|()| product)
            };
            let (works, product) = timed(&mut ctx, task.runs, work).await?;
            Ok(Ended { works, revealed: engine.reveal(&product, 0).await? })
        }
        Operation::Less => {
            let work = async || {
                let less = engine.less(&x, &y).await?;
                engine.verify().await.map(|()| less)
            };
            let (works, less) = timed(&mut ctx, task.runs, work).await?;
            Ok(Ended { works, revealed: engine.reveal(&less, 0).await? })
        }
        other => bail!("{other:?} is not measured with checks"),
    }
}
