//! One argument of a user's program or of one over vectors: the columns, rows and ranges that its SELECT has to give.

use base_types::fault::Fault;
use mpc_program::Field;
use notary_terms::{Catalogue, Read, ReadRole, formula::Formula};
use sqlparser::keywords::Keyword;

use crate::{
    MAX_SET_ROWS,
    assemble::lost,
    compile::Compiler,
    compute::Input,
    from::{enter, join_place},
    items,
    parse::Parsed,
    refuse::{column_parts, overflow, place_of, unsupported},
    scope::{Entered, Scope},
    typed::{Kind, Typed, as_truth},
};

const ACROSS: &str = "let each SELECT read one data set";

/// What an argument takes.
pub(crate) struct Due<'a> {
    /// Its name.
    pub(crate) argument: &'a str,
    /// Its type, for people.
    pub(crate) ty: String,
    pub(crate) rows: u64,
    /// The values of a row.
    pub(crate) fields: Vec<Field<'a>>,
}

/// What the owner of an argument reads, and its values with their ranges.
pub(crate) fn read(catalogue: &Catalogue, input: &Input, due: &Due<'_>) -> Result<(Read, Vec<Typed>), Fault> {
    let (query, argument, ty) = (&input.query, due.argument, &due.ty);
    one_table(query)?;
    let mut scope = Scope::default();
    let from = query.words.place(&[Keyword::FROM]);
    enter(&mut scope, &query.from.relation, catalogue, (Entered::From, from))?;
    let found = values(&mut scope, query, due)?;
    let filter = match &query.condition {
        Some(condition) => {
            let at = place_of(condition, query.words.place(&[Keyword::WHERE]));
            Some(Formula { ops: as_truth(Compiler::new(&mut scope, ACROSS).expr(condition, at)?)?.ops })
        }
        None => None,
    };
    if let Some(absent) = input.absent
        && !due.fields.iter().all(|field| (field.low..=field.high).contains(&i128::from(absent)))
    {
        return Err(overflow(input.at, format!("{absent} after ELSE is no value of {argument}: {ty}")));
    }
    let table = scope.tables.first().ok_or_else(lost)?;
    let rows = u32::try_from(due.rows).ok().filter(|rows| *rows <= MAX_SET_ROWS);
    let rows = rows.ok_or_else(|| unsupported(input.at, format!("{} rows for {argument}", due.rows), "take fewer"))?;
    if !(1..=MAX_SET_ROWS).contains(&table.source.rows_bound) {
        let what = format!("{} with up to {} rows", table.source.dataset, table.source.rows_bound);
        return Err(unsupported(table.at, what, format!("use data sets of 1 to {MAX_SET_ROWS} rows")));
    }
    let metas: Vec<_> = table.columns.iter().filter_map(|column| table.meta(*column)).collect();
    let read = Read {
        owner: table.source.dataset.owner(),
        dataset: table.source.dataset.clone(),
        alias: table.alias.clone(),
        columns: metas.iter().map(|meta| meta.name.clone()).collect(),
        types: metas.iter().map(|meta| meta.ty).collect(),
        key: None,
        filter,
        values: found.iter().map(|value| Formula { ops: value.ops.clone() }).collect(),
        rows_bound: table.source.rows_bound,
        role: ReadRole::Input { argument: argument.to_owned(), ty: ty.clone(), rows, absent: input.absent },
    };
    Ok((read, found))
}

/// Refuses a second argument from one data set: a data set is read once. `as_what` says for which kind of argument that is.
pub(crate) fn once(reads: &[Read], read: &Read, input: &Input, as_what: &str) -> Result<(), Fault> {
    if reads.iter().all(|before| before.dataset != read.dataset) {
        return Ok(());
    }
    let what = format!("two arguments from {}", read.dataset);
    Err(unsupported(input.at, what, format!("take both in one SELECT, {as_what}")))
}

