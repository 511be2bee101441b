//! What a match means at either end: what the other owner's node attaches to a key, and the rows that the receiver makes of it.

use base_types::fault::{Code, Fault};
use mpc_core::Abort;
use notary_terms::{CellForm, KeyPart, Label, Plan, ReadRole, ValueOf};

use crate::{Answer, AnswerCell, cells, intersect::Side, local::Rows, run::abort_fault};

/// Most rows of an answer: duplicates on both sides multiply.
pub(crate) const MAX_ROWS: usize = 1 << 22;
/// Bytes that tell how many rows have a key.
const COUNT_BYTES: usize = 4;

pub(crate) fn malformed(what: &str) -> Fault {
    Fault::new(Code::Internal, "match keys", format!("the plan is malformed: {what}"))
}

/// Bytes that a match brings, if any.
pub(crate) fn payload_bytes(label: &Label) -> Option<usize> {
    match label {
        Label::Nothing => None,
        Label::Count => Some(COUNT_BYTES),
        Label::Row { cells: forms, rows } => Some(room(forms, *rows)),
    }
}

/// One node's rows, and what a match with them brings.
pub(crate) struct Matching<'a> {
    pub(crate) plan: &'a Plan,
    label: &'a Label,
    pub(crate) rows: Rows<'a>,
    /// Rows that the filter keeps; elements number them.
    pub(crate) kept: Vec<usize>,
}

impl<'a> Matching<'a> {
    /// The rows of a side, and the parts of its key.
    pub(crate) fn of(plan: &'a Plan, label: &'a Label, side: &'a Side) -> Result<(Self, &'a [KeyPart]), Fault> {
        let read = plan.reads.get(side.place).ok_or_else(|| malformed("no such read"))?;
        let ReadRole::Set { keys } = &read.role else { return Err(malformed("a read that is no set")) };
        let rows = Rows { read, table: &side.table };
        let kept = rows.kept()?;
        Ok((Self { plan, label, rows, kept }, keys.as_slice()))
    }

    /// Bytes that a match brings, if any.
    pub(crate) fn payload(&self) -> Option<usize> {
        payload_bytes(self.label)
    }

    /// Appends what goes with a key that these rows have, by place among those kept. A key of more rows than a match may
    /// bring is refused, without telling which.
    pub(crate) fn attach(&self, rows: impl ExactSizeIterator<Item = usize>, out: &mut Vec<u8>) -> Result<(), Fault> {
        let count = rows.len();
        match self.label {
            Label::Count => {
                let count = u32::try_from(count).map_err(|_| malformed("too many rows"))?;
                out.extend(count.to_be_bytes());
            }
            Label::Nothing if count == 1 => {}
            Label::Row { cells: forms, rows: most } if count <= usize::from(*most) => {
                let end = out.len() + room(forms, *most);
                if *most > 1 {
                    out.push(count as u8);
                }
                for row in rows {
                    self.write_row(forms, row, out)?;
                }
                out.resize(end, 0);
            }
            Label::Nothing | Label::Row { rows: 1, .. } => {
                let why = "several of the rows that the filter keeps have one key";
                return Err(self.rows.fault(Code::KeyNotUnique, why));
            }
            Label::Row { rows: most, .. } => {
                let why = format!("more than {most} of the rows that the filter keeps have one key");
                return Err(self.rows.fault(Code::KeyNotUnique, why));
            }
        }
        Ok(())
    }

    fn write_row(&self, forms: &[CellForm], row: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
        let row = *self.kept.get(row).ok_or_else(|| malformed("a row is gone"))?;
        for (form, formula) in forms.iter().zip(&self.rows.read.values) {
            if !cells::write(form, self.rows.evaluate(formula, row)?, out) {
                let why = format!("row {}: a value is longer or of another type than the plan says", row + 1);
                return Err(self.rows.fault(Code::RangeOverflow, why));
            }
        }
        Ok(())
    }

