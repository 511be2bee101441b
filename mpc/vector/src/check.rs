//! The checker: statements become steps, each with the kind, the shape and the range of its value; what may overflow is refused.

use std::collections::BTreeMap;

use crate::form::{Column, Declared, Form, Kind, MOST_COLUMNS, MOST_DIGITS, MOST_ELEMENTS, WIDE_LIMIT};
use crate::problem::{Place, Problem};
use crate::program::{Program, Returned};
use crate::scheme::Scheme;
use crate::source::{Cursor, Source};
use crate::step::{Op, Pick, Step};
use crate::token::{Literal, Token};

/// Most steps, and most elements of all their values together.
const MOST_STEPS: usize = 4096;
const MOST_TOTAL: usize = 1 << 24;
/// Most columns of an answer.
const MOST_RESULTS: usize = 63;
/// Advice where a number may not fit.
pub(crate) const NARROWER: &str =
    "take a smaller scale, declare narrower ranges, or bound what goes in by clamp(x, low, high)";

/// A value on its way: a step's, or a number as it was written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum What {
    Step(usize),
    Literal(Literal),
}

/// A value and where it was written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item {
    pub(crate) what: What,
    pub(crate) at: Place,
}

/// The lowest and the highest integer of every column.
pub(crate) type Ranges = Vec<(i128, i128)>;

/// The steps so far.
pub(crate) struct Checker<'a> {
    pub(crate) cursor: Cursor<'a>,
    /// How many parentheses and calls are open.
    pub(crate) depth: usize,
    /// What the program is to run on.
    scheme: Scheme,
    pub(crate) scale: u32,
    pub(crate) steps: Vec<Step>,
    pub(crate) names: BTreeMap<String, usize>,
    /// The ranges of the columns of steps whose columns have ranges of their own: inputs, and what keeps columns apart.
    parts: BTreeMap<usize, Ranges>,
    total: usize,
}

impl Source {
    /// Checks the statements for a scheme, where the inputs' columns keep to these ranges, one list an input.
    ///
    /// # Errors
    /// [`Problem`] with the place in the text; also where the scheme lacks what a step takes.
    pub fn check(&self, scheme: Scheme, columns: &[Vec<Column>]) -> Result<Program, Problem> {
        let cursor = Cursor { tokens: &self.tokens, end: self.end, next: self.body };
        let (scale, steps, names, parts) = (self.scale, Vec::new(), BTreeMap::new(), BTreeMap::new());
        let mut checker = Checker { cursor, depth: 0, scheme, scale, steps, names, parts, total: 0 };
        let mut all = Vec::with_capacity(self.inputs.len());
        for (place, declared) in self.inputs.iter().enumerate() {
            let given = columns.get(place).map_or(&[][..], Vec::as_slice);
            let (form, ranges) = input_form(declared, given, scale)?;
            let step = checker.push(Op::Input(place), form, declared.at)?;
            checker.names.insert(declared.name.clone(), step);
            checker.parts.insert(step, ranges.clone());
            all.push(ranges);
        }
        let results = checker.statements()?;
        let (inputs, columns, steps) = (self.inputs.clone(), columns.to_vec(), checker.steps);
        Ok(Program { scheme, scale, inputs, columns, ranges: all, steps, results })
    }

    /// Checks the statements where every input declares its range.
    ///
    /// # Errors
    /// As [`Source::check`]; where an input declares none.
    pub fn check_alone(&self, scheme: Scheme) -> Result<Program, Problem> {
        let columns = self.inputs.iter().map(|declared| {
            let truth = (declared.kind == Kind::Truth).then_some(Column { digits: 0, low: 0, high: 1 });
            let column = declared.range.or(truth).ok_or_else(|| {
                let what = format!("no range of {}; write it, such as `from 0 to 250`", declared.name);
                Problem::unsupported(declared.at, what)
            })?;
            Ok(vec![column; declared.columns])
        });
        self.check(scheme, &columns.collect::<Result<Vec<_>, Problem>>()?)
    }
}

/// The form of an input whose columns are these, and the range of each.
fn input_form(declared: &Declared, columns: &[Column], scale: u32) -> Result<(Form, Ranges), Problem> {
    let (name, at) = (&declared.name, declared.at);
    if columns.len() != declared.columns || columns.iter().any(|column| column.digits > MOST_DIGITS) {
        return Err(Problem::unsupported(at, format!("{} columns for {name}: {}", columns.len(), declared.ty())));
    }
    let scale = if declared.kind == Kind::Number { scale } else { 0 };
    let own = |column: &Column| declared.range.unwrap_or(*column);
    if declared.kind != Kind::Number && columns.iter().any(|column| column.digits + own(column).digits > 0) {
        return Err(Problem::unsupported(at, format!("digits behind the point for {name}, which takes whole numbers")));
    }
    let ranges: Ranges = columns.iter().map(|column| own(column).range(scale)).collect();
    let whole = |all: (i128, i128), one: (i128, i128)| (all.0.min(one.0), all.1.max(one.1));
    let range = ranges.iter().copied().reduce(whole).unwrap_or((0, 0));
    let form =
        Form { kind: declared.kind, rows: declared.rows, columns: declared.columns, low: range.0, high: range.1 };
    let fits = match declared.kind {
        Kind::Number => form.range().is_some(),
        Kind::Truth => range.0 >= 0 && range.1 <= 1,
        Kind::Wide => true,
    };
    if fits {
        Ok((form, ranges))
    } else {
        Err(Problem::overflow(at, format!("the range of {name} does not fit; {NARROWER}")))
    }
}

