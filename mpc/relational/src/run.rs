//! The protocol from the owners' rows to the receiver's groups.

use base_wire::Encode;
use mpc_core::{Abort, Context};
use zeroize::Zeroizing;

use crate::layout::Layout;
use crate::{GroupResult, OwnerRows, Placement, Scheme, StarShape, answer, group, input, join};

/// Joins, groups and aggregates the three parties' tables; `Some` at the receiver only, groups in a shuffled order.
///
/// `mine` holds exactly the tables that `place` says this party owns. `progress` is told each step's name. Shape and
/// placement are bound into the session, as the scheme is: parties that disagree about them abort at the first frame.
///
/// With [`crate::Rep3`] a party that deviates may change the answer and learn more; with [`crate::Checked`] the receiver gets
/// the right answer of rows that keep to the shape, or the honest parties abort.
///
/// # Errors
/// [`Abort`] with blame on this party when the shape, the placement or the rows do not fit, else when a peer is gone
/// or misbehaves. A session that aborts must not be used again.
pub async fn run<S: Scheme>(
    ctx: &mut Context,
    shape: &StarShape,
    place: &Placement,
    mine: Vec<OwnerRows>,
    progress: &mut (dyn FnMut(&'static str) + Send),
) -> Result<Option<Vec<GroupResult>>, Abort> {
    let mine = Zeroizing::new(mine);
    shape.check().and_then(|()| place.check(shape)).map_err(|why| Abort::local(why).at("shape"))?;
    let layout = Layout::new(shape);
    let words = input::words_of(ctx.me(), shape, place, &layout, &mine, S::DEVIATES);
    let words = words.map_err(|why| Abort::local(why).at("rows"))?;
    drop(mine);
    let mut fork = ctx.fork_bound("star", &parameters(shape, place));
    progress("agree on seeds");
    let mut party = S::setup(&mut fork).await?;
    progress("share inputs");
    party.enter("share inputs");
    let table = input::stacked(&mut party, shape, place, &layout, &words).await?;
    drop(words);
    progress("join");
    let table = join::join(&mut party, &layout, table).await?;
    progress("group");
    let totals = group::group(&mut party, shape, &layout, table).await?;
    progress("reveal");
    answer::answer(&mut party, shape, &totals, place.receiver).await
}

fn parameters(shape: &StarShape, place: &Placement) -> Vec<u8> {
    let Placement { carrier, sides, receiver } = place;
    let mut out = shape.to_wire();
    for party in [carrier, receiver].into_iter().chain(sides) {
        (*party as u64).encode(&mut out);
    }
    out
}