    /// The other owner's rows that have a key; `None` when no honest owner says so.
    fn told(&self, payload: &[u8]) -> Option<Told> {
        match self.label {
            Label::Nothing => Some(Told { copies: 1, rows: vec![Vec::new()] }),
            Label::Count => {
                let copies = u32::from_be_bytes(payload.try_into().ok()?);
                (copies > 0).then_some(Told { copies: copies as usize, rows: vec![Vec::new()] })
            }
            Label::Row { cells: forms, rows: most } => {
                let rows = rows_of(forms, *most, payload)?;
                Some(Told { copies: 1, rows })
            }
        }
    }

    /// The fault of a source that has grown since it was registered.
    pub(crate) fn too_many_keys(&self) -> Fault {
        self.rows.fault(Code::SourceChanged, "more keys than the bound on rows")
    }

    /// The fault of an answer that is too long.
    pub(crate) fn too_many(&self) -> Fault {
        let why = format!("the answer has more than {MAX_ROWS} rows; filter them, or select fewer duplicates");
        Fault::new(Code::QueryUnsupported, "match keys", why).at(&self.rows.read.owner)
    }

    /// An engine's abort in the plan's words.
    pub(crate) fn fault(&self, abort: &Abort) -> Fault {
        abort_fault(self.plan, &self.rows.read.owner, abort)
    }
}

/// The other owner's rows that have a key.
struct Told {
    /// How often each of them stands there.
    copies: usize,
    /// Their cells, none where none are shown.
    rows: Vec<Vec<AnswerCell>>,
}

/// Bytes that the rows of one key take: their number, where there may be several, and their cells.
fn room(forms: &[CellForm], most: u8) -> usize {
    usize::from(most > 1) + usize::from(most) * cells::length(forms)
}

/// Reads the rows of one key: their number, as many rows, and nothing in the room that is left.
fn rows_of(forms: &[CellForm], most: u8, payload: &[u8]) -> Option<Vec<Vec<AnswerCell>>> {
    if most == 1 {
        return Some(vec![cells::read(forms, payload)?]);
    }
    let (count, rest) = payload.split_first()?;
    if !(1..=most).contains(count) {
        return None;
    }
    let (written, room) = rest.split_at_checked(usize::from(*count) * cells::length(forms))?;
    let rows = written.chunks_exact(cells::length(forms).max(1)).map(|row| cells::read(forms, row));
    let rows = rows.collect::<Option<Vec<_>>>()?;
    room.iter().all(|byte| *byte == 0).then_some(rows)
}

/// The rows that the receiver puts together.
pub(crate) struct Collected<'a> {
    matching: &'a Matching<'a>,
    /// Rows of the other owner that may still be told of.
    left: usize,
    answer: Vec<Vec<AnswerCell>>,
}

impl<'a> Collected<'a> {
    /// None yet.
    pub(crate) fn of(matching: &'a Matching<'a>) -> Result<Self, Fault> {
        let other = matching.plan.reads.get(1).ok_or_else(|| malformed("no other read"))?;
        Ok(Self { matching, left: other.rows_bound as usize, answer: Vec::new() })
    }

    /// Adds a match: this side's rows, by place among those kept, and what came with it (`None` where its seal is wrong). A
    /// match with which the other owner sealed what it may not say is left out, as if the owner had left out the key: a fault
    /// would stand in the ledger, and tell that owner whether a key of its choice is among this side's.
    pub(crate) fn add(&mut self, rows: impl Iterator<Item = usize>, payload: Option<&[u8]>) -> Result<(), Fault> {
        let told = payload.and_then(|payload| self.matching.told(payload));
        let Some(Told { copies, rows: theirs }) = within(told, &mut self.left) else { return Ok(()) };
        for row in rows {
            for other in &theirs {
                self.append(row, other, copies)?;
            }
        }
        Ok(())
    }

    /// Adds this side's rows, by place among those kept, where a match brings nothing.
    pub(crate) fn add_bare(&mut self, rows: impl Iterator<Item = usize>) -> Result<(), Fault> {
        for row in rows {
            self.append(row, &[], 1)?;
        }
        Ok(())
    }

