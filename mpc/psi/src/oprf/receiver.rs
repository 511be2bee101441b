//! The receiver: it encodes its keys, and gets the function of each.

use base_wire::{Decode, Encode};
use mpc_block::{Block, BlockPrg, bytes_of, xor_into};
use mpc_core::cointoss::{Commitment, Opening, Responder};
use mpc_core::{Abort, Context};
use mpc_ot::vole;
use zeroize::{Zeroize, Zeroizing};

use super::function::Function;
use super::{COMMITMENT_BYTES, OPENING_BYTES, REPLY_BYTES, Start};
use crate::Mode;
use crate::line::{self, Line, halves};
use crate::okvs::{ATTEMPTS, Encoder, Okvs, Partition};

/// `A` and `B`.
struct Correlation {
    a: Zeroizing<Vec<Block>>,
    b: Zeroizing<Vec<Block>>,
}

/// Runs the protocol with party `sender`, which calls [`super::Sender::setup`] with this party's number of keys: the
/// function of every key, in order. The keys are distinct and outputs of a hash.
///
/// # Errors
/// [`Abort`] when the peer is gone or misbehaves, or two keys are equal, or there are more than
/// [`crate::okvs::MAX_KEYS`].
pub async fn evaluate(ctx: &mut Context, sender: usize, mode: Mode, keys: &[Block]) -> Result<Vec<Block>, Abort> {
    let pairs = evaluate_pairs(ctx, sender, mode, keys).await?;
    Ok(pairs.iter().map(|pair| pair[0]).collect())
}

/// [`evaluate`] with 256 bits of output.
pub(crate) async fn evaluate_pairs(
    ctx: &mut Context,
    sender: usize,
    mode: Mode,
    keys: &[Block],
) -> Result<Zeroizing<Vec<[Block; 2]>>, Abort> {
    let me = ctx.me();
    let start = Start::new(ctx, [sender, me], keys.len(), mode)?;
    let bin_bytes = start.bin_bytes();
    let Start { mut line, toss, okvs, function, vole } = start;
    line.enter("commitment");
    let commitment = line.receive(COMMITMENT_BYTES).await?;
    let commitment = Commitment::from_wire(&commitment).map_err(|fault| line.blame(fault.to_string()))?;
    let Correlation { a, b } = correlation(&mut line, vole, okvs.slots()).await?;
    let (responder, reply) = Responder::answer(toss, commitment, line.random_bytes());
    line.enter("coin");
    let mut message = line::message(REPLY_BYTES);
    reply.encode(&mut message);
    line.send(message).await?;

    let partition = Partition::new(&okvs, keys);
    let mut table = Table::new(&okvs, &function, &partition, line.random_block(), &line)?;
    let mut decoded = Zeroizing::new(vec![Block::ZERO; keys.len()]);
    line.enter("table");
    for bin in 0..okvs.bins() {
        let mut message = line::message(bin_bytes);
        let slots = bin * okvs.width()..(bin + 1) * okvs.width();
        let attempt = table.encode(bin, &a[slots.clone()], &mut message).ok_or_else(|| line.fail("equal keys"))?;
        line.send(message).await?;
        // The sender works on the bin meanwhile.
        okvs.decode_bin(attempt, &b[slots], partition.keys(bin), &mut decoded[partition.range(bin)]);
    }
    drop((a, b));

    line.enter("opening");
    let opening = Zeroizing::new(line.receive(OPENING_BYTES).await?);
    let opening = Opening::from_wire(&opening).map_err(|fault| line.blame(fault.to_string()))?;
    let coin = responder.finish(&opening).map_err(|fault| line.blame(fault.to_string()))?;
    let coin = Zeroizing::new(halves(coin.expose())[0]);
    decoded.iter_mut().for_each(|decoded| *decoded ^= *coin);
    Ok(outputs(&okvs, &function, &partition, &decoded))
}

/// The outputs in the order that the keys had, from the decoded blocks in the order of the bins.
fn outputs(okvs: &Okvs, function: &Function, partition: &Partition, decoded: &[Block]) -> Zeroizing<Vec<[Block; 2]>> {
    let mut out = Zeroizing::new(vec![[Block::ZERO; 2]; decoded.len()]);
    let mut own = Zeroizing::new(vec![[Block::ZERO; 2]; partition.longest()]);
    for bin in 0..okvs.bins() {
        let keys = partition.keys(bin);
        function.outputs(&decoded[partition.range(bin)], keys, &mut own[..keys.len()]);
        for (at, output) in partition.index(bin).iter().zip(own.iter()) {
            out[*at as usize] = *output;
        }
    }
    out
}

/// `P`, bin by bin.
struct Table<'a> {
    encoder: Encoder<'a>,
    function: &'a Function,
    partition: &'a Partition,
    filling: BlockPrg,
    slots: Zeroizing<Vec<Block>>,
    values: Zeroizing<Vec<Block>>,
}

impl<'a> Table<'a> {
    fn new(
        okvs: &'a Okvs,
        function: &'a Function,
        partition: &'a Partition,
        fill: Block,
        line: &Line,
    ) -> Result<Self, Abort> {
        let encoder = Encoder::new(okvs, partition).map_err(|fault| line.fail(fault.to_string()))?;
        let slots = Zeroizing::new(vec![Block::ZERO; okvs.width()]);
        let values = Zeroizing::new(Vec::<Block>::with_capacity(partition.longest()));
        Ok(Self { encoder, function, partition, filling: BlockPrg::new(fill), slots, values })
    }

    /// Writes the message of one bin, `mask` being `A` there; which rows the bin has. `None` when no rows will do: two
    /// keys are equal (or, with probability 2^-160, this is bad luck).
    fn encode(&mut self, bin: usize, mask: &[Block], message: &mut Vec<u8>) -> Option<u8> {
        let keys = self.partition.keys(bin);
        self.values.resize(keys.len(), Block::ZERO);
        self.function.values(keys, &mut self.values);
        for attempt in 0..ATTEMPTS {
            self.filling.fill(&mut self.slots);
            if self.encoder.bin(bin, attempt, &self.values, &mut self.slots).is_ok() {
                xor_into(&mut self.slots, mask);
                message.push(attempt);
                message.extend_from_slice(bytes_of(&self.slots));
                return Some(attempt);
            }
        }
        self.slots.zeroize();
        None
    }
}

async fn correlation(line: &mut Line, parameters: mpc_ot::pcg::Parameters, slots: usize) -> Result<Correlation, Abort> {
    let peer = line.peer();
    let mut receiver = vole::Receiver::setup(line.ctx(), peer, parameters).await?;
    let memory = || Zeroizing::new(Vec::<Block>::with_capacity(slots));
    let (mut a, mut b) = (memory(), memory());
    let take = |part_a: &[Block], part_b: &[Block]| {
        a.extend_from_slice(part_a);
        b.extend_from_slice(part_b);
    };
    receiver.extend(slots, take).await?;
    Ok(Correlation { a, b })
}
