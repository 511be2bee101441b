//! One step on shares of any engine: each operation by the engine's method for it.

use mpc_core::Abort;
use mpc_share::Fixed;
use mpc_share::fixed::{Column, Functions};

use crate::form::{Form, Kind};
use crate::party::{Elements, Party};
use crate::places::{beside, by_columns, by_rows, picked};
use crate::step::{Function, Op, Step};

/// The shares of one value; numbers and truth values are words.
pub(crate) enum Value<P: Party> {
    Words(P::Integers),
    Wide(P::Wide),
}

/// The values so far; one that no later step takes from is gone.
pub(crate) struct Values<'a, P: Party> {
    pub(crate) steps: &'a [Step],
    pub(crate) scale: u32,
    pub(crate) values: Vec<Option<Value<P>>>,
}

pub(crate) fn broken(what: &str) -> Abort {
    Abort::local(format!("a program that was not checked: {what}")).at("vectors")
}

impl<P: Party> Values<'_, P> {
    pub(crate) fn value(&self, step: usize) -> Result<&Value<P>, Abort> {
        self.values.get(step).and_then(Option::as_ref).ok_or_else(|| broken("a step without a value"))
    }

    fn words(&self, step: usize) -> Result<&P::Integers, Abort> {
        match self.value(step)? {
            Value::Words(words) => Ok(words),
            Value::Wide(_) => Err(broken("a wide integer among numbers")),
        }
    }

    pub(crate) fn wide(&self, step: usize) -> Result<&P::Wide, Abort> {
        match self.value(step)? {
            Value::Wide(wide) => Ok(wide),
            Value::Words(_) => Err(broken("a number among wide integers")),
        }
    }

    pub(crate) fn form(&self, step: usize) -> Result<Form, Abort> {
        self.steps.get(step).map(|step| step.form).ok_or_else(|| broken("no such step"))
    }

    fn fixed(&self, step: usize) -> Result<Fixed<P::Integers>, Abort> {
        let range = self.form(step)?.range().ok_or_else(|| broken("a number without a range"))?;
        Ok(Fixed::new(self.words(step)?.clone(), self.scale, range))
    }

    /// The columns of a value, apart.
    fn columns(&self, step: usize) -> Result<Vec<P::Integers>, Abort> {
        let form = self.form(step)?;
        Ok(self.words(step)?.picked(&by_columns(&form)).pieces(form.rows))
    }
}

/// Vectors one after the other.
fn concat<I: Elements>(parts: &[I]) -> I {
    I::joined(&parts.iter().collect::<Vec<_>>())
}

/// Columns as one vector, row by row.
fn joined<I: Elements>(columns: &[I], form: &Form) -> I {
    concat(columns).picked(&by_rows(form))
}

/// The value of step `at`.
pub(crate) async fn evaluate<P: Party>(party: &mut P, values: &Values<'_, P>, at: usize) -> Result<Value<P>, Abort> {
    let Some(Step { op, form }) = values.steps.get(at).copied() else {
        return Err(broken("no such step"));
    };
    if form.kind == Kind::Wide {
        return party.wide(values, op, &form).await.map(Value::Wide);
    }
    words(party, values, op, &form).await.map(Value::Words)
}

/// A step whose value is of numbers or truth values.
async fn words<P: Party>(party: &mut P, values: &Values<'_, P>, op: Op, form: &Form) -> Result<P::Integers, Abort> {
    let scale = values.scale;
    match op {
        Op::Public(number) => Ok(party.constant(number as u64, 1)),
        Op::Pick(x, pick) => Ok(values.words(x)?.picked(&picked(&values.form(x)?, pick, form))),
        Op::Beside(x, y) => {
            let both = P::Integers::joined(&[values.words(x)?, values.words(y)?]);
            Ok(both.picked(&beside(&values.form(x)?, &values.form(y)?)))
        }
        Op::Below(x, y) => Ok(P::Integers::joined(&[values.words(x)?, values.words(y)?])),
        Op::Add(x, y) => Ok(values.words(x)?.add(values.words(y)?)),
        Op::Sub(x, y) => Ok(values.words(x)?.sub(values.words(y)?)),
        Op::Mul(x, y) => Ok(party.fixed_mul(&values.fixed(x)?, &values.fixed(y)?).await?.raw().clone()),
        Op::Times { of, by, cut } => {
            let product = values.words(of)?.scale(by as u64);
            if cut == 0 { Ok(product) } else { party.truncate(&product, cut).await }
        }
        Op::Dot(x, y) => {
            let (left, right) = (values.words(x)?, values.words(y)?);
            let sums = if form.columns == 1 {
                party.matmul(left, right, [1, left.len(), 1]).await?
            } else {
                party.product(left, right).await?.column_sums(form.columns)
            };
            party.truncate(&sums, scale).await
        }
        Op::Matmul(x, y) => {
            let size = [form.rows, values.form(x)?.columns, form.columns];
            let product = party.matmul(values.words(x)?, values.words(y)?, size).await?;
            party.truncate(&product, scale).await
        }
        Op::Divide(x, y) => Ok(party.fixed_divide(&values.fixed(x)?, &values.fixed(y)?).await?.raw().clone()),
        Op::Apply(x, function) => Ok(apply(party, function, &values.fixed(x)?).await?.raw().clone()),
        Op::Sum(x) => Ok(values.words(x)?.column_sums(form.columns)),
        Op::Number(x) => Ok(values.words(x)?.scale(1 << scale)),
        Op::Less(..) | Op::Equal(..) | Op::Not(_) | Op::And(..) | Op::Bits(_) => truth(party, values, op, form).await,
        _ => rows(party, values, op, form).await,
    }
}

