//! The triples of one chunk, from drawing the bits to buckets, with every check of the way.
//!
//! After all of a chunk's messages are fixed, a coin decides two combinations. One is of the leaky triples' shares of zero
//! ([`crate::leaky`]): everybody commits to its own, and they sum up to zero. The other, among more than two parties, is of all
//! bits that were drawn: every party broadcasts the combination of its bits, masked by 128 bits that serve nothing else, and sends each
//! peer that of its blocks, which fits only if the bits are those that the peer has keys of.
//!
//! *Why `Δ` needs no check of its own*: a party that used `Δ ⊕ δ_k` with peer `k` adds `δ_k·(x·y_k ⊕ z_k)` to the shares of zero. If
//! the `δ_k` of two honest peers differ, the sum is that of bits which the party does not know, in every triple, and passes
//! with probability 2^-128.

use mpc_block::{Block, Tmmo, blocks_of};
use mpc_core::Abort;
use zeroize::Zeroizing;

use crate::bucket::{Triples, combine};
use crate::combination::Combination;
use crate::leaky::{Leaky, Raw, leaky};
use crate::net::{Net, halves, sum};
use crate::opening::{Opened, sums_to};
use crate::parameters::Chunk;
use crate::shares::{Ends, Shares, draw};

/// Bits that mask a combination of bits.
pub(crate) const MASK: usize = 128;

/// What a party brings to a chunk.
pub(crate) struct Source<'a> {
    pub(crate) ends: &'a mut Ends,
    pub(crate) hash: &'a Tmmo,
    pub(crate) delta: Block,
    /// The number in the session of the first leaky triple.
    pub(crate) first: u64,
}

/// A chunk's triples, `extra` random bits besides, and what was opened on the way, to be checked.
pub(crate) struct Made {
    pub(crate) triples: Triples,
    pub(crate) extra: Shares,
    pub(crate) opened: Opened,
}

/// The bits that a chunk with `extra` random bits draws, among so many parties.
pub(crate) const fn drawn(chunk: Chunk, extra: usize, parties: usize) -> usize {
    3 * chunk.leaky() + extra + if parties > 2 { MASK } else { 0 }
}

/// Makes a chunk.
pub(crate) async fn make(net: &mut Net, source: Source<'_>, chunk: Chunk, extra: usize) -> Result<Made, Abort> {
    let Source { ends, hash, delta, first } = source;
    let (count, parties) = (chunk.leaky(), net.parties());
    net.enter("random bits");
    let (x, keys) = draw(net, ends, delta, count).await?;
    let (mut y, _) = draw(net, ends, delta, drawn(chunk, extra, parties) - count).await?;
    let mut r = y.split_off(count);
    let mut extra_bits = r.split_off(count);
    let mask = extra_bits.split_off(extra);
    net.enter("leaky triples");
    let leaky = leaky(net, hash, delta, first, Raw { x, keys, y, r }).await?;
    let [zeros, bits] = halves(&net.coin().await?);
    let seen = if parties > 2 {
        let drawn = [&leaky.x, &leaky.y, &leaky.z, &extra_bits];
        one_bit_for_all(net, delta, bits, &drawn, &mask).await?
    } else {
        [0; 32]
    };
    drop(mask);
    let seed = passed(net, &leaky, zeros, seen).await?;
    net.enter("triples");
    let (triples, opened) = combine(net, leaky, chunk, &seed).await?;
    Ok(Made { triples, extra: extra_bits, opened })
}

/// Makes sure that every party's bits are the same for all its peers. The bits `r` stand in their place as `z`, which differs by what
/// was opened: the same at all who saw the same. A digest of the combinations of bits, to be compared.
async fn one_bit_for_all(
    net: &mut Net,
    delta: Block,
    seed: Block,
    drawn: &[&Shares],
    mask: &Shares,
) -> Result<[u8; 32], Abort> {
    let me = net.me();
    let mut value = Combination::new(seed);
    drawn.iter().for_each(|shares| value.add_bits(&shares.bits));
    let bit = |(at, bit): (usize, &u8)| u128::from(*bit) << at;
    let value = value.finish() ^ Block::from_u128(mask.bits.iter().enumerate().map(bit).sum());
    let combine = |party: usize| {
        let mut sum = Combination::new(seed);
        drawn.iter().for_each(|shares| sum.add(&shares.columns[party]));
        // The mask of bit `at` counts as x^at; Horner's rule from the last.
        let double = |sum: Block, block: &Block| sum.gf_mul(Block::from_u128(2)) ^ *block;
        sum.finish() ^ mask.columns[party].iter().rev().fold(Block::ZERO, double)
    };
    let sums = (0..net.parties()).map(combine).collect();
    let values = net.broadcast(value.to_bytes().to_vec(), |_| 16).await?;
    let total = values.iter().flat_map(|bytes| blocks_of(bytes).unwrap_or_default());
    let total = total.fold(Block::ZERO, |sum, value| sum ^ value);
    net.enter("one bit for all peers");
    if !sums_to(net, sums, total.gf_mul(delta)).await? {
        return Err(net.cheated(&format!("party {me} sees other bits than were drawn")));
    }
    Ok(net.digest("heqi/mpc/authgarble/drawn/1", &values))
}

/// Checks the shares of zero, and that all saw the same. The coin that decides the buckets, drawn with it.
async fn passed(net: &mut Net, leaky: &Leaky, seed: Block, seen: [u8; 32]) -> Result<[u8; 32], Abort> {
    net.enter("check of the leaky triples");
    let mut zero = Combination::new(seed);
    zero.add(&leaky.zeros);
    let mut own = Zeroizing::new([0_u8; 32]);
    net.random(&mut *own);
    let value = [&zero.finish().to_bytes()[..], &own[..], &seen[..]].concat();
    let all = net.together(value).await?;
    let blocks = all.iter().filter_map(|value| value.first_chunk::<16>());
    let total = blocks.fold(Block::ZERO, |sum, block| sum ^ Block::from_bytes(*block));
    if total != Block::ZERO {
        return Err(net.cheated("a leaky triple is false"));
    }
    if all.iter().any(|value| value[48..] != seen[..]) {
        return Err(net.cheated("parties saw different bits"));
    }
    Ok(sum(all.iter().map(|value| &value[16..48])))
}
