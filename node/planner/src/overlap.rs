//! Aggregates over the matching rows of two owners, computed between their two nodes alone.

pub(crate) mod cost;
pub(crate) mod told;

use base_types::{OrgId, fault::Fault};
use notary_terms::{
    Aggregate, Argument, Catalogue, Output, Overlap, Plan, Program, Ranges, Read, Request, Tier, ValueOf,
};
use sqlparser::keywords::Keyword;

use crate::{
    MAX_SET_ROWS, VERSION,
    assemble::{filters, lost, min_group, place_in},
    from::{join_place, kind},
    items::{self, Grouping, Item, ItemValue},
    keys::{self, Part},
    parse::Parsed,
    refuse::{place_of, unsupported},
    rows,
    scope::{Entered, Scope, Table},
};

const THREE: &str = "name three nodes";

/// The plan of a query between two nodes.
pub(crate) fn plan(request: &Request, catalogue: &Catalogue, nodes: Vec<OrgId>, query: &Parsed) -> Result<Plan, Fault> {
    refuse_rest(query)?;
    let spares = query.hints.spares()?;
    let (mut scope, key) = keys::joined(query, catalogue)?;
    owned_by(&scope, &nodes)?;
    rows::read_keys(&mut scope, &key, MAX_SET_ROWS)?;
    let first = scope.tables.first().ok_or_else(lost)?;
    let own = usize::from(first.source.dataset.owner() != request.receiver);
    let copies = copies(&scope, &key);
    let grouping = Grouping { carrier: own, columns: Vec::new() };
    let pairs = pairs(&scope, &copies);
    let items = items::items(&mut scope, query, &grouping, pairs)?;
    let order = items::order(&mut scope, query, &grouping, pairs, &items)?;
    let mut filters = filters(&mut scope, query, own)?;
    let (mut reads, mut ranges) = (Vec::new(), Vec::new());
    for place in [own, 1 - own] {
        reads.push(rows::read(&scope, place, &key, &mut filters)?);
        ranges.push(Ranges { rows: copies.get(place).copied().ok_or_else(lost)?, values: Vec::new() });
    }
    let (aggregates, outputs) = outputs(&mut reads, &mut ranges, own, items)?;
    let overlap = Overlap { min_group: min_group(&scope, catalogue), ranges, aggregates, spares };
    Ok(Plan {
        planner: VERSION,
        catalogue_height: catalogue.height,
        request: request.clone(),
        tier: Tier::A,
        nodes,
        reads,
        program: Program::Overlap(overlap),
        outputs,
        order,
        limit: query.limit,
    })
}

/// Two nodes join two data sets by JOIN, without groups.
fn refuse_rest(query: &Parsed) -> Result<(), Fault> {
    let words = &query.words;
    if let Some(group) = query.group_by.first() {
        let at = place_of(group, words.place(&[Keyword::GROUP]));
        return Err(unsupported(at, "GROUP BY between two nodes", format!("leave it out, or {THREE}")));
    }
    let [join] = query.from.joins.as_slice() else {
        let at = query.from.joins.get(1).map_or(words.place(&[Keyword::FROM]), |third| join_place(third, words));
        let instead = format!("join one data set of each of the two owners, or {THREE}");
        return Err(unsupported(at, "aggregates between two nodes over other than two data sets", instead));
    };
    let at = join_place(join, words);
    match kind(join, at)? {
        (Entered::Left, _) => Err(unsupported(at, "a LEFT JOIN between two nodes", format!("write JOIN, or {THREE}"))),
        _ => Ok(()),
    }
}

/// Each of the two nodes is the owner of one table.
fn owned_by(scope: &Scope<'_>, nodes: &[OrgId]) -> Result<(), Fault> {
    let mut left = nodes.to_vec();
    for table in &scope.tables {
        let owner = table.source.dataset.owner();
        let Some(place) = left.iter().position(|node| *node == owner) else {
            let names = nodes.iter().map(OrgId::as_str).collect::<Vec<_>>().join(" and ");
            let what =
                format!("{} between the nodes of {names}, each of which joins one data set", table.source.dataset);
            return Err(unsupported(table.at, what, format!("name the two owners' nodes, or {THREE}")));
        };
        left.remove(place);
    }
    Ok(())
}

/// Most rows that one key has in each table.
fn copies(scope: &Scope<'_>, key: &[Part]) -> Vec<u32> {
    let tables = scope.tables.iter().enumerate();
    tables.map(|(place, table)| if rows::once(scope, place, key) { 1 } else { table.source.rows_bound }).collect()
}

/// How many pairs of rows the join can have: every row of one table meets at most one key's rows of the other.
fn pairs(scope: &Scope<'_>, copies: &[u32]) -> i128 {
    let others = copies.iter().rev();
    let of = |(table, copies): (&Table<'_>, &u32)| i128::from(table.source.rows_bound) * i128::from(*copies);
    scope.tables.iter().zip(others).map(of).min().unwrap_or_default()
}

/// The aggregates, each once, and the answer's columns; formulas and their ranges find their places among the reads' values.
fn outputs(
    reads: &mut [Read],
    ranges: &mut [Ranges],
    own: usize,
    items: Vec<Item>,
) -> Result<(Vec<Aggregate>, Vec<Output>), Fault> {
    let (mut aggregates, mut outputs) = (Vec::new(), Vec::new());
    for Item { name, ty, value } in items {
        let ItemValue::Aggregate(spec) = value else { return Err(lost()) };
        let argument = match spec.argument {
            None => Argument::Rows,
            Some((table, formula)) => {
                let place = usize::from(table != own);
                let read = reads.get_mut(place).ok_or_else(lost)?;
                let value = place_in(&mut read.values, formula)?;
                let known = &mut ranges.get_mut(place).ok_or_else(lost)?.values;
                if known.len() < read.values.len() {
                    known.push(spec.span.magnitude());
                }
                Argument::Value { read: u8::from(table != own), value, absent: None }
            }
        };
        let aggregate = place_in(&mut aggregates, Aggregate { function: spec.function, argument })?;
        outputs.push(Output { name, ty, value: ValueOf::Aggregate { aggregate } });
    }
    Ok((aggregates, outputs))
}
