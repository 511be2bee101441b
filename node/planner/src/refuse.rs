//! Faults of the planner: every one tells its place in the query's text as `line:column`.

use std::fmt::Display;

use base_types::fault::{Code, Fault};
use sqlparser::{
    ast::{Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName},
    tokenizer::Location,
};

/// What is not supported at `at`, and what to write instead.
pub(crate) fn unsupported(at: Location, what: impl Display, instead: impl Display) -> Fault {
    placed(Code::QueryUnsupported, at, format!("{what}; {instead}"))
}

/// A name at `at` that nothing has, and the nearest one there is.
pub(crate) fn unknown(at: Location, what: impl Display, nearest: Option<&str>) -> Fault {
    let hint = nearest.map_or_else(String::new, |name| format!("; did you mean {name}?"));
    placed(Code::QueryUnknownName, at, format!("{what}{hint}"))
}

/// A number at `at` that could leave its bounds.
pub(crate) fn overflow(at: Location, what: impl Display) -> Fault {
    placed(Code::QueryOverflow, at, what)
}

/// The place in the whole text of a line and a column, counted from 1, of a part that begins at `at`.
pub(crate) fn inside(at: Location, (line, column): (u64, u64)) -> Location {
    match line {
        0 => at,
        1 => Location { line: at.line, column: at.column + column.saturating_sub(1) },
        line => Location { line: at.line + line - 1, column },
    }
}

/// A fault at a place.
pub(crate) fn placed(code: Code, at: Location, detail: impl Display) -> Fault {
    Fault::new(code, "plan", format!("{}:{}: {detail}", at.line.max(1), at.column.max(1)))
}

/// Where an expression starts; `fallback` where the parser kept no place.
///
/// It walks down instead of recursing, so that a long chain of operators cannot exhaust the stack.
pub(crate) fn place_of(expr: &Expr, fallback: Location) -> Location {
    let mut expr = expr;
    let found = loop {
        expr = match expr {
            Expr::Identifier(name) => break name.span.start,
            Expr::CompoundIdentifier(names) => break names.first().map_or(fallback, |n| n.span.start),
            Expr::Value(value) => break value.span.start,
            Expr::TypedString(typed) => break typed.value.span.start,
            Expr::Function(function) => break name_place(&function.name, fallback),
            Expr::Case { case_token, .. } => break case_token.0.span.start,
            Expr::BinaryOp { left, .. } => left,
            Expr::Nested(inner)
            | Expr::IsNull(inner)
            | Expr::IsNotNull(inner)
            | Expr::IsTrue(inner)
            | Expr::IsNotTrue(inner)
            | Expr::IsFalse(inner)
            | Expr::IsNotFalse(inner)
            | Expr::IsUnknown(inner)
            | Expr::IsNotUnknown(inner)
            | Expr::IsDistinctFrom(inner, _)
            | Expr::IsNotDistinctFrom(inner, _) => inner,
            Expr::UnaryOp { expr: inner, .. }
            | Expr::Between { expr: inner, .. }
            | Expr::In { expr: inner, .. }
            | Expr::Like { expr: inner, .. }
            | Expr::ILike { expr: inner, .. }
            | Expr::SimilarTo { expr: inner, .. }
            | Expr::Cast { expr: inner, .. }
            | Expr::Extract { expr: inner, .. }
            | Expr::Substring { expr: inner, .. } => inner,
            _ => break fallback,
        };
    };
    if found.line == 0 { fallback } else { found }
}

/// Where a name starts.
pub(crate) fn name_place(name: &ObjectName, fallback: Location) -> Location {
    let first = name.0.first().and_then(|part| part.as_ident());
    first.map(|ident| ident.span.start).filter(|at| at.line > 0).unwrap_or(fallback)
}

/// The identifiers of a column's name, when the expression is one.
pub(crate) fn column_parts(expr: &Expr) -> Option<&[Ident]> {
    match strip(expr) {
        Expr::Identifier(name) => Some(std::slice::from_ref(name)),
        Expr::CompoundIdentifier(names) => Some(names),
        _ => None,
    }
}

/// The expression inside any number of parentheses.
pub(crate) fn strip(expr: &Expr) -> &Expr {
    let mut expr = expr;
    while let Expr::Nested(inner) = expr {
        expr = inner;
    }
    expr
}

/// A function's name in capitals, when it is one word.
pub(crate) fn function_name(name: &ObjectName) -> Option<String> {
    match name.0.as_slice() {
        [part] => part.as_ident().map(|ident| ident.value.to_ascii_uppercase()),
        _ => None,
    }
}

/// The arguments of a call that are plain expressions; `None` when there is anything else among them.
pub(crate) fn plain_arguments(arguments: &FunctionArguments) -> Option<Vec<&Expr>> {
    let FunctionArguments::List(list) = arguments else { return None };
    if list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
        return None;
    }
    let plain = |argument| match argument {
        &FunctionArg::Unnamed(FunctionArgExpr::Expr(ref expr)) => Some(expr),
        _ => None,
    };
    list.args.iter().map(plain).collect()
}
