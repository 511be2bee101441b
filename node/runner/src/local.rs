//! What an owner does alone: filter, evaluate, number the groups, and sum each side's rows by key.
//!
//! Summing by key before the join (eager aggregation, Yan and Larson 1995) keeps every key once on a side, so that the
//! joint part needs no many-to-many join and duplicates still count as SQL says.

use std::collections::{BTreeMap, BTreeSet};

use base_types::{
    column::{ColumnType, Table},
    fault::{Code, Fault},
};
use mpc_relational::{CarrierRow, SideRow};
use notary_terms::{
    GroupColumn, Plan, Read, Span, Star,
    formula::{Formula, FormulaFault, Value},
};

/// A read and the table it gave.
pub(crate) struct Rows<'a> {
    pub(crate) read: &'a Read,
    pub(crate) table: &'a Table,
}

impl Rows<'_> {
    /// A fault of this owner's at this read.
    pub(crate) fn fault(&self, code: Code, detail: impl Into<String>) -> Fault {
        Fault::new(code, format!("read {}", self.read.dataset), detail).at(&self.read.owner)
    }

    fn formula_fault(&self, row: usize, fault: &FormulaFault) -> Fault {
        let code = if *fault == FormulaFault::Overflow { Code::RangeOverflow } else { Code::Internal };
        self.fault(code, format!("row {}: {fault}", row + 1))
    }

    /// Rows the filter keeps.
    pub(crate) fn kept(&self) -> Result<Vec<usize>, Fault> {
        let Some(filter) = &self.read.filter else { return Ok((0..self.table.rows).collect()) };
        let mut kept = Vec::new();
        for row in 0..self.table.rows {
            let value = self.evaluate(filter, row)?;
            // A truth column and the constants TRUE and FALSE are the numbers 1 and 0.
            if matches!(value, Value::Bool(true) | Value::Number(1)) {
                kept.push(row);
            }
        }
        Ok(kept)
    }

    /// The shared form of a row's key: relative to the plan's base.
    fn key(&self, star: &Star, row: usize) -> Result<Option<u64>, Fault> {
        let Some(place) = self.read.key else { return Ok(None) };
        let column = self.table.columns.get(usize::from(place));
        let Some(word) = column.and_then(|c| c.get(row)) else { return Ok(None) };
        let key = word.checked_sub(star.key_base).and_then(|k| u64::try_from(k).ok());
        match key {
            Some(k) if k >> star.key_bits == 0 => Ok(Some(k)),
            _ => Err(self.fault(Code::RangeOverflow, format!("row {}: the key lies outside its range", row + 1))),
        }
    }

    /// A formula's value in a row.
    pub(crate) fn evaluate(&self, formula: &Formula, row: usize) -> Result<Value, Fault> {
        formula.on_row(self.table, row).map_err(|f| self.formula_fault(row, &f))
    }

    /// A number's or truth value's word in a row; `None` is NULL.
    pub(crate) fn value(&self, formula: &Formula, row: usize) -> Result<Option<i64>, Fault> {
        match self.evaluate(formula, row)? {
            Value::Null => Ok(None),
            Value::Number(n) => Ok(Some(n)),
            Value::Bool(b) => Ok(Some(i64::from(b))),
            Value::Text(_) => Err(self.fault(Code::Internal, "a text where a number is due")),
        }
    }

    /// A row's values, each held to its range, by which the plan excludes an overflow.
    fn values(&self, ranges: &[Span], row: usize) -> Result<Vec<Option<i64>>, Fault> {
        let held = |(formula, range): (&Formula, &Span)| -> Result<Option<i64>, Fault> {
            let value = self.value(formula, row)?;
            if value.is_none_or(|number| range.holds(number)) {
                return Ok(value);
            }
            Err(self.fault(Code::RangeOverflow, format!("row {}: a value lies outside its range", row + 1)))
        };
        self.read.values.iter().zip(ranges).map(held).collect()
    }

    fn group_words(&self, groups: &[GroupColumn], row: usize) -> Result<Vec<u64>, Fault> {
        let mut words = Vec::new();
        for group in groups {
            let column = self
                .table
                .column(&group.column)
                .ok_or_else(|| self.fault(Code::SourceColumn, format!("no column {}", group.column)))?;
            let end = words.len() + usize::from(group.words);
            if let Some(word) = column.get(row) {
                words.push(1);
                match (group.ty, column.text(row)) {
                    (ColumnType::Text, Some(text)) => push_text(text, &mut words),
                    _ => words.push(word as u64),
                }
            }
            if words.len() > end {
                return Err(self.fault(Code::RangeOverflow, format!("row {}: a text is too long", row + 1)));
            }
            words.resize(end, 0);
        }
        Ok(words)
    }
}

