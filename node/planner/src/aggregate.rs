//! One aggregate of the SELECT list: its argument, its bounds and its type.

use base_types::{column::ColumnType, fault::Fault};
use notary_terms::{
    Function, Span,
    formula::{Formula, Op, Value},
};
use sqlparser::{
    ast::{self, DuplicateTreatment, FunctionArg, FunctionArgExpr, FunctionArguments},
    tokenizer::Location,
};

use crate::{
    bounds,
    compile::Compiler,
    refuse::{function_name, plain_arguments, unsupported},
    scope::Scope,
    typed::{Kind, Typed},
};

/// What is only counted stands for itself.
const ONE: Span = Span { low: 1, high: 1 };

const ACROSS: &str = "let each aggregate use columns of one table, and write two aggregates";

/// An aggregate before it has its place in the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spec {
    pub(crate) function: Function,
    /// The table and the number-valued formula; `None` for joined rows.
    pub(crate) argument: Option<(usize, Formula)>,
    /// What the argument can be where it is not NULL.
    pub(crate) span: Span,
    pub(crate) ty: ColumnType,
}

/// What is known of the query besides the aggregate.
#[derive(Clone, Copy)]
pub(crate) struct Over {
    /// The table that carries the groups; constants count as its values.
    pub(crate) carrier: usize,
    /// Most rows of the join.
    pub(crate) rows: i128,
}

/// Whether a call is one of the functions that are told about here.
pub(crate) fn is_aggregate(function: &ast::Function) -> bool {
    let known = ["COUNT", "SUM", "AVG", "MIN", "MAX"];
    function_name(&function.name).is_some_and(|name| known.contains(&name.as_str()))
}

/// Compiles an aggregate.
pub(crate) fn aggregate(
    scope: &mut Scope<'_>,
    function: &ast::Function,
    over: Over,
    at: Location,
) -> Result<Spec, Fault> {
    let name = function_name(&function.name).unwrap_or_default();
    refuse_forms(function, &name, at)?;
    if name == "COUNT" && counts_rows(&function.args) {
        return Ok(rows());
    }
    let one = format!("{name} with other than one argument");
    let arguments = plain_arguments(&function.args).unwrap_or_default();
    let [argument] = arguments.as_slice() else { return Err(unsupported(at, one, format!("write {name}(x)"))) };
    let value = Compiler::new(scope, ACROSS).expr(argument, at)?;
    if value.kind == Kind::Null {
        return Err(unsupported(at, format!("{name}(NULL)"), "aggregate a column"));
    }
    if name == "COUNT" { count(value, over, at) } else { total(&name, value, over, at) }
}

fn refuse_forms(function: &ast::Function, name: &str, at: Location) -> Result<(), Fault> {
    if matches!(name, "MIN" | "MAX") {
        return Err(unsupported(
            at,
            format!("{name} shows one person's value"),
            "ask for AVG, or COUNT over ranges by CASE",
        ));
    }
    if function.over.is_some() {
        return Err(unsupported(at, format!("{name} OVER, a window function"), "write the aggregate with GROUP BY"));
    }
    if function.filter.is_some() {
        return Err(unsupported(at, format!("{name} with FILTER"), format!("write {name}(CASE WHEN … THEN x END)")));
    }
    let FunctionArguments::List(list) = &function.args else {
        return Err(unsupported(at, format!("{name} over a sub-query"), format!("write {name}(x) with a column x")));
    };
    if list.duplicate_treatment == Some(DuplicateTreatment::Distinct) {
        let instead = "count rows with COUNT(*), or make the column a GROUP BY column";
        return Err(unsupported(at, format!("{name}(DISTINCT …)"), instead));
    }
    let rest = list.duplicate_treatment.is_some() || !list.clauses.is_empty() || !function.within_group.is_empty();
    if rest || function.null_treatment.is_some() || !matches!(function.parameters, FunctionArguments::None) {
        return Err(unsupported(at, format!("{name} with a clause"), format!("write {name}(x) alone")));
    }
    Ok(())
}

fn counts_rows(arguments: &FunctionArguments) -> bool {
    let FunctionArguments::List(list) = arguments else { return false };
    matches!(list.args.as_slice(), [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)])
}

/// COUNT(*).
fn rows() -> Spec {
    Spec { function: Function::Count, argument: None, span: ONE, ty: ColumnType::Int }
}

/// COUNT(x): x itself where its sums fit, so that AVG(x) can share it; else 1 for every x that is not NULL.
fn count(value: Typed, over: Over, at: Location) -> Result<Spec, Fault> {
    let Some(table) = value.table else {
        let formula = Formula { ops: value.ops };
        return match formula.on_nulls() {
            Ok(Value::Null) | Err(_) => Err(unsupported(at, "COUNT of what is always NULL", "count a column")),
            Ok(_) => Ok(rows()),
        };
    };
    let (formula, span) = if value.kind == Kind::Text || !bounds::sum_fits(value.magnitude(), over.rows) {
        let mut ops = value.ops;
        ops.extend([Op::IsNull, Op::Null, Op::Number(1), Op::Case]);
        (Formula { ops }, ONE)
    } else {
        let span = value.span()?;
        (as_number(value), span)
    };
    Ok(Spec { function: Function::Count, argument: Some((table, formula)), span, ty: ColumnType::Int })
}

/// SUM or AVG.
fn total(name: &str, value: Typed, over: Over, at: Location) -> Result<Spec, Fault> {
    if !matches!(value.kind, Kind::Number { .. } | Kind::Bool) {
        return Err(unsupported(at, format!("{name} of what is no number"), "use a numeric column, or COUNT"));
    }
    let (scale, magnitude) = (value.scale(), value.magnitude());
    let (function, digits) = if name == "SUM" {
        bounds::check_sum(magnitude, over.rows, at)?;
        (Function::Sum, 0)
    } else {
        let extra_digits = bounds::extra_digits(magnitude, over.rows, scale, at)?;
        (Function::Avg { extra_digits }, extra_digits)
    };
    let ty = bounds::number_type(scale + digits, at)?;
    let (table, span) = (value.table.unwrap_or(over.carrier), value.span()?);
    Ok(Spec { function, argument: Some((table, as_number(value))), span, ty })
}

/// Truth values become 0 and 1; a column of them is that already.
fn as_number(value: Typed) -> Formula {
    let mut ops = value.ops;
    if value.kind == Kind::Bool && !matches!(ops.as_slice(), [Op::Column(_) | Op::Number(_)]) {
        ops.extend([Op::Number(0), Op::Add]);
    }
    Formula { ops }
}
