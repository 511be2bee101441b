//! Row queries: the keys of two owners' data sets are intersected, and one of the owners receives the rows that match.

use base_types::{
    OrgId,
    column::ColumnType,
    fault::{Code, Fault},
};
use notary_terms::{
    Catalogue, CellForm, KeyPart, Label, Order, Output, Plan, Program, Read, ReadRole, Request, Tier, ValueOf,
    formula::{Formula, Op},
};
use sqlparser::{
    ast::{CaseWhen, Expr, SelectItem},
    keywords::Keyword,
    tokenizer::Location,
};

use crate::{
    MAX_BUCKETED_ROWS, VERSION,
    aggregate::is_aggregate,
    assemble::{filters, lost, place_in},
    bounds, common,
    compile::Compiler,
    items::{self, MAX_ITEMS},
    keys::{self, Part},
    parse::Parsed,
    refuse::{column_parts, place_of, plain_arguments, unsupported},
    scope::Scope,
    typed::{Kind, Typed},
};

const ACROSS: &str = "let each item use columns of one table";
/// Most bytes of a text of the other owner's, and of all that one matching row brings.
const MAX_TEXT: i64 = 1024;
const MAX_ROW: usize = 4096;

/// One column of the answer.
pub(crate) struct Item {
    pub(crate) name: String,
    pub(crate) ty: ColumnType,
    pub(crate) table: usize,
    pub(crate) formula: Formula,
    bytes: u16,
    pub(crate) at: Location,
}

/// Whether a query asks for rows of joined tables: it has no aggregate and no GROUP BY.
pub(crate) fn asked(query: &Parsed) -> bool {
    let plain = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => !aggregates(expr),
        _ => false,
    };
    !query.from.joins.is_empty() && query.group_by.is_empty() && query.items.iter().all(plain)
}

/// Whether there is an aggregate anywhere in an expression; it walks by a list, so that a long chain exhausts no stack.
fn aggregates(expr: &Expr) -> bool {
    let mut open = vec![expr];
    while let Some(expr) = open.pop() {
        match expr {
            Expr::Function(function) if is_aggregate(function) => return true,
            Expr::Function(function) => open.extend(plain_arguments(&function.args).unwrap_or_default()),
            Expr::BinaryOp { left, right, .. } => open.extend([left.as_ref(), right.as_ref()]),
            Expr::Nested(inner) | Expr::IsNull(inner) | Expr::IsNotNull(inner) => open.push(inner),
            Expr::UnaryOp { expr: inner, .. } => open.push(inner),
            Expr::Case { operand, conditions, else_result, .. } => {
                open.extend(operand.iter().chain(else_result).map(|inner| &**inner));
                open.extend(conditions.iter().flat_map(|CaseWhen { condition, result }| [condition, result]));
            }
            _ => {}
        }
    }
    false
}

/// The intersection of a parsed query.
pub(crate) fn plan(request: &Request, catalogue: &Catalogue, query: &Parsed) -> Result<Plan, Fault> {
    let (mut scope, key) = keys::joined(query, catalogue)?;
    if scope.tables.len() > 2 {
        return common::plan(request, catalogue, query, scope, &key);
    }
    let own = own_table(&scope, request)?;
    read_keys(&mut scope, &key, MAX_BUCKETED_ROWS)?;
    let items = items(&mut scope, query, &key, own)?;
    let order = order(&mut scope, query, &key, own, &items)?;
    let mut filters = filters(&mut scope, query, own)?;
    let mut reads = Vec::new();
    for place in [own, 1 - own] {
        reads.push(read(&scope, place, &key, &mut filters)?);
    }
    let (outputs, cells) = outputs(&mut reads, own, items)?;
    let larger = reads.iter().map(|read| read.rows_bound).max().unwrap_or(0);
    let intersect = query.hints.intersect(label(&scope, 1 - own, &key, cells), larger)?;
    let mut nodes: Vec<OrgId> = reads.iter().map(|read| read.owner.clone()).collect();
    nodes.sort();
    Ok(Plan {
        planner: VERSION,
        catalogue_height: catalogue.height,
        request: request.clone(),
        tier: Tier::C,
        nodes,
        program: Program::Intersect(intersect),
        reads,
        outputs,
        order,
        limit: query.limit,
    })
}

/// Lets every table read its key, after its size is checked.
pub(crate) fn read_keys(scope: &mut Scope<'_>, key: &[Part], most: u32) -> Result<(), Fault> {
    for (place, table) in scope.tables.iter_mut().enumerate() {
        if !(1..=most).contains(&table.source.rows_bound) {
            let what = format!("{} with up to {} rows", table.source.dataset, table.source.rows_bound);
            return Err(unsupported(table.at, what, format!("use data sets of 1 to {most} rows")));
        }
        key.iter().filter_map(|part| part.get(place)).for_each(|side| _ = table.read(side.column));
    }
    Ok(())
}

