//! Every pair of neighbours agrees on a seed that the third party does not know.
//!
//! Araki, Furukawa, Lindell, Nof and Ohara, "High-Throughput Semi-Honest Secure Three-Party Computation with an Honest
//! Majority" (CCS 2016), correlated randomness: key `k_{i+1}` belongs to parties `i` and `i+1`. There one of the two chooses it;
//! here both toss a coin for it, so that neither can repeat a key of an earlier session.

use base_wire::{Decode, Encode};
use mpc_core::cointoss::{Coin, Commitment, Committer, Opening, Reply, Responder, Toss};
use mpc_core::{Abort, Context};
use zeroize::Zeroizing;

/// The streams' seeds of one party: `own` is `k_i`, known to the party before; `next` is `k_{i+1}`, known to the next.
pub(crate) struct Seeds {
    pub(crate) own: Coin,
    pub(crate) next: Coin,
}

fn random(ctx: &Context) -> Zeroizing<[u8; 32]> {
    let mut out = Zeroizing::new([0; 32]);
    ctx.random(out.as_mut());
    out
}

fn toss(ctx: &Context, committer: usize, responder: usize) -> Toss {
    Toss { session: ctx.id(), step: "replicated seed".into(), committer, responder }
}

fn parse<T: Decode>(ctx: &Context, from: usize, bytes: &[u8]) -> Result<T, Abort> {
    T::from_wire(bytes).map_err(|fault| ctx.name(Abort::peer(from, fault.to_string())))
}

/// What comes in is wiped when dropped: together with what this party put in, it tells a stream's seed.
async fn swap(
    ctx: &mut Context,
    to: usize,
    message: Vec<u8>,
    from: usize,
    len: usize,
) -> Result<Zeroizing<Vec<u8>>, Abort> {
    let messages = ctx.round(vec![(to, message)], &[(from, len)]).await?;
    Ok(Zeroizing::new(messages.into_iter().next().unwrap_or_default()))
}

/// Tosses two coins at once: as the committer with the next party, as the responder with the one before.
pub(crate) async fn agree(ctx: &mut Context) -> Result<Seeds, Abort> {
    const DIGEST: usize = 32;
    const OPENING: usize = 64;
    ctx.enter("agree on seeds");
    let (me, next, prev) = (ctx.me(), (ctx.me() + 1) % 3, (ctx.me() + 2) % 3);
    let (committer, commitment) = Committer::start(toss(ctx, me, next), *random(ctx), *random(ctx));
    let got = swap(ctx, next, commitment.to_wire(), prev, DIGEST).await?;
    let theirs: Commitment = parse(ctx, prev, &got)?;
    let (responder, reply) = Responder::answer(toss(ctx, prev, me), theirs, *random(ctx));
    let got = swap(ctx, prev, reply.to_wire(), next, DIGEST).await?;
    let answer: Reply = parse(ctx, next, &got)?;
    let (coin_next, opening) = committer.open(answer);
    // A vector that never grows leaves no copy behind.
    let mut message = Vec::with_capacity(OPENING);
    opening.encode(&mut message);
    let got = swap(ctx, next, message, prev, OPENING).await?;
    let theirs: Opening = parse(ctx, prev, &got)?;
    let coin_own = responder.finish(&theirs).map_err(|fault| ctx.name(Abort::peer(prev, fault.to_string())))?;
    Ok(Seeds { own: coin_own, next: coin_next })
}
