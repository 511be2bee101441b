//! Row formulas in postfix form: flat, bounded and canonical, so that no peer's bytes can nest without end.
//!
//! Three-valued logic as SQL defines it: a comparison with NULL is NULL, AND and OR follow Kleene's tables.

use std::cmp::Ordering;

use base_types::column::Table;
use base_wire::{wire_enum, wire_struct};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Most operations of a formula.
pub const MAX_OPS: usize = 4096;

/// One operation; operands come from the stack, the right one on top.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// The read's column of this place.
    Column(u16),
    /// A number, already at the scale its neighbours have.
    Number(i64),
    /// A text.
    Text(String),
    /// NULL.
    Null,
    /// Sum.
    Add,
    /// Difference.
    Sub,
    /// Product; scales add.
    Mul,
    /// Negation.
    Neg,
    /// Multiply by 10^n.
    Rescale(u8),
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
    /// Both.
    And,
    /// Either.
    Or,
    /// Not.
    Not,
    /// Is NULL; never NULL itself.
    IsNull,
    /// `condition, then, else`: `then` when the condition is true, `else` when it is false or NULL.
    Case,
}
wire_enum!(Op {
    0 => Column(place), 1 => Number(value), 2 => Text(text), 3 => Null, 4 => Add, 5 => Sub, 6 => Mul, 7 => Neg,
    8 => Rescale(digits), 9 => Eq, 10 => Ne, 11 => Lt, 12 => Le, 13 => Gt, 14 => Ge, 15 => And, 16 => Or, 17 => Not,
    18 => IsNull, 19 => Case
});

/// A postfix formula.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Formula {
    /// The operations.
    pub ops: Vec<Op>,
}
wire_struct!(Formula { ops });

/// A value on the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// NULL, of any type.
    Null,
    /// A number or a date.
    Number(i64),
    /// A truth value.
    Bool(bool),
    /// A text.
    Text(String),
}

/// Why a formula has no value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FormulaFault {
    /// Operands are missing, left over, or of the wrong type.
    #[error("the formula is malformed")]
    Malformed,
    /// A result does not fit 64 bits.
    #[error("a number overflows 64 bits")]
    Overflow,
}

type Step<T> = Result<T, FormulaFault>;

struct Stack(Vec<Value>);

impl Stack {
    fn pop(&mut self) -> Step<Value> {
        self.0.pop().ok_or(FormulaFault::Malformed)
    }
    fn number(&mut self) -> Step<Option<i64>> {
        match self.pop()? {
            Value::Null => Ok(None),
            Value::Number(n) => Ok(Some(n)),
            Value::Bool(b) => Ok(Some(i64::from(b))),
            Value::Text(_) => Err(FormulaFault::Malformed),
        }
    }
    fn truth(&mut self) -> Step<Option<bool>> {
        match self.pop()? {
            Value::Null => Ok(None),
            Value::Bool(b) => Ok(Some(b)),
            Value::Number(n) => Ok(Some(n != 0)),
            Value::Text(_) => Err(FormulaFault::Malformed),
        }
    }
    fn push_number(&mut self, value: Option<i64>) {
        self.0.push(value.map_or(Value::Null, Value::Number));
    }
    fn push_truth(&mut self, value: Option<bool>) {
        self.0.push(value.map_or(Value::Null, Value::Bool));
    }
    fn arithmetic(&mut self, f: fn(i64, i64) -> Option<i64>) -> Step<()> {
        let (right, left) = (self.number()?, self.number()?);
        let value = match (left, right) {
            (Some(l), Some(r)) => Some(f(l, r).ok_or(FormulaFault::Overflow)?),
            _ => None,
        };
        self.push_number(value);
        Ok(())
    }
    fn compare(&mut self, f: fn(Ordering) -> bool) -> Step<()> {
        let (right, left) = (self.pop()?, self.pop()?);
        let order = match (left, right) {
            (Value::Null, _) | (_, Value::Null) => None,
            (Value::Text(l), Value::Text(r)) => Some(l.cmp(&r)),
            (Value::Text(_), _) | (_, Value::Text(_)) => return Err(FormulaFault::Malformed),
            (l, r) => Some(as_number(&l).cmp(&as_number(&r))),
        };
        self.push_truth(order.map(f));
        Ok(())
    }
}

fn as_number(value: &Value) -> i64 {
    match value {
        Value::Number(n) => *n,
        Value::Bool(b) => i64::from(*b),
        Value::Null | Value::Text(_) => 0,
    }
}

impl Formula {
    /// The value for one row, whose column of a place `column` gives.
    ///
    /// # Errors
    /// [`FormulaFault`].
    pub fn evaluate(&self, column: &dyn Fn(usize) -> Option<Value>) -> Step<Value> {
        if self.ops.len() > MAX_OPS {
            return Err(FormulaFault::Malformed);
        }
        let mut stack = Stack(Vec::new());
        for op in &self.ops {
            apply(op, &mut stack, column)?;
        }
        let value = stack.pop()?;
        if stack.0.is_empty() { Ok(value) } else { Err(FormulaFault::Malformed) }
    }

    /// The value for a row of a table; places name the table's columns.
    ///
    /// # Errors
    /// [`FormulaFault`].
    pub fn on_row(&self, table: &Table, row: usize) -> Step<Value> {
        self.evaluate(&|place| {
            let column = table.columns.get(place)?;
            Some(match (column.get(row), column.ty) {
                (None, _) => Value::Null,
                (Some(_), base_types::column::ColumnType::Text) => Value::Text(column.text(row)?.to_owned()),
                (Some(word), _) => Value::Number(word),
            })
        })
    }

