//! Compares an answer with the rows that it must have: as a multiset, in an order that SQL allows, cut where SQL allows.

use std::cmp::Ordering;

use runner::{Answer, AnswerCell};

/// One key of ORDER BY: the column, whether it falls, whether NULLs come first.
pub type Key = (usize, bool, bool);

/// PostgreSQL's defaults: NULLs last when rising, first when falling.
pub fn rising(column: usize) -> Key {
    (column, false, false)
}

/// See [`rising`].
pub fn falling(column: usize) -> Key {
    (column, true, true)
}

fn missing(cell: &AnswerCell) -> bool {
    matches!(cell, AnswerCell::Null | AnswerCell::Suppressed)
}

fn order(keys: &[Key], a: &[AnswerCell], b: &[AnswerCell]) -> Ordering {
    let by_key = |(column, falls, nulls_first): &Key| {
        let (left, right) = (&a[*column], &b[*column]);
        match (missing(left), missing(right)) {
            (false, false) if *falls => right.cmp(left),
            (false, false) | (true, true) => left.cmp(right),
            (is_missing, _) => {
                if is_missing == *nulls_first {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
        }
    };
    keys.iter().map(by_key).find(|by| by.is_ne()).unwrap_or(Ordering::Equal)
}

/// Says how the answer differs from `expected`, if it does.
pub fn difference(
    answer: &Answer,
    mut expected: Vec<Vec<AnswerCell>>,
    keys: &[Key],
    limit: Option<usize>,
) -> Result<(), String> {
    let rows = &answer.rows;
    let due = limit.unwrap_or(usize::MAX).min(expected.len());
    if rows.len() != due {
        return Err(format!("{} rows where {due} are due: {rows:?}\nexpected {expected:?}", rows.len()));
    }
    if let Some(pair) = rows.windows(2).find(|pair| order(keys, &pair[0], &pair[1]).is_gt()) {
        return Err(format!("out of order: {pair:?}"));
    }
    for row in rows {
        let Some(at) = expected.iter().position(|other| other == row) else {
            return Err(format!("{row:?} is not among\n{expected:?}"));
        };
        expected.swap_remove(at);
    }
    match (rows.last(), expected.iter().find(|left| rows.iter().any(|row| order(keys, left, row).is_lt()))) {
        (Some(_), Some(lost)) => Err(format!("{lost:?} was cut off but comes before what was kept")),
        _ => Ok(()),
    }
}

/// Fails with the difference.
pub fn check(sql: &str, answer: &Answer, expected: Vec<Vec<AnswerCell>>, keys: &[Key], limit: Option<usize>) {
    if let Err(why) = difference(answer, expected, keys, limit) {
        panic!("{sql}\n{why}");
    }
}
