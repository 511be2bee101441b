//! One node's part in aggregates over an overlap: its rows put together by key, the run on shares, the answer's one row.

use base_types::fault::{Code, Fault};
use mpc_core::Context;
use mpc_psi::{
    circuit::{self, Bound, Column, Input, Parameters},
    element::Elements,
};
use notary_terms::{Aggregate, Argument, Function, Overlap, Plan, Ranges, Read, ReadRole, ValueOf};
use zeroize::Zeroizing;

use crate::{
    Answer, AnswerCell,
    apart::apart,
    intersect::{Side, mode},
    keys::elements,
    local::Rows,
    run::abort_fault,
};

const STEP: &str = "sum matches";

fn malformed(what: &str) -> Fault {
    Fault::new(Code::Internal, STEP, format!("the plan is malformed: {what}"))
}

/// Runs the part; the receiver gets the answer.
pub(crate) async fn answer(
    plan: &Plan,
    program: Overlap,
    context: Context,
    side: Side,
) -> Result<Option<Answer>, Fault> {
    let plan = plan.clone();
    apart(STEP, move || async move { run(&plan, &program, context, &side).await }).await
}

async fn run(plan: &Plan, overlap: &Overlap, mut context: Context, side: &Side) -> Result<Option<Answer>, Fault> {
    let (read, ranges) = match (plan.reads.get(side.place), overlap.ranges.get(side.place)) {
        (Some(read), Some(ranges)) => (read, ranges),
        _ => return Err(malformed("no such read")),
    };
    let sums = Sums::of(overlap)?;
    let parameters = parameters(plan, overlap, &sums)?;
    let input = input(Rows { read, table: &side.table }, ranges, &context)?;
    let told = circuit::run(&mut context, &parameters, &input).await;
    let told = told.map_err(|abort| abort_fault(plan, &read.owner, &abort))?;
    told.map(|told| row(plan, overlap, &sums, &told)).transpose()
}

/// The functions of the engine that the aggregates are made of, each once, with the counts that tell them.
struct Sums {
    functions: Vec<circuit::Function>,
    counts: Vec<circuit::Function>,
    /// Where each aggregate's sum or count is, and where a mean's count is.
    places: Vec<(usize, Option<usize>)>,
}

impl Sums {
    fn of(overlap: &Overlap) -> Result<Self, Fault> {
        let mut sums = Self { functions: Vec::new(), counts: Vec::new(), places: Vec::new() };
        for Aggregate { function, argument } in &overlap.aggregates {
            let place = match (function, argument) {
                (Function::Count, Argument::Rows) => {
                    let rows = circuit::Function::Product(Input::ROWS, Input::ROWS);
                    (sums.place(rows, circuit::Function::Cardinality), None)
                }
                (Function::Count, Argument::Value { read, value, .. }) => (sums.value(*read, *value, count_of), None),
                (Function::Sum, Argument::Value { read, value, .. }) => (sums.value(*read, *value, sum_of), None),
                (Function::Avg { .. }, Argument::Value { read, value, .. }) => {
                    (sums.value(*read, *value, sum_of), Some(sums.value(*read, *value, count_of)))
                }
                (Function::Sum | Function::Avg { .. }, Argument::Rows) => return Err(malformed("a sum of rows")),
            };
            sums.places.push(place);
        }
        Ok(sums)
    }

    /// A value's sum or count over the pairs of rows; told where enough keys have a value.
    fn value(&mut self, read: u8, value: u8, of: fn(u8) -> usize) -> usize {
        let (column, has) = (of(value), has(value));
        if read == 0 {
            self.place(circuit::Function::Product(column, Input::ROWS), circuit::Function::Receiver(has))
        } else {
            self.place(circuit::Function::Product(Input::ROWS, column), circuit::Function::Sender(has))
        }
    }

    fn place(&mut self, function: circuit::Function, count: circuit::Function) -> usize {
        let mut all = self.functions.iter().zip(&self.counts);
        if let Some(place) = all.position(|known| known == (&function, &count)) {
            return place;
        }
        self.functions.push(function);
        self.counts.push(count);
        self.functions.len() - 1
    }
}

// Every value takes two of the input's columns: itself, and a 1 at the first of a key's rows that has it.
fn sum_of(value: u8) -> usize {
    Input::sum_of(2 * usize::from(value))
}

fn count_of(value: u8) -> usize {
    Input::count_of(2 * usize::from(value))
}

fn has(value: u8) -> usize {
    Input::sum_of(2 * usize::from(value) + 1)
}

