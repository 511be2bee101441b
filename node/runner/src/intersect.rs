//! One node's part in an intersection: its keys as elements, the other owner's cells, and the rows that match.

use base_types::{
    column::Table,
    fault::{Code, Fault},
};
use mpc_block::{Block, bytes_of_mut};
use mpc_core::{Abort, Context};
use mpc_psi::{Mode, element::Elements, labelled, two};
use notary_terms::{CellForm, Intersect, Label, Plan, Read, ReadRole, ValueOf};
use tokio::{runtime::Handle, task::spawn_blocking};
use zeroize::Zeroizing;

use crate::{Answer, AnswerCell, cells, keys::elements, local::Rows, run::abort_fault};

/// Most rows of an answer: duplicates on both sides multiply.
const MAX_ROWS: usize = 1 << 22;
/// Bytes that tell how many rows have a key.
const COUNT_BYTES: usize = 4;

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

pub(crate) fn malformed(what: &str) -> Fault {
    Fault::new(Code::Internal, "match keys", format!("the plan is malformed: {what}"))
}

/// Runs a part on a thread of its own, since it computes for seconds.
pub(crate) async fn apart<P>(step: &str, part: impl FnOnce() -> P + Send + 'static) -> Result<Option<Answer>, Fault>
where
    P: Future<Output = Result<Option<Answer>, Fault>>,
{
    let here = Handle::current();
    let part = spawn_blocking(move || here.block_on(part()));
    part.await.unwrap_or_else(|why| Err(Fault::new(Code::Internal, step, why.to_string())))
}

/// Runs the part; the receiver gets the answer.
pub(crate) async fn answer(
    plan: &Plan,
    program: Intersect,
    context: Context,
    side: Side,
) -> Result<Option<Answer>, Fault> {
    let plan = plan.clone();
    apart("match keys", move || async move { run(&plan, &program.label, context, &side).await }).await
}

async fn run(plan: &Plan, label: &Label, mut context: Context, side: &Side) -> Result<Option<Answer>, Fault> {
    let party = Party::of(plan, label, &context, side)?;
    if side.place == 0 {
        return party.receive(&mut context).await.map(Some);
    }
    party.send(&mut context).await.map(|()| None)
}

/// A side with its elements.
pub(crate) struct Party<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) label: &'a Label,
    pub(crate) rows: Rows<'a>,
    /// Rows that the filter keeps; the elements number them.
    pub(crate) kept: Vec<usize>,
    pub(crate) elements: Elements,
    /// Distinct elements, and random ones up to the bound: how many keys there are stays here.
    pub(crate) blocks: Zeroizing<Vec<Block>>,
    pub(crate) parameters: two::Parameters,
}

impl<'a> Party<'a> {
    fn of(plan: &'a Plan, label: &'a Label, context: &Context, side: &'a Side) -> Result<Self, Fault> {
        let read = plan.reads.get(side.place).ok_or_else(|| malformed("no such read"))?;
        let ReadRole::Set { keys } = &read.role else { return Err(malformed("a read that is no set")) };
        let rows = Rows { read, table: &side.table };
        let kept = rows.kept()?;
        let elements = elements(&rows, keys, &kept, &context.session())?;
        let blocks = padded(&rows, &elements, context)?;
        Ok(Self { plan, label, rows, kept, elements, blocks, parameters: parameters(plan)? })
    }

    /// Compares, and puts together the rows that match. A match with which the other owner sealed what it may not say is
    /// left out, as if the owner had left out the key: a fault would stand in the ledger, and tell that owner whether a key
    /// of its choice is among this side's.
    async fn receive(&self, context: &mut Context) -> Result<Answer, Fault> {
        let matches = match payload_bytes(self.label) {
            None => {
                let found = two::run(context, &self.parameters, &self.blocks).await;
                Matches::Bare(found.map_err(|abort| self.fault(&abort))?.unwrap_or_default())
            }
            Some(payload) => {
                let parameters = labelled::Parameters { two: self.parameters, payload };
                let found = labelled::receive(context, &parameters, &self.blocks).await;
                Matches::Labelled(found.map_err(|abort| self.fault(&abort))?)
            }
        };
        let (mut answer, mut left) = (Vec::new(), self.other()?.rows_bound as usize);
        for at in 0..matches.len() {
            let (element, payload) = matches.get(at).ok_or_else(|| malformed("a match is gone"))?;
            let told = payload.and_then(|payload| self.told(payload));
            let Some((copies, theirs)) = within(told, &mut left) else { continue };
            for row in self.elements.rows_of(element) {
                self.append(*row, &theirs, copies, &mut answer)?;
            }
        }
        Ok(Answer::from_rows(self.plan, answer))
    }

    /// How many of the other owner's rows have a key, and their cells; `None` when no honest owner says so.
    pub(crate) fn told(&self, payload: &[u8]) -> Option<(usize, Vec<AnswerCell>)> {
        match self.label {
            Label::Nothing => Some((1, Vec::new())),
            Label::Count => {
                let copies = u32::from_be_bytes(payload.try_into().ok()?);
                (copies > 0).then_some((copies as usize, Vec::new()))
            }
            Label::Row { cells: forms } => Some((1, cells::read(forms, payload)?)),
        }
    }

