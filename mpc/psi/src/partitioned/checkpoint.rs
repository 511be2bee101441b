//! Where a run goes on: both parties say how many buckets they have finished, and settle each one before the next begins.

use std::ops::Range;

use mpc_core::{Abort, Context};

use super::Plan;
use crate::two;

/// The receiver's word that it has delivered a bucket.
const DELIVERED: u8 = 1;

/// The buckets that not both parties have finished; `finished` of them, from the first, this one has.
pub(super) async fn remaining(fork: &mut Context, plan: &Plan, finished: usize) -> Result<Range<usize>, Abort> {
    fork.enter("checkpoint");
    let two::Parameters { sender, receiver, .. } = plan.two;
    let receives = fork.me() == receiver;
    let peer = if receives { sender } else { receiver };
    let mine = u32::try_from(finished).ok().filter(|_| finished <= plan.buckets);
    let mine = mine.ok_or_else(|| fork.name(Abort::local("a checkpoint beyond the last bucket")))?;
    let told = fork.round(vec![(peer, mine.to_be_bytes().to_vec())], &[(peer, size_of::<u32>())]).await?;
    let theirs =
        told.first().and_then(|told| told.first_chunk::<4>()).map_or(0, |told| u32::from_be_bytes(*told)) as usize;
    // The receiver has what it confirmed to the sender, and perhaps the bucket whose confirmation was lost.
    let (confirmed, delivered) = if receives { (theirs, finished) } else { (finished, theirs) };
    if theirs > plan.buckets || delivered.checked_sub(confirmed).is_none_or(|ahead| ahead > 1) {
        return Err(fork.name(Abort::peer(peer, "a checkpoint that no honest party has")));
    }
    Ok(confirmed..plan.buckets)
}

/// Delivers a bucket: at the receiver before it confirms, at the sender once it is confirmed.
pub(super) async fn delivered(
    part: &mut Context,
    plan: &Plan,
    deliver: impl FnOnce() -> Result<(), String>,
) -> Result<(), Abort> {
    let two::Parameters { sender, receiver, .. } = plan.two;
    let mut fork = part.fork("delivered");
    let done = |fork: &Context, outcome: Result<(), String>| outcome.map_err(|why| fork.name(Abort::local(why)));
    if fork.me() == receiver {
        done(&fork, deliver())?;
        return fork.round(vec![(sender, vec![DELIVERED])], &[]).await.map(|_| ());
    }
    let told = fork.round(vec![], &[(receiver, 1)]).await?;
    if told.concat() != [DELIVERED] {
        return Err(fork.name(Abort::peer(receiver, "no word that a bucket is delivered")));
    }
    done(&fork, deliver())
}
