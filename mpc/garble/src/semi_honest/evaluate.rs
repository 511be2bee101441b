//! The evaluator's side of a run.

use mpc_block::Block;
use mpc_core::{Abort, Context};
use zeroize::Zeroizing;

use super::shape::hash_key;
use super::{FRAME_TABLES, Outputs, PART, Role, Shape, parts};
use crate::half_gates::{Evaluator, HASHES_BYTES, LABEL_BYTES, OutputLabels, TABLE_BYTES};
use crate::transfer::LabelReceiver;

/// Evaluates what party `garbler` garbles, which calls [`super::garble`] with an equal shape. `inputs` are the bits of
/// this party's inputs one after the other, each input's least significant bit first.
///
/// # Errors
/// [`Abort`] with blame on this party when `inputs` has another length than the shape says, else on the peer when it is
/// gone, what it sends is not what the protocol allows, or an output stands for neither value.
pub async fn evaluate(
    ctx: &mut Context,
    shape: &Shape,
    garbler: usize,
    inputs: &[bool],
    transfer: &mut dyn LabelReceiver,
) -> Result<Outputs, Abort> {
    let me = ctx.me();
    let mut fork = shape.fork(ctx, garbler, me);
    shape.check_inputs(Role::Evaluator, inputs).map_err(|abort| fork.name(abort))?;
    fork.enter("inputs");
    fork.phase("inputs");
    let active = receive_inputs(&mut fork, shape, garbler, inputs, transfer).await?;
    let evaluator = Evaluator::start(shape.program().clone(), hash_key(&fork), &active);
    drop(active);
    fork.enter("tables");
    fork.phase("garbled tables");
    let evaluator = evaluator.map_err(|fault| fork.name(Abort::local(fault.to_string())))?;
    let labels = receive_tables(&mut fork, garbler, evaluator).await?;
    fork.enter("outputs");
    fork.phase("outputs");
    let outputs = decode(&mut fork, shape, garbler, &labels).await?;
    send_outputs(&mut fork, shape, garbler, &labels).await?;
    Ok(outputs)
}

async fn receive_inputs(
    fork: &mut Context,
    shape: &Shape,
    garbler: usize,
    inputs: &[bool],
    transfer: &mut dyn LabelReceiver,
) -> Result<Zeroizing<Vec<Block>>, Abort> {
    let mut active = Zeroizing::new(vec![Block::ZERO; shape.program().input_bits()]);
    let mut rest = inputs;
    for range in shape.owned(Role::Evaluator) {
        let (own, behind) = rest.split_at(range.len());
        rest = behind;
        for (first, count) in parts(range.len(), PART) {
            let got = transfer.receive(&own[first..first + count]).await?;
            if got.len() != count {
                let why = format!("{} labels of oblivious transfer where {count} are due", got.len());
                return Err(fork.name(Abort::local(why)));
            }
            active[range.start + first..][..count].copy_from_slice(&got);
        }
    }
    for range in shape.owned(Role::Garbler) {
        for (first, count) in parts(range.len(), PART) {
            let got = fork.round(vec![], &[(garbler, LABEL_BYTES * count)]).await?;
            let labels = got.first().map(|bytes| bytes.as_chunks::<LABEL_BYTES>().0).unwrap_or_default();
            let places = active[range.start + first..].iter_mut();
            places.zip(labels).for_each(|(place, label)| *place = Block::from_bytes(*label));
        }
    }
    Ok(active)
}

/// Evaluates frame by frame, while the garbler garbles the next.
async fn receive_tables(fork: &mut Context, garbler: usize, mut evaluator: Evaluator) -> Result<OutputLabels, Abort> {
    while evaluator.remaining() > 0 {
        let due = TABLE_BYTES * evaluator.remaining().min(FRAME_TABLES);
        let frame = fork.receive_frame(garbler, due).await?;
        evaluator.feed(frame.payload()).map_err(|fault| fork.name(Abort::peer(garbler, fault.to_string())))?;
    }
    evaluator.finish().map_err(|fault| fork.name(Abort::local(fault.to_string())))
}

async fn decode(fork: &mut Context, shape: &Shape, garbler: usize, labels: &OutputLabels) -> Result<Outputs, Abort> {
    let mut values = Vec::new();
    for range in shape.received(Role::Evaluator) {
        let mut word = Zeroizing::new(Vec::<bool>::with_capacity(range.len()));
        for (first, count) in parts(range.len(), PART) {
            let got = fork.round(vec![], &[(garbler, HASHES_BYTES * count)]).await?;
            let hashes = got.first().map(Vec::as_slice).unwrap_or_default();
            let bits = labels.decode(range.start + first, hashes);
            word.extend_from_slice(&bits.map_err(|fault| fork.name(Abort::peer(garbler, fault.to_string())))?);
        }
        values.push(word);
    }
    Ok(shape.placed(Role::Evaluator, values))
}

async fn send_outputs(fork: &mut Context, shape: &Shape, garbler: usize, labels: &OutputLabels) -> Result<(), Abort> {
    for range in shape.received(Role::Garbler) {
        for (first, count) in parts(range.len(), PART) {
            let start = range.start + first;
            fork.round(vec![(garbler, labels.bytes(start..start + count))], &[]).await?;
        }
    }
    Ok(())
}
