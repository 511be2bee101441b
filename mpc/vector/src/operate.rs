//! The operators of the checker: sums, products, quotients, comparisons, and what connects truth values.

use mpc_share::interval::{Overflow, Range};

use crate::check::{Checker, Item, NARROWER, What};
use crate::form::{Form, Kind};
use crate::problem::{Place, Problem};
use crate::step::{Op, Step};
use crate::token::Literal;

/// Products before their places are cut off stay below this in magnitude.
const LIMIT: i128 = 1 << 62;
/// Most places that one cut takes off.
const MOST_PLACES: u32 = mpc_share::MOST_PLACES;

/// As much of a public fraction as one factor takes.
struct Factor {
    by: i128,
    /// The places that are cut off behind it.
    cut: u32,
    /// What is left of the numerator, as a share of `2^-cut`; 0 where that makes less than a unit.
    rest: i128,
}

/// The finest factor for `over / under` that numbers up to `most` in magnitude leave room for.
fn factor(most: i128, over: i128, under: i128) -> Option<Factor> {
    (1..=MOST_PLACES).rev().find_map(|cut| {
        let raised = over.checked_mul(1 << cut)?;
        let nearest = (2 * raised + under).div_euclid(2 * under);
        nearest.checked_mul(most).filter(|product| product.abs() < LIMIT)?;
        let lost = (raised - nearest * under).abs().checked_mul(most)?;
        if lost <= under << cut {
            return Some(Factor { by: nearest, cut, rest: 0 });
        }
        // Towards 0, so that what is left has the fraction's sign.
        Some(Factor { by: raised / under, cut, rest: raised % under })
    })
}

/// An interval's refusal at its place, with what to write instead.
pub(crate) fn overflow(at: Place, why: Overflow) -> Problem {
    Problem::overflow(at, format!("{why}; {NARROWER}"))
}

pub(crate) fn beyond(at: Place) -> Problem {
    Problem::overflow(at, format!("this product may not fit its word; {NARROWER}"))
}

/// The lowest and the highest of products of two ranges; `None` beyond 128 bits.
pub(crate) fn corners(x: &Form, y: &Form) -> Option<(i128, i128)> {
    let all = [(x.low, y.low), (x.low, y.high), (x.high, y.low), (x.high, y.high)];
    let mut found = (i128::MAX, i128::MIN);
    for (x, y) in all {
        let product = x.checked_mul(y)?;
        found = (found.0.min(product), found.1.max(product));
    }
    Some(found)
}

fn of(range: Range) -> (i128, i128) {
    (i128::from(range.lo()), i128::from(range.hi()))
}

