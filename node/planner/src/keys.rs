//! The key of a row query: which columns of two tables must be equal, and what their texts become before they are compared.

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

/// One table's side of a part: a column of its source, and what is done to its texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Side {
    pub(crate) column: usize,
    pub(crate) folds: Vec<Fold>,
}

/// One equality: its sides by the tables' places.
pub(crate) type Part = [Side; 2];

/// The two tables of a row query and the parts of their key; other conditions of the ON stay with the second table.
pub(crate) fn joined<'a>(query: &'a Parsed, catalogue: &'a Catalogue) -> Result<(Scope<'a>, Vec<Part>), Fault> {
    let (from, words) = (&query.from, &query.words);
    let mut scope = Scope::default();
    enter(&mut scope, &from.relation, catalogue, (Entered::From, words.place(&[Keyword::FROM])))?;
    let instead = "join two data sets of two owners, or ask for aggregates";
    let [join] = from.joins.as_slice() else {
        let at = from.joins.get(1).map_or(words.place(&[Keyword::FROM]), |third| join_place(third, words));
        return Err(unsupported(at, "rows of more than two data sets", instead));
    };
    let at = join_place(join, words);
    let (entered, on) = kind(join, at)?;
    if entered == Entered::Left {
        return Err(unsupported(at, "a LEFT JOIN that shows rows", "write JOIN, or ask for aggregates"));
    }
    enter(&mut scope, &join.relation, catalogue, (entered, at))?;
    let (mut parts, mut rest) = (Vec::new(), Vec::new());
    for condition in conjuncts(on) {
        let place = place_of(condition, at);
        match part(&scope, condition, place)? {
            Some(part) if !parts.contains(&part) => parts.push(part),
            Some(_) => {}
            None => rest.push(condition),
        }
    }
    let alias = scope.alias(1).to_owned();
    if parts.is_empty() {
        let what = format!("the ON of {alias} names no key");
        return Err(unsupported(at, what, format!("write ON {alias}.key = other.key")));
    }
    if parts.len() > MAX_PARTS {
        return Err(unsupported(at, "so long a key", format!("join on at most {MAX_PARTS} columns")));
    }
    if let Some(table) = scope.tables.get_mut(1) {
        table.conditions = rest;
    }
    Ok((scope, parts))
}

/// The sides of `f(a.x) = g(b.y)` over different tables, where f and g are TRIM, LOWER and UPPER or nothing.
fn part(scope: &Scope<'_>, condition: &Expr, at: Location) -> Result<Option<Part>, Fault> {
    let Expr::BinaryOp { left, op: BinaryOperator::Eq, right } = condition else { return Ok(None) };
    let (Some(left), Some(right)) = (side(scope, left, at)?, side(scope, right, at)?) else { return Ok(None) };
    let part = match (left, right) {
        ((0, first), (1, second)) | ((1, second), (0, first)) => [first, second],
        _ => return Ok(None),
    };
    check(scope, &part, at)?;
    Ok(Some(part))
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
fn check(scope: &Scope<'_>, part: &Part, at: Location) -> Result<(), Fault> {
    let mut seen: Option<(ColumnType, String)> = None;
    for (table, side) in scope.tables.iter().zip(part) {
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
