//! Typed row expressions: postfix operations with their kind and the interval their value stays in.
//!
//! Every operation's interval is computed exactly in 128 bits and must fit 64: what passes here cannot overflow on any
//! row whose columns keep their declared ranges.

use base_types::fault::Fault;
use notary_terms::{
    Span,
    formula::{MAX_OPS, Op},
};
use sqlparser::tokenizer::Location;

use crate::{
    literal,
    refuse::{overflow, unsupported},
};

/// What kind of value an expression has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A number with digits after the point.
    Number { scale: u8 },
    /// True, false or NULL.
    Bool,
    /// Days since 1970-01-01.
    Date,
    /// Text.
    Text,
    /// NULL of no kind yet.
    Null,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Number { .. } => "a number",
            Self::Bool => "a truth value",
            Self::Date => "a date",
            Self::Text => "a text",
            Self::Null => "NULL",
        }
    }
}

/// Most digits after the point of an intermediate value.
const MAX_SCALE: u8 = 18;

/// A compiled expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Typed {
    pub(crate) ops: Vec<Op>,
    pub(crate) kind: Kind,
    /// Lowest and highest word it can have; `(0, 0)` for text.
    pub(crate) low: i128,
    pub(crate) high: i128,
    /// The one table whose columns it uses.
    pub(crate) table: Option<usize>,
    pub(crate) at: Location,
}

impl Typed {
    /// A constant number.
    pub(crate) fn number(word: i64, scale: u8, at: Location) -> Self {
        let value = i128::from(word);
        Self { ops: vec![Op::Number(word)], kind: Kind::Number { scale }, low: value, high: value, table: None, at }
    }

    /// A constant truth value.
    pub(crate) fn truth(value: bool, at: Location) -> Self {
        Self { kind: Kind::Bool, ..Self::number(i64::from(value), 0, at) }
    }

    /// NULL.
    pub(crate) fn null(at: Location) -> Self {
        Self { ops: vec![Op::Null], kind: Kind::Null, ..Self::number(0, 0, at) }
    }

    /// A constant text.
    pub(crate) fn text(text: &str, at: Location) -> Self {
        Self { ops: vec![Op::Text(text.to_owned())], kind: Kind::Text, ..Self::number(0, 0, at) }
    }

    /// A constant date.
    pub(crate) fn date(text: &str, at: Location) -> Result<Self, Fault> {
        let days = literal::date(text).ok_or_else(|| {
            unsupported(at, "a date in another form", "write it as 'YYYY-MM-DD', such as '1971-05-31'")
        })?;
        Ok(Self { kind: Kind::Date, ..Self::number(days, 0, at) })
    }

    /// Digits after the point.
    pub(crate) fn scale(&self) -> u8 {
        if let Kind::Number { scale } = self.kind { scale } else { 0 }
    }

    /// The largest absolute value.
    pub(crate) fn magnitude(&self) -> i128 {
        self.low.abs().max(self.high.abs())
    }

    /// The same value with `scale` digits after the point; only numbers change.
    pub(crate) fn at_scale(mut self, scale: u8) -> Result<Self, Fault> {
        let Kind::Number { scale: own } = self.kind else { return Ok(self) };
        let digits = scale.saturating_sub(own);
        if digits == 0 {
            return Ok(self);
        }
        let factor = 10i128.pow(u32::from(digits.min(MAX_SCALE)));
        (self.low, self.high) = (self.low * factor, self.high * factor);
        self.kind = Kind::Number { scale };
        self.check_range()?;
        match self.ops.as_mut_slice() {
            [Op::Number(word)] => *word = i64::try_from(self.low).unwrap_or(*word),
            _ => self.ops.push(Op::Rescale(digits)),
        }
        self.check_length()?;
        Ok(self)
    }

    /// The numbers that it can be.
    pub(crate) fn span(&self) -> Result<Span, Fault> {
        match (i64::try_from(self.low), i64::try_from(self.high)) {
            (Ok(low), Ok(high)) => Ok(Span { low, high }),
            _ => {
                let (low, high) = (self.low, self.high);
                let what = format!("a value between {low} and {high} (as scaled integers) does not fit 64 bits");
                Err(overflow(self.at, what))
            }
        }
    }

    fn check_range(&self) -> Result<(), Fault> {
        self.span().map(|_| ())
    }

    fn check_length(&self) -> Result<(), Fault> {
        if self.ops.len() <= MAX_OPS {
            return Ok(());
        }
        Err(unsupported(self.at, "an expression that is too long", format!("keep it under {MAX_OPS} operations")))
    }
}

/// Puts operands and an operation together; `across` is the advice when they come from two tables.
pub(crate) fn merge(
    parts: Vec<Typed>,
    tail: &[Op],
    kind: Kind,
    range: (i128, i128),
    at: Location,
    across: &str,
) -> Result<Typed, Fault> {
    let mut whole = Typed { ops: Vec::new(), kind, low: range.0, high: range.1, table: None, at };
    for part in parts {
        if let (Some(own), Some(other)) = (whole.table, part.table)
            && own != other
        {
            return Err(unsupported(part.at, "one expression over columns of two tables", across));
        }
        whole.table = whole.table.or(part.table);
        whole.ops.extend(part.ops);
    }
    whole.ops.extend_from_slice(tail);
    whole.check_length()?;
    whole.check_range()?;
    Ok(whole)
}

