//! What stands in SELECT, GROUP BY and ORDER BY: group columns, aggregates, names and order.

use base_types::{
    column::ColumnType,
    fault::{Code, Fault},
};
use notary_terms::Order;
use sqlparser::{
    ast::{Expr, Ident, OrderByExpr, OrderBySort, SelectItem, Value},
    keywords::Keyword,
    tokenizer::Location,
};

use crate::{
    aggregate::{Over, Spec, aggregate, is_aggregate},
    parse::Parsed,
    refuse::{column_parts, function_name, place_of, strip, unsupported},
    scope::{Scope, Table},
};

/// Most items of a SELECT list, and most GROUP BY columns.
pub(crate) const MAX_ITEMS: usize = 64;
const MAX_GROUP_COLUMNS: usize = 8;

/// The table that carries the groups, and the places of the group columns in its source.
pub(crate) struct Grouping {
    pub(crate) carrier: usize,
    pub(crate) columns: Vec<(usize, Location)>,
}

/// Where an item's values come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ItemValue {
    /// The group column of this place.
    Group(u8),
    /// An aggregate.
    Aggregate(Spec),
}

/// One item of the SELECT list.
pub(crate) struct Item {
    pub(crate) name: String,
    pub(crate) ty: ColumnType,
    pub(crate) value: ItemValue,
}

/// Finds the carrier and its group columns.
pub(crate) fn grouping(scope: &mut Scope<'_>, query: &Parsed) -> Result<Grouping, Fault> {
    let start = query.words.place(&[Keyword::GROUP]);
    let mut carrier = None;
    let mut columns: Vec<(usize, Location)> = Vec::new();
    for expr in &query.group_by {
        let at = place_of(expr, start);
        let (table, column) = group_column(scope, query, expr, at)?;
        if carrier.is_some_and(|carrier| carrier != table) {
            let instead = "group by columns of one table";
            return Err(unsupported(at, "GROUP BY over columns of two tables", instead));
        }
        carrier = Some(table);
        if columns.iter().all(|(known, _)| *known != column) {
            columns.push((column, at));
        }
        if columns.len() > MAX_GROUP_COLUMNS {
            let instead = format!("group by at most {MAX_GROUP_COLUMNS}");
            return Err(unsupported(at, "so many GROUP BY columns", instead));
        }
    }
    let carrier = carrier.unwrap_or(0);
    let at = columns.first().map_or(start, |(_, at)| *at);
    if let Some(table) = scope.tables.get_mut(carrier) {
        if table.nullable() {
            let what = format!("GROUP BY a column of {}, which a LEFT JOIN may leave empty", table.alias);
            let instead = format!("write JOIN instead of LEFT JOIN for {}, or group by another table", table.alias);
            return Err(unsupported(at, what, instead));
        }
        for (column, _) in &columns {
            table.read(*column);
        }
    }
    Ok(Grouping { carrier, columns })
}

/// A GROUP BY expression: a column, an output's name, or an output's number.
fn group_column(scope: &Scope<'_>, query: &Parsed, expr: &Expr, at: Location) -> Result<(usize, usize), Fault> {
    let refused = || unsupported(at, "GROUP BY an expression", "group by columns");
    if let Some(number) = position(expr) {
        let item = number.checked_sub(1).and_then(|place| query.items.get(place));
        let (expr, _) = item_parts(item.ok_or_else(refused)?, at)?;
        return scope.lookup(column_parts(expr).ok_or_else(refused)?, at);
    }
    let name = column_parts(expr).ok_or_else(refused)?;
    let found = scope.lookup(name, at);
    let (Err(fault), [alias]) = (&found, name) else { return found };
    if fault.code != Code::QueryUnknownName {
        return found;
    }
    let aliased = query.items.iter().find_map(|item| match item {
        SelectItem::ExprWithAlias { expr, alias: own } if own.value.eq_ignore_ascii_case(&alias.value) => Some(expr),
        _ => None,
    });
    match aliased.and_then(column_parts) {
        Some(column) => scope.lookup(column, at),
        None => found,
    }
}

