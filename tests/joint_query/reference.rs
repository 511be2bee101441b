//! SQL's definition by nested loops over rows: the reference for random queries, sharing no code with what it checks.

use std::{cmp::Ordering, collections::BTreeSet};

use runner::AnswerCell;

use crate::query::{Cmp, Cond, Expr, Item, Query, Table, Val};

/// One row of the join: a row of each table, or none where a LEFT JOIN found no partner.
type Row<'a> = Vec<Option<&'a Vec<Val>>>;

fn align((a, s): (i128, u32), (b, t): (i128, u32)) -> (i128, i128, u32) {
    let scale = s.max(t);
    (a * 10i128.pow(scale - s), b * 10i128.pow(scale - t), scale)
}

fn number(value: &Val) -> Option<(i128, u32)> {
    match value {
        Val::Num(word, scale) => Some((*word, *scale)),
        Val::Null => None,
        Val::Text(text) => panic!("'{text}' is no number"),
    }
}

fn both(x: &Val, y: &Val, f: impl Fn((i128, u32), (i128, u32)) -> Val) -> Val {
    match (number(x), number(y)) {
        (Some(x), Some(y)) => f(x, y),
        _ => Val::Null,
    }
}

fn value(row: &Row<'_>, expr: &Expr) -> Val {
    match expr {
        Expr::Column(table, column, _) => row[*table].map_or(Val::Null, |cells| cells[*column].clone()),
        Expr::Number(word, scale) => Val::Num(*word, *scale),
        Expr::Null => Val::Null,
        Expr::Add(x, y) | Expr::Sub(x, y) => both(&value(row, x), &value(row, y), |x, y| {
            let (x, y, scale) = align(x, y);
            Val::Num(if matches!(expr, Expr::Add(..)) { x + y } else { x - y }, scale)
        }),
        Expr::Mul(x, y) => both(&value(row, x), &value(row, y), |(x, s), (y, t)| Val::Num(x * y, s + t)),
        Expr::Neg(x) => both(&Val::Num(0, 0), &value(row, x), |_, (x, s)| Val::Num(-x, s)),
        Expr::Case(when, then, other) => value(row, if truth(row, when) == Some(true) { then } else { other }),
        Expr::Coalesce(x, y) => match value(row, x) {
            Val::Null => value(row, y),
            known => known,
        },
        Expr::Truth(cond) => truth(row, cond).map_or(Val::Null, |truth| Val::Num(i128::from(truth), 0)),
    }
}

fn compare(op: Cmp, x: &Val, y: &Val) -> Option<bool> {
    let order = match (x, y) {
        (Val::Null, _) | (_, Val::Null) => return None,
        (Val::Text(x), Val::Text(y)) => x.cmp(y),
        _ => {
            let (x, y, _) = align(number(x)?, number(y)?);
            x.cmp(&y)
        }
    };
    Some(match op {
        Cmp::Eq => order == Ordering::Equal,
        Cmp::Ne => order != Ordering::Equal,
        Cmp::Lt => order == Ordering::Less,
        Cmp::Le => order != Ordering::Greater,
        Cmp::Gt => order == Ordering::Greater,
        Cmp::Ge => order != Ordering::Less,
    })
}

fn and(x: Option<bool>, y: Option<bool>) -> Option<bool> {
    match (x, y) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn not(x: Option<bool>) -> Option<bool> {
    x.map(|x| !x)
}

fn or(x: Option<bool>, y: Option<bool>) -> Option<bool> {
    not(and(not(x), not(y)))
}

fn truth(row: &Row<'_>, cond: &Cond) -> Option<bool> {
    let negated = |truth: Option<bool>, negate: bool| if negate { not(truth) } else { truth };
    match cond {
        Cond::Compare(op, x, y) => compare(*op, &value(row, x), &value(row, y)),
        Cond::Is(op, x, text) => compare(*op, &value(row, x), &Val::Text((*text).to_owned())),
        Cond::Dated(op, x, days) => compare(*op, &value(row, x), &Val::Num(*days, 0)),
        Cond::Between(x, low, high, negate) => {
            let x = value(row, x);
            let inside = and(compare(Cmp::Ge, &x, &value(row, low)), compare(Cmp::Le, &x, &value(row, high)));
            negated(inside, *negate)
        }
        Cond::Within(x, items, negate) => {
            let x = value(row, x);
            let found = items.iter().map(|item| compare(Cmp::Eq, &x, &value(row, item))).reduce(or);
            negated(found.flatten(), *negate)
        }
        Cond::Null(x, negate) => negated(Some(value(row, x) == Val::Null), *negate),
        Cond::Holds(x) => number(&value(row, x)).map(|(word, _)| word != 0),
        Cond::Constant(truth) => *truth,
        Cond::And(x, y) => and(truth(row, x), truth(row, y)),
        Cond::Or(x, y) => or(truth(row, x), truth(row, y)),
        Cond::Not(x) => not(truth(row, x)),
    }
}

/// FROM, JOIN and WHERE.
fn joined<'a>(query: &Query, tables: &'a [Table]) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'a>> = tables[query.from[0]].rows.iter().map(|row| vec![Some(row)]).collect();
    for (place, join) in query.joins.iter().enumerate() {
        let mut next = Vec::new();
        for row in &rows {
            let mut met = false;
            for partner in &tables[query.from[place + 1]].rows {
                let mut longer = row.clone();
                longer.push(Some(partner));
                let key = compare(Cmp::Eq, &partner[0], &row[join.with].expect("not nullable")[0]);
                if and(key, join.and.as_ref().map_or(Some(true), |cond| truth(&longer, cond))) == Some(true) {
                    met = true;
                    next.push(longer);
                }
            }
            if !met && join.left {
                next.push(row.iter().copied().chain([None]).collect());
            }
        }
        rows = next;
    }
    rows.retain(|row| query.filter.iter().all(|cond| truth(row, cond) == Some(true)));
    rows
}

