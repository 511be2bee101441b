//! Puts the parts of a query together into its plan.

use std::collections::BTreeSet;

use base_types::{
    OrgId,
    fault::{Code, Fault},
};
use notary_terms::{
    Aggregate, Argument, Catalogue, Join, Output, Plan, Program, Read, ReadRole, Request, Span, Star, ValueOf,
    formula::{Formula, Op, Value},
};
use sqlparser::keywords::Keyword;

use crate::{
    DEFAULT_MIN_GROUP, VERSION,
    aggregate::Spec,
    bounds,
    compile::Compiler,
    from::{conjuncts, tables},
    items::{self, Grouping, Item, ItemValue},
    parse::Parsed,
    refuse::{place_of, unsupported},
    scope::{Entered, Scope, Table},
    star_tier, tier,
    typed::{Typed, as_truth, connect},
};

const ACROSS: &str = "write conditions that each concern one table, joined by AND";

/// The nodes, two or three, sorted: the plan depends on who they are, not on who asked in which order.
pub(crate) fn check_nodes(request: &Request, nodes: &[OrgId]) -> Result<Vec<OrgId>, Fault> {
    let sorted: Vec<OrgId> = nodes.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
    if !(2..=3).contains(&nodes.len()) || sorted.len() != nodes.len() {
        let what = "aggregates run on exactly three different nodes, or on those of the two owners; name three or two";
        return Err(Fault::new(Code::BadRequest, "plan", what));
    }
    if !sorted.contains(&request.receiver) {
        let what = format!("the receiver {} is none of the job's nodes; choose one of them", request.receiver);
        return Err(Fault::new(Code::BadRequest, "plan", what).at(&request.receiver));
    }
    Ok(sorted)
}

/// The star join of a parsed query.
pub(crate) fn assemble(
    request: &Request,
    catalogue: &Catalogue,
    nodes: Vec<OrgId>,
    query: &Parsed,
) -> Result<Plan, Fault> {
    let mut scope = tables(&query.from, catalogue, &nodes, &query.words)?;
    let rows = bounds::joined_rows(&scope)?;
    let (key_base, key_bits) = bounds::key_range(&scope)?;
    for table in &mut scope.tables {
        table.key.map(|key| table.read(key));
    }
    let grouping = items::grouping(&mut scope, query)?;
    let items = items::items(&mut scope, query, &grouping, rows)?;
    let order = items::order(&mut scope, query, &grouping, rows, &items)?;
    let filters = filters(&mut scope, query, grouping.carrier)?;
    let mut reads = reads(&scope, &grouping, filters)?;
    let mut ranges = vec![Vec::new(); reads.len()];
    let (aggregates, outputs) = outputs(&mut reads, &mut ranges, &scope, &grouping, items)?;
    let carrier = scope.tables.get(grouping.carrier).ok_or_else(lost)?;
    let columns: Vec<usize> = grouping.columns.iter().map(|(column, _)| *column).collect();
    let plan = Plan {
        planner: VERSION,
        catalogue_height: catalogue.height,
        request: request.clone(),
        tier: tier::of_star(request),
        nodes,
        reads,
        program: Program::Star(Star {
            min_group: min_group(&scope, catalogue),
            key_bits,
            key_base,
            max_groups: bounds::max_groups(carrier, &columns),
            aggregates,
            ranges,
        }),
        outputs,
        order,
        limit: query.limit,
    };
    star_tier::check_size(&plan, query.words.place(&[Keyword::FROM]))?;
    Ok(plan)
}

pub(crate) fn lost() -> Fault {
    Fault::new(Code::Internal, "plan", "a table vanished while planning")
}

/// The strictest threshold of the tables' owners.
pub(crate) fn min_group(scope: &Scope<'_>, catalogue: &Catalogue) -> u32 {
    let of =
        |table: &Table<'_>| catalogue.rules.get(&table.source.dataset).map_or(DEFAULT_MIN_GROUP, |set| set.min_group);
    scope.tables.iter().map(of).max().unwrap_or(DEFAULT_MIN_GROUP).max(1)
}

/// One filter a table: conditions of ON and WHERE, each moved to the one table it concerns, constants to the carrier.
pub(crate) fn filters(scope: &mut Scope<'_>, query: &Parsed, carrier: usize) -> Result<Vec<Option<Typed>>, Fault> {
    let mut filters: Vec<Option<Typed>> = scope.tables.iter().map(|_| None).collect();
    for joined in 0..scope.tables.len() {
        let conditions = scope.tables.get_mut(joined).map(|t| std::mem::take(&mut t.conditions)).unwrap_or_default();
        for condition in conditions {
            let at = place_of(condition, query.words.place(&[Keyword::ON]));
            let value = as_truth(Compiler::new(scope, ACROSS).expr(condition, at)?)?;
            let target = on_target(scope, joined, &value)?;
            add(&mut filters, target, value)?;
        }
    }
    let start = query.words.place(&[Keyword::WHERE]);
    for condition in query.condition.iter().flat_map(conjuncts) {
        let at = place_of(condition, start);
        let value = as_truth(Compiler::new(scope, ACROSS).expr(condition, at)?)?;
        let target = value.table.unwrap_or(carrier);
        let table = scope.tables.get(target).ok_or_else(lost)?;
        if table.nullable() {
            let what = format!("a WHERE condition on {}, which a LEFT JOIN may leave empty", table.alias);
            let instead = format!("put it into the ON of {}, or write JOIN instead of LEFT JOIN", table.alias);
            return Err(unsupported(at, what, instead));
        }
        add(&mut filters, target, value)?;
    }
    Ok(filters)
}