    /// The value when every column is NULL: what a LEFT JOIN row without partner gives.
    ///
    /// # Errors
    /// [`FormulaFault`].
    pub fn on_nulls(&self) -> Step<Value> {
        self.evaluate(&|_| Some(Value::Null))
    }

    /// Places of the columns it uses, each once, rising.
    pub fn columns(&self) -> Vec<usize> {
        let mut places: Vec<_> = self
            .ops
            .iter()
            .filter_map(|op| if let Op::Column(p) = op { Some(usize::from(*p)) } else { None })
            .collect();
        places.sort_unstable();
        places.dedup();
        places
    }
}

fn apply(op: &Op, stack: &mut Stack, column: &dyn Fn(usize) -> Option<Value>) -> Step<()> {
    match op {
        Op::Column(place) => stack.0.push(column(usize::from(*place)).ok_or(FormulaFault::Malformed)?),
        Op::Number(n) => stack.0.push(Value::Number(*n)),
        Op::Text(text) => stack.0.push(Value::Text(text.clone())),
        Op::Null => stack.0.push(Value::Null),
        Op::Add => stack.arithmetic(i64::checked_add)?,
        Op::Sub => stack.arithmetic(i64::checked_sub)?,
        Op::Mul => stack.arithmetic(i64::checked_mul)?,
        Op::Neg => {
            let value = stack.number()?;
            let negated = value.map(|n| n.checked_neg().ok_or(FormulaFault::Overflow)).transpose()?;
            stack.push_number(negated);
        }
        Op::Rescale(digits) => {
            let factor = 10i64.checked_pow(u32::from(*digits)).ok_or(FormulaFault::Overflow)?;
            stack.0.push(Value::Number(factor));
            stack.arithmetic(i64::checked_mul)?;
        }
        Op::Eq => stack.compare(Ordering::is_eq)?,
        Op::Ne => stack.compare(Ordering::is_ne)?,
        Op::Lt => stack.compare(Ordering::is_lt)?,
        Op::Le => stack.compare(Ordering::is_le)?,
        Op::Gt => stack.compare(Ordering::is_gt)?,
        Op::Ge => stack.compare(Ordering::is_ge)?,
        Op::And | Op::Or => {
            let (right, left) = (stack.truth()?, stack.truth()?);
            let decided = *op == Op::Or; // the value that one operand alone decides
            let value = if left == Some(decided) || right == Some(decided) {
                Some(decided)
            } else if left.is_some() && right.is_some() {
                Some(!decided)
            } else {
                None
            };
            stack.push_truth(value);
        }
        Op::Not => {
            let value = stack.truth()?;
            stack.push_truth(value.map(|v| !v));
        }
        Op::IsNull => {
            let value = stack.pop()?;
            stack.push_truth(Some(value == Value::Null));
        }
        Op::Case => {
            let (otherwise, then) = (stack.pop()?, stack.pop()?);
            let condition = stack.truth()?;
            stack.0.push(if condition == Some(true) { then } else { otherwise });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formula(ops: &[Op]) -> Formula {
        Formula { ops: ops.to_vec() }
    }

    #[test]
    fn logic_with_null_follows_kleene() {
        let truth = |b: Option<bool>| match b {
            None => vec![Op::Null],
            Some(v) => vec![Op::Number(i64::from(v))],
        };
        for left in [None, Some(false), Some(true)] {
            for right in [None, Some(false), Some(true)] {
                for (op, expected) in [
                    (
                        Op::And,
                        match (left, right) {
                            (Some(false), _) | (_, Some(false)) => Value::Bool(false),
                            (Some(true), Some(true)) => Value::Bool(true),
                            _ => Value::Null,
                        },
                    ),
                    (
                        Op::Or,
                        match (left, right) {
                            (Some(true), _) | (_, Some(true)) => Value::Bool(true),
                            (Some(false), Some(false)) => Value::Bool(false),
                            _ => Value::Null,
                        },
                    ),
                ] {
                    let mut ops = truth(left);
                    ops.extend(truth(right));
                    ops.push(op.clone());
                    assert_eq!(formula(&ops).on_nulls(), Ok(expected), "{left:?} {op:?} {right:?}");
                }
            }
        }
    }

    #[test]
    fn a_case_over_a_missing_partner_is_its_constant() {
        // CASE WHEN d.person_id IS NULL THEN 0 ELSE 1 END
        let died = formula(&[Op::Column(0), Op::IsNull, Op::Number(0), Op::Number(1), Op::Case]);
        assert_eq!(died.on_nulls(), Ok(Value::Number(0)));
        assert_eq!(died.evaluate(&|_| Some(Value::Number(7))), Ok(Value::Number(1)));
    }

    #[test]
    fn malformed_and_overflowing_formulas_are_refused() {
        for ops in [&[Op::Add][..], &[Op::Null, Op::Null], &[], &[Op::Number(1), Op::Text("a".into()), Op::Eq]] {
            assert_eq!(formula(ops).on_nulls(), Err(FormulaFault::Malformed));
        }
        assert_eq!(formula(&[Op::Number(i64::MAX), Op::Number(1), Op::Add]).on_nulls(), Err(FormulaFault::Overflow));
    }
}
