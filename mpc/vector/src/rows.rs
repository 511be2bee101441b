//! Functions of whole rows: the largest, choices, bits, orders, compaction and scans, for the checker.

use mpc_share::{Carried, MOST_WIDE_PLACES};

use crate::check::{Checker, Item};
use crate::form::{Form, Kind};
use crate::problem::{Place, Problem};
use crate::step::Op;

/// Most bits of a number's integer part.
const MOST_BITS: usize = 40;

impl Checker<'_> {
    pub(crate) fn largest(&mut self, x: Item, at: Place) -> Result<Item, Problem> {
        let step = self.number(x)?;
        let form = self.form(step);
        self.bounded(Op::Largest(step), form.shaped(1, form.columns), at)
    }

    pub(crate) fn largest_row(&mut self, x: Item, at: Place) -> Result<Item, Problem> {
        let step = self.number(x)?;
        let form = self.form(step);
        let rows = i128::try_from(form.rows).unwrap_or(i128::MAX >> self.scale);
        let range = (1 << self.scale, rows << self.scale);
        self.bounded(Op::LargestRow(step), form.shaped(1, form.columns).ranged(range), at)
    }

    pub(crate) fn choose(&mut self, t: Item, x: Item, y: Item, at: Place) -> Result<Item, Problem> {
        let (mask, left, right) = (self.of_kind(t, Kind::Truth)?, self.number(x)?, self.number(y)?);
        let forms = [mask, left, right].map(|step| self.form(step));
        let rows = forms.iter().map(|form| form.rows).fold(1, usize::max);
        let columns = forms.iter().map(|form| form.columns).fold(1, usize::max);
        let mask = self.spread(mask, rows, columns, t.at)?;
        let left = self.spread(left, rows, columns, x.at)?;
        let right = self.spread(right, rows, columns, y.at)?;
        let range = (forms[1].low.min(forms[2].low), forms[1].high.max(forms[2].high));
        self.bounded(Op::Choose(mask, left, right), self.form(left).ranged(range), at)
    }

    pub(crate) fn as_number(&mut self, t: Item, at: Place) -> Result<Item, Problem> {
        let step = self.of_kind(t, Kind::Truth)?;
        let Form { rows, columns, .. } = self.form(step);
        let form = Form { kind: Kind::Number, rows, columns, low: 0, high: 1 << self.scale };
        self.bounded(Op::Number(step), form, at)
    }

    pub(crate) fn bits(&mut self, x: Item, count: Item, at: Place) -> Result<Item, Problem> {
        let step = self.number(x)?;
        let form = self.form(step);
        let count = self.whole(count, MOST_BITS)?;
        if form.columns != 1 || form.low < 0 {
            let what = "bits of several columns, or of numbers that may be negative; take column(x, place), and abs(x)";
            return Err(Problem::unsupported(at, what));
        }
        self.bounded(Op::Bits(step), Form::truth(form.rows, count), at)
    }

    pub(crate) fn from_bits(&mut self, t: Item, at: Place) -> Result<Item, Problem> {
        let step = self.of_kind(t, Kind::Truth)?;
        let Form { rows, columns, .. } = self.form(step);
        if columns > MOST_BITS {
            return Err(Problem::unsupported(at, format!("{columns} bits of a number; take at most {MOST_BITS}")));
        }
        let high = ((1i128 << columns) - 1) << self.scale;
        self.bounded(Op::FromBits(step), Form { kind: Kind::Number, rows, columns: 1, low: 0, high }, at)
    }

    pub(crate) fn sort(&mut self, x: Item, column: usize, at: Place) -> Result<Item, Problem> {
        let step = self.number(x)?;
        self.apart(Op::Sort(step, column), self.form(step), at, self.parts(step))
    }

    /// Truth values, one a row of a value of so many rows.
    fn flags(&mut self, t: Item, rows: usize) -> Result<usize, Problem> {
        let step = self.of_kind(t, Kind::Truth)?;
        let form = self.form(step);
        if (form.rows, form.columns) == (rows, 1) {
            return Ok(step);
        }
        let what = format!(
            "{} rows of {} columns where one truth value a row is due, {rows} of them; take column(t, place)",
            form.rows, form.columns
        );
        Err(Problem::unsupported(t.at, what))
    }

    pub(crate) fn compact(&mut self, x: Item, t: Item, at: Place) -> Result<Item, Problem> {
        let step = self.number(x)?;
        let form = self.form(step);
        let flags = self.flags(t, form.rows)?;
        let parts = self.parts(step).into_iter().map(|(low, high)| (low.min(0), high.max(0))).collect();
        self.apart(Op::Compact(step, flags), form.ranged((form.low.min(0), form.high.max(0))), at, parts)
    }

    pub(crate) fn scan(&mut self, what: Carried, x: Item, same: Item, at: Place) -> Result<Item, Problem> {
        let step = self.number(x)?;
        let form = self.form(step);
        let flags = self.flags(same, form.rows)?;
        let rows = i128::try_from(form.rows).unwrap_or(i128::MAX);
        let range = match what {
            Carried::Sum => {
                (form.low.min(form.low.saturating_mul(rows)), form.high.max(form.high.saturating_mul(rows)))
            }
            Carried::Max | Carried::First => (form.low, form.high),
        };
        self.bounded(Op::Scan(what, step, flags), form.ranged(range), at)
    }

    pub(crate) fn cut(&mut self, x: Item, places: Item, at: Place) -> Result<Item, Problem> {
        let step = self.of_kind(x, Kind::Wide)?;
        let form = self.form(step);
        let by = self.whole(places, MOST_WIDE_PLACES as usize)? as u32;
        self.bounded(Op::Cut(step, by), form.ranged((form.low >> by, (form.high >> by) + 1)), at)
    }
}
