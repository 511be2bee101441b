//! The owners' rows as they come in, what must hold for them, and the receiver's answer.

use std::collections::BTreeSet;

use zeroize::Zeroize;

use crate::StarShape;

/// A row of the carrier.
#[derive(Clone, Zeroize)]
pub struct CarrierRow {
    /// The key; `None` is NULL, which has no partner.
    pub key: Option<u64>,
    /// The rank of the row's group among all groups, below `max_groups`.
    pub group: u32,
    /// The values the group is made by, equal for all rows of a group.
    pub group_words: Vec<u64>,
    /// Whether this is the first row of its (key, group); a row without key always is. In tier B+ that is checked on
    /// the shares where there is a side.
    pub lead: bool,
    /// The values; `None` is NULL.
    pub values: Vec<Option<i64>>,
    /// For each value, whether this is the first row of its (key, group) that has it. In tier B+ this is not read
    /// where there is a side: it follows from the rows.
    pub value_leads: Vec<bool>,
}

/// All rows of a side that have one key, aggregated by the owner.
#[derive(Clone, Zeroize)]
pub struct SideRow {
    /// The key; each occurs once.
    pub key: u64,
    /// How many rows of the source have it, at least 1.
    pub rows: u64,
    /// For each value, the sum over the rows where it is not NULL.
    pub sums: Vec<i64>,
    /// For each value, the number of these rows.
    pub counts: Vec<u64>,
}

/// What one owner puts in; the engine wipes it when it has taken it over or refused it.
#[derive(Zeroize)]
pub enum OwnerRows {
    /// The carrier.
    Carrier(Vec<CarrierRow>),
    /// The side of that number.
    Side(usize, Vec<SideRow>),
}

/// One group of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupResult {
    /// The values the group is made by.
    pub group_words: Vec<u64>,
    /// One cell an aggregate.
    pub values: Vec<Cell>,
}

/// One value of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// The value.
    Value(i64),
    /// There is no row with a value.
    Null,
    /// Fewer contributors than the threshold: not revealed, whatever it is.
    Suppressed,
}

/// What is said of a value outside its range, which is not told.
const OUTSIDE: &str = "a value lies outside its range";

fn hold(fits: bool, what: &str, row: usize) -> Result<(), String> {
    if fits { Ok(()) } else { Err(format!("row {row}: {what}")) }
}

impl StarShape {
    /// Checks the carrier's rows against the shape.
    ///
    /// # Errors
    /// Says which row breaks which rule, without its values.
    pub(crate) fn check_carrier(&self, rows: &[CarrierRow]) -> Result<(), String> {
        hold(rows.len() <= self.carrier_rows as usize, "the carrier has more rows than its bound", rows.len())?;
        let values = self.carrier_values.len();
        for (at, row) in rows.iter().enumerate() {
            hold(row.key.is_none_or(|key| key >> self.key_bits == 0), "the key has too many bits", at)?;
            hold(row.group < self.max_groups, "the group's rank is out of bounds", at)?;
            hold(row.group_words.len() == usize::from(self.key_words), "another number of group words", at)?;
            hold(row.values.len() == values && row.value_leads.len() == values, "another number of values", at)?;
            hold(row.key.is_some() || row.lead, "a row without key leads", at)?;
            let leads = row.values.iter().zip(&row.value_leads);
            hold(leads.into_iter().all(|(value, lead)| value.is_some() || !lead), "a NULL leads", at)?;
            let mut spans = row.values.iter().zip(&self.carrier_values);
            hold(spans.all(|(value, span)| value.is_none_or(|value| span.holds(value, 1))), OUTSIDE, at)?;
        }
        Ok(())
    }

    /// Checks a side's rows against the shape.
    ///
    /// # Errors
    /// Says which row breaks which rule, without its values.
    pub(crate) fn check_side(&self, side: usize, rows: &[SideRow]) -> Result<(), String> {
        let shape = self.sides.get(side).ok_or_else(|| format!("there is no side {side}"))?;
        hold(rows.len() <= shape.rows as usize, "the side has more rows than its bound", rows.len())?;
        let (values, mut keys) = (shape.values.len(), BTreeSet::new());
        for (at, row) in rows.iter().enumerate() {
            hold(row.key >> self.key_bits == 0, "the key has too many bits", at)?;
            hold(keys.insert(row.key), "the key occurs twice", at)?;
            hold(row.sums.len() == values && row.counts.len() == values, "another number of values", at)?;
            hold(row.rows >= 1 && row.counts.iter().all(|count| *count <= row.rows), "more values than rows", at)?;
            // A sum over nothing is 0.
            let mut sums = row.sums.iter().zip(&row.counts).zip(&shape.values);
            hold(sums.all(|((sum, count), span)| span.holds(*sum, *count)), OUTSIDE, at)?;
        }
        let total = rows.iter().fold(0, |sum: u64, row| sum.saturating_add(row.rows));
        hold(total <= shape.rows.into(), "the keys stand for more rows than the bound", rows.len())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_wiped_to_the_last_field() {
        let (values, value_leads) = (vec![Some(-4), None], vec![true, false]);
        let mut row = CarrierRow { key: Some(7), group: 3, group_words: vec![5], lead: true, values, value_leads };
        row.zeroize();
        let CarrierRow { key, group, group_words, lead, values, value_leads } = row;
        assert_eq!((key, group, lead), (None, 0, false));
        assert!(group_words.is_empty() && values.is_empty() && value_leads.is_empty());
        let mut row = SideRow { key: 7, rows: 2, sums: vec![-9], counts: vec![2] };
        row.zeroize();
        let SideRow { key, rows, sums, counts } = row;
        assert!(key == 0 && rows == 0 && sums.is_empty() && counts.is_empty());
    }
}
