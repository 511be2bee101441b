//! The sender of the generator: set-up, then batches.

use mpc_block::Block;
use mpc_core::{Abort, Context};
use zeroize::Zeroizing;

use super::check::CHALLENGE_BYTES;
use super::code::Code;
use super::gather::{TRANSFERS, gather};
use super::sending::{Base, Sending};
use super::{Field, GROUP, Parameters};
use crate::link::{Link, ended};
use crate::place::{Place, first_half};
use crate::softspoken;

/// The party that holds `Δ`.
pub(crate) struct Sender {
    state: Option<(Link, softspoken::Sender, Sending)>,
    field: Field,
    parameters: Parameters,
}

/// The public seeds of the session's code.
pub(super) fn code(place: &Place, parameters: &Parameters) -> Code {
    let seed = |part: u8| first_half(&place.digest("heqi/mpc/ot/pcg/code/1", &[&[part]]));
    Code::new([seed(0), seed(1), seed(2)], parameters.expander())
}

/// Base correlations of several batches.
struct Supply {
    random: [Zeroizing<Vec<Block>>; 2],
    elements: Zeroizing<Vec<Block>>,
}

impl Sender {
    pub(crate) async fn setup(
        ctx: &mut Context,
        peer: usize,
        field: Field,
        parameters: Parameters,
        delta: Block,
    ) -> Result<Self, Abort> {
        let me = ctx.me();
        let (mut fork, place) = Place::open(ctx, "pcg", me, peer, &parameters.encode(field));
        let base = softspoken::Sender::setup(&mut fork, peer, softspoken::Parameters::default(), delta).await?;
        let link = Link::new(fork, peer);
        let code = code(&place, &parameters);
        let sending = Sending::new(field, parameters, place, delta, link.random_block(), code);
        Ok(Self { state: Some((link, base, sending)), field, parameters })
    }

    /// `count` correlations: `deliver` gets `C`, batch by batch.
    pub(crate) async fn extend<F>(&mut self, count: usize, mut deliver: F) -> Result<(), Abort>
    where
        F: FnMut(&[Block]) + Send,
    {
        let (mut link, mut base, mut sending) = self.state.take().ok_or_else(ended)?;
        let (mut left, mut batches) = (count, count.div_ceil(self.parameters.batch()));
        while batches > 0 {
            let group = batches.min(GROUP);
            let supply = supply(&mut base, self.field, &self.parameters, group).await?;
            self.group(&mut link, &mut sending, &supply, group, &mut left, &mut deliver).await?;
            batches -= group;
        }
        self.state = Some((link, base, sending));
        Ok(())
    }

    /// Step `s` sends the trees of batch `s` and ends batch `s − 1`, so that both parties have work at all times.
    async fn group<F>(
        &self,
        link: &mut Link,
        sending: &mut Sending,
        supply: &Supply,
        group: usize,
        left: &mut usize,
        deliver: &mut F,
    ) -> Result<(), Abort>
    where
        F: FnMut(&[Block]) + Send,
    {
        let (random, elements) = (self.parameters.random(), self.parameters.elements(self.field));
        let mut pending = None;
        for step in 0..=group {
            let before = pending.take();
            if step < group {
                let range = step * random..(step + 1) * random;
                let [zeros, ones] = &supply.random;
                let elements = &supply.elements[step * elements..][..elements];
                let base = Base { random: (&zeros[range.clone()], &ones[range]), elements };
                let (batch, trees) = sending.grow(&base);
                link.enter("trees");
                link.round(trees, 0).await?;
                pending = Some(batch);
            }
            if let Some(batch) = before {
                link.enter("check");
                let challenge = link.round(Vec::new(), CHALLENGE_BYTES).await?;
                let answer = sending.answer(&batch, &challenge).ok_or_else(|| link.blame("no challenge"))?;
                link.round(answer.to_vec(), 0).await?;
                sending.finish(batch, *left, deliver);
                *left = left.saturating_sub(self.parameters.batch());
            }
        }
        Ok(())
    }
}

async fn supply(
    base: &mut softspoken::Sender,
    field: Field,
    parameters: &Parameters,
    group: usize,
) -> Result<Supply, Abort> {
    let count = group * parameters.random();
    let memory = |len| Zeroizing::new(Vec::<Block>::with_capacity(len));
    let (mut zeros, mut ones) = (memory(count), memory(count));
    let take = |zero: &[Block], one: &[Block]| {
        zeros.extend_from_slice(zero);
        ones.extend_from_slice(one);
    };
    base.random(count, take).await?;
    let transfers = group * parameters.elements(field) * TRANSFERS;
    let mut correlated = memory(transfers);
    base.correlated(transfers, |q| correlated.extend_from_slice(q)).await?;
    Ok(Supply { random: [zeros, ones], elements: Zeroizing::new(gather(&correlated)) })
}
