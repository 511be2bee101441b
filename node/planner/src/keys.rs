//! The key of tables that are matched: which columns must be equal, and what their texts become before they are compared.

use base_types::{column::ColumnType, fault::Fault};
use notary_terms::{Catalogue, Fold};
use sqlparser::{
    ast::{BinaryOperator, Expr, Function},
    keywords::Keyword,
    tokenizer::Location,
};

use crate::{
    from::{conjuncts, enter, join_place, kind},
    parse::Parsed,
    refuse::{column_parts, function_name, place_of, plain_arguments, strip, unsupported},
    scope::{Entered, Scope},
};

/// Most parts of a key, and most functions around one column.
const MAX_PARTS: usize = 8;
const MAX_FOLDS: usize = 4;

/// Most tables that are matched.
const MAX_TABLES: usize = 8;

/// One table's side of a part: a column of its source, and what is done to its texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Side {
    pub(crate) column: usize,
    pub(crate) folds: Vec<Fold>,
}

/// One part of the key: its sides by the tables' places.
pub(crate) type Part = Vec<Side>;

/// A side with the place of its table.
type Placed = (usize, Side);

/// The tables that are matched and the parts of their key, which every table has; other conditions of an ON stay with its table.
pub(crate) fn joined<'a>(query: &'a Parsed, catalogue: &'a Catalogue) -> Result<(Scope<'a>, Vec<Part>), Fault> {
    let (from, words) = (&query.from, &query.words);
    let mut scope = Scope::default();
    enter(&mut scope, &from.relation, catalogue, (Entered::From, words.place(&[Keyword::FROM])))?;
    let mut parts: Vec<Part> = Vec::new();
    for (before, join) in from.joins.iter().enumerate() {
        let at = join_place(join, words);
        if before + 2 > MAX_TABLES {
            let what = format!("rows of more than {MAX_TABLES} data sets");
            return Err(unsupported(at, what, format!("join at most {MAX_TABLES}, or ask for aggregates")));
        }
        let (entered, on) = kind(join, at)?;
        if entered == Entered::Left {
            return Err(unsupported(at, "a LEFT JOIN that shows rows", "write JOIN, or ask for aggregates"));
        }
        enter(&mut scope, &join.relation, catalogue, (entered, at))?;
        let newest = before + 1;
        let mut rest = Vec::new();
        for condition in conjuncts(on) {
            let place = place_of(condition, at);
            match equality(&scope, condition, newest, place)? {
                Some((other, side)) => add(&scope, &mut parts, other, (newest, side), place)?,
                None => rest.push(condition),
            }
        }
        whole(&scope, &parts, newest, at)?;
        if let Some(table) = scope.tables.get_mut(newest) {
            table.conditions = rest;
        }
    }
    Ok((scope, parts))
}

/// Adds what the newest table's ON says: a part of the key between the first two tables; later its side of a part that there is.
fn add(
    scope: &Scope<'_>,
    parts: &mut Vec<Part>,
    (table, side): Placed,
    (newest, own): Placed,
    at: Location,
) -> Result<(), Fault> {
    if newest == 1 {
        let part = vec![side, own];
        if !parts.contains(&part) {
            parts.push(part);
        }
        return Ok(());
    }
    let same_key = || format!("join all data sets on the key that {} and {} have", scope.alias(0), scope.alias(1));
    let found = parts.iter_mut().find(|part| part.get(table) == Some(&side));
    let part = found
        .ok_or_else(|| unsupported(at, format!("a join of {} on another key", scope.alias(newest)), same_key()))?;
    match part.get(newest) {
        None => part.push(own),
        Some(before) if *before == own => {}
        Some(_) => {
            let what = format!("two columns of {} for one part of the key", scope.alias(newest));
            return Err(unsupported(at, what, same_key()));
        }
    }
    Ok(())
}

