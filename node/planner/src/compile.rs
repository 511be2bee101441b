//! From the parser's expressions to typed row expressions.

use base_types::{
    column::ColumnType,
    fault::{Code, Fault},
};
use notary_terms::formula::Op;
use sqlparser::{
    ast::{BinaryOperator, CaseWhen, DataType, Expr, Function, Ident, InTarget, UnaryOperator, Value, ValueWithSpan},
    tokenizer::Location,
};

use crate::{
    literal,
    refuse::{function_name, overflow, place_of, placed, plain_arguments, unsupported},
    scope::Scope,
    typed::{self, Kind, Typed},
};

/// Deepest nesting of an expression; chains of operators of one level count once.
const MAX_DEPTH: usize = 100;

/// Compiles expressions over a scope, and notes there which columns are read.
pub(crate) struct Compiler<'s, 'a> {
    pub(crate) scope: &'s mut Scope<'a>,
    /// Advice when an expression uses two tables.
    pub(crate) across: &'static str,
    depth: usize,
}

impl<'s, 'a> Compiler<'s, 'a> {
    pub(crate) fn new(scope: &'s mut Scope<'a>, across: &'static str) -> Self {
        Self { scope, across, depth: 0 }
    }

    /// Compiles one expression that stands at `at`.
    pub(crate) fn expr(&mut self, expr: &Expr, at: Location) -> Result<Typed, Fault> {
        let at = place_of(expr, at);
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(placed(Code::QuerySyntax, at, "the query is nested too deep; use fewer parentheses"));
        }
        let typed = match expr {
            Expr::Identifier(name) => self.column(std::slice::from_ref(name), at),
            Expr::CompoundIdentifier(names) => self.column(names, at),
            Expr::Nested(inner) => self.expr(inner, at),
            Expr::Value(value) => constant(value, at),
            Expr::TypedString(text) if text.data_type == DataType::Date => match &text.value.value {
                Value::SingleQuotedString(date) => Typed::date(date, at),
                _ => Err(unsupported(at, "a date in another form", "write DATE 'YYYY-MM-DD'")),
            },
            Expr::UnaryOp { op, expr } => self.unary(*op, expr, at),
            Expr::BinaryOp { .. } => self.chain(expr, at),
            Expr::IsNull(inner) => self.expr(inner, at).and_then(|value| typed::test(Op::IsNull, value, at)),
            Expr::IsNotNull(inner) => {
                let value = self.expr(inner, at)?;
                typed::test(Op::IsNull, value, at).and_then(|value| typed::test(Op::Not, value, at))
            }
            Expr::Between { expr, negated, low, high } => self.between(expr, *negated, low, high, at),
            Expr::In { expr, target: InTarget::List(items), negated, .. } => self.within(expr, *negated, items, at),
            Expr::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref(), at)
            }
            Expr::Function(function) => self.function(function, at),
            other => Err(unknown_form(other, at)),
        }?;
        self.depth -= 1;
        Ok(typed)
    }

    fn column(&mut self, name: &[Ident], at: Location) -> Result<Typed, Fault> {
        let (place, column) = self.scope.lookup(name, at)?;
        let gone = || placed(Code::Internal, at, "a column vanished while planning");
        let table = self.scope.tables.get_mut(place).ok_or_else(gone)?;
        let read = u16::try_from(table.read(column)).map_err(|_| unsupported(at, "too many columns", "use fewer"))?;
        let meta = table.meta(column).ok_or_else(gone)?;
        let (low, high) = (i128::from(meta.min.min(meta.max)), i128::from(meta.max.max(meta.min)));
        let (kind, (low, high)) = match meta.ty {
            ColumnType::Int => (Kind::Number { scale: 0 }, (low, high)),
            ColumnType::Decimal { scale } => (Kind::Number { scale }, (low, high)),
            ColumnType::Bool => (Kind::Bool, (0, 1)),
            ColumnType::Date => (Kind::Date, (low, high)),
            ColumnType::Text => (Kind::Text, (0, 0)),
        };
        Ok(Typed { ops: vec![Op::Column(read)], kind, low, high, table: Some(place), at })
    }

    fn unary(&mut self, op: UnaryOperator, inner: &Expr, at: Location) -> Result<Typed, Fault> {
        let value = self.expr(inner, at)?;
        match op {
            UnaryOperator::Plus => Ok(value),
            UnaryOperator::Minus => typed::negate(value, at),
            UnaryOperator::Not => typed::test(Op::Not, value, at),
            other => Err(unsupported(at, format!("the operator {other}"), "use + - * and comparisons")),
        }
    }

    /// `a op b op c …`: the parser nests such chains to the left without bound, so they are unrolled.
    fn chain(&mut self, expr: &Expr, at: Location) -> Result<Typed, Fault> {
        let mut rest = Vec::new();
        let mut first = expr;
        while let Expr::BinaryOp { left, op, right } = first {
            rest.push((op, right));
            first = left;
        }
        let mut value = self.expr(first, at)?;
        for (op, right) in rest.into_iter().rev() {
            let right = self.expr(right, at)?;
            value = self.binary(op, value, right)?;
        }
        Ok(value)
    }

    fn binary(&mut self, op: &BinaryOperator, left: Typed, right: Typed) -> Result<Typed, Fault> {
        let (at, across) = (left.at, self.across);
        let op = match op {
            BinaryOperator::Plus => Op::Add,
            BinaryOperator::Minus => Op::Sub,
            BinaryOperator::Multiply => Op::Mul,
            BinaryOperator::Eq => Op::Eq,
            BinaryOperator::NotEq => Op::Ne,
            BinaryOperator::Lt => Op::Lt,
            BinaryOperator::LtEq => Op::Le,
            BinaryOperator::Gt => Op::Gt,
            BinaryOperator::GtEq => Op::Ge,
            BinaryOperator::And => Op::And,
            BinaryOperator::Or => Op::Or,
            BinaryOperator::Divide | BinaryOperator::Modulo => {
                let instead = "ask for both parts as aggregates and divide in the answer, or multiply by a decimal";
                return Err(unsupported(at, "division", instead));
            }
            other => {
                return Err(unsupported(at, format!("the operator {other}"), "use + - * = <> < <= > >= AND OR NOT"));
            }
        };
        match op {
            Op::Add | Op::Sub | Op::Mul => typed::arithmetic(&op, left, right, at, across),
            Op::And | Op::Or => typed::connect(op, left, right, at, across),
            comparison => typed::compare(comparison, left, right, at, across),
        }
    }

    fn between(&mut self, expr: &Expr, negated: bool, low: &Expr, high: &Expr, at: Location) -> Result<Typed, Fault> {
        let (value, low, high) = (self.expr(expr, at)?, self.expr(low, at)?, self.expr(high, at)?);
        let above = typed::compare(Op::Ge, value.clone(), low, at, self.across)?;
        let below = typed::compare(Op::Le, value, high, at, self.across)?;
        let inside = typed::connect(Op::And, above, below, at, self.across)?;
        if negated { typed::test(Op::Not, inside, at) } else { Ok(inside) }
    }

    fn within(&mut self, expr: &Expr, negated: bool, items: &[Expr], at: Location) -> Result<Typed, Fault> {
        let value = self.expr(expr, at)?;
        let mut found: Option<Typed> = None;
        for item in items {
            let item = self.expr(item, at)?;
            let equal = typed::compare(Op::Eq, value.clone(), item, at, self.across)?;
            found = Some(match found {
                None => equal,
                Some(before) => typed::connect(Op::Or, before, equal, at, self.across)?,
            });
        }
        let found = found.ok_or_else(|| unsupported(at, "IN over an empty list", "name at least one value"))?;
        if negated { typed::test(Op::Not, found, at) } else { Ok(found) }
    }

    fn case(
        &mut self,
        operand: Option<&Expr>,
        conditions: &[CaseWhen],
        otherwise: Option<&Expr>,
        at: Location,
    ) -> Result<Typed, Fault> {
        let operand = operand.map(|expr| self.expr(expr, at)).transpose()?;
        let mut branches = Vec::with_capacity(conditions.len());
        for CaseWhen { condition, result } in conditions {
            let mut condition = self.expr(condition, at)?;
            if let Some(operand) = &operand {
                condition = typed::compare(Op::Eq, operand.clone(), condition, at, self.across)?;
            }
            branches.push((condition, self.expr(result, at)?));
        }
        let otherwise = otherwise.map_or_else(|| Ok(Typed::null(at)), |expr| self.expr(expr, at))?;
        typed::case(branches, otherwise, at, self.across)
    }

    fn function(&mut self, function: &Function, at: Location) -> Result<Typed, Fault> {
        let name = function_name(&function.name).unwrap_or_default();
        let arguments =
            plain_arguments(&function.args).filter(|_| function.over.is_none() && function.filter.is_none());
        match (name.as_str(), arguments) {
            ("COALESCE", Some(arguments)) if !arguments.is_empty() => self.coalesce(&arguments, at),
            ("COUNT" | "SUM" | "AVG" | "MIN" | "MAX", _) => {
                let instead = "let each item of SELECT be one aggregate, and aggregate row values only";
                Err(unsupported(at, format!("the aggregate {name} inside an expression"), instead))
            }
            _ => Err(unsupported(
                at,
                format!("the function {}", function.name),
                "use COALESCE, CASE, + - * and comparisons",
            )),
        }
    }

    fn coalesce(&mut self, arguments: &[&Expr], at: Location) -> Result<Typed, Fault> {
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            values.push(self.expr(argument, at)?);
        }
        let Some(last) = values.pop() else { return Ok(Typed::null(at)) };
        let mut branches = Vec::with_capacity(values.len());
        for value in values {
            let known = typed::test(Op::IsNull, value.clone(), at).and_then(|null| typed::test(Op::Not, null, at))?;
            branches.push((known, value));
        }
        typed::case(branches, last, at, self.across)
    }
}

