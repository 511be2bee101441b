//! One step on shares: each operation by the method of `Rep3` that has its name.

use mpc_core::Abort;
use mpc_share::fixed::Functions;
use mpc_share::{Arith, Bits, Carried, Fixed, Rep3, Replicated, Wide, Z64};

use crate::form::{Form, Kind};
use crate::places::{beside, by_columns, by_rows, picked};
use crate::step::{Function, Op, Step};

/// The shares of one value; numbers and truth values are words.
pub(crate) enum Value {
    Words(Arith),
    Wide(Wide),
}

/// The values so far; one that no later step takes from is gone.
pub(crate) struct Values<'a> {
    pub(crate) steps: &'a [Step],
    pub(crate) scale: u32,
    pub(crate) values: Vec<Option<Value>>,
}

fn broken(what: &str) -> Abort {
    Abort::local(format!("a program that was not checked: {what}")).at("vectors")
}

impl Values<'_> {
    pub(crate) fn value(&self, step: usize) -> Result<&Value, Abort> {
        self.values.get(step).and_then(Option::as_ref).ok_or_else(|| broken("a step without a value"))
    }

    fn words(&self, step: usize) -> Result<&Arith, Abort> {
        match self.value(step)? {
            Value::Words(words) => Ok(words),
            Value::Wide(_) => Err(broken("a wide integer among numbers")),
        }
    }

    fn wide(&self, step: usize) -> Result<&Wide, Abort> {
        match self.value(step)? {
            Value::Wide(wide) => Ok(wide),
            Value::Words(_) => Err(broken("a number among wide integers")),
        }
    }

    fn form(&self, step: usize) -> Result<Form, Abort> {
        self.steps.get(step).map(|step| step.form).ok_or_else(|| broken("no such step"))
    }

    fn fixed(&self, step: usize) -> Result<Fixed, Abort> {
        let range = self.form(step)?.range().ok_or_else(|| broken("a number without a range"))?;
        Ok(Fixed::new(self.words(step)?.clone(), self.scale, range))
    }

    /// The columns of a value, apart.
    fn columns(&self, step: usize) -> Result<Vec<Arith>, Abort> {
        let form = self.form(step)?;
        Ok(self.words(step)?.picked(&by_columns(&form)).pieces(form.rows))
    }
}

/// Columns as one vector, row by row.
fn joined(columns: &[Arith], form: &Form) -> Arith {
    Arith::concat(columns.iter().map(Arith::view)).picked(&by_rows(form))
}

/// The value of step `at`.
pub(crate) async fn evaluate(party: &mut Rep3, values: &Values<'_>, at: usize) -> Result<Value, Abort> {
    let Some(Step { op, form }) = values.steps.get(at).copied() else {
        return Err(broken("no such step"));
    };
    if form.kind == Kind::Wide {
        return wide(party, values, op, &form).await.map(Value::Wide);
    }
    words(party, values, op, &form).await.map(Value::Words)
}

/// A step whose value is of wide integers.
async fn wide(party: &mut Rep3, values: &Values<'_>, op: Op, form: &Form) -> Result<Wide, Abort> {
    match op {
        Op::Public(number) => Ok(party.public_wide(&[number as u128])),
        Op::Pick(x, pick) => Ok(values.wide(x)?.picked(&picked(&values.form(x)?, pick, form))),
        Op::Add(x, y) => Ok(values.wide(x)?.add(values.wide(y)?)),
        Op::Sub(x, y) => Ok(values.wide(x)?.sub(values.wide(y)?)),
        Op::Mul(x, y) => party.dot_wide(&[(values.wide(x)?, values.wide(y)?)]).await,
        Op::Dot(x, y) => {
            let products = party.dot_wide(&[(values.wide(x)?, values.wide(y)?)]).await?;
            Ok(products.column_sums(form.columns))
        }
        Op::Sum(x) => Ok(values.wide(x)?.column_sums(form.columns)),
        Op::Cut(x, by) => party.truncate_wide(values.wide(x)?, by).await,
        _ => Err(broken(op.name())),
    }
}

