//! One node's part in an intersection: its keys as elements, all in memory unless the plan deals them out to buckets.

use std::sync::Arc;

use base_types::{
    column::Table,
    fault::{Code, Fault},
};
use mpc_block::{Block, bytes_of_mut};
use mpc_core::Context;
use mpc_psi::{Mode, element::Elements, labelled, two};
use notary_terms::{Intersect, KeyPart, Plan, Read, Spares};
use zeroize::Zeroizing;

use crate::{
    Answer,
    apart::apart,
    buckets::{Buckets, Scratch},
    connections::Connections,
    keys::elements,
    local::Rows,
    matching::{Collected, Matching, malformed},
};

/// What this node read.
pub(crate) struct Side {
    pub(crate) place: usize,
    pub(crate) table: Table,
}

impl Side {
    /// The one table of a node that takes part.
    pub(crate) fn of(plan: &Plan, tables: Vec<(usize, Table)>) -> Result<Self, Fault> {
        let mut tables = tables.into_iter();
        match (tables.next(), tables.next(), plan.reads.len()) {
            (Some((place, table)), None, 2..) => Ok(Self { place, table }),
            _ => Err(malformed("an intersection has two owners or more, each with one read")),
        }
    }
}

/// What a run in buckets has beyond one session: where its keys lie, and how it goes on when a link breaks.
pub(crate) struct Lasting {
    pub(crate) scratch: Box<dyn Scratch>,
    pub(crate) connections: Arc<Connections>,
}

/// Runs the part; the receiver gets the answer. `lasting` is there where the plan deals keys out to buckets.
pub(crate) async fn answer(
    plan: &Plan,
    program: Intersect,
    context: Context,
    side: Side,
    lasting: Option<Lasting>,
) -> Result<Option<Answer>, Fault> {
    let plan = plan.clone();
    apart("match keys", move || async move { run(&plan, &program, context, &side, lasting).await }).await
}

async fn run(
    plan: &Plan,
    program: &Intersect,
    mut context: Context,
    side: &Side,
    lasting: Option<Lasting>,
) -> Result<Option<Answer>, Fault> {
    let (label, parameters) = (&program.label, parameters(plan, program.spares)?);
    if let Some(keys) = program.bucket_keys {
        let Lasting { scratch, connections } = lasting.ok_or_else(|| malformed("no storage for its buckets"))?;
        let buckets = Buckets::fill((plan, label, side), (parameters, keys), &mut context, scratch).await?;
        return in_buckets(buckets, side.place == 0, context, &connections).await;
    }
    let party = Party::of(Matching::of(plan, label, side)?, parameters, &context)?;
    if side.place == 0 {
        return party.receive(&mut context).await.map(Some);
    }
    party.send(&mut context).await.map(|()| None)
}

/// Compares bucket by bucket, over as many connections as it may take.
async fn in_buckets(
    mut buckets: Buckets<'_>,
    receives: bool,
    mut context: Context,
    connections: &Connections,
) -> Result<Option<Answer>, Fault> {
    loop {
        let compared = if receives { buckets.receive(&mut context).await } else { buckets.send(&mut context).await };
        match compared {
            Ok(()) if receives => return buckets.answer().map(Some),
            Ok(()) => return Ok(None),
            Err(broken) => context = connections.again(broken).await?,
        }
    }
}

/// A side with all its elements in memory.
struct Party<'a> {
    matching: Matching<'a>,
    elements: Elements,
    /// Distinct elements, and random ones up to the bound: how many keys there are stays here.
    blocks: Zeroizing<Vec<Block>>,
    parameters: two::Parameters,
}