    /// Appends one row of this side, as often as rows of the other match it.
    fn append(&mut self, row: usize, theirs: &[AnswerCell], copies: usize) -> Result<(), Fault> {
        let Matching { plan, rows, kept, .. } = self.matching;
        let row = *kept.get(row).ok_or_else(|| malformed("a row is gone"))?;
        let mine = rows.read.values.iter().map(|formula| rows.evaluate(formula, row).map(cells::cell));
        let mine = mine.collect::<Result<Vec<_>, _>>()?;
        let cell = |value: ValueOf| match value {
            ValueOf::Cell { read: 0, value } => mine.get(usize::from(value)),
            ValueOf::Cell { value, .. } => theirs.get(usize::from(value)),
            _ => None,
        };
        let line = plan.outputs.iter().map(|output| cell(output.value).cloned());
        let line: Vec<AnswerCell> = line.collect::<Option<_>>().ok_or_else(|| malformed("an output of nothing"))?;
        if self.answer.len().saturating_add(copies) > MAX_ROWS {
            return Err(self.matching.too_many());
        }
        self.answer.extend(std::iter::repeat_n(line, copies));
        Ok(())
    }

    /// The answer.
    pub(crate) fn answer(self) -> Answer {
        Answer::from_rows(self.matching.plan, self.answer)
    }
}

/// What an honest owner may say of a match when `left` of its rows are not told of yet, which this takes from.
fn within(told: Option<Told>, left: &mut usize) -> Option<Told> {
    let told = told?;
    *left = left.checked_sub(told.copies.checked_mul(told.rows.len())?)?;
    Some(told)
}

#[cfg(test)]
mod tests {
    use base_types::column::ColumnType;

    use super::*;

    #[test]
    fn what_no_honest_owner_says_of_a_match_is_left_out_and_ends_nothing() {
        let mut left = 5;
        let copies = |told: Option<(usize, usize)>, left: &mut usize| {
            let told = told.map(|(copies, rows)| Told { copies, rows: vec![vec![AnswerCell::Null]; rows] });
            within(told, left).map(|told| (told.copies, told.rows.len()))
        };
        assert_eq!(copies(Some((1, 2)), &mut left), Some((1, 2)));
        assert_eq!(copies(None, &mut left), None);
        assert_eq!(copies(Some((4, 1)), &mut left), None);
        assert_eq!(copies(Some((usize::MAX, 2)), &mut left), None);
        assert_eq!(copies(Some((3, 1)), &mut left), Some((3, 1)));
        assert_eq!((copies(Some((1, 1)), &mut left), left), (None, 0));
    }

    #[test]
    fn rows_of_a_key_are_as_many_as_it_says_and_nothing_is_behind_them() {
        let forms = [CellForm { ty: ColumnType::Int, bytes: 8 }];
        let row = |word: i64| [&[1_u8][..], &word.to_be_bytes()].concat();
        let payload = |count: u8, rows: &[Vec<u8>]| [&[count][..], &rows.concat()].concat();
        let (one, two, none) = (row(1), row(2), vec![0; 9]);
        let words = |payload: &[u8]| rows_of(&forms, 2, payload).map(|rows| rows.concat());
        let number = AnswerCell::Number;
        assert_eq!(words(&payload(2, &[one.clone(), two.clone()])), Some(vec![number(1), number(2)]));
        assert_eq!(words(&payload(1, &[two.clone(), none.clone()])), Some(vec![number(2)]));
        assert_eq!(words(&payload(2, &[two.clone(), none.clone()])), Some(vec![number(2), AnswerCell::Null]));
        for (count, rows) in [(0, [&one, &two]), (1, [&one, &two]), (3, [&one, &two])] {
            assert_eq!(words(&payload(count, &rows.map(Clone::clone))), None, "{count}");
        }
        assert_eq!((words(&[]), words(&payload(2, &[one]))), (None, None));
        let single = |payload: &[u8]| rows_of(&forms, 1, payload).map(|rows| rows.concat());
        assert_eq!(
            (single(&two), single(&none[..8]), room(&forms, 1), room(&forms, 2)),
            (Some(vec![number(2)]), None, 9, 19)
        );
    }
}
