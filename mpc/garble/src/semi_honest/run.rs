//! A whole run between the two parties of a session: the transfers are set up, then one garbles and the other evaluates.

use mpc_block::Block;
use mpc_core::{Abort, Context};
use mpc_ot::softspoken::{Parameters, Receiver, Sender};
use zeroize::Zeroizing;

use super::{Outputs, Shape, evaluate, garble};

/// Runs `shape` between the two parties of a session; party `evaluator` (0 or 1) evaluates, the other garbles. `inputs` are the
/// bits of this party's inputs one after the other, each input's least significant bit first. The transfers stand a malicious
/// peer, so an evaluator that deviates learns what one input of its choice gives and no more; a garbler that deviates may decide
/// the result, or learn from whether the run ends.
///
/// # Errors
/// [`Abort`] with blame on this party when the session is not one of two parties or `inputs` has another length than the shape
/// says, else on the peer when it is gone, runs another shape, or sends what the protocol does not allow.
pub async fn run(ctx: &mut Context, shape: &Shape, evaluator: usize, inputs: &[bool]) -> Result<Outputs, Abort> {
    let (me, parties) = (ctx.me(), ctx.parties());
    let mut fork = ctx.fork_bound("half_gates", &(evaluator as u64).to_be_bytes());
    if parties != 2 || evaluator >= parties {
        let why = format!("half gates with party {evaluator} of {parties} as evaluator, where one of two is");
        return Err(fork.name(Abort::local(why)));
    }
    let garbler = 1 - evaluator;
    fork.phase("base transfers");
    if me == evaluator {
        let mut receiver = Receiver::setup(&mut fork, garbler, Parameters::default()).await?;
        return evaluate(&mut fork, shape, garbler, inputs, &mut receiver).await;
    }
    let mut delta = Zeroizing::new([0_u8; 16]);
    fork.random(&mut *delta);
    let delta = Block::from_bytes(*delta);
    let mut sender = Sender::setup(&mut fork, evaluator, Parameters::default(), delta).await?;
    garble(&mut fork, shape, evaluator, inputs, &mut sender).await
}