impl Checker<'_> {
    pub(crate) fn form(&self, step: usize) -> Form {
        self.steps[step].form
    }

    pub(crate) fn push(&mut self, op: Op, form: Form, at: Place) -> Result<usize, Problem> {
        if form.kind == Kind::Wide && !self.scheme.has_wide() {
            let (step, scheme) = (op.name(), self.scheme.name());
            let what = format!(
                "this {step} of wide integers on {scheme}, which have none; declare numbers, or run it in tier B"
            );
            return Err(Problem::unsupported(at, what));
        }
        self.total = self.total.saturating_add(form.len());
        if form.len() > MOST_ELEMENTS || self.total > MOST_TOTAL || self.steps.len() >= MOST_STEPS {
            let what = format!(
                "a program of more than {MOST_STEPS} steps, {MOST_ELEMENTS} elements of a value or {MOST_TOTAL} of all; take fewer"
            );
            return Err(Problem::unsupported(at, what));
        }
        self.steps.push(Step { op, form });
        Ok(self.steps.len() - 1)
    }

    /// The range of every column of a step.
    pub(crate) fn parts(&self, step: usize) -> Ranges {
        let form = self.form(step);
        self.parts.get(&step).cloned().unwrap_or_else(|| vec![(form.low, form.high); form.columns])
    }

    /// The range of one column of a step.
    pub(crate) fn part(&self, step: usize, place: usize) -> (i128, i128) {
        let form = self.form(step);
        self.parts.get(&step).and_then(|parts| parts.get(place)).copied().unwrap_or((form.low, form.high))
    }

    /// A step that keeps columns apart, each with its range. Of a very wide one the range of all stands for each, so that no text makes the
    /// checker keep many times its own length.
    pub(crate) fn apart(&mut self, op: Op, form: Form, at: Place, parts: Ranges) -> Result<Item, Problem> {
        let step = self.push(op, form, at)?;
        if parts.len() <= MOST_COLUMNS {
            self.parts.insert(step, parts);
        }
        Ok(Item { what: What::Step(step), at })
    }

    /// A step whose range must fit its kind.
    pub(crate) fn bounded(&mut self, op: Op, form: Form, at: Place) -> Result<Item, Problem> {
        let fits = match form.kind {
            Kind::Number => form.range().is_some(),
            Kind::Truth => true,
            Kind::Wide => form.low > -WIDE_LIMIT && form.high < WIDE_LIMIT,
        };
        if !fits {
            return Err(Problem::overflow(at, format!("this {} may not fit its word; {NARROWER}", op.name())));
        }
        Ok(Item { what: What::Step(self.push(op, form, at)?), at })
    }

    /// The statements up to the last, and what that returns.
    fn statements(&mut self) -> Result<Vec<Returned>, Problem> {
        while !self.cursor.word("return") {
            let at = self.cursor.at();
            let name = self.cursor.name()?;
            if self.names.contains_key(&name) {
                return Err(Problem::unsupported(at, format!("a second value for {name}; give it a name of its own")));
            }
            self.cursor.need("=")?;
            let value = self.expression()?;
            let step = self.any(value)?;
            self.cursor.need(";")?;
            self.names.insert(name, step);
        }
        let mut results: Vec<Returned> = Vec::new();
        loop {
            results.push(self.returned(results.len())?);
            if !self.cursor.sign(",") {
                break;
            }
        }
        self.cursor.need(";")?;
        let at = self.cursor.at();
        if self.cursor.token().is_some() {
            return Err(Problem::syntax(at, "`return …;` is the last statement"));
        }
        let rows = results.first().map_or(0, |first| first.form.rows);
        let columns: usize = results.iter().map(|result| result.form.columns).sum();
        if columns > MOST_RESULTS || results.iter().any(|result| result.form.rows != rows) {
            let what = format!("return values of as many rows each, of at most {MOST_RESULTS} columns together");
            return Err(Problem::unsupported(at, what));
        }
        if rows.saturating_mul(columns) > MOST_ELEMENTS {
            return Err(Problem::unsupported(
                at,
                format!("an answer of more than {MOST_ELEMENTS} elements; return fewer"),
            ));
        }
        Ok(results)
    }

    fn returned(&mut self, place: usize) -> Result<Returned, Problem> {
        let at = self.cursor.at();
        let word = match self.cursor.token() {
            Some(Token::Word(name)) if self.names.contains_key(name) => Some(name.clone()),
            _ => None,
        };
        let start = self.cursor.next;
        let value = self.expression()?;
        let name = word.filter(|_| self.cursor.next == start + 1).unwrap_or_else(|| format!("value{}", place + 1));
        let step = self.any(value)?;
        let form = self.form(step);
        if !crate::shown::fits(&form, self.scale) {
            return Err(Problem::overflow(at, format!("{name} may be too large to be shown as a decimal; {NARROWER}")));
        }
        Ok(Returned { name, step, form })
    }

    /// A value brought to a shape by repeating its row, its column or its element.
    pub(crate) fn spread(&mut self, step: usize, rows: usize, columns: usize, at: Place) -> Result<usize, Problem> {
        let form = self.form(step);
        let fits = |own: usize, due: usize| own == due || own == 1;
        if !fits(form.rows, rows) || !fits(form.columns, columns) {
            let (own_rows, own_columns) = (form.rows, form.columns);
            let what = format!(
                "{own_rows} rows of {own_columns} columns beside {rows} of {columns}; bring both to one shape, such as by transpose(x)"
            );
            return Err(Problem::unsupported(at, what));
        }
        if (form.rows, form.columns) == (rows, columns) {
            return Ok(step);
        }
        self.push(Op::Pick(step, Pick::Spread), form.shaped(rows, columns), at)
    }
}