fn push_text(text: &str, words: &mut Vec<u64>) {
    words.push(text.len() as u64);
    for piece in text.as_bytes().chunks(8) {
        let mut word = [0; 8];
        for (to, from) in word.iter_mut().zip(piece) {
            *to = *from;
        }
        words.push(u64::from_be_bytes(word));
    }
}

fn star(plan: &Plan) -> Result<&Star, Fault> {
    plan.star().ok_or_else(|| Fault::new(Code::Internal, "prepare rows", "the plan is no star join"))
}

/// The ranges of a read's values, by place.
fn ranges<'a>(plan: &Plan, star: &'a Star, read: &Read) -> Result<&'a [Span], Fault> {
    let place = plan.reads.iter().position(|one| one.dataset == read.dataset);
    let ranges = place.and_then(|place| star.ranges.get(place)).filter(|ranges| ranges.len() == read.values.len());
    ranges
        .map(Vec::as_slice)
        .ok_or_else(|| Fault::new(Code::Internal, "prepare rows", "the plan is malformed: values without ranges"))
}

/// The carrier's rows as the engine takes them.
///
/// # Errors
/// A [`Fault`] naming data set and row, never a value.
pub fn carrier_rows(plan: &Plan, read: &Read, groups: &[GroupColumn], table: &Table) -> Result<Vec<CarrierRow>, Fault> {
    let (rows, star) = (Rows { read, table }, star(plan)?);
    let ranges = ranges(plan, star, read)?;
    let kept = rows.kept()?;
    let words = kept.iter().map(|row| rows.group_words(groups, *row)).collect::<Result<Vec<_>, _>>()?;
    let ranks: BTreeMap<&Vec<u64>, u32> = words.iter().collect::<BTreeSet<_>>().into_iter().zip(0..).collect();
    if ranks.len() > star.max_groups as usize {
        return Err(rows.fault(Code::RangeOverflow, format!("more than {} groups", star.max_groups)));
    }
    let mut led = BTreeSet::new();
    let mut value_led = BTreeSet::new();
    let mut out = Vec::with_capacity(kept.len());
    for (row, words) in kept.into_iter().zip(&words) {
        let key = rows.key(star, row)?;
        let group = ranks.get(words).copied().unwrap_or_default();
        let values = rows.values(ranges, row)?;
        // A row without a key is a person of its own.
        let lead = key.is_none_or(|key| led.insert((key, group)));
        let value_leads = values
            .iter()
            .enumerate()
            .map(|(place, v)| v.is_some() && key.is_none_or(|key| value_led.insert((key, group, place))))
            .collect();
        out.push(CarrierRow { key, group, group_words: words.clone(), lead, values, value_leads });
    }
    Ok(out)
}

/// A side's rows, one a key.
///
/// # Errors
/// A [`Fault`] naming data set and row, never a value.
pub fn side_rows(plan: &Plan, read: &Read, table: &Table) -> Result<Vec<SideRow>, Fault> {
    let (rows, star) = (Rows { read, table }, star(plan)?);
    let ranges = ranges(plan, star, read)?;
    let mut by_key: BTreeMap<u64, SideRow> = BTreeMap::new();
    for row in rows.kept()? {
        // SQL: a NULL key matches nothing.
        let Some(key) = rows.key(star, row)? else { continue };
        let width = read.values.len();
        let entry =
            by_key.entry(key).or_insert_with(|| SideRow { key, rows: 0, sums: vec![0; width], counts: vec![0; width] });
        entry.rows += 1;
        for (place, value) in rows.values(ranges, row)?.into_iter().enumerate() {
            let (Some(value), Some(sum), Some(count)) = (value, entry.sums.get_mut(place), entry.counts.get_mut(place))
            else {
                continue;
            };
            *sum = sum
                .checked_add(value)
                .ok_or_else(|| rows.fault(Code::RangeOverflow, format!("row {}: the sum overflows", row + 1)))?;
            *count += 1;
        }
    }
    Ok(by_key.into_values().collect())
}