/// A step whose value is of numbers or truth values.
async fn words(party: &mut Rep3, values: &Values<'_>, op: Op, form: &Form) -> Result<Arith, Abort> {
    let scale = values.scale;
    match op {
        Op::Public(number) => Ok(party.public::<Z64>(&[number as u64])),
        Op::Pick(x, pick) => Ok(values.words(x)?.picked(&picked(&values.form(x)?, pick, form))),
        Op::Beside(x, y) => {
            let both = Arith::concat([values.words(x)?.view(), values.words(y)?.view()]);
            Ok(both.picked(&beside(&values.form(x)?, &values.form(y)?)))
        }
        Op::Below(x, y) => Ok(Arith::concat([values.words(x)?.view(), values.words(y)?.view()])),
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
                party.mul(left, right).await?.column_sums(form.columns)
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
async fn apply(party: &mut Rep3, function: Function, x: &Fixed) -> Result<Fixed, Abort> {
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

/// A step whose value is of truth values.
async fn truth(party: &mut Rep3, values: &Values<'_>, op: Op, form: &Form) -> Result<Arith, Abort> {
    match op {
        Op::Less(x, y) => {
            let less = match (values.value(x)?, values.value(y)?) {
                (Value::Words(x), Value::Words(y)) => party.less_than(x, y).await?,
                _ => party.less_wide(values.wide(x)?, values.wide(y)?).await?,
            };
            party.to_integers(&less).await
        }
        Op::Equal(x, y) => {
            let equal = party.equal(values.words(x)?, values.words(y)?).await?;
            party.to_integers(&equal).await
        }
        Op::Not(x) => Ok(party.not(values.words(x)?)),
        Op::And(x, y) => party.mul(values.words(x)?, values.words(y)?).await,
        Op::Bits(x) => {
            let bits = Rep3::to_bits(party, values.words(x)?.view()).await?;
            let place = |column: usize| Bits::of_words(&bits, values.scale + column as u32);
            let places: Vec<Bits> = (0..form.columns).map(place).collect();
            let columns = party.to_integers_many(&places.iter().collect::<Vec<_>>()).await?;
            Ok(joined(&columns, form))
        }
        _ => Err(broken(op.name())),
    }
}

/// A step over whole rows.
async fn rows(party: &mut Rep3, values: &Values<'_>, op: Op, form: &Form) -> Result<Arith, Abort> {
    match op {
        Op::Choose(t, x, y) => {
            let (x, y) = (values.words(x)?, values.words(y)?);
            Ok(party.mul(values.words(t)?, &x.sub(y)).await?.add(y))
        }
        Op::Min(x, y) => party.min(values.words(x)?, values.words(y)?).await,
        Op::Max(x, y) => party.max(values.words(x)?, values.words(y)?).await,
        Op::Largest(x) => Ok(largest(party, values.words(x)?, form.columns).await?.0),
        Op::LargestRow(x) => {
            let place = largest(party, values.words(x)?, form.columns).await?.1;
            let unit = 1u64 << values.scale;
            Ok(party.plus_public(place.scale(unit), unit))
        }
        Op::Scan(what, x, same) => scan(party, what, &values.columns(x)?, values.words(same)?, form).await,
        Op::Sort(x, column) => {
            let (columns, own) = (values.columns(x)?, values.form(x)?);
            let key = columns.get(column).cloned().ok_or_else(|| broken("no such column"))?;
            // From zero on, so that the order of the words is that of the numbers.
            let lowest = own.low as u64;
            let key = party.plus_public(key, lowest.wrapping_neg());
            let span = (own.high - own.low).unsigned_abs();
            let bits = (u128::BITS - span.leading_zeros()).clamp(1, u64::BITS);
            let key = Rep3::to_bits(party, key.view()).await?;
            Ok(joined(&party.sort_by_words(columns, &[(&key, bits)]).await?, form))
        }
        Op::Shuffle(x) => {
            let columns = values.columns(x)?;
            Ok(joined(&party.shuffle(columns).await?, form))
        }
        Op::Compact(x, valid) => {
            let (columns, valid) = (values.columns(x)?, values.words(valid)?);
            let pairs: Vec<_> = columns.iter().map(|column| (valid.view(), column.view())).collect();
            let kept = Rep3::mul_many::<Z64>(party, &pairs).await?;
            Ok(joined(&party.compact(kept, valid).await?, form))
        }
        Op::FromBits(x) => {
            let bits = values.columns(x)?;
            let sum = |sum: Arith, (bit, place): (&Arith, u32)| sum.add(&bit.scale(1 << (values.scale + place)));
            Ok(bits.iter().zip(0u32..).fold(Arith::zeros(form.len()), sum))
        }
        _ => Err(broken(op.name())),
    }
}

/// Column by column: the largest element, and in which row it comes first.
async fn largest(party: &mut Rep3, x: &Arith, columns: usize) -> Result<(Arith, Arith), Abort> {
    let rows = x.pieces(columns);
    party.argmax(&rows.iter().collect::<Vec<_>>()).await
}

async fn scan(party: &mut Rep3, what: Carried, columns: &[Arith], same: &Arith, form: &Form) -> Result<Arith, Abort> {
    let mut scanned = Vec::with_capacity(columns.len());
    for column in columns {
        scanned.push(party.scan(what, same, column).await?);
    }
    Ok(joined(&scanned, form))
}