/// A function of one number at a time.
async fn apply<P: Party>(
    party: &mut P,
    function: Function,
    x: &Fixed<P::Integers>,
) -> Result<Fixed<P::Integers>, Abort> {
    match function {
        Function::Reciprocal => party.fixed_reciprocal(x).await,
        Function::Sqrt => party.fixed_sqrt(x).await,
        Function::InverseSqrt => party.fixed_inverse_sqrt(x).await,
        Function::Exp => party.fixed_exp(x).await,
        Function::Log => party.fixed_ln(x).await,
        Function::Sigmoid => party.fixed_sigmoid(x).await,
        Function::Abs => Ok(party.fixed_abs_relu(x).await?.0),
        Function::Relu => Ok(party.fixed_abs_relu(x).await?.1),
    }
}

/// Bits as truth values.
async fn truths<P: Party>(party: &mut P, bits: &P::Bits) -> Result<P::Integers, Abort> {
    let mut all = party.integers_of(&[bits]).await?;
    Ok(all.pop().unwrap_or_else(|| P::Integers::zeros(0)))
}

/// A step whose value is of truth values.
async fn truth<P: Party>(party: &mut P, values: &Values<'_, P>, op: Op, form: &Form) -> Result<P::Integers, Abort> {
    match op {
        Op::Less(x, y) => {
            let less = match (values.value(x)?, values.value(y)?) {
                (Value::Words(x), Value::Words(y)) => party.less(x, y).await?,
                _ => party.less_wide(values.wide(x)?, values.wide(y)?).await?,
            };
            truths(party, &less).await
        }
        Op::Equal(x, y) => {
            let equal = party.equal(values.words(x)?, values.words(y)?).await?;
            truths(party, &equal).await
        }
        Op::Not(x) => Ok(party.constant(1, form.len()).sub(values.words(x)?)),
        Op::And(x, y) => party.keep(values.words(x)?, values.words(y)?).await,
        Op::Bits(x) => {
            let bits = party.to_bits(values.words(x)?).await?;
            let place = |column: usize| P::parities(&bits, 1 << (values.scale + column as u32));
            let places: Vec<P::Bits> = (0..form.columns).map(place).collect();
            let columns = party.integers_of(&places.iter().collect::<Vec<_>>()).await?;
            Ok(joined(&columns, form))
        }
        _ => Err(broken(op.name())),
    }
}

/// `x` where the bit is set, else `y`.
async fn choose<P: Party>(
    party: &mut P,
    bits: &P::Bits,
    x: &P::Integers,
    y: &P::Integers,
) -> Result<P::Integers, Abort> {
    Ok(party.select(bits, &x.sub(y)).await?.add(y))
}

/// A step over whole rows.
async fn rows<P: Party>(party: &mut P, values: &Values<'_, P>, op: Op, form: &Form) -> Result<P::Integers, Abort> {
    match op {
        Op::Choose(t, x, y) => {
            let (x, y) = (values.words(x)?, values.words(y)?);
            Ok(party.keep(values.words(t)?, &x.sub(y)).await?.add(y))
        }
        Op::Min(x, y) | Op::Max(x, y) => {
            let (x, y) = (values.words(x)?, values.words(y)?);
            let less = party.less(x, y).await?;
            if matches!(op, Op::Min(..)) { choose(party, &less, x, y).await } else { choose(party, &less, y, x).await }
        }
        Op::Largest(x) => Ok(largest(party, values.words(x)?, form.columns).await?.0),
        Op::LargestRow(x) => {
            let place = largest(party, values.words(x)?, form.columns).await?.1;
            let unit = 1u64 << values.scale;
            Ok(party.plus_public(place.scale(unit), unit))
        }
        Op::Scan(what, x, same) => {
            let mut scanned = values.columns(x)?;
            for column in &mut scanned {
                *column = party.scan(what, values.words(same)?, column).await?;
            }
            Ok(joined(&scanned, form))
        }
        Op::Sort(x, column) => {
            let range = values.form(x)?.range().ok_or_else(|| broken("rows without a range"))?;
            Ok(joined(&party.sort(values.columns(x)?, column, (range.lo(), range.hi())).await?, form))
        }
        Op::Shuffle(x) => Ok(joined(&party.shuffle(values.columns(x)?).await?, form)),
        Op::Compact(x, valid) => {
            let (columns, valid) = (values.columns(x)?, values.words(valid)?);
            let flags = P::Integers::joined(&vec![valid; columns.len()]);
            let kept = party.keep(&flags, &concat(&columns)).await?.pieces(form.rows);
            Ok(joined(&party.compact(kept, valid).await?, form))
        }
        Op::FromBits(x) => {
            let bits = values.columns(x)?;
            let sum =
                |sum: P::Integers, (bit, place): (&P::Integers, u32)| sum.add(&bit.scale(1 << (values.scale + place)));
            Ok(bits.iter().zip(0u32..).fold(P::Integers::zeros(form.len()), sum))
        }
        _ => Err(broken(op.name())),
    }
}

/// Column by column: the largest element, and in which row it comes first.
async fn largest<P: Party>(
    party: &mut P,
    x: &P::Integers,
    columns: usize,
) -> Result<(P::Integers, P::Integers), Abort> {
    let rows = x.pieces(columns);
    party.argmax(&rows.iter().collect::<Vec<_>>()).await
}