/// Whether the key has a part, not too many, and each has a side of the newest table.
fn whole(scope: &Scope<'_>, parts: &[Part], newest: usize, at: Location) -> Result<(), Fault> {
    let alias = scope.alias(newest);
    if parts.is_empty() || parts.iter().all(|part| part.len() <= newest) {
        let what = format!("the ON of {alias} names no key");
        return Err(unsupported(at, what, format!("write ON {alias}.key = other.key")));
    }
    if parts.len() > MAX_PARTS {
        return Err(unsupported(at, "so long a key", format!("join on at most {MAX_PARTS} columns")));
    }
    if parts.iter().any(|part| part.len() <= newest) {
        let what = format!("the ON of {alias} leaves out a part of the key");
        return Err(unsupported(at, what, "join all data sets on the same columns"));
    }
    Ok(())
}

/// The sides of `f(a.x) = g(b.y)`, where b is the newest table, a another, and f and g are TRIM, LOWER and UPPER or nothing:
/// a's with its place, then b's.
fn equality(scope: &Scope<'_>, condition: &Expr, newest: usize, at: Location) -> Result<Option<(Placed, Side)>, Fault> {
    let Expr::BinaryOp { left, op: BinaryOperator::Eq, right } = condition else { return Ok(None) };
    let (Some(left), Some(right)) = (side(scope, left, at)?, side(scope, right, at)?) else { return Ok(None) };
    let (other, own) = match (left.0 == newest, right.0 == newest) {
        (true, false) => (right, left),
        (false, true) => (left, right),
        _ => return Ok(None),
    };
    check(scope, [&other, &own], at)?;
    Ok(Some((other, own.1)))
}

fn side(scope: &Scope<'_>, expr: &Expr, at: Location) -> Result<Option<(usize, Side)>, Fault> {
    let (mut expr, mut folds) = (strip(expr), Vec::new());
    let name = loop {
        let (fold, inner) = match expr {
            Expr::Trim { expr, trim_where: None, trim_what: None, trim_characters: None } => (Fold::Trim, &**expr),
            Expr::Function(function) => match fold(function) {
                Some(folded) => folded,
                None => return Ok(None),
            },
            other => match column_parts(other) {
                Some(name) => break name,
                None => return Ok(None),
            },
        };
        folds.push(fold);
        expr = strip(inner);
    };
    if folds.len() > MAX_FOLDS {
        return Err(unsupported(at, "so many functions around one key", format!("write at most {MAX_FOLDS}")));
    }
    // The innermost function comes first.
    folds.reverse();
    let (table, column) = scope.lookup(name, at)?;
    Ok(Some((table, Side { column, folds })))
}

fn fold(function: &Function) -> Option<(Fold, &Expr)> {
    let fold = match function_name(&function.name)?.as_str() {
        "LOWER" => Fold::Lower,
        "UPPER" => Fold::Upper,
        _ => return None,
    };
    let plain = function.over.is_none() && function.filter.is_none() && function.within_group.is_empty();
    match plain_arguments(&function.args)?.as_slice() {
        [argument] if plain => Some((fold, *argument)),
        _ => None,
    }
}

/// Both sides have one type, and only texts are folded.
fn check(scope: &Scope<'_>, part: [&Placed; 2], at: Location) -> Result<(), Fault> {
    let mut seen: Option<(ColumnType, String)> = None;
    for (place, side) in part {
        let Some(table) = scope.tables.get(*place) else { continue };
        let Some(meta) = table.meta(side.column) else { continue };
        let name = format!("{}.{}", table.alias, meta.name);
        if meta.ty != ColumnType::Text && !side.folds.is_empty() {
            return Err(unsupported(at, format!("TRIM, LOWER or UPPER of {name}, which is no text"), "leave it out"));
        }
        match &seen {
            Some((ty, other)) if *ty != meta.ty => {
                let what = format!("a join of {other} with {name}, whose types differ");
                return Err(unsupported(at, what, "join on columns of one type"));
            }
            _ => seen = Some((meta.ty, name)),
        }
    }
    Ok(())
}
