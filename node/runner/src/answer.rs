//! The answer as its receiver sees it: typed cells, in the order asked for.

use std::cmp::Ordering;

use base_types::{
    column::ColumnType,
    fault::{Code, Fault},
};
use base_wire::{wire_enum, wire_struct};
use mpc_relational::{Cell, GroupResult};
use notary_terms::{GroupColumn, Order, Plan, ReadRole, ValueOf};
use serde::{Deserialize, Serialize};

/// A column of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: ColumnType,
}
wire_struct!(AnswerColumn { name, ty });

/// A cell of the answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerCell {
    /// NULL.
    Null,
    /// Too few people stand behind it.
    Suppressed,
    /// A word of the column's type.
    Number(i64),
    /// A text.
    Text(String),
}
wire_enum!(AnswerCell { 0 => Null, 1 => Suppressed, 2 => Number(word), 3 => Text(text) });

/// The whole answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The columns.
    pub columns: Vec<AnswerColumn>,
    /// The rows, in order.
    pub rows: Vec<Vec<AnswerCell>>,
}
wire_struct!(Answer { columns, rows });

impl Answer {
    /// Builds the answer from the engine's groups, sorts and cuts it as the plan says.
    ///
    /// # Errors
    /// [`Code::PeerMisbehaved`] when a group's words are not what an owner may share.
    pub fn from_groups(plan: &Plan, groups: &[GroupResult]) -> Result<Self, Fault> {
        let mut rows = groups.iter().map(|group| row(plan, group)).collect::<Result<Vec<_>, _>>()?;
        if rows.is_empty()
            && plan.reads.first().is_some_and(|r| matches!(&r.role, ReadRole::Carrier { groups } if groups.is_empty()))
        {
            // SQL: without GROUP BY there is one row even over nothing; nobody stands behind it.
            rows.push(plan.outputs.iter().map(|_| AnswerCell::Suppressed).collect());
        }
        Ok(Self::from_rows(plan, rows))
    }

    /// Sorts rows of the plan's outputs and cuts them as the plan says.
    pub(crate) fn from_rows(plan: &Plan, mut rows: Vec<Vec<AnswerCell>>) -> Self {
        let columns = plan.outputs.iter().map(|o| AnswerColumn { name: o.name.clone(), ty: o.ty }).collect();
        // Rows arrive in no order; a total order makes the answer the same at every run.
        rows.sort();
        rows.sort_by(|a, b| compare(&plan.order, a, b));
        rows.truncate(plan.limit.map_or(usize::MAX, |n| n as usize));
        Self { columns, rows }
    }

    /// A cell as text; `None` for NULL and for what is suppressed.
    pub fn text(&self, row: usize, column: usize) -> Option<String> {
        let ty = self.columns.get(column)?.ty;
        match self.rows.get(row)?.get(column)? {
            AnswerCell::Null | AnswerCell::Suppressed => None,
            AnswerCell::Text(text) => Some(text.clone()),
            AnswerCell::Number(word) => Some(number(*word, ty)),
        }
    }

    /// How many groups have at least one suppressed cell.
    pub fn suppressed_groups(&self) -> usize {
        self.rows.iter().filter(|row| row.contains(&AnswerCell::Suppressed)).count()
    }
}

fn number(word: i64, ty: ColumnType) -> String {
    match ty {
        ColumnType::Bool => (word != 0).to_string(),
        ColumnType::Date => date(word),
        ColumnType::Int | ColumnType::Text => word.to_string(),
        ColumnType::Decimal { scale: 0 } => word.to_string(),
        ColumnType::Decimal { scale } => {
            let digits = format!("{:0width$}", word.unsigned_abs(), width = usize::from(scale) + 1);
            let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
            format!("{}{whole}.{fraction}", if word < 0 { "-" } else { "" })
        }
    }
}