    /// Appends one row of this side, as often as rows of the other match it.
    pub(crate) fn append(
        &self,
        row: u32,
        theirs: &[AnswerCell],
        copies: usize,
        answer: &mut Vec<Vec<AnswerCell>>,
    ) -> Result<(), Fault> {
        let row = *self.kept.get(row as usize).ok_or_else(|| malformed("a row is gone"))?;
        let mine = self.rows.read.values.iter().map(|formula| self.rows.evaluate(formula, row).map(cells::cell));
        let mine = mine.collect::<Result<Vec<_>, _>>()?;
        let cell = |value: ValueOf| match value {
            ValueOf::Cell { read: 0, value } => mine.get(usize::from(value)),
            ValueOf::Cell { value, .. } => theirs.get(usize::from(value)),
            _ => None,
        };
        let line = self.plan.outputs.iter().map(|output| cell(output.value).cloned());
        let line: Vec<AnswerCell> = line.collect::<Option<_>>().ok_or_else(|| malformed("an output of nothing"))?;
        if answer.len().saturating_add(copies) > MAX_ROWS {
            let why = format!("the answer has more than {MAX_ROWS} rows; filter them, or select fewer duplicates");
            return Err(Fault::new(Code::QueryUnsupported, "match keys", why).at(&self.rows.read.owner));
        }
        answer.extend(std::iter::repeat_n(line, copies));
        Ok(())
    }

    /// Lets the receiver compare, and gives it the cells of what it has.
    async fn send(&self, context: &mut Context) -> Result<(), Fault> {
        let sent = match payload_bytes(self.label) {
            None => {
                self.once()?;
                two::run(context, &self.parameters, &self.blocks).await
            }
            Some(payload) => {
                let payloads = self.payloads(payload)?;
                let parameters = labelled::Parameters { two: self.parameters, payload };
                labelled::send(context, &parameters, &self.blocks, &payloads).await
            }
        };
        sent.map(|_| ()).map_err(|abort| self.fault(&abort))
    }

    /// What goes with each block; nothing with those that are no key.
    pub(crate) fn payloads(&self, payload: usize) -> Result<Zeroizing<Vec<u8>>, Fault> {
        if matches!(self.label, Label::Row { .. }) {
            self.once()?;
        }
        let mut out = Zeroizing::new(Vec::<u8>::with_capacity(self.blocks.len() * payload));
        for element in 0..self.elements.blocks().len() {
            let rows = self.elements.rows_of(element);
            match self.label {
                Label::Row { cells: forms } => self.write_row(forms, rows, &mut out)?,
                Label::Count | Label::Nothing => {
                    let count = u32::try_from(rows.len()).map_err(|_| malformed("too many rows"))?;
                    out.extend(count.to_be_bytes());
                }
            }
        }
        out.resize(self.blocks.len() * payload, 0);
        Ok(out)
    }

    fn write_row(&self, forms: &[CellForm], rows: &[u32], out: &mut Vec<u8>) -> Result<(), Fault> {
        let row = rows.first().and_then(|row| self.kept.get(*row as usize));
        let row = *row.ok_or_else(|| malformed("a row is gone"))?;
        for (form, formula) in forms.iter().zip(&self.rows.read.values) {
            if !cells::write(form, self.rows.evaluate(formula, row)?, out) {
                let why = format!("row {}: a value is longer or of another type than the plan says", row + 1);
                return Err(self.rows.fault(Code::RangeOverflow, why));
            }
        }
        Ok(())
    }

    /// Refuses keys that several rows have, without telling which.
    pub(crate) fn once(&self) -> Result<(), Fault> {
        let elements = self.elements.blocks().len();
        if (0..elements).all(|element| self.elements.rows_of(element).len() == 1) {
            return Ok(());
        }
        Err(self.rows.fault(Code::KeyNotUnique, "several of the rows that the filter keeps have one key"))
    }

    pub(crate) fn other(&self) -> Result<&'a Read, Fault> {
        self.plan.reads.get(1).ok_or_else(|| malformed("no other read"))
    }

    fn fault(&self, abort: &Abort) -> Fault {
        abort_fault(self.plan, &self.rows.read.owner, abort)
    }
}

/// What an honest owner may say of a match when `left` of its rows are not told of yet, which this takes from.
pub(crate) fn within(told: Option<(usize, Vec<AnswerCell>)>, left: &mut usize) -> Option<(usize, Vec<AnswerCell>)> {
    let (copies, theirs) = told?;
    *left = left.checked_sub(copies)?;
    Some((copies, theirs))
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

/// Bytes that a match brings, if any.
pub(crate) fn payload_bytes(label: &Label) -> Option<usize> {
    match label {
        Label::Nothing => None,
        Label::Count => Some(COUNT_BYTES),
        Label::Row { cells: forms } => Some(cells::length(forms)),
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

/// What both nodes know of the run.
pub(crate) fn parameters(plan: &Plan) -> Result<two::Parameters, Fault> {
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
        mode: Mode::Fast,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_honest_owner_says_of_a_match_is_left_out_and_ends_nothing() {
        let mut left = 5;
        let copies = |told: Option<usize>, left: &mut usize| {
            within(told.map(|copies| (copies, vec![AnswerCell::Null])), left)
                .map(|(copies, cells)| (copies, cells.len()))
        };
        assert_eq!(copies(Some(2), &mut left), Some((2, 1)));
        assert_eq!(copies(None, &mut left), None);
        assert_eq!(copies(Some(4), &mut left), None);
        assert_eq!(copies(Some(usize::MAX), &mut left), None);
        assert_eq!(copies(Some(3), &mut left), Some((3, 1)));
        assert_eq!((copies(Some(1), &mut left), left), (None, 0));
    }
}
