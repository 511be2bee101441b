//! FROM and its joins: which data sets take part, under which names, and on which one key.

use base_types::{
    OrgId,
    fault::{Code, Fault},
};
use notary_terms::{Catalogue, Source};
use sqlparser::{
    ast::{BinaryOperator, Expr, Ident, Join, JoinConstraint, JoinOperator, ObjectName, TableFactor, TableWithJoins},
    keywords::Keyword,
    tokenizer::Location,
};

use crate::{
    names::nearest,
    parse::Keywords,
    refuse::{column_parts, name_place, place_of, placed, strip, unknown, unsupported},
    scope::{Entered, Scope, Table},
};

/// The tables of a query, their keys, and the other conditions of their ONs.
pub(crate) fn tables<'a>(
    from: &'a TableWithJoins,
    catalogue: &'a Catalogue,
    nodes: &[OrgId],
    words: &Keywords,
) -> Result<Scope<'a>, Fault> {
    let mut scope = Scope::default();
    let at = words.place(&[Keyword::FROM]);
    enter(&mut scope, &from.relation, catalogue, (Entered::From, at))?;
    computes(&scope, nodes)?;
    for join in &from.joins {
        let at = join_place(join, words);
        let (entered, on) = kind(join, at)?;
        enter(&mut scope, &join.relation, catalogue, (entered, at))?;
        computes(&scope, nodes)?;
        connect(&mut scope, on, at)?;
    }
    Ok(scope)
}

/// Where a join's table stands.
pub(crate) fn join_place(join: &Join, words: &Keywords) -> Location {
    let at = words.place(&[Keyword::JOIN]);
    if let TableFactor::Table { name, .. } = &join.relation { name_place(name, at) } else { at }
}

/// How a join enters its table, and its ON.
pub(crate) fn kind(join: &Join, at: Location) -> Result<(Entered, &Expr), Fault> {
    let (entered, constraint) = match &join.join_operator {
        JoinOperator::Join(on) | JoinOperator::Inner(on) => (Entered::Inner, on),
        JoinOperator::Left(on) | JoinOperator::LeftOuter(on) => (Entered::Left, on),
        JoinOperator::Right(_) | JoinOperator::RightOuter(_) => {
            return Err(unsupported(at, "RIGHT JOIN", "swap the tables and write LEFT JOIN"));
        }
        JoinOperator::FullOuter(_) => {
            return Err(unsupported(at, "FULL JOIN", "write LEFT JOIN, and a second query for the rest"));
        }
        JoinOperator::CrossJoin(_) => return Err(unsupported(at, "CROSS JOIN", "write JOIN … ON a.key = b.key")),
        _ => return Err(unsupported(at, "a join of this kind", "write JOIN or LEFT JOIN … ON a.key = b.key")),
    };
    match constraint {
        JoinConstraint::On(on) if !join.global => Ok((entered, on)),
        JoinConstraint::Using(_) | JoinConstraint::UsingAlias(..) | JoinConstraint::Natural => {
            Err(unsupported(at, "USING or NATURAL", "write ON a.key = b.key"))
        }
        _ => Err(unsupported(at, "a JOIN without ON", "write ON a.key = b.key")),
    }
}

/// Adds a table to the scope.
pub(crate) fn enter<'a>(
    scope: &mut Scope<'a>,
    factor: &'a TableFactor,
    catalogue: &'a Catalogue,
    (entered, at): (Entered, Location),
) -> Result<(), Fault> {
    let TableFactor::Table { name, alias, args: None, version: None, sample: None, json_path: None, .. } = factor
    else {
        return Err(unsupported(at, "a sub-query or function in FROM", "name data sets and JOIN them"));
    };
    let at = name_place(name, at);
    let source = source(name, catalogue, at)?;
    if alias.as_ref().is_some_and(|alias| !alias.columns.is_empty()) {
        return Err(unsupported(at, "names for columns in FROM", "use the columns' own names"));
    }
    let alias = alias.as_ref().map_or_else(|| source.dataset.table().to_owned(), |alias| alias.name.value.clone());
    for table in &scope.tables {
        if table.source.dataset == source.dataset {
            return Err(unsupported(at, format!("{} twice in one query", source.dataset), "use each data set once"));
        }
        if table.alias.eq_ignore_ascii_case(&alias) {
            let instead = "give each its own, such as FROM census c JOIN health h";
            return Err(unsupported(at, format!("two tables called {alias}"), instead));
        }
    }
    let (key, conditions, columns) = (None, Vec::new(), Vec::new());
    scope.tables.push(Table { source, alias, at, entered, key, conditions, columns });
    Ok(())
}

/// Whether the newest table's owner is one of the three nodes.
fn computes(scope: &Scope<'_>, nodes: &[OrgId]) -> Result<(), Fault> {
    let Some(Table { source, at, .. }) = scope.tables.last() else { return Ok(()) };
    let owner = source.dataset.owner();
    if nodes.contains(&owner) {
        return Ok(());
    }
    let what = format!("{} belongs to {owner}, which is none of this job's three nodes", source.dataset);
    Err(unsupported(*at, what, format!("choose three nodes with {owner} among them")))
}

