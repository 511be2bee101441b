//! The garbler's side of a run.

use mpc_block::Block;
use mpc_core::{Abort, Context, Frame};
use zeroize::Zeroizing;

use super::shape::hash_key;
use super::{FRAME_TABLES, Outputs, PART, Role, Shape, parts};
use crate::half_gates::{Decoding, Garbler, InputLabels, LABEL_BYTES, TABLE_BYTES};
use crate::transfer::LabelSender;

/// Garbles for party `evaluator`, which calls [`super::evaluate`] with an equal shape. `inputs` are the bits of this
/// party's inputs one after the other, each input's least significant bit first.
///
/// # Errors
/// [`Abort`] with blame on this party when `inputs` has another length than the shape says, else on the peer when it is
/// gone or what it sends is not what the protocol allows.
pub async fn garble(
    ctx: &mut Context,
    shape: &Shape,
    evaluator: usize,
    inputs: &[bool],
    transfer: &mut dyn LabelSender,
) -> Result<Outputs, Abort> {
    let me = ctx.me();
    let mut fork = shape.fork(ctx, me, evaluator);
    shape.check_inputs(Role::Garbler, inputs).map_err(|abort| fork.name(abort))?;
    let mut seed = Zeroizing::new([0_u8; 16]);
    fork.random(&mut *seed);
    let (labels, garbler) = Garbler::start(shape.program().clone(), hash_key(&fork), Block::from_bytes(*seed));
    fork.enter("inputs");
    fork.phase("inputs");
    send_inputs(&mut fork, shape, evaluator, &labels, inputs, transfer).await?;
    drop(labels);
    fork.enter("tables");
    fork.phase("garbled tables");
    let decoding = send_tables(&mut fork, evaluator, garbler).await?;
    fork.enter("outputs");
    fork.phase("outputs");
    send_hashes(&mut fork, shape, evaluator, &decoding).await?;
    read_outputs(&mut fork, shape, evaluator, &decoding).await
}

async fn send_inputs(
    fork: &mut Context,
    shape: &Shape,
    evaluator: usize,
    labels: &InputLabels,
    inputs: &[bool],
    transfer: &mut dyn LabelSender,
) -> Result<(), Abort> {
    for range in shape.owned(Role::Evaluator) {
        for (first, count) in parts(range.len(), PART) {
            let pairs = labels.pairs(range.start + first, count);
            transfer.send(&pairs).await?;
        }
    }
    let mut rest = inputs;
    for range in shape.owned(Role::Garbler) {
        let (own, behind) = rest.split_at(range.len());
        rest = behind;
        for (first, count) in parts(range.len(), PART) {
            let active = labels.active(range.start + first, &own[first..first + count]);
            let message = active.into_iter().flat_map(Block::to_bytes).collect();
            fork.round(vec![(evaluator, message)], &[]).await?;
        }
    }
    Ok(())
}

/// Garbles frame by frame; each is sent before the next is begun.
async fn send_tables(fork: &mut Context, evaluator: usize, mut garbler: Garbler) -> Result<Decoding, Abort> {
    while garbler.remaining() > 0 {
        let mut frame = Frame::new(TABLE_BYTES * garbler.remaining().min(FRAME_TABLES));
        garbler.fill(frame.payload_mut());
        fork.send_frame(evaluator, frame).await?;
    }
    garbler.finish().map_err(|fault| fork.name(Abort::local(fault.to_string())))
}

async fn send_hashes(fork: &mut Context, shape: &Shape, evaluator: usize, decoding: &Decoding) -> Result<(), Abort> {
    for range in shape.received(Role::Evaluator) {
        for (first, count) in parts(range.len(), PART) {
            let start = range.start + first;
            fork.round(vec![(evaluator, decoding.hashes(start..start + count))], &[]).await?;
        }
    }
    Ok(())
}

async fn read_outputs(
    fork: &mut Context,
    shape: &Shape,
    evaluator: usize,
    decoding: &Decoding,
) -> Result<Outputs, Abort> {
    let mut values = Vec::new();
    for range in shape.received(Role::Garbler) {
        let mut word = Zeroizing::new(Vec::<bool>::with_capacity(range.len()));
        for (first, count) in parts(range.len(), PART) {
            let got = fork.round(vec![], &[(evaluator, LABEL_BYTES * count)]).await?;
            let labels = got.first().map(Vec::as_slice).unwrap_or_default();
            let bits = decoding.read(range.start + first, labels);
            word.extend_from_slice(&bits.map_err(|fault| fork.name(Abort::peer(evaluator, fault.to_string())))?);
        }
        values.push(word);
    }
    Ok(shape.placed(Role::Garbler, values))
}