fn constant(value: &ValueWithSpan, at: Location) -> Result<Typed, Fault> {
    match &value.value {
        Value::Number(digits, _) => {
            let (word, scale) = literal::decimal(digits).ok_or_else(|| {
                overflow(
                    at,
                    format!(
                        "the number {digits} is not kept exactly; write at most 18 digits, 9 of them after the point"
                    ),
                )
            })?;
            Ok(Typed::number(word, scale, at))
        }
        Value::SingleQuotedString(text) => Ok(Typed::text(text, at)),
        Value::Boolean(truth) => Ok(Typed::truth(*truth, at)),
        Value::Null => Ok(Typed::null(at)),
        _ => Err(unsupported(at, "a literal of this form", "write numbers plainly and texts as '…'")),
    }
}

fn unknown_form(expr: &Expr, at: Location) -> Fault {
    let (what, instead) = match expr {
        Expr::Subquery(_) | Expr::Exists { .. } | Expr::In { .. } => {
            ("a sub-query", "write a JOIN, or list the values")
        }
        Expr::Cast { .. } => ("CAST", "leave it out: numbers are exact, dates are written '1971-05-31'"),
        Expr::Like { .. } | Expr::ILike { .. } | Expr::SimilarTo { .. } | Expr::RLike { .. } => {
            ("a text pattern", "compare with =, or list the values with IN")
        }
        Expr::IsTrue(_) | Expr::IsNotTrue(_) | Expr::IsFalse(_) | Expr::IsNotFalse(_) => {
            ("IS TRUE and IS FALSE", "compare with = TRUE, or use IS NULL")
        }
        Expr::IsDistinctFrom(..) | Expr::IsNotDistinctFrom(..) => ("IS DISTINCT FROM", "use = and IS NULL"),
        Expr::Tuple(_) => ("a tuple", "compare column by column"),
        Expr::Wildcard(_) | Expr::QualifiedWildcard(..) => ("*", "name the columns"),
        Expr::TypedString(_) | Expr::Interval(_) => ("a literal of this type", "write dates as DATE '1971-05-31'"),
        _ => ("this expression", "use columns, + - *, comparisons, CASE and COALESCE"),
    };
    unsupported(at, what, instead)
}