/// The data set of a name: `table`, or `owner.table`.
fn source<'a>(name: &ObjectName, catalogue: &'a Catalogue, at: Location) -> Result<&'a Source, Fault> {
    let parts: Option<Vec<&Ident>> = name.0.iter().map(|part| part.as_ident()).collect();
    let parts = parts.unwrap_or_default();
    let fits = |source: &&Source| match parts.as_slice() {
        [table] => source.dataset.table().eq_ignore_ascii_case(&table.value),
        [owner, table] => {
            source.dataset.owner().as_str().eq_ignore_ascii_case(&owner.value)
                && source.dataset.table().eq_ignore_ascii_case(&table.value)
        }
        _ => false,
    };
    let found: Vec<&Source> = catalogue.sources.values().filter(fits).collect();
    match found.as_slice() {
        [source] => Ok(source),
        [] => {
            let names: Vec<String> = catalogue.sources.keys().map(|id| id.as_str().replace('/', ".")).collect();
            let tables = catalogue.sources.keys().map(|id| id.table());
            let near = match parts.as_slice() {
                [table] => nearest(&table.value, tables),
                _ => nearest(&name.to_string(), names.iter().map(String::as_str)),
            };
            Err(unknown(at, format!("no data set is called {name}"), near))
        }
        several => {
            let names: Vec<_> = several.iter().map(|s| s.dataset.as_str().replace('/', ".")).collect();
            let what = format!("several owners have a data set {name}; write {}", names.join(" or "));
            Err(placed(Code::QueryUnknownName, at, what))
        }
    }
}

/// The parts of a condition that AND connects, in order.
pub(crate) fn conjuncts(condition: &Expr) -> Vec<&Expr> {
    let (mut open, mut parts) = (vec![condition], Vec::new());
    while let Some(expr) = open.pop() {
        match strip(expr) {
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => open.extend([right.as_ref(), left.as_ref()]),
            part => parts.push(part),
        }
    }
    parts
}

/// Takes the ON of the newest table apart: the key's equality, and the rest for its filters.
fn connect<'a>(scope: &mut Scope<'a>, on: &'a Expr, at: Location) -> Result<(), Fault> {
    let newest = scope.tables.len().saturating_sub(1);
    let mut keyed = false;
    let mut rest = Vec::new();
    for part in conjuncts(on) {
        let place = place_of(part, at);
        match equality(scope, part, place)? {
            Some(pair) if keyed => {
                let (other, _) = if pair.0.0 == newest { pair.1 } else { pair.0 };
                let what = format!("a second equality with {} in one ON", scope.alias(other));
                return Err(unsupported(place, what, "join on one column of each table"));
            }
            Some(pair) => {
                join_on(scope, newest, pair, place)?;
                keyed = true;
            }
            None => rest.push(part),
        }
    }
    if !keyed {
        let what = format!("the ON of {} names no key", scope.alias(newest));
        return Err(unsupported(at, what, format!("write ON {}.key = other.key", scope.alias(newest))));
    }
    if let Some(table) = scope.tables.get_mut(newest) {
        table.conditions = rest;
    }
    Ok(())
}

/// A table and a column of its source.
type Place = (usize, usize);

/// The two columns of `a.x = b.y` over different tables.
fn equality(scope: &Scope<'_>, part: &Expr, at: Location) -> Result<Option<(Place, Place)>, Fault> {
    let Expr::BinaryOp { left, op: BinaryOperator::Eq, right } = part else { return Ok(None) };
    let (Some(left), Some(right)) = (column_parts(left), column_parts(right)) else { return Ok(None) };
    let (left, right) = (scope.lookup(left, at)?, scope.lookup(right, at)?);
    Ok((left.0 != right.0).then_some((left, right)))
}

fn join_on(scope: &mut Scope<'_>, newest: usize, (left, right): (Place, Place), at: Location) -> Result<(), Fault> {
    let (own, other) = if left.0 == newest { (left, right) } else { (right, left) };
    if own.0 != newest {
        let what = format!("an equality that does not concern {}", scope.alias(newest));
        return Err(unsupported(at, what, format!("let the ON name a column of {}", scope.alias(newest))));
    }
    if scope.tables.get(other.0).is_some_and(Table::nullable) {
        let what = format!("a join with {}, which a LEFT JOIN may leave empty", scope.alias(other.0));
        let instead = format!("join with the key of {}", scope.alias(0));
        return Err(unsupported(at, what, instead));
    }
    for (place, column) in [own, other] {
        let Some(table) = scope.tables.get_mut(place) else { continue };
        if let Some(before) = table.key.filter(|before| *before != column) {
            let name = table.meta(before).map_or("?", |m| m.name.as_str());
            let what = format!("a join on two different columns of {}", table.alias);
            return Err(unsupported(at, what, format!("join all tables on the same key, {}.{name}", table.alias)));
        }
        table.key = Some(column);
    }
    Ok(())
}
