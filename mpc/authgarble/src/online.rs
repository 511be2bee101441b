//! The phase with the inputs: masked inputs, tables, the check, and the outputs to those who receive them.
//!
//! 1. Everybody sends the owner of an input its block of the input's mask; the owner broadcasts `Λ = v ⊕ λ`.
//! 2. Every garbler sends the evaluator the labels for these, then its tables, a frame as soon as it is garbled.
//! 3. The evaluator tells `Λ` of every AND gate, and all check them ([`crate::verify`]).
//! 4. Everybody sends the receivers of an output its block of the output's mask, and they unmask it.
//!
//! A block of a mask opens the bit and proves it: with all of them the receiver has `λ·Δ`, zero or its own secret.

use mpc_block::{Block, BlockPrg, blocks_of, bytes_of, xor_into};
use mpc_core::Abort;
use zeroize::Zeroizing;

use crate::bits;
use crate::evaluator::Evaluator;
use crate::garbler::{Garbler, Job};
use crate::net::Net;
use crate::session::EVALUATOR;
use crate::shape::{Outputs, Shape};
use crate::shares::Blocks;
use crate::verify::{Masked, hear, tell, verify};

/// Runs a prepared circuit on this party's inputs.
pub(crate) async fn online(
    net: &mut Net,
    shape: &Shape,
    job: Job<'_>,
    delta: Block,
    inputs: &[bool],
) -> Result<Outputs, Abort> {
    net.enter("inputs");
    net.phase("inputs");
    let values = masked_inputs(net, shape, job, delta, inputs).await?;
    net.enter("tables");
    net.phase("garbled tables");
    let claim = if job.me == EVALUATOR {
        let (results, proofs) = evaluate(net, job, &values).await?;
        net.enter("check of the gates");
        tell(net, job, results, &proofs).await?
    } else {
        let labels = garble(net, job, delta, &values).await?;
        net.enter("check of the gates");
        hear(net, job, delta, labels).await?
    };
    let masked = verify(net, job, delta, &values, &claim, |party| shape.output_bits(party) > 0).await?;
    net.enter("outputs");
    net.phase("outputs");
    outputs(net, shape, delta, masked).await
}

/// `Λ` of every input bit.
async fn masked_inputs(
    net: &mut Net,
    shape: &Shape,
    job: Job<'_>,
    delta: Block,
    inputs: &[bool],
) -> Result<Vec<u8>, Abort> {
    let of = |party: usize| pick(&job.prepared.inputs[party], shape.owned(party));
    let own = unmask(net, delta, of).await?;
    let own: Vec<u8> = own.iter().zip(inputs).map(|(mask, input)| mask ^ u8::from(*input)).collect();
    let all = net.broadcast(bits::pack(&own), |party| bits::bytes(shape.input_bits(party))).await?;
    net.agree(&all).await?;
    let mut values = vec![0; job.plan.inputs];
    for (party, packed) in all.iter().enumerate() {
        let mut own = vec![0; shape.input_bits(party)];
        bits::add_packed(&mut own, packed).ok_or_else(|| net.blame(party, "bits behind the last"))?;
        let mut rest = own.as_slice();
        for range in shape.owned(party) {
            let (input, behind) = rest.split_at(range.len());
            values[range].copy_from_slice(input);
            rest = behind;
        }
    }
    Ok(values)
}

/// One round: to every party this party's blocks of the masks that are for it, which `of` tells. The masks for this one.
async fn unmask(net: &mut Net, delta: Block, of: impl Fn(usize) -> Blocks + Send) -> Result<Zeroizing<Vec<u8>>, Abort> {
    let me = net.me();
    let mut sums = of(me);
    let message = |party: usize| if party == me { Vec::new() } else { bytes_of(&of(party)).to_vec() };
    let out = (0..net.parties()).map(message).collect();
    let due = 16 * sums.len();
    let got = net.scatter(out, |_| due).await?;
    for peer in net.peers() {
        let blocks: Blocks = Zeroizing::new(blocks_of(&got[peer]).unwrap_or_default());
        xor_into(&mut sums, &blocks);
    }
    let mut masks = Zeroizing::new(Vec::with_capacity(sums.len()));
    for sum in sums.iter() {
        let (one, zero) = (sum.ct_eq(delta), sum.ct_eq(Block::ZERO));
        if !(one | zero) {
            return Err(net.cheated("a mask that was not shared"));
        }
        masks.push(u8::from(one));
    }
    Ok(masks)
}

/// The blocks of these ranges, one after the other.
fn pick(column: &[Block], ranges: impl Iterator<Item = std::ops::Range<usize>>) -> Blocks {
    Zeroizing::new(ranges.flat_map(|range| &column[range]).copied().collect())
}

/// A garbler's part; `L_γ,0` of every AND gate.
async fn garble(net: &mut Net, job: Job<'_>, delta: Block, values: &[u8]) -> Result<Blocks, Abort> {
    let mut labels = Zeroizing::new(vec![Block::ZERO; job.plan.inputs]);
    BlockPrg::new(net.random_block()).fill(&mut labels);
    let mut garbler = Garbler::new(job, delta, &labels);
    for (label, value) in labels.iter_mut().zip(values) {
        *label ^= delta.masked(*value == 1);
    }
    net.exchange(vec![(EVALUATOR, bytes_of(&labels).to_vec())], &[]).await?;
    for pieces in job.plan.frames() {
        let frame = garbler.frame(pieces);
        net.exchange(vec![(EVALUATOR, frame)], &[]).await?;
    }
    Ok(garbler.finish())
}

/// The evaluator's part; `Λ` of every AND gate, and for every garbler the sum of the hashes of its labels for these.
async fn evaluate(net: &mut Net, job: Job<'_>, values: &[u8]) -> Result<(Vec<u8>, Vec<Block>), Abort> {
    let expect: Vec<(usize, usize)> = job.garblers().map(|garbler| (garbler, 16 * job.plan.inputs)).collect();
    let got = net.exchange(Vec::new(), &expect).await?;
    let none = Zeroizing::new(vec![Block::ZERO; job.plan.inputs]);
    let received = got.iter().map(|labels| Zeroizing::new(blocks_of(labels).unwrap_or_default()));
    let labels: Vec<Blocks> = std::iter::once(none).chain(received).collect();
    let mut evaluator = Evaluator::new(job, &labels, values);
    for pieces in job.plan.frames() {
        let due = |garbler| (garbler, job.frame_bytes(garbler, pieces.clone()));
        let expect: Vec<(usize, usize)> = job.garblers().map(due).collect();
        let tables = net.exchange(Vec::new(), &expect).await?;
        evaluator.frame(pieces, &tables);
    }
    Ok(evaluator.finish())
}

async fn outputs(net: &mut Net, shape: &Shape, delta: Block, masked: Masked) -> Result<Outputs, Abort> {
    let me = net.me();
    let Masked { masks, values } = masked;
    let own = unmask(net, delta, |party| pick(&masks[party], shape.received(party))).await?;
    let values = shape.received(me).flat_map(|range| &values[range]);
    let bits: Vec<bool> = own.iter().zip(values).map(|(mask, value)| mask ^ value == 1).collect();
    Ok(shape.placed(me, &Zeroizing::new(bits)))
}