/// The table whose rows a condition in the ON of `joined` filters.
fn on_target(scope: &Scope<'_>, joined: usize, value: &Typed) -> Result<usize, Fault> {
    let newest = scope.tables.get(joined).ok_or_else(lost)?;
    // A constant decides whether the newest table's rows take part at all.
    let target = value.table.unwrap_or(joined);
    let table = scope.tables.get(target).ok_or_else(lost)?;
    let name = &table.alias;
    if target > joined {
        return Err(unsupported(value.at, format!("a condition on {name} before it is joined"), "put it into WHERE"));
    }
    if newest.nullable() && target != joined {
        let what = format!("a condition on {name} in the ON of the LEFT JOIN with {}", newest.alias);
        return Err(unsupported(value.at, what, format!("put it into WHERE, or into CASE WHEN over {}", newest.alias)));
    }
    if !newest.nullable() && table.nullable() {
        let what = format!("a condition on {name}, which a LEFT JOIN may leave empty");
        let instead = format!("put it into the ON of {name}, or write JOIN instead of LEFT JOIN");
        return Err(unsupported(value.at, what, instead));
    }
    Ok(target)
}

fn add(filters: &mut [Option<Typed>], target: usize, value: Typed) -> Result<(), Fault> {
    let slot = filters.get_mut(target).ok_or_else(lost)?;
    *slot = Some(match slot.take() {
        None => value,
        Some(before) => {
            let at = before.at;
            connect(Op::And, before, value, at, ACROSS)?
        }
    });
    Ok(())
}

/// The reads, carrier first, then the other tables in the order of FROM; their values are still empty.
fn reads(scope: &Scope<'_>, grouping: &Grouping, filters: Vec<Option<Typed>>) -> Result<Vec<Read>, Fault> {
    let mut reads = Vec::with_capacity(scope.tables.len());
    for (place, (table, filter)) in scope.tables.iter().zip(filters).enumerate() {
        let metas: Vec<_> = table.columns.iter().filter_map(|column| table.meta(*column)).collect();
        let key = table.key.and_then(|key| table.columns.iter().position(|column| *column == key));
        let groups = grouping.columns.iter().map(|(column, at)| bounds::group_column(table, *column, *at));
        let role = if place == grouping.carrier {
            ReadRole::Carrier { groups: groups.collect::<Result<_, _>>()? }
        } else {
            ReadRole::Side { join: if table.entered == Entered::Left { Join::Left } else { Join::Inner } }
        };
        let read = Read {
            owner: table.source.dataset.owner(),
            dataset: table.source.dataset.clone(),
            alias: table.alias.clone(),
            columns: metas.iter().map(|meta| meta.name.clone()).collect(),
            types: metas.iter().map(|meta| meta.ty).collect(),
            key: key.and_then(|key| u8::try_from(key).ok()),
            filter: filter.map(|filter| Formula { ops: filter.ops }),
            values: Vec::new(),
            rows_bound: table.source.rows_bound,
            role,
        };
        let at = if place == grouping.carrier { 0 } else { reads.len() };
        reads.insert(at, read);
    }
    Ok(reads)
}

/// The place of a table among the reads.
fn read_place(grouping: &Grouping, table: usize) -> usize {
    match table {
        carrier if carrier == grouping.carrier => 0,
        before if before < grouping.carrier => before + 1,
        after => after,
    }
}

/// The aggregates, each once, and the answer's columns; formulas and their ranges find their places among the reads' values.
fn outputs(
    reads: &mut [Read],
    ranges: &mut [Vec<Span>],
    scope: &Scope<'_>,
    grouping: &Grouping,
    items: Vec<Item>,
) -> Result<(Vec<Aggregate>, Vec<Output>), Fault> {
    let (mut aggregates, mut outputs) = (Vec::new(), Vec::new());
    for Item { name, ty, value } in items {
        let value = match value {
            ItemValue::Group(group) => ValueOf::Group { group },
            ItemValue::Aggregate(Spec { function, argument, span, .. }) => {
                let argument = match argument {
                    None => Argument::Rows,
                    Some((table, formula)) => {
                        let left = scope.tables.get(table).is_some_and(Table::nullable);
                        let place = read_place(grouping, table);
                        let read = reads.get_mut(place).ok_or_else(lost)?;
                        let known = ranges.get_mut(place).ok_or_else(lost)?;
                        let argument = self::argument(read, place, formula, left)?;
                        if known.len() < read.values.len() {
                            known.push(span);
                        }
                        argument
                    }
                };
                let aggregate = Aggregate { function, argument };
                ValueOf::Aggregate { aggregate: place_in(&mut aggregates, aggregate)? }
            }
        };
        outputs.push(Output { name, ty, value });
    }
    Ok((aggregates, outputs))
}

fn argument(read: &mut Read, place: usize, formula: Formula, left: bool) -> Result<Argument, Fault> {
    let broken = |_| Fault::new(Code::Internal, "plan", "a formula has no value over NULLs");
    let absent = match formula.on_nulls().map_err(broken)? {
        Value::Number(number) if left => Some(number),
        Value::Bool(truth) if left => Some(i64::from(truth)),
        _ => None,
    };
    let value = place_in(&mut read.values, formula)?;
    Ok(Argument::Value { read: u8::try_from(place).map_err(|_| lost())?, value, absent })
}

/// The place of a value in a list that grows by it when it is new.
pub(crate) fn place_in<T: PartialEq>(list: &mut Vec<T>, value: T) -> Result<u8, Fault> {
    let place = list.iter().position(|known| *known == value).unwrap_or(list.len());
    if place == list.len() {
        list.push(value);
    }
    u8::try_from(place).map_err(|_| lost())
}