/// How many persons stand behind values: a key counts once, a carrier's row without a key, or of a query without join,
/// is a person of its own.
fn people(query: &Query, rows: &[Row<'_>], has: impl Fn(&Row<'_>) -> bool) -> usize {
    let mut keys = BTreeSet::new();
    let mut alone = BTreeSet::new();
    for row in rows.iter().filter(|row| has(row)) {
        let carrier = row[query.group.0].expect("the carrier is never missing");
        match number(&carrier[0]) {
            Some((key, _)) if !query.joins.is_empty() => keys.insert(key),
            _ => alone.insert(std::ptr::from_ref(carrier)),
        };
    }
    keys.len() + alone.len()
}

fn to_cell(word: i128) -> AnswerCell {
    AnswerCell::Number(i64::try_from(word).expect("fits"))
}

/// One aggregate of a group; `scale` says how many digits the answer's column has.
fn aggregate(query: &Query, rows: &[Row<'_>], item: &Item, least: usize, scale: u32) -> AnswerCell {
    let (Item::Count(expr) | Item::Sum(expr) | Item::Avg(expr)) = item else {
        let enough = people(query, rows, |_| true) >= least;
        return if enough { to_cell(rows.len() as i128) } else { AnswerCell::Suppressed };
    };
    if people(query, rows, |row| value(row, expr) != Val::Null) < least {
        return AnswerCell::Suppressed;
    }
    let known: Vec<Val> = rows.iter().map(|row| value(row, expr)).filter(|value| *value != Val::Null).collect();
    let count = known.len() as i128;
    if matches!(item, Item::Count(_)) {
        return to_cell(count);
    }
    if count == 0 {
        return AnswerCell::Null;
    }
    let sum: i128 = known.iter().filter_map(number).map(|(word, s)| word * 10i128.pow(scale - s)).sum();
    if matches!(item, Item::Sum(_)) {
        return to_cell(sum);
    }
    // Half away from zero.
    to_cell((2 * sum.abs() + count) / (2 * count) * sum.signum())
}

fn group_cell(value: &Val) -> AnswerCell {
    match value {
        Val::Null => AnswerCell::Null,
        Val::Num(word, _) => to_cell(*word),
        Val::Text(text) => AnswerCell::Text(text.clone()),
    }
}

/// The rows of the answer, before ORDER BY and LIMIT.
pub fn answer(query: &Query, tables: &[Table], least: usize, scales: &[u32]) -> Vec<Vec<AnswerCell>> {
    let all = joined(query, tables);
    let (carrier, columns) = &query.group;
    let name = |row: &Row<'_>| -> Vec<Val> {
        let cells = row[*carrier].expect("the carrier is never missing");
        columns.iter().map(|column| cells[*column].clone()).collect()
    };
    let mut groups: Vec<(Vec<Val>, Vec<Row<'_>>)> = Vec::new();
    for row in all {
        let own = name(&row);
        match groups.iter().position(|(other, _)| *other == own) {
            Some(at) => groups[at].1.push(row),
            None => groups.push((own, vec![row])),
        }
    }
    if groups.is_empty() && columns.is_empty() {
        groups.push((Vec::new(), Vec::new()));
    }
    let line = |(own, rows): &(Vec<Val>, Vec<Row<'_>>)| {
        let cell = |(item, scale): (&Item, &u32)| match item {
            Item::Group(place) => group_cell(&own[*place]),
            item => aggregate(query, rows, item, least, *scale),
        };
        query.items.iter().zip(scales).map(cell).collect()
    };
    groups.iter().map(line).collect()
}