/// The number of an output, such as the 2 of ORDER BY 2.
pub(crate) fn position(expr: &Expr) -> Option<usize> {
    match strip(expr) {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

/// An item's expression and the name it is given.
pub(crate) fn item_parts(item: &SelectItem, at: Location) -> Result<(&Expr, Option<&Ident>), Fault> {
    match item {
        SelectItem::UnnamedExpr(expr) => Ok((expr, None)),
        SelectItem::ExprWithAlias { expr, alias } => Ok((expr, Some(alias))),
        SelectItem::ExprWithAliases { .. } => Err(unsupported(at, "an item with several names", "give it one")),
        SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => {
            Err(unsupported(at, "SELECT *", "name the GROUP BY columns and aggregates"))
        }
    }
}

/// Compiles the SELECT list.
pub(crate) fn items(
    scope: &mut Scope<'_>,
    query: &Parsed,
    grouping: &Grouping,
    rows: i128,
) -> Result<Vec<Item>, Fault> {
    let start = query.words.place(&[Keyword::SELECT]);
    if query.items.len() > MAX_ITEMS {
        return Err(unsupported(start, "so long a SELECT list", format!("write at most {MAX_ITEMS} items")));
    }
    let mut items: Vec<Item> = Vec::new();
    for item in &query.items {
        let (expr, alias) = item_parts(item, start)?;
        let at = place_of(expr, start);
        let (value, ty) = item_value(scope, expr, grouping, rows, at)?;
        let taken = |name: &str| items.iter().any(|i| i.name.eq_ignore_ascii_case(name));
        let name = own_name(alias, || plain_name(scope, expr, at), taken)?;
        items.push(Item { name, ty, value });
    }
    if items.iter().all(|item| matches!(item.value, ItemValue::Group(_))) {
        return Err(unsupported(start, "a SELECT without aggregate", "add one, such as COUNT(*)"));
    }
    Ok(items)
}

/// A name that no earlier item has: the one given, or the plain one, numbered where it is taken.
pub(crate) fn own_name(
    alias: Option<&Ident>,
    plain: impl FnOnce() -> Result<String, Fault>,
    taken: impl Fn(&str) -> bool,
) -> Result<String, Fault> {
    match alias {
        Some(alias) if taken(&alias.value) => {
            let what = format!("two items called {}", alias.value);
            Err(unsupported(alias.span.start, what, "give each its own name with AS"))
        }
        Some(alias) => Ok(alias.value.clone()),
        None => {
            let plain = plain()?;
            let numbered = (2..).map(|n| format!("{plain}_{n}"));
            let mut names = std::iter::once(plain.clone()).chain(numbered);
            Ok(names.find(|name| !taken(name)).unwrap_or(plain))
        }
    }
}

fn plain_name(scope: &Scope<'_>, expr: &Expr, at: Location) -> Result<String, Fault> {
    match strip(expr) {
        Expr::Function(function) => Ok(function_name(&function.name).unwrap_or_default().to_lowercase()),
        other => {
            let (table, column) = scope.lookup(column_parts(other).unwrap_or(&[]), at)?;
            let meta = scope.tables.get(table).and_then(|t| t.meta(column));
            Ok(meta.map_or_else(String::new, |m| m.name.clone()))
        }
    }
}

fn item_value(
    scope: &mut Scope<'_>,
    expr: &Expr,
    grouping: &Grouping,
    rows: i128,
    at: Location,
) -> Result<(ItemValue, ColumnType), Fault> {
    if let Expr::Function(function) = strip(expr)
        && is_aggregate(function)
    {
        let spec = aggregate(scope, function, Over { carrier: grouping.carrier, rows }, at)?;
        let ty = spec.ty;
        return Ok((ItemValue::Aggregate(spec), ty));
    }
    let instead = "let each item be one GROUP BY column or one aggregate: COUNT, SUM or AVG";
    let name = column_parts(expr).ok_or_else(|| unsupported(at, "an expression in SELECT", instead))?;
    let (table, column) = scope.lookup(name, at)?;
    let place = grouping.columns.iter().position(|(c, _)| table == grouping.carrier && *c == column);
    let meta = scope.tables.get(table).and_then(|t: &Table<'_>| t.meta(column));
    let written = name.iter().map(|part| part.value.as_str()).collect::<Vec<_>>().join(".");
    match (place.and_then(|p| u8::try_from(p).ok()), meta) {
        (Some(place), Some(meta)) => Ok((ItemValue::Group(place), meta.ty)),
        _ => {
            let instead = format!("add GROUP BY {written}, or put it into COUNT, SUM or AVG");
            Err(unsupported(at, format!("{written} is neither in GROUP BY nor inside an aggregate"), instead))
        }
    }
}

/// Compiles ORDER BY; every expression must be an item of the SELECT list.
pub(crate) fn order(
    scope: &mut Scope<'_>,
    query: &Parsed,
    grouping: &Grouping,
    rows: i128,
    items: &[Item],
) -> Result<Vec<Order>, Fault> {
    let start = query.words.place(&[Keyword::ORDER]);
    let mut order = Vec::new();
    for by in &query.order_by {
        let at = place_of(&by.expr, start);
        let place = ordered_item(scope, &by.expr, grouping, rows, (items, at))?;
        order.push(ordered(by, place, at)?);
    }
    Ok(order)
}

/// ORDER BY the output of this place, if there is one.
pub(crate) fn ordered(by: &OrderByExpr, place: Option<usize>, at: Location) -> Result<Order, Fault> {
    let OrderByExpr { expr: _, options, with_fill } = by;
    let descending = match &options.sort {
        None | Some(OrderBySort::Asc) => false,
        Some(OrderBySort::Desc) => true,
        Some(OrderBySort::Using(_)) => return Err(unsupported(at, "ORDER BY … USING", "write ASC or DESC")),
    };
    if with_fill.is_some() {
        return Err(unsupported(at, "ORDER BY … WITH FILL", "leave it out"));
    }
    let output = place.and_then(|place| u8::try_from(place).ok()).ok_or_else(|| {
        unsupported(at, "ORDER BY what is not in the answer", "order by an item of the SELECT list, its name or number")
    })?;
    Ok(Order { output, descending, nulls_first: options.nulls_first.unwrap_or(descending) })
}

fn ordered_item(
    scope: &mut Scope<'_>,
    expr: &Expr,
    grouping: &Grouping,
    rows: i128,
    (items, at): (&[Item], Location),
) -> Result<Option<usize>, Fault> {
    if let Some(number) = position(expr) {
        return Ok(number.checked_sub(1).filter(|place| *place < items.len()));
    }
    if let Some([name]) = column_parts(expr)
        && let Some(place) = items.iter().position(|item| item.name.eq_ignore_ascii_case(&name.value))
    {
        return Ok(Some(place));
    }
    let (value, _) = item_value(scope, expr, grouping, rows, at)?;
    Ok(items.iter().position(|item| item.value == value))
}