/// The receiver's table of the two.
fn own_table(scope: &Scope<'_>, request: &Request) -> Result<usize, Fault> {
    let [first, second] = scope.tables.as_slice() else { return Err(lost()) };
    let (left, right) = (first.source.dataset.owner(), second.source.dataset.owner());
    if left == right {
        let instead = format!("let {left} join them before it registers the result, or ask for aggregates");
        return Err(unsupported(second.at, "rows of two data sets of one owner", instead));
    }
    if request.receiver != left && request.receiver != right {
        let what = format!("rows of {left} and {right} for {}, which owns neither", request.receiver);
        let instead = format!("let an analyst of {left} or {right} ask, or ask for aggregates");
        return Err(unsupported(first.at, what, instead));
    }
    Ok(usize::from(request.receiver == right))
}

/// Compiles the SELECT list.
pub(crate) fn items(scope: &mut Scope<'_>, query: &Parsed, key: &[Part], own: usize) -> Result<Vec<Item>, Fault> {
    let start = query.words.place(&[Keyword::SELECT]);
    if query.items.len() > MAX_ITEMS {
        return Err(unsupported(start, "so long a SELECT list", format!("write at most {MAX_ITEMS} items")));
    }
    let mut items: Vec<Item> = Vec::new();
    for item in &query.items {
        let (expr, alias) = items::item_parts(item, start)?;
        let at = place_of(expr, start);
        let value = value(scope, expr, key, own, at)?;
        let unnamed = || unsupported(at, "an expression without a name", "give it one with AS");
        let plain = || Ok(column_parts(expr).and_then(<[_]>::last).ok_or_else(unnamed)?.value.clone());
        let taken = |name: &str| items.iter().any(|i: &Item| i.name.eq_ignore_ascii_case(name));
        let name = items::own_name(alias, plain, taken)?;
        items.push(Item { name, ..value });
    }
    Ok(items)
}

/// An item without its name. A column of the other owner that equals a column of the receiver's is taken from there.
fn value(scope: &mut Scope<'_>, expr: &Expr, key: &[Part], own: usize, at: Location) -> Result<Item, Fault> {
    let Some(name) = column_parts(expr) else { return computed(scope, expr, own, at) };
    let (mut table, mut column) = scope.lookup(name, at)?;
    if table != own
        && let Some(side) = key.iter().find_map(|part| same(part, own, (table, column)))
    {
        (table, column) = (own, side);
    }
    let other = table != own;
    let found = scope.tables.get_mut(table).ok_or_else(lost)?;
    let place = u16::try_from(found.read(column)).map_err(|_| unsupported(at, "too many columns", "use fewer"))?;
    let meta = found.meta(column).ok_or_else(lost)?;
    let bytes = match meta.ty {
        ColumnType::Text if other && meta.max > MAX_TEXT => {
            let what = format!("{}.{}, a text of up to {} bytes", found.alias, meta.name, meta.max);
            return Err(unsupported(at, what, format!("show texts of at most {MAX_TEXT} bytes of the other owner")));
        }
        ColumnType::Text => u16::try_from(meta.max.max(0)).unwrap_or(u16::MAX),
        _ => 8,
    };
    let formula = Formula { ops: vec![Op::Column(place)] };
    Ok(Item { name: String::new(), ty: meta.ty, table, formula, bytes, at })
}

/// The receiver's column of a part whose other side is this column, where neither is folded.
fn same(part: &Part, own: usize, (table, column): (usize, usize)) -> Option<usize> {
    let (mine, theirs) = (part.get(own)?, part.get(table)?);
    let equal = theirs.column == column && theirs.folds.is_empty() && mine.folds.is_empty();
    equal.then_some(mine.column)
}

/// A number, date or truth value over columns of one table; constants are the receiver's.
fn computed(scope: &mut Scope<'_>, expr: &Expr, own: usize, at: Location) -> Result<Item, Fault> {
    let value = Compiler::new(scope, ACROSS).expr(expr, at)?;
    let ty = match value.kind {
        Kind::Number { scale } => bounds::number_type(scale, at)?,
        Kind::Bool => ColumnType::Bool,
        Kind::Date => ColumnType::Date,
        Kind::Text => return Err(unsupported(at, "a text that is no column", "name a column, or a number by CASE")),
        Kind::Null => return Err(unsupported(at, "NULL in SELECT", "name a column")),
    };
    let formula = Formula { ops: value.ops };
    Ok(Item { name: String::new(), ty, table: value.table.unwrap_or(own), formula, bytes: 8, at })
}

