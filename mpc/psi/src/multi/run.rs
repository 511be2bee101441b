//! The run: keys once, then for every receiver a star of programmed functions.

use futures::future::try_join_all;
use mpc_block::{Block, BlockPrg, xor_into};
use mpc_core::{Abort, Context};
use zeroize::Zeroizing;

use super::Parameters;
use super::opprf::{obtain, program};
use super::zero::Keys;

/// Senders that the receiver works with at a time: one computes while it waits for the other.
const TOGETHER: usize = 2;

/// Intersects the sets of all parties. `elements` are this party's distinct blocks from [`crate::element`], at most as many as agreed. A receiver
/// gets the indices of those that all parties have, ascending; the others get `None`.
///
/// Where an agreed size is zero nothing is sent, since the intersection is known. A receiver keeps about 100 bytes an element and
/// sender that it works with at a time, and 32 bytes an element of its own. Every party computes on as many elements as agreed.
///
/// # Errors
/// [`Abort`] when the elements are more than agreed, or a peer is gone or misbehaves.
pub async fn run(ctx: &mut Context, parameters: &Parameters, elements: &[Block]) -> Result<Option<Vec<usize>>, Abort> {
    let me = ctx.me();
    let sizes = parameters.sizes();
    if ctx.parties() != sizes.len() || elements.len() > sizes[me] {
        return Err(ctx.name(Abort::local("other parties, or more elements, than the parameters say")));
    }
    let mut ctx = ctx.fork_bound("psi/multi", &parameters.encode());
    if sizes.contains(&0) {
        return Ok(parameters.receivers().contains(&me).then(Vec::new));
    }
    ctx.phase("pairwise keys");
    let keys = Keys::agree(&mut ctx).await?;
    ctx.phase("evaluate keys");
    let padded = padded(&ctx, elements, sizes[me]);
    let mut found = None;
    for receiver in parameters.receivers() {
        let links = links(&mut ctx, receiver);
        let shares = keys.shares(&ctx, receiver, &padded);
        if receiver == me {
            found = Some(common(&receive(links, parameters, &padded, shares).await?, elements.len()));
        } else if let Some((_, link)) = links.into_iter().find(|(sender, _)| *sender == me) {
            program(link, receiver, parameters, &padded, shares).await?;
        }
    }
    Ok(found)
}

/// One fork a sender. All parties make all of them, so that the forks' identifiers agree.
fn links(ctx: &mut Context, receiver: usize) -> Vec<(usize, Context)> {
    let senders = (0..ctx.parties()).filter(|sender| *sender != receiver);
    let fork = |sender: usize| {
        let roles = [receiver, sender].map(|party| (party as u64).to_be_bytes());
        (sender, ctx.fork_bound("star", roles.as_flattened()))
    };
    senders.map(fork).collect()
}

/// The receiver's side: at every element the sum of all shares.
async fn receive(
    links: Vec<(usize, Context)>,
    parameters: &Parameters,
    elements: &[Block],
    mut sum: Zeroizing<Vec<Block>>,
) -> Result<Zeroizing<Vec<Block>>, Abort> {
    let mut links = links.into_iter().peekable();
    while links.peek().is_some() {
        let group = links.by_ref().take(TOGETHER);
        let group = group.map(|(sender, link)| obtain(link, sender, parameters, elements));
        for values in try_join_all(group).await? {
            xor_into(&mut sum, &values);
        }
    }
    Ok(sum)
}

/// The indices of those of the first `count` elements at which all shares add up to zero; what follows is padding.
fn common(sums: &[Block], count: usize) -> Vec<usize> {
    sums.iter().take(count).enumerate().filter(|(_, sum)| **sum == Block::ZERO).map(|(at, _)| at).collect()
}

/// The elements and as many random blocks as are missing from the agreed size. All that a run computes it computes
/// on these, so neither what a party sends nor when it does shows another size.
fn padded(ctx: &Context, elements: &[Block], size: usize) -> Zeroizing<Vec<Block>> {
    let mut seed = Zeroizing::new([0; 16]);
    ctx.random(seed.as_mut_slice());
    let mut padded = Zeroizing::new(vec![Block::ZERO; size]);
    let (own, rest) = padded.split_at_mut(elements.len());
    own.copy_from_slice(elements);
    BlockPrg::new(Block::from_bytes(*seed)).fill(rest);
    padded
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use mpc_core::memory;

    use super::*;

    #[test]
    fn padding_fills_up_to_the_agreed_size_with_blocks_that_nobody_else_has() {
        let ctx = memory::contexts(memory::network(3), [1; 32]).remove(0);
        let elements = [1, 2, 3].map(Block::from_u128);
        let bits = |size| padded(&ctx, &elements, size).iter().map(|block| block.to_u128()).collect::<Vec<_>>();
        let (first, second) = (bits(40), bits(40));
        assert_eq!((first.len(), second.len()), (40, 40));
        assert_eq!((&first[..3], &second[..3]), (&[1, 2, 3][..], &[1, 2, 3][..]));
        let all: HashSet<u128> = first.iter().chain(&second[3..]).copied().collect();
        assert_eq!(all.len(), 77, "no two are equal, within a run or between runs");
        assert!(!all.contains(&0));
        assert_eq!(bits(3), [1, 2, 3]);
    }

    #[test]
    fn padding_is_never_in_an_answer() {
        let (zero, other) = (Block::ZERO, Block::ONE);
        assert_eq!(common(&[zero, other, zero, zero], 3), [0, 2]);
        assert!(common(&[zero, zero], 0).is_empty());
    }
}
