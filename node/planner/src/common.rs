//! Rows of one owner that three to eight owners' data sets have in common: the keys of all are intersected at once.

pub(crate) mod told;

use base_types::{OrgId, fault::Fault};
use notary_terms::{Catalogue, Common, Output, Plan, Program, Read, Request, Tier, ValueOf};
use sqlparser::tokenizer::Location;

use crate::{
    MAX_SET_ROWS, VERSION,
    assemble::{filters, lost, place_in},
    keys::Part,
    parse::Parsed,
    refuse::unsupported,
    rows::{self, Item},
    scope::Scope,
};

/// The intersection of the tables in scope, whose key is known.
pub(crate) fn plan(
    request: &Request,
    catalogue: &Catalogue,
    query: &Parsed,
    mut scope: Scope<'_>,
    key: &[Part],
) -> Result<Plan, Fault> {
    let own = own_table(&scope, request)?;
    let spares = query.hints.spares()?;
    rows::read_keys(&mut scope, key, MAX_SET_ROWS)?;
    let items = rows::items(&mut scope, query, key, own)?;
    let order = rows::order(&mut scope, query, key, own, &items)?;
    let mut filters = filters(&mut scope, query, own)?;
    let mut reads = vec![rows::read(&scope, own, key, &mut filters)?];
    for place in (0..scope.tables.len()).filter(|place| *place != own) {
        reads.push(rows::read(&scope, place, key, &mut filters)?);
    }
    let outputs = outputs(&scope, &mut reads, own, items)?;
    let mut nodes: Vec<OrgId> = reads.iter().map(|read| read.owner.clone()).collect();
    nodes.sort();
    Ok(Plan {
        planner: VERSION,
        catalogue_height: catalogue.height,
        request: request.clone(),
        tier: Tier::D,
        nodes,
        reads,
        program: Program::Common(Common { spares }),
        outputs,
        order,
        limit: query.limit,
    })
}

/// The receiver's table; every table has an owner of its own.
fn own_table(scope: &Scope<'_>, request: &Request) -> Result<usize, Fault> {
    let owners: Vec<OrgId> = scope.tables.iter().map(|table| table.source.dataset.owner()).collect();
    for (place, (table, owner)) in scope.tables.iter().zip(&owners).enumerate() {
        if owners.iter().take(place).any(|before| before == owner) {
            let instead = format!("let {owner} join them before it registers the result, or ask for aggregates");
            return Err(unsupported(table.at, "rows of two data sets of one owner", instead));
        }
    }
    let own = owners.iter().position(|owner| *owner == request.receiver);
    own.ok_or_else(|| {
        let names = owners.iter().map(OrgId::as_str).collect::<Vec<_>>().join(", ");
        let what = format!("rows of {names} for {}, which owns none of them", request.receiver);
        let at = scope.tables.first().map_or(Location { line: 1, column: 1 }, |table| table.at);
        unsupported(at, what, "let an analyst of one of them ask, or ask for aggregates")
    })
}

/// The answer's columns, all of the receiver's own rows: nobody else's cells come with a match of more than two.
fn outputs(scope: &Scope<'_>, reads: &mut [Read], own: usize, items: Vec<Item>) -> Result<Vec<Output>, Fault> {
    let mine = reads.first_mut().ok_or_else(lost)?;
    let mut outputs = Vec::with_capacity(items.len());
    for item in items {
        if item.table != own {
            let (alias, mine) = (scope.alias(item.table), scope.alias(own));
            let what = format!("a column of {alias} among rows of more than two owners");
            let instead = format!("show columns of {mine}, the receiver's own, or join {mine} with {alias} alone");
            return Err(unsupported(item.at, what, instead));
        }
        let value = ValueOf::Cell { read: 0, value: place_in(&mut mine.values, item.formula)? };
        outputs.push(Output { name: item.name, ty: item.ty, value });
    }
    Ok(outputs)
}