/// Compiles ORDER BY; every expression must be an item of the SELECT list.
pub(crate) fn order(
    scope: &mut Scope<'_>,
    query: &Parsed,
    key: &[Part],
    own: usize,
    items: &[Item],
) -> Result<Vec<Order>, Fault> {
    let start = query.words.place(&[Keyword::ORDER]);
    let mut order = Vec::new();
    for by in &query.order_by {
        let at = place_of(&by.expr, start);
        let named = column_parts(&by.expr).and_then(|name| match name {
            [name] => items.iter().position(|item| item.name.eq_ignore_ascii_case(&name.value)),
            _ => None,
        });
        let place = match (items::position(&by.expr), named) {
            (Some(number), _) => number.checked_sub(1).filter(|place| *place < items.len()),
            (None, Some(place)) => Some(place),
            (None, None) => {
                let value = value(scope, &by.expr, key, own, at)?;
                items.iter().position(|item| item.table == value.table && item.formula == value.formula)
            }
        };
        order.push(items::ordered(by, place, at)?);
    }
    Ok(order)
}

/// What one owner reads; its values are still empty.
pub(crate) fn read(
    scope: &Scope<'_>,
    place: usize,
    key: &[Part],
    filters: &mut [Option<Typed>],
) -> Result<Read, Fault> {
    let table = scope.tables.get(place).ok_or_else(lost)?;
    let filter = filters.get_mut(place).and_then(Option::take).map(|filter| Formula { ops: filter.ops });
    let mut keys = Vec::with_capacity(key.len());
    for side in key.iter().filter_map(|part| part.get(place)) {
        let column = table.columns.iter().position(|column| *column == side.column);
        let column = column.and_then(|column| u8::try_from(column).ok()).ok_or_else(lost)?;
        keys.push(KeyPart { column, folds: side.folds.clone() });
    }
    let metas: Vec<_> = table.columns.iter().filter_map(|column| table.meta(*column)).collect();
    Ok(Read {
        owner: table.source.dataset.owner(),
        dataset: table.source.dataset.clone(),
        alias: table.alias.clone(),
        columns: metas.iter().map(|meta| meta.name.clone()).collect(),
        types: metas.iter().map(|meta| meta.ty).collect(),
        key: None,
        filter,
        values: Vec::new(),
        rows_bound: table.source.rows_bound,
        role: ReadRole::Set { keys },
    })
}

/// The answer's columns and the forms of the other owner's cells; formulas find their places among the reads' values.
fn outputs(reads: &mut [Read], own: usize, items: Vec<Item>) -> Result<(Vec<Output>, Vec<CellForm>), Fault> {
    let (mut outputs, mut cells) = (Vec::new(), Vec::new());
    for Item { name, ty, table, formula, bytes, at: _ } in items {
        let place = usize::from(table != own);
        let values = &mut reads.get_mut(place).ok_or_else(lost)?.values;
        let value = place_in(values, formula)?;
        if place == 1 && cells.len() < values.len() {
            cells.push(CellForm { ty, bytes });
        }
        let read = u8::try_from(place).map_err(|_| lost())?;
        outputs.push(Output { name, ty, value: ValueOf::Cell { read, value } });
    }
    let row: usize = cells.iter().map(|cell| usize::from(cell.bytes)).sum();
    if row > MAX_ROW {
        let why = format!("a matching row brings up to {row} bytes of the other owner; show at most {MAX_ROW}");
        return Err(Fault::new(Code::QueryUnsupported, "plan", why));
    }
    Ok((outputs, cells))
}

/// What a match brings: the cells asked for, else how often the key occurs, unless one of its columns occurs once only.
fn label(scope: &Scope<'_>, other: usize, key: &[Part], cells: Vec<CellForm>) -> Label {
    if !cells.is_empty() {
        return Label::Row { cells, rows: 1 };
    }
    if once(scope, other, key) { Label::Nothing } else { Label::Count }
}

/// Whether each key of a table occurs once by its registration: one of its columns does, as it is.
pub(crate) fn once(scope: &Scope<'_>, table: usize, key: &[Part]) -> bool {
    let once = |part: &Part| {
        let (side, table) = (part.get(table)?, scope.tables.get(table)?);
        Some(side.folds.is_empty() && table.meta(side.column)?.unique)
    };
    key.iter().any(|part| once(part) == Some(true))
}
