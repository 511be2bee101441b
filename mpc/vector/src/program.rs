//! A checked program: its steps, what a run takes, its digest, and its inputs as the integers that represent them.

use base_gm::sm3::tagged;
use zeroize::Zeroizing;

use crate::check::Ranges;
use crate::cost::Size;
use crate::form::{Column, Declared, Form, Kind};
use crate::scheme::Scheme;
use crate::shown;
use crate::step::Step;

/// What a program returns at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// Its name.
    pub name: String,
    /// Its kind, shape and range.
    pub form: Form,
    pub(crate) step: usize,
}

/// Input words that a program does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Another number of words than the input has elements, or no such input.
    Count,
    /// A value in this row, counted from 1, that is outside the input's range.
    Outside {
        /// The row.
        row: usize,
    },
}

/// A program whose every value has a range that fits, for one scheme.
#[derive(Debug, Clone)]
pub struct Program {
    pub(crate) scheme: Scheme,
    pub(crate) scale: u32,
    pub(crate) inputs: Vec<Declared>,
    pub(crate) columns: Vec<Vec<Column>>,
    /// The range of every column of every input, which its owner is held to.
    pub(crate) ranges: Vec<Ranges>,
    pub(crate) steps: Vec<Step>,
    pub(crate) results: Vec<Returned>,
}

impl Program {
    /// What it runs on.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Fractional bits of every number.
    pub fn scale(&self) -> u32 {
        self.scale
    }

    /// Digits behind the point that numbers are shown with.
    pub fn digits(&self) -> u8 {
        shown::digits(self.scale)
    }

    /// The inputs, in order.
    pub fn inputs(&self) -> &[Declared] {
        &self.inputs
    }

    /// What it returns, in order; all have as many rows.
    pub fn results(&self) -> &[Returned] {
        &self.results
    }

    /// The ranges that values keep to, as `name: low..high`: of every input, by column where they differ, then of what is returned.
    pub fn ranges(&self) -> Vec<String> {
        let inputs = self.inputs.iter().zip(&self.columns).map(|(input, columns)| {
            let range = |column: &Column| {
                let Column { digits, low, high } = input.range.unwrap_or(*column);
                format!("{}..{}", shown::text(low.into(), digits), shown::text(high.into(), digits))
            };
            let mut all: Vec<String> = columns.iter().map(range).collect();
            if all.windows(2).all(|pair| pair[0] == pair[1]) {
                all.truncate(1);
            }
            format!("{}: {}", input.name, all.join(", "))
        });
        let results = self.results.iter().map(|result| {
            let Form { kind, low, high, .. } = result.form;
            let places = if kind == Kind::Number { self.digits() } else { 0 };
            let text = |raw: i128| shown::text(self.shown(kind, raw), places);
            format!("{}: {}..{}", result.name, text(low), text(high))
        });
        inputs.chain(results).collect()
    }

    /// What a run takes.
    pub fn size(&self) -> Size {
        Size::of(self.scheme, self.scale, &self.steps)
    }

    /// The steps, one a line: what nodes must agree on, and what an author may read.
    pub fn listing(&self) -> String {
        let inputs = self.inputs.iter().map(|input| format!("input {}: {}\n", input.name, input.ty()));
        let steps = self.steps.iter().enumerate().map(|(at, step)| format!("{at} = {step}\n"));
        let results = self.results.iter().map(|result| format!("return {} = {}\n", result.name, result.step));
        let head = format!("scale {}\n", self.scale);
        std::iter::once(head).chain(inputs).chain(steps).chain(results).collect()
    }

    /// Digest of the steps: two programs of one digest compute the same, each on its own scheme.
    pub fn digest(&self) -> [u8; 32] {
        tagged("heqi/vector/1", &[self.listing().as_bytes()]).0
    }

    /// The form of an input.
    pub(crate) fn input(&self, place: usize) -> Option<Form> {
        self.inputs.get(place).and(self.steps.get(place)).map(|step| step.form)
    }

    /// An owner's words, row by row, as the integers that represent them: numbers rounded to the nearest.
    ///
    /// # Errors
    /// [`Refused`], which tells no value.
    pub fn encode(&self, place: usize, words: &[i64]) -> Result<Zeroizing<Vec<i64>>, Refused> {
        let (Some(form), Some(columns)) = (self.input(place), self.columns.get(place)) else {
            return Err(Refused::Count);
        };
        if words.len() != form.len() || columns.len() != form.columns {
            return Err(Refused::Count);
        }
        let scale = if form.kind == Kind::Number { self.scale } else { 0 };
        let mut out = Zeroizing::new(Vec::with_capacity(words.len()));
        for row in words.chunks(form.columns) {
            // What no word holds is outside every range.
            let raw = |(word, column): (&i64, &Column)| i64::try_from(column.raw(*word, scale)).unwrap_or(i64::MAX);
            out.extend(row.iter().zip(columns).map(raw));
        }
        self.held(place, &out)?;
        Ok(out)
    }

    /// Whether an owner's integers are as many as the input has, and each in the range of its column.
    ///
    /// # Errors
    /// [`Refused`], which tells no value.
    pub(crate) fn held(&self, place: usize, raw: &[i64]) -> Result<(), Refused> {
        let (Some(form), Some(ranges)) = (self.input(place), self.ranges.get(place)) else {
            return Err(Refused::Count);
        };
        if raw.len() != form.len() {
            return Err(Refused::Count);
        }
        let outside = |row: &[i64]| {
            row.iter().zip(ranges).any(|(word, (low, high))| !(*low..=*high).contains(&i128::from(*word)))
        };
        match raw.chunks(form.columns).position(outside) {
            Some(row) => Err(Refused::Outside { row: row + 1 }),
            None => Ok(()),
        }
    }

    /// An element of a result as it is shown: a decimal as a scaled integer of [`Program::digits`] for a number, else itself.
    pub fn shown(&self, kind: Kind, raw: i128) -> i128 {
        if kind == Kind::Number { shown::decimal(raw, self.scale) } else { raw }
    }
}
