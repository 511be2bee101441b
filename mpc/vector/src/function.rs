//! The functions of a program: for each what it takes, and the shape and the range of what it gives.

use mpc_share::Carried;
use mpc_share::interval::{Overflow, Range};

use crate::check::{Checker, Item, NARROWER, What};
use crate::form::{Form, Kind, MOST_ELEMENTS};
use crate::operate::{beyond, corners, overflow};
use crate::problem::{Place, Problem, Why};
use crate::step::{Function, Op, Pick};
use crate::token::Literal;

/// All functions, as a program calls them.
pub const FUNCTIONS: &str = "abs(x), below(x, y), beside(x, y), bits(x, count), choose(t, x, y), clamp(x, low, high), column(x, place), \
                             compact(x, t), cut(x, places), dot(x, y), exp(x), from_bits(t), inverse_sqrt(x), largest(x), \
                             largest_row(x), log(x), matmul(x, y), max(x, y), mean(x), min(x, y), number(t), reciprocal(x), relu(x), \
                             rows(x, first, count), scan_first(x, same), scan_max(x, same), scan_sum(x, same), shuffle(x), sigmoid(x), \
                             smallest(x), sort(x, column), sqrt(x), sum(x), transpose(x), variance(x)";
/// Most work of a product of matrices.
const MOST_MATMUL: usize = 1 << 31;