/// Refuses what an argument's SELECT cannot have: the program does such work itself, on what several owners give.
fn one_table(query: &Parsed) -> Result<(), Fault> {
    let Parsed { from, group_by, order_by, limit, words, .. } = query;
    if let Some(join) = from.joins.first() {
        let instead = "let each argument come from one data set; the program brings them together";
        return Err(unsupported(join_place(join, words), "a JOIN for an argument", instead));
    }
    let rest = [
        (!group_by.is_empty(), Keyword::GROUP),
        (!order_by.is_empty(), Keyword::ORDER),
        (limit.is_some(), Keyword::LIMIT),
    ];
    match rest.into_iter().find(|(there, _)| *there) {
        Some((_, keyword)) => {
            let what = "GROUP BY, ORDER BY or LIMIT for an argument";
            Err(unsupported(
                words.place(&[keyword]),
                what,
                "choose rows by WHERE, and let the program sort and sum them",
            ))
        }
        None => Ok(()),
    }
}

/// The formulas of a row in the order of the argument's fields: by place, or by name where the row is a struct.
fn values(scope: &mut Scope<'_>, query: &Parsed, due: &Due<'_>) -> Result<Vec<Typed>, Fault> {
    let argument = due.argument;
    let start = query.words.place(&[Keyword::SELECT]);
    if query.items.len() != due.fields.len() {
        let names: Vec<&str> = due.fields.iter().filter_map(|field| field.name).collect();
        let instead = format!("select {} {}", due.fields.len(), names.join(", "));
        return Err(unsupported(start, format!("{} columns for {argument}", query.items.len()), instead.trim_end()));
    }
    let mut found: Vec<(Option<String>, Typed)> = Vec::with_capacity(query.items.len());
    for item in &query.items {
        let (expr, alias) = items::item_parts(item, start)?;
        let at = place_of(expr, start);
        let name = alias.or_else(|| column_parts(expr)?.last()).map(|name| name.value.clone());
        found.push((name, Compiler::new(scope, ACROSS).expr(expr, at)?));
    }
    let mut values = Vec::with_capacity(found.len());
    for (place, field) in due.fields.iter().enumerate() {
        let value = match field.name {
            None => found.get(place),
            Some(wanted) => {
                found.iter().find(|(name, _)| name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(wanted)))
            }
        };
        let (_, value) = value.ok_or_else(|| {
            let wanted = field.name.unwrap_or_default();
            unsupported(
                start,
                format!("no column {wanted} for {argument}"),
                format!("select one, or name one AS {wanted}"),
            )
        })?;
        fits(value, field, argument)?;
        values.push(value.clone());
    }
    Ok(values)
}

/// Whether every value that an expression can have is one of the field's.
fn fits(value: &Typed, field: &Field<'_>, argument: &str) -> Result<(), Fault> {
    let other = |what: &str, instead: &str| Err(unsupported(value.at, format!("{what} for {argument}"), instead));
    match (value.kind, field.truth) {
        (Kind::Bool, true) => Ok(()),
        (Kind::Number { .. } | Kind::Date, false) => range(value, field, argument),
        (Kind::Bool, false) => other("a truth value as a number", "write CASE WHEN x THEN 1 ELSE 0 END"),
        (Kind::Number { .. } | Kind::Date, true) => other("a number as a truth value", "compare it, such as x <> 0"),
        (Kind::Text, _) => other("a text", "compare it, such as x = 'a', or make it a number by CASE"),
        (Kind::Null, _) => other("NULL", "name a column, and write ELSE 0 after the SELECT for rows without a value"),
    }
}

fn range(value: &Typed, field: &Field<'_>, argument: &str) -> Result<(), Fault> {
    if value.low >= field.low && value.high <= field.high {
        return Ok(());
    }
    let (low, high) = (value.low, value.high);
    let what = format!(
        "values between {low} and {high} (as scaled integers) for {argument}, which holds {} to {}",
        field.low, field.high
    );
    Err(overflow(value.at, format!("{what}; give the argument a wider type")))
}