/// Addition, subtraction or multiplication.
pub(crate) fn arithmetic(op: &Op, left: Typed, right: Typed, at: Location, across: &str) -> Result<Typed, Fault> {
    for side in [&left, &right] {
        if !matches!(side.kind, Kind::Number { .. } | Kind::Null) {
            let what = format!("arithmetic with {}", side.kind.name());
            return Err(unsupported(
                side.at,
                what,
                "use numbers; for a truth value x write CASE WHEN x THEN 1 ELSE 0 END",
            ));
        }
    }
    if *op == Op::Mul {
        let scale = left.scale() + right.scale();
        if scale > MAX_SCALE {
            return Err(unsupported(at, "too many digits after the point", format!("keep products to {MAX_SCALE}")));
        }
        let corners = [left.low * right.low, left.low * right.high, left.high * right.low, left.high * right.high];
        let range = corners.iter().fold((corners[0], corners[0]), |(low, high), c| (low.min(*c), high.max(*c)));
        return merge(vec![left, right], &[Op::Mul], Kind::Number { scale }, range, at, across);
    }
    let scale = left.scale().max(right.scale());
    let (left, right) = (left.at_scale(scale)?, right.at_scale(scale)?);
    let range = if *op == Op::Add {
        (left.low + right.low, left.high + right.high)
    } else {
        (left.low - right.high, left.high - right.low)
    };
    merge(vec![left, right], std::slice::from_ref(op), Kind::Number { scale }, range, at, across)
}

/// Negation of a number.
pub(crate) fn negate(mut value: Typed, at: Location) -> Result<Typed, Fault> {
    if !matches!(value.kind, Kind::Number { .. } | Kind::Null) {
        return Err(unsupported(value.at, format!("minus before {}", value.kind.name()), "use numbers"));
    }
    (value.low, value.high, value.at) = (-value.high, -value.low, at);
    value.check_range()?;
    match value.ops.as_mut_slice() {
        [Op::Number(word)] => *word = i64::try_from(value.low).unwrap_or(*word),
        _ => value.ops.push(Op::Neg),
    }
    value.check_length()?;
    Ok(value)
}

/// Brings values to one kind and scale, so that they can be compared or stand in the branches of one CASE.
pub(crate) fn unify(parts: Vec<Typed>) -> Result<(Vec<Typed>, Kind), Fault> {
    let has_date = parts.iter().any(|p| p.kind == Kind::Date);
    let scale = parts.iter().map(Typed::scale).max().unwrap_or(0);
    let mut kind = Kind::Null;
    let mut unified = Vec::with_capacity(parts.len());
    for part in parts {
        let part = match part.ops.as_slice() {
            [Op::Text(text)] if has_date => Typed::date(text, part.at)?,
            _ => part.at_scale(scale)?,
        };
        if kind == Kind::Null {
            kind = part.kind;
        } else if part.kind != Kind::Null && part.kind != kind {
            let what = format!("{} beside {}", part.kind.name(), kind.name());
            return Err(unsupported(
                part.at,
                what,
                "use values of one type; numbers stand without quotes, texts with '…'",
            ));
        }
        unified.push(part);
    }
    Ok((unified, kind))
}

/// The smallest interval around all values; NULL adds nothing.
pub(crate) fn hull<'a>(parts: impl Iterator<Item = &'a Typed>) -> (i128, i128) {
    let known = parts.filter(|p| p.kind != Kind::Null).map(|p| (p.low, p.high));
    known.reduce(|all, one| (all.0.min(one.0), all.1.max(one.1))).unwrap_or((0, 0))
}

/// A comparison.
pub(crate) fn compare(op: Op, left: Typed, right: Typed, at: Location, across: &str) -> Result<Typed, Fault> {
    let (parts, _) = unify(vec![left, right])?;
    merge(parts, &[op], Kind::Bool, (0, 1), at, across)
}

/// AND or OR.
pub(crate) fn connect(op: Op, left: Typed, right: Typed, at: Location, across: &str) -> Result<Typed, Fault> {
    let (left, right) = (as_truth(left)?, as_truth(right)?);
    merge(vec![left, right], &[op], Kind::Bool, (0, 1), at, across)
}

/// NOT, or IS NULL: an operation with one operand whose outcome is a truth value.
pub(crate) fn test(op: Op, value: Typed, at: Location) -> Result<Typed, Fault> {
    let value = if op == Op::Not { as_truth(value)? } else { value };
    merge(vec![value], &[op], Kind::Bool, (0, 1), at, "")
}

/// `CASE WHEN condition THEN value … ELSE otherwise END`.
pub(crate) fn case(
    branches: Vec<(Typed, Typed)>,
    otherwise: Typed,
    at: Location,
    across: &str,
) -> Result<Typed, Fault> {
    let (conditions, mut values): (Vec<_>, Vec<_>) = branches.into_iter().unzip();
    values.push(otherwise);
    let (mut values, kind) = unify(values)?;
    let Some(mut whole) = values.pop() else { return Ok(Typed::null(at)) };
    for (condition, value) in conditions.into_iter().zip(values).rev() {
        let condition = as_truth(condition)?;
        let range = hull([&value, &whole].into_iter());
        whole = merge(vec![condition, value, whole], &[Op::Case], kind, range, at, across)?;
    }
    Ok(whole)
}

/// The value when it is a truth value.
pub(crate) fn as_truth(value: Typed) -> Result<Typed, Fault> {
    if matches!(value.kind, Kind::Bool | Kind::Null) {
        return Ok(value);
    }
    Err(unsupported(value.at, format!("{} as a condition", value.kind.name()), "compare it, such as x <> 0"))
}