/// What both nodes know of the run.
fn parameters(plan: &Plan, overlap: &Overlap, sums: &Sums) -> Result<Parameters, Fault> {
    let ([own, other], [mine, theirs]) = (plan.reads.as_slice(), overlap.ranges.as_slice()) else {
        return Err(malformed("not two reads with their ranges"));
    };
    let receiver = plan.nodes.iter().position(|node| *node == own.owner);
    let receiver = receiver.ok_or_else(|| malformed("a receiver whose node does not compute"))?;
    let (receiving, sending) = (shape(own, mine), shape(other, theirs));
    let least = Some(u64::from(overlap.min_group));
    let made = Parameters::new(receiver, receiving, sending, sums.functions.clone(), least);
    let made = made.and_then(|made| made.told_by(sums.counts.clone()));
    made.map(|made| made.in_mode(mode(overlap.spares))).map_err(|refused| malformed(&refused.to_string()))
}

/// A side's columns by their ranges: rows of a key; then for each value its sum and count, and whether a key has one, with
/// how many rows a key has again.
fn shape(read: &Read, ranges: &Ranges) -> circuit::Side {
    let (all, rows) = (u64::from(read.rows_bound), u64::from(ranges.rows));
    let counted = Bound { each: rows, total: all };
    let mut columns = vec![counted];
    for most in &ranges.values {
        let summed = Bound { each: rows.saturating_mul(*most), total: all.saturating_mul(*most) };
        columns.extend([summed, counted, Bound { each: 1, total: all }, counted]);
    }
    circuit::Side { keys: read.rows_bound as usize, columns }
}

/// The rows that the filter keeps, one row a key, padded to the bound: how many keys there are stays here.
fn input(rows: Rows<'_>, ranges: &Ranges, context: &Context) -> Result<Input, Fault> {
    let ReadRole::Set { keys } = &rows.read.role else { return Err(malformed("a read that is no set")) };
    let kept = rows.kept()?;
    let elements = elements(&rows, keys, &kept, &context.session())?;
    let keyed = 0..elements.blocks().len();
    if keyed.clone().any(|element| elements.rows_of(element).len() > ranges.rows as usize) {
        let why = "several of the rows that the filter keeps have one key, which its registration says occurs once";
        return Err(rows.fault(Code::KeyNotUnique, why));
    }
    if keyed.end > rows.read.rows_bound as usize {
        return Err(rows.fault(Code::SourceChanged, "more keys than the bound on rows"));
    }
    let mut values = Vec::with_capacity(2 * rows.read.values.len());
    for place in 0..rows.read.values.len() {
        let read = numbers(&rows, &kept, place, ranges)?;
        let first = first(&read, &elements);
        values.extend([read, first]);
    }
    let columns: Vec<Column<'_>> =
        values.iter().map(|read| Column { values: &read.words, valid: Some(&read.valid) }).collect();
    let made = Input::by_key(&elements, &columns);
    let made = made.and_then(|input| input.padded(rows.read.rows_bound as usize, context));
    made.map_err(|refused| rows.fault(Code::Internal, refused.to_string()))
}

/// A formula's values at the rows that are kept.
struct Numbers {
    words: Zeroizing<Vec<i64>>,
    valid: Zeroizing<Vec<bool>>,
}

impl Numbers {
    fn zeros(rows: usize, valid: bool) -> Self {
        Self { words: Zeroizing::new(vec![0; rows]), valid: Zeroizing::new(vec![valid; rows]) }
    }
}

/// Evaluates a value and holds it to its range, by which the plan excludes an overflow.
fn numbers(rows: &Rows<'_>, kept: &[usize], place: usize, ranges: &Ranges) -> Result<Numbers, Fault> {
    let (formula, most) = match (rows.read.values.get(place), ranges.values.get(place)) {
        (Some(formula), Some(most)) => (formula, *most),
        _ => return Err(malformed("a value without a range")),
    };
    let mut numbers = Numbers::zeros(kept.len(), false);
    let slots = numbers.words.iter_mut().zip(numbers.valid.iter_mut());
    for (row, (word, valid)) in kept.iter().zip(slots) {
        let Some(number) = rows.value(formula, *row)? else { continue };
        if number.unsigned_abs() > most {
            return Err(rows.fault(Code::RangeOverflow, format!("row {}: a value lies outside its range", row + 1)));
        }
        (*word, *valid) = (number, true);
    }
    Ok(numbers)
}