impl<'a> Party<'a> {
    fn of(
        (matching, keys): (Matching<'a>, &[KeyPart]),
        parameters: two::Parameters,
        context: &Context,
    ) -> Result<Self, Fault> {
        let elements = elements(&matching.rows, keys, &matching.kept, &context.session())?;
        let blocks = padded(&matching.rows, &elements, context)?;
        Ok(Self { matching, elements, blocks, parameters })
    }

    /// Compares, and puts together the rows that match.
    async fn receive(&self, context: &mut Context) -> Result<Answer, Fault> {
        let matches = match self.matching.payload() {
            None => {
                let found = two::run(context, &self.parameters, &self.blocks).await;
                Matches::Bare(found.map_err(|abort| self.matching.fault(&abort))?.unwrap_or_default())
            }
            Some(payload) => {
                let parameters = labelled::Parameters { two: self.parameters, payload };
                let found = labelled::receive(context, &parameters, &self.blocks).await;
                Matches::Labelled(found.map_err(|abort| self.matching.fault(&abort))?)
            }
        };
        let mut collected = Collected::of(&self.matching)?;
        for at in 0..matches.len() {
            let (element, payload) = matches.get(at).ok_or_else(|| malformed("a match is gone"))?;
            collected.add(self.rows_of(element), payload)?;
        }
        Ok(collected.answer())
    }

    /// Lets the receiver compare, and gives it what goes with the keys that it has.
    async fn send(&self, context: &mut Context) -> Result<(), Fault> {
        let payloads = self.payloads()?;
        let sent = match self.matching.payload() {
            None => two::run(context, &self.parameters, &self.blocks).await,
            Some(payload) => {
                let parameters = labelled::Parameters { two: self.parameters, payload };
                labelled::send(context, &parameters, &self.blocks, &payloads).await
            }
        };
        sent.map(|_| ()).map_err(|abort| self.matching.fault(&abort))
    }

    /// What goes with each block; nothing with those that are no key.
    fn payloads(&self) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let whole = self.blocks.len() * self.matching.payload().unwrap_or(0);
        let mut out = Zeroizing::new(Vec::<u8>::with_capacity(whole));
        for element in 0..self.elements.blocks().len() {
            self.matching.attach(self.rows_of(element), &mut out)?;
        }
        out.resize(whole, 0);
        Ok(out)
    }

    /// The rows that have an element, by place among those kept.
    fn rows_of(&self, element: usize) -> impl ExactSizeIterator<Item = usize> {
        self.elements.rows_of(element).iter().map(|row| *row as usize)
    }
}

/// What the receiver found: places among its blocks, with or without payloads.
enum Matches {
    Bare(Vec<usize>),
    Labelled(labelled::Matches),
}

impl Matches {
    fn len(&self) -> usize {
        match self {
            Self::Bare(found) => found.len(),
            Self::Labelled(found) => found.elements().len(),
        }
    }

    /// The place of match `at` and what came with it: `None` where the other owner sealed it wrongly.
    fn get(&self, at: usize) -> Option<(usize, Option<&[u8]>)> {
        match self {
            Self::Bare(found) => Some((*found.get(at)?, Some(&[]))),
            Self::Labelled(found) => Some((*found.elements().get(at)?, found.payload(at))),
        }
    }
}

/// The elements and as many random blocks as the bound leaves room for; a random block is nobody's element.
fn padded(rows: &Rows<'_>, elements: &Elements, context: &Context) -> Result<Zeroizing<Vec<Block>>, Fault> {
    let (own, bound) = (elements.blocks(), rows.read.rows_bound as usize);
    let mut blocks = Zeroizing::new(vec![Block::ZERO; bound]);
    let room = blocks.split_at_mut_checked(own.len());
    let (mine, rest) = room.ok_or_else(|| rows.fault(Code::SourceChanged, "more keys than the bound on rows"))?;
    mine.copy_from_slice(own);
    context.random(bytes_of_mut(rest));
    Ok(blocks)
}

/// How the engines run that spare this.
pub(crate) fn mode(spares: Spares) -> Mode {
    match spares {
        Spares::Time => Mode::Fast,
        Spares::Bytes => Mode::LowCommunication,
    }
}

/// What both nodes know of the run.
pub(crate) fn parameters(plan: &Plan, spares: Spares) -> Result<two::Parameters, Fault> {
    let [own, other] = plan.reads.as_slice() else { return Err(malformed("not two reads")) };
    let place = |read: &Read| {
        let place = plan.nodes.iter().position(|node| *node == read.owner);
        place.ok_or_else(|| malformed("an owner whose node does not compute"))
    };
    Ok(two::Parameters {
        sender: place(other)?,
        receiver: place(own)?,
        sender_elements: other.rows_bound as usize,
        receiver_elements: own.rows_bound as usize,
        outputs: two::Outputs::Receiver,
        mode: mode(spares),
    })
}
