//! One sender's programmed function: at the sender's elements the receiver gets the programmed values, elsewhere uniform ones.
//!
//! An oblivious programmable pseudorandom function (Kolesnikov et al., CCS 2017) from [`crate::oprf`] and [`crate::okvs`]: the
//! table holds `value ⊕ O(element)`. Values are uniform for the receiver, so the table hides the elements.

use mpc_block::{Block, BlockPrg, blocks_of, bytes_of, gf_dot, xor_into};
use mpc_core::{Abort, Context};
use zeroize::Zeroizing;

use super::Parameters;
use crate::okvs::Okvs;
use crate::oprf;

/// Seeds of the session that are tried until a table can be made; each fails with at most 2^-40.
const TRIES: u8 = 4;
/// Length of a block on the wire.
const BLOCK_BYTES: usize = 16;
/// Blocks that are added up together.
const CHUNK: usize = 4096;

/// The store of a sender with at most `count` elements, under the seed of an attempt.
fn store(ctx: &Context, count: usize, parameters: &Parameters, attempt: u8) -> Result<Okvs, Abort> {
    let seed = first_half(&ctx.digest("heqi/mpc/psi/multi/okvs/1", &[&[attempt]]));
    Okvs::new(count, parameters.mode(), seed).map_err(|fault| ctx.name(Abort::local(fault.to_string())))
}

fn first_half(digest: &[u8; 32]) -> Block {
    Block::from_bytes(digest.as_chunks::<16>().0[0])
}

/// A random linear combination of a table, which follows it: a table that was changed on its way ends the run instead of
/// hiding elements. (A sender that programs another table than it should adds that one up; that is another set.)
fn sum(ctx: &Context, table: &[Block]) -> Block {
    let mut prg = BlockPrg::new(first_half(&ctx.digest("heqi/mpc/psi/multi/sum/1", &[])));
    let mut weights = vec![Block::ZERO; CHUNK];
    let mut sum = Block::ZERO;
    for table in table.chunks(CHUNK) {
        let weights = &mut weights[..table.len()];
        prg.fill(weights);
        sum ^= gf_dot(weights, table);
    }
    sum
}

/// The sender's side: programs `values` at `elements`. `ctx` is a fork for these two parties.
pub(super) async fn program(
    mut ctx: Context,
    receiver: usize,
    parameters: &Parameters,
    elements: &[Block],
    mut values: Zeroizing<Vec<Block>>,
) -> Result<(), Abort> {
    ctx.enter("program");
    let sizes = parameters.sizes();
    let key = oprf::Sender::setup(&mut ctx, receiver, sizes[receiver], parameters.mode()).await?;
    let mut outputs = Zeroizing::new(vec![Block::ZERO; elements.len()]);
    key.evaluate(elements, &mut outputs);
    drop(key);
    xor_into(&mut values, &outputs);
    let (attempt, table) = encode(&ctx, sizes[ctx.me()], parameters, elements, &values)?;
    let head = [[attempt].as_slice(), &sum(&ctx, &table).to_bytes()].concat();
    ctx.round(vec![(receiver, head), (receiver, bytes_of(&table).to_vec())], &[]).await?;
    Ok(())
}

/// A table under the first seed that works.
fn encode(
    ctx: &Context,
    count: usize,
    parameters: &Parameters,
    elements: &[Block],
    values: &[Block],
) -> Result<(u8, Vec<Block>), Abort> {
    for attempt in 0..TRIES {
        let mut fill = Zeroizing::new([0; BLOCK_BYTES]);
        ctx.random(fill.as_mut_slice());
        let okvs = store(ctx, count, parameters, attempt)?;
        if let Ok(table) = okvs.encode(elements, values, Block::from_bytes(*fill)) {
            return Ok((attempt, table));
        }
    }
    Err(ctx.name(Abort::local("the elements are not distinct, or cannot be encoded with any of the session's seeds")))
}

/// The receiver's side: what `sender` programmed at `elements`, which are as many as agreed. `ctx` is a fork for these two parties.
pub(super) async fn obtain(
    mut ctx: Context,
    sender: usize,
    parameters: &Parameters,
    elements: &[Block],
) -> Result<Zeroizing<Vec<Block>>, Abort> {
    ctx.enter("program");
    let outputs = Zeroizing::new(oprf::evaluate(&mut ctx, sender, parameters.mode(), elements).await?);
    // Every attempt's table has as many slots.
    let size = parameters.sizes()[sender];
    let slots = store(&ctx, size, parameters, 0)?.slots();
    let due = [(sender, 1 + BLOCK_BYTES), (sender, slots * BLOCK_BYTES)];
    let mut got = ctx.round(vec![], &due).await?;
    let (table, head) = (got.pop().unwrap_or_default(), got.pop().unwrap_or_default());
    let (attempt, stated) = match head.as_slice() {
        [attempt, stated @ ..] if *attempt < TRIES => (*attempt, stated),
        _ => return Err(ctx.name(Abort::peer(sender, "a seed that does not exist"))),
    };
    let table = blocks_of(&table).unwrap_or_default();
    if sum(&ctx, &table).to_bytes() != *stated {
        return Err(ctx.name(Abort::peer(sender, "a table that does not add up as stated")));
    }
    let mut values = Zeroizing::new(vec![Block::ZERO; elements.len()]);
    store(&ctx, size, parameters, attempt)?.decode(&table, elements, &mut values);
    xor_into(&mut values, &outputs);
    Ok(values)
}