/// A 1 at the first of each key's rows that has a value.
fn first(read: &Numbers, elements: &Elements) -> Numbers {
    let mut first = Numbers::zeros(read.words.len(), true);
    for element in 0..elements.blocks().len() {
        let has = |row: &&u32| read.valid.get(**row as usize) == Some(&true);
        let row = elements.rows_of(element).iter().find(has);
        if let Some(word) = row.and_then(|row| first.words.get_mut(*row as usize)) {
            *word = 1;
        }
    }
    first
}

/// The answer's row; an aggregate that was not told is suppressed.
fn row(plan: &Plan, overlap: &Overlap, sums: &Sums, told: &circuit::Answer) -> Result<Answer, Fault> {
    let circuit::Answer::Each(told) = told else { return Err(malformed("an answer told as a whole")) };
    let at = |place: usize| told.get(place).copied().flatten();
    let cell = |(aggregate, (value, count)): (&Aggregate, &(usize, Option<usize>))| -> Result<AnswerCell, Fault> {
        let number = match (aggregate.function, count) {
            (Function::Avg { extra_digits }, Some(count)) => match (at(*value), at(*count)) {
                (Some(sum), Some(count)) => Some(mean(sum, count, extra_digits).ok_or_else(garbled)?),
                _ => None,
            },
            _ => at(*value),
        };
        Ok(number.map_or(AnswerCell::Suppressed, AnswerCell::Number))
    };
    let cells = overlap.aggregates.iter().zip(&sums.places).map(cell).collect::<Result<Vec<_>, _>>();
    let cells = cells.map_err(|fault| match plan.reads.get(1) {
        Some(other) => fault.at(&other.owner),
        None => fault,
    })?;
    let shown = |value: ValueOf| match value {
        ValueOf::Aggregate { aggregate } => cells.get(usize::from(aggregate)).cloned(),
        ValueOf::Group { .. } | ValueOf::Cell { .. } | ValueOf::Result { .. } | ValueOf::Stopped => None,
    };
    let line = plan.outputs.iter().map(|output| shown(output.value)).collect::<Option<Vec<_>>>();
    Ok(Answer::from_rows(plan, vec![line.ok_or_else(|| malformed("an output of nothing"))?]))
}

/// The mean times a power of ten, rounded half away from zero; `None` when there is no such mean.
fn mean(sum: i64, count: i64, extra_digits: u8) -> Option<i64> {
    let (count, scaled) = (i128::from(count), i128::from(sum).checked_mul(10i128.checked_pow(extra_digits.into())?)?);
    if count <= 0 {
        return None;
    }
    let magnitude = (scaled.checked_abs()?.checked_mul(2)?.checked_add(count)?) / (2 * count);
    i64::try_from(magnitude * scaled.signum()).ok()
}

fn garbled() -> Fault {
    Fault::new(Code::PeerMisbehaved, "answer", "a mean's sum and count are not what the other owner may share")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_rounded_half_away_from_zero() {
        assert_eq!(
            [(7, 2, 0), (-7, 2, 0), (1, 3, 4), (2, 3, 2), (-1, 8, 2)].map(|(s, c, d)| mean(s, c, d)),
            [Some(4), Some(-4), Some(3333), Some(67), Some(-13)]
        );
        assert_eq!([mean(1, 0, 2), mean(1, -3, 2), mean(i64::MAX, 1, 9)], [None; 3]);
    }

    #[test]
    fn functions_that_two_aggregates_share_are_computed_once() {
        let value = |read| Argument::Value { read, value: 1, absent: None };
        let of = |function, argument| Aggregate { function, argument };
        let aggregates = vec![
            of(Function::Count, Argument::Rows),
            of(Function::Avg { extra_digits: 2 }, value(1)),
            of(Function::Count, value(1)),
            of(Function::Sum, value(0)),
        ];
        let overlap = Overlap { min_group: 5, ranges: vec![], aggregates, spares: notary_terms::Spares::Time };
        let sums = Sums::of(&overlap).unwrap();
        assert_eq!(sums.places, [(0, None), (1, Some(2)), (2, None), (3, None)]);
        use circuit::Function::{Cardinality, Product, Receiver, Sender};
        assert_eq!(sums.functions, [Product(0, 0), Product(0, 5), Product(0, 6), Product(5, 0)]);
        assert_eq!(sums.counts, [Cardinality, Sender(7), Sender(7), Receiver(7)]);
        let rows = Overlap { aggregates: vec![of(Function::Sum, Argument::Rows)], ..overlap };
        assert!(Sums::of(&rows).is_err());
    }
}
