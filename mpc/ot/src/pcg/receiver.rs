//! The receiver of the generator: set-up, then batches.

use mpc_block::Block;
use mpc_core::{Abort, Context};
use zeroize::Zeroizing;

use super::check::ANSWER_BYTES;
use super::gather::{TRANSFERS, gather};
use super::receiving::{Base, Receiving};
use super::sender::code;
use super::tree::message_bytes;
use super::{Field, GROUP, NOISE, Parameters};
use crate::link::{Link, ended};
use crate::place::Place;
use crate::softspoken;

/// The party that gets `A` and `B`.
pub(crate) struct Receiver {
    state: Option<(Link, softspoken::Receiver, Receiving)>,
    field: Field,
    parameters: Parameters,
}

/// Base correlations of several batches.
struct Supply {
    choices: Zeroizing<Vec<Block>>,
    keys: Zeroizing<Vec<Block>>,
    elements: Zeroizing<Vec<Block>>,
    shares: Zeroizing<Vec<Block>>,
}

impl Receiver {
    pub(crate) async fn setup(
        ctx: &mut Context,
        peer: usize,
        field: Field,
        parameters: Parameters,
    ) -> Result<Self, Abort> {
        let me = ctx.me();
        let (mut fork, place) = Place::open(ctx, "pcg", peer, me, &parameters.encode(field));
        let base = softspoken::Receiver::setup(&mut fork, peer, softspoken::Parameters::default()).await?;
        let code = code(&place, &parameters);
        let receiving = Receiving::new(field, parameters, place, code);
        Ok(Self { state: Some((Link::new(fork, peer), base, receiving)), field, parameters })
    }

    /// `count` correlations: `deliver` gets `A` (empty over GF(2)) and `B`, batch by batch, each after its check.
    pub(crate) async fn extend<F>(&mut self, count: usize, mut deliver: F) -> Result<(), Abort>
    where
        F: FnMut(&[Block], &[Block]) + Send,
    {
        let (mut link, mut base, mut receiving) = self.state.take().ok_or_else(ended)?;
        let (mut left, mut batches) = (count, count.div_ceil(self.parameters.batch()));
        while batches > 0 {
            let group = batches.min(GROUP);
            let supply = supply(&mut base, self.field, &self.parameters, group).await?;
            self.group(&mut link, &mut receiving, &supply, group, &mut left, &mut deliver).await?;
            batches -= group;
        }
        self.state = Some((link, base, receiving));
        Ok(())
    }

    /// Step `s` rebuilds the trees of batch `s` and ends batch `s − 1`.
    async fn group<F>(
        &self,
        link: &mut Link,
        receiving: &mut Receiving,
        supply: &Supply,
        group: usize,
        left: &mut usize,
        deliver: &mut F,
    ) -> Result<(), Abort>
    where
        F: FnMut(&[Block], &[Block]) + Send,
    {
        let mut pending = None;
        for step in 0..=group {
            let before = pending.take();
            if step < group {
                link.enter("trees");
                let trees = link.round(Vec::new(), NOISE * message_bytes(self.parameters.depth())).await?;
                let mut batch = receiving.rebuild(&self.base(supply, step), &trees);
                let (a, b) = (link.random_block(), link.random_block());
                let challenge = receiving.challenge(&mut batch, a, b);
                link.enter("check");
                link.round(challenge, 0).await?;
                pending = Some(batch);
            }
            if let Some(batch) = before {
                let answer = link.round(Vec::new(), ANSWER_BYTES).await?;
                if !receiving.passes(&batch, &answer) {
                    return Err(link.blame("the trees of a batch are inconsistent"));
                }
                receiving.finish(batch, *left, deliver);
                *left = left.saturating_sub(self.parameters.batch());
            }
        }
        Ok(())
    }

    /// What batch `step` of a group has of the supply.
    fn base<'a>(&self, supply: &'a Supply, step: usize) -> Base<'a> {
        let (random, elements) = (self.parameters.random(), self.parameters.elements(self.field));
        Base {
            choices: (&supply.choices, step * random),
            keys: &supply.keys[step * random..][..random],
            elements: &supply.elements[step * elements..][..elements],
            shares: &supply.shares[step * elements..][..elements],
        }
    }
}

async fn supply(
    base: &mut softspoken::Receiver,
    field: Field,
    parameters: &Parameters,
    group: usize,
) -> Result<Supply, Abort> {
    let count = group * parameters.random();
    let memory = |len| Zeroizing::new(Vec::<Block>::with_capacity(len));
    let (mut choices, mut keys) = (memory(count.div_ceil(128)), memory(count));
    let take = |bits: &[Block], part: &[Block]| {
        choices.extend_from_slice(bits);
        keys.extend_from_slice(part);
    };
    base.random(count, take).await?;
    let all = group * parameters.elements(field);
    let (mut elements, mut correlated) = (memory(all), memory(all * TRANSFERS));
    let take = |bits: &[Block], part: &[Block]| {
        elements.extend_from_slice(bits);
        correlated.extend_from_slice(part);
    };
    base.correlated(all * TRANSFERS, take).await?;
    Ok(Supply { choices, keys, elements, shares: Zeroizing::new(gather(&correlated)) })
}