impl Checker<'_> {
    /// The value of a call.
    pub(crate) fn call(&mut self, name: &str, at: Place, given: &[Item]) -> Result<Item, Problem> {
        match (name, given) {
            ("matmul", [x, y]) => self.matmul(*x, *y, at),
            ("dot", [x, y]) => self.dot(*x, *y, at),
            ("sum", [x]) => self.total(*x, at),
            ("mean", [x]) => self.mean(*x, at),
            ("variance", [x]) => self.variance(*x, at),
            ("transpose", [x]) => self.transpose(*x, at),
            ("column", [x, place]) => self.column(*x, *place, at),
            ("rows", [x, first, count]) => self.rows(*x, *first, *count, at),
            ("beside" | "below", [x, y]) => self.stack(name == "beside", *x, *y, at),
            ("min" | "max", [x, y]) => self.extreme(name == "max", *x, *y, at),
            ("clamp", [x, low, high]) => {
                let raised = self.extreme(true, *x, *low, at)?;
                self.extreme(false, raised, *high, at)
            }
            ("largest", [x]) => self.largest(*x, at),
            ("smallest", [x]) => {
                let turned = self.turned(*x, at)?;
                let largest = self.largest(turned, at)?;
                self.turned(largest, at)
            }
            ("largest_row", [x]) => self.largest_row(*x, at),
            ("choose", [t, x, y]) => self.choose(*t, *x, *y, at),
            ("number", [t]) => self.as_number(*t, at),
            ("bits", [x, count]) => self.bits(*x, *count, at),
            ("from_bits", [t]) => self.from_bits(*t, at),
            ("sort", [x]) => self.sort(*x, 0, at),
            ("sort", [x, place]) => {
                let place = self.place(*place, self.columns_of(*x))?;
                self.sort(*x, place, at)
            }
            ("shuffle", [x]) => {
                let step = self.number(*x)?;
                self.apart(Op::Shuffle(step), self.form(step), at, self.parts(step))
            }
            ("compact", [x, t]) => self.compact(*x, *t, at),
            ("scan_sum", [x, same]) => self.scan(Carried::Sum, *x, *same, at),
            ("scan_max", [x, same]) => self.scan(Carried::Max, *x, *same, at),
            ("scan_first", [x, same]) => self.scan(Carried::First, *x, *same, at),
            ("cut", [x, places]) => self.cut(*x, *places, at),
            (name, [x]) => self.apply(name, *x, at),
            _ => Err(Problem::new(
                Why::Unknown,
                at,
                format!("no function {name} of {} values; there are {FUNCTIONS}", given.len()),
            )),
        }
    }

    /// A function of one number at a time.
    fn apply(&mut self, name: &str, x: Item, at: Place) -> Result<Item, Problem> {
        let scale = self.scale;
        let unknown =
            || Problem::new(Why::Unknown, at, format!("no function {name} of one value; there are {FUNCTIONS}"));
        let function = match name {
            "reciprocal" => Function::Reciprocal,
            "sqrt" => Function::Sqrt,
            "inverse_sqrt" => Function::InverseSqrt,
            "exp" => Function::Exp,
            "log" => Function::Log,
            "sigmoid" => Function::Sigmoid,
            "abs" => Function::Abs,
            "relu" => Function::Relu,
            _ => return Err(unknown()),
        };
        let step = self.number(x)?;
        let form = self.form(step);
        let range = form.range().ok_or_else(|| Problem::overflow(at, NARROWER))?;
        let found: Result<Range, Overflow> = match function {
            Function::Reciprocal => range.reciprocals(scale),
            Function::Sqrt => range.roots(scale),
            Function::InverseSqrt => range.inverse_roots(scale),
            Function::Exp => range.exponentials(scale),
            Function::Log => range.logarithms(scale),
            Function::Sigmoid => Range::new(-2, (1 << scale) + 2),
            Function::Abs => Range::new(0, range.lo().abs().max(range.hi().abs())),
            Function::Relu => Range::new(range.lo().max(0), range.hi().max(0)),
        };
        let bound = "bound the number from below, such as by max(x, 0.01)";
        let found = found.map_err(|why| Problem::overflow(at, format!("{why}; {bound}, or {NARROWER}")))?;
        self.bounded(Op::Apply(step, function), form.ranged((found.lo().into(), found.hi().into())), at)
    }

    fn matmul(&mut self, x: Item, y: Item, at: Place) -> Result<Item, Problem> {
        let (left, right) = (self.number(x)?, self.number(y)?);
        let (own, other) = (self.form(left), self.form(right));
        if own.columns != other.rows {
            let what = format!(
                "a matrix of {} columns times one of {} rows; they must be as many, so write transpose(…) around one",
                own.columns, other.rows
            );
            return Err(Problem::unsupported(at, what));
        }
        if own.len().saturating_mul(other.columns) > MOST_MATMUL {
            return Err(Problem::unsupported(at, format!("more than {MOST_MATMUL} products; take smaller matrices")));
        }
        let range = self.sums_of_products(&own, &other, own.columns, at)?;
        self.bounded(Op::Matmul(left, right), own.shaped(own.rows, other.columns).ranged(range), at)
    }

    fn dot(&mut self, x: Item, y: Item, at: Place) -> Result<Item, Problem> {
        let (left, right) = self.numbers(x, y)?;
        let (own, other) = (self.form(left), self.form(right));
        let range = if own.kind == Kind::Wide {
            let rows = i128::try_from(own.rows).unwrap_or(i128::MAX);
            let sum = |(low, high): (i128, i128)| Some((low.checked_mul(rows)?, high.checked_mul(rows)?));
            corners(&own, &other).and_then(sum).ok_or_else(|| beyond(at))?
        } else {
            self.sums_of_products(&own, &other, own.rows, at)?
        };
        let range = if left == right { (range.0.max(0), range.1) } else { range };
        self.bounded(Op::Dot(left, right), own.shaped(1, own.columns).ranged(range), at)
    }

    /// The range of sums of so many products.
    fn sums_of_products(&self, x: &Form, y: &Form, terms: usize, at: Place) -> Result<(i128, i128), Problem> {
        let by = i64::try_from(terms).unwrap_or(i64::MAX);
        let (Some(left), Some(right)) = (x.range(), y.range()) else {
            return Err(Problem::overflow(at, NARROWER));
        };
        let range = left.scaled(by).and_then(|sums| Range::products(&[(sums, right)], self.scale));
        range.map(|range| (range.lo().into(), range.hi().into())).map_err(|why| overflow(at, why))
    }

    fn total(&mut self, x: Item, at: Place) -> Result<Item, Problem> {
        let step = self.any(x)?;
        if self.form(step).kind == Kind::Truth {
            self.number(x)?;
        }
        let form = self.form(step);
        let rows = i128::try_from(form.rows).unwrap_or(i128::MAX);
        let range = (form.low.saturating_mul(rows), form.high.saturating_mul(rows));
        self.bounded(Op::Sum(step), form.shaped(1, form.columns).ranged(range), at)
    }

    fn mean(&mut self, x: Item, at: Place) -> Result<Item, Problem> {
        let step = self.number(x)?;
        let rows = i128::try_from(self.form(step).rows).unwrap_or(i128::MAX);
        let sum = self.total(Item { what: What::Step(step), at }, at)?;
        let sum = self.any(sum)?;
        self.times(sum, (1, rows), at)
    }

    /// The mean of squared distances from the mean.
    fn variance(&mut self, x: Item, at: Place) -> Result<Item, Problem> {
        let step = self.number(x)?;
        let x = Item { what: What::Step(step), at };
        let mean = self.mean(x, at)?;
        let apart = self.add(x, mean, true)?;
        let squares = self.dot(apart, apart, at)?;
        let squares = self.any(squares)?;
        let rows = i128::try_from(self.form(step).rows).unwrap_or(i128::MAX);
        self.times(squares, (1, rows), at)
    }

    fn turned(&mut self, x: Item, at: Place) -> Result<Item, Problem> {
        let step = self.number(x)?;
        self.times(step, (-1, 1), at)
    }

    /// What lies in single values stays where it is; wide integers move too.
    fn transpose(&mut self, x: Item, at: Place) -> Result<Item, Problem> {
        let step = self.any(x)?;
        let form = self.form(step);
        self.bounded(Op::Pick(step, Pick::Transpose), form.shaped(form.columns, form.rows), at)
    }

    fn columns_of(&self, x: Item) -> usize {
        match x.what {
            What::Step(step) => self.form(step).columns,
            What::Literal(_) => 1,
        }
    }

    /// A public whole number from 1 to `most`.
    pub(crate) fn whole(&self, item: Item, most: usize) -> Result<usize, Problem> {
        let number = match item.what {
            What::Literal(Literal { mantissa, digits: 0 }) => usize::try_from(mantissa).ok(),
            _ => None,
        };
        let number = number.filter(|number| (1..=most).contains(number));
        number.ok_or_else(|| Problem::unsupported(item.at, format!("write a whole number from 1 to {most} here")))
    }

    /// A place, counted from 1 in the text and from 0 in the steps.
    fn place(&self, item: Item, most: usize) -> Result<usize, Problem> {
        Ok(self.whole(item, most)? - 1)
    }

    fn column(&mut self, x: Item, place: Item, at: Place) -> Result<Item, Problem> {
        let step = self.any(x)?;
        let form = self.form(step);
        let place = self.place(place, form.columns)?;
        let form = form.ranged(self.part(step, place)).shaped(form.rows, 1);
        self.bounded(Op::Pick(step, Pick::Column(place)), form, at)
    }

    fn rows(&mut self, x: Item, first: Item, count: Item, at: Place) -> Result<Item, Problem> {
        let step = self.any(x)?;
        let form = self.form(step);
        let first = self.place(first, form.rows)?;
        let count = self.whole(count, form.rows - first)?;
        let parts = self.parts(step);
        self.apart(Op::Pick(step, Pick::Rows(first)), form.shaped(count, form.columns), at, parts)
    }

    fn stack(&mut self, beside: bool, x: Item, y: Item, at: Place) -> Result<Item, Problem> {
        let left = self.any(x)?;
        let kind = self.form(left).kind;
        if kind == Kind::Wide {
            return Err(Problem::unsupported(at, "wide integers beside or below each other; use them apart"));
        }
        let right = self.of_kind(y, kind)?;
        let (own, other) = (self.form(left), self.form(right));
        let fits = if beside { own.rows == other.rows } else { own.columns == other.columns };
        if !fits {
            return Err(Problem::unsupported(
                at,
                "values of as many rows stand beside, of as many columns below each other",
            ));
        }
        let (rows, columns) =
            if beside { (own.rows, own.columns + other.columns) } else { (own.rows + other.rows, own.columns) };
        if rows.saturating_mul(columns) > MOST_ELEMENTS {
            return Err(Problem::unsupported(at, format!("more than {MOST_ELEMENTS} elements; take fewer")));
        }
        let op = if beside { Op::Beside(left, right) } else { Op::Below(left, right) };
        let form = own.shaped(rows, columns).ranged((own.low.min(other.low), own.high.max(other.high)));
        let (mut parts, more) = (self.parts(left), self.parts(right));
        if beside {
            parts.extend(more);
        } else {
            let whole =
                |(own, other): (&mut (i128, i128), (i128, i128))| *own = (own.0.min(other.0), own.1.max(other.1));
            parts.iter_mut().zip(more).for_each(whole);
        }
        self.apart(op, form, at, parts)
    }

    fn extreme(&mut self, largest: bool, x: Item, y: Item, at: Place) -> Result<Item, Problem> {
        let (left, right) = (self.number(x)?, self.number(y)?);
        let (left, right) = self.together(left, right, at)?;
        let (own, other) = (self.form(left), self.form(right));
        let (op, range) = if largest {
            (Op::Max(left, right), (own.low.max(other.low), own.high.max(other.high)))
        } else {
            (Op::Min(left, right), (own.low.min(other.low), own.high.min(other.high)))
        };
        self.bounded(op, own.ranged(range), at)
    }
}