impl Checker<'_> {
    /// A step that has this value: numbers as they were written become public ones.
    pub(crate) fn any(&mut self, item: Item) -> Result<usize, Problem> {
        match item.what {
            What::Step(step) => Ok(step),
            What::Literal(literal) => self.literal(literal, Kind::Number, item.at),
        }
    }

    fn literal(&mut self, literal: Literal, kind: Kind, at: Place) -> Result<usize, Problem> {
        let scale = if kind == Kind::Wide { 0 } else { self.scale };
        if kind == Kind::Wide && literal.digits > 0 {
            return Err(Problem::unsupported(
                at,
                "digits behind the point beside a wide integer; write a whole number",
            ));
        }
        let by = literal.divisor();
        let raw = (2 * (i128::from(literal.mantissa) << scale) + by).div_euclid(2 * by);
        let form = Form { kind, rows: 1, columns: 1, low: raw, high: raw };
        let item = self.bounded(Op::Public(raw), form, at)?;
        self.any(item)
    }

    /// The step of a value that must be of this kind.
    pub(crate) fn of_kind(&mut self, item: Item, kind: Kind) -> Result<usize, Problem> {
        let step = match item.what {
            What::Literal(literal) if kind != Kind::Truth => self.literal(literal, kind, item.at)?,
            _ => self.any(item)?,
        };
        let own = self.form(step).kind;
        if own == kind {
            return Ok(step);
        }
        let instead = match (own, kind) {
            (Kind::Truth, Kind::Number) => "write number(…) around it",
            (Kind::Number, Kind::Truth) => "compare it, such as x > 0",
            _ => "wide integers have +, -, *, dot, sum, cut and comparisons among themselves",
        };
        let what = format!("a value of kind {} where {} is due; {instead}", own.word(), kind.word());
        Err(Problem::unsupported(item.at, what))
    }

    pub(crate) fn number(&mut self, item: Item) -> Result<usize, Problem> {
        self.of_kind(item, Kind::Number)
    }

    /// The larger rows and columns of two shapes; [`Checker::spread`] refuses what does not fit.
    fn common(&self, x: usize, y: usize) -> (usize, usize) {
        let (x, y) = (self.form(x), self.form(y));
        (x.rows.max(y.rows), x.columns.max(y.columns))
    }

    /// Two values brought to one shape.
    pub(crate) fn together(&mut self, x: usize, y: usize, at: Place) -> Result<(usize, usize), Problem> {
        let (rows, columns) = self.common(x, y);
        Ok((self.spread(x, rows, columns, at)?, self.spread(y, rows, columns, at)?))
    }

    /// Two numbers, or two wide integers, of one shape.
    pub(crate) fn numbers(&mut self, x: Item, y: Item) -> Result<(usize, usize), Problem> {
        let wide = |item: Item| matches!(item.what, What::Step(step) if self.form(step).kind == Kind::Wide);
        let kind = if wide(x) || wide(y) { Kind::Wide } else { Kind::Number };
        let (left, right) = (self.of_kind(x, kind)?, self.of_kind(y, kind)?);
        self.together(left, right, y.at)
    }

    pub(crate) fn add(&mut self, x: Item, y: Item, minus: bool) -> Result<Item, Problem> {
        let (left, right) = self.numbers(x, y)?;
        let (own, other) = (self.form(left), self.form(right));
        let (op, range) = if minus {
            (Op::Sub(left, right), (own.low - other.high, own.high - other.low))
        } else {
            (Op::Add(left, right), (own.low + other.low, own.high + other.high))
        };
        self.bounded(op, own.ranged(range), x.at)
    }

    pub(crate) fn multiply(&mut self, x: Item, y: Item) -> Result<Item, Problem> {
        match (x.what, y.what) {
            (What::Step(step), What::Literal(by)) | (What::Literal(by), What::Step(step))
                if self.form(step).kind == Kind::Number =>
            {
                self.times(step, (by.mantissa.into(), by.divisor()), x.at)
            }
            _ => {
                let (left, right) = self.numbers(x, y)?;
                let (own, other) = (self.form(left), self.form(right));
                let range = self.product(&own, &other, left == right, x.at)?;
                self.bounded(Op::Mul(left, right), own.ranged(range), x.at)
            }
        }
    }

    /// The range of products, cut to the scale where they are of numbers.
    pub(crate) fn product(&self, x: &Form, y: &Form, square: bool, at: Place) -> Result<(i128, i128), Problem> {
        let range = match (x.range(), y.range()) {
            (Some(left), Some(right)) if x.kind == Kind::Number => {
                of(Range::products(&[(left, right)], self.scale).map_err(|why| overflow(at, why))?)
            }
            _ => corners(x, y).ok_or_else(|| beyond(at))?,
        };
        // A square is not negative, nor is it after its low places are cut off.
        Ok(if square { (range.0.max(0), range.1) } else { range })
    }

    /// Times a public fraction, right to some units of the scale; the denominator is positive and at most 2^57. Numbers that fill their word leave
    /// room for a coarse factor alone, so what is left of the fraction is then taken times the same numbers with low places cut off.
    pub(crate) fn times(&mut self, of: usize, (over, under): (i128, i128), at: Place) -> Result<Item, Problem> {
        let form = self.form(of);
        if form.kind != Kind::Number {
            let wide =
                Problem::unsupported(at, "a minus before, or a public factor of, what is no number; write 0 - x");
            return Err(wide);
        }
        if over % under == 0 {
            return self.scaled(of, over / under, 0, at);
        }
        let (mut of, mut over, mut sum) = (of, over, None);
        loop {
            let own = self.form(of);
            let most = own.low.abs().max(own.high.abs()).max(1);
            let Factor { by, cut, rest } = factor(most, over, under).ok_or_else(|| beyond(at))?;
            let term = self.scaled(of, by, cut, at)?;
            let so_far = match sum {
                None => term,
                Some(sum) => self.add(sum, term, false)?,
            };
            if rest == 0 {
                return Ok(so_far);
            }
            (over, sum) = (rest, Some(so_far));
            // A unit of what is cut off counts for half a unit of the result, or for one.
            let mut places = cut;
            while places < MOST_PLACES && over.abs() <= under / 4 {
                (over, places) = (2 * over, places + 1);
            }
            let shorter = self.scaled(of, 1, places, at)?;
            of = self.any(shorter)?;
        }
    }

    /// Times a public integer, so many low places then cut off.
    fn scaled(&mut self, of: usize, by: i128, cut: u32, at: Place) -> Result<Item, Problem> {
        let form = self.form(of);
        let end = |raw: i128| raw.checked_mul(by).filter(|product| product.abs() < LIMIT);
        let (Some(low), Some(high), Ok(by)) = (end(form.low), end(form.high), i64::try_from(by)) else {
            return Err(beyond(at));
        };
        let (low, high) = (low.min(high) >> cut, low.max(high) >> cut);
        let high = if cut > 0 { high + 1 } else { high };
        self.bounded(Op::Times { of, by, cut }, form.ranged((low, high)), at)
    }

    pub(crate) fn divide(&mut self, x: Item, y: Item) -> Result<Item, Problem> {
        if let (What::Step(step), What::Literal(by)) = (x.what, y.what)
            && self.form(step).kind == Kind::Number
        {
            let sign = i128::from(by.mantissa.signum());
            if sign == 0 {
                return Err(Problem::unsupported(y.at, "a division by 0; write another number"));
            }
            return self.times(step, (sign * by.divisor(), i128::from(by.mantissa).abs()), x.at);
        }
        let (left, right) = (self.number(x)?, self.number(y)?);
        let (left, right) = self.together(left, right, y.at)?;
        let (own, other) = (self.form(left), self.form(right));
        let (Some(over), Some(under)) = (own.range(), other.range()) else {
            return Err(Problem::overflow(x.at, NARROWER));
        };
        let range = over.quotients(under, self.scale).map_err(|why| {
            Problem::overflow(
                y.at,
                format!("{why}; bound the divisor from below, such as by max(y, 0.01), or {NARROWER}"),
            )
        })?;
        self.bounded(Op::Divide(left, right), own.ranged(of(range)), x.at)
    }

    pub(crate) fn compare(&mut self, sign: &str, x: Item, y: Item) -> Result<Item, Problem> {
        let (left, right) = self.numbers(x, y)?;
        let form = self.form(left);
        let truth = Form::truth(form.rows, form.columns);
        let step = match sign {
            "<" | ">=" => self.push(Op::Less(left, right), truth, x.at)?,
            ">" | "<=" => self.push(Op::Less(right, left), truth, x.at)?,
            _ if form.kind == Kind::Number => self.push(Op::Equal(left, right), truth, x.at)?,
            _ => {
                // Wide integers are equal where neither is less.
                let less = [(left, right), (right, left)].map(|(x, y)| Op::Less(x, y));
                let [one, other] = [self.push(less[0], truth, x.at)?, self.push(less[1], truth, x.at)?];
                let [one, other] = [self.push(Op::Not(one), truth, x.at)?, self.push(Op::Not(other), truth, x.at)?];
                self.push(Op::And(one, other), truth, x.at)?
            }
        };
        let item = Item { what: What::Step(step), at: x.at };
        if matches!(sign, "<=" | ">=" | "!=") { self.not(item) } else { Ok(item) }
    }

    pub(crate) fn not(&mut self, x: Item) -> Result<Item, Problem> {
        let step = self.of_kind(x, Kind::Truth)?;
        let Step { form, .. } = self.steps[step];
        self.bounded(Op::Not(step), form, x.at)
    }

    pub(crate) fn and(&mut self, x: Item, y: Item) -> Result<Item, Problem> {
        let (left, right) = (self.of_kind(x, Kind::Truth)?, self.of_kind(y, Kind::Truth)?);
        let (left, right) = self.together(left, right, y.at)?;
        let form = self.form(left);
        self.bounded(Op::And(left, right), Form::truth(form.rows, form.columns), x.at)
    }

    /// Not both are false.
    pub(crate) fn or(&mut self, x: Item, y: Item) -> Result<Item, Problem> {
        let (x, y) = (self.not(x)?, self.not(y)?);
        let neither = self.and(x, y)?;
        self.not(neither)
    }
}