/// Days since 1970-01-01 as a date (Hinnant, "chrono-compatible low-level date algorithms", civil_from_days).
fn date(days: i64) -> String {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

fn garbled() -> Fault {
    Fault::new(Code::PeerMisbehaved, "answer", "a group's name is not what its owner may share")
}

fn row(plan: &Plan, group: &GroupResult) -> Result<Vec<AnswerCell>, Fault> {
    let names = match plan.reads.first().map(|r| &r.role) {
        Some(ReadRole::Carrier { groups }) => group_cells(groups, &group.group_words)?,
        _ => return Err(garbled()),
    };
    plan.outputs
        .iter()
        .map(|output| match output.value {
            ValueOf::Group { group } => names.get(usize::from(group)).cloned().ok_or_else(garbled),
            ValueOf::Aggregate { aggregate } => match group.values.get(usize::from(aggregate)) {
                Some(Cell::Value(v)) => Ok(AnswerCell::Number(*v)),
                Some(Cell::Null) => Ok(AnswerCell::Null),
                Some(Cell::Suppressed) => Ok(AnswerCell::Suppressed),
                None => Err(garbled()),
            },
            _ => Err(garbled()),
        })
        .collect()
}

fn group_cells(groups: &[GroupColumn], words: &[u64]) -> Result<Vec<AnswerCell>, Fault> {
    let mut rest = words;
    let mut cells = Vec::new();
    for group in groups {
        let (mine, after) = rest.split_at_checked(usize::from(group.words)).ok_or_else(garbled)?;
        rest = after;
        cells.push(match (mine, group.ty) {
            ([0, ..], _) => AnswerCell::Null,
            ([1, len, pieces @ ..], ColumnType::Text) => AnswerCell::Text(text(*len, pieces)?),
            ([1, word, ..], _) => AnswerCell::Number(*word as i64),
            _ => return Err(garbled()),
        });
    }
    Ok(cells)
}

fn text(len: u64, pieces: &[u64]) -> Result<String, Fault> {
    let mut bytes: Vec<u8> = pieces.iter().flat_map(|p| p.to_be_bytes()).collect();
    let len = usize::try_from(len).ok().filter(|len| *len <= bytes.len()).ok_or_else(garbled)?;
    bytes.truncate(len);
    String::from_utf8(bytes).map_err(|_| garbled())
}

fn compare(order: &[Order], a: &[AnswerCell], b: &[AnswerCell]) -> Ordering {
    for key in order {
        let (Some(left), Some(right)) = (a.get(usize::from(key.output)), b.get(usize::from(key.output))) else {
            continue;
        };
        let missing = |cell: &AnswerCell| matches!(cell, AnswerCell::Null | AnswerCell::Suppressed);
        let by = match (missing(left), missing(right)) {
            (true, true) => left.cmp(right),
            (true, false) => {
                if key.nulls_first {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (false, true) => {
                if key.nulls_first {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (false, false) => {
                if key.descending {
                    right.cmp(left)
                } else {
                    left.cmp(right)
                }
            }
        };
        if by != Ordering::Equal {
            return by;
        }
    }
    Ordering::Equal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_the_text_a_database_prints() {
        let decimal = |scale| ColumnType::Decimal { scale };
        assert_eq!(number(-5, decimal(2)), "-0.05");
        assert_eq!(number(123_456, decimal(3)), "123.456");
        assert_eq!(number(7, ColumnType::Int), "7");
        assert_eq!(number(0, ColumnType::Date), "1970-01-01");
        assert_eq!(number(19_782, ColumnType::Date), "2024-02-29");
        assert_eq!(number(-1, ColumnType::Date), "1969-12-31");
    }

    #[test]
    fn garbled_group_names_are_a_fault_not_a_panic() {
        let text_column = GroupColumn { column: "a".into(), ty: ColumnType::Text, words: 3 };
        for words in [&[2, 0, 0][..], &[1, 9, 0], &[1], &[1, 1, u64::MAX]] {
            assert!(group_cells(std::slice::from_ref(&text_column), words).is_err(), "{words:?}");
        }
        let word = u64::from_be_bytes(*b"ab\0\0\0\0\0\0");
        assert_eq!(group_cells(&[text_column], &[1, 2, word]), Ok(vec![AnswerCell::Text("ab".into())]));
    }
}
